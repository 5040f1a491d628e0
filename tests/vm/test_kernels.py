"""The real programs on older kernels, in QEMU without KVM: each way that a newer kernel has made superfluous.

One boot of each kernel goes through guest/checks.sh and says a line for each case, which is a test of its own here.
Then the power is cut during changes: QEMU is killed, and the next boot must find its way."""
import os
import pathlib
import random
import re
import shutil
import tempfile
import time

import pytest

import guests
from guests import HERE, KERNELS, support

# What the guest is told to try.
CASES = re.search(r"^try (.*?[^\\])$", (HERE / "guest/checks.sh").read_text(), re.M | re.S)[1].replace("\\", "").split()
# The changes, and the step at a random instant after whose begin the power goes.
CUTS = (("install", "download"), ("install", "rebuild image"), ("install", "swap"), ("update", "swap"), ("remove", "swap"))
CUT_SECONDS = 0.15

pytestmark = guests.MARKS


class Guest:
    """One kernel, ready to boot with copies of the disk, and what its checks found out."""

    def __init__(self, name, disk, path):
        self.machine, self.template, self.path = guests.Machine(name, path), disk, path
        self.checks = self.run("checks", self.new_disk("checks"))
        print(f"Linux {name}:", *(f"{note}: {text}" for note, text in self.checks.notes.items()), sep="\n    ")

    def new_disk(self, name):
        return guests.copy_disk(self.template, self.path / f"disk-{self.machine.name}-{name}")

    def boot(self, run, disk, *settings):
        kernel = self.machine.kernel
        return self.machine.boot(disk, f"VM_RUN={run}", f"VM_KERNEL={self.machine.name}", f"VM_BACKING={kernel.backing}",
                                 f"VM_SWAP={kernel.swap}", f"VM_MAPS={kernel.maps}", *settings)

    def run(self, run, disk, *settings):
        with self.boot(run, disk, *settings) as boot:
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


@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in KERNELS])
def guest(request, scratch, disk):
    return Guest(request.param, disk, scratch)


@pytest.mark.parametrize("case", CASES)
def test_case(guest, case):
    guest.checks.check(case)


@pytest.mark.parametrize("change, step", CUTS)
def test_power_cut_during_a_change(guest, change, step):
    disk, delay = guest.new_disk("cut"), random.random() * CUT_SECONDS
    with guest.boot("cut", disk, f"VM_CHANGE={change}") as boot:
        assert boot.says("here it begins") and boot.says(f"{step} ..."), boot.report().text
        time.sleep(delay)
        boot.cut()
        last_line = boot.report().last_line
    report = guest.run("recover", disk, f"VM_CHANGE={change}")
    print(f"Linux {guest.machine.name}: {change} cut {delay:.3f} s after '{step} ...' at '{last_line}';",
          f"found by the next boot: {report.notes.get('found')}")
    report.check("usr_is_the_old_one_or_the_new_one", "the_change_completes", "remove_completes")
