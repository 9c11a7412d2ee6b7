#!/usr/bin/env python3
"""The pipelines of vector that modules write, without a vector.
pipelines.py check FIXTURES    as tests/plan has them rendered: they are YAML, what each reads is in its own file, what it sends reaches
                              the sinks with the labels of a stream; and they take apart the lines that programs write
pipelines.py read FILE LOG...  a pipeline as rendered, and logs: every record is understood"""
import csv, datetime, glob, io, os, re, sys

try:
    import yaml
except ImportError:
    print("skipped: PyYAML is not installed")
    sys.exit(77)

KNOWN = {"vector", "node", "nginx", "postgres", "patroni", "pgbackrest", "pgbouncer", "redis"}
COLUMNS = (23, 24, 26)  # of PostgreSQL before 13, of 13, and since 14
# what programs write: records (lists of lines), and lines that are left out
SAMPLES = {
    "postgres": ([
        ['2026-11-27 13:07:08.123 UTC,"test","test",4711,"10.10.10.11:40112",69285d1c.1267,3,"SELECT",2026-11-27 13:07:08 UTC,3/12,0,ERROR,42P01,'
         '"relation ""no, such"" does not exist",,,,,,"select *', "2026-11-27 is no time", 'from ""no, such"" -- two',
         'lines",15,,"psql","client backend",,-4181528218190366233'],
        ['2026-11-27 13:07:09.001 UTC,,,42,,69285d1c.2a,1,,2026-11-27 13:07:00 UTC,,0,LOG,00000,"database system is ready to accept connections",,,,,,,,,"","postmaster",,0'],
        ['2026-11-27 13:07:09.002 UTC,,,42,,69285d1c.2a,2,,2026-11-27 13:07:00 UTC,,0,LOG,00000,"of PostgreSQL 13",,,,,,,,,"","postmaster"'],
    ], []),
    "patroni": ([
        ["2026-11-27 13:07:08,123 INFO: no action. I am (pg-test-1), the leader with the lock"],
        ["2026-11-27 13:07:18,124 ERROR: Unexpected exception", "Traceback (most recent call last):", '  File "ha.py", line 1, in run', "ValueError: 2026"],
    ], []),
    "pgbackrest": ([
        ["2026-11-27 13:07:08.123 P00   INFO: backup command begin 2.48: --no-archive-check"],
        ["2026-11-27 13:07:08.124 P01  ERROR: [055]: unable to load info file:", "              FileMissingError: unable to open", "              HINT: has a stanza-create been performed?", ""],
        ["2026-11-27 13:09:08.123 P00   INFO: backup command begin 2.48: --type=full"],
    ], ["-------------------PROCESS START-------------------"]),
    "pgbouncer": ([
        ["2026-11-27 13:07:08.123 UTC [321] LOG kernel file descriptor limit: 65536 (hard: 65536); max_client_conn: 20000"],
        ["2026-11-27 13:07:09.123 CET [321] WARNING C-0x5560: test/test@10.10.10.11:40112 pooler error: query_wait_timeout"],
    ], []),
    "redis": ([
        ["4711:C 27 Nov 2026 13:07:08.123 * oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo"],
        ["4711:M 27 Nov 2026 13:07:08.124 # === REDIS BUG REPORT START: Cut & paste starting from here ===", "------ STACK TRACE ------", "EIP:", "1:2 is no instance"],
        ["4712:X 07 Nov 2026 13:07:08.125 - +sdown master redis-ms 10.10.10.10 6379"],
    ], []),
}
FILES = {"redis": {"/var/log/redis/redis-ms-1-6379.log": {"cls": "redis-ms", "ins": "redis-ms-1-6379"}, "/var/log/redis/a-1-22-7000.log": {"cls": "a-1", "ins": "a-1-22-7000"},
                   "/var/log/redis/redis-server.log": None},
         "pgbackrest": {"/pg/log/pgbackrest/pg-test-backup.log": {"topic": "backup"}, "/pg/log/pgbackrest/pg-test-archive-push-async.log": {"topic": "archive-push-async"},
                        "/pg/log/pgbackrest/pg-test2-backup.log": None, "/pg/log/pgbackrest/all-server.log": None}}
good, bad = 0, 0


def check(what, ok):
    global good, bad
    good, bad = good + bool(ok), bad + (not ok)
    if not ok:
        print(f"not ok - {what}")
    return ok


def rendered(folder):
    """name: text, of each file in /etc/vector whose text a fixture shows"""
    out = {}
    for path in sorted(glob.glob(os.path.join(folder, "*", "*.yml"))):
        name = None
        for line in yaml.safe_load(open(path, encoding="utf-8"))["expect"].splitlines():
            m = re.match(r"file /etc/vector/([\w-]+)\.yaml ", line)
            if line.startswith("  |") and name:
                out[name][-1] += line[4:] + "\n"
            elif m:
                name = m[1]
                out.setdefault(name, []).append("")
            else:
                name = None
    return {n: [t for t in texts if t] for n, texts in out.items()}


def regexes(program, field):
    return [re.compile(r) for r in re.findall(r"parse_regex\(\." + field + r", r'([^']*)'\)", program)]


def moment(text, form):
    """Does the text have the form? chrono's words in Python's"""
    for ours, theirs in (("%F", "%Y-%m-%d"), ("%T", "%H:%M:%S"), ("%.3f", ".%f"), ("%3f", "%f")):
        form = form.replace(ours, theirs)
    try:
        return bool(datetime.datetime.strptime(text, form))
    except ValueError:
        return False


