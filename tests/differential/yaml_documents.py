#!/usr/bin/python3
"""Compares the YAML reader with PyYAML's safe_load, by `pig query @`.

    yaml_documents.py --pig bin/pig [--documents 3000] [--seed 1]

Documents are made by a grammar from a seed: scalars of every look YAML 1.1 knows, in every style, lists and maps in block and flow
style, anchors, aliases, merges, comments; a third of them with one piece taken out, doubled or swapped. All go through one run, as a
stream for each; a difference is a failure unless a row of INTENDED explains it, with its reason.
Exit status 77 (skipped) when PyYAML is not installed for this Python.
"""
import argparse
import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile

try:
    import yaml
except ImportError as e:  # pragma: no cover
    print("skipped: %s" % e)
    sys.exit(77)

SCALARS = """
yes no Yes NO on off On OFF true false True FALSE y n Y N null Null NULL ~ nil none None
0 1 -1 +1 10 010 0o10 08 09 007 0x1F 0X1F -0x10 0b101 0b2 1_000 1__0 _1 1_ 0_1 0x_1 0b_1 -0 +0 00 18446744073709551616 9223372036854775807
-9223372036854775808 9223372036854775808 1.0 1. .5 -.5 +.5 1e3 1.0e3 1.0e+3 1.5E-3 1e+3 .1e+2 1_0.5 1.5_0 . .. ... -.inf .inf .Inf .INF .iNF +.inf .nan .NaN .NAN
1:30 12:30:00 190:20:30 1:60 -1:30 1:30.5 190:20:30.15 2001-12-14 2001-12-14t21:59:43.10-05:00 2001-12-14T00:00:00Z 2001-1-1 2001-13-01 20011214 2001-12-14 21:59:43
a b a-b a.b a/b a:b a#b 10.10.10.10 10.10.10.10/24 ::1 fe80::1 -a --a -1a 1a 1.2.3 v1 @a `a % a %a = << <<a > | !a & * ? - : , [ ] { } " ' é ü😀 a\\b {{x}} ${x} *.conf
""".split()

# (what the case matches, why we differ on purpose)
INTENDED = [
    (lambda s, o, t: "error" in o and "is written twice" in o["error"], "a key that is written twice is an error with both places"),
    (lambda s, o, t: "error" in o and "merge" in o["error"].lower() and "ok" in t, "what << merges is a map or a list of maps"),
    (lambda s, o, t: "error" in o and re.search(r"key (is|must be|cannot)|is no key|as a key|a key must", o["error"]), "keys are scalars"),
    (lambda s, o, t: "error" in o and "did not find expected ',' or" in o["error"] and re.search(r"[\[{,]\s*\?", s), "libyaml wants a key after \"?\" in a flow list"),
    (lambda s, o, t: "error" in o and "found unexpected ':'" in o["error"], "libyaml wants a blank after a colon in flow lists and maps"),
    (lambda s, o, t: "error" in o and "inside its own anchor" in o["error"], "a value that holds itself is an error"),
    (lambda s, o, t: "error" in t and "unhashable" in t["error"], "keys that are lists or maps are refused on both sides, at another point"),
    (lambda s, o, t: "error" in t and re.search("could not determine a constructor|day is out of range|month must be", t["error"]), "dates are text, whatever they say"),
]


class Gen:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.anchors = 0

    def one(self, *options):
        return self.r.choice(options)

    def scalar(self):
        s = self.one(*SCALARS)
        return self.one(s, s, s, s, s, "'%s'" % s.replace("'", "''"), json.dumps(s, ensure_ascii=False), "!!str %s" % s, s + " " + self.one(*SCALARS), s + " # c", "")

    def flow(self, d):
        if d <= 0:
            return self.scalar()
        kids = [self.flow(d - 1) for _ in range(self.r.randint(0, 3))]
        if self.r.random() < .5:
            return "[%s%s]" % (self.one(", ", ",").join(kids), self.one("", "", ","))
        return "{%s}" % ", ".join("%s: %s" % (self.one("k%d" % i, "k%d" % i, '"q%d"' % i, self.one(*SCALARS)), k) for i, k in enumerate(kids))

    def block(self, d, pad):
        pick = self.r.random()
        if d <= 0 or pick < .25:
            return self.one(self.scalar, self.scalar, lambda: self.flow(2))() + "\n"
        if pick < .35:
            head = self.one("|", ">", "|-", ">-", "|+", ">+", "|2", ">1")
            return head + "\n" + "".join(self.one("%s  %s\n" % (pad, self.one("x y", "z", " more", "- a", "a: b", "# c")), "\n", "%s  w\n" % pad) for _ in range(self.r.randint(1, 4)))
        if pick < .65:
            inner = pad + self.one("  ", "", "    ")
            return "\n" + "".join("%s-%s%s" % (inner, self.one(" ", " ", "   "), self.block(d - 1, inner + "  ")) for _ in range(self.r.randint(1, 3)))
        inner = pad + self.one("  ", "  ", " ")
        out = "\n"
        for i in range(self.r.randint(1, 3)):
            anchor = ""
            if self.r.random() < .15:
                self.anchors += 1
                anchor = "&a%d " % self.anchors
            value = self.block(d - 1, inner)
            if self.anchors and self.r.random() < .15:
                anchor, value = "", "*a%d\n" % self.r.randint(1, self.anchors)
            key = self.one("k%d" % i, "k%d" % i, "'k %d'" % i, self.one(*SCALARS), "<<" if "*" in value[:1] else "m%d" % i)
            out += "%s%s:%s%s%s" % (inner, key, self.one(" ", " ", "  "), anchor, value)
            if self.r.random() < .1:
                out += self.one("\n", "# c\n", inner + "# c\n")
        return out

    def document(self):
        self.anchors = 0
        s = self.block(3, "").lstrip("\n") if self.r.random() < .8 else self.flow(3)
        if self.r.random() < .3:
            parts = re.findall(r"\w+|\s+|.", s)
            if parts:
                at = self.r.randrange(len(parts))
                self.one(lambda: parts.pop(at), lambda: parts.insert(at, parts[at]), lambda: parts.insert(at, self.one(*parts)))()
            s = "".join(parts)
        return s


