#!/usr/bin/python3
"""Vault both ways: what pig encrypts Ansible decrypts, and the other way round.

    vault.py --pig build/bin/pig [--texts 60]

Generated texts, ids and passwords go through Ansible's own VaultLib in this process and through `pig vault`; then every form once through
the program ansible-vault itself, and an inventory with encrypted values and files through ansible-inventory and ansible. Exit 77 when
Ansible is not installed.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

try:
    from ansible.parsing.vault import VaultLib, VaultSecret
except ImportError:
    print("skipped: Ansible is not installed for this Python")
    sys.exit(77)

good = bad = 0


def check(ok, text, *more):
    global good, bad
    if ok:
        good += 1
    else:
        bad += 1
        print("not ok - %s %s" % (text, " ".join(repr(m)[:300] for m in more)))


def run(cmd, data=b""):
    done = subprocess.run(cmd, input=data, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else b"status %d: " % done.returncode + done.stderr


def write(name, data):
    with open(name, "wb") as f:
        f.write(data)
    return name


def texts(pig, count):
    r = random.Random(7)
    for i in range(count):
        n = r.choice([0, 1, 15, 16, 17, 31, 32, r.randint(0, 400), r.randint(0, 20000)])
        text = bytes(r.choice([r.randrange(256), 10, 97]) for _ in range(n))
        password = "".join(r.choice("abc DEF012;:@%äß€") for _ in range(r.randint(1, 40))).strip() or "x"
        ident = r.choice(["default", "dev", "a b", "prod-1"])
        lib = VaultLib([(ident, VaultSecret(password.encode()))])
        source = "%s@%s" % (ident, write("pw", password.encode()))
        if ident == "default" and r.random() < 0.5:
            source = "pw"
        theirs = lib.encrypt(text, vault_id=ident)
        check(run([pig, "vault", "view", "--vault-id", source, write("theirs", theirs)]) == text, "pig opens Ansible's, case %d" % i)
        mine = run([pig, "vault", "encrypt", "--vault-id", source], text)
        check(mine.split(b"\n")[0] == theirs.split(b"\n")[0], "the header, case %d" % i, mine[:60], theirs[:60])
        check([len(x) for x in mine.split(b"\n")] == [len(x) for x in theirs.split(b"\n")], "the lines, case %d" % i)
        try:
            check(lib.decrypt(mine) == text, "Ansible opens pig's, case %d" % i)
        except Exception as e:  # pylint: disable=broad-except
            check(False, "Ansible opens pig's, case %d" % i, str(e))


def programs(pig):
    write("p1", b"one\n")
    write("p2", b"two\n")
    text = b"name: value\nlist: [1, 2]\n"
    both = ["--vault-id", "dev@p1", "--vault-id", "prod@p2"]
    run([pig, "vault", "encrypt", "--vault-password-file", "p1", write("f", text)])
    check(run(["ansible-vault", "view", "--vault-password-file", "p1", "f"]).rstrip(b"\n") == text.rstrip(b"\n"), "ansible-vault view")
    run(["ansible-vault", "rekey", "--vault-password-file", "p1", "--new-vault-id", "prod@p2", "f"])
    check(run([pig, "vault", "view"] + both + ["f"]) == text, "pig vault view after ansible-vault rekey")
    run([pig, "vault", "rekey"] + both + ["--new-vault-id", "dev@p1", "f"])
    run(["ansible-vault", "decrypt", "f"] + both)
    with open("f", "rb") as f:
        check(f.read() == text, "ansible-vault decrypt after pig vault rekey")
    mine = run([pig, "vault", "encrypt_string", "--vault-id", "dev@p1", "-n", "x"], b"s3cret value")
    theirs = run(["ansible-vault", "encrypt_string", "--vault-id", "dev@p1", "--stdin-name", "x"], b"s3cret value")
    shape = [(len(a), a[:40] if i < 2 else "") for i, a in enumerate(mine.rstrip(b"\n").split(b"\n"))]
    check(shape == [(len(a), a[:40] if i < 2 else "") for i, a in enumerate(theirs.rstrip(b"\n").split(b"\n"))], "encrypt_string", mine, theirs)
    return mine, theirs, both



def inventory(pig, mine, theirs, both):
    os.makedirs("group_vars/all", exist_ok=True)
    doc = (b"all:\n  hosts: { h1: }\n  vars:\n" + b"".join(
        b"    " + name + b": !vault |\n" + b"".join(b"      " + line.strip() + b"\n" for line in text.rstrip(b"\n").split(b"\n")[1:])
        for name, text in ((b"a", mine), (b"b", theirs))) + b"    c: '<{{ a }}{{ b }}>'\n")
    write("inv.yml", doc)
    write("group_vars/all/v.yml", run([pig, "vault", "encrypt", "--vault-id", "prod@p2"], b"d: 12\ne: 'x{{ a }}'\n"))
    want = run(["ansible-inventory", "-i", "inv.yml", "--list"] + both)
    have = run([pig, "inventory", "list", "--json", "--show-secrets", "-i", "inv.yml"] + both)
    check(want == have, "ansible-inventory --list with encrypted values and files", want, have)
    for name in "abcde":
        want = run(["ansible", "-i", "inv.yml", "h1", "-c", "local", "-m", "debug", "-a", "msg={{ %s }}" % name] + both)
        have = run([pig, "inventory", "host", "h1", "--json", "--show-secrets", "-i", "inv.yml"] + both)
        want = json.loads(want.split(b"=> ", 1)[1])["msg"] if b"=> " in want else want
        check(str(want) == str(json.loads(have)[name]["value"]), "value of %s" % name, want, json.loads(have)[name]["value"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pig", required=True)
    parser.add_argument("--texts", type=int, default=60)
    args = parser.parse_args()
    pig = os.path.abspath(args.pig)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["HOME"] = folder
        for name in ("ANSIBLE_VAULT_PASSWORD_FILE", "ANSIBLE_VAULT_IDENTITY_LIST"):
            os.environ.pop(name, None)
        texts(pig, args.texts)
        inventory(pig, *programs(pig))
        os.chdir("/")
    print("%d passed, %d failed" % (good, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
