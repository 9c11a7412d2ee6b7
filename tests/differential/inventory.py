#!/usr/bin/python3
"""Compare our inventory with Ansible's own reading of the same files.

Generates inventories (YAML, INI, scripts, host lists, folders, several sources, group_vars and host_vars, -e words) and patterns,
reads each with Ansible's modules in this process and with inventory_dump, and compares every host's values, every group's hosts and
every pattern's hosts in order. With --pig the command line is compared as well: `pig inventory list` and `graph` with the
text that ansible-inventory prints. For --programs inventories the programs ansible-inventory and ansible --list-hosts themselves are
run; for the others their code runs in this process, which is the same and a hundred times faster. Exit 77 when Ansible is not installed. Known, wanted differences are not generated: see
docs/inventory.md.
"""
import argparse
import json
import os
import random
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")
try:
    from ansible import constants, context
    from ansible.cli.inventory import InventoryCLI
    from ansible.inventory.manager import InventoryManager
    from ansible.module_utils.common.collections import ImmutableDict
    from ansible.parsing.dataloader import DataLoader
    from ansible.parsing.vault import VaultSecret
    from ansible.utils.display import Display
    from ansible.vars.manager import VariableManager
except ImportError:
    print("skipped: Ansible is not installed for this Python")
    sys.exit(77)

Display.warning = Display.deprecated = lambda self, *args, **kwargs: None
constants.HOST_PATTERN_MISMATCH = "ignore"

MAGIC = {
    "inventory_file", "inventory_dir", "inventory_hostname", "inventory_hostname_short", "group_names", "groups", "omit",
    "playbook_dir", "ansible_playbook_python", "ansible_facts", "ansible_config_file", "ansible_version", "role_names",
    "ansible_local",
}
WORDS = ["pg", "etcd", "minio", "infra", "node", "redis", "web", "db", "x1", "pg-test", "pg-meta", "az_1"]
NAMES = ["pg_cluster", "pg_seq", "pg_role", "nodename", "version", "ansible_host", "ansible_port", "a", "b", "c", "d_e", "list1"]
SCALARS = [
    "yes", "No", "on", "OFF", "true", "False", "y", "n", "~", "null", "", "0644", "08", "0o17", "1_000", "0x1F", "0b101", "1.10",
    "1.", ".5", "-.5", "1e3", "1.0e+3", "1.5e-3", ".inf", "10.10.10.10", "1.2.3", "-7", "+7", "text", "two words", "'quoted'",
    '"dq \\n x"', "'yes'", '"0644"', "[1, two, 3.0]", "{k: v, n: [1, {z: ~}]}", "a=b", "a#b", "a #b", "'{{ x }}'", "9" * 15,
    "!!str 12", "!unsafe 'a{{b'", "!vault |\n{i}  $ANSIBLE_VAULT;1.2;AES256;dev\n{i}  6162\n", "|\n{i}  line one\n{i}  line two", ">\n{i}  folded\n{i}  text", "12345678901234567890",
]
INI_VALUES = [
    "1", "-1", "0644", "1_000", "0x1F", "0o17", "0b11", "1.5", "1e3", ".5", "1.", "True", "true", "None", "yes", "text", "a,b", "1,2",
    "[1,2]", "[1,'a',[True]]", "{'a':1,'b':[2]}", "(1,2)", "('a')", "a=b", "10.0.0.1", "'q'", "u'q'", "r'a\\b'", "''", "1.2.3",
    "00", "01", "1__0", "--1", "[1,2", "{'a'}", "http://x/y", "{{_x_}}", "1j", "'a''b'",
]


