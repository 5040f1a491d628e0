"""The real programs on real systemd: one Debian 12 container, one real security fix of Debian's own.

The tests of this file tell one story in order: offered, installed under load, rebooted, put back, removed."""
import json
import os
import signal
import subprocess
import time

import pytest

from world import BUILD, World, run

TLS_PORT = 18543

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="booting a container needs root")


class TlsWorld(World):
    web_port = 18180

    def prepare(self):
        pair = self.fetch_pair()
        self.component, self.debs = pair["PAIR_COMPONENT"], pair["PAIR_NEW_DEBS"].split()
        pins = " ".join(f"{package}={pair['PAIR_OLD']}" for package in pair["PAIR_PACKAGES"].split())
        self.script("machine.sh", "rootfs", self.baseline, "--pin", pins)
        self.publisher("init")
        self.publisher("baseline", "--tree", self.baseline)
        self.publisher("build", "--tree", self.baseline, "--component", self.component, *self.debs)
        self.publisher("release")
        self.serve()
        self.make_device()
        self.script("tls-service.sh", "setup", self.device, TLS_PORT)
        # A service in a mount namespace of its own that maps libcrypto all the time.
        self.write_unit("private.service",
                        "[Service]\nExecStart=/bin/sh -c 'sleep infinity | openssl sha256'\nPrivateTmp=yes\n"
                        "ProtectSystem=strict\n[Install]\nWantedBy=multi-user.target\n")
        # One that maps it as well and cannot be restarted while /run/refuse is there.
        self.write_unit("fragile.service",
                        "[Service]\nExecStartPre=/bin/sh -c 'test ! -e /run/refuse'\n"
                        "ExecStart=/bin/sh -c 'sleep infinity | openssl sha256'\n"
                        "[Install]\nWantedBy=multi-user.target\n")
        self.boot()


@pytest.fixture(scope="module")
def world():
    world = TlsWorld()
    try:
        world.prepare()
        world.baseline_digest = world.usr_digest()
        yield world
    finally:
        world.close()


class Client:
    """Asks the device's TLS service all the time; knows which requests failed when."""

    def __init__(self, world):
        self.log = world.path / "client.tsv"

    def __enter__(self):
        self.process = subprocess.Popen([BUILD / "bench/tls-client", f"https://127.0.0.1:{TLS_PORT}/", "0",
                                         self.log], stdout=subprocess.DEVNULL)
        time.sleep(0.5)
        return self

    def __exit__(self, *_):
        time.sleep(0.5)
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def requests(self):
        for line in self.log.read_text().splitlines():
            start, duration, outcome = line.split("\t")[:3]
            yield int(start), int(start) + int(duration), outcome

    def failed_during(self, report, step):
        bounds = [(s["at_us"], s["at_us"] + s["us"]) for s in report["steps"] if s["step"] == step]
        assert bounds
        return [r for r in self.requests() if r[2] == "fail"
                and any(r[0] <= end and r[1] >= begin for begin, end in bounds)]


def private_view(world, path):
    """The digest of a file as the service with a mount namespace of its own sees it."""
    pid = world.on_device("systemctl", "show", "-p", "MainPID", "--value", "private.service").stdout.strip()
    return world.on_device("sha256sum", f"/proc/{pid}/root/{path}").stdout.split()[0]


def test_check_offers_level_a_with_its_fixes(world):
    offer = world.report("check")
    assert offer["level"] == "a" and not offer["up_to_date"]
    assert any(fix["id"].startswith("CVE-") for fix in offer["components"][0]["fixes"])


def test_exposure_names_the_vulnerable_processes_before(world):
    exposure = world.report("exposure", accept=(10,))
    commands = {process["command"] for process in exposure["exposed"]}
    assert {"nginx", "openssl"} <= commands and not exposure["installed"]
    assert all(fix["pids"] for fix in exposure["fixes"])


