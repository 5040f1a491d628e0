"""What a publisher withdraws, what a person took off, what failed here: which level a device goes to, and which it leaves alone."""
import json
import shutil

import pytest

import support
from test_way import expected_usr

WITHHELD, QUARANTINED, NOT_OFFERED, ROLLBACK = 45, 44, 35, 28


def follow(device, shop, more=""):
    device.configure(f"[Source]\nRepository=file://{shop.public}\n{more}")
    return device


@pytest.fixture
def at_b(device, own_shop, trees):
    """It ran (a), and runs (b)."""
    follow(device, own_shop)
    assert device("install")["to"] == "a"
    own_shop.release("b")
    assert device("install")["to"] == "b"
    return device


def level(device):
    return device("status")["level"]


def test_a_recalled_level_is_left_for_what_is_offered(at_b, own_shop, trees):
    own_shop("recall", "--level", "b", "--reason", "it breaks sound")
    check = at_b("check")
    assert (check["recalled"], check["level"]) == (True, "a") and "it breaks sound" in check["message"]
    status = at_b("status")
    assert status["state"] == "recalled" and [(r["level"], r["reason"]) for r in status["recalls"]] == [("b", "it breaks sound")]
    assert "was recalled: it breaks sound" in support.run(*at_b.command("status")).stdout
    install = at_b("install")
    assert (install.status, install["to"], install["changed"], install["recalled"]) == (0, "a", True, True)
    assert support.read_tree(at_b.usr) == expected_usr(trees, "a")
    assert at_b("check")["up_to_date"] and at_b("status")["state"] == "active"
    event = at_b("history")["events"][-1]
    assert (event["event"], event["from"], event["to"], event["reason"]) == ("install", "b", "a", "it breaks sound")
    assert "done: it breaks sound" in support.run(*at_b.command("history")).stdout


def test_where_nothing_is_offered_it_goes_back_to_what_it_ran_before(at_b, own_shop, trees):
    """(a) was recalled as well, later: then there is only the baseline."""
    name = own_shop("show").stdout
    assert "(b) current" in name
    own_shop("recall", "--level", "a", "--reason", "it breaks all")
    assert level(at_b) == "b" and at_b("check")["up_to_date"]  # (b) stands
    own_shop("recall", "--level", "b", "--reason", "so does this")
    check = at_b("check")
    assert (check["recalled"], check["level"]) == (True, None)
    assert "1 is what this system goes back to" in check["message"]
    nothing = at_b("install", "--download-only")
    assert (nothing.status, nothing.error) == (NOT_OFFERED, "NotOffered") and "nothing to download" in nothing.message
    assert level(at_b) == "b"
    install = at_b("install", "--unattended")
    assert (install.status, install["to"], install["changed"]) == (0, None, True), install.message
    assert support.read_tree(at_b.usr) == expected_usr(trees) and support.mounts_below(at_b.path) == []
    again = at_b("install")
    assert (again.status, again.error) == (NOT_OFFERED, "NotOffered")


def test_the_level_before_serves_when_the_offer_does_not_reach_this_device(device, own_shop, trees):
    """(c) replaces the recalled (b), but is not rolled out to this device: (a) is in the store, and good."""
    follow(device, own_shop)
    assert device("install")["to"] == "a"
    own_shop.release("b")
    assert device("install")["to"] == "b"
    support.make_library(own_shop.path / "fixed-c/usr/lib/libother.so", "other_answer", "ne2")
    own_shop("build", "--tree", trees / "baseline", "--fixed", own_shop.path / "fixed-c", "--component", "other",
             "--new-version", "3", "--cve", "CVE-2030-0009")
    own_shop("release", "--rollout", "0")
    own_shop("recall", "--level", "b", "--reason", "it breaks sound")
    install = device("install")
    assert (install.status, install["to"]) == (0, "a"), install.message
    assert install["download_bytes"] == 0 and support.read_tree(device.usr) == expected_usr(trees, "a")
    refused = device("install")
    assert (refused.status, refused.error) == (NOT_OFFERED, "NotOffered") and "roll-out" in refused.message


def test_a_level_that_replaces_a_recalled_one_is_made_from_it(device, own_shop, trees):
    follow(device, own_shop)
    assert device("install")["to"] == "a"
    own_shop("recall", "--level", "a", "--reason", "it breaks sound")
    fixed = own_shop.path / "fixed-b"
    shutil.copytree(trees / "fixed-a", fixed, symlinks=True)
    support.write(fixed / "usr/share/fix/added.txt", "newer\n", 0o640)
    own_shop("build", "--tree", trees / "baseline", "--fixed", fixed, "--component", "fix", "--old-version", "1",
             "--new-version", "3", "--cve", "CVE-2030-0001")
    own_shop("release")
    install = device("install")
    assert (install.status, install["to"], install["recalled"]) == (0, "b", True), install.message
    used, = (choice for choice in install["deltas"])
    assert used["from"] == "image", used
    assert (device.usr / "share/fix/added.txt").read_text() == "newer\n"


