"""A witness of transparency logs (C2SP tlog-witness) on an ephemeral port of 127.0.0.1, independent of the product's own code: it
remembers the largest checkpoint of each log and cosigns only what goes on from there."""
import base64
import hashlib
import http.server
import struct
import threading
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

LOG, COSIGNATURE = b"\x01", b"\x04"


def raw(key):
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def key_id(name, kind, public):
    return hashlib.sha256(name.encode() + b"\n" + kind + public).digest()[:4]


def vkey(name, kind, public):
    return f"{name}+{key_id(name, kind, public).hex()}+{base64.b64encode(kind + public).decode()}"


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def is_consistent(old_size, old_root, size, root, proof):
    """RFC 9162, section 2.1.4.2."""
    if old_size == size:
        return not proof and old_root == root
    if old_size == 0:
        return not proof
    if not proof:
        return False
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    fn, sn = old_size - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old_root and sr == root


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, answer = self.server.add_checkpoint(body.decode()) if self.path.endswith("/add-checkpoint") else (404, "")
        self.send_response(status)
        self.send_header("Content-Type", "text/x.tlog.size" if status == 409 else "text/plain")
        self.send_header("Content-Length", str(len(answer.encode())))
        self.end_headers()
        self.wfile.write(answer.encode())


class Witness(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, name, log_vkey):
        super().__init__(("127.0.0.1", 0), Handler)
        self.name, self.key, self.seen, self.asked = name, ed25519.Ed25519PrivateKey.generate(), {}, 0
        self.origin, log_id, log_key = log_vkey.split("+", 2)
        self.log_id, self.log_key = bytes.fromhex(log_id), ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(log_key)[1:])
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def vkey(self):
        return vkey(self.name, COSIGNATURE, raw(self.key.public_key()))

    def line(self, text, now=None):
        now = int(time.time()) if now is None else now
        signature = self.key.sign(f"cosignature/v1\ntime {now}\n{text}".encode())
        public = raw(self.key.public_key())
        return f"\u2014 {self.name} {base64.b64encode(key_id(self.name, COSIGNATURE, public) + struct.pack('>Q', now) + signature).decode()}\n"

    def is_signed(self, text, signatures):
        for line in signatures.splitlines():
            dash, name, value = line.split(" ")
            value = base64.b64decode(value)
            if (dash, name, value[:4]) == ("\u2014", self.origin, self.log_id):
                try:
                    self.log_key.verify(value[4:], text.encode())
                    return True
                except InvalidSignature:
                    return False
        return False

    def add_checkpoint(self, body):
        self.asked += 1
        head, text, signatures = body.split("\n\n", 2)
        old, *proof = head.splitlines()
        old_size, text = int(old.removeprefix("old ")), text + "\n"
        origin, size, root = text.splitlines()[:3]
        size, root = int(size), base64.b64decode(root)
        if origin != self.origin:
            return 404, ""
        if not self.is_signed(text, signatures):
            return 403, ""
        seen_size, seen_root = self.seen.get(origin, (0, hashlib.sha256(b"").digest()))
        if old_size > size:
            return 400, ""
        if old_size != seen_size or (old_size == size and root != seen_root):
            return 409, f"{seen_size}\n"
        if not is_consistent(old_size, seen_root, size, root, [base64.b64decode(line) for line in proof]):
            return 422, ""
        self.seen[origin] = size, root
        return 200, self.line(text)
