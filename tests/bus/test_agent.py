"""The agent's object: what it tells, what it does, and how it ends."""
import json
import os
import signal
import subprocess
import threading

from gi.repository import GLib

import pytest

import support
from bus import JOB, Refused, wait_for


def options(**values):
    return {name.replace("_", "-"): GLib.Variant("b" if isinstance(value, bool) else "s", value)
            for name, value in values.items()}


LATER = options(restart="later")


def test_a_day(agent, device):
    agent.start()
    before = agent.properties()
    assert (before["Version"], before["Level"], before["State"], before["Job"]) == ("1", "", "baseline", "/")
    check = agent.do("Check")
    assert (check["Kind"], check["State"], check["Error"]) == ("check", "done", "")
    assert check["Report"].startswith("1 (a) is offered") and json.loads(check["Result"])["level"] == "a"
    wait_for(lambda: agent.get("LastCheck")[1] == "Offered", "the check's outcome")
    assert agent.ask("Plan")["to"] == "a" and agent.get("Level") == ""
    assert agent.do("Install", LATER)["State"] == "done"
    wait_for(lambda: agent.get("Version") == "1 (a)", "the new version")
    assert device("status")["version"] == agent.ask("GetStatus")["version"] == "1 (a)"
    assert agent.do("Remove", LATER)["State"] == "done"
    wait_for(lambda: agent.get("Level") == "", "the removal")
    assert [event["event"] for event in agent.ask("GetHistory")["events"]] == ["install", "remove"]


def test_signals(agent):
    agent.start()
    job = agent.begin("Install", LATER)
    agent.finish(job)
    wait_for(lambda: agent.get("Level") == "a", "the level")
    wait_for(lambda: any("Level" in signal[2][1] for signal in agent.signals if signal[1] == "PropertiesChanged"),
             "the level's signal")
    members = [(path, member) for path, member, _ in agent.signals if member.startswith("Job")]
    assert members == [("", "JobNew"), ("", "JobRemoved")]
    new, removed = (parameters for _, member, parameters in agent.signals if member.startswith("Job"))
    assert new == (1, job, "install") and removed == (1, job, "install", "")
    steps = [parameters[1]["Step"] for path, member, parameters in agent.signals
             if path == "/job/1" and "Step" in parameters[1]]
    assert steps[0] == "ask the repository" and "rebuild image" in steps and steps[-1] == "restart"
    jobs = [parameters[1]["Job"] for path, member, parameters in agent.signals
            if path == "" and member == "PropertiesChanged" and "Job" in parameters[1]]
    assert jobs == [job, "/"]


def test_what_others_do_is_told(agent, device):
    """The command line does without the agent; who looks at the agent sees it all the same."""
    device("check")
    agent.start()
    assert agent.get("Level") == ""
    device("install", "--restart=later")
    wait_for(lambda: ("Level", "a") in [change for signal in agent.signals if signal[1] == "PropertiesChanged"
                                        for change in signal[2][1].items()], "the level's signal")
    assert agent.get("Version") == "1 (a)"


def test_errors_have_names(agent, device):
    agent.start()
    failed = agent.do("Remove", {})
    assert (failed["State"], failed["Error"]) == ("failed", "NotInstalled")
    assert failed["Message"] == "no improvement is installed: there is nothing to remove" and failed["Result"] == ""
    with pytest.raises(Refused) as refused:
        agent.begin("Install", options(colour="red"))
    assert refused.value.name == "org.suture1.Error.Usage" and "'install' has no option 'colour'" in refused.value.message
    with pytest.raises(Refused) as refused:
        agent.begin("Install", {"force": GLib.Variant("s", "yes")})
    assert "option 'force' is a boolean" in refused.value.message
    with pytest.raises(Refused) as refused:
        agent.begin("Install", options(restart="x" * 100))
    assert "an option is too long" in refused.value.message
    assert agent.do("Install", options(restart="tomorrow"))["Error"] == "Usage"
    device.configure("[Source]\nNonsense=1\n")
    with pytest.raises(Refused) as refused:
        agent.ask("GetStatus")
    assert refused.value.name == "org.suture1.Error.Config" and "suture.conf:2: unknown key" in refused.value.message
    assert agent.do("Check")["Error"] == "Config"


def test_a_status_that_cannot_be_had(agent, device):
    """The agent comes all the same: to say why, and to go on when it was mended."""
    good = (device.path / "etc/suture/suture.conf").read_text()
    device.configure("[Source]\nNonsense=1\n")
    agent.start()
    assert (agent.get("Version"), agent.get("State"), agent.get("Exposed")) == ("", "", 0)
    device.configure(good)
    assert agent.do("Check")["State"] == "done"
    wait_for(lambda: agent.get("Version") == "1", "the version")


@pytest.fixture
def slow(shop, server):
    """The delta's download waits until this is set."""
    go = threading.Event()
    server.fail(shop.delta(), before=go.wait)
    yield go
    go.set()


def test_one_job_at_a_time_and_cancel(agent, slow, device):
    agent.start()
    job = agent.begin("Install", LATER)
    wait_for(lambda: agent.get("Step", job, JOB) == "download", "the download")
    assert agent.get("Job") == job
    with pytest.raises(Refused) as refused:
        agent.begin("Remove", {})
    assert refused.value.name == "org.suture1.Error.Busy" and job in refused.value.message
    agent.ask("GetStatus")
    agent.call("Cancel", path=job, interface=JOB)
    done = agent.finish(job)
    assert (done["State"], done["Error"]) == ("failed", "Cancelled")
    with pytest.raises(Refused) as refused:
        agent.call("Cancel", path=job, interface=JOB)
    assert refused.value.message == "the job is over"
    assert device("status")["level"] is None and agent.get("Job") == "/"


