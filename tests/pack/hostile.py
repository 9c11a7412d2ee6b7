"""Hostile bundles: each is made here, tried by `pig repo verify` and by `pig repo extract`, and has to be refused with its reason,
with nothing written anywhere. hostile.py PIG. Bundles are signed with a key made here, as who builds one may be the one to fear."""
import hashlib, io, os, struct, subprocess, sys, tarfile, tempfile, zlib

pig = sys.argv[1]
work = tempfile.mkdtemp(prefix="pig-hostile.")
os.chdir(work)
os.environ["HOME"] = work
os.environ.pop("PIGSTY_HOME", None)
good = bad = 0


def sh(*argv, data=None):
    return subprocess.run(argv, input=data, capture_output=True, timeout=60)


sh("openssl", "genpkey", "-algorithm", "ed25519", "-out", "key.pem")
sh("openssl", "pkey", "-in", "key.pem", "-pubout", "-out", "key.pub")
sh("openssl", "genpkey", "-algorithm", "ed25519", "-out", "other.pem")
sh("openssl", "genpkey", "-algorithm", "ed25519", "-out", "third.pem")
sh("openssl", "pkey", "-in", "third.pem", "-pubout", "-out", "third.pub")


def sign(text, key="key.pem"):
    open("m", "wb").write(text)
    r = sh("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", "m")
    assert len(r.stdout) == 64, r.stderr
    return r.stdout


def line(path, data, size=None, x="-"):
    return "file %s %d %s %s\n" % (hashlib.sha256(data).hexdigest(), len(data) if size is None else size, x, path)


HEAD = "pig-bundle 1\nname pigsty\nos debian12 amd64\ntime 1764150000\n"
FILES = [("bootstrap", b"#!/bin/sh\n", "x"), ("pigsty/Packages", b"Package: x\n" * 300, "-"), ("pigsty/a.deb", b"deb" * 700, "-")]


def member(path, data=b"", kind=tarfile.REGTYPE, mode=0o644, link="", size=None, major=0, minor=0, pax=None):
    t = tarfile.TarInfo(path)
    t.size = (len(data) if size is None else size) if kind == tarfile.REGTYPE else 0
    t.type, t.mode, t.linkname, t.mtime, t.devmajor, t.devminor = kind, mode, link, 1764150000, major, minor
    if pax:
        t.pax_headers = pax
    fmt = tarfile.PAX_FORMAT if pax else tarfile.GNU_FORMAT
    return t.tobuf(fmt) + data + b"\0" * (-len(data) % 512)


def gz(tar, level=0, head=b"\x1f\x8b\x08\0\0\0\0\0\x00\x03", crc=None):
    z = zlib.compressobj(level, zlib.DEFLATED, -15)
    return head + z.compress(tar) + z.flush() + struct.pack("<II", zlib.crc32(tar) if crc is None else crc, len(tar) & 0xFFFFFFFF)


END = b"\0" * 1024


def bundle(files=FILES, manifest=None, members=None, key="key.pem", sig=None, front=b"", back=b"", end=END):
    text = (manifest if manifest is not None else HEAD + "".join(line(p, d, x=x) for p, d, x in files)).encode("latin-1")
    body = members if members is not None else b"".join(member(p, d, mode=0o755 if x == "x" else 0o644) for p, d, x in files)
    s = sign(text, key) if sig is None else sig
    return gz(front + member("manifest", text) + member("manifest.sig", s) + body + back + end)


def tree(d):
    return sorted(os.path.join(p, n) for p, ds, fs in os.walk(d) for n in ds + fs)


def try_it(name, data, text, ok=False):
    """text None: it is good."""
    global good, bad
    open("b.tgz", "wb").write(data)
    os.makedirs("into", exist_ok=True)
    for verb in (["verify", "b.tgz"], ["extract", "b.tgz", "-C", "into"]):
        before = tree(work)
        r = sh(pig, "repo", *verb, "--key", "key.pub")
        said = (r.stdout + r.stderr).decode("utf-8", "replace")
        fine = r.returncode == (0 if text is None else 2) and (text is None or text in said)
        if text is not None and tree(work) != before:
            fine, said = False, said + "\nwritten: %s" % (set(tree(work)) - set(before))
        if fine:
            good += 1
        else:
            bad += 1
            print("failed: %s, %s: status %d\n    %s" % (name, verb[0], r.returncode, said.replace("\n", "\n    ")))
    sh("rm", "-rf", "into")


evil = lambda p, data=b"x", **k: bundle(FILES, back=member(p, data, **k))
listed = lambda p, data=b"x", **k: bundle(FILES, HEAD + "".join(line(q, d, x=x) for q, d, x in FILES) + line(p, data), back=member(p, data, **k))
M = lambda extra: HEAD + extra

try_it("a good one", bundle(), None)
# ---- ways out of the folder: beside what is listed, and listed and signed ----
for p in ("/etc/passwd", "../x", "pigsty/../../x", "./x", "pigsty//x", "pigsty/./x", "x/", "a\nb", "a b", "\x7f", "x" * 300):
    try_it("unlisted path %r" % p[:20], evil(p), "a path that a bundle may not have")
    if "\n" not in p:
        try_it("listed path %r" % p[:20], listed(p), "a path that a bundle may not have")
