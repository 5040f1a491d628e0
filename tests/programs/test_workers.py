"""The processes that work on what came from outside: what they are allowed, and what becomes of a change when one ends."""
import os
import pathlib
import re
import shutil
import signal
import ssl
import time

import pytest

import support
import web
from test_bad_repository import refused
from test_cancel import needs_strace, slowly, start, wait_until

WORKER = 49


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(re.split(r":\s*", line, maxsplit=1) for line in lines)


def children_of(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def worker_of(pid, process, file):
    """The child of a program that has such a file open, once it has given up what it does not need."""
    def confined():
        return [child for child in children_of(pid)
                if status_of(child)["Seccomp"] == "2" and any(re.search(file, name) for name in files_of(child))]
    wait_until(confined, process)
    worker, = confined()
    return worker


def is_alive(pid):
    return pathlib.Path(f"/proc/{pid}").exists() and not status_of(pid)["State"].startswith("Z")


def files_of(pid):
    return sorted(str(link.readlink()) for link in pathlib.Path(f"/proc/{pid}/fd").iterdir())


def require_confined(pid):
    status = status_of(pid)
    ids = {*status["Uid"].split(), *status["Gid"].split()}
    assert len(ids) <= 2 and "0" not in ids and status["Groups"].strip() == "", status
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == 0, status
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), status
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    for limit in ("Max cpu time", "Max file size"):
        assert "unlimited" not in re.search(rf"{limit} +(\S+) +(\S+)", limits)[0], limits
    assert re.search(r"Max core file size +0 +0 ", limits), limits


@needs_strace
def test_the_decoder_has_nothing_but_its_files(device):
    partial = device.state / "images/partial"
    partial.parent.mkdir(parents=True)
    process, pid = slowly(partial, "write", device.command("--json", "install"))
    wait_until(lambda: partial.exists() and children_of(pid), process)
    decoder = worker_of(pid, process, "images/partial$")
    require_confined(decoder)
    files = files_of(decoder)
    assert not [name for name in files if name.startswith("socket:")]
    # The delta, the image, and the sources, as they are named on a base that is mounted for itself.
    rest = [name for name in files if not re.match(rf"pipe:|/dev/null|/usr/|{device.state}/", name)]
    assert rest == [], files
    assert sum(name.startswith(f"{device.state}/") for name in files) == 2, files
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, (out, err)
    assert device.answer() == "new"


@needs_strace
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGXCPU])
def test_a_decoder_that_is_killed(number, device):
    before, partial = device.facts(), device.state / "images/partial"
    partial.parent.mkdir(parents=True)
    process, pid = slowly(partial, "write", device.command("--json", "install"))
    wait_until(lambda: partial.exists() and children_of(pid), process)
    decoder = worker_of(pid, process, "images/partial$")
    support.run("kill", f"-{int(number)}", decoder)
    out, err = process.communicate(timeout=20)
    assert process.returncode == WORKER, (process.returncode, out, err)
    assert f"component 'fix': the decoder was ended by signal {int(number)}" in out
    after = device.facts()
    assert after == {**before, "active": after["active"]} and after["leftovers"] == []
    assert device("install").status == 0 and device.answer() == "new"


@needs_strace
def test_the_decoder_ends_with_the_program(device):
    partial = device.state / "images/partial"
    partial.parent.mkdir(parents=True)
    process, pid = slowly(partial, "write", device.command("--json", "install"))
    wait_until(lambda: partial.exists() and children_of(pid), process)
    decoder = worker_of(pid, process, "images/partial$")
    support.run("kill", "-9", pid)
    process.communicate(timeout=20)
    give_up = time.monotonic() + 10
    while is_alive(decoder):
        assert time.monotonic() < give_up
        time.sleep(0.01)
    assert device("install").status == 0 and device.answer() == "new"


# The fetcher

CERTIFICATES = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")


def fetching(device, server):
    """An install in the middle of its download: the process, and its fetcher."""
    server.fail("^objects/", pause=3)
    process = start(device.command("--json", "install"))
    wait_until(lambda: server.count("^objects/"), process)
    return process, worker_of(process.pid, process, "^socket:")


