"""A device that cannot take an improvement: the true reason is named with the file it is about, and nothing changes."""
import fcntl
import os
import re
import shutil
import subprocess
import time

import pytest

import support
from test_bad_repository import refused
from test_cancel import needs_strace, start, wait_until


def image(device):
    path, = (device.state / "images").iterdir()
    return path


# The baseline's files


def test_a_source_file_that_differs(device):
    path = device.usr / "lib/fix.dat"
    support.flip(path, 100_000)
    assert refused(device, {"Baseline"}, "'/usr/lib/fix.dat' on this system is not the file of the baseline").status == 31


def test_a_source_file_that_is_missing(device):
    (device.usr / "lib/libfix.so").unlink()
    assert refused(device, {"Baseline"}, "'/usr/lib/libfix.so' is missing").status == 31


def test_a_source_file_that_became_a_link(device):
    path = device.usr / "lib/fix.dat"
    shutil.move(path, device.path / "elsewhere.dat")
    path.symlink_to("../../elsewhere.dat")
    assert refused(device, {"Baseline"}, "'/usr/lib/fix.dat' is a link").status == 31


def test_a_source_file_that_became_a_pipe(device):
    path = device.usr / "lib/fix.dat"
    path.unlink()
    os.mkfifo(path)
    assert refused(device, {"Baseline"}, "'/usr/lib/fix.dat' is no regular file").status == 31


def test_a_file_in_the_place_of_one_that_is_added(device):
    support.write(device.usr / "share/fix/added.txt", "the administrator's own\n")
    assert refused(device, {"Baseline"}, "'/usr/share/fix/added.txt'").status == 31


def test_a_file_that_the_improvement_does_not_touch_may_differ(device):
    support.write(device.usr / "share/untouched", "changed by the administrator\n")
    assert device("install").status == 0
    assert (device.usr / "share/untouched").read_text() == "changed by the administrator\n"


# The stored images


def test_no_flipped_bit_of_a_stored_image_is_mounted(device, server):
    assert device("install").status == 0 and device("remove").status == 0
    path = image(device)
    for at in range(0, path.stat().st_size, 12_347):
        support.flip(path, at)
        # What is damaged is not used: it is rebuilt, and the fix goes in.
        assert device("install").status == 0 and device.answer() == "new"
        assert device("remove").status == 0 and device.answer() == "old"
    assert path == image(device)


def test_a_damaged_image_that_cannot_be_had_again(device, server):
    assert device("install").status == 0 and device("remove").status == 0
    support.flip(image(device), 5_000)
    server.fail("^objects/", status=500)
    assert refused(device, {"Unreachable"}, "objects/").status == 23


# The system


def set_machine(tree, machine):
    path = tree / "usr/bin/true"
    program = bytearray(path.read_bytes())
    program[18] = machine
    path.write_bytes(program)


def test_a_wrong_architecture(device):
    X86_64, AARCH64 = 62, 183
    here, there = (X86_64, AARCH64) if os.uname().machine == "x86_64" else (AARCH64, X86_64)
    set_machine(device.path, there)
    names = {X86_64: "x86-64", AARCH64: "arm64"}
    assert refused(device, {"Architecture"}, names[here], names[there]).status == 32


@pytest.mark.parametrize("release", ["ID=testos\nVERSION_ID=2\n", "ID=another\nVERSION_ID=1\n"])
def test_another_system(release, device):
    support.write(device.path / "etc/os-release", release)
    identity = dict(line.split("=") for line in release.split())
    assert refused(device, {"NotOffered"}, f"baseline {identity['ID']}-{identity['VERSION_ID']}-").status == 35


def test_a_system_that_does_not_say_what_it_is(device):
    (device.path / "etc/os-release").unlink()
    assert refused(device, {"Baseline"}, "/usr/lib/os-release").status == 31


def test_an_overlay_of_somebody_else(device, work):
    for name in ("upper", "work"):
        (work / name).mkdir()
    support.run("mount", "-t", "overlay", "someone", "-o",
                f"lowerdir={device.usr},upperdir={work}/upper,workdir={work}/work", device.usr)
    answer = refused(device, {"Conflict"}, str(device.usr), "someone")
    assert answer.status == 40 and device("status")["conflict"]


def test_a_file_system_below_usr_stays_in_sight(device):
    support.run("mount", "-t", "tmpfs", "tmpfs", device.usr / "share")
    (device.usr / "share/mine").write_text("x")
    for verb in ("install", "remove"):
        assert device(verb).status == 0 and (device.usr / "share/mine").read_text() == "x"
    assert len(support.mounts_below(device.path)) == 1


