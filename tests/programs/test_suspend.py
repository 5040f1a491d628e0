"""A package manager works on the base: the layers go off, and what still applies comes back."""
import shutil
import subprocess

import pytest

import support
from test_way import expected_usr

# Runs a program and waits for a line: not by the name of this process, which would be taken for its original.
MANAGER = ["perl", "-e", "system(@ARGV); <STDIN>"]
FIXED_A = ("lib/libfix.so", "lib/fix.dat", "bin/tool", "lib/private/secret", "share/fix")


def replace(device, trees, level, *paths):
    """What a package manager does: other files in the base."""
    for path in paths:
        support.run("cp", "-a", trees / f"fixed-{level}/usr" / path, (device.usr / path).parent)


def set_version(device, package, version):
    support.write(device.path / "var/lib/dpkg/status", f"Package: {package}\nStatus: install ok installed\n"
                  f"Version: {version}\nArchitecture: all\nMaintainer: Nobody <n@example.org>\nDescription: a test\n")


@pytest.fixture
def at_b(device, next_shop):
    device.configure(f"[Source]\nRepository=file://{next_shop.public}\n")
    assert device("install")["to"] == "b"
    return device


def fits(answer):
    return {component["name"]: component["fit"] for component in answer["components"]}


def test_nothing_to_suspend(device):
    assert device("suspend")["suspended"] is False
    assert device("resume")["resumed"] == "nothing"
    assert device("status")["state"] == "baseline"


def test_the_base_is_as_it_was(at_b, trees):
    generation = at_b("status")["generation"]
    assert at_b("suspend")["suspended"] is True
    assert support.read_tree(at_b.usr) == expected_usr(trees) and support.mounts_below(at_b.path) == []
    status = at_b("status")
    assert status["state"] == "suspended" and "works on the system's packages" in \
        support.run(*at_b.command("status")).stdout
    for verb in ("install", "remove"):
        refused = at_b(verb)
        assert (refused.status, refused.error) == (21, "Busy") and "a package manager is at work" in refused.message
    assert at_b("suspend")["suspended"] is True  # calls within one another count once
    resume = at_b("resume")
    assert (resume.status, resume["resumed"]) == (0, "all")
    assert support.read_tree(at_b.usr) == expected_usr(trees, "a", "b")
    status = at_b("status")
    assert (status["state"], status["generation"]) == ("active", generation)
    assert [event["event"] for event in at_b("history")["events"]] == ["install"]


def test_the_base_has_the_fix_by_now(at_b, trees):
    at_b("suspend")
    replace(at_b, trees, "a", *FIXED_A)
    resume = at_b("resume")
    assert (resume["resumed"], fits(resume)) == ("part", {"fix": "fixed", "other": "applies"})
    assert support.read_tree(at_b.usr) == expected_usr(trees, "a", "b")
    assert fits(at_b("status")) == {"fix": "fixed", "other": "applies"}
    event = at_b("history")["events"][-1]
    assert (event["event"], event["components"]) == ("resume", {"fix": "fixed", "other": "applies"})
    at_b("suspend")
    replace(at_b, trees, "b", "lib/libother.so")
    resume = at_b("resume")
    assert resume["resumed"] == "baseline" and set(fits(resume).values()) == {"fixed"}
    assert support.mounts_below(at_b.path) == [] and at_b("status")["state"] == "baseline"
    again = at_b("install")
    assert (again.status, again.error) == (35, "NotOffered") and "has newer files of all that it fixes" in again.message


def test_the_base_has_another_build_by_now(at_b, trees):
    at_b("suspend")
    support.make_library(at_b.usr / "lib/libother.so", "other_answer", "third")
    resume = at_b("resume")
    assert (resume["resumed"], fits(resume)) == ("part", {"fix": "applies", "other": "superseded"})
    assert b"third" in (at_b.usr / "lib/libother.so").read_bytes()
    assert at_b.answer() == "new"
    text = support.run(*at_b.command("status")).stdout
    assert "other 2, 1 files: was replaced by other packages" in text
    assert at_b("remove").status == 0 and at_b("status")["state"] == "baseline"


