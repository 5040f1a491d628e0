"""Real services, sessions and a container on real systemd, Debian 12 and 13: who is exposed, what the plan says of each,
and that it ends what it says.

The fix is another build of libcrypto (its build-id is another one, its code is the same) and a data file; so it can be
made for any release. The tests of each release tell one story in order."""
import os
import re
import shutil
import time

import pytest

from world import PACKAGES, World, run

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="booting a container needs root")

LIBCRYPTO = "usr/lib/x86_64-linux-gnu/libcrypto.so.3"
DATA = "usr/share/suture-test/words"
USER = "tester"
MAPS = "ExecStart=/bin/sh -c 'sleep infinity | openssl sha256'"  # maps libcrypto for ever

UNITS = {
    "tmp-private.service": f"[Service]\nPrivateTmp=yes\n{MAPS}\n",
    "dynamic.service": f"[Service]\nDynamicUser=yes\n{MAPS}\n",
    "strict.service": f"[Service]\nProtectSystem=strict\nProtectHome=yes\n{MAPS}\n",
    "flags-private.service": f"[Service]\nMountFlags=private\n{MAPS}\n",
    "first.service": f"[Service]\n{MAPS}\n",
    "second.service": f"[Unit]\nAfter=first.service\nRequires=first.service\n[Service]\n"
                      f"ExecStartPre=/bin/sh -c 'echo x >> /run/second'\n{MAPS}\n",
    "precious.service": f"[Service]\n{MAPS}\n",
    "reader.service": "[Service]\nExecStart=/bin/sh -c 'trap \"echo again >> /run/reader\" HUP; while :; do sleep 1; done'\n"
                      "ExecReload=/bin/kill -HUP $MAINPID\n",
    # A real login session, as a display manager or a console makes one.
    "session.service": f"[Service]\nUser={USER}\nPAMName=login\nTTYPath=/dev/null\n{MAPS}\n",
    # A tree with files of its own, in a mount and process namespace of its own.
    "nested.service": "[Service]\nExecStart=/usr/bin/unshare --mount --pid --fork --kill-child --root=/srv/nested "
                      "/usr/bin/openssl s_server -accept 127.0.0.1:18999 -nocert -quiet\n",
}
RESTARTED = {"tmp-private.service", "dynamic.service", "strict.service", "flags-private.service", "first.service",
             "second.service"}


