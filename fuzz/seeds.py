#!/usr/bin/python3
"""Write the seeds of the corpora: fuzz/corpus/TARGET/seed-NAME. Those of deltas and
modules are made by seeds-delta.c.

What libFuzzer found beyond them lies beside them, named by its SHA-1."""
import base64
import hashlib
import json
import pathlib
import struct
import subprocess
import tempfile

CORPUS = pathlib.Path(__file__).parent / "corpus"
HASH = "00112233445566778899aabbccddeeff" * 2
FACTS = {"size": 5, "sha256": HASH, "build_id": "aa01"}
MANIFEST = {
    "type": "suture-manifest", "version": 1, "baseline": "debian-12-x86-64", "architecture": "x86-64",
    "level": "b", "created": "2026-05-01T10:00:00Z",
    "components": [{
        "name": "openssl", "old_version": "3.0.1", "new_version": "3.0.2",
        "image": {"size": 4096, "seal": HASH},
        "fixes": [{"id": "CVE-2026-1", "title": "a\nhole", "severity": "high"}],
        "health": [{"unit": "nginx*.service", "command": "/usr/bin/curl -fsS http://127.0.0.1/"}],
        "files": [{"path": "/usr/lib/a.so", "before": FACTS, "after": FACTS},
                  {"path": "/opt/new", "before": None, "after": dict(FACTS, build_id=None)}],
        "deltas": [{"object": {"size": 7, "sha256": HASH},
                    "sources": [{"path": "/usr/lib/a.so", "size": 5, "sha256": HASH}]}]}]}
CHANNEL = {
    "type": "suture-channel", "version": 1, "baseline": "debian-12-x86-64", "serial": 7, "current": "b",
    "floor": None, "levels": [
        {"level": "a", "rollout": [], "recall": {"reason": "breaks sound"}},
        {"level": "b", "recall": None, "rollout": [{"from": "2026-05-01T00:00:00Z", "percent": 10},
                                                   {"from": "2026-05-02T00:00:00Z", "percent": 100}]}]}
BASELINE = {
    "type": "suture-baseline", "version": 1, "name": "debian-12-x86-64", "architecture": "x86-64",
    "os_version": "12", "os_name": "Debian 12",
    "files": [dict(FACTS, path="/usr/lib/z", mode=420), dict(FACTS, path="/usr/lib/a", mode=493)]}
STATE = {
    "type": "suture-state", "version": 1, "newest": 9, "active": 8, "previous": 7, "transition": 9,
    "level": "b", "baseline": "debian-12-x86-64", "boots": {"tries": 2, "counted": "12345678-1234-1234-1234-123456789abc"},
    "watched": {"generation": 8, "units": ["a.service", "b.service"], "excused": ["b.service", "/usr/bin/check it"]},
    "knowledge": {"baseline": "debian-12-x86-64", "serial": 5, "floor": "a", "removed": "a", "staged": "c",
                  "quarantine": [{"level": "a", "at": 1780272000, "reason": "a.service has failed"}],
                  "recalls": [{"level": "aa", "at": 5, "reason": "it breaks sound"}]},
    "last_check": {"at": 1780272000, "outcome": "Offered", "message": "12 (b)", "level": "c"}}

X86 = {
    "function": "f30f1efa 554889e5 4883ec10 488b05f92f0000 8b04250000000048 c7842410000000ff000000 e811223344"
                "0f8512345678 7412 eb05 f7c078563412 f7d8 c9 c3",
    "prefixes": "662e0f1f840000000000 666648e812345678 f0480fb10f 64488b042528000000 66c7f81234 66e81234 48b80102030405060708"
                "67a001020304 66666666666666666666666666666690",
    "0f": "0f05 0f0b 0fc8 660f70c04e 660f73f808 660f78c00102 f20f78c10102 f30fb8c0 0f0fc19e 0f2204 0fffc0 660f3800c1"
          "660f3a0fc108 0fc70f",
    "vex": "c5f877 c5f81000 c5fd6f0512345678 c4c17a6f0424 c4e27d180512345678 c4e26990040512345678 c4e37d39c101",
    "evex": "62f17c481000 62f17c48114001 62f27d4858c0 62f375403f84241234567800 62f57c4858c0 62f67d4898c0",
    "xop": "8fe878c0c105 8fe97881c1 8fea7810c112345678 8fc0 8f4508",
    "nonsense": "06 82c001 d6 ea 0f04 0fb8 62f4 c4e0 8f20 fef8 66666666666666666666666666666666 0f",
}