def test_a_process_that_started_meanwhile_waits_for_its_restart(at_b):
    at_b("suspend")
    process = subprocess.Popen(["chroot", at_b.path, "/usr/bin/answer"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline().strip() == "old"
        resume = at_b("resume")
        assert [p["pid"] for p in resume["exposed_after"]] == [process.pid]
        status = at_b("status")
        assert (status["state"], status["needs"]) == ("waiting", "person") and status["waiting"]["since"]
    finally:
        process.kill()
        process.communicate()
    assert at_b("restart")["needs"] == "nothing"
    status = at_b("status")
    assert (status["state"], status["waiting"]) == ("active", None)


def test_the_outermost_caller_holds_the_suspension(at_b, trees):
    holder = subprocess.Popen([*MANAGER, *at_b.command("suspend")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True)
    assert "off /usr" in holder.stdout.readline()
    assert at_b("suspend")["suspended"] is True
    resume = at_b("resume")
    assert resume["resumed"] == "not-yet" and support.read_tree(at_b.usr) == expected_usr(trees)
    holder.kill()
    holder.communicate()
    assert "ended without a word: run 'suture resume'" in support.run(*at_b.command("status")).stdout
    assert at_b("resume")["resumed"] == "all" and at_b.answer() == "new"


@pytest.mark.parametrize("verb", ["install", "remove"])
def test_the_package_manager_was_killed(verb, at_b, trees):
    subprocess.run([*MANAGER, *at_b.command("suspend")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert support.mounts_below(at_b.path) == []
    answer = at_b(verb)
    assert answer.status == 0, answer.message
    assert support.read_tree(at_b.usr) == (expected_usr(trees, "a", "b") if verb == "install" else expected_usr(trees))
    assert at_b("status")["state"] == ("active" if verb == "install" else "baseline")


# Levels that are made of packages: their versions tell an update from a damage.


@pytest.fixture
def packaged(work, trees, device):
    """A level for the package `fix`, 1.0-1 to 1.0-2, published for a device that has 1.0-1."""
    shutil.copytree(trees, work / "trees", symlinks=True)
    shop = support.Publisher(work / "shop", work / "trees")
    set_version(support.Device(work / "trees/baseline", "x"), "fix", "1.0-1")
    shop.start()
    root = work / "fix_1.0-2"
    shutil.copytree(trees / "fixed-a", root, symlinks=True)
    support.write(root / "DEBIAN/control", "Package: fix\nVersion: 1.0-2\nArchitecture: all\n"
                  "Maintainer: Nobody <n@example.org>\nDescription: a test\n")
    support.run("dpkg-deb", "--build", root, work)
    shop("build", "--tree", work / "trees/baseline", "--component", "fix", work / "fix_1.0-2_all.deb")
    shop("release")
    device.trust(shop).configure(f"[Source]\nRepository=file://{shop.public}\n")
    set_version(device, "fix", "1.0-1")
    return device


def test_a_damaged_file_of_the_right_version_is_refused(packaged):
    support.flip(packaged.usr / "lib/fix.dat", 7)
    answer = packaged("install")
    assert (answer.status, answer.error) == (31, "Baseline") and "/usr/lib/fix.dat" in answer.message


@pytest.mark.parametrize("version, says", [("1.0-1+b1", "superseded"), ("1.0-2", "fixed"), ("2.0-1", "fixed")])
def test_the_package_was_updated_before(version, says, packaged):
    support.flip(packaged.usr / "lib/fix.dat", 7)
    set_version(packaged, "fix", version)
    answer = packaged("install")
    assert (answer.status, answer.error) == (35, "NotOffered"), answer.message
    dry = packaged("status")
    assert dry["state"] == "baseline"


@pytest.mark.parametrize("version, says", [("1.0-1+b1", "superseded"), ("2.0-1", "fixed")])
def test_the_package_was_updated_under_the_layer(version, says, packaged):
    assert packaged("install").status == 0
    packaged("suspend")
    support.flip(packaged.usr / "lib/fix.dat", 7)
    set_version(packaged, "fix", version)
    resume = packaged("resume")
    assert (resume["resumed"], fits(resume)) == ("baseline", {"fix": says})