def events(source, lines):
    """Lines as vector's file source puts them together; mode halt_before."""
    rule, held = source["multiline"], None
    start, halt = re.compile(rule["start_pattern"]), re.compile(rule["condition_pattern"])
    for line in lines:
        if held is not None and not halt.search(line):
            held.append(line)
            continue
        if held is not None:
            yield held
        held = [line] if start.search(line) else None
        if held is None:
            yield [line]
    if held is not None:
        yield held


def understood(program, event):
    """None: left out"""
    form = re.findall(r'parse_timestamp\([^"]*"([^"]*)"\)', program)[0]
    if "parse_csv" in program:
        row = next(csv.reader(io.StringIO(event), strict=True))
        return len(row) in COLUMNS and moment(row[0], form)
    *dropped, main = regexes(program, "message")
    if any(r.search(event) for r in dropped):
        return None
    m = main.search(event)
    return bool(m) and moment(m["time"], form)


def parts(pipeline):
    (source,), (transform,) = pipeline["sources"].values(), pipeline["transforms"].values()
    return source, transform["source"]


def taken_apart(name, pipeline):
    source, program = parts(pipeline)
    records, left = SAMPLES[name]
    # what is left out comes between the last two
    lines = [x for r in records[:-1] for x in r] + left + records[-1]
    found = list(events(source, lines))
    want = records[:-1] + [[x] for x in left] + records[-1:]
    check(f"{name}: lines belong together: {found}", found == want)
    for e in found:
        check(f"{name}: understood: {e}", understood(program, "\n".join(e)) is (None if e[0] in left else True))
    for path, groups in FILES.get(name, {}).items():
        m = regexes(program, "file")[0].search(path)
        check(f"{name}: {path} says {m and m.groupdict()}", (m and m.groupdict()) == groups)


def sound(name, text, sinks, stream):
    try:
        p = yaml.safe_load(text)
    except yaml.YAMLError as e:
        return check(f"{name}: {e}", False)
    sources, transforms = p.get("sources", {}), p.get("transforms", {})
    read = {i for t in transforms.values() for i in t["inputs"]}
    for t, row in transforms.items():
        check(f"{name}: {t} reads {row['inputs']}", row["inputs"] and all(i in sources or i in transforms for i in row["inputs"]))
        check(f"{name}: {t} goes nowhere", t in read or any(re.fullmatch(s.replace("*", ".*"), t) for s in sinks))
        program = row["source"]
        for label in stream + ["timestamp", "message"]:
            check(f"{name}: {t} has no {label}", re.search(rf'"{label}": |^\.{label} = ', program, re.M))
        check(f"{name}: {t}: brackets", all(program.count(a) == program.count(b) for a, b in ("{}", "()", "[]")))
        literals = program.count("r'")
        found = [r for f in ("message", "file") for r in regexes(program, f)]
        check(f"{name}: {t}: regular expressions", literals == len(found))
        groups = {g for r in found for g in r.groupindex}
        for g in re.findall(r"\b(?:m|file)\.(\w+)", re.sub(r"r'[^']*'", "", program)):
            check(f"{name}: {t}: no group {g}", g in groups)
        if "parse_csv" in program:
            check(f"{name}: {t}: columns", sorted(map(int, re.findall(r"\bc\[(\d+)\]", program))) == list(range(max(COLUMNS))))
    for s, row in sources.items():
        check(f"{name}: nobody reads {s}", s in read or name == "vector")
        if row["type"] == "file":
            check(f"{name}: {s} reads files", row["include"] and all(x.startswith("/") for x in row["include"]))
            check(f"{name}: {s} begins at {row['read_from']}", row["read_from"] in ("beginning", "end"))
        if "multiline" in row:
            check(f"{name}: {s}: mode", row["multiline"]["mode"] == "halt_before" and row["multiline"]["timeout_ms"] > 0)
    return p


def check_all(folder):
    files = rendered(folder)
    check(f"rendered: {sorted(n for n in files if files[n])}", {n for n in files if files[n]} == KNOWN)
    main = yaml.safe_load(files["vector"][0])
    sinks = [s for s in main["sinks"].values() if s["type"] == "http"]
    check("there is a sink", sinks)
    stream = re.search(r"_stream_fields=([\w,]+)", sinks[0]["uri"])[1].split(",")
    check(f"streams by {stream}", set(stream) == {"job", "ip", "cls", "ins"})
    names = {}
    for name, texts in files.items():
        for text in texts:
            p = sound(name, text, sinks[0]["inputs"], stream)
            for n in [*p.get("sources", {}), *p.get("transforms", {})]:
                check(f"{n} is of {name} and of {names.get(n)}", names.setdefault(n, name) == name)
        if name in SAMPLES:
            taken_apart(name, yaml.safe_load(texts[0]))


def read(path, logs):
    source, program = parts(yaml.safe_load(open(path, encoding="utf-8")))
    n = 0
    for log in logs:
        for e in events(source, open(log, encoding="utf-8", errors="replace").read().splitlines()):
            got = understood(program, "\n".join(e))
            n += got is True
            check(f"{log}: {e}", got is not False)
    check("there are records", n)


if __name__ == "__main__":
    if sys.argv[1] == "check":
        check_all(sys.argv[2])
    else:
        read(sys.argv[2], sys.argv[3:])
    print(f"{good} passed, {bad} failed")
    sys.exit(1 if bad else 0)
