"""The watch and the boot on real systemd, Debian 12 and 13: a level that breaks a service is taken back, whatever way it
breaks it; what is installed comes back at boot, before anything uses it, and not when that keeps boots from ending well.

Each level replaces the scripts that the services run. The tests of each release tell one story in order."""
import json
import os
import shutil
import time

import pytest

from world import BUILD, DATA, PACKAGES, World

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="booting a container needs root")

ENABLED = ("suture-activate.service", "suture-healthy.service")  # the timers would come in between
PLACE = "usr/lib/suture-test"
NAMES = ("single", "looping", "answering", "flaky", "unready")
GOOD = "#!/bin/sh\nexec sleep infinity\n"
BAD = "#!/bin/sh\nexit 1\n"
FLAKY = "#!/bin/sh\nsleep 1\nexit 1\n"
YES, NO = "#!/bin/sh\nexit 0\n", "#!/bin/sh\necho it does not answer >&2\nexit 1\n"
BASE = {name: GOOD for name in NAMES} | {"flaky": FLAKY, "healthy": YES, "unwell": NO}
SERVICE = "[Service]\nExecStart=/{place}/{name}\n{more}[Install]\nWantedBy=multi-user.target\n"
RESTARTS = "Restart=always\nRestartSec=200ms\n"
LIMIT = "StartLimitIntervalSec=0\n"
EARLY = "[Unit]\nDefaultDependencies=no\nAfter=local-fs.target systemd-tmpfiles-setup.service\nBefore=sysinit.target\n" \
        "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'cp /{place}/level /run/early'\n[Install]\nWantedBy=sysinit.target\n"
TAKEN_BACK, QUARANTINED = 46, 44


class WatchWorld(World):
    web_port = 18184

    def prepare(self, suite):
        self.suite = suite
        self.script("machine.sh", "rootfs", self.baseline, "--suite", suite, "--include", PACKAGES)
        self.write_scripts(self.baseline, BASE | {"level": "baseline\n"})
        self.publisher("init")
        self.publisher("baseline", "--tree", self.baseline)
        self.release("a")
        self.serve()
        self.make_device()
        self.configure("[Watch]\nTime=3s\n")
        for name in NAMES:
            restarts = name in ("looping", "flaky")
            text = SERVICE.format(place=PLACE, name=name, more=RESTARTS if restarts else "")
            self.write_unit(f"{name}.service", (f"[Unit]\n{LIMIT}" if restarts else "") + text)
        self.write_unit("early.service", EARLY.format(place=PLACE))
        self.add_suture()
        health = self.device / "etc/suture/health.d"
        health.mkdir()
        (health / "admin.conf").write_text(f"[unready.service]\nCommand=/{PLACE}/unwell\n")
        self.boot()

    def add_suture(self):
        """Without an agent: what the timers run does it itself then, which their sandboxes would not let it."""
        shutil.copy(BUILD / "src/suture", self.device / "usr/bin/suture")
        for catalog in DATA.glob("*.catalog"):
            shutil.copy(catalog, self.device / "usr/lib/systemd/catalog")
        for unit in (DATA / "systemd").glob("suture-[ahru]*"):
            text = unit.read_text()
            if unit.name in ("suture-restart.service", "suture-update.service"):
                text = text.partition("# It asks the agent")[0]
            self.write_unit(unit.name, text, enable=unit.name in ENABLED)

    def suture(self, *arguments, check=True):
        return self.on_device("suture", *arguments, check=check)

    def write_scripts(self, top, scripts):
        (top / PLACE).mkdir(parents=True, exist_ok=True)
        for name, text in scripts.items():
            (top / PLACE / name).write_text(text)
            (top / PLACE / name).chmod(0o755)

    def release(self, level, **scripts):
        fixed = self.path / f"fixed-{level}"
        good = {name: f"{BASE[name]}# {level}\n" for name in NAMES}
        self.write_scripts(fixed, good | {"level": f"{level}\n", "healthy": f"{YES}# {level}\n"} | scripts)
        (self.path / "hints").write_text("".join(
            f"[{name}.service]\nData=/{PLACE}/{name}\n" for name in NAMES))
        (self.path / "health").write_text(f"[answering.service]\nCommand=/{PLACE}/healthy\n")
        self.publisher("build", "--tree", self.baseline, "--component", "scripts", "--fixed", fixed, "--new-version", level,
                       "--cve", "CVE-2030-0001", "--hints", self.path / "hints", "--health", self.path / "health")
        self.publisher("release")

    def level(self):
        return self.shell(f"cat /{PLACE}/level")

    def reboot(self, *changes):
        self.stop()
        for change in changes:
            change()
        self.boot()
        for _ in range(100):
            if self.shell("systemctl is-system-running", check=False) in ("running", "degraded"):
                break
            time.sleep(0.1)

    def install_fails(self, *more):
        self.let_flaky_fail()
        done = self.suture("install", "--json", *more, check=False)
        return done.returncode, json.loads(done.stdout)["error"]["message"]

    def let_flaky_fail(self):
        """It was restarted a moment ago: that it fails all the time can be seen again once it has failed again."""
        time.sleep(2.5)

    def state_of(self, unit):
        return self.shell(f"systemctl is-active {unit}", check=False)

    def all_run(self):
        return [self.state_of(f"{name}.service") for name in ("single", "looping", "answering", "unready")] == ["active"] * 4


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def world(request):
    world = WatchWorld()
    try:
        world.prepare(request.param)
        yield world
    finally:
        world.close()


