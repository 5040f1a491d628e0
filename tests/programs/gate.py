"""What stands before the object store: it verifies every signature as the protocol's description says (s3rver looks at the key
alone), keeps a list of what was asked, and can be told to fail in the ways that real stores do."""
import hashlib
import hmac
import http.client
import http.server
import threading
import urllib.parse

ACCESS_KEY, SECRET_KEY = "S3RVER", "S3RVER"


def signature(secret, method, path, query, headers, signed, payload, scope, when):
    """Signature Version 4, written down from its specification, and from nothing of ours."""
    def hmac_of(key, text):
        return hmac.new(key, text.encode(), hashlib.sha256).digest()
    uri = urllib.parse.quote(urllib.parse.unquote(path), safe="/-_.~")
    pairs = sorted((urllib.parse.quote(n, safe="-_.~"), urllib.parse.quote(v, safe="-_.~"))
                   for n, v in urllib.parse.parse_qsl(query, keep_blank_values=True))
    canonical = "\n".join([
        method, uri, "&".join(f"{n}={v}" for n, v in pairs),
        *(f"{name}:{' '.join(headers[name].split())}" for name in signed), "", ";".join(signed), payload])
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac_of(key, part)
    text = "\n".join(["AWS4-HMAC-SHA256", when, "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()])
    return hmac_of(key, text).hex()


def refusal(code, message):
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("connection", "keep-alive", "transfer-encoding", "content-length", "date"):
                self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def problem(self, path, query, body):
        """Why the request is refused, or None. Who does not sign may read."""
        if "Authorization" not in self.headers:
            return None if self.command == "GET" else ("AccessDenied", "Anonymous users may read.")
        kind, _, rest = self.headers["Authorization"].partition(" ")
        fields = dict(field.strip().split("=", 1) for field in rest.split(","))
        access_key, *scope = fields["Credential"].split("/")
        headers = {name.lower(): value for name, value in self.headers.items()}
        signed = fields["SignedHeaders"].split(";")
        if access_key != ACCESS_KEY:
            return "InvalidAccessKeyId", "The key that you sent does not exist."
        assert kind == "AWS4-HMAC-SHA256" and scope[1:] == [self.server.region, "s3", "aws4_request"], fields
        assert {"host", *(name for name in headers if name.startswith("x-amz-"))} <= set(signed), signed
        payload = headers["x-amz-content-sha256"]
        if payload != hashlib.sha256(body).hexdigest():
            return "XAmzContentSHA256Mismatch", "The digest is not that of the body."
        wanted = signature(SECRET_KEY, self.command, path, query, headers, signed, payload, scope, headers["x-amz-date"])
        if wanted != fields["Signature"]:
            return "SignatureDoesNotMatch", "The signature that we calculated is another one."
        return None

    def handle_one(self):
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        refused = self.problem(path, query, body)
        if refused:
            return self.answer(403, [("Content-Type", "application/xml")], refusal(*refused))
        key = urllib.parse.unquote(path).removeprefix(f"/{self.server.bucket}/")
        signed = "Authorization" in self.headers
        if signed and self.server.fault and (fault := self.server.fault(self.command, key)):
            if fault == "break":
                self.close_connection = True
                return self.connection.close()
            status, answer = fault
            return self.answer(status, [], answer)
        if signed:
            self.server.asked.append((self.command, key, query, dict(self.headers)))
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=30)
        connection.request(self.command, self.path, body, {**self.headers, "Connection": "close"})
        reply = connection.getresponse()
        self.answer(reply.status, reply.getheaders(), reply.read())
        connection.close()
        return None

    do_GET = do_PUT = do_DELETE = handle_one


class Gate(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, behind, bucket, region="us-east-1"):
        super().__init__(("127.0.0.1", 0), Handler)
        self.behind, self.bucket, self.region = behind, bucket, region
        self.asked, self.fault = [], None
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def changes(self):
        """(method, key) of everything that changed the store since the last time that this was asked."""
        changes = [(method, key) for method, key, _, _ in self.asked if method != "GET"]
        self.asked.clear()
        return changes