def test_the_fetcher_has_no_file(device, server):
    process, fetcher = fetching(device, server)
    require_confined(fetcher)
    files = files_of(fetcher)
    assert [name for name in files if not re.match(r"socket:|pipe:|anon_inode:|/dev/null", name)] == [], files
    assert re.search(r"Max file size +0 +0 ", pathlib.Path(f"/proc/{fetcher}/limits").read_text())
    server.faults.clear()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and not is_alive(fetcher), (out, err)
    assert device.answer() == "new"


def test_it_has_the_user_that_is_made_for_it(device, server, work):
    passwd = work / "passwd"
    passwd.write_text(pathlib.Path("/etc/passwd").read_text() + "suture-worker:x:61234:61235::/:/usr/sbin/nologin\n")
    support.run("mount", "--bind", passwd, "/etc/passwd")  # in this mount namespace
    try:
        process, fetcher = fetching(device, server)
        status = status_of(fetcher)
    finally:
        support.run("umount", "/etc/passwd")
    assert (set(status["Uid"].split()), set(status["Gid"].split())) == ({"61234"}, {"61235"}), status
    server.faults.clear()
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_fetcher_that_is_killed(device, server):
    before = device.facts()
    process, fetcher = fetching(device, server)
    support.run("kill", "-9", fetcher)
    out, err = process.communicate(timeout=20)
    assert process.returncode == WORKER and "the fetcher was ended by signal 9" in out, (out, err)
    after = device.facts()
    assert after == {**before, "active": after["active"]} and after["leftovers"] == []
    server.faults.clear()
    assert device("install").status == 0 and device.answer() == "new"


@needs_strace
def test_the_fetcher_ends_before_it_is_looked_who_is_exposed(device, server):
    """It is a fork of the program, and maps what the program maps."""
    process, pid = slowly("/proc", "getdents64", device.command("--json", "install"))
    seen = []
    while process.poll() is None:
        for link in pathlib.Path(f"/proc/{pid}/fd").glob("*") if is_alive(pid) else ():
            if os.path.exists(link) and os.path.realpath(link) == "/proc":
                seen.append(children_of(pid))
        time.sleep(0.01)
    assert seen and not any(seen), seen


def test_by_a_proxy_of_the_environment(device, shop):
    proxy = web.Proxy(shop.public)
    device.configure("[Source]\nRepository=http://repository.invalid\n")
    try:
        install = device("install", env={"http_proxy": f"http://127.0.0.1:{proxy.server_address[1]}"})
    finally:
        proxy.shutdown()
        proxy.server_close()
    assert install.status == 0, install.message
    assert set(proxy.hosts) == {"repository.invalid"} and proxy.count("^objects/") == 1
    assert device("check", env={"http_proxy": ""}).error == "Unreachable"


@pytest.fixture
def secure_server(work, shop):
    """A server whose certificate the system trusts, in this mount namespace."""
    key, certificate, trusted = work / "key.pem", work / "certificate.pem", work / "trusted.pem"
    support.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate)
    shutil.copy(certificate, trusted)
    server = web.Server(shop.public)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.trusted = trusted
    support.run("mount", "--bind", trusted, CERTIFICATES)
    yield server
    support.run("umount", CERTIFICATES)
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(not CERTIFICATES.exists(), reason="NOT TESTED: there are no certificates to verify by")
def test_by_tls(device, secure_server):
    device.configure(f"[Source]\nRepository=https://127.0.0.1:{secure_server.server_address[1]}\n")
    install = device("install")
    assert install.status == 0, install.message
    assert device.answer() == "new"


@pytest.mark.skipif(not CERTIFICATES.exists(), reason="NOT TESTED: there are no certificates to verify by")
def test_certificates_that_only_root_may_read(device, secure_server):
    device.configure(f"[Source]\nRepository=https://127.0.0.1:{secure_server.server_address[1]}\n")
    secure_server.trusted.chmod(0o600)
    refused(device, {"Unreachable"}, "certificates", str(CERTIFICATES), "as user", "Permission denied")
