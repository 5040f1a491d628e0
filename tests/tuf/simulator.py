"""A TUF repository that the tests hold in their hands: keys, roles as plain dicts, and a web server that can misbehave.

A role is the dict that stands in "signed"; nothing checks what a test puts there. `write` signs a role as it is and serves
it; `release` does what an honest repository does: versions grow, snapshot and timestamp follow."""
import dataclasses
import datetime
import hashlib
import http.server
import json
import threading
import time
import urllib.parse
from typing import Callable, Optional

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

TOP_LEVEL = ("root", "timestamp", "snapshot", "targets")
PREFIX = "/a%2Fb%5B1%5D"  # the base URLs are taken as they are given


def canonical(value):
    """OLPC's canonical JSON as bytes: names by code point, only the quote and the backslash escaped."""
    if isinstance(value, dict):
        members = (canonical(name) + b":" + canonical(value[name]) for name in sorted(value))
        return b"{" + b",".join(members) + b"}"
    if isinstance(value, (list, tuple)):
        return b"[" + b",".join(map(canonical, value)) + b"]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'.encode("utf-8", "surrogatepass")
    return json.dumps(value).encode()  # true, false, null, integers; reals only for hostile files


def digest(data, algorithm="sha256"):
    return hashlib.new(algorithm, data).hexdigest()


def quote(role):
    return urllib.parse.quote(role, "")


def days_from_now(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


# ---- Keys ------------------------------------------------------------------------------------------------------------


class Key:
    """A key pair and the object that metadata has for it; `more` are further fields, which change the key's id."""

    TYPES = {
        "ed25519": ("ed25519", "ed25519"),
        "ecdsa": ("ecdsa", "ecdsa-sha2-nistp256"),
        "ecdsa-older": ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
        "rsa": ("rsa", "rsassa-pss-sha256"),
    }
    _rsa = []  # slow to make: used again

    def __init__(self, kind="ed25519", private=None, **more):
        self.kind, self.salt = kind, padding.PSS.DIGEST_LENGTH
        self.private = private or self._generate(kind)
        keytype, scheme = self.TYPES[kind]
        self.object = {"keytype": keytype, "scheme": scheme, "keyval": {"public": self._public()}, **more}

    @classmethod
    def _generate(cls, kind):
        if kind == "ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        if kind.startswith("ecdsa"):
            return ec.generate_private_key(ec.SECP256R1())
        return rsa.generate_private_key(65537, 2048)

    def _public(self):
        public = self.private.public_key()
        if self.kind == "ed25519":
            return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()
        return public.public_bytes(serialization.Encoding.PEM,
                                   serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def id(self):
        return digest(canonical(self.object))

    def alias(self, kind=None, **more):
        """The same key pair under another id."""
        other = Key(kind or self.kind, self.private)
        other.object.update(more)
        return other

    def sign(self, data):
        if self.kind == "ed25519":
            return self.private.sign(data).hex()
        if self.kind.startswith("ecdsa"):
            return self.private.sign(data, ec.ECDSA(hashes.SHA256())).hex()
        return self.private.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), self.salt), hashes.SHA256()).hex()

    def signature(self, data):
        return {"keyid": self.id, "sig": self.sign(data)}


# ---- The repository --------------------------------------------------------------------------------------------------