def damage_manifest(device, name):
    (device.state / f"manifests/testos-1-x86-64.{name}.json").write_text("not a manifest\n")


def test_a_damaged_manifest_of_a_former_level_keeps_nobody_on_a_recalled_one(at_b, own_shop, trees):
    """Whose code may still run cannot be told by then, and is not said to be nobody's."""
    damage_manifest(at_b, "a")
    for name in "ab":
        own_shop("recall", "--level", name, "--reason", "it breaks all")
    install = at_b("install", "--unattended")
    assert install.status != 0 and "the change is in place, but" in install.message and "(a)" in install.message
    assert support.read_tree(at_b.usr) == expected_usr(trees)
    assert at_b("exposure").status != 0
    status = at_b("status")
    assert (status["state"], status["exposure_known"], status["exposed"]) == ("baseline", False, None)
    assert "Exposure:   unknown: " in support.run(*at_b.command("status")).stdout


def test_a_damaged_manifest_of_a_former_level_does_not_keep_a_person_from_removing(at_b, trees):
    damage_manifest(at_b, "a")
    assert at_b("remove", "--dry-run").status != 0 and support.read_tree(at_b.usr) == expected_usr(trees, "a", "b")
    remove = at_b("remove")
    assert remove.status != 0 and "the change is in place, but" in remove.message
    assert support.read_tree(at_b.usr) == expected_usr(trees)


def test_who_does_not_have_a_recalled_level_never_gets_it(device, own_shop):
    follow(device, own_shop)
    own_shop("recall", "--level", "a", "--reason", "it breaks sound")
    for verb in ("check", "install"):
        answer = device(verb)
        assert (answer.status, answer.error) == (NOT_OFFERED, "NotOffered"), answer.text
    assert level(device) is None


def test_the_policy_may_be_to_ask(at_b, own_shop):
    own_shop("recall", "--level", "b", "--reason", "it breaks sound")
    follow(at_b, own_shop, "[Recall]\nAct=ask\n")
    refused = at_b("install", "--unattended")
    assert (refused.status, refused.error) == (WITHHELD, "Withheld") and "it breaks sound" in refused.message
    assert level(at_b) == "b" and at_b("install")["to"] == "a"


def test_no_recall_leads_below_the_floor(at_b, own_shop, trees):
    own_shop("floor", "--level", "b")
    assert "(b) current floor" in own_shop("show").stdout
    assert at_b("check").status == 0 and at_b("status")["floor"] == "b"
    told = own_shop("recall", "--level", "b", "--reason", "go back to the hole").stdout
    assert "offered now: (none)" in told and "floor (b)" in told
    for verb in ("check", "install"):
        answer = at_b(verb)
        assert (answer.status, answer.error) == (NOT_OFFERED, "NotOffered") and "allows nothing below (b)" in answer.message
    assert support.read_tree(at_b.usr) == expected_usr(trees, "a", "b") and at_b("status")["state"] == "recalled"
    assert at_b("remove").status == 0  # a person may, always


def test_a_floor_can_only_rise(at_b, own_shop):
    own_shop("floor", "--level", "b")
    refused = own_shop("floor", "--level", "a", check=False)
    assert refused.returncode == ROLLBACK and "can only rise" in refused.stderr
    assert own_shop("floor", "--level", "q", check=False).returncode == 24


def test_the_floor_is_remembered(at_b, own_shop):
    """Whoever has the channel's keys by now takes it out of the document."""
    own_shop("floor", "--level", "b")
    assert at_b("check").status == 0
    state = json.loads((at_b.state / "state.json").read_text())
    assert (state["knowledge"]["floor"], state["knowledge"]["serial"]) == ("b", 3)
    state["knowledge"]["floor"] = "c"  # as if an earlier document had said so
    (at_b.state / "state.json").write_text(json.dumps(state))
    own_shop("recall", "--level", "b", "--reason", "go back to the hole")
    assert "allows nothing below (c)" in at_b("install").message and level(at_b) == "b"


def test_an_older_channel_is_refused(at_b, own_shop):
    state = json.loads((at_b.state / "state.json").read_text())
    state["knowledge"]["serial"] = 100
    (at_b.state / "state.json").write_text(json.dumps(state))
    answer = at_b("check")
    assert (answer.status, answer.error) == (ROLLBACK, "Rollback") and "number 100" in answer.message
    assert level(at_b) == "b"


def test_an_older_level_is_never_installed_without_a_recall(at_b, own_shop, shop, trees):
    """The channel's current level is (a) again, and (b) was not recalled: that says nothing to a device at (b)."""
    own_shop("recall", "--level", "b", "--reason", "r")
    follow(at_b, own_shop)
    state = json.loads((at_b.state / "state.json").read_text())
    assert state["level"] == "b"
    assert at_b("remove").status == 0 and at_b("install")["to"] == "a"
    assert at_b("install")["changed"] is False


