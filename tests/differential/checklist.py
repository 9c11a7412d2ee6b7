#!/usr/bin/python3
"""What users of Ansible rely on in templates, one case a behaviour, with the result written down.

    checklist.py --oracle tests/oracle_tmpl

Each case must give what stands here; so must stock Jinja2 with Ansible's filters, but for rows marked OURS, which say why not.
Exit status 77 (skipped) when Jinja2 or Ansible is not installed for this Python.
"""
import argparse
import json
import subprocess
import sys

import templates

ERROR = object()


class OURS:
    def __init__(self, want, why):
        self.want, self.why = want, why


ROWS = [
    # ---- whitespace ----
    ("a newline after a block goes", "{% if t %}\nx\n{% endif %}\ny", "x\ny"),
    ("a newline after a comment goes", "{# c #}\nx", "x"),
    ("a newline after a value stays", "{{ i }}\nx", "7\nx"),
    ("blanks before a block stay", "  {% if t %}x{% endif %}", "  x"),
    ("{%- takes blanks and newlines before it", "a \n {%- if t %}x{% endif %}", "ax"),
    ("-%} takes blanks and newlines after it", "{% if t -%} \n x{% endif %}", "x"),
    ("{{- and -}}", "a\n {{- i -}} \n b", "a7b"),
    ("{#- and -#}", "a\n {#- c -#} \n b", "ab"),
    ("raw over many lines", "{% raw %}" + "{{ x }}\n" * 300 + "{% endraw %}", "{{ x }}\n" * 300),
    ("as many newlines at the end as the source", "x\n\n\n", "x\n\n\n"),
    ("none where the source has none", "x", "x"),
    # ---- scope ----
    ("set leaks out of if", "{% if t %}{% set a = 1 %}{% endif %}{{ a }}", "1"),
    ("set does not leak out of for", "{% set a = 0 %}{% for x in l %}{% set a = x %}{% endfor %}{{ a }}", "0"),
    ("a namespace does", "{% set n = namespace(a=0) %}{% for x in l %}{% set n.a = n.a + x %}{% endfor %}{{ n.a }}", "6"),
    ("append changes the shared object", "{% set a = [] %}{% for x in l %}{% set _ = a.append(x) %}{% endfor %}{{ a | join('-') }}", "3-1-2"),
    ("extend does", "{% set a = [1] %}{% set b = a %}{% set _ = a.extend([2]) %}{{ b | join }}", "12"),
    ("update does", "{% set a = {'x': 1} %}{% set b = [a] %}{% set _ = a.update({'y': 2}) %}{{ b[0] | length }}", "2"),
    ("one inside another", "{% set a = {'x': []} %}{% set _ = a.x.append(5) %}{{ a.x | first }}", "5"),
    ("macro, default and keyword", "{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(1, b=3) }}{{ m(b=4, a=5) }}", "121354"),
    ("a subscript of None is an error", "{{ n['x'].y }}", ERROR),
    # ---- printing ----
    ("None prints as nothing", "[{{ n }}]", "[]"),
    ("~ makes it None", "{{ n ~ 'x' }}", "Nonex"),
    ("booleans", "{{ t }} {{ u }}", "True False"),
    ("floats", "{{ 3.0 }} {{ h }} {{ 0.00001 }}", "3.0 1e+16 1e-05"),
    ("a list has no text of its own", "{{ l }}", OURS(ERROR, "an error that names to_json")),
    # ---- arithmetic ----
    ("/ is of floats", "=7 / 2", 3.5),
    ("// floors", "=-7 // 2", -4),
    ("% has the divisor's sign", "=-7 % 3", 2),
    ("unary minus before **", "=-2 ** 2", 4),
    ("filters before operators", "=1 + 2 | string | int", 3),
    ("round gives a float", "=2.6 | round", 3.0),
    ("int cuts", "=-2.7 | int", -2),
    ("min and max go by number", "=[10, 9] | min", 9),
    ("max", "=[10, 9] | max", 10),
    # ---- tests and truth ----
    ("default serves undefined", "=nope | default('x')", "x"),
    ("default leaves an empty text", "=e | default('x')", ""),
    ("default(x, true) takes it", "=e | default('x', true)", "x"),
    ("None stays None", "=n | default('x')", None),
    ("a missing attribute is not defined", "=d.nope is defined", False),
    ("used, it is an error", "{{ d.nope }}", ERROR),
    ("and so is what hangs on it", "{{ d.nope.more }}", ERROR),
    ("in a text", "='ell' in s", True),
    ("in a list", "=2 in l", True),
    ("in a map", "='a' in d", True),
    ("sameas true is identity", "=1 is sameas true", False),
    ("a boolean is a number", "=t is number", True),
    ("type_debug", "=[i | type_debug, f | type_debug, n | type_debug, l | type_debug, d | type_debug, t | type_debug]",
     ["int", "float", "NoneType", "list", "dict", "bool"]),
    # ---- Ansible's bool ----
    ("bool: true words", "=['yes', 'ON', '1', 'True', 1] | map('bool') | list", [True] * 5),
    ("bool: everything else is false", "=['t', 'y', '2', 'no', '', 2] | map('bool') | list", [False] * 6),
    # ---- filters ----
    ("sort is stable", "=users | sort(attribute='age') | map(attribute='name') | list", ["Al", "bob", "cy"]),
    ("sort ignores case", "=ls | sort", ["A", "a", "b", "B", "c"]),
    ("sort with case", "=ls | sort(case_sensitive=true)", ["A", "B", "a", "b", "c"]),
    ("unique keeps order and ignores case", "=ls | unique(case_sensitive=false) | list", ["b", "A", "c"]),
    ("dictsort ignores case", "={'b': 1, 'A': 2} | dictsort", [["A", 2], ["b", 1]]),
    ("join of numbers", "=l | join(',')", "3,1,2"),
    ("format pads", "='%-6s|' | format('ab')", "ab    |"),
    ("format never cuts", "='%-2s|' | format('abc')", "abc|"),
    ("to_json", "={'a': [1, 'ü']} | to_json", '{"a": [1, "\\u00fc"]}'),
    ("to_nice_yaml", "={'b': {'c': 1}, 'a': 2} | to_nice_yaml", "a: 2\nb:\n    c: 1\n"),
    ("quote", "=['a b', \"it's\", 'plain'] | map('quote') | list", ["'a b'", "'it'\"'\"'s'", "plain"]),
    ("regex_search without a match", "='abc' | regex_search('x')", None),
    ("regex_search with groups", "='ab12' | regex_search('([a-z]+)([0-9]+)', '\\\\1', '\\\\2')", ["ab", "12"]),
    ("regex_replace", "='ab' | regex_replace('(a)(b)', '\\\\2\\\\1')", "ba"),
    ("map extract", "=['a', 'b'] | map('extract', d) | list", [1, 2]),
    ("map of an attribute of an attribute", "=users | map(attribute='o.k') | list", [1, 3, 2]),
    ("map with a default", "=part | map(attribute='pw', default='-') | list", ["1", "-"]),
    ("selectattr in", "=users | selectattr('age', 'in', [4]) | map(attribute='name') | list", ["Al"]),
    ("strftime of seconds", "='%Y' | strftime(86400)", "1970"),
    ("password_hash with a salt", "='pw' | password_hash('sha512', 'saltsalt') | length",
     OURS(112, "the rounds of passlib, 656000, also where Ansible lacks it")),
    ("int of junk", "='junk' | int", 0),
    ("float", "=fl | float", 3.75),
    ("hash", "='x' | hash('md5')", "9dd4e461268c8034f5c8564e155c67a6"),
    ("combine, recursive", "=d | combine(d2, recursive=true)", {"b": 2, "a": 9, "c": {"x": [1, 2], "y": "Y", "w": 1}, "k": [5]}),
    # ---- loops ----
    ("loop's numbers", "{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.length }}{{ loop.first }}{{ loop.last }} {% endfor %}",
     "103TrueFalse 213FalseFalse 323FalseTrue "),
    ("previous and next", "{% for x in l %}{{ loop.previtem | default('-') }}{{ loop.nextitem | default('-') }} {% endfor %}", "-1 32 1- "),
    ("changed", "{% for x in m %}{{ loop.changed(x) }} {% endfor %}", "True True False True True "),
    ("cycle", "{% for x in l %}{{ loop.cycle('a', 'b') }}{% endfor %}", "aba"),
    ("else", "{% for x in empty %}x{% else %}none{% endfor %}", "none"),
    ("filtering", "{% for x in l if x > 1 %}{{ x }}{{ loop.length }} {% endfor %}", "32 22 "),
    ("two names over items()", "{% for k, v in d2.c.items() %}{{ k }}={{ v }} {% endfor %}", "y=Y w=1 "),
    ("recursion and depth", "{% for x in nest recursive %}{% if x is number or x is none %}{{ loop.depth }}{% else %}{{ loop(x) }}{% endif %}{% endfor %}",
     "22233"),
    # ---- methods ----
    ("split", "='a,b,,c'.split(',')", ["a", "b", "", "c"]),
    ("split on blanks", "=' a  b '.split()", ["a", "b"]),
    ("partition", "='a=b=c'.partition('=')", ["a", "=", "b=c"]),
    ("startswith and endswith", "=[s.startswith('he'), s.endswith('ld')]", [True, True]),
    ("strip", "=[w.strip(), 'xax'.lstrip('x'), 'xax'.rstrip('x')]", ["Pad me", "ax", "xa"]),
    ("replace", "='aaa'.replace('a', 'b', 2)", "bba"),
    ("case", "=['aB'.upper(), 'aB'.lower(), 'a b'.title()]", ["AB", "ab", "A B"]),
    ("zfill", "='-5'.zfill(4)", "-005"),
    ("join", "='-'.join(['a', 'b'])", "a-b"),
    ("format", "='{0}-{x}'.format(1, x=2)", "1-2"),
    ("isdigit, find, count", "=['12'.isdigit(), s.find('world'), s.count('l')]", [True, 6, 3]),
    ("insert and pop", "{% set a = [1, 3] %}{% set _ = a.insert(1, 2) %}{{ a.pop() }}{{ a | join }}", "312"),
    ("index and count of a list", "=[m.index(3), m.count(2)]", [3, 2]),
    ("keys, values, get", "=[d2.keys() | list, d2.get('a'), d2.get('nope', 0)]", [["a", "c", "k"], 9, 0]),
    ("pop of a map", "{% set a = {'x': 1, 'y': 2} %}{{ a.pop('x') }}{{ a | length }}", "11"),
    ("a map's keys keep the source's order", "=d | list", ["b", "a", "c"]),
]

