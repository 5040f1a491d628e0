"""Debian's own systemd on Debian's kernels, in QEMU: what is installed is back before anything uses it, from the store
alone, also after the power went during the boot; and it is not when the kernel's command line says so.

The boots of a kernel are one story."""
import pathlib
import random
import shutil
import sys
import tempfile
import time

import pytest

import guests
from guests import HERE, KERNELS, support

CONTAINER = HERE.parent / "container"
sys.path.insert(0, str(CONTAINER))
from world import PACKAGES  # noqa: E402

UNITS = HERE.parents[1] / "data/systemd"
PLACE = "usr/lib/suture-test"
EARLY = f"""[Unit]
DefaultDependencies=no
After=local-fs.target systemd-tmpfiles-setup.service
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'cp /{PLACE}/level /run/early'
[Install]
WantedBy=sysinit.target
"""
STORY = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/opt/test/story.sh
[Install]
WantedBy=multi-user.target
"""
# Of no use here, and slow in the emulation.
MASKED = [f"{name}.service" for name in (
    "systemd-udevd", "systemd-udev-trigger", "systemd-logind", "systemd-user-sessions", "systemd-hwdb-update",
    "systemd-journal-catalog-update", "systemd-journal-flush", "systemd-timesyncd", "systemd-pstore", "systemd-update-utmp",
    "systemd-random-seed", "ldconfig", "e2scrub_reap", "nginx", "ssh", "dbus", "serial-getty@ttyS0", "getty@tty1")]
CUT_SECONDS = 0.3

pytestmark = guests.MARKS


class System:
    """A Debian with an improvement in a repository of its own."""

    def __init__(self, name, path):
        self.machine, self.path = guests.Machine(name, path), path
        self.make_tree()
        self.disk = path / "disk"
        support.run("truncate", "-s", "1500M", self.disk)
        support.run("mkfs.ext4", "-q", "-F", "-O", "verity", "-b", "4096", "-d", self.top, self.disk)

    def make_tree(self):
        self.top = self.path / "top"
        support.run(CONTAINER / "rootfs.sh", self.top, "--suite", self.machine.kernel.suite, "--include", PACKAGES,
                    timeout=600)
        support.write(self.top / PLACE / "level", "baseline\n")
        support.write(self.path / "fixed" / PLACE / "level", "a\n")
        self.add_programs()
        self.add_unit("early.service", EARLY)
        self.add_unit("story.service", STORY)
        support.run("systemctl", f"--root={self.top}", "mask", *MASKED)
        self.publish()

    def add_programs(self):
        shutil.copy(support.BUILD / "suture", self.top / "usr/bin/suture")
        (self.top / "opt/test").mkdir(parents=True)
        for script in (HERE / "guest").glob("*.sh"):
            shutil.copy(script, self.top / "opt/test")
        for unit in ("suture-activate.service", "suture-healthy.service"):
            self.add_unit(unit, (UNITS / unit).read_text())

    def add_unit(self, name, text):
        support.write(self.top / "etc/systemd/system" / name, text)
        support.run("systemctl", f"--root={self.top}", "enable", name)

    def publish(self):
        publish = support.BUILD / "suture-publish", "-C", self.path / "publisher"
        support.run(*publish, "init")
        support.run(*publish, "baseline", "--tree", self.top)
        support.run(*publish, "build", "--tree", self.top, "--component", "words", "--fixed", self.path / "fixed",
                    "--new-version", "2", "--cve", "CVE-2030-0001")
        support.run(*publish, "release")
        shutil.copytree(self.path / "publisher/public", self.top / "opt/repository")
        device = support.Device(self.top, "file:///opt/repository")
        shutil.copy(self.path / "publisher/public/metadata/1.root.json", device.path / "etc/suture/root.json")

    def boot(self, *settings):
        return self.machine.boot(self.disk, "VM_INIT=/sbin/init", "TERM=dumb", *settings)

    def install(self):
        """Without systemd, which has nothing to do with it."""
        report = self.machine.run(self.disk, "VM_RUN=install")
        assert report.notes.get("installed") == "a", report.text

    def run(self, *settings):
        with self.boot(*settings) as boot:
            notes = boot.report().notes
            assert "over" in notes, "\n".join(boot.lines[-60:])
            return notes


@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in KERNELS])
def system(request):
    path = pathlib.Path(tempfile.mkdtemp(prefix="suture-vm.", dir="/var/tmp"))
    try:
        system = System(request.param, path)
        system.install()
        yield system
    finally:
        shutil.rmtree(path)


def test_the_power_goes_while_an_improvement_is_put_back(system):
    with system.boot("systemd.show_status=1", "systemd.status_unit_format=name") as boot:
        assert boot.says("         Starting suture-activate.service"), "\n".join(boot.lines)
        time.sleep(random.random() * CUT_SECONDS)
        boot.cut()


def test_it_is_back_at_the_next_boot_before_anything_uses_it(system):
    notes = system.run()
    print(f"Linux {system.machine.name}: activation took {notes['milliseconds']} ms in the emulation")
    assert (notes["early"], notes["level"]) == ("a", "a")
    assert (notes["activation"], notes["healthy"]) == ("success yes", "active")
    assert (notes["boots"], notes["cycles"]) == ("0", "0")


def test_the_kernels_command_line_turns_it_off(system):
    notes = system.run("suture.disable")
    assert (notes["early"], notes["level"], notes["state"]) == ("baseline", "baseline", "disabled")
