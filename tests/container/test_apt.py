"""On a system whose /usr belongs to apt: the layers go off for each transaction, and what still applies comes back.

Real apt and dpkg, with a repository on the device itself; the tests tell one story in order."""
import os
import re
import shutil
import time

import pytest

from world import HERE, World, run

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="booting a container needs root")

LIBCRYPTO = "/usr/lib/x86_64-linux-gnu/libcrypto.so.3"
LICENSE = "/usr/share/common-licenses/GPL-3"


class AptWorld(World):
    web_port = 18181

    def prepare(self):
        pair = self.fetch_pair()
        if pair["PAIR_COMPONENT"] != "openssl":
            pytest.skip("NOT TESTED: Debian's archive carries one version of openssl only")
        self.old, self.new, self.debs = pair["PAIR_OLD"], pair["PAIR_NEW"], pair["PAIR_NEW_DEBS"].split()
        pins = " ".join(f"{package}={self.old}" for package in pair["PAIR_PACKAGES"].split())
        self.script("machine.sh", "rootfs", self.baseline, "--pin", pins)
        fixed = self.path / f"fixed{LICENSE}"
        fixed.parent.mkdir(parents=True)
        fixed.write_text("a fixed file\n")
        self.publisher("init")
        self.publisher("baseline", "--tree", self.baseline)
        self.publisher("build", "--tree", self.baseline, "--component", "openssl", *self.debs)
        self.publisher("build", "--tree", self.baseline, "--component", "licenses", "--fixed", self.path / "fixed",
                       "--new-version", "2", "--cve", "CVE-2026-0001")
        self.publisher("release")
        self.serve()
        self.make_device()
        self.install_hooks()
        self.make_repository()
        self.boot()

    def install_hooks(self):
        """What `meson install` puts there, with the path of the programs under test."""
        data = HERE.parents[1] / "data"
        for source, place in (("dpkg/suture", "etc/dpkg/dpkg.cfg.d/suture"), ("apt/80suture", "etc/apt/apt.conf.d/80suture")):
            text = (data / source).read_text().replace("/usr/bin/suture", "/mnt/suture/suture")
            (self.device / place).parent.mkdir(parents=True, exist_ok=True)
            (self.device / place).write_text(text)

    def make_repository(self):
        self.repository = self.device / "srv/packages"
        self.repository.mkdir()
        (self.device / "etc/apt/sources.list.d").mkdir(exist_ok=True)
        for old in [self.device / "etc/apt/sources.list", *(self.device / "etc/apt/sources.list.d").iterdir()]:
            old.unlink(missing_ok=True)
        (self.device / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/srv/packages ./\n")
        self.add_package("plain", "1", {"usr/share/plain/file": "plain\n"})
        self.add_package("slow", "1", {"usr/share/slow/file": "slow\n"},
                         preinst="#!/bin/sh\ntouch /run/slow\nwhile [ -e /run/hold ]; do sleep 0.1; done\n")
        self.index()

    def add_package(self, name, version, files, preinst=None):
        root = self.path / "packages" / f"{name}_{version}"
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content)
        (root / "DEBIAN").mkdir()
        (root / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\n"
            "Description: a test\n")
        if preinst:
            (root / "DEBIAN/preinst").write_text(preinst)
            (root / "DEBIAN/preinst").chmod(0o755)
        run("dpkg-deb", "--build", "--root-owner-group", root, self.repository)

    def index(self):
        (self.repository / "Packages").write_text(run("dpkg-scanpackages", "-m", ".", cwd=self.repository).stdout)

    def apt(self, *arguments, check=True):
        return self.on_device("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", *arguments, check=check)

    def version(self, package):
        return self.shell(f"dpkg-query -W -f '${{Version}}' {package}")

    def fits(self):
        return {component["name"]: component["fit"] for component in self.report("status")["components"]}

    def layers(self):
        return self.shell("cat /proc/self/mountinfo").count(" suture:")


@pytest.fixture(scope="module")
def world():
    world = AptWorld()
    try:
        world.prepare()
        yield world
    finally:
        world.close()


