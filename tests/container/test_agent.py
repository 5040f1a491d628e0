"""A night with nobody there, Debian 12 and 13: the agent as it is installed, with its units and their sandboxes, on real
systemd and the real system bus; NetworkManager and UPower are dbusmock's, logind is real. Time is accelerated by the timer
alone, which fires when the test says so. The tests of each release tell one story in order."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest

from world import BUILD, DATA, PACKAGES, World

HERE = pathlib.Path(__file__).resolve().parent
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="booting a container needs root")

NOT_OFFERED = 35
NETWORK_MANAGER, UPOWER = "org.freedesktop.NetworkManager", "org.freedesktop.UPower"
MOCK = "org.freedesktop.DBus.Mock"
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
        super().install_suture()
        # It ends sooner.
        unit = (DATA / "systemd/sutured.service").read_text()
        command = re.search("ExecStart=(.*)", unit)[1].replace("sutured ", "sutured --idle=2 ", 1)
        (self.device / "etc/systemd/system/sutured.service.d").mkdir()
        (self.device / "etc/systemd/system/sutured.service.d/idle.conf").write_text(
            f"[Service]\nExecStart=\nExecStart={command}\n")

    def boot(self):
        """systemd makes a network namespace only where it may set it up, as on a real machine."""
        self.script("machine.sh", "boot", self.device, self.name, "--bind", f"{BUILD}/src:/mnt/suture",
                    "--capability", "CAP_NET_ADMIN")

    def suture(self, *arguments, check=True):
        return self.on_device("suture", *arguments, check=check)

    def write_script(self, top, level, script=SCRIPT):
        (top / PLACE).mkdir(parents=True, exist_ok=True)
        (top / PLACE / "served").write_text(script.format(level=level))
        (top / PLACE / "served").chmod(0o755)

    def release(self, level, script=SCRIPT):
        fixed = self.path / f"fixed-{level}"
        self.write_script(fixed, level, script)
        (self.path / "hints").write_text(f"[served.service]\nData=/{PLACE}/served\n")
        self.publisher("build", "--tree", self.baseline, "--component", "served", "--fixed", fixed, "--new-version", level,
                       "--cve", "CVE-2030-0001", "--hints", self.path / "hints")
        self.publisher("release")

    def level(self):
        return re.search(r"# (.*)", self.shell(f"cat /{PLACE}/served"))[1]

    def agent_is_there(self):
        return self.has("org.suture1")

    def has(self, name):
        return self.shell("busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus NameHasOwner s "
                          f"{name}") == "b true"

    def timer_fires(self):
        self.shell("systemctl start suture-update.service")

    def downloads(self):
        return sum("/objects/" in line for line in (self.path / "web/access.log").read_text().splitlines())

    def mock(self, name):
        """Outside, on the bus inside."""
        template = {NETWORK_MANAGER: "networkmanager", UPOWER: "upower"}[name]
        leader = (self.path / "run" / self.name / "leader").read_text().strip()
        environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=f"unix:path=/proc/{leader}/root/run/dbus/system_bus_socket")
        self.mocks[name] = subprocess.Popen(["/usr/bin/python3", "-m", "dbusmock", "--system", "--template", template],
                                            env=environment, stdout=subprocess.DEVNULL)
        wait_for(lambda: self.has(name), name)
        if name == NETWORK_MANAGER:
            self.on_device("busctl", "call", name, self.object_of(name), MOCK, "AddProperty", "ssv", name, "Metered", "u", "0")

    def object_of(self, name):
        return "/" + name.replace(".", "/")

    def set(self, name, what, signature, value, path="", interface=""):
        self.on_device("busctl", "call", name, self.object_of(name) + path, MOCK, "UpdateProperties", "sa{sv}",
                       name + interface, "1", what, signature, value)

    def waits(self):
        return self.report("status")["waits"]

    def wake_ups(self):
        """How often the agent was put on a processor since it was started."""
        status = self.shell(f"cat /proc/{self.main_pid('sutured.service')}/status")
        return sum(map(int, re.findall(r"ctxt_switches:\s+(\d+)", status)))

    def journal(self, what):
        """The levels of which the journal says so."""
        text = (HERE.parents[1] / "src/cli/messages.h").read_text()
        name = what.upper().replace(" ", "_")
        message_id = re.search(rf'X\({name}, "([0-9a-f]+)"', text)[1]
        lines = self.shell(f"journalctl --sync; journalctl -o json MESSAGE_ID={message_id}").splitlines()
        return [json.loads(line)["SUTURE_FROM" if name == "TAKEN_BACK" else "SUTURE_LEVEL"] for line in lines]

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
    nothing = world.suture("check", check=False)
    assert nothing.returncode == NOT_OFFERED and "has no improvements for baseline" in nothing.stderr
    assert world.agent_is_there()
    wait_for(lambda: not world.agent_is_there(), "that it ends when nobody needs it")
    assert world.shell("systemctl show -p Result --value sutured") == "success"


def test_what_is_held_back_goes_on_when_that_clears(world):
    """A new level appears in the evening, on a phone's network and with little in the battery."""
    world.mock(NETWORK_MANAGER)
    world.mock(UPOWER)
    world.set(NETWORK_MANAGER, "Metered", "u", "1")
    world.set(UPOWER, "OnBattery", "b", "true")
    world.set(UPOWER, "Percentage", "d", "11.5", path="/devices/DisplayDevice", interface=".Device")
    world.release("a")
    world.timer_fires()
    assert world.waits() == ["metered", "battery"] and world.downloads() == 0
    assert "Waits for:  a network that is not metered" in world.suture("status").stdout
    # Nothing happens, and it costs nothing.
    wait_for(lambda: world.wake_ups() == (time.sleep(2), world.wake_ups())[1], "peace", 20)
    assert world.agent_is_there() and world.level() == "baseline"

    world.set(NETWORK_MANAGER, "Metered", "u", "4")
    wait_for(lambda: world.waits() == ["battery"], "the download")
    assert world.report("status")["staged"] == "a" and world.downloads() == 1 and world.level() == "baseline"

    before = world.main_pid("served.service")
    world.set(UPOWER, "OnBattery", "b", "false")
    wait_for(lambda: world.level() == "a", "the installation")
    wait_for(lambda: world.report("status")["state"] == "active", "the end of the watch")
    assert world.main_pid("served.service") != before and world.downloads() == 1
    assert [event["event"] for event in world.report("history")["events"]] == ["download", "install"]
    status = world.report("status")
    assert (status["waits"], status["attention"], status["exposed"], status["staged"]) == ([], [], [], None)
    assert world.journal("installed") == ["a"]
    wait_for(lambda: not world.agent_is_there(), "that it ends")