# JMESPath inside templates: Ansible's json_query needs a library of its own, so the results stand here alone.
QUERIES = [
    ("a bare word in backticks is text", "=users | json_query('[?name==`bob`].age')", [30]),
    ("0 is true, None is not", "=[{'x': 0}, {'x': none}] | json_query('[?x] | length(@)')", 1),
    ("a key that is missing is null", "=d | json_query('nope')", None),
    ("a projection without a match is empty", "=users | json_query('[?age>`99`].name')", []),
]


def case_of(src):
    return {"kind": "expr", "src": src[1:]} if src.startswith("=") else {"kind": "tmpl", "src": src}


def is_as(got, want):
    if want is ERROR:
        return "error" in got
    return "ok" in got and templates.same(got["ok"], want)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--oracle", required=True)
    args = ap.parse_args()
    ours = subprocess.Popen([args.oracle], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    env = templates.environment()
    passed = failed = 0
    for name, src, want in ROWS + QUERIES:
        case = case_of(src)
        ours.stdin.write(json.dumps(dict(case, vars=templates.VARS)) + "\n")
        ours.stdin.flush()
        answers = [("ours", json.loads(ours.stdout.readline()), want.want if isinstance(want, OURS) else want)]
        if not isinstance(want, OURS) and (name, src, want) not in QUERIES:
            answers.append(("Jinja2's", templates.theirs(env, case), want))
        wrong = ["%s: %s" % (who, json.dumps(got, ensure_ascii=False, default=repr)[:200]) for who, got, expected in answers if not is_as(got, expected)]
        passed, failed = passed + (not wrong), failed + bool(wrong)
        for line in wrong:
            print("not ok - %s: %r\n    wanted %r\n    %s" % (name, src[:160], want, line))
    ours.stdin.close()
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
