"""A server that answers so slowly that it never ends, and yet never stops: it holds up nobody but who asked."""
import http.server
import subprocess
import threading
import time

import pytest

import support


class Drip(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "10000")
        self.end_headers()
        self.server.asked.set()
        try:
            while not self.server.stopped.wait(0.5):
                self.wfile.write(b" " * 60)
                self.wfile.flush()
        except OSError:
            pass


@pytest.fixture
def drip():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Drip)
    server.daemon_threads, server.asked, server.stopped = True, threading.Event(), threading.Event()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.stopped.set()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("verb", ["check", "install"])
def test_the_package_manager_need_not_wait_for_it(verb, device, drip):
    device.configure(f"[Source]\nRepository=http://127.0.0.1:{drip.server_address[1]}\n")
    process = subprocess.Popen(device.command("--json", verb), stdout=subprocess.PIPE, text=True)
    assert drip.asked.wait(10)
    began = time.monotonic()
    suspend = device("suspend")
    assert suspend.status == 0, suspend.message
    assert time.monotonic() - began < 60  # it would wait for two minutes
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 21 and "package manager" in out
    assert device("resume").status == 0


def test_who_is_not_patient_is_told_at_once(device, drip):
    device.configure(f"[Source]\nRepository=http://127.0.0.1:{drip.server_address[1]}\n")
    process = subprocess.Popen(device.command("check"), stdout=subprocess.DEVNULL)
    assert drip.asked.wait(10)
    assert device("remove").error == "Busy"
    assert process.poll() is None
    drip.stopped.set()
    process.wait(20)
