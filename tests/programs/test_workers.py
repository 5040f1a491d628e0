"""The processes that work on what came from outside: what they are allowed, and what becomes of a change when one ends."""
import pathlib
import re
import signal
import time

import pytest

import support
from test_cancel import needs_strace, slowly, wait_until

WORKER = 49


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(re.split(r":\s*", line, maxsplit=1) for line in lines)


def children_of(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def worker_of(pid, process):
    """The child of a program once it has given up what it does not need."""
    def confined():
        return [child for child in children_of(pid) if status_of(child)["Seccomp"] == "2"]
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
    decoder = worker_of(pid, process)
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
    decoder = worker_of(pid, process)
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
    decoder = worker_of(pid, process)
    support.run("kill", "-9", pid)
    process.communicate(timeout=20)
    give_up = time.monotonic() + 10
    while is_alive(decoder):
        assert time.monotonic() < give_up
        time.sleep(0.01)
    assert device("install").status == 0 and device.answer() == "new"
