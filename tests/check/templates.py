#!/usr/bin/env python3
"""templates.py PIG PLUGINS [TABLE]: an inventory in the spirit of every known template: its hosts, groups and the values that the table
gives. Each checks without error and without a warning but those about passwords. Skips itself (77) where the table is not at hand."""
import json, os, re, subprocess, sys, tempfile

ROLES = {"pg": "pg_cluster pg_seq", "etcd": "etcd_cluster etcd_seq", "infra": "- infra_seq", "minio": "minio_cluster minio_seq",
         "kf": "kafka_cluster kafka_seq", "my": "mysql_cluster mysql_seq"}
SKETCH = {"ha/citus": "its clusters are named on the hosts, which the table does not tell"}
NAMED = {"pg_users", "pg_databases", "pg_default_extensions"}


def split(text, at):
    """At separators outside of brackets and quotes."""
    out, depth, quoted, last = [], 0, False, 0
    for i, ch in enumerate(text):
        if ch == '"' and text[i - 1] != "\\":
            quoted = not quoted
        if not quoted:
            depth += (ch in "[{<(") - (ch in "]}>)")
            if depth == 0 and text.startswith(at, i):
                out.append(text[last:i])
                last = i + len(at)
    return [x.strip() for x in out + [text[last:]] if x.strip()]


def value(name, text):
    """The value, or None where the table has no more than a sketch of it."""
    try:
        v = json.loads(text)
        return None if isinstance(v, str) and (name in NAMED or v.startswith("(")) else v
    except ValueError:
        pass
    if name in NAMED and re.fullmatch(r"\[[\w ,.-]+\]", text):
        return [{"name": n.strip()} for n in text[1:-1].split(",")]
    return None


def values(text):
    """Plain values, and those that differ by host."""
    plain, by_host = {}, {}
    for item in split(text, ";"):
        name, _, v = item.partition("=")
        parts = split(v, "/") if re.fullmatch(r'("\w+"|\d+)(/("\w+"|\d+))+', v) else [v]
        if len(parts) > 1:
            by_host[name] = [value(name, p) for p in parts]
        elif (x := value(name, v)) is not None:
            plain[name] = x
    return plain, by_host


def inventory(row):
    name, _, hosts, groups, _, _, glob, per_group = row
    hosts, taken, children = hosts.split(","), {}, {}
    given = {}
    for item in split(per_group, "|"):
        m = re.match(r"([\w.-]+)\{(.*)\}$", item)
        if m:
            given[m[1]] = values(m[2])
    for g in groups.split(","):
        group, n = g.rsplit(":", 1)
        family = group.split("-")[0] if group != "pgsql" else "pg"
        at = taken.get(family, 0) if family in ("pg", "redis", "kf", "my") else 0
        mine = (hosts * 2)[at:at + int(n)]
        taken[family] = at + int(n)
        plain, by_host = given.get(group, ({}, {}))
        plain = dict(plain)
        own = {h: {k: v[i] for k, v in by_host.items() if i < len(v)} for i, h in enumerate(mine)}
        for k in [k for k in plain if k in ("pg_role", "minio_seq", "vip_role")]:
            own[mine[0]][k] = plain.pop(k)
        if family in ROLES:
            cluster, seq = ROLES[family].split()
            if cluster != "-":
                plain.setdefault(cluster, group)
            for i, h in enumerate(mine):
                own[h].setdefault(seq, i + 1)
                if family == "pg":
                    own[h].setdefault("pg_role", "replica" if i else "primary")
        children[group] = {"hosts": own, "vars": plain}
    top = values(glob)[0]
    top.setdefault("admin_ip", hosts[0])
    return {"all": {"children": children, "vars": top}}


def main():
    pig, plugins = sys.argv[1:3]
    table = sys.argv[3] if len(sys.argv) > 3 else ""
    if not os.path.exists(table):
        print("skipped: the table of templates is not at hand")
        return 77
    good = bad = 0
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "pigsty.yml")
        for line in open(table, encoding="utf-8").read().splitlines()[1:]:
            row = line.split("\t")
            if row[0] in SKETCH:
                continue
            with open(path, "w", encoding="utf-8") as f:
                json.dump(inventory(row), f, indent=1)
            p = subprocess.run([pig, "check", "-i", path, "--plugin-dir", plugins, "--json"], capture_output=True)
            try:
                faults = json.loads(p.stdout)["faults"]
            except ValueError:
                faults = [{"severity": "error", "id": "none", "line": 0, "message": p.stderr.decode()}]
            left = [f for f in faults if f["severity"] != "note" and f["id"] not in ("default-secret", "secret")]
            good += not left
            bad += bool(left)
            for f in left:
                print(f'{row[0]}: {f["line"]}: {f["severity"]} {f["id"]}: {f["message"]}')
    print(f"{good} passed, {bad} failed")
    return 1 if bad or good < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