class Repository:
    """`signed[role]` is what a role says, `signers[role]` the keys that sign it, `files` what is served, by path."""

    def __init__(self, consistent=True, kind="ed25519"):
        self.signers = {role: [Key(kind)] for role in TOP_LEVEL}
        self.signed = {}
        self.files = {}
        self.genuine = set()  # every content of a target that was ever signed honestly
        self.hash_names = ()  # what snapshot and timestamp tell of files besides the version
        self.tell_length = False
        self.signed["root"] = self._role("root", version=0, consistent_snapshot=consistent, keys={}, roles={})
        self.signed["targets"] = self._role("targets", version=0, targets={})
        self.signed["snapshot"] = self._role("snapshot", version=0, meta={})
        self.signed["timestamp"] = self._role("timestamp", version=0, meta={})
        for role in TOP_LEVEL:
            self.set_keys(role, self.signers[role])
        self.release_root()
        self.release("targets")

    @staticmethod
    def _role(kind, **fields):
        return {"_type": kind, "spec_version": "1.0.31", "expires": days_from_now(60), **fields}

    root = property(lambda self: self.signed["root"])
    timestamp = property(lambda self: self.signed["timestamp"])
    snapshot = property(lambda self: self.signed["snapshot"])
    targets = property(lambda self: self.signed["targets"])

    # -- who signs

    def set_keys(self, role, keys, threshold=1, signers=None):
        """Name the keys of a top-level role in the root, which is not written by this."""
        for key in keys:
            self.root["keys"][key.id] = key.object
        self.root["roles"][role] = {"keyids": [key.id for key in keys], "threshold": threshold}
        self.signers[role] = list(keys if signers is None else signers)

    def rotate(self, *roles):
        for role in roles:
            self.set_keys(role, [Key()])

    # -- writing

    def sign(self, signed, keys):
        return {"signatures": [key.signature(canonical(signed)) for key in keys], "signed": signed}

    def text(self, role, keys=None):
        """The file of a role as it would be written now; a test may edit it."""
        return json.dumps(self.sign(self.signed[role], self.signers[role] if keys is None else keys),
                          indent=1).encode()

    def path(self, role, version=None):
        version = self.signed[role].get("version") if version is None else version
        prefix = f"{version}." if role == "root" or (self.root.get("consistent_snapshot") and role != "timestamp") else ""
        return f"metadata/{prefix}{quote(role)}.json"

    def serve(self, role, text, version=None):
        self.files[self.path(role, version)] = text

    def write(self, role, keys=None):
        """Sign what the role says, and serve it: no version is touched."""
        text = self.text(role, keys)
        self.serve(role, text)
        return text

    def entry(self, role, text):
        entry = {"version": self.signed[role]["version"]}
        if self.hash_names:
            entry["hashes"] = {name: digest(text, name) for name in self.hash_names}
        if self.tell_length:
            entry["length"] = len(text)
        return entry

    def list_in_snapshot(self, role):
        self.snapshot["meta"][f"{role}.json"] = self.entry(role, self.files[self.path(role)])

    def release_root(self):
        self.root["version"] += 1
        return self.write("root")

    def release(self, *roles):
        """New versions of these, of the snapshot and of the timestamp."""
        for role in roles:
            self.signed[role]["version"] += 1
            self.write(role)
            self.list_in_snapshot(role)
        self.release_snapshot()

    def release_snapshot(self):
        self.snapshot["version"] += 1
        self.write("snapshot")
        self.release_timestamp()

    def release_timestamp(self, bump=True):
        if bump:
            self.timestamp["version"] += 1
        self.timestamp["meta"]["snapshot.json"] = self.entry("snapshot", self.files[self.path("snapshot")])
        self.write("timestamp")

    def release_edited(self, role, edit):
        """A new version of one role whose file is `edit(bytes)`, and of what is above it."""
        if role == "root":
            self.root["version"] += 1
            self.serve("root", edit(self.text("root")))
        elif role == "timestamp":
            self.timestamp["version"] += 1
            self.serve("timestamp", edit(self.text("timestamp")))
        elif role == "snapshot":
            self.snapshot["version"] += 1
            self.serve("snapshot", edit(self.text("snapshot")))
            self.release_timestamp()
        else:
            self.signed[role]["version"] += 1
            self.serve(role, edit(self.text(role)))
            self.list_in_snapshot(role)
            self.release_snapshot()

    def release_any(self, role):
        """A new version of a role of any kind."""
        self.release_edited(role, lambda text: text)

    # -- targets

    def target_path(self, path, data, algorithm="sha256"):
        directory, slash, base = path.rpartition("/")
        prefix = f"{digest(data, algorithm)}." if self.root.get("consistent_snapshot") else ""
        return f"targets/{directory}{slash}{prefix}{base}"

    def add_target(self, path, data=b"content", role="targets", algorithms=("sha256",), **more):
        self.signed[role]["targets"][path] = {
            "length": len(data), "hashes": {name: digest(data, name) for name in algorithms}, **more}
        for name in algorithms:
            self.files[self.target_path(path, data, name)] = data
        self.genuine.add(data)

    # -- delegations

    def add_role(self, name, keys):
        if name not in self.signed:
            self.signed[name] = self._role("targets", version=0, targets={})
        self.signers[name] = list(keys)

    def delegate(self, delegator, name, paths=("*",), keys=None, threshold=1, terminating=False, signers=None, **more):
        """`signers` are the keys with which the role is really signed."""
        keys = keys or self.signers.get(name) or [Key()]
        delegations = self.signed[delegator].setdefault("delegations", {"keys": {}, "roles": []})
        for key in keys:
            delegations["keys"][key.id] = key.object
        role = {"name": name, "keyids": [key.id for key in keys], "threshold": threshold, "terminating": terminating,
                **more}
        if paths is not None:
            role["paths"] = list(paths)
        delegations["roles"].append(role)
        self.add_role(name, signers or keys)
        return role

    def delegate_bins(self, delegator, prefix, bit_length):
        """TAP 15: all bins have one key, which this makes; the bins themselves are made as needed, by add_role()."""
        key = Key()
        self.signed[delegator]["delegations"] = {
            "keys": {key.id: key.object},
            "succinct_roles": {"keyids": [key.id], "threshold": 1, "bit_length": bit_length, "name_prefix": prefix}}
        return key


