#!/bin/bash
# Input made to hang the program or to eat the machine, through the command itself. Each case must end with the status and the message
# it names, within SECONDS_MOST of processor time and MEMORY_MOST of address space. PIG names the binary.
#
# The bounds come from the engine's own: 10 million steps of a microsecond are 10 s, on a processor half as fast 20; a render's 256 MiB,
# once more for the growing buffer that passes it, 256 MiB that a written JSON text may have and as much again for its copy are 1 GiB;
# what is read (64 MiB) and the program itself take less than another half. Processor time is counted rather than the clock's, so that
# a busy machine changes nothing; the clock's bound only ends a case that waits for something, ten times as late.
set -u
cd "$(dirname "$0")/../.." || exit 1
pig=${PIG:-$PWD/build/bin/pig}
SECONDS_MOST=20 MEMORY_MOST=$((1536 << 20))
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
good=0 bad=0

# refused NAME TEXT -- COMMAND...: it ends with status 2 and says TEXT
refused() {
	local name=$1 text=$2 out status
	shift 3
	out=$(cd "$dir" && timeout $((SECONDS_MOST * 10)) prlimit --cpu=$SECONDS_MOST --as=$MEMORY_MOST --core=0 "$@" 2>&1 </dev/null | head -c 20000 | tr -d '\0'
		exit "${PIPESTATUS[0]}")
	status=$?
	if [ $status = 2 ] && [[ $out == *"$text"* ]]; then
		good=$((good + 1)); echo "ok - $name"
	else
		bad=$((bad + 1)); echo "not ok - $name: status $status, wanted 2 and \"$text\"; output:"; head -c 600 <<<"$out" | sed 's/^/    /'
	fi
}
many() { python3 -c 'import sys; sys.stdout.write(sys.argv[1] * int(sys.argv[2]))' "$1" "$2"; }
template() { # NAME TEXT SOURCE
	printf '%s' "$3" >"$dir/t.j2"
	refused "template: $1" "$2" -- "$pig" render t.j2
}
inventory() { # NAME TEXT: ./pigsty.yml, by check and by list
	refused "inventory, check: $1" "$2" -- "$pig" check
	refused "inventory, list: $1" "$2" -- "$pig" inventory list --json
}

# ---- templates: loops ----
template "nested ranges" "t.j2:1:" '{% for i in range(1000000) %}{% for j in range(1000000) %}{{ i }}{% endfor %}{% endfor %}'
template "a nested loop without a body" "more than 10000000 steps" '{% set b = range(1000000) %}{% for i in b %}{% for j in b %}{% endfor %}{% endfor %}'
template "a list that extends itself" "more than 256 MiB of memory" '{% set l = [1] %}{% for i in range(100) %}{{ l.extend(l) }}{% endfor %}'
template "a list that grows" "more than 256 MiB of memory" '{% set l = [] %}{% for i in range(1000000) %}{{ l.append("x" * 100000) }}{% endfor %}'
template "a list that enters itself" "cannot hold itself" '{% set l = [] %}{{ l.append(l) }}'
template "a macro that calls itself" "more than 100 deep" '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}'
template "a macro that calls itself twice" "t.j2:1:" '{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(90) }}'
template "a recursive loop over itself" "more than 100 deep" '{% set l = [1] %}{% for x in l recursive %}{{ loop(l) }}{% endfor %}'
template "a template that includes itself" "more than 100 deep" '{% include "t.j2" %}'
template "a template that extends itself" "more than 100 deep" '{% extends "t.j2" %}'
template "a template that imports itself" "more than 100 deep" '{% import "t.j2" as t %}'
many '{% if 0 %}{{ a | abs }}{% endif %}' 20000 >"$dir/big.j2"
template "a large include in a loop" "memory" '{% for i in range(1000000) %}{% include "big.j2" %}{% endfor %}'
template "hashes in a loop" "t.j2:1:" '{% for i in range(1000000) %}{% set x = "x" | hash("sha512") %}{% endfor %}'
template "hashes of a long text" "t.j2:1:" '{% set s = "x" * 16000000 %}{% for i in range(1000000) %}{% set x = s | hash("sha512") %}{% endfor %}'
template "password hashes" "more than 10000000 steps" '{% for i in range(1000) %}{% set x = "x" | password_hash("sha512") %}{% endfor %}'
template "JMESPath in a loop" "steps" '{% set d = range(1000) | list %}{% for i in range(1000000) %}{% set x = d | json_query("length([])") %}{% endfor %}'
template "comparisons of long texts" "steps" '{% set a = "x" * 16000000 %}{% set b = "x" * 15999999 ~ "y" %}{% for i in range(1000000) %}{{ "" if a < b }}{% endfor %}'
template "items of a long text" "steps" '{% set s = "é" * 8000000 %}{% for i in range(1000000) %}{% set x = s[7999999] %}{% endfor %}'
template "half of a long text in it, from the right" "steps" '{{ ("a" * 16000000).rfind("a" * 8000000) }}'
template "a list that is parsed again and again" "t.j2:1:" '{% set s = "- a\n" * 10000 %}{% for i in range(1000000) %}{% set x = s | from_yaml %}{% endfor %}'
template "every combination" "t.j2:1:" '{{ range(1000) | product(range(1000), range(1000)) | list | length }}'
template "lists of lists of lists" "too large" '{% set n = namespace(a=[1]) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a | to_json }}'
template "a list nested 100,000 deep" "nested too deep" '{% set n = namespace(a=[1]) %}{% for i in range(100000) %}{% set n.a = [n.a] %}{% endfor %}{{ n.a | to_json }}'