def test_an_unrelated_package_is_installed_into_the_base(world):
    world.report("install")
    assert world.layers() == 1
    fixed = world.shell(f"sha256sum {LIBCRYPTO}")
    world.apt("update")
    done = world.apt("install", "plain")
    # Once for the whole transaction, though apt calls dpkg more than once.
    assert done.stdout.count("are on /usr again") == 1
    assert world.shell("cat /usr/share/plain/file") == "plain"
    assert world.layers() == 1 and world.shell(f"sha256sum {LIBCRYPTO}") == fixed
    assert world.shell(f"cat {LICENSE}") == "a fixed file"
    assert world.report("status")["state"] in ("active", "waiting")
    assert world.shell("dpkg --audit") == ""
    assert [event["event"] for event in world.report("history")["events"]] == ["install"]


def test_dpkg_alone_does_the_same(world):
    done = world.on_device("dpkg", "--remove", "plain")
    assert "are off /usr for now" in done.stdout and "are on /usr again" in done.stdout
    assert world.shell("test -e /usr/share/plain || echo gone") == "gone"
    assert world.layers() == 1


def wait_for(what, seconds=30):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def processes(world, pattern):
    return [int(pid) for pid in world.shell(f"pgrep -f '{pattern}' || true").split()]


def test_killed_in_the_middle(world):
    world.shell("touch /run/hold")
    world.on_device("systemd-run", "--unit=apt-test", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y",
                    "install", "slow")
    wait_for(lambda: world.shell("test -e /run/slow && echo yes", check=False) == "yes")
    status = world.report("status")
    assert status["state"] == "suspended" and world.layers() == 0
    text = world.suture("status").stdout
    assert re.search(r"apt-get \(process \d+\) works on the system's packages", text), text
    refused = world.suture("install", check=False)
    assert refused.returncode == 21 and "a package manager is at work: apt-get" in refused.stderr
    world.on_device("systemctl", "kill", "--signal=KILL", "--kill-whom=all", "apt-test.service")
    wait_for(lambda: not processes(world, "apt-get.*install slow"))
    assert "apt-get ended without a word: run 'suture resume'" in world.suture("status").stdout
    world.shell("rm /run/hold")
    assert world.report("resume")["resumed"] == "all" and world.layers() == 1
    # dpkg finds its own way back, too, and so do the layers.
    world.on_device("dpkg", "--configure", "-a")
    world.apt("install", "--reinstall", "slow")
    assert world.shell("cat /usr/share/slow/file") == "slow" and world.layers() == 1
    assert world.shell("dpkg --audit") == ""


def test_the_full_update_brings_the_fix(world):
    for deb in world.debs:
        shutil.copy(deb, world.repository)
    world.index()
    fixed = world.shell(f"sha256sum {LIBCRYPTO}")
    assert world.version("libssl3") == world.old
    world.apt("update")
    done = world.apt("upgrade")
    assert world.version("libssl3") == world.new
    assert "openssl is fixed by the system's own packages now" in done.stdout
    assert world.fits() == {"openssl": "fixed", "licenses": "applies"}
    assert world.shell(f"sha256sum {LIBCRYPTO}") == fixed
    assert world.layers() == 1 and world.shell(f"cat {LICENSE}") == "a fixed file"
    event = world.report("history")["events"][-1]
    assert (event["event"], event["components"]) == ("resume", {"openssl": "fixed", "licenses": "applies"})


def test_another_update_replaces_what_is_left(world):
    """Another package takes the file over, as it is dpkg's way to do."""
    world.add_package("base-licenses", "1", {LICENSE[1:]: "a third text\n"})
    world.index()
    world.apt("update")
    world.apt("install", "-o", "Dpkg::Options::=--force-overwrite", "base-licenses")
    assert world.layers() == 0 and world.shell(f"cat {LICENSE}") == "a third text"
    status = world.report("status")
    assert (status["state"], status["level"]) == ("baseline", None)
    event = world.report("history")["events"][-1]
    assert event["components"] == {"openssl": "fixed", "licenses": "superseded"} and event["to"] is None
    world.apt("install", "plain")  # nothing is there to suspend any more
    assert world.report("status")["state"] == "baseline"