def test_a_good_level_settles(world):
    """Though one service has always been failing, and a health check fails that failed before."""
    assert world.all_run()
    world.let_flaky_fail()
    report = world.report("install")
    assert report["changed"] and report["to"] == "a"
    assert {action["unit"] for action in report["plan"]} >= {f"{name}.service" for name in NAMES if name != "flaky"}
    assert world.all_run() and world.level() == "a"
    status = world.report("status")
    assert (status["level"], status["quarantine"]) == ("a", []) and status["state"] != "watched"
    entry, = world.journal("INSTALLED")
    assert (entry["SUTURE_EVENT"], entry["SUTURE_LEVEL"], entry["PRIORITY"]) == ("install", "a", "5")
    assert "SUTURE_FROM" not in entry and "SUTURE_ERROR" not in entry


BREAKS = {
    "single": ({"single": BAD}, "single.service has failed"),
    "looping": ({"looping": BAD}, "looping.service keeps failing"),
    "answering": ({"healthy": NO}, "the health check of answering.service fails"),
}


@pytest.mark.parametrize("level, how", zip("bcd", BREAKS))
def test_a_level_that_breaks_a_service_is_taken_back(level, how, world):
    scripts, reason = BREAKS[how]
    world.release(level, **scripts)
    status, message = world.install_fails()
    assert status == TAKEN_BACK and reason in message, message
    assert world.level() == "a" and world.all_run()
    report = world.report("status")
    assert report["level"] == "a" and reason in {q["level"]: q["reason"] for q in report["quarantine"]}[level]
    event = world.report("history")["events"][-1]
    assert (event["event"], event["from"], event["to"]) == ("take-back", level, "a") and reason in event["reason"]
    for name in ("QUARANTINED", "TAKEN_BACK"):
        entry = world.journal(name)[-1]
        assert (entry["SUTURE_FROM"], entry["SUTURE_UNIT"], entry["PRIORITY"]) == (level, f"{how}.service", "4")
        assert reason in entry["SUTURE_REASON"] and reason in entry["MESSAGE"]
    assert entry["SUTURE_LEVEL"] == "a"
    assert f"Level ({level}) was taken back: {reason}" in world.shell("cat /run/motd.d/suture")
    status, message = world.install_fails()
    assert status == QUARANTINED and reason in message


