"""The whole way: from a fixed tree to a device that runs the fix, on to the next level, and back to the baseline."""
import os
import shutil
import subprocess
import time

import pytest

import support
import web


def expected_usr(trees, *levels):
    """The baseline's /usr with the fixed files on it: what a device at the last of `levels` must show."""
    seen = support.read_tree(trees / "baseline/usr")
    for level in levels:
        fixed = support.read_tree(trees / f"fixed-{level}/usr")
        for path, entry in fixed.items():
            is_new_directory = entry[3] == "" and path not in seen
            if (entry[3] or is_new_directory) and not path.startswith("share/doc/"):
                seen[path] = entry
    return seen


def cves(answer):
    return {fix["id"] for component in answer["components"] for fix in component["fixes"]}


@pytest.fixture(params=["http", "file"])
def url(request, server, shop):
    return server.url if request.param == "http" else f"file://{shop.public}"


def test_from_the_baseline_to_a_to_b_and_back(device, url, shop, next_shop, server):
    baseline = support.read_tree(device.usr)
    device.configure(f"[Source]\nRepository={url}\n")

    check = device("check")
    assert (check.status, check["level"], check["up_to_date"]) == (0, "a", False)
    assert cves(check) == {support.CVE["a"]}

    install = device("install")
    assert install.status == 0, install.message
    assert (install["from"], install["to"], install["changed"]) == (None, "a", True)
    assert support.read_tree(device.usr) == expected_usr(shop.trees, "a")
    assert device.answer() == "new"

    status = device("status")
    assert (status.status, status["level"], status["version"], status["state"]) == (0, "a", "1 (a)", "active")
    assert cves(status) == {support.CVE["a"]}
    assert status["last_check"]["outcome"] == "Offered" and status["conflict"] is None
    assert status["seal_enforcement"] in ("kernel", "activation")  # what the file system can; tests/vm knows

    again = device("install")
    assert (again.status, again["changed"], again["to"]) == (0, False, "a")
    assert "nothing newer is offered" in device("status")["last_check"]["message"]

    second_web = web.Server(next_shop.public)
    device.configure(f"[Source]\nRepository={second_web.url if url == server.url else f'file://{next_shop.public}'}\n")
    install = device("install")
    assert (install.status, install["from"], install["to"]) == (0, "a", "b"), install.message
    assert support.read_tree(device.usr) == expected_usr(shop.trees, "a", "b")
    assert cves(device("status")) == set(support.CVE.values())
    if url == server.url:  # levels are cumulative, downloads are not
        assert second_web.count("^objects/") == 1 and second_web.count(next_shop.delta("b")) == 1
        assert install["download_bytes"] == (next_shop.public / next_shop.delta("b")).stat().st_size

    remove = device("remove")
    assert (remove.status, remove["from"], remove["to"]) == (0, "b", None)
    assert support.read_tree(device.usr) == baseline
    assert support.mounts_below(device.path) == []
    assert device.answer() == "old"
    assert (device("status")["version"], device("status")["seal_enforcement"]) == ("1", None)

    again = device("remove")
    assert (again.status, again.error) == (36, "NotInstalled")
    events = [(e["event"], e["from"], e["to"], e["outcome"]) for e in device("history")["events"]]
    assert events == [("install", None, "a", "Ok"), ("install", "a", "b", "Ok"), ("remove", "b", None, "Ok")]


def test_images_that_are_there_are_used_again_without_a_download(device, server):
    assert device("install").status == 0
    assert device("remove").status == 0
    before = server.count("^objects/")
    install = device("install")
    assert (install.status, install["to"], install["download_bytes"]) == (0, "a", 0)
    assert server.count("^objects/") == before == 1


def test_a_dry_run_changes_nothing(device, shop):
    assert device("check").status == 0
    before, names = device.facts(), sorted(p.name for p in device.state.rglob("*"))
    dry = device("install", "--dry-run")
    assert (dry.status, dry["dry_run"], dry["changed"], dry["to"]) == (0, True, False, "a")
    assert dry["download_bytes"] == (shop.public / shop.delta()).stat().st_size
    assert device.facts() == before and sorted(p.name for p in device.state.rglob("*")) == names

    assert device("install").status == 0
    before = device.facts()
    dry = device("remove", "--dry-run")
    assert (dry.status, dry["dry_run"], dry["changed"], dry["from"]) == (0, True, False, "a")
    assert device.facts() == before
    assert [e["event"] for e in device("history")["events"]] == ["install"]


