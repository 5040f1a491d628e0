"""A package manager works on the base: the layers go off, and what still applies comes back."""
import fcntl
import re
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
        support.run("cp", "-a", "--remove-destination", trees / f"fixed-{level}/usr" / path, (device.usr / path).parent)


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
    """But that a package manager is at work is known all the same."""
    assert device("suspend")["suspended"] is False
    refused = device("install")
    assert (refused.status, refused.error) == (21, "Busy") and support.mounts_below(device.path) == []
    assert device("resume")["resumed"] == "nothing"
    assert device("status")["state"] == "baseline" and device("install").status == 0


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
    assert "other 2, 1 file: was replaced by other packages" in text
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


def test_another_baseline_came_meanwhile(at_b, trees):
    at_b("suspend")
    support.write(at_b.path / "etc/os-release", "ID=testos\nVERSION_ID=2\n")
    resume = at_b("resume")
    assert resume["resumed"] == "baseline" and set(fits(resume).values()) == {"superseded"}
    assert support.mounts_below(at_b.path) == [] and at_b("status")["state"] == "baseline"


def test_an_image_that_is_gone_is_left_out_and_comes_back_by_an_install(at_b):
    at_b("suspend")
    largest = max((at_b.state / "images").iterdir(), key=lambda path: path.stat().st_size)
    support.flip(largest, 5000)
    resume = at_b("resume")
    assert (resume["resumed"], fits(resume)) == ("part", {"fix": "missing", "other": "applies"})
    assert at_b.answer() == "old" and "is missing; 'suture install' mends that." in support.run(*at_b.command("status")).stdout
    assert at_b("install").status == 0 and at_b.answer() == "new"
    assert fits(at_b("status")) == {"fix": "applies", "other": "applies"}


@pytest.mark.parametrize("name, text", [
    ("etc/suture/suture.conf", "[Sauce]\n"), ("etc/suture/restart.d/x.conf", "[a.service]\nAction=explode\n"),
])
def test_a_malformed_configuration_does_not_stop_a_package_manager(name, text, at_b):
    support.write(at_b.path / name, text)
    assert at_b("suspend")["suspended"] is True
    resume = at_b("resume")
    assert (resume.status, resume["resumed"]) == (0, "all") and at_b.answer() == "new"


def test_nobody_restarts_while_a_package_manager_is_at_work(at_b):
    at_b("suspend")
    refused = at_b("restart")
    assert (refused.status, refused.error) == (21, "Busy")
    at_b("resume")
    assert at_b("restart").status == 0