def bin_name(prefix, bit_length, path):
    number = int.from_bytes(hashlib.sha256(path.encode()).digest()[:4], "big") >> (32 - bit_length)
    return f"{prefix}-{number:0{len(f'{2 ** bit_length - 1:x}')}x}"


# ---- The web server --------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Fault:
    """What happens to a request for just that path."""
    path: str
    status: int = 200
    location: Optional[str] = None
    endless: bool = False  # the file, then blanks without end
    length: Optional[int] = None  # what Content-Length says, whatever comes
    cut: Optional[int] = None  # the connection ends after that many bytes
    pause: float = 0  # seconds before each piece of `piece` bytes
    piece: int = 16384
    before: Optional[Callable[[], None]] = None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    disable_nagle_algorithm = True

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        server = self.server
        path = self.path[len(PREFIX) + 1:] if self.path.startswith(PREFIX + "/") else self.path
        server.requests.append(path)
        fault = next((f for f in server.faults if f.path == path), None) or Fault(path)
        if fault.before:
            fault.before()
        body = server.repository.files.get(path)
        if body is None:
            body = server.invent(path)
        if fault.status == 200 and body is None and not fault.endless:
            fault = dataclasses.replace(fault, status=404)
        self.answer(fault, b"" if body is None or fault.status != 200 else body)

    def answer(self, fault, body):
        self.send_response(fault.status)
        if fault.location is not None:
            self.send_header("Location", fault.location)
        if fault.length is not None or not fault.endless:
            self.send_header("Content-Length", str(len(body) if fault.length is None else fault.length))
        if fault.endless or fault.cut is not None or fault.length is not None:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        try:
            self.send_body(fault, body if fault.cut is None else body[:fault.cut])
        except (BrokenPipeError, ConnectionResetError):
            self.server.hung_up.append(fault.path)
            self.close_connection = True

    def send_body(self, fault, body):
        for at in range(0, len(body), fault.piece):
            if fault.pause:
                self.wfile.flush()
                time.sleep(fault.pause)
            self.wfile.write(body[at:at + fault.piece])
            self.server.bytes_sent += min(fault.piece, len(body) - at)
        while fault.endless:
            self.wfile.write(b" " * 65536)
            self.server.bytes_sent += 65536
        self.wfile.flush()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, repository):
        super().__init__(("127.0.0.1", 0), Handler)
        self.repository, self.requests, self.faults, self.hung_up, self.bytes_sent = repository, [], [], [], 0
        self.invent = lambda path: None  # makes files that are not there
        base = f"http://127.0.0.1:{self.server_address[1]}{PREFIX}"
        self.metadata_url, self.targets_url = f"{base}/metadata/", f"{base}/targets/"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, request, client_address):
        pass

    def fail(self, path, **what):
        self.faults.insert(0, Fault(path, **what))

    def heal(self):
        self.faults.clear()

    def take_requests(self):
        """What was asked for since the last call, "metadata/" and ".json" left out for short."""
        taken = [path[len("metadata/"):-len(".json")] if path.startswith("metadata/") and path.endswith(".json") else path
                 for path in self.requests]
        self.requests.clear()
        return taken

