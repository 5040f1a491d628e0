"""What needs a person, on the screen of who is there: a session bus with a stand-in for what shows notifications."""
import json
import os
import signal
import subprocess

from gi.repository import Gio, GLib

import pytest

import support
from bus import wait_for
from test_tell import run_old  # noqa: F401

NAME, PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"


class Session:
    """Somebody is logged in, with a desktop."""

    def __init__(self, agent, work):
        self.agent, self.runtime = agent, work / "session"
        self.runtime.mkdir(mode=0o700)
        address = f"unix:path={self.runtime}/bus"
        self.environment = {**agent.bus.environment, **support.SANITIZERS, "XDG_RUNTIME_DIR": str(self.runtime),
                            "DBUS_SESSION_BUS_ADDRESS": address}
        self.bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={address}"],
                                    env=self.environment)
        wait_for((self.runtime / "bus").exists, "the session bus")
        self.mock = subprocess.Popen(["/usr/bin/python3", "-m", "dbusmock", "--session", "--template",
                                      "notification_daemon"], env=self.environment, stdout=subprocess.DEVNULL)
        self.connection = Gio.DBusConnection.new_for_address_sync(
            address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
            None, None)
        wait_for(self.is_shown_by_somebody, "the notifications")

    def is_shown_by_somebody(self):
        return self.connection.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                         "NameHasOwner", GLib.Variant("(s)", (NAME,)), None, 0, -1, None).unpack()[0]

    def shown(self):
        calls = self.connection.call_sync(NAME, PATH, "org.freedesktop.DBus.Mock", "GetMethodCalls",
                                          GLib.Variant("(s)", ("Notify",)), None, 0, -1, None).unpack()[0]
        return [arguments for _, arguments in calls]

    def notify(self):
        done = subprocess.run([str(support.BUILD / "suture"), "notify", "--json"], env=self.environment,
                              capture_output=True, text=True, timeout=60)
        return done

    def shows(self):
        done = self.notify()
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["shown"]

    def end(self):
        self.connection.close_sync(None)
        for process in (self.mock, self.bus):
            process.kill()
            process.wait()


@pytest.fixture
def session(agent, work):
    session = Session(agent, work)
    yield session
    session.end()


def test_once_each(session, agent, device, own_shop):
    device.configure(f"[Source]\nRepository=file://{own_shop.public}\n")
    assert device("install").status == 0
    agent.start()
    assert session.shows() == 0
    own_shop("recall", "--level", "a", "--reason", "it breaks sound")
    device("check")
    wait_for(lambda: [kind for kind, _ in agent.get("Attention")] == ["recalled"], "the recall")
    assert session.shows() == 1
    (application, replaces, icon, summary, body, actions, hints, timeout), = session.shown()
    assert (application, replaces, summary) == ("suture", 0, "A security improvement was recalled")
    assert "it breaks sound" in body and (hints["urgency"], hints["desktop-entry"]) == (2, "org.suture.Settings")
    assert session.shows() == 0 and len(session.shown()) == 1
    # It is over, and comes again.
    assert device("install")["to"] is None
    wait_for(lambda: agent.get("Attention") == [], "that nothing needs a person")
    assert session.shows() == 0


def test_what_comes_in_numbers_is_said_once(session, agent, device, run_old):
    """Programs that only a person can restart: two, and then one."""
    run_old(2)
    device("install", "--restart=later")
    agent.start()
    assert [kind for kind, _ in agent.get("Attention")] == ["restart"] and session.shows() == 1
    os.kill(agent.ask("GetExposure")["exposed"][0]["pid"], signal.SIGKILL)
    agent.do("Check")
    wait_for(lambda: agent.get("Exposed") == 1, "the end of one")
    assert [kind for kind, _ in agent.get("Attention")] == ["restart"]
    assert session.shows() == 0 and len(session.shown()) == 1


def test_no_session(agent):
    done = subprocess.run([str(support.BUILD / "suture"), "notify"], capture_output=True, text=True,
                          env={k: v for k, v in agent.bus.environment.items() if k != "XDG_RUNTIME_DIR"})
    assert done.returncode == 2 and "this is no session" in done.stderr


def test_no_agent(session):
    done = session.notify()
    assert done.returncode == 1 and "cannot ask the agent" in done.stderr


def test_nobody_shows_it(session, agent, device, own_shop):
    """Then it is said when somebody does."""
    device.configure(f"[Source]\nRepository=file://{own_shop.public}\n")
    device("install")
    own_shop("recall", "--level", "a", "--reason", "it breaks sound")
    device("check")
    agent.start()
    session.mock.kill()
    session.mock.wait()
    done = session.notify()
    assert done.returncode == 1 and "cannot show a notification" in done.stderr
    session.mock = subprocess.Popen(["/usr/bin/python3", "-m", "dbusmock", "--session", "--template",
                                     "notification_daemon"], env=session.environment, stdout=subprocess.DEVNULL)
    wait_for(session.is_shown_by_somebody, "the notifications")
    assert session.shows() == 1