def test_what_a_person_removed_is_not_installed_again_by_itself(device, own_shop):
    follow(device, own_shop)
    assert device("install").status == 0 and device("remove").status == 0
    refused = device("install", "--unattended")
    assert (refused.status, refused.error) == (WITHHELD, "Withheld") and "removed here" in refused.message
    assert device("check").status == 0 and level(device) is None
    own_shop.release("b")  # the next level is another matter
    install = device("install", "--unattended")
    assert (install.status, install["to"]) == (0, "b"), install.message


def test_a_person_may_install_again_what_was_removed(device, own_shop):
    follow(device, own_shop)
    assert device("install").status == 0 and device("remove").status == 0
    assert device("install")["to"] == "a" and device("install", "--unattended")["changed"] is False


@pytest.mark.parametrize("automatic", ["off", "check"])
def test_automatic_off_takes_nothing_away(automatic, device, own_shop):
    follow(device, own_shop, f"[Automatic]\nLevel={automatic}\n")
    for more in ((), ("--download-only",)):
        refused = device("install", "--unattended", *more)
        assert (refused.status, refused.error) == (WITHHELD, "Withheld") and "(a) is offered" in refused.message
    assert device("status")["last_check"]["outcome"] == "Offered"
    assert level(device) is None and device("status")["staged"] is None
    assert device("install")["to"] == "a"


def test_automatic_download_only_downloads(device, own_shop):
    follow(device, own_shop, "[Automatic]\nLevel=download\n")
    for _ in range(2):  # each night
        staged = device("install", "--unattended")
        assert (staged.status, staged["staged"], staged["changed"]) == (0, True, False)
    assert level(device) is None and device("status")["staged"] == "a"
    assert [event["event"] for event in device("history")["events"]] == ["download"]
    install = device("install")
    assert (install["to"], install["download_bytes"]) == ("a", 0)


def test_a_quarantined_level_waits_for_the_next_one_or_for_force(device, own_shop):
    follow(device, own_shop)
    assert device("check").status == 0
    state = json.loads((device.state / "state.json").read_text())
    state["knowledge"]["quarantine"] = [{"level": "a", "at": 5, "reason": "nginx.service has failed"}]
    (device.state / "state.json").write_text(json.dumps(state))
    for more in ((), ("--unattended",)):
        refused = device("install", *more)
        assert (refused.status, refused.error) == (QUARANTINED, "Quarantined")
        assert "nginx.service has failed" in refused.message
    assert "it failed here" in device("check")["message"]
    assert [q["level"] for q in device("status")["quarantine"]] == ["a"]
    forced = device("install", "--force")
    assert (forced.status, forced["to"]) == (0, "a") and device("status")["quarantine"] == []


def test_the_next_level_is_not_quarantined(device, own_shop):
    follow(device, own_shop)
    assert device("check").status == 0
    state = json.loads((device.state / "state.json").read_text())
    state["knowledge"]["quarantine"] = [{"level": "a", "at": 5, "reason": "nginx.service has failed"}]
    (device.state / "state.json").write_text(json.dumps(state))
    own_shop.release("b")
    assert device("install", "--unattended")["to"] == "b"


def test_a_staged_level_gives_way_to_a_newer_one(device, own_shop, trees):
    follow(device, own_shop)
    staged = device("install", "--download-only")
    assert device("history")["events"][-1]["event"] == "download"
    assert (staged.status, staged["staged"], staged["changed"]) == (0, True, False)
    status = device("status")
    assert (status["staged"], status["level"], status["state"]) == ("a", None, "baseline")
    assert support.read_tree(device.usr) == expected_usr(trees)
    own_shop.release("b")
    assert device("install", "--download-only")["to"] == "b" and device("status")["staged"] == "b"
    install = device("install")
    assert (install["to"], install["download_bytes"]) == ("b", 0) and device("status")["staged"] is None
    assert support.read_tree(device.usr) == expected_usr(trees, "a", "b")


def test_a_staged_level_that_is_recalled_is_not_installed(device, own_shop):
    follow(device, own_shop)
    assert device("install", "--download-only").status == 0
    own_shop("recall", "--level", "a", "--reason", "r")
    assert device("install").error == "NotOffered"
    assert (device("status")["staged"], level(device)) == (None, None)


def test_another_baseline_forgets_all_of_it(at_b, own_shop):
    own_shop("floor", "--level", "b")
    assert at_b("check").status == 0 and at_b("remove").status == 0
    support.write(at_b.path / "etc/os-release", 'ID=testos\nVERSION_ID=2\nPRETTY_NAME="Test OS 2"\n')
    status = at_b("status")
    assert (status["floor"], status["recalls"], status["quarantine"]) == (None, [], [])