def find_child(agent):
    children = f"/proc/{agent.process.pid}/task/{agent.process.pid}/children"
    return [int(pid) for pid in open(children).read().split()]


def test_a_job_that_crashes(agent, slow):
    agent.start()
    job = agent.begin("Install", LATER)
    wait_for(lambda: agent.get("Step", job, JOB) == "download", "the download")
    os.kill(find_child(agent)[0], signal.SIGKILL)
    done = agent.finish(job)
    assert (done["Error"], done["Message"]) == ("System", "suture was ended by signal 9")
    slow.set()
    assert agent.do("Install", LATER)["State"] == "done"


def test_the_agent_is_ended_at_work(agent, slow, device):
    """A stop of the service is no accident: what is at work stops where it can, and the next one goes on."""
    agent.start()
    job = agent.begin("Install", LATER)
    wait_for(lambda: agent.get("Step", job, JOB) == "download", "the download")
    child = find_child(agent)[0]
    agent.bus.stop(agent.process)
    assert not os.path.exists(f"/proc/{child}")
    slow.set()
    assert device("install", "--restart=later").status == 0


def test_it_ends_when_nobody_needs_it(agent):
    agent.idle = 1
    agent.start()
    agent.call("Subscribe")
    with pytest.raises(subprocess.TimeoutExpired):
        agent.process.wait(timeout=3)
    agent.call("Unsubscribe")
    assert agent.process.wait(timeout=10) == 0


def test_who_leaves_is_no_subscriber(agent):
    agent.idle = 1
    agent.start()
    other = agent.bus.connect()
    agent.call("Subscribe", connection=other)
    other.close_sync(None)
    assert agent.process.wait(timeout=10) == 0


def test_no_suture(agent):
    agent.program.unlink()
    process = agent.bus.spawn(support.BUILD / "sutured", agent.program, stderr=subprocess.PIPE)
    _, complaint = process.communicate(timeout=20)
    assert process.returncode == 1 and f"cannot run '{agent.program}'".encode() in complaint


@pytest.mark.parametrize("arguments, complaint", [
    (["--idle=0"], "--idle= is a number of seconds"), (["--idle=x"], "--idle= is a number of seconds"),
    (["--colour"], "try 'sutured --help'")])
def test_usage(arguments, complaint):
    done = support.run(support.BUILD / "sutured", *arguments, check=False)
    assert done.returncode == 2 and complaint in done.stderr


def test_no_bus(agent):
    done = support.run(support.BUILD / "sutured", check=False,
                       env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent"})
    assert done.returncode == 1 and "cannot reach the system bus" in done.stderr


def test_automatic(agent, device):
    agent.start()
    assert (agent.get("Automatic"), agent.get("AutomaticManaged")) == ("install", False)
    agent.call("SetAutomatic", "(s)", "download")
    wait_for(lambda: agent.get("Automatic") == "download", "the setting")
    wait_for(lambda: any(s[1] == "PropertiesChanged" and s[2][1].get("Automatic") == "download" for s in agent.signals),
             "the signal")
    assert agent.do("Update")["State"] == "done" and agent.ask("GetStatus")["staged"] == "a"
    for bad in ("", "-x", "--root=/", "sometimes"):
        with pytest.raises(Refused) as refused:
            agent.call("SetAutomatic", "(s)", bad)
        assert refused.value.name == "org.suture1.Error.Usage"
    support.write(device.path / "etc/suture/managed.conf", "[Automatic]\nLevel=check\n")
    with pytest.raises(Refused) as refused:
        agent.call("SetAutomatic", "(s)", "off")
    assert refused.value.name == "org.suture1.Error.Managed" and "managed.conf:2" in refused.value.message
    wait_for(lambda: agent.get("AutomaticManaged") and agent.get("Automatic") == "check", "the organisation's word")


def test_nobody_asks_too_much(agent):
    """Each answer is a process: who asks a hundred times at once gets some of them."""
    agent.start()
    answers = []

    def take(connection, result):
        try:
            connection.call_finish(result)
            answers.append("done")
        except GLib.Error as error:
            answers.append(Refused(error).name)
    for _ in range(100):
        agent.connection.call("org.suture1", "/org/suture1", "org.suture1.Manager", "GetStatus", None, None, 0, 60_000,
                              None, take)
    wait_for(lambda: len(answers) == 100, "the answers")
    assert set(answers) == {"done", "org.suture1.Error.Busy"} and answers.count("done") >= 8
    assert agent.ask("GetStatus")["version"] == "1"


def test_old_jobs_are_forgotten(agent):
    agent.start()
    jobs = []
    for _ in range(20):
        jobs.append(agent.begin("Watch"))
        agent.finish(jobs[-1])
    assert agent.get("State", jobs[-1], JOB) == agent.get("State", jobs[4], JOB) == "done"
    with pytest.raises(Refused) as refused:
        agent.get("State", jobs[3], JOB)
    assert refused.value.name == "org.freedesktop.DBus.Error.UnknownObject"