def test_modes_that_matter_survive(device):
    assert device("install").status == 0
    seen = support.read_tree(device.usr)
    assert seen["bin/tool"][0] == "0o104755" and "new" in (device.usr / "bin/tool").read_text()
    assert seen["lib/private"][0] == "0o40711" and seen["lib/private/secret"][0] == "0o100600"
    assert seen["lib/libfix.so.1"][3] == "libfix.so"


def test_owners_and_capabilities_survive(device, work, trees):
    """They stand in the baseline, not in what a package brings: the image takes them from there."""
    capability = bytes.fromhex("0100000200040000000000000000000000000000")  # cap_net_bind_service=ep
    shutil.copytree(trees, work / "trees", symlinks=True)
    for top in (work / "trees/baseline", device.path):
        tool = top / "usr/bin/tool"
        os.chown(tool, 0, 42)
        tool.chmod(0o2755)
        os.setxattr(top / "usr/lib/libfix.so", "security.capability", capability)
        os.setxattr(top / "usr/lib/private", "user.mark", b"kept")
        os.chown(top / "usr/lib/private", 0, 43)
    (work / "trees/fixed-a/usr/bin/tool").chmod(0o2755)
    shop = support.Publisher(work / "shop", work / "trees").start().release("a")
    device.trust(shop).configure(f"[Source]\nRepository=file://{shop.public}\n")
    install = device("install")
    assert install.status == 0, install.message
    tool = (device.usr / "bin/tool").stat()
    assert (tool.st_gid, oct(tool.st_mode)) == (42, "0o102755") and "new" in (device.usr / "bin/tool").read_text()
    assert os.getxattr(device.usr / "lib/libfix.so", "security.capability") == capability
    assert os.getxattr(device.usr / "lib/private", "user.mark") == b"kept"
    assert (device.usr / "lib/private").stat().st_gid == 43


def test_b_can_be_installed_on_the_bare_baseline(device, next_shop):
    install = device("install", "--repository", f"file://{next_shop.public}")
    assert (install.status, install["from"], install["to"]) == (0, None, "b")
    assert support.read_tree(device.usr) == expected_usr(next_shop.trees, "a", "b")


def test_trusted_root_can_come_from_the_command_line(device, shop):
    (device.path / "etc/suture/root.json").unlink()
    root = shop.public / "metadata/1.root.json"
    assert device("install", "--trusted-root", root).status == 0


def test_every_level_is_shown_by_the_text_output_too(device):
    text = [support.run(*device.command(verb)).stdout for verb in ("check", "install", "status", "history")]
    assert "1 (a) is offered" in text[0] and "now at 1 (a)" in text[1]
    assert "Version:    1 (a)" in text[2] and support.CVE["a"] in text[2]
    assert "install" in text[3] and "baseline -> a" in text[3] and "done" in text[3]


@pytest.fixture
def start(device):
    """Start a program that waits; it says what its library answers."""
    running = []

    def begin(*argv):
        process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        running.append(process)
        return process, process.stdout.readline().strip()
    yield begin
    for process in running:
        process.kill()
        process.communicate()


def exposed(answer, cve):
    return next(fix["pids"] for fix in answer["fixes"] if fix["id"] == cve)


def test_a_process_with_old_code_is_exposed_until_it_ends(device, start):
    process, says = start("chroot", device.path, "/usr/bin/answer")
    assert says == "old"
    assert device("exposure").status == 0  # nothing is known to be fixed yet
    assert device("check").status == 0
    offered = device("exposure")
    assert (offered.status, offered["level"], offered["installed"]) == (10, "a", False)
    assert exposed(offered, support.CVE["a"]) == [process.pid]

    install = device("install")
    assert install.status == 0
    assert [p["pid"] for p in install["exposed_before"]] == [p["pid"] for p in install["exposed_after"]] == [process.pid]
    assert install["remaining"][0]["pids"] == [process.pid] and "restart it by hand" in install["remaining"][0]["advice"]
    after = device("exposure")
    assert (after.status, after["installed"], exposed(after, support.CVE["a"])) == (10, True, [process.pid])
    assert after["exposed"][0]["maps"][0]["path"] == "/usr/lib/libfix.so"
    assert device("status")["state"] == "waiting"

    new_process, says = start("chroot", device.path, "/usr/bin/answer")
    assert says == "new"
    assert exposed(device("exposure"), support.CVE["a"]) == [process.pid]
    process.kill()
    process.wait()
    ended = device("exposure")
    assert (ended.status, exposed(ended, support.CVE["a"])) == (0, [])
    assert device("status")["state"] == "active"


