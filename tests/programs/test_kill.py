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
POINTS = 25

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


def try_every_point(device, log, begin, verb, check):
    """Run `verb` once to count its calls, then again and again, killed at each of them; `check` says whether the
    change was done, and whether all is well."""
    begin()
    assert strace(device, log, verb).returncode == 0
    every = points(count_calls(log))
    assert len(every) >= 10
    killed, done = 0, 0
    for call, number in every:
        begin()
        killed += strace(device, log, str(number), verb, inject=call).returncode != 0
        done += check((call, number))
    assert killed > len(every) * 3 // 4
    print(f"{verb}: killed at {killed} of {len(every)} calls; {done} times the change was done already")


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

    def check(point):
        seen = support.read_tree(device.usr)
        assert seen in (before, after), point
        status = device("status")
        assert status.status == 0, (point, status.message)
        # What is on /usr and what is said of it are the same.
        assert (status["level"] == "a") == (seen == expected_usr(trees, "a")), (point, status.text)
        again = device(verb)
        assert again.status == 0 or (verb, again.error) == ("remove", "NotInstalled"), (point, again.message)
        assert support.read_tree(device.usr) == after, point
        assert device.facts()["leftovers"] == [], point
        assert len(support.mounts_below(device.path)) == (verb == "install"), point
        return seen == after

    try_every_point(device, work / "log", begin, verb, check)


@pytest.mark.parametrize("verb", ["suspend", "resume"])
@pytest.mark.parametrize("base", ["as it was", "fixed by then"])
def test_killed_while_a_package_manager_takes_over(verb, base, device, trees, work):
    bare, fixed = expected_usr(trees), expected_usr(trees, "a")

    def begin():
        clean_up(device)
        device.forget()
        shutil.rmtree(device.usr)
        support.run("cp", "-a", trees / "baseline/usr", device.path)
        assert device("install").status == 0
        if verb == "resume":
            # strace is who asks, and it is gone by the time of the resume: as after a kill of the package manager.
            assert strace(device, work / "log", "suspend").returncode == 0
            put_fix_into_base()

    def put_fix_into_base():
        if base != "as it was":
            for path in ("lib/libfix.so", "lib/fix.dat", "bin/tool", "lib/private/secret", "share/fix"):
                support.run("cp", "-a", trees / "fixed-a/usr" / path, (device.usr / path).parent)

    def check(point):
        status = device("status")
        assert status.status == 0, (point, status.message)
        on_usr = len(support.mounts_below(device.path)) == 1
        if verb == "suspend":
            assert support.read_tree(device.usr) == (fixed if on_usr else bare), point
            if not on_usr:
                put_fix_into_base()
        resume = device("resume")
        assert resume.status == 0, (point, resume.message)
        after = device("status")
        assert after["state"] in ("active", "baseline"), (point, after.text)
        assert (after["state"] == "active") == (len(support.mounts_below(device.path)) == 1), point
        seen = support.read_tree(device.usr)
        assert seen["lib/libfix.so"] == fixed["lib/libfix.so"], (point, after.text)
        return not on_usr if verb == "suspend" else on_usr

    try_every_point(device, work / "log", begin, verb, check)
