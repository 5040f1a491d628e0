"""The real programs on older kernels, in QEMU without KVM: each way that a newer kernel has made superfluous.

One boot of each kernel goes through guest/checks.sh and says a line for each case, which is a test of its own here.
Then the power is cut during installs: QEMU is killed, and the next boot must find its way."""
import dataclasses
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "programs"))
import support  # noqa: E402

UP_SECONDS, UP_TRIES = 25, 3
RUN_SECONDS = 180


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
# What the guest is told to try.
CASES = re.search(r"^try (.*?[^\\])$", (HERE / "guest/checks.sh").read_text(), re.M | re.S)[1].replace("\\", "").split()
# The steps of an install at a random instant after whose begin the power goes.
CUTS = ("download", "rebuild image", "swap")
CUT_SECONDS = 0.15

TOOLS = ("qemu-system-x86_64", "busybox", "cpio", "mkfs.ext4", "mkfs.erofs", "modprobe", "strace", "apt-get")
MISSING = [tool for tool in TOOLS if not shutil.which(tool)]

pytestmark = [
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


class Guest:
    """One kernel, ready to boot with copies of the disk, and what its checks found out."""

    def __init__(self, name, directory, disk, path):
        self.name, self.kernel, self.directory, self.template, self.path = name, KERNELS[name], directory, disk, path
        self.initramfs = path / f"initramfs-{name}"
        support.run(HERE / "initramfs.sh", directory, self.initramfs)
        self.checks = self.run("checks", self.new_disk("checks"))
        print(f"Linux {name}:", *(f"{note}: {text}" for note, text in self.checks.notes.items()), sep="\n    ")

    def new_disk(self, name):
        disk = self.path / f"disk-{self.name}-{name}"
        support.run("cp", "--sparse=always", self.template, disk)
        return disk

    def command(self, run, disk):
        return (HERE / "boot.sh", self.directory, self.initramfs, disk, f"VM_RUN={run}", f"VM_KERNEL={self.name}",
                f"VM_BACKING={self.kernel.backing}", f"VM_SWAP={self.kernel.swap}", f"VM_MAPS={self.kernel.maps}")

    def boot(self, run, disk):
        """A kernel has hung early in the emulation: one that has not begun its first program is booted again."""
        for _ in range(UP_TRIES):
            boot = Boot(*self.command(run, disk))
            boot.allow(UP_SECONDS)
            if boot.says("guest is up"):
                boot.allow(RUN_SECONDS)
                return boot
            boot.cut()
            warnings.warn(f"Linux {self.name} did not come up in {UP_SECONDS} s: {boot.lines[-20:]}")
        raise AssertionError(f"Linux {self.name} did not come up in {UP_TRIES} tries")

    def run(self, run, disk):
        with self.boot(run, disk) as boot:
            return boot.report()


def describe(tree):
    environment = {**os.environ, "LC_ALL": "C"}
    return support.run("busybox", "sh", HERE / "guest/describe.sh", tree / "usr", env=environment).stdout


def make_repositories(trees, path):
    """As they are after each level's release."""
    for level in "ab":
        support.make_fixed(trees / f"fixed-{level}", level)
    publisher = support.Publisher(path / "publisher", trees).start()
    for level in "ab":
        publisher.release(level)
        shutil.copytree(publisher.public, path / f"repositories/{level}")
    return path / "repositories"


def lay_over(top, fixed):
    """Directories stay as they were; documentation is no part of a fix."""
    support.run("sh", "-c", 'tar -C "$1" --exclude usr/share/doc -c usr | tar -C "$0" --no-overwrite-dir -xp', top, fixed)


def make_expectations(trees, path, into):
    """What /usr must be at each level."""
    merged = path / "merged"
    support.run("cp", "-a", trees / "baseline", merged)
    (into / "usr-baseline").write_text(describe(merged))
    for level in "ab":
        lay_over(merged, trees / f"fixed-{level}")
        (into / f"usr-{level}").write_text(describe(merged))


def make_disk(path):
    trees, top = path / "trees", path / "top"
    support.make_baseline(trees / "baseline")
    repositories = make_repositories(trees, path)
    support.run("cp", "-a", trees / "baseline", top)
    (top / "opt/test").mkdir(parents=True)
    make_expectations(trees, path, top / "opt/test")
    shutil.copytree(repositories, top / "opt/repositories")
    device = support.Device(top, "file:///opt/repository")
    device.trust(support.Publisher(path / "publisher", trees))
    support.run(HERE / "disk.sh", top, path / "disk", support.BUILD / "suture", support.BUILD.parent / "bench/bench-swap",
                *(shutil.which(tool) for tool in ("mkfs.erofs", "strace")))
    return path / "disk"


@pytest.fixture(scope="module")
def scratch():
    path = pathlib.Path(tempfile.mkdtemp(prefix="suture-vm.", dir="/var/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def disk(scratch):
    return make_disk(scratch)


@pytest.fixture(scope="module", params=KERNELS)
def guest(request, scratch, disk):
    fetched = support.run(HERE / "kernel.sh", KERNELS[request.param].suite, check=False, timeout=300)
    if fetched.returncode != 0:
        pytest.skip(f"NOT TESTED: no kernel {request.param}: {fetched.stderr.splitlines()[-1]}")
    return Guest(request.param, fetched.stdout.strip(), disk, scratch)


@pytest.mark.parametrize("case", CASES)
def test_case(guest, case):
    guest.checks.check(case)


@pytest.mark.parametrize("cut", CUTS)
def test_power_cut_during_an_install(guest, cut):
    disk, delay = guest.new_disk("cut"), random.random() * CUT_SECONDS
    with guest.boot("cut", disk) as boot:
        assert boot.says(f"{cut} ..."), boot.report().text
        time.sleep(delay)
        boot.cut()
        last_line = boot.report().last_line
    report = guest.run("recover", disk)
    print(f"Linux {guest.name}: cut {delay:.3f} s after '{cut} ...' at '{last_line}';",
          f"found by the next boot: {report.notes.get('found')}")
    report.check("usr_is_the_old_one_and_status_works", "install_completes", "remove_completes")
