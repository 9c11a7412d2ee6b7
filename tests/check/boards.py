#!/usr/bin/env python3
"""The dashboards that module infra brings.
boards.py check PIG PLUGINS    each as rendered is a dashboard: its JSON, names, places, sources; and PromQL, also of alert rules,
                              where promtool is at hand: scripts/deps.sh brings it
boards.py queries FILE...      their queries, one a line, with any value for a variable
boards.py metrics NAME FILE... -- SCRAPE...   every metric asked for stands in one of the scrapes (Prometheus's text)"""
import json, os, re, shutil, subprocess, sys, tempfile

WORDS = {"by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless", "bool", "offset", "inf", "nan"}
UNITS = {"short", "s", "bytes", "Bps", "ops", "cps", "percentunit"}
INVENTORY = "all: { children: { infra: { hosts: { 10.10.10.10: { infra_seq: 1 } } } }, vars: { admin_ip: 10.10.10.10 } }\n"
HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(HERE, "../../build-tools")
good, bad = 0, 0


def check(what, ok):
    global good, bad
    good, bad = good + bool(ok), bad + (not ok)
    if not ok:
        print(f"not ok - {what}")
    return ok


def panels(board):
    return [p for p in board["panels"] if p["type"] != "row"]


def queries(board):
    return [t["expr"] for p in panels(board) for t in p["targets"]]


def plain(query):
    """With a value that fits any variable, as Grafana would ask."""
    return re.sub(r'=~?"\$\w+"', '=~".*"', query)


def metrics(query):
    query = re.sub(r'"(\\.|[^"\\])*"', '""', query)
    query = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", query)
    query = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", query)
    return {m[1] for m in re.finditer(r"([A-Za-z_:][\w:]*)\s*(?!\s*\()(?=\W|$)", query)
            if m[1] not in WORDS and not re.match(r"\s*\(", query[m.end(1):])}


def overlap(a, b):
    return a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]


def check_board(name, board, sources):
    names = [v["name"] for v in board["templating"]["list"]]
    ids = [p["id"] for p in board["panels"]]
    grids = [p["gridPos"] for p in board["panels"]]
    check(f"{name}: a name that Grafana takes", re.fullmatch(r"[\w-]{1,40}", board["uid"]) and board["title"])
    check(f"{name}: what Grafana wants to know", board["schemaVersion"] >= 36 and board["tags"][0] == "pigsty" and board["time"]["from"])
    check(f"{name}: each panel is there once", len(set(ids)) == len(ids) and len(panels(board)) >= 10)
    check(f"{name}: panels are within the page", all(g["x"] >= 0 and g["w"] > 0 and g["x"] + g["w"] <= 24 and g["h"] > 0 for g in grids))
    check(f"{name}: no panel covers another", not any(overlap(a, b) for i, a in enumerate(grids) for b in grids[:i]))
    for p in panels(board):
        what = f"{name}: {p['title']}"
        check(f"{what}: kind, unit", p["type"] in ("timeseries", "stat", "table") and p["fieldConfig"]["defaults"]["unit"] in UNITS)
        check(f"{what}: its sources are provided", {t["datasource"]["uid"] for t in [p] + p["targets"]} <= sources)
        check(f"{what}: asks something, each once", p["targets"] and len({t["refId"] for t in p["targets"]}) == len(p["targets"]))
        for t in p["targets"]:
            used = set(re.findall(r"\$(\w+)", t["expr"]))
            check(f"{what}: its variables are those of the page", used <= set(names))
            check(f"{what}: is of what was chosen", used or "up{" in t["expr"])
            check(f"{what}: names a metric", metrics(t["expr"]))
            labels = set(re.findall(r"\{\{(\w+)\}\}", t["legendFormat"]))
            for by in re.findall(r"^\w+(?:\([^()]*, )? by \(([^)]*)\)", t["expr"]):
                check(f"{what}: is called by labels that it has", labels <= set(re.split(r",\s*", by)))
    for v in board["templating"]["list"]:
        check(f"{name}: variable {v['name']} asks for labels", re.fullmatch(r"label_values\(\w+(\{[^}]*\})?, \w+\)", v["query"]["query"]))