def test_all_see_it(world):
    """What the agent put in place is in the machine's mount namespace, and the agent has one of its own."""
    # In one go: the agent does not stay.
    namespace, *interfaces, refusal = world.shell(
        "/mnt/suture/suture check >/dev/null; pid=$(systemctl show -p MainPID --value sutured.service); readlink /proc/$pid/ns/mnt; "
        "sed -n 's/^ *\\([a-z0-9]*\\):.*/\\1/p' /proc/$pid/net/dev; nsenter -t $pid -m touch /var/lib/x 2>&1 || true").splitlines()
    assert re.fullmatch(r"mnt:\[\d+\]", namespace) and namespace != world.shell("readlink /proc/1/ns/mnt")
    assert interfaces == ["lo"]
    assert refusal.endswith("Read-only file system")
    assert "suture:1" in world.shell("grep ' /usr ' /proc/1/mountinfo")
    assert world.shell("touch /usr/x 2>&1 || true").endswith("Read-only file system")


def test_a_bad_level_is_taken_back_and_left_alone(world):
    """The next level does not run: in the morning everything runs, and somebody is told."""
    world.release("b", script="#!/bin/sh\nexit 1\n")
    world.timer_fires()
    assert world.level() == "a" and world.shell("systemctl is-active served.service") == "active"
    status = world.report("status")
    assert (status["level"], [refused["level"] for refused in status["quarantine"]]) == ("a", ["b"])
    assert [item["kind"] for item in status["attention"]] == ["taken-back"]
    assert "Level (b) was taken back: served.service has failed" in world.shell("cat /run/motd.d/suture")
    assert world.journal("taken back") == ["b"]
    # It is not tried again, and that is no failure.
    events = len(world.report("history")["events"])
    world.timer_fires()
    assert world.level() == "a" and len(world.report("history")["events"]) == events
    assert world.shell("systemctl is-failed suture-update.service", check=False) != "failed"


def test_a_check_that_does_not_end(world):
    """The health check of an administrator: killed with all that it started, and the level is taken back."""
    (world.device / PLACE).mkdir(parents=True, exist_ok=True)
    world.shell("mkdir -p /etc/suture/health.d")
    world.shell("printf '#!/bin/sh\\n[ -e /run/stuck ] || exit 0\\nsleep 371 & sleep 371\\n' >/etc/suture/stuck; chmod +x /etc/suture/stuck")
    world.shell("printf '[served.service]\\nCommand=/etc/suture/stuck\\n' >/etc/suture/health.d/stuck.conf")
    world.release("c")
    world.shell("mkdir -p /run/systemd/system/served.service.d; "
                "printf '[Service]\\nExecStartPost=touch /run/stuck\\n' >/run/systemd/system/served.service.d/stuck.conf; "
                "systemctl daemon-reload")
    world.timer_fires()
    assert world.level() == "a"
    reason = next(refused["reason"] for refused in world.report("status")["quarantine"] if refused["level"] == "c")
    assert "'/etc/suture/stuck' did not end within 10 s" in reason
    assert world.shell("pgrep -f '[s]leep 371' || true") == ""
    world.shell("rm -r /run/systemd/system/served.service.d /etc/suture/health.d; systemctl daemon-reload")


def test_the_agent_is_killed_at_work(world):
    """With all that it runs; the next night goes on."""
    world.release("d")
    world.configure("[Watch]\nTime=60s\n")
    world.shell("systemctl start --no-block suture-update.service")
    wait_for(lambda: world.level() == "d", "the swap")
    world.shell("systemctl kill --signal=KILL --kill-whom=all sutured.service")
    wait_for(lambda: not world.agent_is_there(), "its end")
    assert world.report("status")["state"] == "watched"
    world.configure("[Watch]\nTime=1s\n")
    world.shell("systemctl start suture-restart.service")
    assert world.report("status")["state"] == "active" and world.level() == "d"


def test_it_comes_back_at_boot(world):
    world.stop()
    world.boot()
    assert world.level() == "d" and world.report("status")["state"] == "active"
    wait_for(lambda: world.report("status")["boots_without_mark"] == 0, "the healthy mark")
