#!/usr/bin/env python3
"""table.py PIG PLUGINS [TABLE]: every row of the reference table against the rows that modules register: name, type,
level, default, choices. What differs on purpose stands in the tables below with its reason. Skips itself (77), saying
so, where the table is not at hand."""
import json, os, re, subprocess, sys

# Modules of the table that have rows here. Others are named by the modules' .others and have none.
MODULES = {"INFRA", "REPO", "NODE", "PGSQL", "ETCD", "MINIO"}

TYPES = {  # type of the table -> (type here, form or None for "any")
    "bool": ("bool", None), "int": ("int", None), "float": ("float", None), "port": ("int", "port"),
    "string": ("string", None), "path": ("string", "path"), "ip": ("string", "ip"), "cidr": ("string", "cidr"),
    "interval": ("string", "interval"), "size": ("string", "size"), "enum": ("enum", None), "url": ("string", None),
    "username": ("string", None), "password": ("string", None), "email": ("string", None), "arg": ("string", None),
    "object": ("map", None), "int|'auto'": ("string", None), "string(ip list)": ("string", None),
}
LEVELS = {"G": "global", "C": "cluster", "I": "instance", "A": "command line"}

# name -> {column: reason}
OFTEN = "clusters of one inventory may have different ones"
INTENDED = {
    "ca_create": {"default": "the earlier ca_method decides where it is written"},
    "node_cluster": {"default": "worked out: the PostgreSQL cluster's name first, as the table says in words"},
    "node_default_packages": {"default": "the list of the OS has a name"},
    "etcd_cluster": {"default": "a host without etcd_seq is no member"},
    "minio_cluster": {"default": "a host without minio_seq is no member"},
    "pg_upstream": {"form": "a host's name is taken, too"},
    "pg_replication_username": {"level": OFTEN}, "pg_replication_password": {"level": OFTEN},
    "pg_admin_username": {"level": OFTEN}, "pg_admin_password": {"level": OFTEN},
    "pg_monitor_username": {"level": OFTEN}, "pg_monitor_password": {"level": OFTEN},
    "patroni_ssl_enabled": {"level": OFTEN},
    "pg_conf": {"type": "a template of one's own may be named", "choices": "the same"},
    "pg_rto": {"type": "seconds and plans of one's own, too", "choices": "the same"},
    "pgbackrest_method": {"type": "any key of pgbackrest_repo", "choices": "the same"},
    "pg_dns_target": {"type": "an address, too", "choices": "the same"},
    "pg_default_hba_rules": {"default": "+dbrole_offline gets in where offline queries may go, and nowhere else"},
    "pg_pitr": {"level": "one member may be taken back on its own"},
    "pg_vip_address": {"form": "a rule asks for the mask, too"},
}


def narrowest(level):
    """The narrowest place a value may stand in; the command line may always set one."""
    places = [x for x in level.split("/") if x != "A"] or ["A"]
    return LEVELS[max(places, key="GCIA".index)]


def yaml_of(text):
    import yaml
    return yaml.safe_load(text)


def plain(v):
    """Free text and layout aside."""
    if isinstance(v, dict):
        return {k: plain(x) for k, x in sorted(v.items())}
    if isinstance(v, list):
        return [plain(x) for x in v]
    if isinstance(v, str):
        return re.sub(r"\s+", " ", v)
    return v


def main():
    pig, plugins = sys.argv[1:3]
    table = sys.argv[3] if len(sys.argv) > 3 else ""
    if not os.path.exists(table):
        print("skipped: the reference table is not at hand")
        return 77
    out = subprocess.run([pig, "doc", "param", "--json", "--plugin-dir", plugins], check=True, capture_output=True)
    rows = {r["name"]: r for r in json.loads(out.stdout)}
    good, bad, used = 0, 0, set()
    for line in open(table, encoding="utf-8").read().splitlines()[1:]:
        module, section, name, typ, level, dflt, required, enum, _ = line.split("\t")
        if module not in MODULES:
            continue
        faults = {}
        row = rows.get(name)
        if row is None:
            faults["name"] = "not registered"
        else:
            want, form = ("list", None) if typ.startswith("array<") else TYPES[typ]
            if row["type"] != want:
                faults["type"] = f'{row["type"]}, the table has {typ}'
            elif form and row.get("form") != form:
                faults["form"] = f'{row.get("form")}, the table has {typ}'
            if row["level"] != narrowest(level):
                faults["level"] = f'{row["level"]}, the table has {level}'
            have = row.get("default")
            have = yaml_of(have) if have is not None and not have.startswith("{{") else have
            if plain(have) != plain(json.loads(dflt)):
                faults["default"] = f'{str(have)[:300]}, the table has {dflt[:300]}'
            if typ == "enum" and sorted(row.get("choices", "").split("|")) != sorted(enum.split(",")):
                faults["choices"] = f'{row.get("choices")}, the table has {enum}'
            if typ == "password" and not row.get("secret"):
                faults["secret"] = "not marked as a secret"
        for column, text in faults.items():
            if column in INTENDED.get(name, {}):
                used.add((name, column))
                continue
            bad += 1
            print(f"{name}: {column}: {text}")
        good += not faults or all(c in INTENDED.get(name, {}) for c in faults)
    for name, columns in INTENDED.items():
        for column in columns:
            if (name, column) not in used:
                bad += 1
                print(f"{name}: {column} no longer differs: take it out of the list")
    print(f"{good} passed, {bad} failed")
    return 1 if bad or good < 300 else 0


if __name__ == "__main__":
    sys.exit(main())
