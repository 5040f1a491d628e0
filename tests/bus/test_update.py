"""What is done by itself: held back while the surroundings say so, and gone on with when they clear."""
import datetime
import fcntl
import threading
import time

from gi.repository import GLib

import pytest

from bus import DISPLAY, JOB, Mock, Refused, UPOWER, logind, network_manager, upower, wait_for

UNKNOWN, YES, NO, GUESS_YES, GUESS_NO = range(5)


@pytest.fixture
def mocks():
    mocks = []
    yield mocks
    for mock in mocks:
        mock.end()


def update(agent):
    job = agent.finish(agent.begin("Update"))
    assert (job["Kind"], job["State"]) == ("update", "done"), job["Message"]
    return job


def configure(device, text):
    path = device.path / "etc/suture/suture.conf"
    path.write_text(path.read_text() + text)


def test_nobody_knows_better(agent):
    """Neither NetworkManager nor UPower nor logind are there."""
    agent.start()
    update(agent)
    wait_for(lambda: agent.get("Level") == "a", "the level")
    assert agent.get("Waits") == []


@pytest.mark.parametrize("metered", [YES, GUESS_YES])
def test_metered(agent, device, server, mocks, metered):
    mocks.append(network_manager(agent.bus, metered))
    agent.idle = 1
    agent.start()
    update(agent)
    wait_for(lambda: agent.get("Waits") == ["metered"], "what it waits for")
    assert server.count("objects/") == 0 and agent.get("LastCheck")[1] == "Offered"
    # It stays as long as something waits, and does nothing.
    time.sleep(2)
    assert agent.process.poll() is None and len([s for s in agent.signals if s[1] == "JobNew"]) == 1
    mocks[0].set(Metered=GLib.Variant("u", NO))
    wait_for(lambda: agent.get("Level") == "a", "the installation")
    assert agent.get("Waits") == []
    assert agent.process.wait(timeout=15) == 0


@pytest.mark.parametrize("metered", [UNKNOWN, NO, GUESS_NO])
def test_not_metered(agent, mocks, metered):
    mocks.append(network_manager(agent.bus, metered))
    agent.start()
    update(agent)
    wait_for(lambda: agent.get("Level") == "a", "the level")


def test_battery(agent, mocks):
    mocks.append(upower(agent.bus, True, 12.7))
    agent.start()
    update(agent)
    wait_for(lambda: agent.get("Waits") == ["battery"], "what it waits for")
    wait_for(lambda: agent.get("Staged") == "a", "that it is made ready")
    # Less of it is no reason to look again, nor is a little more.
    mocks[0].set(**DISPLAY, Percentage=GLib.Variant("d", 11.0))
    mocks[0].set(**DISPLAY, Percentage=GLib.Variant("d", 14.0))
    time.sleep(0.5)
    assert len([s for s in agent.signals if s[1] == "JobNew"]) == 1
    mocks[0].set(**DISPLAY, Percentage=GLib.Variant("d", 17.5))
    wait_for(lambda: len([s for s in agent.signals if s[1] == "JobRemoved"]) == 2, "another try")
    assert agent.get("Level") == ""
    mocks[0].set(OnBattery=GLib.Variant("b", False))
    wait_for(lambda: agent.get("Level") == "a", "the installation")


def test_in_use(agent, device, mocks):
    configure(device, "[Automatic]\nInUse=wait\n")
    mocks.append(logind(agent.bus, False))
    agent.start()
    update(agent)
    wait_for(lambda: agent.get("Waits") == ["in-use"], "what it waits for")
    mocks[0].set(IdleHint=GLib.Variant("b", True))
    wait_for(lambda: agent.get("Level") == "a", "the installation")


def test_one_after_the_other(agent, device, server, mocks):
    """Each condition that clears lets it go as far as it can."""
    configure(device, "[Automatic]\nInUse=wait\n")
    mocks += [network_manager(agent.bus, YES), upower(agent.bus, True, 5), logind(agent.bus, False)]
    agent.start()
    update(agent)
    wait_for(lambda: agent.get("Waits") == ["metered", "battery", "in-use"], "what it waits for")
    mocks[0].set(Metered=GLib.Variant("u", NO))
    wait_for(lambda: agent.get("Staged") == "a", "the download")
    wait_for(lambda: agent.get("Waits") == ["battery", "in-use"], "what it waits for")
    mocks[2].set(IdleHint=GLib.Variant("b", True))
    wait_for(lambda: agent.get("Waits") == ["battery"], "what it waits for")
    mocks[1].set(OnBattery=GLib.Variant("b", False))
    wait_for(lambda: agent.get("Level") == "a", "the installation")
    assert [event["event"] for event in agent.ask("GetHistory")["events"]] == ["download", "install"]