def seed(target, name, data):
    directory = CORPUS / target
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"seed-{name}").write_bytes(data if isinstance(data, bytes) else data.encode())


def metadata(role, **fields):
    signed = {"_type": role, "spec_version": "1.0.34", "version": 1, "expires": "2027-01-01T00:00:00Z", **fields}
    key_id = next(iter(fields.get("keys", {HASH: None})))
    return json.dumps({"signatures": [{"keyid": key_id, "sig": "00" * 64}], "signed": signed})


def root():
    key = {"keytype": "ed25519", "keyval": {"public": HASH}, "scheme": "ed25519"}
    key_id = hashlib.sha256(json.dumps(key, separators=(",", ":")).encode()).hexdigest()
    roles = {role: {"keyids": [key_id], "threshold": 1} for role in ("root", "timestamp", "snapshot", "targets")}
    return metadata("root", keys={key_id: key}, roles=roles, consistent_snapshot=True)


def elf():
    note = struct.pack("<III", 4, 20, 3) + b"GNU\0" + bytes(range(20))
    other = struct.pack("<III", 3, 4, 3) + b"Go\0\0" + b"abcd"
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 4, 4, 120, 0, 0, len(other + note), len(other + note), 4)
    return header + segment + other + note


class Signer:
    """A log (type 1) or a witness (type 4) with an Ed25519 key whose 32 secret bytes are all `secret`."""

    def __init__(self, name, kind, secret):
        der = bytes.fromhex("302e020100300506032b657004220420") + bytes([secret]) * 32
        self.pem = f"-----BEGIN PRIVATE KEY-----\n{b64(der)}\n-----END PRIVATE KEY-----\n".encode()
        public = subprocess.run(["openssl", "pkey", "-pubout", "-outform", "DER"], input=self.pem, check=True,
                                capture_output=True).stdout[-32:]
        typed = bytes([kind]) + public
        self.name = name
        self.id = hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4]
        self.vkey = f"{name}+{self.id.hex()}+{b64(typed)}"

    def sign(self, message):
        with tempfile.NamedTemporaryFile() as key, tempfile.NamedTemporaryFile() as text:
            key.write(self.pem), key.flush()
            text.write(message.encode()), text.flush()
            return subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key.name, "-in", text.name],
                                  check=True, capture_output=True).stdout

    def line(self, signature):
        return f"\u2014 {self.name} {b64(self.id + signature)}\n"


def b64(data):
    return base64.b64encode(data).decode()


def leaf(data):
    return hashlib.sha256(b"\0" + data).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(hashes):
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return node(root_of(hashes[:k]), root_of(hashes[k:]))


def path_of(index, hashes):
    if len(hashes) == 1:
        return []
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    if index < k:
        return path_of(index, hashes[:k]) + [root_of(hashes[k:])]
    return path_of(index - k, hashes[k:]) + [root_of(hashes[:k])]


def log_seeds():
    # fuzz-proof.c knows the public keys of these two.
    log, witness = Signer("log.example", 1, 1), Signer("witness.example", 4, 2)
    leaves = [leaf(b"%d" % i) for i in range(5)]
    text = f"log.example\n5\n{b64(root_of(leaves))}\n"
    note = text + "\n" + log.line(log.sign(text)) + witness.line(
        struct.pack(">Q", 1000) + witness.sign(f"cosignature/v1\ntime 1000\n{text}"))
    seed("note", "checkpoint", note)
    seed("note", "text", text + "extension\n")
    seed("note", "key", log.vkey)
    seed("note", "go", "If you think cryptography is the answer to your problem,\nthen you don't know what your problem "
         "is.\n\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6"
         "RyyBwJnAM=\n")
    for index in (0, 4):
        lines = f"index {index}\n" + "".join(b64(h) + "\n" for h in path_of(index, leaves))
        seed("proof", f"entry-{index}", bytes([index]) + f"c2sp.org/tlog-proof@v1\n{lines}\n{note}".encode())
        seed("proof", f"signed-{index}", bytes([128 + index]) + text.encode() + b"\0" + lines.encode())
    seed("proof", "extra", b"\0c2sp.org/tlog-proof@v1\nextra Zm9v\nindex 0\n\n" + note.encode())
    witnesses = [Signer(f"w{i}.example", 4, 10 + i) for i in range(6)]
    seed("policy", "groups", bytes([0b101010, 9, 3, 7, 1, 0, 0, 0]) + (
        f"# a policy\nlog {log.vkey} https://log.example/\n" + "".join(
            f"witness w{i} {witness.vkey}\n" for i, witness in enumerate(witnesses)) +
        "group x 2 w0 w1 w2\ngroup y any w3 w4 w5\ngroup all all x y\nquorum all\n").encode())
    seed("policy", "none", bytes(8) + b"quorum none\n")
    seed("policy", "one", bytes([1]) * 8 + f"\twitness  w {witness.vkey} url \n quorum w\n".encode())


