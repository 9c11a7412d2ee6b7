#!/bin/bash
# seeds.sh FOLDER: a first corpus for each fuzzer, from the inventories, templates and expressions of this tree.
set -eu
out=$1
cd "$(dirname "$0")/../.."
put() { # FUZZER FILE...: copies that are not too large
	local to=$out/$1 f
	shift
	mkdir -p "$to"
	for f in "$@"; do
		[ -f "$f" ] && [ "$(stat -c %s "$f")" -le 8192 ] && cp "$f" "$to/$(sha1sum <"$f" | cut -c1-16)"
	done
	return 0
}
lines() { # FUZZER: each line of standard input is a seed
	local to=$out/$1 line
	mkdir -p "$to"
	while IFS= read -r line; do printf '%b' "$line" >"$to/$(sha1sum <<<"$line" | cut -c1-16)"; done
}
put yaml conf/*.yml tests/check/cases/*.yml tests/plan/*/*.yml tests/golden/tmpl/vars.yml
put ini conf/*.yml tests/check/cases/*.yml
put tmpl tests/golden/tmpl/*.j2 plugins/*/templates/*
lines yaml <<'END'
a: &x {b: 1}\nc: {<<: *x, d: 2}\n
- !unsafe "{{ x }}"\n- !!int "7"\n- !!float 1\n- ~\n- 0o17\n- 1_000\n- 12:30:00\n- 2001-01-01\n
? a\n: b\n? [1, 2]\n: x\n
a: |\n  one\n   two\n\nb: >-\n  folded\n  text\n
--- # c\na: 1\n...\n---\nb: 2\n
"a\\tb\\u00e9\\x41": 'it''s'\n
!!set {a, b}\n
v: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n
END
lines ini <<'END'
[web]\nw[1:3].x a=1 b="two words"\n[web:vars]\nc = [1, 'x', None]\n[site:children]\nweb\n
h1:2222 ansible_host=10.0.0.1 # c\n[db]\nd[a:c]\n; note\n
[g:vars]\na={'k': (1, 2.5, True), 'l': r'\\d'}\nb=0x1f\nc=u'q'\n
all: { hosts: { a: , n[01:05:2]: }, children: { g: { vars: { x: 1 } } } }\n
$ANSIBLE_VAULT;1.1;AES256\n6162\n
END
lines pattern <<'END'
web:db
web:&prod:!w2
~w[12]
w*,d?
site[0],site[1:],site[-1]
n[01:20:2].x
fe80::1
a=1 b="{{ x }}" c='d e'
{"a": [1, {"b": null}]}
END
lines expr <<'END'
l | map('int') | select('>', 1) | list
d.b.c[0] + i ** 2 // 3 % 4
u | selectattr('name', 'match', '^b') | map(attribute='age') | sum
s | regex_replace('(w)(.)', '\\\\2\\\\1') | upper ~ 'x'
s[1:-1:2] if t and not n else e
{'a': [1, (2, 3)], "b": {}} | dict2items | to_json
i is divisibleby 7 and s is search('h') or l is subset([1,2,3])
'%-8s|%03d|%.2f' | format(s, i, f)
u | groupby('name') | sort(reverse=true) | first
d | json_query('b.c[?@ > `1`]')
s | password_hash('sha512', 'salt', 8, 1000) | length
l | combine({}) 
(1 < i <= 7) is sameas true
END
lines jmes <<'END'
u[?n == 'a'].v | [0]
a.b[::-1]
sort_by(u, &v)[*].{n: n, l: length(t)}
`[1, "x", null]` | max_by(@, &to_number(@))
u[].t[] || s && !a
map(&v, u) | sum(@)
"a"."b"[1:3:1] | to_string(@)
join(',', keys(merge(a, {x: s})))
reverse(s) == 'x' || contains(s, 'w')
END
lines vault <<'END'
$ANSIBLE_VAULT;1.2;AES256;dev\n34613839656232666264323734316665306666636464336462333730316564333339313165356437\n6266356665316533636461383538323035326665373036390a363536336638653239626438346466\n33373734353965363936343632666539636466356161386266663834613531393730393365623137\n3534656561376438610a353438363539626530373536663166623461653531633836666439336661\n3931\n
$ANSIBLE_VAULT;1.1;AES256\n6162\n
s plain text to seal
END
lines json <<'END'
{"a": [1, -2.5e3, true, null, "\\u00e9\\ud83d\\ude00\\n"], "b": {}}
[[[[]]]]
END