def test_dpkg_is_at_work_without_a_word(at_b, trees):
    """As a dpkg whose apt was killed: it holds its lock."""
    support.write(at_b.path / "var/lib/dpkg/lock", "")
    subprocess.run([*MANAGER, *at_b.command("suspend")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    with open(at_b.path / "var/lib/dpkg/lock", "r+") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        for verb in ("install", "remove", "restart"):
            refused = at_b(verb)
            assert (refused.status, refused.error) == (21, "Busy"), (verb, refused.text)
        assert at_b("resume")["resumed"] == "not-yet" and support.read_tree(at_b.usr) == expected_usr(trees)
        assert "stay off /usr" in support.run(*at_b.command("resume")).stdout
        assert at_b("resume", "--force")["resumed"] == "all"
    assert at_b.answer() == "new"


@pytest.fixture
def run_answer(device):
    running = []

    def run(says):
        process = subprocess.Popen(["chroot", device.path, "/usr/bin/answer"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout.readline().strip() == says
        return process
    yield run
    for process in running:
        end(process)


def end(process):
    process.kill()
    process.wait()


def test_the_fix_in_the_base_is_no_old_code(at_b, trees, run_answer):
    """Neither when the level goes off for it, nor when the user takes off what is left."""
    run_answer("new")  # the layer's own build, which the base is about to have
    at_b("suspend")
    replace(at_b, trees, "a", *FIXED_A)
    at_b("resume")
    run_answer("new")
    remove = at_b("remove")
    assert remove.status == 0 and remove["exposed_after"] == [], remove.text
    assert at_b("restart")["remaining"] == []


def test_when_all_is_fixed_nothing_restarts_for_ever(at_b, trees, run_answer):
    at_b("suspend")
    old = run_answer("old")
    replace(at_b, trees, "a", *FIXED_A)
    replace(at_b, trees, "b", "lib/libother.so")
    assert at_b("resume")["resumed"] == "baseline"
    run_answer("new")
    restart = at_b("restart")
    assert {pid for action in restart["remaining"] for pid in action["pids"]} == {old.pid}
    end(old)
    assert at_b("restart")["remaining"] == []


def test_a_restart_puts_back_what_was_abandoned_but_a_dry_run_does_not(at_b):
    subprocess.run([*MANAGER, *at_b.command("suspend")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert at_b("restart", "--dry-run").status == 36 and support.mounts_below(at_b.path) == []
    assert at_b("restart", "--if-due").status == 0 and at_b.answer() == "new"
    assert at_b("status")["state"] == "active"


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


def test_two_architectures_have_one_version(packaged):
    """dpkg-query prints a line for each."""
    assert packaged("install").status == 0
    packaged("suspend")
    support.flip(packaged.usr / "lib/fix.dat", 7)
    stanza = ("Package: fix\nStatus: install ok installed\nVersion: 1.0-1+b1\nArchitecture: {}\nMulti-Arch: same\n"
              "Maintainer: Nobody <n@example.org>\nDescription: a test\n\n")
    support.write(packaged.path / "var/lib/dpkg/status", stanza.format("amd64") + stanza.format("i386"))
    assert fits(packaged("resume")) == {"fix": "superseded"}


def test_a_package_that_was_removed_is_no_fix(packaged):
    assert packaged("install").status == 0
    packaged("suspend")
    (packaged.usr / "lib/fix.dat").unlink()
    support.write(packaged.path / "var/lib/dpkg/status",
                  "Package: fix\nStatus: deinstall ok config-files\nVersion: 2.0-1\nArchitecture: all\n"
                  "Maintainer: Nobody <n@example.org>\nDescription: a test\n")
    assert fits(packaged("resume")) == {"fix": "superseded"}


@pytest.mark.parametrize("version, says", [("1.0-1+b1", "superseded"), ("2.0-1", "fixed")])
def test_the_package_was_updated_under_the_layer(version, says, packaged):
    assert packaged("install").status == 0
    packaged("suspend")
    support.flip(packaged.usr / "lib/fix.dat", 7)
    set_version(packaged, "fix", version)
    resume = packaged("resume")
    assert (resume["resumed"], fits(resume)) == ("baseline", {"fix": says})


def test_in_a_chroot_there_is_nothing_to_suspend(device):
    """The mount that a chroot lies on is not in its mount table; dpkg must be able to work there all the same."""
    libraries = support.run("ldd", support.BUILD / "suture").stdout
    for path in [str(support.BUILD / "suture"), *re.findall(r"(/\S+) \(", libraries)]:
        place = device.path / ("run/suture" if path.endswith("/suture") else path[1:])
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    (device.path / "proc").mkdir()
    support.run("mount", "-t", "proc", "proc", device.path / "proc")
    for verb in ("suspend", "resume"):
        done = support.run("chroot", device.path, "/run/suture", verb, "--json", check=False)
        assert done.returncode == 0, done.stderr


def test_what_was_recalled_meanwhile_is_left_for_what_is_offered(device, own_shop):
    """A component of (b) lost its image, and the channel offers (a) again."""
    own_shop.release("b")
    device.configure(f"[Source]\nRepository=file://{own_shop.public}\n")
    assert device("install")["to"] == "b"
    assert device("suspend").status == 0
    seal, = (c["image"]["seal"] for c in own_shop.manifest("b")["components"] if c["name"] == support.COMPONENT["b"])
    (device.state / f"images/{seal}.erofs").unlink()
    assert device("resume", "--force").status == 0
    own_shop("recall", "--level", "b", "--reason", "it breaks sound")
    check = device("check")
    assert (check["up_to_date"], check["recalled"], check["level"]) == (False, True, "a"), check.text
    install = device("install")
    assert (install.status, install["changed"], install["recalled"]) == (0, True, True), install.message
    assert "(a)" in device("status")["version"]
