"""SIGINT and SIGTERM: until the swap begins they end a change cleanly; and what a person at a terminal sees of it."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

import support

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="NOT TESTED: strace is missing")
ENVIRONMENT = {**os.environ, **support.SANITIZERS, "ASAN_OPTIONS": "exitcode=99:detect_leaks=0"}


def wait_until(condition, process):
    give_up = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up and process.poll() is None, (process.poll(), process.communicate())
        time.sleep(0.005)


def start(argv, **options):
    return subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=ENVIRONMENT, **options)


def slowly(path, call, argv):
    """Run a program whose calls of that name on that file take their time."""
    only = ["-P", path] if path else []
    process = start(["strace", "-f", "-qq", "-o", "/dev/null", *only, "-e", f"trace={call}",
                     "-e", f"inject={call}:delay_enter=700000", *argv])
    name = pathlib.Path(argv[0]).name

    def running():  # strace has other children at first
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        return [int(pid) for pid in children if support.run("cat", f"/proc/{pid}/comm", check=False).stdout.strip() == name[:15]]
    wait_until(running, process)
    return process, running()[0]


def ended(process, pid, number=signal.SIGINT):
    """Send the signal: what the program says then, and that it does not take long."""
    began = time.monotonic()
    os.kill(pid, number)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - began < 8
    return process.returncode, out, err


def cancelled(device, before, process, pid, number=signal.SIGINT):
    status, out, err = ended(process, pid, number)
    assert status == 42 and json.loads(out)["error"]["name"] == "Cancelled", (status, out, err)
    after = device.facts()
    assert after == {**before, "active": after["active"]} and after["leftovers"] == []
    assert device("status")["level"] is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_cancelled_while_it_asks_the_repository(number, device, server):
    server.fail("timestamp", pause=10)
    before = device.facts()
    process = start(device.command("--json", "install"))
    wait_until(lambda: server.count("timestamp"), process)
    cancelled(device, before, process, process.pid, number)
    assert device("status")["last_check"] is None


def test_cancelled_in_the_middle_of_a_download(device, server, shop):
    server.fail("^objects/", pause=10)
    before = device.facts()
    process = start(device.command("--json", "install"))
    wait_until(lambda: server.count("^objects/"), process)
    cancelled(device, before, process, process.pid)
    assert list((device.state / "downloads").iterdir()) == []
    assert [e["outcome"] for e in device("history")["events"]] == ["Cancelled"]
    server.faults.clear()
    assert device("install").status == 0


@needs_strace
def test_cancelled_in_the_middle_of_a_rebuild(device, server):
    before, partial = device.facts(), device.state / "images/partial"
    partial.parent.mkdir(parents=True)
    process, pid = slowly(partial, "write", device.command("--json", "install"))
    wait_until(partial.exists, process)
    cancelled(device, before, process, pid)
    assert len(list((device.state / "downloads").iterdir())) == 1
    install = device("install")  # what was downloaded is there
    assert install.status == 0 and server.count("^objects/") == 1


@needs_strace
def test_the_swap_is_not_cancelled(device):
    def begun():
        state = device.state / "state.json"
        return state.exists() and json.loads(state.read_text())["transition"] > 0

    process, pid = slowly(None, "unshare", device.command("--json", "install"))
    wait_until(begun, process)
    status, out, err = ended(process, pid)
    assert status == 0 and json.loads(out)["changed"], (out, err)
    assert device("status")["level"] == "a" and device.answer() == "new"


def test_a_terminal_shows_what_is_done(device):
    master, slave = os.openpty()
    try:
        done = subprocess.run(device.command("install"), stdout=subprocess.PIPE, stderr=slave, env=ENVIRONMENT)
        os.set_blocking(master, False)
        shown = os.read(master, 65536).decode()
    finally:
        os.close(master)
        os.close(slave)
    assert done.returncode == 0
    for step in ("ask the repository ...\r\n", "check the baseline ...\r\n", "swap ...\r\n"):
        assert step in shown, shown
    assert re.search(r"download \.\.\.\r", shown) and re.search(r"\rrebuild image \.\.\. 100 %\r\n", shown), shown


def test_nothing_is_shown_where_there_is_no_terminal(device):
    assert support.run(*device.command("install")).stderr == ""
