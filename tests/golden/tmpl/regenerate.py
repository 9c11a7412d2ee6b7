#!/usr/bin/python3
"""Writes each *.out here with stock Jinja2 and Ansible's filters, as Ansible's template module would. Run it after changing a template."""
import glob
import os
import sys

import yaml

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "..", "differential"))
import templates  # noqa: E402

with open(os.path.join(here, "vars.yml"), encoding="utf-8") as f:
    variables = yaml.safe_load(f)
env = templates.environment()
for path in sorted(glob.glob(os.path.join(here, "*.j2"))):
    with open(path, encoding="utf-8") as f:
        source = f.read()
    with open(path[:-3] + ".out", "w", encoding="utf-8") as f:
        f.write(templates.newlines_kept(source, env.from_string(source).render(**variables)))
