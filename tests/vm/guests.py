"""Guests in QEMU without KVM: Debian's kernels, and what a guest says on its console."""
import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import warnings

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "programs"))
import support  # noqa: E402

UP_SECONDS, UP_TRIES = 25, 3
RUN_SECONDS = 420  # a minute where nothing else is at work


@dataclasses.dataclass(frozen=True)
class Kernel:
    """A release of Debian whose cloud kernel it is, and the ways that the kernel has for us."""
    suite: str
    backing: str
    swap: str
    maps: str


KERNELS = {
    "6.1": Kernel("bookworm", backing="loop", swap="stacked", maps="text"),
    "6.12": Kernel("trixie", backing="file", swap="beneath", maps="query"),
}

TOOLS = ("qemu-system-x86_64", "busybox", "cpio", "mkfs.ext4", "mkfs.erofs", "modprobe", "strace", "apt-get")
MISSING = [tool for tool in TOOLS if not shutil.which(tool)]
MARKS = [
    pytest.mark.skipif(not support.IS_ROOT, reason="NOT TESTED: the guest's files must be root's"),
    pytest.mark.skipif(bool(MISSING), reason=f"NOT TESTED: missing {', '.join(MISSING)}"),
]


class Boot:
    """A running guest: what it says on its console, line by line, for as long as it is allowed to."""

    def __init__(self, *argv):
        self.lines, self.timer = [], None
        self.qemu = subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE, text=True, errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()
        self.qemu.stdout.close()

    def allow(self, seconds):
        if self.timer:
            self.timer.cancel()
        self.timer = threading.Timer(seconds, self.qemu.kill)
        self.timer.start()

    def cut(self):
        self.timer.cancel()
        self.qemu.kill()
        self.qemu.wait()

    def says(self, wanted):
        for line in self.qemu.stdout:
            self.lines.append(line.rstrip())
            if self.lines[-1].startswith(wanted):  # the kernel may end the line with words of its own
                return True
        return False

    def report(self):
        """All that is said until the end, and after a cut what was said before it."""
        self.lines += (line.rstrip() for line in self.qemu.stdout)
        return Report(self.lines)


class Report:
    """What a guest found out: the outcome of each case, and its notes."""

    def __init__(self, lines):
        self.text, self.last_line = "\n".join(lines), (lines or [""])[-1]
        self.cases = dict(re.findall(r"^case (\w+) (.*)$", self.text, re.M))
        self.notes = dict(re.findall(r"^note (\w+) (.*)$", self.text, re.M))

    def check(self, *cases):
        for case in cases:
            assert self.cases.get(case) == "ok", f"{case}: {self.cases.get(case, 'never said')}\n{self.text}"


class Machine:
    """One kernel, ready to boot from a disk."""

    def __init__(self, name, path):
        fetched = support.run(HERE / "kernel.sh", KERNELS[name].suite, check=False, timeout=300)
        if fetched.returncode != 0:
            pytest.skip(f"NOT TESTED: no kernel {name}: {fetched.stderr.splitlines()[-1]}")
        self.name, self.kernel, self.directory = name, KERNELS[name], fetched.stdout.strip()
        self.initramfs = path / f"initramfs-{name}"
        support.run(HERE / "initramfs.sh", self.directory, self.initramfs)

    def boot(self, disk, *settings):
        """A kernel has hung early in the emulation: one that has not begun its first program is booted again."""
        for _ in range(UP_TRIES):
            boot = Boot(HERE / "boot.sh", self.directory, self.initramfs, disk, *settings)
            boot.allow(UP_SECONDS)
            if boot.says("guest is up"):
                boot.allow(RUN_SECONDS)
                return boot
            boot.cut()
            warnings.warn(f"Linux {self.name} did not come up in {UP_SECONDS} s: {boot.lines[-20:]}")
        raise AssertionError(f"Linux {self.name} did not come up in {UP_TRIES} tries")

    def run(self, disk, *settings):
        with self.boot(disk, *settings) as boot:
            return boot.report()


def copy_disk(disk, path):
    support.run("cp", "--sparse=always", disk, path)
    return path
