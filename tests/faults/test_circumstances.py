"""What a device may find itself in: a disk without room, a read-only state, a clock set back, another instance at work,
a state that was damaged. Each is refused cleanly or coped with, nothing is lost, and all goes on when it is over."""
import contextlib
import fcntl
import os
import shutil
import subprocess
import time

import pytest

import striking
import support
from operations import OPERATIONS

FULL, PERMISSION, BUSY = "Space", "Permission", "Busy"
# These wait for others to end: who calls them cannot come back later.
PATIENT = {"suspend", "resume", "resume on a fixed base", "activate (boot)", "mark-healthy"}
FAKETIME = shutil.which("faketime")

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


def run_and_judge(bench, operation, tally, *reasons):
    """Returns what it said; the state is judged by the caller, when the device is well again."""
    answer = bench.run(operation.command, operation.shop)
    tally.struck += 1
    return answer, lambda: striking.judge_answer(
        tally, answer, note(tally, bench.judge(operation)), operation.fine, *reasons)


def note(tally, state):
    setattr(tally, state, getattr(tally, state) + 1)
    return state


def go_on(bench, operation, tally):
    bench.go_on(operation)
    tally.completed += 1


def free_bytes(path):
    vfs = os.statvfs(path)
    return vfs.f_bavail * vfs.f_frsize


def fill(path, left):
    """All that anybody may have is taken but for `left` bytes; with 0 also what is reserved for root."""
    with open(path, "wb", buffering=0) as ballast:
        if left:
            os.posix_fallocate(ballast.fileno(), 0, free_bytes(path.parent) - left)
            return
        with contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(1024))


@each_operation
def test_no_room(operation, bench):
    """Nothing, a block, some, and just too little for an image."""
    tally = striking.Tally(operation.name, "a disk that is full", possible=5)
    for left in (0, 4096, 65536, 524_288, 1_048_576):
        bench.begin(operation)
        ballast = bench.disk.top / "ballast"
        fill(ballast, left)
        tally.tried += 1
        answer, judge = run_and_judge(bench, operation, tally, "No space left on device", "KiB are needed")
        if answer.status != 0 and answer.error not in operation.fine:
            assert answer.error == FULL, answer.message
        judge()
        ballast.unlink()
        go_on(bench, operation, tally)
    striking.conclude(tally)


@each_operation
def test_a_read_only_state(operation, bench):
    """As a file system becomes that found an error in itself."""
    tally = striking.Tally(operation.name, "a read-only disk", possible=1, tried=1)
    bench.begin(operation)
    support.run("mount", "-o", "remount,ro", bench.disk.top)
    answer, judge = run_and_judge(bench, operation, tally, "Read-only file system")
    support.run("mount", "-o", "remount,rw", bench.disk.top)
    assert answer.error == PERMISSION and "Read-only file system" in answer.message, answer.text
    judge()
    if operation.name == "activate (boot)":  # one without the fixes would be worse than one that is not counted
        assert bench.level() == "b" and "the layers are on /usr" in answer.message
    go_on(bench, operation, tally)
    striking.conclude(tally)


@each_operation
def test_another_instance(operation, bench):
    tally = striking.Tally(operation.name, "another instance at work", possible=1, tried=1)
    bench.begin(operation)
    bench.device.state.mkdir(parents=True, exist_ok=True)
    with open(bench.device.state / "lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if operation.name in PATIENT:
            wait_and_release(bench, operation, lock)
            tally.struck += 1
            assert note(tally, bench.judge(operation)) == "new"
        else:
            answer, judge = run_and_judge(bench, operation, tally, "another instance")
            assert answer.error == BUSY and "lock" in answer.message, answer.text
            judge()
    go_on(bench, operation, tally)
    striking.conclude(tally)


def wait_and_release(bench, operation, lock):
    command = bench.device.command("--json", *bench.arguments(operation.command, operation.shop))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as waiting:
        time.sleep(0.3)
        assert waiting.poll() is None, "it does not wait"
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert waiting.wait(striking.TIMEOUT) == 0, waiting.stdout.read()


DAMAGES = {
    "empty": lambda text: b"",
    "cut": lambda text: text[:len(text) // 2],
    "zeros": lambda text: bytes(len(text)),
    "another version": lambda text: text.replace(b'"version": 1', b'"version": 9'),
}


@pytest.mark.parametrize("operation", [operation for operation in OPERATIONS if operation.start != "bare"],
                         ids=lambda operation: operation.name)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state(damage, operation, bench):
    """Refused, by name of the file: what it says cannot be guessed. With the file back, all is as before."""
    tally = striking.Tally(operation.name, "a damaged state", possible=1, tried=1)
    bench.begin(operation)
    path = bench.device.state / "state.json"
    sound = path.read_bytes()
    path.write_bytes(DAMAGES[damage](sound))
    answer, judge = run_and_judge(bench, operation, tally, "state.json")
    wanted = "Unsupported" if damage == "another version" else "Format"
    assert answer.error == wanted and "state.json" in answer.message, answer.text
    path.write_bytes(sound)
    judge()
    go_on(bench, operation, tally)
    striking.conclude(tally)


def test_a_state_that_is_gone(bench):
    """What lies on /usr stays, can be removed, and improvements can be had again."""
    operation, = (o for o in OPERATIONS if o.name == "remove")
    bench.begin(operation)
    (bench.device.state / "state.json").unlink()
    assert bench.level() == "a" and bench.status()["level"] is None
    assert bench.run(("remove",)).status == 0
    assert bench.level() is None and support.mounts_below(bench.device.path) == []
    assert bench.run(("install",), "first").status == 0 and bench.level() == "a"


def at_time(bench, days, *arguments):
    command = ["faketime", "-f", f"{days:+}d", *bench.device.command("--json", *arguments)]
    return support.Answer(support.run(*command, check=False, timeout=striking.TIMEOUT,
                                      env={**os.environ, **support.SANITIZERS_IN_FAKETIME}))


@pytest.mark.skipif(FAKETIME is None, reason="NOT TESTED: faketime is not installed")
def test_a_clock_that_is_set_back(bench):
    """What had expired is refused, a roll-out that has not begun is waited for; what needs no date works as ever."""
    operation, = (o for o in OPERATIONS if o.name == "install the next level")
    bench.begin(operation)
    arguments = bench.arguments(operation.command, operation.shop)
    late = at_time(bench, 4000, *arguments)
    assert late.error == "Expired", late.text
    assert bench.judge(operation) == "old"
    back = at_time(bench, -4000, *arguments)
    assert back.error == "NotOffered" and "not yet in the roll-out" in back.message, back.text
    assert bench.judge(operation) == "old"
    assert at_time(bench, -4000, "remove").status == 0 and bench.level() is None
    assert bench.run(operation.command).status == 0 and bench.level() == "b"