class Maker:
    """One generated inventory: files in a folder, and what to ask of it."""

    def __init__(self, rnd, folder):
        self.rnd = rnd
        self.folder = folder
        self.sources = []
        self.extra = []
        self.groups = []
        self.hosts = []
        self.deep = False

    def file(self, name, text, executable=False):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        if executable:
            os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        return path

    def scalar(self, indent):
        if self.rnd.random() < 0.3:
            word = "".join(self.rnd.choice("0123456789+-._eExobyn") for _ in range(self.rnd.randint(1, 6)))
            # dates are strings with us; "- x" and the like are no scalars; 0b_ and 0x_ crash PyYAML
            if word not in ("-", ".", "_") and not word.startswith(("-", "---", "...")) and not re.match(r"[-+]?0[xb]_*$", word) \
                    and not re.match(r"\d{4}-\d", word):
                return word
        return self.rnd.choice(SCALARS).replace("{i}", " " * indent)

    def yaml_vars(self, indent, count):
        names = self.rnd.sample(NAMES, min(count, len(NAMES)))
        return "".join("%s%s: %s\n" % (" " * indent, name, self.scalar(indent)) for name in names)

    def host(self):
        kind = self.rnd.random()
        if kind < 0.4:
            return "10.1.%d.%d" % (self.rnd.randint(0, 3), self.rnd.randint(1, 9))
        if kind < 0.5:
            return self.rnd.choice(["n[1:3]", "n[01:05:2].x", "m[a:c]", "10.2.0.[1:4]", "k[1:2]-[a:b]", "s[8:11]"])
        if kind < 0.55:
            return "p%d:22%02d" % (self.rnd.randint(1, 9), self.rnd.randint(0, 99))
        return "h%d%s" % (self.rnd.randint(1, 15), self.rnd.choice(["", ".example.com", "-x"]))

    def group(self):
        return self.rnd.choice(WORDS) + self.rnd.choice(["", "", "1", "2", "_a"])

    def yaml_group(self, name, indent, depth):
        """depth: how many levels of children may still follow."""
        pad = " " * indent
        self.groups.append(name)
        out = "%s%s:\n" % (pad, name)
        parts = [p for p in ("hosts", "vars", "children") if self.rnd.random() < 0.7]
        self.rnd.shuffle(parts)
        for part in parts:
            if part == "hosts":
                out += pad + "  hosts:\n"
                for host in dict.fromkeys(self.host() for _ in range(self.rnd.randint(1, 4))):
                    self.hosts.append(host)
                    out += "%s    %s:\n" % (pad, host)
                    if self.rnd.random() < 0.6:
                        out += self.yaml_vars(indent + 6, self.rnd.randint(1, 3))
            elif part == "vars":
                out += pad + "  vars:\n" + self.yaml_vars(indent + 4, self.rnd.randint(1, 4))
                if self.rnd.random() < 0.15:
                    out += "%s    ansible_group_priority: %d\n" % (pad, self.rnd.randint(1, 5))
            elif depth > 0:
                names = dict.fromkeys(self.group() for _ in range(self.rnd.randint(1, 3)))
                names = [n for n in names if n != name and n not in self.ancestors and n not in self.groups_closed]
                if names:
                    out += pad + "  children:\n"
                    self.ancestors.append(name)
                    for child in names:
                        out += self.yaml_group(child, indent + 4, depth - 1)
                    self.ancestors.pop()
        self.groups_closed.add(name)
        return out

    def yaml(self, name):
        self.ancestors, self.groups_closed = [], set()
        depth = self.rnd.choice([0, 0, 1, 3])
        self.deep = self.deep or depth > 0
        tops = list(dict.fromkeys(self.group() for _ in range(self.rnd.randint(1, 5))))
        if self.rnd.random() < 0.7:
            out = "all:\n"
            if self.rnd.random() < 0.7:
                out += "  vars:\n" + self.yaml_vars(4, self.rnd.randint(1, 5))
            out += "  children:\n"
            self.ancestors.append("all")
            indent = 4
        else:
            out, indent = "", 0
        for top in tops:
            if top not in self.groups_closed:
                out += self.yaml_group(top, indent, depth)
        return self.file(name, out)

    def ini_value(self, quoted):
        value = self.rnd.choice(INI_VALUES)
        if quoted and (set(value) & set("'\" {}[]()\\,") or value == ""):
            return '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"')
        return value

    def ini_hosts(self, count):
        out = ""
        for _ in range(count):
            host = self.host()
            self.hosts.append(host)
            pairs = "".join(" %s=%s" % (n, self.ini_value(True)) for n in self.rnd.sample(NAMES, self.rnd.randint(0, 3)))
            out += host + pairs + self.rnd.choice(["", "", " # comment", "  "]) + "\n"
        return out

    def ini(self, name):
        out = "# generated\n" + (self.ini_hosts(2) if self.rnd.random() < 0.4 else "")
        names = list(dict.fromkeys(self.group() for _ in range(self.rnd.randint(1, 5))))
        self.groups += names
        sections = []
        for group in names:
            sections.append("[%s]%s\n" % (group, self.rnd.choice(["", " # c"])) + self.ini_hosts(self.rnd.randint(0, 4)))
            if self.rnd.random() < 0.5:
                pairs = "".join("%s%s%s\n" % (n, self.rnd.choice(["=", " = "]), self.rnd.choice(INI_VALUES))
                                for n in self.rnd.sample(NAMES, 3))
                sections.append("[%s:vars]\n; note\n%s" % (group, pairs))
        if self.rnd.random() < 0.5:
            self.deep = True
            for i, parent in enumerate(["top_a", "top_b"]):
                self.groups.append(parent)
                kids = self.rnd.sample(names, self.rnd.randint(1, len(names))) + (["top_b"] if not i else [])
                sections.append("[%s:children]\n%s\n" % (parent, "\n".join(kids)))
        if self.rnd.random() < 0.3:
            sections.append("[all:vars]\n%s=%s\n" % (self.rnd.choice(NAMES), self.rnd.choice(INI_VALUES)))
        self.rnd.shuffle(sections)
        return self.file(name, out + "\n".join(sections))

    def script(self, name):
        doc, meta = {}, {}
        for group in dict.fromkeys(self.group() for _ in range(3)):
            self.groups.append(group)
            hosts = ["s%d" % self.rnd.randint(1, 6) for _ in range(self.rnd.randint(0, 3))]
            self.hosts += hosts
            for host in hosts:
                meta[host] = {"a": host, "n": 1.5, "deep": {"l": [1, None, True]}}
            doc[group] = self.rnd.choice([hosts, {"hosts": hosts, "vars": {"b": group, "c": [1]}}])
        if self.rnd.random() < 0.6:
            doc["_meta"] = {"hostvars": meta}
            return self.file(name, "#!/bin/sh\ncat <<'END'\n%s\nEND\n" % json.dumps(doc), True)
        cases = "".join("%s) echo '%s';;\n" % (h, json.dumps(v)) for h, v in meta.items())
        return self.file(name, "#!/bin/sh\nif [ $1 = --list ]; then cat <<'END'\n%s\nEND\nelse case $2 in\n%s\n*) echo '{}';; esac; fi\n"
                         % (json.dumps(doc), cases), True)

    def vars_files(self, folder):
        for sub, names in (("group_vars", self.groups + ["all", "ungrouped"]), ("host_vars", [h for h in self.hosts if "[" not in h])):
            for name in dict.fromkeys(names):
                if self.rnd.random() > 0.3 or ":" in name:
                    continue
                text = "---\n" + self.yaml_vars(0, self.rnd.randint(1, 3))
                kind = self.rnd.choice(["", ".yml", ".yaml", ".json", "/"])
                if kind == ".json":
                    text = json.dumps({self.rnd.choice(NAMES): self.rnd.choice([1, "x", [1], {"k": None}, 1.5, True])})
                if kind == "/":
                    for part in ("main.yml", "b.json", "sub/c", "z.txt", ".hidden", "old.yml~"):
                        body = "{}" if part == "b.json" else "---\n" + self.yaml_vars(0, 2)
                        self.file(os.path.join(folder, sub, name, part), body)
                else:
                    self.file(os.path.join(folder, sub, name + kind), text)

    def make(self):
        kind = self.rnd.random()
        if kind < 0.4:
            self.sources = [self.yaml("inv.yml")]
        elif kind < 0.65:
            self.sources = [self.ini(self.rnd.choice(["hosts", "inv.ini", "inv.prod"]))]
        elif kind < 0.72:
            self.sources = [self.script("inv.sh")]
        elif kind < 0.76:
            self.hosts = ["h1", "h2.example.com", "10.0.0.7", "p1:2222"]
            self.sources = ["h1, h2.example.com,10.0.0.7,p1:2222,h1"]
        elif kind < 0.9:
            self.sources = [self.yaml("one/inv.yml"), self.ini("two/hosts")]
            self.vars_files("one")
            self.vars_files("two")
        else:
            self.yaml("dir/10-a.yml")
            self.ini("dir/20-b")
            self.file("dir/README.md", "not an inventory")
            self.file("dir/.hidden", "[broken")
            self.file("dir/30-c.ini", "[passed over in folders]\n")
            self.sources = [os.path.join(self.folder, "dir")]
            self.vars_files("dir")
        if kind < 0.72 and self.rnd.random() < 0.5:
            self.vars_files(".")
        if self.rnd.random() < 0.3:
            self.extra = self.rnd.sample(['a=1 b="two words"', "c='x=y' d_e=a,b", '{"list1": [1, 2.5, null], "a": {"k": true}}',
                                          "version=v4.5.0", "a={{ b }} nodename=\"{{ x y }}\"", "b=a\\nb"], 2)
        return self

    def pattern(self, groups, hosts):
        """Subscripts count hosts in order, and Ansible's order below two levels of children is that of a hash: leave them out there."""
        def term():
            name = self.rnd.choice(groups + hosts + groups)
            kind = self.rnd.random()
            if kind < 0.15:
                name = name[:self.rnd.randint(1, len(name))] + "*"
            elif kind < 0.22:
                at = self.rnd.randrange(len(name))
                name = name[:at] + self.rnd.choice(["?", "[a-z0-9]", "[!x]"]) + name[at + 1:]
            elif kind < 0.3:
                name = "~" + self.rnd.choice(["p.*", ".*[13]$", "(pg|db)", "^h", "10\\.1\\.", ".*x"])
            elif kind < 0.45 and not self.deep:
                name += self.rnd.choice(["[0]", "[1]", "[-1]", "[0:1]", "[1:]", "[1:0]", "[0-2]"])
            elif kind < 0.5:
                name = self.rnd.choice(["all", "*", "nosuch", "ungrouped"])
            return self.rnd.choice(["", "", "", "!", "&"]) + name
        return self.rnd.choice([",", ":", ", "]).join(term() for _ in range(self.rnd.randint(1, 4)))


