"""A web server on an ephemeral port of 127.0.0.1 that can be told to fail in the ways that real ones do."""
import dataclasses
import hashlib
import http.server
import re
import threading
import time
from typing import Callable, Optional


@dataclasses.dataclass
class Fault:
    """What happens to a request whose path contains `path` (a regular expression)."""
    path: str
    status: int = 200
    cut: Optional[int] = None  # close the connection after that many bytes of the body
    body: Optional[Callable[[bytes], bytes]] = None  # the whole answer, made from the true one
    endless: bool = False  # send the body again and again, without a length
    not_modified: bool = False  # answer so, whatever was asked
    pause: float = 0  # seconds, before each 16 KiB
    before: Optional[Callable[[], None]] = None  # called once the request is there
    whole: bool = False  # send all of it, whatever part was asked for
    another_part: bool = False  # not the one that was asked for


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):
        server, path = self.server, self.path.lstrip("/")
        fault = next((f for f in server.faults if re.search(f.path, path)), Fault(""))
        server.requests_seen.append(path)
        if fault.before:
            fault.before()
        file = server.directory / path
        if fault.status != 200 or not (file.is_file() or fault.body or fault.endless):
            self.send_error(fault.status if fault.status != 200 else 404)
            return
        body = file.read_bytes() if file.is_file() else b""
        self.answer(fault, fault.body(body) if fault.body else body)

    def send_status(self, fault, body):
        """Returns what is sent of the body: all of it, or what follows the offset that was asked for."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        if not asked or fault.whole:
            self.send_response(200)
            return body
        at = int(asked[1])
        self.server.offsets.append(at)
        if at >= len(body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(body)}")
            return b""
        at -= fault.another_part
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {at}-{len(body) - 1}/{len(body)}")
        return body[at:]

    def answer(self, fault, body):
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        if fault.not_modified or self.headers["If-None-Match"] == etag:
            self.send_response(304)
            self.end_headers()
            return
        body = self.send_status(fault, body)
        self.send_header("ETag", etag)
        if not fault.endless:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.send(fault, body if fault.cut is None else body[:fault.cut])
        except (BrokenPipeError, ConnectionResetError):
            pass

    def send(self, fault, body):
        while True:
            for at in range(0, len(body), 16384):
                time.sleep(fault.pause)
                self.wfile.write(body[at:at + 16384])
                self.server.bytes_sent += len(body[at:at + 16384])
            if not fault.endless:
                break


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    handler = Handler

    def __init__(self, directory):
        super().__init__(("127.0.0.1", 0), self.handler)
        self.directory, self.faults, self.requests_seen = directory, [], []
        self.offsets, self.bytes_sent = [], 0
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, request, client_address):
        pass

    def fail(self, path, **what):
        self.faults.insert(0, Fault(path, **what))

    def count(self, pattern):
        return sum(1 for path in self.requests_seen if re.search(pattern, path))


class ForwardingHandler(Handler):
    """Asked for whole URLs, as a proxy is: serves what is at their path, and notes their hosts."""

    def do_GET(self):
        host, _, path = self.path.removeprefix("http://").partition("/")
        self.server.hosts.append(host)
        self.path = f"/{path}"
        super().do_GET()


class Proxy(Server):
    handler = ForwardingHandler

    def __init__(self, directory):
        self.hosts = []
        super().__init__(directory)