def another_build(data):
    """The same code under another build-id: the note has 'GNU\\0' before its 20 bytes."""
    at = data.index(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0") + 16
    return data[:at] + bytes(byte ^ 0xff for byte in data[at:at + 20]) + data[at + 20:]


class ServicesWorld(World):
    web_port = 18182

    def prepare(self, suite):
        self.script("machine.sh", "rootfs", self.baseline, "--suite", suite, "--include", PACKAGES)
        self.add_to_baseline()
        fixed = self.path / "fixed"
        for path, content in ((LIBCRYPTO, another_build((self.baseline / LIBCRYPTO).read_bytes())),
                              (DATA, b"new words\n")):
            (fixed / path).parent.mkdir(parents=True, exist_ok=True)
            (fixed / path).write_bytes(content)
        (self.path / "hints").write_text(f"[reader.service]\nAction=reload\nData=/{DATA}\n")
        self.publisher("init")
        self.publisher("baseline", "--tree", self.baseline)
        self.publisher("build", "--tree", self.baseline, "--component", "crypto", "--fixed", fixed, "--new-version", "2",
                       "--cve", "CVE-2030-0001", "--hints", self.path / "hints")
        self.publisher("release")
        self.serve()
        self.make_device()
        for name, text in UNITS.items():
            self.write_unit(name, text + "[Install]\nWantedBy=multi-user.target\n")
        rules = self.device / "etc/suture/restart.d"
        rules.mkdir()
        (rules / "precious.conf").write_text("[precious.service]\nAction=wait\n")
        self.make_nested_tree()
        (self.device / "etc/ssh/sshd_config.d/test.conf").write_text("Port 18222\nListenAddress 127.0.0.1\n")
        self.boot()

    def add_to_baseline(self):
        (self.baseline / DATA).parent.mkdir()
        (self.baseline / DATA).write_text("old words\n")
        run("chroot", self.baseline, "useradd", "--create-home", "--shell", "/bin/sh", USER)
        suid, capable = self.baseline / "usr/bin/suid-id", self.baseline / "usr/bin/capable-cat"
        shutil.copy(self.baseline / "usr/bin/id", suid)
        suid.chmod(0o4755)
        shutil.copy(self.baseline / "usr/bin/cat", capable)
        run("chroot", self.baseline, "setcap", "cap_dac_read_search=ep", "/usr/bin/capable-cat")

    def make_nested_tree(self):
        """openssl and its libraries, copied to where they lie on the device."""
        nested = self.device / "srv/nested"
        for top in ("dev", "proc", "tmp", "etc/ssl", "usr/lib64"):
            (nested / top).mkdir(parents=True, exist_ok=True)
        for top in ("bin", "lib", "lib64"):
            (nested / top).symlink_to(f"usr/{top}")
        wanted = run("chroot", self.device, "ldd", "/usr/bin/openssl").stdout
        for path in ["/usr/bin/openssl", *re.findall(r"(/\S+) \(", wanted)]:
            top = path.split("/")[1]
            place = nested / (path[1:] if top == "usr" else f"usr{path}")
            place.parent.mkdir(parents=True, exist_ok=True)
            real = run("chroot", self.device, "realpath", path).stdout.strip()
            shutil.copy(f"{self.device}{real}", place)

    def sees(self, unit, path):
        """What a service sees below its own root."""
        return self.shell(f"sha256sum < /proc/{self.main_pid(unit)}/root/{path}").split()[0]


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def world(request):
    world = ServicesWorld()
    try:
        world.prepare(request.param)
        world.suite = request.param
        world.digest = world.usr_digest()
        yield world
    finally:
        world.close()


def by_action(plan):
    return {name: {action["unit"] for action in plan if action["action"] == name}
            for name in {action["action"] for action in plan}}


def test_all_of_it_runs(world):
    for unit in UNITS:
        assert world.shell(f"systemctl is-active {unit}", check=False) == "active", \
            world.shell(f"systemctl status --no-pager {unit}", check=False)
    assert "session" in world.shell("cat /proc/$(systemctl show -p MainPID --value session.service)/cgroup")


def test_each_process_is_named_with_who_it_is(world):
    world.report("check")
    exposed = world.exposed()
    units = {process["unit"] for process in exposed if process["place"] == "here"}
    assert RESTARTED | {"precious.service", "ssh.service"} <= units
    session, = [p for p in exposed if p["session"] and p["command"] == "openssl"]
    assert session["uid"] == int(world.shell(f"id -u {USER}"))
    nested, = [p for p in exposed if p["unit"] == "nested.service" and p["command"] == "openssl"]
    assert (nested["place"], nested["elsewhere"]) == ("container", True)
    text = world.suture("exposure", check=False).stdout
    assert f"session {session['session']} of user" in text and "runs in a container" in text


def test_the_plan_says_what_restarts_and_why(world):
    dry = world.report("install", "--dry-run")
    actions = by_action(dry["plan"])
    assert RESTARTED | {"ssh.service"} <= actions["restart"]
    assert actions["reload"] == {"reader.service"}
    assert "precious.service" in actions["wait"]
    assert "nested.service" in actions["not-reached"]
    relaunch = [action for action in dry["plan"] if action["action"] == "relaunch"]
    assert len([action for action in relaunch if "openssl" in action["advice"]]) == 1
    assert all(action["reason"] and action["advice"] for action in dry["plan"])
    # What only a reboot ends is asked for in the way that this systemd has.
    reboots = actions.get("soft-reboot" if world.suite == "trixie" else "reboot", set())
    assert reboots <= {"dbus.service", "systemd-logind.service"}
    assert not actions["restart"] & {"dbus.service", "systemd-logind.service"}


def started(world, unit):
    return int(world.shell(f"systemctl show -p ExecMainStartTimestampMonotonic --value {unit}"))


def test_restarts_can_be_put_off_and_the_fix_is_live_at_once(world):
    before = {unit: started(world, unit) for unit in RESTARTED}
    world.configure("[Restart]\nWindow=" + closed_window(world) + "\nDeadline=1h\n")
    report = world.report("install")
    assert report["changed"] and not report["restarted"] and report["restarts_open"]
    assert {unit: started(world, unit) for unit in RESTARTED} == before
    status = world.report("status")
    assert status["state"] == "waiting" and status["waiting"]["since"] and not status["waiting"]["overdue"]
    assert world.report("restart", "--if-due")["restarted"] is False
    assert "waiting since" in world.suture("status").stdout
    # New processes have the fix already.
    assert world.shell(f"cat /{DATA}") == "new words"


def test_tonight_is_a_wish_of_a_person(world):
    """Every time is right by the configuration; who said "tonight" is not interrupted before."""
    world.configure("")
    before = {unit: started(world, unit) for unit in RESTARTED}
    report = world.report("restart", "--restart=tonight")
    assert not report["restarted"] and report["restarts_open"]
    opens = world.report("status")["waiting"]["opens"]
    assert world.shell(f"date -d {opens} +%H:%M") == "02:00"
    assert world.report("restart", "--if-due")["restarted"] is False
    assert {unit: started(world, unit) for unit in RESTARTED} == before


def closed_window(world):
    """An hour that is not now, in the device's local time."""
    hour = (int(world.shell("date +%H")) + 6) % 24
    return f"{hour:02}:00-{hour:02}:30"


def test_services_with_namespaces_of_their_own_see_the_fix_or_are_named(world):
    fixed = world.shell(f"sha256sum < /{LIBCRYPTO}").split()[0]
    for unit in ("tmp-private.service", "dynamic.service", "strict.service"):
        assert world.sees(unit, LIBCRYPTO) == fixed, unit
    assert world.sees("flags-private.service", LIBCRYPTO) != fixed
    process = [p for p in world.exposed() if p["unit"] == "flags-private.service"][0]
    assert process["place"] == "old-view" and "private view of /usr" in process["why"]


def test_the_restarts_end_the_exposure_each_once_and_in_order(world):
    before = {unit: started(world, unit) for unit in RESTARTED}
    restart = world.report("restart")
    assert restart["restarted"]
    after = {unit: started(world, unit) for unit in RESTARTED}
    assert all(after[unit] > before[unit] for unit in RESTARTED)
    assert after["second.service"] > after["first.service"]
    assert world.shell("wc -l < /run/second") == "2"  # at boot, and once now
    # Reloaded, once; its shell looks at signals once a second.
    assert world.shell("sleep 2; cat /run/reader") == "again"
    left = by_action(restart["remaining"])
    assert "restart" not in left and "reload" not in left
    assert "precious.service" in left["wait"] and "nested.service" in left["not-reached"]
    assert world.sees("flags-private.service", LIBCRYPTO) == world.shell(f"sha256sum < /{LIBCRYPTO}").split()[0]
    assert world.shell("ss -tln | grep -c 127.0.0.1:18222", check=False) == "1"  # sshd serves


def test_suid_and_capabilities_work_below_the_overlay(world):
    assert "euid=0(root)" in world.shell(f"runuser -u {USER} -- suid-id")
    assert "root:" in world.shell(f"runuser -u {USER} -- capable-cat /etc/shadow")


def test_the_waiting_ends_when_the_last_process_does(world):
    assert world.report("status")["state"] == "waiting"
    world.on_device("systemctl", "stop", "precious.service", "session.service", "nested.service")
    for process in world.exposed():
        unit = process["unit"]
        if unit and (unit.endswith(".service") and not unit.startswith("user@")):
            world.on_device("systemctl", "restart", unit)
        else:
            world.shell(f"kill {process['pid']}", check=False)
    end = time.monotonic() + 20
    while world.exposed() and time.monotonic() < end:
        time.sleep(0.2)
    assert world.exposed() == []
    assert world.report("status")["state"] == "active"
    assert world.report("restart")["needs"] == "nothing"
    assert world.report("status")["waiting"] is None


def test_a_unit_that_is_bound_to_the_mount_survives_the_next_swap(world):
    world.on_device("systemd-run", "--unit=bound", "--property=BindsTo=usr.mount", "sleep", "infinity")
    pid = world.main_pid("bound.service")
    fixed = world.path / "more/usr/share/suture-test/more"
    fixed.parent.mkdir(parents=True)
    fixed.write_text("more\n")
    world.publisher("build", "--tree", world.baseline, "--component", "more", "--fixed", world.path / "more",
                    "--new-version", "1", "--cve", "CVE-2030-0002")
    world.publisher("release")
    assert world.report("install")["changed"]
    assert world.shell("systemctl is-active usr.mount bound.service").split() == ["active", "active"]
    assert world.main_pid("bound.service") == pid
    assert world.shell("cat /usr/share/suture-test/more") == "more"
    world.on_device("systemctl", "stop", "bound.service")


def test_back_to_the_baseline(world):
    report = world.report("remove", "--restart=now")
    world.finish_restarts(report)
    assert world.usr_digest() == world.digest
    assert " suture:" not in world.shell("cat /proc/self/mountinfo")
    assert world.report("status")["state"] == "baseline"