# ---- templates: strings ----
template "'x' * 10**9" "too large" "{{ 'x' * 10 ** 9 }}"
template "doubling" "16 MiB" "{% set n = namespace(a='x') %}{% for i in range(99) %}{% set n.a = n.a ~ n.a %}{% endfor %}"
template "ljust" "16 MiB" "{{ 'x'.ljust(1000000000) }}"
template "rjust" "16 MiB" "{{ 'x'.rjust(10 ** 18) }}"
template "center" "16 MiB" "{{ 'x' | center(1000000000) }}"
template "zfill" "16 MiB" "{{ 'x'.zfill(1000000000) }}"
template "join" "16 MiB" "{{ (['x' * 1000000] * 1000000) | join(',') }}"
template "replace" "16 MiB" "{{ ('a' * 1000000) | replace('a', 'b' * 1000000) }}"
template "regex_replace" "16 MiB" "{{ ('a' * 1000000) | regex_replace('a', 'b' * 1000) }}"
template "indent" "16 MiB" "{{ ('a\n' * 1000000) | indent(10000) }}"
template "expandtabs" "not allowed" '{{ "\t".expandtabs(1000000000) }}'
template "wordwrap" "16 MiB" "{{ ('a' * 1000000) | wordwrap(1, true, 'x' * 1000000) }}"
template "comment" "16 MiB" "{{ 'a' | comment(prefix_count=1000000000) }}"
template "a wide number by %" "t.j2:1:" "{{ '%1000000000d' % 1 }}"
template "a wide number by format" "t.j2:1:" "{{ '{:1000000000}'.format(1) }}"
template "many digits" "t.j2:1:" "{{ '%.1000000000f' % 1.5 }}"
template "JSON of long texts" "too large" "{{ (['x' * 1000000] * 1000000) | to_json }}"
template "JSON far indented" "indent is 0 to 64" "{{ [[1]] | to_json(indent=1000000) }}"
template "YAML of long texts" "too large" "{{ (['x' * 1000000] * 1000000) | to_yaml }}"
template "a long list" "too large" "{{ ([1] * 10 ** 9) | length }}"
template "a long range" "million" "{{ range(10 ** 15) | length }}"
template "a large power" "64 bits" "{{ 9 ** 9999999999 }}"
template "characters of a long text" "memory" "{{ ('x' * 16000000) | list | length }}"
template "sorting long texts" "t.j2:1:" "{% set a = 'x' * 1000000 %}{{ ([a ~ 'a', a ~ 'b'] * 100000) | sort | length }}"

