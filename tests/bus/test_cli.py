"""`suture` asks the agent: for whoever polkit allows it, with the same words and exit statuses."""
import json
import os
import pty
import signal
import subprocess
import threading

import pytest

import support
from bus import wait_for
from test_polkit import ALLOWED, DENIED, rule

PERMISSION, BUSY, NOT_INSTALLED, CANCELLED = 20, 21, 36, 42


def command(agent, *arguments, somebody=False):
    user = ["setpriv", f"--reuid={support.NOBODY}", f"--regid={support.NOBODY}", "--clear-groups"] if somebody else []
    return dict(args=[*user, str(support.BUILD / "suture"), *arguments],
                env={**agent.bus.environment, **support.SANITIZERS})


def suture(agent, *arguments, somebody=False):
    done = subprocess.run(**command(agent, *arguments, somebody=somebody), capture_output=True, text=True, timeout=60)
    assert "Sanitizer" not in done.stderr and done.returncode != 99, done.stderr
    return done


@pytest.fixture(autouse=True)
def forget(system_bus):
    yield
    system_bus.forget()


def test_the_same_words(agent, device):
    agent.start()
    check = suture(agent, "check")
    assert check.returncode == 0 and check.stdout == "1 (a) is offered\n  fix 2, 5 files\n    CVE-2030-0001\n"
    install = suture(agent, "install", "--restart=later", "--json")
    assert json.loads(install.stdout)["to"] == "a" and install.stderr == ""
    remove = suture(agent, "remove")
    assert remove.returncode == 0 and "This system is now at 1 " in remove.stdout
    remove = suture(agent, "remove")
    assert remove.returncode == NOT_INSTALLED
    assert remove.stderr == "suture: no improvement is installed: there is nothing to remove\n"
    remove = suture(agent, "remove", "--json")
    assert json.loads(remove.stdout)["error"] == {
        "name": "NotInstalled", "exit_status": NOT_INSTALLED,
        "message": "no improvement is installed: there is nothing to remove"}
    jobs = [s[2][2] for s in agent.signals if s[1] == "JobNew"] or wait_for(
        lambda: [s[2][2] for s in agent.signals if s[1] == "JobNew"], "the jobs")
    assert jobs == ["check", "install", "remove", "remove", "remove"]


def test_unattended_is_an_update(agent):
    agent.start()
    assert "This system is now at 1 (a)" in suture(agent, "install", "--unattended").stdout
    wait_for(lambda: [s[2][2] for s in agent.signals if s[1] == "JobNew"] == ["update"], "the job's kind")


def test_who_is_not_root(agent, device):
    agent.start()
    refused = suture(agent, "install", somebody=True)
    assert refused.returncode == PERMISSION and "an administrator has to agree to this" in refused.stderr
    agent.bus.allow(rule(install=ALLOWED, remove=DENIED))
    assert suture(agent, "install", somebody=True).returncode == 0 and device("status")["level"] == "a"
    refused = suture(agent, "remove", somebody=True)
    assert refused.returncode == PERMISSION and refused.stderr == "suture: polkit does not allow this\n"


def test_without_an_agent_only_root_may(agent):
    refused = suture(agent, "check", somebody=True)
    assert refused.returncode == PERMISSION and refused.stderr == "suture: only root may do this\n"
    agent.start()
    refused = suture(agent, "check", "--direct", somebody=True)
    assert refused.returncode == PERMISSION and refused.stderr == "suture: only root may do this\n"


@pytest.fixture
def slow(shop, server):
    go = threading.Event()
    server.fail(shop.delta(), before=go.wait)
    yield go
    go.set()


def test_busy_and_interrupted(agent, device, slow):
    agent.start()
    process = subprocess.Popen(**command(agent, "install"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: any(s[2][1].get("Step") == "download" for s in agent.signals if s[1] == "PropertiesChanged"),
             "the download")
    busy = suture(agent, "remove")
    assert busy.returncode == BUSY and "another job is at work: install" in busy.stderr
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == CANCELLED and "cancelled: what is on /usr stays as it is" in stderr
    assert device("status")["level"] is None


def test_the_agent_is_gone(agent, slow):
    agent.start()
    process = subprocess.Popen(**command(agent, "install"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: any(s[2][1].get("Step") == "download" for s in agent.signals if s[1] == "PropertiesChanged"),
             "the download")
    agent.bus.stop(agent.process)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 1 and "the agent ended before it could say what came of it" in stderr


def test_progress_on_a_terminal(agent):
    agent.start()
    ours, theirs = pty.openpty()
    process = subprocess.Popen(**command(agent, "install"), stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 4096)
        except OSError:
            break
    assert process.wait(timeout=30) == 0
    steps = [line.split(" ...")[0] for line in shown.decode().splitlines()]
    assert "ask the repository" in steps and steps[-1] in ("restart", "watch")
