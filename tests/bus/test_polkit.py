"""Who may do what: asked by somebody who is not root, decided by the real polkitd with the policy that is installed."""
import json
import subprocess
import threading

import pytest

import support
from bus import JOB, MANAGER, NAME, PATH, wait_for

ALLOWED, DENIED = "polkit.Result.YES", "polkit.Result.NO"
ACTIONS = ("check", "install", "remove", "configure")


class Somebody:
    """Not root, and not before the screen."""

    def __init__(self, bus):
        self.bus = bus

    def busctl(self, *arguments, check=True):
        done = subprocess.run(
            ["setpriv", f"--reuid={support.NOBODY}", f"--regid={support.NOBODY}", "--clear-groups", "busctl", "--system",
             "--json=short", "--timeout=60", *arguments], env=self.bus.environment, capture_output=True, text=True)
        assert not check or done.returncode == 0, done.stderr
        return done

    def call(self, method, *arguments, path=PATH, interface=MANAGER):
        return json.loads(self.busctl("call", NAME, path, interface, method, *arguments).stdout or '{"data": []}')["data"]

    def is_refused(self, method, *arguments, path=PATH, interface=MANAGER):
        done = self.busctl("call", NAME, path, interface, method, *arguments, check=False)
        assert done.returncode != 0, f"{method} was allowed"
        return done.stderr


@pytest.fixture
def somebody(agent):
    agent.start()
    yield Somebody(agent.bus)
    agent.bus.forget()


def rule(**results):
    return "".join(f'if (action.id == "org.suture1.{action}") return {result};' for action, result in results.items())


def test_polkit_knows_the_actions(system_bus):
    done = support.run("pkaction", "--verbose", env=system_bus.environment)
    actions = {words[0].rstrip(":"): words for words in (part.split() for part in done.stdout.split("\n\n")) if words}
    before_the_screen = {action: actions[f"org.suture1.{action}"][-1] for action in ACTIONS}
    assert before_the_screen == {"check": "yes", "install": "yes", "remove": "auth_admin_keep",
                                 "configure": "auth_admin_keep"}


def test_anybody_may_look(somebody):
    assert json.loads(somebody.call("GetStatus")[0])["state"] == "baseline"
    assert json.loads(somebody.call("GetHistory")[0])["events"] == []
    assert "State" in somebody.busctl("introspect", NAME, PATH).stdout


@pytest.mark.parametrize("method, signature, action", [
    ("Check", [], "check"), ("Plan", [], "check"), ("Install", ["a{sv}", "0"], "install"), ("Remove", ["a{sv}", "0"], "remove"),
    ("Restart", ["a{sv}", "0"], "install"), ("Watch", [], "install"), ("Update", [], "install"),
    ("SetAutomatic", ["s", "check"], "configure")])
def test_each_change_has_its_action(somebody, agent, method, signature, action):
    others = {other: ALLOWED for other in ACTIONS if other != action}
    agent.bus.allow(rule(**{action: DENIED}, **others))
    assert "polkit does not allow this" in somebody.is_refused(method, *signature)
    assert agent.get("Job") == "/" and agent.ask("GetHistory")["events"] == []
    agent.bus.allow(rule(**{action: ALLOWED}))
    answer = somebody.call(method, *signature)
    if method not in ("Plan", "SetAutomatic"):
        agent.finish(answer[0])


def test_somebody_who_is_not_there_is_asked_for_an_administrator(somebody):
    """The policy's own words, without a rule."""
    assert "an administrator has to agree to this" in somebody.is_refused("Check")
    assert "an administrator has to agree to this" in somebody.is_refused("Remove", "a{sv}", "0")


def test_cancel_is_for_who_may_begin(somebody, agent, server, shop):
    go = threading.Event()
    server.fail(shop.delta(), before=go.wait)
    agent.bus.allow(rule(install=DENIED, remove=ALLOWED))
    job = agent.begin("Install", {})
    assert "polkit does not allow this" in somebody.is_refused("Cancel", path=job, interface=JOB)
    agent.bus.allow(rule(install=ALLOWED))
    wait_for(lambda: agent.get("Step", job, JOB) == "download", "the download")
    somebody.call("Cancel", path=job, interface=JOB)
    assert agent.finish(job)["Error"] == "Cancelled"
    go.set()


def test_without_polkit_only_root_may(somebody, agent):
    agent.bus.allow(rule(check=ALLOWED))
    agent.finish(somebody.call("Check")[0])
    agent.bus.stop_polkit()
    try:
        assert "polkit cannot be asked" in somebody.is_refused("Check")
        somebody.call("GetStatus")
        assert agent.do("Check")["State"] == "done"
    finally:
        agent.bus.start_polkit()


def test_nobody_else_is_the_agent(system_bus):
    done = Somebody(system_bus).busctl("call", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                       "RequestName", "su", NAME, "0", check=False)
    assert done.returncode != 0 and "Access denied" in done.stderr
