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
    wait_for(lambda: ("", "JobRemoved") in [signal[:2] for signal in agent.signals], "the job's end")
    wait_for(lambda: [signal[2][1].get("Job") for signal in agent.signals
                      if signal[1] == "PropertiesChanged" and signal[0] == ""].count("/") == 1, "that no job is at work")
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


def test_the_agent_alone_is_killed(agent, slow, device):
    """What it had begun goes to its end, with nobody to tell."""
    agent.start()
    job = agent.begin("Install", LATER)
    wait_for(lambda: agent.get("Step", job, JOB) == "download", "the download")
    agent.process.kill()
    agent.process.wait()
    agent.process = None
    slow.set()
    wait_for(lambda: device("history")["events"], "the end of the job")
    assert device("status")["level"] == "a" and device("history")["events"][-1]["outcome"] == "Ok"


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


TALKS = {
    "nothing": ("", "suture ended without a result, with status 0"),
    "nothing, and fails": ("exit 3", "suture ended without a result, with status 3"),
    "no JSON": ("head -c 100000 /dev/urandom >&3; echo >&3", "suture ended without a result, with status 0"),
    "half a line": ("printf '{\"result\": {\"level\"' >&3", "suture ended without a result, with status 0"),
    "progress that is none": ("echo '{\"progress\": {\"step\": 7}}' >&3; echo '{\"progress\": []}' >&3",
                              "suture ended without a result, with status 0"),
    "an error without a name": ("echo '{\"error\": {\"message\": \"x\"}}' >&3; exit 20",
                                "suture ended without a result, with status 20"),
    "a line without an end": ("head -c 70000000 /dev/zero | tr '\\0' x >&3", "suture said more than can be kept"),
}


@pytest.mark.parametrize("talk, message", TALKS.values(), ids=TALKS)
def test_a_program_that_talks_nonsense(agent, talk, message):
    """What the agent runs is no stranger, but may be of another version, or broken: that is a failure like any other."""
    agent.start()
    good = agent.program.read_text()
    agent.program.write_text(f"#!/bin/sh\n{talk}\n")
    job = agent.do("Check")
    assert (job["State"], job["Result"], job["Message"]) == ("failed", "", message)
    assert job["Error"] == ("TooLarge" if "more" in message else "System")
    agent.program.write_text(good)
    assert agent.do("Check")["State"] == "done"
    wait_for(lambda: agent.get("State") == "baseline", "the status")


def test_an_error_that_it_does_not_know_keeps_its_name(agent):
    agent.start()
    agent.program.write_text("#!/bin/sh\necho '{\"error\": {\"name\": \"Novel\", \"message\": \"something new\"}}' >&3; exit 99\n")
    job = agent.do("Check")
    assert (job["Error"], job["Message"]) == ("Novel", "something new")
    with pytest.raises(Refused) as refused:
        agent.ask("GetStatus")
    assert (refused.value.name, refused.value.message) == ("org.suture1.Error.Novel", "something new")


def test_an_option_again_and_again(agent):
    agent.start()
    for times, error in ((2, None), (40, "too many options")):
        done = subprocess.run(["busctl", "--system", "call", "org.suture1", "/org/suture1", "org.suture1.Manager", "Install",
                               "a{sv}", str(times), *["force", "b", "true"] * times], env=agent.bus.environment,
                              capture_output=True, text=True)
        assert (done.returncode == 0) == (error is None) and (error or "") in done.stderr
        if not error:
            agent.finish(done.stdout.split('"')[1])


def test_a_setting_that_cannot_be_kept(agent, device):
    """/etc cannot be written to: nothing is lost, and it is said."""
    agent.start()
    (device.path / "etc/suture/suture.conf.d").mkdir()
    support.run("mount", "--bind", device.path / "etc/suture", device.path / "etc/suture")
    support.run("mount", "-o", "remount,bind,ro", device.path / "etc/suture")
    with pytest.raises(Refused) as refused:
        agent.call("SetAutomatic", "(s)", "off")
    assert refused.value.name == "org.suture1.Error.Permission" and "Read-only file system" in refused.value.message
    assert agent.get("Automatic") == "install" and agent.ask("GetStatus")["automatic"]["level"] == "install"
    support.run("umount", device.path / "etc/suture")
