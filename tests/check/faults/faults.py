#!/usr/bin/env python3
"""faults.py PIG PLUGINS DIR: seeded faults. Each row of DIR/*.txt is a small edit of a sound inventory and the one fault it must give: at
the place marked with ^ in the edit, told once, and nothing else said. base.yml itself must say nothing.

A row is four lines and an empty one:
    severity: part of the message
    - text of the inventory (there once)
    + text in its place; ^ stands before the column that is to be shown (\\n begins a line)
    hint: part of the hint (may be left out)
A row "@ FILE" changes the inventory that the rows behind it edit. Several -/+ pairs may stand in one row, one of them with the mark."""
import glob, json, os, subprocess, sys, tempfile


class Row:
    def __init__(self, where, base):
        self.where, self.base = where, base
        self.severity = self.message = self.hint = ""
        self.edits = []


def read(path, base):
    rows, row, old = [], None, None
    for n, line in enumerate(open(path, encoding="utf-8").read().splitlines(), 1):
        where = f"{os.path.basename(path)}:{n}"
        if not line.strip():
            row = None
        elif line.startswith("# "):
            continue
        elif line.startswith("@ "):
            base = line[2:].strip()
        elif line.startswith("- "):
            old = line[2:]
        elif line.startswith("+ "):
            row.edits.append((old, line[2:].replace("\\n", "\n")))
        elif line.startswith("hint: "):
            row.hint = line[6:]
        else:
            severity, _, message = line.partition(": ")
            assert severity in ("error", "warning", "note"), f"{where}: {line}"
            row = Row(where, base)
            row.severity, row.message = severity, message
            rows.append(row)
    return rows


def edited(text, row):
    """The new text and the place marked in it."""
    mark = "\0"
    for old, new in row.edits:
        assert text.count(old) == 1, f"{row.where}: {old!r} is there {text.count(old)} times"
        text = text.replace(old, new.replace("^", mark))
    if mark not in text:
        return text, None
    at = text.index(mark)
    line = text.count("\n", 0, at) + 1
    return text.replace(mark, ""), (line, at - (text.rfind("\n", 0, at) + 1) + 1)


def check(pig, plugins, path):
    p = subprocess.run([pig, "check", "-i", path, "--plugin-dir", plugins, "--json"], capture_output=True, text=True,
                       env={**os.environ, "HOME": os.path.dirname(path)})
    try:
        faults = json.loads(p.stdout)["faults"]
    except ValueError:  # what the inventory could not even be read for
        return p.returncode, [], p.stderr
    return p.returncode, faults, ""


def key(f):
    return (f["severity"], f["id"], f["message"])


def shown(f):
    return f'{f["line"]}:{f["column"]} {f["severity"]} {f["id"]}: {f["message"]}'


def wrong(row, place, known, status, faults, said):
    """Why the row fails, or None."""
    if said:
        want = f":{place[0]}:{place[1]}" if place else ""
        return None if row.message in said and want in said and status == 2 else f"it said {said}"
    new = [f for f in faults if key(f) not in known]
    if len(new) != 1:
        return "nothing was found" if not new else "more was found: " + "; ".join(map(shown, new))
    f = new[0]
    if f["severity"] != row.severity or row.message not in f["message"]:
        return "it said " + shown(f)
    if place and (f["line"], f["column"]) != place:
        return f"the place is {place[0]}:{place[1]}, and it said {shown(f)}"
    if row.hint and row.hint not in (f["hint"] or ""):
        return f'the hint is {f["hint"]}'
    if (status == 2) != (row.severity == "error"):
        return f"exit status {status}"
    return None


def main():
    pig, plugins, folder = sys.argv[1:4]
    only = sys.argv[4] if len(sys.argv) > 4 else ""
    rows = []
    for path in sorted(glob.glob(os.path.join(folder, "*.txt"))):
        rows += read(path, "base.yml")
    good = bad = 0
    known = {}
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "pigsty.yml")
        for base in {row.base for row in rows}:
            text = open(os.path.join(folder, base), encoding="utf-8").read()
            open(path, "w", encoding="utf-8").write(text)
            status, faults, said = check(pig, plugins, path)
            known[base] = {key(f) for f in faults}
            for f in faults:
                if f["severity"] != "note":
                    bad += 1
                    print(f"{base} is not sound: {shown(f)}")
            bad += status != 0
        for row in rows:
            if only and only not in row.where and only not in row.message:
                continue
            text, place = edited(open(os.path.join(folder, row.base), encoding="utf-8").read(), row)
            open(path, "w", encoding="utf-8").write(text)
            why = wrong(row, place, known[row.base], *check(pig, plugins, path))
            good += why is None
            bad += why is not None
            if why:
                print(f"{row.where}: {row.severity}: {row.message}\n    {why}")
    print(f"{good} passed, {bad} failed")
    return 1 if bad or (good < 200 and not only) else 0


if __name__ == "__main__":
    sys.exit(main())
