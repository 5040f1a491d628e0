"""Killed at any of the calls by which it changes disk or mounts: the old state or the new one, and the next command
completes. strace counts the calls and delivers the signal at the one that is asked for."""
import os
import re
import shutil
import subprocess

import pytest

import support
from test_way import expected_usr

CHANGES = ("openat,mkdirat,write,pwrite64,renameat,renameat2,unlinkat,fsync,fdatasync,ftruncate,fallocate,copy_file_range,"
           "mount,umount2,move_mount,fsmount,fsconfig,open_tree,mount_setattr,unshare,fork,clone,clone3,vfork")
# How many points of each change are tried: evenly over all calls.
POINTS = 40

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="NOT TESTED: strace is missing")


def strace(device, log, *arguments, inject=None):
    options = ["-f", "-qq", "-o", log, "-e", f"trace={inject or CHANGES}"]
    if inject:
        options += ["-e", f"inject={inject}:signal=KILL:when={arguments[0]}"]
        arguments = arguments[1:]
    # The leak sanitizer cannot look at a process that is traced already.
    return subprocess.run(["strace", *options, *device.command(*arguments)], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, timeout=60, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})


def count_calls(log):
    """How often each call was made. `when` of strace counts for each thread on its own: the main one's are counted."""
    lines = log.read_text().splitlines()
    main = lines[0].split()[0]
    counts = {}
    for line in lines:
        match = re.match(r"(\d+) +(\w+)\(", line)
        if match and match[1] == main:
            counts[match[2]] = counts.get(match[2], 0) + 1
    return counts


def points(counts):
    every = [(call, number) for call, count in sorted(counts.items()) for number in range(1, count + 1)]
    step = max(1, len(every) // POINTS)
    return every[::step]


def clean_up(device):
    if device("status")["level"]:
        assert device("remove").status == 0
    assert support.mounts_below(device.path) == []


@pytest.mark.parametrize("verb", ["install", "remove"])
def test_killed_at_a_call_that_changes_something(verb, device, trees, work):
    before, after = expected_usr(trees), expected_usr(trees, "a")
    if verb == "remove":
        before, after = after, before

    def begin():
        clean_up(device)
        device.forget()
        if verb == "remove":
            assert device("install").status == 0

    begin()
    assert strace(device, work / "log", verb).returncode == 0
    every = points(count_calls(work / "log"))
    assert len(every) >= POINTS
    killed, changed = 0, 0
    for call, number in every:
        begin()
        killed += strace(device, work / "log", str(number), verb, inject=call).returncode != 0
        seen = support.read_tree(device.usr)
        assert seen in (before, after), (call, number)
        changed += seen == after
        status = device("status")
        assert status.status == 0, (call, number, status.message)
        # What is on /usr and what is said of it are the same.
        assert (status["level"] == "a") == (seen == expected_usr(trees, "a")), (call, number, status.text)
        again = device(verb)
        assert again.status == 0 or (verb, again.error) == ("remove", "NotInstalled"), (call, number, again.message)
        assert support.read_tree(device.usr) == after, (call, number)
        assert device.facts()["leftovers"] == [], (call, number)
        assert len(support.mounts_below(device.path)) == (verb == "install"), (call, number)
    assert killed > len(every) * 3 // 4
    print(f"{verb}: killed at {killed} of {len(every)} calls; {changed} times the change was done already")