# ---- regular expressions ----
template "a repetition of repetitions" "takes too long" "{{ ('a' * 40 ~ 'c') | regex_search('^(a+)+\$') }}"
template "alternatives that overlap" "takes too long" "{{ ('a' * 60 ~ 'c') | regex_replace('^(a|aa)+\$', '') }}"
template "the square of the text" "takes too long" "{{ ('a' * 16000000) | regex_search('a*b|a*c') }}"
template "blanks at the end" "takes too long" "{{ (' ' * 8000000 ~ 'x') | regex_replace('\\\\s+\$', '') }}"
template "looking ahead at each place" "takes too long" "{{ ('a' * 16000000) | regex_search('(?:(?=a*b)?a)*x') }}"
template "a regex in a loop" "t.j2:1:" "{% set s = 'a' * 14 ~ 'c' %}{% for i in range(1000000) %}{% set x = s | regex_search('^(a+)+\$') %}{% endfor %}"
template "a new regex each time" "t.j2:1:" "{% for i in range(1000000) %}{% set x = 'ab' | regex_search('b' ~ i) %}{% endfor %}"
template "a regex of a megabyte" "longer than 64 KiB" "{{ 'a' | regex_search('a' * 1000000) }}"
template "a regex as a test" "takes too long" "{{ ('a' * 40 ~ 'c') is match('(a+)+\$') }}"

# ---- templates: nesting and size ----
template "100,000 brackets" "too deep" "{{ $(many '(' 100000)1$(many ')' 100000) }}"
template "100,000 statements" "too deep" "$(many '{% if 1 %}' 100000)"
template "100,000 signs" "too deep" "{{ $(many '-' 100000)1 }}"
template "100,000 sums" "too deep" "{{ 1$(many '+1' 100000) }}"
template "100,000 members" "too deep" "{{ x$(many .a 100000) }}"
template "100,000 filters" "too deep" "{{ 1$(many '|abs' 100000) }}"
template "100,000 conditions" "too deep" "{{ $(many '1 if 1 else ' 100000)1 }}"
template "100,000 lists" "too deep" "{{ $(many '[' 100000) }}"
python3 -c 'print("".join("{%% block b%d %%}{%% endblock %%}" % i for i in range(100000)))' >"$dir/t.j2"
refused "template: 100,000 blocks" "more than 2000 blocks" -- "$pig" render t.j2
python3 -c 'print("".join("{%% set a%d = 1 %%}" % i for i in range(200000)))' >"$dir/t.j2"
refused "template: 200,000 names" "steps" -- "$pig" render t.j2
many x 17000000 >"$dir/t.j2"
refused "template: 17 MB" "16 MiB" -- "$pig" render t.j2
many '{' 10000000 >"$dir/t.j2"
refused "template: 10 MB of {" "t.j2:1:" -- "$pig" render t.j2
printf 'a\n{{ b\0c }}' >"$dir/t.j2"
refused "template: a NUL in an expression" "t.j2:2:" -- "$pig" render t.j2
printf 'a\n{{ b\xff\xfe }}' >"$dir/t.j2"
refused "template: no UTF-8 in an expression" "t.j2:2:" -- "$pig" render t.j2

