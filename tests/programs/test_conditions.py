"""What is done by itself waits for its time: a network that is not metered, mains, nobody at work, a maintenance window."""
import datetime

import pytest

import support

WITHHELD, MANAGED, USAGE = 45, 48, 2


def configure(device, shop, more=""):
    device.configure(f"[Source]\nRepository=file://{shop.public}\n{more}")


def unattended(device, *around):
    return device("install", "--unattended", *around)


def level(device):
    return device("status")["level"]


def closed_window():
    days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    # Neither today nor what begins at midnight.
    return f"Window={days[(datetime.date.today().weekday() + 3) % 7]} 12:00-12:01"


def test_nothing_is_downloaded_on_a_metered_network(device, shop, server):
    answer = unattended(device, "--metered")
    assert (answer.status, answer["changed"], answer["staged"], answer["waits"]) == (0, False, False, ["metered"])
    assert answer["to"] == "a" and answer["download_bytes"] > 0 and server.count("objects/") == 0
    status = device("status")
    assert (status["waits"], status["level"], status["staged"]) == (["metered"], None, None)
    assert "Waits for:  a network that is not metered" in support.run(*device.command("status")).stdout
    assert device("history")["events"] == []
    # The condition clears.
    answer = unattended(device)
    assert (answer["changed"], answer["waits"]) == (True, []) and device("status")["waits"] == []


def test_what_is_there_needs_no_network(device, server):
    assert device("install", "--download-only")["staged"]
    assert unattended(device, "--metered")["changed"] and level(device) == "a"


@pytest.mark.parametrize("around, config, waits", [
    (["--battery=19"], "", ["battery"]), (["--in-use"], "[Automatic]\nInUse=wait\n", ["in-use"]),
    ([], f"[Automatic]\n{closed_window()}\n", ["window"]),
    (["--battery=1", "--in-use"], f"[Automatic]\nInUse=wait\n{closed_window()}\n", ["battery", "in-use", "window"])])
def test_it_is_made_ready_until_its_time_comes(device, shop, around, config, waits):
    configure(device, shop, config)
    answer = unattended(device, *around)
    assert (answer.status, answer["changed"], answer["staged"], answer["waits"]) == (0, False, True, waits)
    status = device("status")
    assert (status["waits"], status["staged"], status["level"]) == (waits, "a", None)
    assert [event["event"] for event in device("history")["events"]] == ["download"]
    # Once more: nothing new is worth a line.
    assert unattended(device, *around)["waits"] == waits and len(device("history")["events"]) == 1
    configure(device, shop)
    assert unattended(device)["changed"]
    status = device("status")
    assert (status["waits"], status["staged"], status["level"]) == ([], None, "a")


@pytest.mark.parametrize("around, config", [
    (["--metered"], "[Automatic]\nMetered=ignore\n"), (["--battery=1"], "[Automatic]\nBattery=0\n"), (["--in-use"], ""),
    (["--battery=20"], ""), ([], "[Automatic]\nWindow=00:00-24:00\n")])
def test_what_counts_is_configured(device, shop, around, config):
    configure(device, shop, config)
    answer = unattended(device, *around)
    assert (answer["changed"], answer["waits"]) == (True, [])


def test_a_person_does_not_wait(device):
    answer = device("install")
    assert answer["changed"] and answer["waits"] == []


def test_a_recalled_level_is_left_whatever_the_surroundings_are(device, own_shop):
    configure(device, own_shop)
    assert device("install")["changed"]
    own_shop("recall", "--level", "a", "--reason", "it breaks sound")
    answer = unattended(device, "--metered", "--battery=1", "--in-use")
    assert (answer["to"], answer["changed"], answer["waits"]) == (None, True, [])


def test_what_is_enforced_waits_for_nobody(device, shop):
    """It was released a moment ago: that is long enough here. An empty battery counts all the same."""
    configure(device, shop, f"[Automatic]\nLevel=off\nInUse=wait\n{closed_window()}\n")
    assert device("install")["changed"] and device("remove").status == 0
    assert unattended(device).status == WITHHELD  # a person removed it, and automatic is off
    support.write(device.path / "etc/suture/managed.conf", "[Policy]\nEnforce=1s\n")
    answer = unattended(device, "--metered", "--in-use", "--battery=3")
    assert (answer["changed"], answer["staged"], answer["waits"]) == (False, True, ["battery"])
    answer = unattended(device, "--metered", "--in-use")
    assert (answer["changed"], answer["waits"]) == (True, []) and level(device) == "a"


def test_what_waited_is_forgotten_with_the_offer(device, own_shop):
    configure(device, own_shop)
    assert unattended(device, "--metered")["waits"] == ["metered"]
    own_shop("recall", "--level", "a", "--reason", "it breaks sound")
    assert unattended(device, "--metered").error == "NotOffered"
    assert device("status")["waits"] == []


@pytest.mark.parametrize("arguments, complaint", [
    (["install", "--battery=101"], "--battery= is a percentage"), (["install", "--battery=x"], "--battery= is a percentage"),
    (["status", "--metered"], "'status' has no --metered"), (["remove", "--in-use"], "'remove' has no --in-use"),
    (["status", "now"], "'now' is too much"), ([], "a verb is wanted")])
def test_usage(device, arguments, complaint):
    done = support.run(*device.command(*arguments), check=False)
    assert done.returncode == USAGE and complaint in done.stderr


@pytest.mark.parametrize("line", ["Battery=101", "Battery=x", "Battery=-1", "Metered=no", "InUse=yes", "Window=noon"])
def test_bad_values(device, shop, line):
    configure(device, shop, f"[Automatic]\n{line}\n")
    answer = device("status")
    assert answer.error == "Config" and "suture.conf:4:" in answer.message


def test_automatic(device, shop):
    assert device("automatic")["automatic"] == "install"
    assert device("status")["automatic"] == {"level": "install", "managed": False}
    assert device("automatic", "check")["automatic"] == "check"
    assert (device.path / "etc/suture/suture.conf.d/50-automatic.conf").read_text().endswith("[Automatic]\nLevel=check\n")
    assert device("status")["automatic"] == {"level": "check", "managed": False}
    assert unattended(device).status == WITHHELD
    assert "a person installs them" in support.run(*device.command("automatic")).stdout
    assert device("automatic", "sometimes").status == USAGE
    # Something that is read later says something else.
    support.write(device.path / "etc/suture/suture.conf.d/90-mine.conf", "[Automatic]\nLevel=off\n")
    answer = device("automatic", "install")
    assert answer.error == "Config" and "/etc/suture/suture.conf.d/90-mine.conf:2 says something else" in answer.message
    support.write(device.path / "etc/suture/managed.conf", "[Automatic]\nLevel=download\n")
    answer = device("automatic", "off")
    assert (answer.status, answer.error) == (MANAGED, "Managed") and "managed.conf:2" in answer.message
    assert device("status")["automatic"] == {"level": "download", "managed": True}
