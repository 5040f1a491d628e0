"""Measures for bench/check.sh: check.py WORK NGINX TUF-JS RUNS, in a mount namespace of its own.

A device that has installed what is offered asks whether there is something new; and one that never asked before does.
The same repository is refreshed by suture-tuf and by tuf-js. Bytes are counted by a proxy between client and nginx: all that
goes through the sockets, headers included; time is taken without the proxy. Everything is the whole program, from its
start to its end."""
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "tests/programs"))

import support  # noqa: E402

MEASURE = pathlib.Path(os.environ["SUTURE_BUILD"]) / "bench/measure"
WORK, NGINX, TUF_JS, RUNS = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])

CONFIGURATION = """
user root;
worker_processes 1;
daemon off;
pid {state}/nginx.pid;
error_log {state}/error.log;
events {{ }}
http {{
        access_log off;
        client_body_temp_path {state}/tmp;
        proxy_temp_path {state}/tmp;
        fastcgi_temp_path {state}/tmp;
        uwsgi_temp_path {state}/tmp;
        scgi_temp_path {state}/tmp;
        types {{ application/json json; }}
        default_type application/octet-stream;
        sendfile on;
        server {{ listen 127.0.0.1:{port}; root {directory}; }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_nginx(directory):
    state, port = WORK / "nginx-state", free_port()
    state.mkdir()
    (state / "nginx.conf").write_text(CONFIGURATION.format(state=state, port=port, directory=directory))
    process = subprocess.Popen([NGINX, "-e", state / "error.log", "-c", state / "nginx.conf"])
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit(f"bench-check: nginx does not answer: {(state / 'error.log').read_text()}")


class Proxy:
    """Passes bytes on, and counts them."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.reset()
        threading.Thread(target=self.accept, daemon=True).start()

    def reset(self):
        self.sent, self.received, self.connections = bytearray(), bytearray(), 0

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.upstream))
            self.connections += 1
            for ends in ((client, server, self.sent), (server, client, self.received)):
                threading.Thread(target=self.pump, args=ends, daemon=True).start()

    @staticmethod
    def pump(source, sink, counted):
        try:
            while data := source.recv(65536):
                counted += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def requests(self):
        return len(re.findall(rb"^GET [^\r\n]* HTTP/1\.[01]\r$", bytes(self.sent), re.MULTILINE))

    def bytes(self):
        return len(self.sent) + len(self.received)


def run(command):
    """Milliseconds and MiB."""
    done = subprocess.run([MEASURE, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"bench-check: {command} failed: {done.stderr}")
    took_us, most_kib = map(int, done.stdout.split())
    return took_us / 1000, most_kib / 1024


class Cost:
    """One client in one situation. `prepare` puts things as they were before the run; `command` is given a URL."""

    def __init__(self, proxy, port, prepare, command):
        prepare()
        proxy.reset()
        run(command(f"http://127.0.0.1:{proxy.port}"))
        time.sleep(0.1)
        self.bytes, self.requests, self.connections = proxy.bytes(), proxy.requests(), proxy.connections
        times, sizes = [], []
        for _ in range(RUNS):
            prepare()
            elapsed, size = run(command(f"http://127.0.0.1:{port}"))
            times.append(elapsed)
            sizes.append(size)
        self.ms, self.rss_mib = statistics.median(times), max(sizes)


class Suture:
    def __init__(self, shop, name):
        self.path = WORK / name
        shutil.copytree(shop.trees / "baseline", self.path, symlinks=True)
        self.device = support.Device(self.path, "http://127.0.0.1:1").trust(shop)

    def use(self, url):
        self.device.configure(f"[Source]\nRepository={url}\n")

    def command(self, url):
        self.use(url)
        return self.device.command("check")


class Tuf:
    def __init__(self, command, shop, name):
        self.command_words, self.directory, self.root = command, WORK / name, shop.public / "metadata/1.root.json"

    def forget(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir()
        subprocess.run([*self.command_words, "--metadata-dir", self.directory, "init", self.root], check=True)

    def command(self, url):
        return [*map(str, self.command_words), "--metadata-dir", str(self.directory), "--metadata-url", f"{url}/metadata/", "refresh"]


def measure_suture(shop, proxy, port):
    up_to_date, new = Suture(shop, "device"), Suture(shop, "new-device")
    up_to_date.use(f"http://127.0.0.1:{port}")
    install = up_to_date.device("install")
    if install.status not in (0, 10):
        sys.exit(f"bench-check: install failed: {install.text}{install.stderr}")
    up_to_date.device("check")
    if not up_to_date.device("check")["up_to_date"]:
        sys.exit("bench-check: the device is not up to date")
    nothing_new = Cost(proxy, port, lambda: None, up_to_date.command)
    first = Cost(proxy, port, new.device.forget, new.command)
    support.unmount_below(WORK)
    return nothing_new, first


def measure_tuf(command, shop, proxy, port, name):
    tuf = Tuf(command, shop, name)
    tuf.forget()
    run(tuf.command(f"http://127.0.0.1:{port}"))
    return Cost(proxy, port, lambda: None, tuf.command), Cost(proxy, port, tuf.forget, tuf.command)


def print_table(rows):
    print(f"{'':20} {'nothing new':^40}   {'the first time':^40}")
    print(f"{'':20}" + f" {'bytes':>9} {'requests':>9} {'ms':>9} {'RSS MiB':>9}   " * 2)
    for name, costs in rows.items():
        print(f"{name:20}" + "".join(
            f" {cost.bytes:9} {cost.requests:9} {cost.ms:9.1f} {cost.rss_mib:9.1f}   " for cost in costs))
    if "tuf-js refresh" not in rows:
        print(f"tuf-js NOT MEASURED: {TUF_JS}")
    print(f"""
Medians of {RUNS} runs (memory: the most); plain HTTP on this machine. Bytes are those of requests and answers, headers
included. The first check of a device also fetches its channel and what it is offered; the others fetch metadata only.
""")


def print_figures(rows):
    names = {"suture check": "", "suture-tuf refresh": "tuf_", "tuf-js refresh": "tuf_js_"}
    units = {"bytes": "bytes", "requests": "requests", "ms": "ms", "rss_mib": "MiB"}
    for situation, index in (("first_check", 1), ("check", 0)):
        for client, costs in reversed(rows.items()):
            for what, unit in units.items():
                print(f"figure: {names[client]}{situation}_{what} {getattr(costs[index], what):.4g} {unit}"
                      if what in ("ms", "rss_mib") else
                      f"figure: {names[client]}{situation}_{what} {getattr(costs[index], what)} {unit}")
    ours, theirs = rows["suture check"][0], rows.get("tuf-js refresh", [None])[0]
    for what in units if theirs else ():
        print(f"figure: check_{what}_vs_tuf_js {getattr(ours, what) / getattr(theirs, what):.3f} ratio")


def main():
    trees = WORK / "trees"
    support.make_baseline(trees / "baseline")
    for level in "ab":
        support.make_fixed(trees / f"fixed-{level}", level)
    shop = support.Publisher(WORK / "shop", trees).start().release("a").release("b")
    nginx, port = start_nginx(shop.public)
    proxy = Proxy(port)
    rows = {"suture check": measure_suture(shop, proxy, port),
            "suture-tuf refresh": measure_tuf([support.BUILD / "suture-tuf"], shop, proxy, port, "tuf")}
    if TUF_JS.startswith("/"):
        rows["tuf-js refresh"] = measure_tuf(["node", f"{TUF_JS}/client.js"], shop, proxy, port, "tuf-js")
    nginx.terminate()
    nginx.wait()
    print_table(rows)
    print_figures(rows)


main()