# ---- YAML ----
bomb() { # LEVELS
	python3 -c '
import sys
print("all:\n  vars:\n    a0: &a0 [x, x, x, x, x, x, x, x, x, x]")
for i in range(int(sys.argv[1])): print("    a%d: &a%d [%s]" % (i + 1, i + 1, ", ".join(["*a%d" % i] * 10)))' "$1"
}
bomb 9 >"$dir/pigsty.yml"
inventory "an alias bomb" "behind aliases"
python3 -c '
print("all:\n  vars:\n    a0: &a0 {k0: 1}")
for i in range(60): print("    a%d: &a%d {<<: [*a%d, *a%d], k%d: 1}" % (i + 1, i + 1, i, i, i + 1))
print("    b: &b [%s]" % ", ".join(["*a60"] * 100)); print("    c: &c [%s]" % ", ".join(["*b"] * 1000)); print("    d: [%s]" % ", ".join(["*c"] * 1000))' >"$dir/pigsty.yml"
inventory "merges of merges" "pigsty.yml:"
printf 'all: &a {vars: {x: *a}}\n' >"$dir/pigsty.yml"
inventory "an alias inside its own anchor" "inside its own anchor"
python3 -c 'print("all: {vars: {a: &a x, b: [%s]}}" % ",".join(["*a"] * 20000))' >"$dir/pigsty.yml"
inventory "20,000 aliases" "uses of aliases"
many '[' 10000000 >"$dir/pigsty.yml"
inventory "10 MB of [" "deep"
many '{a: ' 2500000 >"$dir/pigsty.yml"
inventory "10 MB of {a:" "deep"
many '- ' 5000000 >"$dir/pigsty.yml"
inventory "10 MB of lists in lists" "deep"
many '? ' 5000000 >"$dir/pigsty.yml"
inventory "10 MB of keys of keys" "pigsty.yml:"
python3 -c 'print("all: {vars: {"); print("".join("a: 1,\n" for i in range(1000000)))' >"$dir/pigsty.yml"
inventory "one key a million times" "written twice"
printf 'all:\n  vars:\n    a: "x\0y"\n' >"$dir/pigsty.yml"
inventory "a NUL byte" "pigsty.yml:3:"
printf 'all:\n  vars:\n    a: "x\xff\xfey"\n' >"$dir/pigsty.yml"
inventory "no UTF-8" "pigsty.yml:3:"
printf 'all:\n  vars:\n    a: "\\ud800"\n' >"$dir/pigsty.yml"
inventory "half a surrogate pair" "pigsty.yml:3:"
printf 'all: {vars: {a: "%s' "$(many '\x41' 1000000)" >"$dir/pigsty.yml"
inventory "a string without an end" "pigsty.yml:"
head -c 70000000 /dev/zero | tr '\0' a >"$dir/pigsty.yml"
inventory "70 MB" "larger than 67108864 bytes"

# ---- values of the inventory that are templates ----
vars() { # YAML lines of vars
	printf 'all:\n  hosts: { h1: }\n  vars:\n' >"$dir/pigsty.yml"
	sed 's/^/    /' >>"$dir/pigsty.yml"
}
vars <<'YAML'
node_tune: "{{ node_repo_modules }}"
node_repo_modules: "{{ node_tune }}"
YAML
refused "value: two that ask for each other" "pigsty.yml:" -- "$pig" check
vars <<'YAML'
node_tune: "{% for i in range(1000000) %}{% for j in range(1000000) %}{{ i }}{% endfor %}{% endfor %}"
YAML
refused "value: nested ranges" "pigsty.yml:4:" -- "$pig" check
vars <<'YAML'
node_tune: "{{ ('a' * 40 ~ 'c') | regex_search('^(a+)+$') }}"
YAML
refused "value: a catastrophic regex" "takes too long" -- "$pig" check

# ---- INI ----
printf '[g]\nh[1:100000000].x\n' >"$dir/hosts"
refused "INI: a range of 100 million" "hosts:2" -- "$pig" inventory list --json -i hosts
printf '[g]\nh[1:1000][1:1000][1:1000]\n' >"$dir/hosts"
refused "INI: a range of ranges" "hosts:2" -- "$pig" inventory list --json -i hosts
printf '[a:children]\nb\n[b:children]\na\n' >"$dir/hosts"
refused "INI: groups inside each other" "hosts:" -- "$pig" inventory list --json -i hosts