def test_the_journal_explains_what_it_says(world):
    world.shell("journalctl --update-catalog")
    text = world.shell("journalctl --sync; journalctl --catalog SUTURE_EVENT=take-back")
    assert "A level was taken back" in text and "Defined-By: Suture" in text and "@SUTURE" not in text
    assert BREAKS["single"][1] in text.split("because of this:")[1]


def test_force_tries_it_once_more(world):
    status, message = world.install_fails("--force")
    assert status == TAKEN_BACK and "answering.service" in message and world.level() == "a"


def test_our_units_are_sound(world):
    complaints = world.shell("systemd-analyze verify --man=no /etc/systemd/system/suture-*.service /etc/systemd/system/suture-*.timer 2>&1",
                             check=False)
    assert [line for line in complaints.splitlines() if "suture" in line] == []


def test_the_next_level_is_tried_by_itself(world):
    """By the unit that the timer starts, and again when there is nothing to do, or only what a person may."""
    world.release("e")
    world.let_flaky_fail()
    world.shell("systemctl start suture-update.service")
    assert world.level() == "e" and world.all_run()
    assert world.shell("test ! -e /run/motd.d/suture && echo nothing to say") == "nothing to say"
    world.shell("systemctl start suture-update.service")
    world.configure("[Watch]\nTime=3s\n[Policy]\nDefer=9d\n")
    world.shell("systemctl start suture-update.service")
    assert world.state_of("suture-update.service") == "inactive"  # and not failed
    world.configure("[Watch]\nTime=3s\n")
    next_time = world.shell("systemctl start suture-update.timer; systemctl list-timers suture-update.timer --no-legend;"
                            "systemctl stop suture-update.timer")
    assert "suture-update.service" in next_time


def test_a_repository_that_cannot_be_reached_is_tried_again(world):
    world.configure("Repository=http://127.0.0.1:9\n[Watch]\nTime=3s\n")
    assert world.on_device("systemctl", "start", "suture-update.service", check=False).returncode != 0
    assert world.shell("systemctl show suture-update.service -p SubState --value") == "auto-restart"
    assert world.journal("CHECK_FAILED")[-1]["SUTURE_ERROR"] == "Unreachable" and world.journal("TRUST_REFUSED") == []
    world.shell("systemctl stop suture-update.service")
    world.configure("[Watch]\nTime=3s\n")


def test_a_watch_that_was_interrupted_goes_on(world):
    world.configure("[Watch]\nTime=60s\n")
    world.let_flaky_fail()
    world.release("f", looping="#!/bin/sh\ntest ! -e /run/break || exit 1\nexec sleep infinity\n")
    world.shell("suture install > /dev/null 2>&1 & echo $! > /run/install.pid")
    for _ in range(100):
        if world.shell("suture status | sed -n 's/^State: *//p'", check=False) == "watched":
            break
        time.sleep(0.2)
    assert world.level() == "f" and world.report("status")["state"] == "watched"
    world.shell("kill -KILL $(cat /run/install.pid)")
    world.configure("[Watch]\nTime=3s\n")
    world.shell("touch /run/break; systemctl restart looping.service")
    done = world.suture("watch", "--json", check=False)
    assert done.returncode == TAKEN_BACK and "looping.service" in json.loads(done.stdout)["error"]["message"]
    assert world.level() == "e"
    world.shell("rm /run/break; systemctl reset-failed looping.service; systemctl restart looping.service")


def test_what_is_installed_comes_back_before_anything_uses_it(world):
    world.reboot()
    assert "ordering cycle" not in world.shell("journalctl -b -o cat")
    assert world.shell("cat /run/early") == "e" and world.level() == "e"
    unit = dict(line.split("=", 1) for line in world.shell(
        "systemctl show suture-activate.service -p Result -p ActiveState -p ExecMainStartTimestampMonotonic "
        "-p ExecMainExitTimestampMonotonic").splitlines())
    assert (unit["Result"], unit["ActiveState"]) == ("success", "active")
    took = int(unit["ExecMainExitTimestampMonotonic"]) - int(unit["ExecMainStartTimestampMonotonic"])
    print(f"{world.suite}: suture activate took {took / 1000:.0f} ms")
    assert world.report("status")["boots_without_mark"] == 0
    assert world.state_of("suture-healthy.service") == "active"


