#!/usr/bin/python3
"""tmpl.py TIMES VARS.yml TEMPLATE...: as bench_tmpl, by stock Jinja2 with its templates compiled before."""
import os
import sys
import time

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "differential"))
import templates  # noqa: E402

with open(sys.argv[2], encoding="utf-8") as f:
    variables = yaml.load(f, Loader=yaml.CSafeLoader)
env = templates.environment()
compiled = []
for path in sys.argv[3:]:
    with open(path, encoding="utf-8") as f:
        compiled.append(env.from_string(f.read()))
start = time.process_time()
for _ in range(int(sys.argv[1])):
    for template in compiled:
        template.render(**variables)
print(int((time.process_time() - start) * 1000))