class Loader(yaml.SafeLoader):
    """safe_load, but for dates and sexagesimal numbers: text, as a parameter wants them."""


def text_if(pattern, tag, base):
    def construct(loader, node):
        if pattern.search(node.value):
            return node.value
        return base(loader, node)
    Loader.add_constructor(tag, construct)


text_if(re.compile(":"), "tag:yaml.org,2002:int", yaml.SafeLoader.construct_yaml_int)
text_if(re.compile(":"), "tag:yaml.org,2002:float", yaml.SafeLoader.construct_yaml_float)
text_if(re.compile(""), "tag:yaml.org,2002:timestamp", yaml.SafeLoader.construct_yaml_timestamp)


def theirs(text):
    try:
        return {"ok": yaml.load(text, Loader)}
    except RecursionError:
        raise
    except Exception as e:  # whatever the reference raises is its answer
        return {"error": "%s: %s" % (type(e).__name__, str(e)[:200])}


def same(x, y):
    if isinstance(x, float) and isinstance(y, float):
        return x == y or (math.isnan(x) and math.isnan(y))
    if type(x) is not type(y):
        return False
    if isinstance(x, list):
        return len(x) == len(y) and all(same(a, b) for a, b in zip(x, y))
    if isinstance(x, dict):  # ours are the keys as written: 1 and 1.0 are two, and one there
        text = {k: v for k, v in y.items() if isinstance(k, str)}
        return (len(x) == len(y) or len(x) > len(y) > len(text)) and all(k in x and same(x[k], v) for k, v in text.items())
    return x == y


def ours(pig, texts, folder):
    """One file a document, several a run would hide which one failed; eight runs at a time."""
    out = []
    for begin in range(0, len(texts), 8):
        runs = []
        for i, text in enumerate(texts[begin:begin + 8]):
            name = os.path.join(folder, "d%d.yml" % i)
            with open(name, "w", encoding="utf-8") as f:
                f.write(text)
            runs.append(subprocess.Popen([pig, "query", "@", name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"))
        for p in runs:
            said, why = p.communicate()
            out.append({"ok": json.loads(said)} if p.returncode == 0 else {"error": why.strip()})
            if p.returncode not in (0, 2):
                out[-1] = {"died": p.returncode}
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--pig", required=True)
    ap.add_argument("--documents", type=int, default=3000)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--show", type=int, default=30)
    args = ap.parse_args()
    gen = Gen(args.seed)
    texts = ["a: %s" % s for s in SCALARS] + ["- %s\n- [%s]" % (s, s) for s in SCALARS] + ["%s: 1" % s for s in SCALARS]
    texts += [gen.document() for _ in range(args.documents)]
    # JSON is tried first on what looks like it; a comment before makes it YAML
    texts = ["# c\n" + t for t in texts if not re.search(r"^(---|\.\.\.|%)", t, re.M)]
    counts, intended = {"same": 0, "both": 0, "differ": 0}, {}
    with tempfile.TemporaryDirectory() as folder:
        answers = ours(args.pig, texts, folder)
    for text, o in zip(texts, answers):
        t = theirs(text)
        if "ok" in o and "ok" in t and same(o["ok"], t["ok"]):
            counts["same"] += 1
            continue
        if "error" in o and "error" in t:
            counts["both"] += 1
            continue
        why = next((why for match, why in INTENDED if match(text, o, t)), None)
        if why:
            intended[why] = intended.get(why, 0) + 1
            continue
        counts["differ"] += 1
        if counts["differ"] <= args.show:
            print("%r\n  ours   %s\n  theirs %s" % (text, str(o)[:250], str(t)[:250]))
    print("%d documents: %d same, %d errors on both sides, %d intended differences, %d differences" %
          (len(texts), counts["same"], counts["both"], sum(intended.values()), counts["differ"]))
    for why, n in sorted(intended.items()):
        print("  %5d  %s" % (n, why))
    print("%d passed, %d failed" % (len(texts) - counts["differ"], counts["differ"]))
    return 1 if counts["differ"] else 0


if __name__ == "__main__":
    sys.exit(main())