def test_a_soft_reboot_keeps_it(world):
    if world.suite == "bookworm":
        assert int(world.shell("systemctl --version").split()[1]) < 254  # there is none before
        return
    before = world.shell("cat /proc/sys/kernel/random/boot_id")
    world.shell("rm /run/early; systemctl soft-reboot", check=False, seconds=30)
    for _ in range(400):
        time.sleep(0.1)
        if world.shell("systemctl show -p SoftRebootsCount --value", check=False, seconds=10) == "1" and \
                world.shell("systemctl is-system-running", check=False, seconds=10) in ("running", "degraded"):
            break
    assert world.shell("systemctl show -p SoftRebootsCount --value") == "1"
    assert world.shell("cat /proc/sys/kernel/random/boot_id") == before
    print(world.shell("journalctl -b -u suture-activate.service -o cat"))
    assert world.shell("cat /run/early") == "e" and world.level() == "e" and world.all_run()
    assert world.report("status")["boots_without_mark"] == 0


def test_three_boots_that_do_not_end_well_fall_back(world):
    """What must have come up in a healthy boot is said to systemd, by boot-complete.target."""
    world.write_unit("wanted.service", "[Unit]\nBefore=boot-complete.target\n[Service]\nType=oneshot\nExecStart=/bin/false\n"
                     "[Install]\nRequiredBy=boot-complete.target\n")
    for tries in (1, 2, 3):
        world.reboot()
        assert world.level() == "e" and world.report("status")["boots_without_mark"] == tries
    world.reboot()
    assert world.level() == "baseline" and world.shell("cat /run/early") == "baseline"
    status = world.report("status")
    assert status["state"] == "baseline" and "3 boots in a row" in [q["reason"] for q in status["quarantine"] if q["level"] == "e"][0]
    assert "3 boots in a row" in world.shell("journalctl --sync; journalctl -b -u suture-activate.service -o cat")
    assert world.install_fails()[0] == QUARANTINED
    assert "Level (e) is left off since a boot" in world.shell("cat /run/motd.d/suture")
    entry, = world.journal("FELL_BACK")
    assert (entry["SUTURE_FROM"], entry["PRIORITY"]) == ("e", "3") and "3 boots in a row" in entry["SUTURE_REASON"]


def test_what_people_and_publishers_take_off_is_told(world):
    world.release("g")
    world.let_flaky_fail()
    assert world.report("install")["to"] == "g" and world.report("remove")["changed"]
    assert [entry["SUTURE_FROM"] for entry in world.journal("REMOVED")] == ["g"]
    world.let_flaky_fail()
    assert world.report("install")["to"] == "g"
    world.publisher("recall", "--level", "g", "--reason", "it breaks sound")
    for _ in range(2):  # the second is no news
        assert world.report("check")["recalled"]
    assert world.report("install")["recalled"]
    for name in ("RECALLED", "RECALLED_LEFT"):
        entry, = world.journal(name)
        assert (entry["SUTURE_FROM"], entry["SUTURE_REASON"]) == ("g", "it breaks sound")


def test_a_new_baseline_retires_it(world):
    world.release("h")
    (world.device / "etc/systemd/system/wanted.service").unlink()
    shutil.rmtree(world.device / "etc/systemd/system/boot-complete.target.requires")
    world.shell("systemctl daemon-reload")
    world.let_flaky_fail()
    assert world.report("install")["to"] == "h"
    release = world.device / "usr/lib/os-release"
    text = release.read_text()
    world.reboot(lambda: release.write_text(f"{text}IMAGE_VERSION=2\n"))
    assert world.level() == "baseline" and world.report("status")["state"] == "baseline"
    assert world.report("history")["events"][-1]["event"] == "retire"
    assert [entry["SUTURE_FROM"] for entry in world.journal("RETIRED")] == ["h"]
    release.write_text(text)