def test_dry_run_changes_nothing_and_names_the_restarts(world):
    plan = world.report("install", "--dry-run")["plan"]
    restarts = {action["unit"] for action in plan if action["action"] == "restart"}
    assert {"nginx.service", "private.service", "fragile.service"} <= restarts
    assert any(action["action"] == "reboot" and action["unit"] == "systemd-logind.service" for action in plan)
    assert world.usr_digest() == world.baseline_digest
    assert world.report("status")["state"] == "baseline"


def test_install_goes_live_without_a_failed_request_while_swapping(world):
    with Client(world) as client:
        report = world.report("install")
        world.finish_restarts(report)
    assert report["changed"] and report["version"].endswith("(a)")
    assert client.failed_during(report, "swap") == []
    assert sum(1 for r in client.requests() if r[2] == "ok") > 50
    assert world.exposed() == []
    status = world.report("status")
    assert status["state"] == "active" and status["level"] == "a"


def test_a_service_in_its_own_mount_namespace_sees_the_fix(world):
    library = "usr/lib/x86_64-linux-gnu/libcrypto.so.3"
    inside = private_view(world, library)
    assert inside == world.on_device("sha256sum", f"/{library}").stdout.split()[0]
    assert inside != run("sha256sum", world.path / "baseline" / library).stdout.split()[0]


def test_install_again_says_that_nothing_newer_is_offered(world):
    done = world.suture("install")
    assert "nothing newer is offered" in done.stdout


def test_the_next_level_is_swapped_beneath_and_keeps_the_first_component(world):
    changed = "usr/share/common-licenses/GPL-3"
    fixed = world.path / "fixed" / changed
    fixed.parent.mkdir(parents=True)
    fixed.write_text("a fixed file\n")
    world.publisher("build", "--tree", world.path / "baseline", "--component", "licenses", "--fixed",
                    world.path / "fixed", "--new-version", "2", "--cve", "CVE-2026-0001")
    world.publisher("release")
    library = private_view(world, "usr/lib/x86_64-linux-gnu/libcrypto.so.3")
    with Client(world) as client:
        report = world.report("install")
    assert report["from"] == "a" and report["to"] == "b"
    assert report["download_bytes"] < 10000  # the first component's image is in the store
    assert client.failed_during(report, "swap") == []
    assert sum(1 for r in client.requests() if r[2] == "fail") == 0  # nothing had to restart
    assert private_view(world, changed) == run("sha256sum", fixed).stdout.split()[0]
    assert private_view(world, "usr/lib/x86_64-linux-gnu/libcrypto.so.3") == library
    mounts = world.on_device("cat", "/proc/self/mountinfo").stdout
    assert mounts.count("suture:") == 1


def test_after_a_reboot_status_says_inactive_and_install_puts_it_back_without_a_download(world):
    world.stop()
    world.boot()
    assert world.report("status")["state"] == "inactive"
    report = world.report("install")
    assert report["changed"] and report["download_bytes"] == 0
    world.finish_restarts(report)
    assert world.report("status")["state"] == "active"


def test_remove_reports_a_unit_that_does_not_come_back(world):
    world.on_device("touch", "/run/refuse")
    done = world.suture("remove", "--json", check=False)
    assert done.returncode == 39
    assert "fragile.service" in json.loads(done.stdout)["error"]["message"]
    world.on_device("rm", "/run/refuse")
    world.on_device("systemctl", "restart", "fragile.service", "systemd-logind.service")


def test_remove_brought_the_baseline_back_byte_for_byte(world):
    assert world.usr_digest() == world.baseline_digest
    assert world.report("status")["state"] == "baseline"
    mounts = world.on_device("cat", "/proc/self/mountinfo").stdout
    assert "suture:" not in mounts
    events = world.report("history")["events"]
    assert [event["event"] for event in events] == ["install", "install", "install", "remove"]
    assert events[-1]["outcome"] == "Restart" and events[-1]["changed"]


def test_remove_again_has_nothing_to_remove(world):
    assert world.suture("remove", check=False).returncode == 36