def test_after_a_removal_the_removed_level_is_an_offer_again(device, start):
    assert device("install").status == 0
    fixed, says = start("chroot", device.path, "/usr/bin/answer")
    assert says == "new" and device("remove").status == 0
    old, says = start("chroot", device.path, "/usr/bin/answer")
    assert says == "old"
    answer = device("exposure")
    assert (answer.status, answer["level"], answer["installed"]) == (10, "a", False)
    assert exposed(answer, support.CVE["a"]) == [old.pid]


def test_a_check_that_fails_does_not_hide_who_is_exposed(device, start, server):
    process, _ = start("chroot", device.path, "/usr/bin/answer")
    assert device("check").status == 0 and device("exposure").status == 10
    server.fail("timestamp", status=500)
    assert device("check").error == "Unreachable"
    answer = device("exposure")
    assert (answer.status, exposed(answer, support.CVE["a"])) == (10, [process.pid])


def test_a_process_of_another_tree_is_shown_and_not_counted(device, start):
    process, says = start(device.usr / "lib/ld.so", "--library-path", device.usr / "lib", device.usr / "bin/answer")
    assert says == "old"
    assert device("check").status == 0
    answer = device("exposure")
    assert answer.status == 0 and exposed(answer, support.CVE["a"]) == []
    assert [(p["pid"], p["elsewhere"]) for p in answer["exposed"]] == [(process.pid, True)]


def test_code_of_levels_long_gone_is_still_known(device, start, own_shop):
    """A browser that is open for weeks: (a), then (b), (c) and (d) on top of it."""
    device.configure(f"[Source]\nRepository=file://{own_shop.public}\n")
    assert device("install").status == 0
    process, says = start("chroot", device.path, "/usr/bin/answer")
    assert says == "new"
    for number, level in enumerate("bcd"):
        fixed = own_shop.path / f"fixed-{level}"
        support.make_library(fixed / "usr/lib/libfix.so", "fix_answer", f"ne{number}")
        own_shop("build", "--tree", own_shop.trees / "baseline", "--fixed", fixed, "--component", "fix",
                 "--new-version", f"3.{number}", "--cve", "CVE-2030-0009")
        own_shop("release")
        install = device("install")
        assert (install.status, install["to"]) == (0, level), install.message
        assert [p["pid"] for p in install["exposed_after"]] == [process.pid], level
    assert device("exposure").status == 10 and device("status")["state"] == "waiting"


CLOSED = "[Restart]\nWindow=Mon 00:00-00:01\nDeadline={}\nAfterDeadline={}\n"


@pytest.mark.parametrize("deadline, policy, overdue", [("1h", "announce", False), ("1", "announce", True)])
def test_a_restart_waits_for_its_window_and_becomes_overdue(deadline, policy, overdue, device, start):
    """Nobody owns this process, so that nothing is restarted; but the state tells how long it waits."""
    process, _ = start("chroot", device.path, "/usr/bin/answer")
    text = (device.path / "etc/suture/suture.conf").read_text()
    device.configure(text + CLOSED.format(deadline, policy))
    assert device("install").status == 0
    time.sleep(1.1)
    waiting = device("status")["waiting"]
    assert waiting["since"] and waiting["due"] and waiting["overdue"] == overdue
    assert ("overdue since" in support.run(*device.command("status")).stdout) == overdue
    process.kill()
    process.wait()
    restart = device("restart", "--if-due")
    assert (restart.status, restart["restarted"], restart["overdue"]) == (0, False, False)
    assert device("status")["waiting"] is None
