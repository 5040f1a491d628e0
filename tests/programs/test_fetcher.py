"""The fetcher as a service of its own: suture has no network then, and what comes of a change when the fetcher ends."""
import contextlib
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

import support
import web
from test_cancel import ENVIRONMENT, start, wait_until
from test_workers import WORKER, files_of, is_alive, require_confined

FETCH = support.BUILD / "suture-fetch"
OPENING = 20
# As the unit has it started: another user, and nothing that could make it root again.
UNPRIVILEGED = ["setpriv", "--reuid", str(support.NOBODY), "--regid", str(support.NOBODY), "--clear-groups",
                "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]


class Service:
    """What suture-fetch.socket and suture-fetch@.service do."""

    def __init__(self, path, env=()):
        self.path, self.env, self.instances = path, dict(env), []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        path.chmod(0o600)
        self.listener.listen(4)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection:
                    self.instances.append(subprocess.Popen([*UNPRIVILEGED, str(FETCH)], stdin=connection,
                                                           stderr=subprocess.PIPE, env={**ENVIRONMENT, **self.env}))

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for instance in self.instances:
            instance.kill()
            _, complaints = instance.communicate()
            assert complaints == b"", complaints


@pytest.fixture
def service(work):
    service = Service(work / "fetch")
    yield service
    service.close()


def by(service, *arguments):
    return (f"--fetcher={service.path}", *arguments)


@contextlib.contextmanager
def fetching(device, server, service):
    """An install in the middle of its download, and the instance that serves it."""
    server.fail("^objects/", pause=3)
    process = start(device.command(*by(service, "--json", "install")))
    try:
        wait_until(lambda: server.count("^objects/"), process)
        yield process, service.instances[-1]
    finally:
        process.kill()
        process.communicate()


def test_an_install_without_a_network(device, service):
    """suture is in a network namespace that has not even a loopback interface."""
    install = support.run("unshare", "--net", *device.command(*by(service, "install")), env=ENVIRONMENT)
    assert "not installed" not in install.stdout and device.answer() == "new"
    assert len(service.instances) == 1 and service.instances[0].wait(timeout=5) == 0
    removal = support.run("unshare", "--net", *device.command("remove"), env=ENVIRONMENT)
    assert removal.returncode == 0 and device.answer() == "old"


def test_and_not_without_a_fetcher(device):
    """The proof that the test above proves something."""
    install = support.run("unshare", "--net", *device.command("install"), check=False, env=ENVIRONMENT)
    assert install.returncode == 23 and device.answer() == "old", install.stderr


@pytest.mark.skipif(shutil.which("strace") is None, reason="NOT TESTED: strace is missing")
def test_it_opens_no_socket_of_a_network(device, service, work):
    trace = work / "trace"
    support.run("strace", "-f", "-o", trace, "-e", "trace=socket", *device.command(*by(service, "install")),
                env={**ENVIRONMENT, "LSAN_OPTIONS": "detect_leaks=0"})
    families = set(re.findall(r"socket\((\w+)", trace.read_text()))
    assert families == {"AF_UNIX"}, families


def test_what_it_may(device, server, service):
    with fetching(device, server, service) as (process, fetcher):
        require_confined(fetcher.pid)
        status = pathlib.Path(f"/proc/{fetcher.pid}/status").read_text()
        assert f"Uid:\t{support.NOBODY}" in status
        files = files_of(fetcher.pid)
        assert [name for name in files if not re.match(r"socket:|pipe:|anon_inode:|/dev/null", name)] == [], files
        server.faults.clear()
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, (out, err)
        assert fetcher.wait(timeout=5) == 0
    assert device.answer() == "new"


def test_one_that_is_killed(device, server, service):
    before = device.facts()
    with fetching(device, server, service) as (process, fetcher):
        fetcher.kill()
        out, err = process.communicate(timeout=20)
        assert process.returncode == WORKER and str(service.path) in out and "journal" in out, (out, err)
    after = device.facts()
    assert after == {**before, "active": after["active"]} and after["leftovers"] == []
    server.faults.clear()
    assert device(*by(service, "install")).status == 0 and device.answer() == "new"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_it_ends_with_who_asks(device, server, service, number):
    with fetching(device, server, service) as (process, fetcher):
        began = time.monotonic()
        process.send_signal(number)
        process.communicate(timeout=20)
        assert fetcher.wait(timeout=10) == 0
        assert time.monotonic() - began < 2  # it is asked to leave, and not left to find out


def test_it_is_gone_before_it_is_looked_who_is_exposed(device, service):
    """Its memory maps libraries of the system, as every program's does."""
    process = start(device.command(*by(service, "--json", "install")))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and not is_alive(service.instances[0].pid), (out, err)


def test_there_is_none(device, work):
    before = device.facts()
    install = device(f"--fetcher={work}/nobody", "install")
    assert install.status == WORKER and f"{work}/nobody" in install.message and "No such file" in install.message
    assert device.facts() == before


def test_a_directory_needs_none(device, shop, work):
    device.configure(f"[Source]\nRepository=file://{shop.public}\n")
    assert device(f"--fetcher={work}/nobody", "install").status == 0 and device.answer() == "new"


def test_a_proxy_of_the_environment_is_the_services(device, shop, work):
    proxy = web.Proxy(shop.public)
    service = Service(work / "other", {"http_proxy": f"http://127.0.0.1:{proxy.server_address[1]}"})
    device.configure("[Source]\nRepository=http://repository.invalid\n")
    try:
        install = device(*by(service, "install"), env={"http_proxy": "http://127.0.0.1:9"})
        assert install.status == 0, install.message
        assert set(proxy.hosts) == {"repository.invalid"}
        device.configure("[Source]\nRepository=http://repository.invalid\n[Network]\nProxy=http://127.0.0.1:9\n")
        assert device(*by(service, "check")).error == "Unreachable"
    finally:
        service.close()
        proxy.shutdown()
        proxy.server_close()


def ask(message):
    """Say that to a fetcher, and no more: all that it answers."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        fetcher = subprocess.Popen([str(FETCH)], stdin=theirs, env=ENVIRONMENT)
        theirs.close()
        ours.sendall(message)
        ours.shutdown(socket.SHUT_WR)
        ours.settimeout(20)
        answer = b"".join(iter(lambda: ours.recv(4096), b""))
        assert fetcher.wait(timeout=5) == 0
        return answer


@pytest.mark.parametrize("message, reason", [
    (b"", b""),
    (b"GET / HTTP/1.1\r\n", b""),
    (struct.pack("=II", OPENING, 0), b"malformed"),
    (struct.pack("=IIIIQ", 16, 16, 1, 1, 0), b"malformed"),
    (struct.pack("=IIIIQ", OPENING, 29, 1, 12, 0) + b"file:///etc\0\0", b"and not for 'file:///etc'"),
    (struct.pack("=IIIIQ", OPENING, 29, 99, 12, 0) + b"http://a/bc\0\0", b"different versions"),
])
def test_what_it_does_not_take(message, reason):
    answer = ask(message)
    assert reason in answer and bool(answer) == bool(reason), answer


def test_its_options():
    assert "suture-fetch(8)" in support.run(FETCH, "--help").stdout
    assert support.run(FETCH, "--version").stdout.startswith("suture-fetch ")
    assert "--help" in support.run(FETCH, "--root=/", check=False).stderr
    refused = support.run(FETCH, check=False, stdin=subprocess.DEVNULL)
    assert refused.returncode == 2 and "suture-fetch.socket" in refused.stderr