def check_all(pig, plugins):
    with tempfile.TemporaryDirectory() as tmp:
        def run(*words):
            return subprocess.run([pig, *words, "--plugin-dir", plugins], cwd=tmp, env={**os.environ, "HOME": tmp}, capture_output=True, text=True)
        with open(f"{tmp}/pigsty.yml", "w") as f:
            f.write(INVENTORY)
        names = re.findall(r"\binfra/(boards/\w+/[\w-]+\.json)", run("template", "list").stdout)
        check("there are dashboards", len(names) >= 5)
        sources = set(re.findall(r"uid: (ds-\w+)\b", run("template", "show", "infra/grafana/datasources.yml").stdout))
        boards, rules = {}, []
        for name in names:
            out = run("render", f"infra/{name}", "-l", "10.10.10.10")
            if not check(f"{name} renders: {out.stderr}", out.returncode == 0):
                continue
            try:
                boards[name] = json.loads(out.stdout)
            except ValueError as e:
                check(f"{name} is JSON: {e}", False)
                continue
            check_board(name, boards[name], sources)
            rules += [{"record": f"asked:{len(rules) + i}", "expr": plain(q)} for i, q in enumerate(queries(boards[name]))]
        check("each dashboard has a name of its own", len({b["uid"] for b in boards.values()}) == len(boards) == len(names))
        promtool = os.environ.get("PROMTOOL") or shutil.which("promtool") or shutil.which("promtool", path=TOOLS)
        if promtool:
            with open(f"{tmp}/rules.yml", "w") as f:
                json.dump({"groups": [{"name": f"g{i}", "rules": [r]} for i, r in enumerate(rules)]}, f)
            out = subprocess.run([promtool, "check", "rules", f"{tmp}/rules.yml"], capture_output=True, text=True)
            check(f"promtool: {out.stdout}{out.stderr}", out.returncode == 0 and f"{len(rules)} rules found" in out.stdout)
            names = re.findall(r"\binfra/(rules/[\w-]+\.yml)", run("template", "list").stdout)
            check("there are alert rules", len(names) >= 6)
            for name in names:
                with open(f"{tmp}/rules.yml", "w") as f:
                    f.write(run("render", f"infra/{name}", "-l", "10.10.10.10").stdout)
                out = subprocess.run([promtool, "check", "rules", f"{tmp}/rules.yml"], capture_output=True, text=True)
                check(f"promtool: {name}: {out.stdout}{out.stderr}", out.returncode == 0 and re.search("SUCCESS: [1-9]", out.stdout))
            with open(f"{tmp}/rules.yml", "w") as f:
                f.write(run("render", "infra/rules/pgsql.yml", "-l", "10.10.10.10").stdout)
            with open(f"{tmp}/alerts.yml", "w") as f:
                f.write(open(os.path.join(HERE, "alerts.yml")).read().replace("RULES", "rules.yml"))
            out = subprocess.run([promtool, "test", "rules", f"{tmp}/alerts.yml"], capture_output=True, text=True)
            check(f"alerts fire when they should: {out.stdout}{out.stderr}", out.returncode == 0)
        else:
            print("promtool is not installed: VictoriaMetrics alone reads the queries, in tests/e2e")


def load(files):
    return [json.load(open(f)) for f in files]


def check_metrics(name, files, scrapes):
    there = set()
    for s in scrapes:
        there |= set(re.findall(r"^([A-Za-z_:][\w:]*)(?:[{ ])", open(s).read(), re.M))
    asked = set().union(*(metrics(q) for b in load(files) for q in queries(b))) - {"up"}
    check(f"{name}: dashboards ask for metrics", len(asked) >= 5)
    check(f"{name}: scrapes hold metrics", len(there) >= 20)
    check(f"{name}: not in any scrape: {' '.join(sorted(asked - there))}", asked <= there)
    print(f"{name}: {len(asked)} metrics asked for")


def main():
    what, *rest = sys.argv[1:]
    if what == "check":
        check_all(*rest)
    elif what == "queries":
        print("\n".join(plain(q) for b in load(rest) for q in queries(b)))
        return 0
    else:
        at = rest.index("--")
        check_metrics(rest[0], rest[1:at], rest[at + 1:])
    print(f"{good} passed, {bad} failed")
    return bad > 0 or good == 0


sys.exit(main())