def test_the_window_opens(agent, device):
    """In the next minute of the clock; nobody wakes the agent up but that."""
    soon = datetime.datetime.now() + datetime.timedelta(seconds=62)
    configure(device, f"[Automatic]\nWindow={soon:%H:%M}-{soon + datetime.timedelta(hours=1):%H:%M}\n")
    agent.start()
    job = update(agent)
    wait_for(lambda: agent.get("Waits") == ["window"], "what it waits for")
    assert agent.get("Staged") == "a" and '"window_opens":"' in job["Result"]
    wait_for(lambda: agent.get("Level") == "a", "the installation", 70)


def test_a_service_that_comes_later(agent, mocks):
    """NetworkManager is started, or comes back, while the agent waits."""
    mocks.append(network_manager(agent.bus, YES))
    agent.start()
    update(agent)
    wait_for(lambda: agent.get("Waits") == ["metered"], "what it waits for")
    mocks.pop().end()
    mocks.append(network_manager(agent.bus, NO))
    mocks[0].set(Metered=GLib.Variant("u", NO))
    wait_for(lambda: agent.get("Level") == "a", "the installation")


def test_a_person_is_faster(agent, mocks):
    mocks.append(network_manager(agent.bus, YES))
    agent.start()
    update(agent)
    wait_for(lambda: agent.get("Waits") == ["metered"], "what it waits for")
    assert agent.do("Install", {})["State"] == "done"
    wait_for(lambda: agent.get("Waits") == [] and agent.get("Level") == "a", "nothing that waits")


def test_the_clear_moment_comes_while_a_job_is_at_work(agent, mocks, server, shop):
    go = threading.Event()
    mocks.append(network_manager(agent.bus, YES))
    agent.start()
    update(agent)
    server.fail("metadata", before=go.wait)
    job = agent.begin("Check")
    wait_for(lambda: server.count("metadata") > 4, "the check")
    mocks[0].set(Metered=GLib.Variant("u", NO))
    time.sleep(0.3)
    go.set()
    assert agent.finish(job)["State"] == "done"
    wait_for(lambda: agent.get("Level") == "a", "the installation")


def test_what_fails_by_itself_is_tried_again(agent, mocks, device):
    """The network that is there now does not carry yet: the agent stays for another try."""
    mocks.append(network_manager(agent.bus, YES))
    agent.idle = 1
    agent.start()
    update(agent)
    config = (device.path / "etc/suture/suture.conf").read_text()
    device.configure("[Source]\nRepository=http://127.0.0.1:9\n")
    mocks[0].set(Metered=GLib.Variant("u", NO))
    wait_for(lambda: agent.get("LastCheck")[1] == "Unreachable", "the failure")
    time.sleep(2)
    assert agent.process.poll() is None
    device.configure(config)


def test_an_update_that_is_asked_for_and_fails_says_so(agent, device):
    device.configure("[Source]\nRepository=http://127.0.0.1:9\n")
    agent.idle = 1
    agent.start()
    job = agent.finish(agent.begin("Update"))
    assert (job["State"], job["Error"]) == ("failed", "Unreachable")
    assert agent.process.wait(timeout=10) == 0


def test_two_updates_at_once(agent, server, shop):
    go = threading.Event()
    server.fail(shop.delta(), before=go.wait)
    agent.start()
    job = agent.begin("Update")
    wait_for(lambda: agent.get("Step", job, JOB) == "download", "the download")
    with pytest.raises(Refused) as refused:
        agent.begin("Update")
    assert refused.value.name == "org.suture1.Error.Busy"
    go.set()
    agent.finish(job)


def test_a_battery_that_nobody_knows_the_charge_of(agent, mocks):
    """UPower says that there is no mains, and nothing more: that is no empty battery."""
    mocks.append(Mock(agent.bus, UPOWER, "/org/freedesktop/UPower", UPOWER).add("OnBattery", GLib.Variant("b", True)))
    agent.start()
    update(agent)
    wait_for(lambda: agent.get("Level") == "a", "the installation")
    assert agent.get("Waits") == []


def test_a_package_manager_is_at_work_when_it_clears(agent, mocks, device):
    mocks.append(network_manager(agent.bus, YES))
    agent.idle = 1
    agent.start()
    update(agent)
    with open(device.state / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mocks[0].set(Metered=GLib.Variant("u", NO))
        wait_for(lambda: any(s[1] == "JobRemoved" and s[2][3] == "Busy" for s in agent.signals), "the refusal")
    time.sleep(2)
    assert agent.process.poll() is None  # for another try