def file_seed(which, data, size=None):
    return struct.pack(">BH", which, size or len(data)) + data


def tile_seeds():
    entries = b"".join(struct.pack(">H", 1) + b"%d" % i for i in range(3))
    seed("tiles", "three", struct.pack(">BH", 0, 3) + file_seed(3, b"".join(leaf(b"%d" % i) for i in range(3))) +
         file_seed(12, entries))
    hashes = [leaf(b"")] * 256
    level = root_of(hashes)
    full = b"".join(hashes)
    seed("tiles", "full", struct.pack(">BH", 0, 256) + file_seed(0, full) + file_seed(6, level) +
         file_seed(9, bytes(512)))
    seed("tiles", "more", struct.pack(">BH", 0, 257) + file_seed(0, full) + file_seed(6, level) +
         file_seed(5, leaf(b"")) + file_seed(13, bytes(2)))
    seed("tiles", "partial-gone", struct.pack(">BH", 0, 2) + file_seed(0, full) + file_seed(9, bytes(512)))
    for name, path in {"path": "tile/0/x001/x234/067", "partial": "tile/63/000.p/255",
                       "entries": "tile/entries/x036/x028/x797/x018/x963/967.p/1"}.items():
        seed("tiles", name, b"t" + path.encode())


def message(kind, data):
    return struct.pack("=II", kind, len(data)) + data


def message_seeds():
    """ERROR is 0, PROGRESS 1, DONE 2."""
    progress, done = message(1, struct.pack("=QQ", 5, 10)), message(2, b"")
    seed("message", "whole", b"\xff" + progress + progress + done)
    seed("message", "bytes", b"\0" + progress + message(0, struct.pack("=II", 23, 74) + b"the delta is damaged"))
    seed("message", "odd", b"\x07" + message(0, struct.pack("=II", 99, 99999) + b"\x1b[2J\xff") + message(1, b"x"))
    seed("message", "large", b"\xff" + struct.pack("=II", 2, 32769) + done)


def answer_seeds():
    """REQUEST is 16, DATA 17, END 18: received, status, size of the entity tag; RESTART 19, OPENING 20."""
    def end(received, status, etag=b""):
        return message(18, struct.pack("=QII", received, status, len(etag)) + etag)
    data = message(17, b"what the server says\n")
    seed("answer", "file", b"\0" + message(1, struct.pack("=QQ", 3, 1000)) + data + data + end(42, 200, b'W/"a"'))
    seed("answer", "unchanged", b"\1" + end(0, 304))
    seed("answer", "too-much", b"\0" + message(17, bytes(999)) + data + end(1020, 200))
    seed("answer", "lies", b"\0" + data + end(22, 200) + end(21, 304) + end(21, 200, b"*"))
    seed("answer", "rest", b"\2" + data + end(21, 206))
    seed("answer", "restart", b"\2" + message(19, b"") + data + end(21, 200))
    seed("answer", "request", b"\0" + message(16, struct.pack("=QQII", 5, 3, 1, 10) + b"targets/x\0\"1\"\0"))
    seed("answer", "opening", b"\0" + message(20, struct.pack("=IIQ", 1, 11, 7) + b"https://a/\0http://p\0"))