# Room


@pytest.fixture
def small_disk(device):
    """The state on a file system of its own, which is full but for that many bytes."""
    def mount(size):
        device.state.mkdir(parents=True)
        support.run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", device.state)
    return mount


@pytest.mark.parametrize("size, says", [
    ("4k", "No space left on device"), ("64k", "not enough space"), ("256k", "not enough space"),
])
def test_a_full_disk(size, says, device, small_disk):
    small_disk(size)
    answer = device("install")
    assert (answer.status, answer.error) == (34, "Space"), answer.message
    assert support.STATE in answer.message and says in answer.message
    assert len(support.mounts_below(device.path)) == 1 and device.answer() == "old"
    assert not [p for p in device.state.rglob("*") if p.name.endswith((".tmp", "partial"))]
    support.run("mount", "-o", "remount,size=8m", device.state)
    assert device("install").status == 0 and device.answer() == "new"


def fill_up(directory):
    with open(directory / "ballast", "wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError:
            pass


@pytest.mark.parametrize("request_for", ["snapshot", "manifest", "^objects/"])
def test_a_disk_that_fills_up_meanwhile(request_for, device, server, small_disk):
    small_disk("4m")
    server.fail(request_for, before=lambda: fill_up(device.state))
    answer = device("install")
    assert (answer.status, answer.error) == (34, "Space"), answer.message
    assert device.answer() == "old"
    server.faults.clear()
    (device.state / "ballast").unlink()
    assert device("install").status == 0 and device.answer() == "new"


def traced(device, log, *options):
    """An install whose calls strace sees, and makes fail or wait where it is asked to."""
    return start(["strace", "-f", "-qq", "-y", "-o", log, *options, *device.command("--json", "install")])


def answer_of(process):
    output, errors = process.communicate(timeout=60)
    return support.Answer(subprocess.CompletedProcess(process.args, process.returncode, output, errors))


def no_room_was_found(device, answer, *says):
    assert (answer.status, answer.error) == (34, "Space"), answer.message
    assert all(re.search(part, answer.message) for part in ("component 'fix'", *says)), answer.message
    assert device.answer() == "old" and device.facts()["leftovers"] == [] and device.facts()["images"] == {}


NUMBERS = r"not enough space .*: [0-9]+ KiB are needed, [0-9]+ KiB are free"


def test_room_that_went_with_the_download(device, server, small_disk):
    small_disk("4m")

    def leave_too_little():
        vfs = os.statvfs(device.state)
        (device.state / "ballast").write_bytes(bytes(vfs.f_bavail * vfs.f_frsize - 512 * 1024))
    server.fail("^objects/", before=leave_too_little)
    no_room_was_found(device, device("install"), NUMBERS)
    server.faults.clear()
    (device.state / "ballast").unlink()
    assert device("install").status == 0 and device.answer() == "new"


@needs_strace
def test_room_is_taken_before_the_image_is_made(device, work):
    log = work / "log"
    assert answer_of(traced(device, log, "-e", "trace=fallocate,write")).status == 0
    calls = [line for line in log.read_text().splitlines() if "images/partial" in line]
    size = image(device).stat().st_size
    assert re.search(fr"fallocate\(.*, FALLOC_FL_KEEP_SIZE, 0, {size}\) = 0$", calls[0]) and "write(" in calls[1], calls[:2]


@needs_strace
@pytest.mark.parametrize("error, says", [("ENOSPC", NUMBERS), ("EDQUOT", NUMBERS), ("EOPNOTSUPP", None)])
def test_room_that_cannot_be_taken_beforehand(error, says, device, work):
    answer = answer_of(traced(device, work / "log", "-e", "trace=fallocate", "-e", f"inject=fallocate:error={error}"))
    if says:
        no_room_was_found(device, answer, says)
    else:
        assert answer.status == 0 and device.answer() == "new", answer.message


@needs_strace
def test_a_disk_that_fills_up_while_an_image_is_made(device, small_disk, work):
    """Where room cannot be taken beforehand; the call that refuses it lasts long enough to fill the disk."""
    small_disk("4m")
    process = traced(device, work / "log", "-e", "trace=fallocate",
                     "-e", "inject=fallocate:error=EOPNOTSUPP:delay_exit=1000000")
    partial = device.state / "images/partial"
    wait_until(partial.exists, process)
    time.sleep(0.3)  # what was free has been looked at
    fill_up(device.state)
    no_room_was_found(device, answer_of(process), "No space left on device")
    (device.state / "ballast").unlink()
    assert device("install").status == 0 and device.answer() == "new"


def test_a_state_directory_that_is_read_only(device):
    device.state.mkdir(parents=True)
    support.run("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", device.state)
    answer = refused(device, {"Permission"}, support.STATE, "Read-only file system")
    assert answer.status == 20


def test_a_change_that_cannot_be_recorded_is_said_to_be_in_place(device):
    (device.state / "history").mkdir(parents=True)
    answer = device("install")
    assert answer.status != 0 and "the change is in place, but" in answer.message and "history" in answer.message
    assert device("status")["level"] == "a" and device.answer() == "new"
    assert device("status")["history"] is None, "it cannot be read, which is no reason to say nothing"


# People


@pytest.mark.parametrize("verb", ["check", "install", "remove", "exposure"])
def test_a_normal_user_may_not(verb, device):
    answer = device(verb, user=support.NOBODY, group=support.NOBODY)
    assert (answer.status, answer.error) == (20, "Permission") and "root" in answer.message


def test_a_normal_user_may_look(device):
    assert device("install").status == 0
    for verb in ("status", "history"):
        assert device(verb, user=support.NOBODY, group=support.NOBODY).status == 0
    status = device("status", user=support.NOBODY, group=support.NOBODY)
    # What cannot be seen is not said to be nothing.
    assert (status["exposure_known"], status["exposed"], status["stale"], status["needs"]) == (False, None, None, None)


@pytest.mark.parametrize("verb", ["check", "install", "remove"])
def test_another_instance_is_at_work(verb, device):
    assert device("check").status == 0
    with open(device.state / "lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert refused(device, {"Busy"}, "lock", verb=verb).status == 21
        assert device("status").status == 0


@pytest.mark.parametrize("text, where", [
    ("", "Repository"),
    ("[Source]\n", "Repository"),
    ("[Source]\nRepository=http://127.0.0.1\nMirror=x\n", "suture.conf:3: unknown key 'Mirror'"),
    ("[Sauce]\n", "suture.conf:1: unknown section [Sauce]"),
    ("[Source]\nRepository\n", "suture.conf:2: neither a section nor KEY=VALUE"),
    ("[Source]\nTrustedRoot=here\n", "suture.conf:2: TrustedRoot= is not an absolute path"),
    ("[Source]\nRepository=gopher://x\n", "gopher://x"),
])
def test_a_configuration_that_says_too_little_or_too_much(text, where, device):
    device.configure(text)
    assert refused(device, {"Config"}, where).status == 22


@pytest.mark.parametrize("content, names", [
    (None, {"Config"}), ("", {"Format"}), ("{}", {"Format"}), ("{", {"Format"}), ("x" * 600_000, {"TooLarge"}),
], ids=["missing", "empty", "bare", "cut", "huge"])
def test_a_trusted_root_that_is_none(content, names, device):
    path = device.path / "etc/suture/root.json"
    path.unlink()
    if content is not None:
        support.write(path, content)
    refused(device, names, "/etc/suture/root.json")


@pytest.mark.parametrize("arguments", [
    (), ("fly",), ("install", "more"), ("--flag",), ("install", "--root"), ("--root",), ("status", "--dry-run"),
    ("restart", "--restart=now", "--if-due"), ("watch", "--restart=later"), ("status", "--if-due"), ("check", "--force"), ("install", "--restart=soon"),
    ("remove", "--download-only"), ("remove", "--unattended"), ("activate", "--dry-run"),
])
def test_usage(arguments, device):
    done = support.run(support.BUILD / "suture", *arguments, check=False)
    assert done.returncode == 2 and done.stderr.startswith("suture: ") and done.stdout == ""


def test_a_root_that_is_not_there(work):
    done = support.run(support.BUILD / "suture", "--root", work / "nowhere", "status", check=False)
    assert done.returncode == 24 and f"{work}/nowhere" in done.stderr


def test_an_output_that_is_full(device):
    with open("/dev/full", "w") as full:
        done = subprocess.run(device.command("--json", "status"), stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode != 0 and "No space left on device" in done.stderr


@pytest.mark.parametrize("name", ["state.json", "generations/1.json"])
def test_state_that_is_damaged(name, device):
    assert device("install").status == 0
    path = device.state / name
    sound = path.read_text()
    path.write_text(sound[:-10])
    answer = device("install")
    assert answer.error == "Format" and name in answer.message
    path.write_text(sound)
    assert device("remove").status == 0
