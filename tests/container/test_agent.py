"""A night with nobody there, Debian 12 and 13: the agent as it is installed, with its units and their sandboxes, on real
systemd and the real system bus; NetworkManager and UPower are dbusmock's, logind is real. Time is accelerated by the timer
alone, which fires when the test says so. The tests of each release tell one story in order."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import pytest

from world import BUILD, PACKAGES, World, run

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "bus"))

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="booting a container needs root")

DATA = HERE.parents[1] / "data"
PLACE = "usr/lib/suture-test"
SCRIPT = "#!/bin/sh\n# {level}\nexec sleep infinity\n"
SERVICE = f"[Service]\nExecStart=/{PLACE}/served\n[Install]\nWantedBy=multi-user.target\n"
MOCKS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><policy user="root">
  <allow own="org.freedesktop.NetworkManager"/><allow own="org.freedesktop.UPower"/>
  <allow send_destination="org.freedesktop.NetworkManager"/><allow send_destination="org.freedesktop.UPower"/>
</policy></busconfig>
"""


def wait_for(what, why, seconds=60):
    end = time.monotonic() + seconds
    while True:
        got = what()
        if got:
            return got
        assert time.monotonic() < end, f"waited in vain: {why}"
        time.sleep(0.2)


class AgentWorld(World):
    web_port = 18186

    def prepare(self, suite):
        self.mocks = {}
        self.script("machine.sh", "rootfs", self.baseline, "--suite", suite, "--include", PACKAGES)
        self.write_script(self.baseline, "baseline")
        self.publisher("init")
        self.publisher("baseline", "--tree", self.baseline)
        self.serve()
        self.make_device()
        self.configure("[Watch]\nTime=2s\n")
        self.write_unit("served.service", SERVICE)
        self.install_suture()
        (self.device / "etc/dbus-1/system.d/mocks.conf").write_text(MOCKS)
        self.boot()

    def install_suture(self):
        """As `meson install --prefix=/usr` does."""
        for program, place in (("suture", "usr/bin/suture"), ("sutured", "usr/lib/suture/sutured")):
            (self.device / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(BUILD / "src" / program, self.device / place)
        for unit in (DATA / "systemd").iterdir():
            shutil.copy(unit, self.device / "usr/lib/systemd/system" / unit.name)
        run("systemctl", f"--root={self.device}", "enable", "suture-activate.service", "suture-healthy.service")
        for file, place in (("org.suture1.conf", "system.d"), ("org.suture1.service", "system-services")):
            shutil.copy(DATA / "dbus-1" / file, self.device / "usr/share/dbus-1" / place)
        if (DATA / "sysusers.d").exists():
            for file in (DATA / "sysusers.d").iterdir():
                shutil.copy(file, self.device / "usr/lib/sysusers.d")

    def suture(self, *arguments, check=True):
        return self.on_device("suture", *arguments, check=check)

    def write_script(self, top, level):
        (top / PLACE).mkdir(parents=True, exist_ok=True)
        (top / PLACE / "served").write_text(SCRIPT.format(level=level))
        (top / PLACE / "served").chmod(0o755)

    def release(self, level):
        fixed = self.path / f"fixed-{level}"
        self.write_script(fixed, level)
        (self.path / "hints").write_text(f"[served.service]\nData=/{PLACE}/served\n")
        self.publisher("build", "--tree", self.baseline, "--component", "served", "--fixed", fixed, "--new-version", level,
                       "--cve", "CVE-2030-0001", "--hints", self.path / "hints")
        self.publisher("release")

    def level(self):
        return re.search(r"# (.*)", self.shell(f"cat /{PLACE}/served"))[1]

    def agent_is_there(self):
        return self.shell("busctl status org.suture1 >/dev/null 2>&1 && echo yes", check=False) == "yes"

    def timer_fires(self):
        self.shell("systemctl start suture-update.service")

    def downloads(self):
        return sum("/objects/" in line for line in (self.path / "web/access.log").read_text().splitlines())

    def mock(self, name, *arguments):
        leader = (self.path / "run" / self.name / "leader").read_text().strip()
        environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=f"unix:path=/proc/{leader}/root/run/dbus/system_bus_socket")
        self.mocks[name] = subprocess.Popen(["/usr/bin/python3", "-m", "dbusmock", "--system", "--template", name], env=environment)

    def on_mock(self, name, path, method, *arguments):
        self.on_device("busctl", "call", name, path, "org.freedesktop.DBus.Mock", method, *arguments)

    def close(self):
        for mock in self.mocks.values():
            mock.kill()
            mock.wait()
        super().close()


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def world(request):
    world = AgentWorld()
    try:
        world.prepare(request.param)
        yield world
    finally:
        world.close()


def test_it_is_started_by_the_bus(world):
    assert not world.agent_is_there()
    world.release("a")
    print(world.suture("check").stdout)
    assert world.agent_is_there()
    print(world.suture("install").stdout)
    print(world.shell("cat /proc/self/mountinfo | grep suture; journalctl -u sutured --no-pager | tail -30; systemctl status sutured"))
    assert world.level() == "a"