def store_seeds():
    entry = "<Contents><Key>p/a&amp;%d</Key><ETag>&quot;1&quot;</ETag><Size>%d</Size></Contents>"
    page = '<?xml version="1.0"?>\n<ListBucketResult xmlns="x"><Name>b</Name>%s</ListBucketResult>'
    seed("s3-answer", "page", page % ("<IsTruncated>true</IsTruncated>" + entry % (1, 5) + entry % (2, 0) +
                                      "<NextContinuationToken>a/+=</NextContinuationToken>"))
    seed("s3-answer", "last", page % (entry % (1, 5) + "<IsTruncated>false</IsTruncated>"))
    seed("s3-answer", "characters", page % "<Contents><Size>1</Size><Key>&#65;&#x42;&lt;&bad;&#xffff;\xe4</Key></Contents>")
    seed("s3-answer", "refusal", "<Error><Code>SlowDown</Code><Message>Not &#9; now</Message></Error>")


def main():
    seed("json", "all", '{"a": [1, -2, true, false, null, "\\n\\u00e9\\"\\\\"], "b": {"c": {}}}')
    seed("json", "integers", "[9223372036854775807, -9223372036854775808, 0]")
    seed("json", "real", "[1.5]")
    seed("json", "deep", "[" * 33 + "]" * 33)
    seed("metadata", "root", b"\0" + root().encode())
    seed("metadata", "timestamp", b"\1" + metadata("timestamp", meta={
        "snapshot.json": {"version": 1, "length": 5, "hashes": {"sha256": HASH}}}).encode())
    seed("metadata", "snapshot", b"\2" + metadata("snapshot", meta={"targets.json": {"version": 1}}).encode())
    seed("metadata", "targets", b"\3" + metadata("targets", targets={
        "a/b": {"length": 1, "hashes": {"sha256": HASH}}}).encode())
    keys = json.loads(root())["signed"]["keys"]
    signers = {"keyids": list(keys), "threshold": 1}
    for name, how in {
            "paths": {"roles": [dict(signers, name="debian-12-x86-64", terminating=True, paths=["debian-12-x86-64/*", "*/[!b-z]/?anifest*"]),
                                dict(signers, name="other", terminating=False, paths=["*/*/*"])]},
            "prefixes": {"roles": [dict(signers, name="x", terminating=False, path_hash_prefixes=["", "0", "ab"])]},
            "bins": {"succinct_roles": dict(signers, bit_length=8, name_prefix="bin")}}.items():
        seed("metadata", name, b"\3" + metadata("targets", targets={}, delegations=dict(how, keys=keys)).encode())
    seed("manifest", "full", json.dumps(MANIFEST))
    seed("manifest", "empty", json.dumps(dict(MANIFEST, components=[])))
    seed("channel", "full", json.dumps(CHANNEL))
    seed("channel", "empty", json.dumps(dict(CHANNEL, current=None, levels=[])))
    seed("baseline", "full", json.dumps(BASELINE))
    seed("build-id", "elf", elf())
    seed("build-id", "script", "#!/bin/sh\n")
    seed("os-release", "debian", 'PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\nVERSION_ID=\'12\'\n# BUILD_ID=1\n')
    seed("os-release", "quotes", 'ID="a \\"b\\" \\$c"\nIMAGE_VERSION=\nBUILD_ID="open\nVERSION_ID=1 \r\n')
    seed("state", "state", b"\0" + json.dumps(STATE).encode())
    seed("state", "history", b'\1\n{"event":"install"}\n\n{"event":"remove"}\n\n{"event":')
    seed("state", "config", b"\2# where from\n[Source]\nRepository = https://example.org/\nTrustedRoot=/etc/root.json\n")
    seed("text", "time", "2026-06-01T00:00:00Z")
    seed("text", "hex", "00ff1a")
    seed("text", "path", "/usr/lib/x.so.1")
    seed("text", "name", "debian-12.11~rc1+b_2-x86-64")
    seed("text", "letters", b"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \x1b[2J \xc2\x9b \xff")
    seed("health", "full", "# who\n[nginx*.service]\nCommand = /usr/bin/curl -fsS http://127.0.0.1/\n[*]\nCommand=/bin/y\n")
    seed("health", "wrong", "[a b]\nCommand=x\n")
    message_seeds()
    answer_seeds()
    log_seeds()
    store_seeds()
    tile_seeds()
    for name, code in X86.items():
        seed("x86", name, bytes.fromhex(code))


main()