# ---- kinds ----
for kind, n in ((tarfile.SYMTYPE, "symlink"), (tarfile.LNKTYPE, "hard link")):
    for to in ("/etc/passwd", "../../x", "pigsty/Packages"):
        try_it("%s to %s" % (n, to), evil("pigsty/l", b"", kind=kind, link=to), "is a link")
        try_it("listed %s to %s" % (n, to), listed("pigsty/l", b"", kind=kind, link=to), "is a link")
for kind, n in ((tarfile.CHRTYPE, "character device"), (tarfile.BLKTYPE, "block device"), (tarfile.FIFOTYPE, "fifo"), (tarfile.DIRTYPE, "folder")):
    try_it(n, evil("pigsty/d", b"", kind=kind, major=1, minor=3), "no plain file" if kind != tarfile.DIRTYPE else "a path that a bundle may not have")
for mode, n in ((0o4755, "setuid"), (0o2755, "setgid"), (0o1777, "sticky")):
    try_it(n, listed("pigsty/s", mode=mode), "setuid, setgid or sticky")
link_then = member("pigsty/l", kind=tarfile.SYMTYPE, link="/tmp") + member("pigsty/l/x", b"x")
try_it("a link, then a file through it", bundle(FILES, HEAD + "".join(line(q, d, x=x) for q, d, x in FILES) + line("pigsty/l/x", b"x"), back=link_then), "is a link")
# ---- content ----
body = [member(p, d, mode=0o755 if x == "x" else 0o644) for p, d, x in FILES]
try_it("a changed byte", bundle(members=body[0] + member("pigsty/Packages", b"Qackage: x\n" + b"Package: x\n" * 299) + body[2]), "not what was packed")
try_it("a missing file", bundle(members=body[0] + body[2]), "is missing, or not in its place")
try_it("the last file missing", bundle(members=body[0] + body[1]), "is missing, or not in its place")
try_it("no files", bundle(members=b""), "is missing, or not in its place")
try_it("one too many", evil("pigsty/x"), "is not in its manifest")
try_it("one twice", bundle(members=b"".join(body) + body[1]), "pigsty/Packages")
try_it("another order", bundle(members=body[1] + body[0] + body[2]), "not in its place")
try_it("larger than listed", bundle(members=body[0] + member("pigsty/Packages", b"Package: x\n" * 301) + body[2]), "larger than it may be")
try_it("smaller than listed", bundle(members=body[0] + member("pigsty/Packages", b"Package: x\n" * 299) + body[2]), "not what was packed")
try_it("executable where it may not be", bundle(members=body[0] + body[1] + member("pigsty/a.deb", b"deb" * 700, mode=0o755)), "not what was packed")
# ---- the manifest and its signature ----
text = (HEAD + "".join(line(p, d, x=x) for p, d, x in FILES)).encode()
try_it("signed by another", bundle(key="other.pem"), "none of the keys known here")
try_it("signature of another text", bundle(sig=sign(text + b"\n")), "none of the keys known here")
try_it("a signature of zeros", bundle(sig=b"\0" * 64), "none of the keys known here")
try_it("a short signature", bundle(sig=sign(text)[:63]), "signature is none")
try_it("a long signature", bundle(sig=sign(text) + b"x"), "larger than it may be")
try_it("no manifest", gz(b"".join(body) + END), "does not begin with its manifest")
try_it("something before the manifest", bundle(front=member("a", b"x")), "does not begin with its manifest")
try_it("the manifest as a link", gz(member("manifest", kind=tarfile.SYMTYPE, link="/etc/passwd") + END), "is a link")
try_it("the manifest larger than any", gz(member("manifest", b"x" * 16, size=(16 << 20) + 1) + END), "larger than it may be")
for n, m, say in (("of one empty line", "\n", "does not begin with"), ("of a later kind", HEAD.replace("bundle 1", "bundle 2"), "does not begin with"),
                  ("without files", HEAD, "no files"), ("without its last newline", (HEAD + line("a", b""))[:-1], "its manifest is not one"),
                  ("with a NUL", HEAD + line("a\0b", b""), "its manifest is not one"), ("with a carriage return", HEAD + line("a", b"")[:-1] + "\r\n", "may not have"),
                  ("with a path twice", M(line("a", b"") * 2), "there twice"), ("that lists itself", M(line("manifest", b"")), "lists itself"),
                  ("with a file as a folder", M(line("a", b"") + line("a/b", b"")), "a file where another has its folder"),
                  ("with a folder as a file", M(line("a/b", b"") + line("a", b"")), "a file where another has its folder"),
                  ("of a petabyte", M(line("a", b"", size=10 ** 15)), "too large together"),
                  ("that overflows", M(line("a", b"", size=10 ** 17) * 1), "too large together"),
                  ("with a size of 30 digits", M(line("a", b"", size=10 ** 30)), "no size"),
                  ("with a negative size", M(line("a", b"", size=-1)), "no size"),
                  ("with capital digests", M(line("a", b"").replace("e3b0", "E3B0")), "no file's line"),
                  ("with a name that leads out", HEAD.replace("pigsty", "../..") + line("a", b""), "no name"),
                  ("with a name with a slash", HEAD.replace("pigsty", "a/b") + line("a", b""), "no name")):
    try_it("a manifest " + n, bundle(manifest=m, members=b""), say)