# ---- patterns ----
printf 'all: { hosts: { %s: , h2: } }\n' "$(many a 40)c" >"$dir/pigsty.yml"
refused "pattern: a repetition of repetitions" "takes too long" -- "$pig" inventory list --json -l '~^(a+)+$'
refused "pattern: a bad regex" "no regular expression" -- "$pig" inventory list --json -l '~(('
refused "pattern: a range of a billion" "" -- "$pig" inventory list --json -l 'x[1:1000000000]'
refused "pattern: a megabyte" "" -- "$pig" inventory list --json -l "$(many 'a:' 50000)"

# ---- JSON and JMESPath ----
many '[' 10000000 >"$dir/d.json"
refused "JSON: 10 MB of [" "deep" -- "$pig" query @ d.json
many '{"a":' 2000000 >"$dir/d.json"
refused "JSON: 10 MB of objects" "deep" -- "$pig" query @ d.json
printf '{"a": "x\0y"}' >"$dir/d.json"
refused "JSON: a NUL byte" "d.json:1:" -- "$pig" query @ d.json
printf '["\xff\xfe"]' >"$dir/d.json"
refused "JSON: no UTF-8" "d.json:1:" -- "$pig" query @ d.json
bomb 9 >"$dir/d.yml"
refused "YAML: an alias bomb by query" "behind aliases" -- "$pig" query @ d.yml
python3 -c 'print("[" + "1," * 100000 + "1]")' >"$dir/d.json"
refused "JMESPath: the square of a list" "steps" -- "$pig" query "[?contains(\`$(python3 -c 'print(list(range(2, 10000)))')\`, @)]" d.json
refused "JMESPath: doubling into text" "too large" -- "$pig" query "$(many '[@,@]|' 60)to_string(@)" d.json
refused "JMESPath: doubling" "too large" -- "$pig" query "$(many '[@,@]|' 60)@" d.json
refused "JMESPath: 100,000 brackets" "deep" -- "$pig" query "$(many '(' 60000)" d.json
refused "JMESPath: 100,000 negations" "deep" -- "$pig" query "$(many '!' 60000)a" d.json
refused "JMESPath: 100,000 pipes" "deep" -- "$pig" query "$(many '@|' 50000)@" d.json

# ---- vault ----
printf 'secret\n' >"$dir/pw"
printf '$ANSIBLE_VAULT;1.1;AES256\n%s\n' "$(many 61 5000000)" >"$dir/v.yml"
refused "vault: a long envelope of nothing" "v.yml" -- "$pig" vault view v.yml --vault-password-file pw
printf '$ANSIBLE_VAULT;1.1;AES256\n6162' >"$dir/v.yml"
refused "vault: cut short" "v.yml" -- "$pig" vault view v.yml --vault-password-file pw
printf '$ANSIBLE_VAULT;1.2;AES256;%s\n6162\n' "$(many x 1000000)" >"$dir/v.yml"
refused "vault: an id of a megabyte" "v.yml" -- "$pig" vault view v.yml --vault-password-file pw
{ printf '$ANSIBLE_VAULT;1.1;AES256\n'; printf '%s\n' "$(many 'zz' 40)"; } >"$dir/v.yml"
refused "vault: no hex digits" "v.yml" -- "$pig" vault view v.yml --vault-password-file pw
printf '$ANSIBLE_VAULT;1.1;AES256\n61\0062' >"$dir/v.yml"
refused "vault: a NUL byte" "v.yml" -- "$pig" vault view v.yml --vault-password-file pw
python3 -c '
import binascii
t = b"61\n62\n63"
for i in range(14): t = b"$ANSIBLE_VAULT;1.1;AES256\n" + binascii.hexlify(t)
print(t.decode())' >"$dir/v.yml"
refused "vault: envelopes in envelopes" "v.yml" -- "$pig" vault view v.yml --vault-password-file pw

echo "$good passed, $bad failed"
[ $bad = 0 ] && [ $good -gt 0 ]