def plain(value):
    """What JSON would make of it, so that tuples, Ansible's own string types and the like compare."""
    def other(v):
        if hasattr(v, "_ciphertext"):
            return v._ciphertext.decode()  # pylint: disable=protected-access
        return sorted(v) if isinstance(v, (set, frozenset)) else str(v)
    return json.loads(json.dumps(value, default=other, sort_keys=True))


def ours(dump, maker, patterns):
    listing = os.path.join(maker.folder, "patterns")
    with open(listing, "w") as f:
        f.write("".join(p + "\n" for p in patterns))
    cmd = [dump, "-p", listing]
    for word in maker.extra:
        cmd += ["-e", word]
    done = subprocess.run(cmd + maker.sources, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": "status %d: %s" % (done.returncode, done.stderr)}
    return json.loads(done.stdout)


class Theirs:
    def __init__(self, maker):
        context.CLIARGS = ImmutableDict(extra_vars=tuple(maker.extra))
        self.loader = loader = DataLoader()
        loader.set_vault_secrets([("default", VaultSecret(b"never used: values stay encrypted here"))])
        loader.set_basedir(os.path.join(maker.folder, "nowhere"))
        # a relative -i is relative to the working folder; ours are absolute
        self.inventory = InventoryManager(loader=loader, sources=maker.sources)
        self.vars = VariableManager(loader=loader, inventory=self.inventory)
        self.maker = maker

    def values(self):
        return {name: plain({k: v for k, v in self.vars.get_vars(host=host, include_hostvars=False).items() if k not in MAGIC})
                for name, host in self.inventory.hosts.items()}

    def groups(self):
        return {name: [h.name for h in group.get_hosts()] for name, group in self.inventory.groups.items()}

    def pattern(self, text):
        try:
            return [h.name for h in self.inventory.get_hosts(text)]
        except Exception as e:  # pylint: disable=broad-except
            return "error: %s" % e


def same(x, y):
    """Equal, types included: 1 is not 1.0 nor True."""
    if type(x) is not type(y):
        return False
    if isinstance(x, dict):
        return x.keys() == y.keys() and all(same(x[k], y[k]) for k in x)
    if isinstance(x, list):
        return len(x) == len(y) and all(map(same, x, y))
    return x == y or x != x


def listed(theirs, maker, graph):
    """What ansible-inventory prints, by its own code."""
    context.CLIARGS = ImmutableDict(extra_vars=tuple(maker.extra), export=False, yaml=False, toml=False, pattern="all", show_vars=False,
                                    basedir=None)
    cli = InventoryCLI(["ansible-inventory", "--list"])
    cli.loader, cli.inventory, cli.vm = theirs.loader, theirs.inventory, theirs.vars
    return cli.inventory_graph() if graph else cli.dump(cli.json_inventory(cli._get_group("all")))  # pylint: disable=protected-access


def sources_of(maker):
    return [w for s in maker.sources for w in ("-i", s)] + [w for e in maker.extra for w in ("-e", e)]


def password(maker):
    return ["--vault-password-file", maker.file("password", "never used")]


def said(cmd):
    done = subprocess.run(cmd, capture_output=True, text=True, check=False)
    return done.stdout if not done.returncode else "status %d: %s" % (done.returncode, done.stderr[-400:])


def command_line(pig, theirs, maker, program, say):
    """The text of list and graph, to the byte; what differs is shown by its first line."""
    bad = 0
    for words, graph in ((["list", "--json", "--show-secrets"], False), (["graph"], True)):
        mine = said([pig, "inventory"] + words + sources_of(maker)).rstrip("\n")
        try:
            want = listed(theirs, maker, graph)
        except TypeError:  # a set or a complex number of an INI value: ansible-inventory cannot print it
            continue
        if program:
            want = said(["ansible-inventory", "--graph" if graph else "--list"] + password(maker) + sources_of(maker)).rstrip("\n")
        if mine != want:
            bad += 1
            x, y = mine.split("\n"), want.split("\n")
            at = next((i for i, (p, q) in enumerate(zip(x, y)) if p != q), min(len(x), len(y)))
            say("pig inventory %s, line %d:\n  theirs: %s\n  ours:   %s" % (words[0], at + 1, y[at:at + 2], x[at:at + 2]))
    return bad


def program_hosts(pig, maker, patterns, say):
    """ansible PATTERN --list-hosts, the program, beside pig inventory list -l PATTERN."""
    bad = 0
    for text in patterns:
        want = sorted(line.strip() for line in said(["ansible", "--list-hosts", text] + password(maker) + sources_of(maker)).split("\n")[1:] if line.strip())
        doc = said([pig, "inventory", "list", "-l", text] + sources_of(maker))
        mine = []
        if doc.startswith("{"):
            doc = json.loads(doc)
            mine = sorted({h for group in doc.values() for h in group.get("hosts", [])})
        if mine != want:
            bad += 1
            say("-l %s: %s\n  ours: %s" % (text, want, mine))
    return bad


def compare(args, maker, count, program, say):
    dump = args.dump
    theirs = Theirs(maker)
    hosts = list(theirs.inventory.hosts)
    groups = [g for g in theirs.inventory.groups if g != "ungrouped"]
    patterns = [maker.pattern(groups, hosts or ["x"]) for _ in range(count)]
    got = ours(dump, maker, patterns)
    bad = 0
    if "error" in got:
        say("not read: %s" % got["error"])
        return 1, 0
    want = theirs.values()
    if list(want) != list(got["hosts"]):
        say("hosts: %s\n  ours: %s" % (list(want), list(got["hosts"])))
        bad += 1
    for host, values in want.items():
        mine = got["hosts"].get(host, {})
        for name in sorted(values.keys() | mine.keys()):
            if not same(values.get(name, "(none)"), mine.get(name, "(none)")):
                say("%s.%s: %r\n  ours: %r" % (host, name, values.get(name, "(none)"), mine.get(name, "(none)")))
                bad += 1
    for group, names in theirs.groups().items():
        if set(names) != set(got["groups"].get(group, ())):
            say("group %s: %s\n  ours: %s" % (group, names, got["groups"].get(group)))
            bad += 1
    for text, mine in zip(patterns, got["patterns"]):
        names = theirs.pattern(text)
        if isinstance(names, str):
            # an index past the end: an error there, and here nothing under --allow-empty
            ok = isinstance(mine, str) or "subscripted" in names
        else:
            ok = sorted(names) == sorted(mine) if maker.deep else names == mine
        if not ok:
            say("pattern %s: %s\n  ours: %s" % (text, names, mine))
            bad += 1
    if args.pig:
        bad += command_line(args.pig, theirs, maker, program, say)
        # Ansible passes over terms that match nothing, with a warning: such patterns are not for this comparison
        if program:
            bad += program_hosts(args.pig, maker, ["all"] + groups[:2] + hosts[:1], say)
    return bad, len(patterns)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dump", required=True, help="the program inventory_dump")
    parser.add_argument("--inventories", type=int, default=60)
    parser.add_argument("--patterns", type=int, default=400, help="in all")
    parser.add_argument("--pig", help="the program, for the comparison of the command line")
    parser.add_argument("--programs", type=int, default=4, help="for so many inventories run Ansible's programs too")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="print the folder of the first inventory that differs and keep it")
    args = parser.parse_args()
    bad = patterns = differing = 0
    alone = tempfile.TemporaryDirectory()  # pig without modules beside it
    if args.pig:
        args.dump = os.path.abspath(args.dump)
        args.pig = shutil.copy(args.pig, alone.name)
        os.environ.update(ANSIBLE_LOCALHOST_WARNING="0", HOME=alone.name)
        os.chdir(alone.name)
    for i in range(args.inventories):
        with tempfile.TemporaryDirectory() as folder:
            maker = Maker(random.Random(args.seed * 100000 + i), folder).make()
            lines = []
            faults, n = compare(args, maker, -(-args.patterns // args.inventories), i < args.programs, lines.append)
            patterns += n
            if faults:
                differing += 1
                bad += faults
                print("inventory %d (%s), %d differences:" % (i, " ".join(maker.sources), faults))
                print("\n".join(lines[:6]))
                if args.keep:
                    kept = tempfile.mkdtemp()
                    subprocess.run(["cp", "-a", folder + "/.", kept], check=True)
                    print("kept in", kept)
                    return 1
    print("%d inventories, %d patterns: %d differences in %d inventories" % (args.inventories, patterns, bad, differing))
    print("%d passed, %d failed" % (args.inventories - differing, differing))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