# ---- bombs and the frame ----
zeros = b"\0" * (1 << 20)
gz0 = gz
gz = lambda tar, **k: gz0(tar, level=9, **k) # what is small here and large there
try_it("a bomb behind the end", bundle(end=END + zeros * 300), "more than its manifest says")
try_it("a bomb before the manifest", gz(b"\0" * 512 + member("x", zeros * 40) + END), "")
try_it("a bomb as a listed file's tail", bundle(members=body[0] + member("pigsty/Packages", zeros * 200, size=200 << 20) + body[2]), "larger than it may be")
gz = gz0
try_it("something behind the end of the tar", bundle(end=END + b"x" * 512), "behind its end")
try_it("a second bundle behind the frame", bundle() + bundle(), "behind its end")
try_it("a byte behind the frame", bundle() + b"x", "behind its end")
whole = bundle()
for part in (0, 1, 9, 10, 100, len(whole) // 2, len(whole) - 8, len(whole) - 1):
    try_it("cut to %d bytes" % part, whole[:part], "bundle")
try_it("a plain tar", gz(b"").join([]) + member("manifest", text) + END, "does not begin as one does")
try_it("a zip", b"PK\3\4" + b"\0" * 100, "does not begin as one does")
try_it("random bytes", os.urandom(4096), "does not begin as one does")
try_it("a frame with a name in it", gz(END, head=b"\x1f\x8b\x08\x08\0\0\0\0\0\x03name\0"), "does not begin as one does")
try_it("a wrong checksum of the frame", gz(member("manifest", text) + member("manifest.sig", sign(text)) + b"".join(body) + END, crc=1), "")
try_it("extended headers that rename", bundle(members=body[0] + member("pigsty/Packages", FILES[1][1], pax={"path": "../x"}) + body[2]), "a path that a bundle may not have")
try_it("extended headers that resize", bundle(members=body[0] + member("pigsty/Packages", FILES[1][1], pax={"size": "99999999999"}) + body[2]), "larger than it may be")
try_it("a sparse file", bundle(members=body[0] + member("pigsty/Packages", FILES[1][1], pax={"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
                                                                                             "GNU.sparse.realsize": "3300", "GNU.sparse.name": "pigsty/Packages"}) + body[2]), "")
# every byte, here and there: refused, or it was one that means nothing
step = max(1, len(whole) // 150)
for at in range(0, len(whole), step):
    one = bytearray(whole)
    one[at] ^= 0x10
    if at == 8:
        continue  # how hard the compressor tried: it decides nothing
    try_it("byte %d changed" % at, bytes(one), "")

# ---- who may sign ----
def run(what, argv, status, text):
    global good, bad
    r = sh(pig, "repo", *argv)
    said = (r.stdout + r.stderr).decode()
    if r.returncode == status and text in said:
        good += 1
    else:
        bad += 1
        print("failed: %s: status %d\n    %s" % (what, r.returncode, said))


open("b.tgz", "wb").write(whole)
run("no key is known", ["verify", "b.tgz"], 2, "no key is known here")
run("another key", ["verify", "b.tgz", "--key", "third.pub"], 2, "none of the keys known here")
run("one of several", ["verify", "b.tgz", "--key", "third.pub", "--key", "key.pub"], 0, "good, 3 files")
run("a key that is none", ["verify", "b.tgz", "--key", "b.tgz"], 2, "none of the keys known here")
run("a key that is not there", ["verify", "b.tgz", "--key", "nokey"], 2, "nokey")
os.makedirs("files/pki/repo"); os.rename("key.pub", "files/pki/repo/bundle.pub")
run("the key beside the inventory", ["verify", "b.tgz"], 0, "good, 3 files")
run("no file", ["verify"], 2, "needs the bundle's file")
run("a file that is not there", ["verify", "none.tgz"], 2, "cannot be read")
run("a folder", ["verify", "files"], 2, "bundle")
run("extract", ["extract", "b.tgz", "-C", "x/y"], 0, "good, 3 files")
run("again", ["extract", "b.tgz", "-C", "x/y"], 2, "is there already")
open("x/y/pigsty/old", "w").close()
run("in place of what is there", ["extract", "b.tgz", "-C", "x/y", "--replace"], 0, "good")
run("nothing is left of it", ["verify", "b.tgz"] if not os.path.exists("x/y/pigsty/old") else ["none"], 0, "good")
run("a word too many", ["build", "x"], 2, "does not know")
if sorted(os.listdir("x/y")) != ["bootstrap", "pigsty"] or oct(os.stat("x/y/bootstrap").st_mode & 0o7777) != "0o755":
    bad += 1
    print("failed: what was extracted: %s" % os.listdir("x/y"))
os.chdir("/")
sh("rm", "-rf", work)
print("%d passed, %d failed" % (good, bad))
sys.exit(0 if good and not bad else 1)
