"""A click on a notification leads to the part of the panel that it is about; nobody has started the panel before."""
import pathlib
import subprocess

import pytest
from gi.repository import Gio, GLib

import support
from bus import wait_for

NAME, PATH, MOCK = "org.freedesktop.Notifications", "/org/freedesktop/Notifications", "org.freedesktop.DBus.Mock"


class Server:
    """Shows notifications, as far as their sender can tell."""

    def __init__(self, desktop):
        self.desktop = desktop
        self.process = desktop.spawn("/usr/bin/python3", "-m", "dbusmock", "--session", "--template", "notification_daemon",
                                     "--parameters", '{"capabilities": "actions body"}', stdout=subprocess.DEVNULL)
        wait_for(lambda: desktop.has(NAME), "the notifications")
        self.connection = Gio.DBusConnection.new_for_address_sync(
            desktop.environment["DBUS_SESSION_BUS_ADDRESS"], Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT |
            Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)

    def call(self, method, signature, *arguments):
        return self.connection.call_sync(NAME, PATH, MOCK, method, GLib.Variant(signature, arguments), None, 0, -1, None).unpack()

    def shown(self):
        return [arguments for _, arguments in self.call("GetMethodCalls", "(s)", "Notify")[0]]

    def tell(self, signal, signature, *arguments):
        self.call("EmitSignal", "(sssav)", NAME, signal, signature, [GLib.Variant(kind, value) for kind, value in
                                                                     zip(signature, arguments)])

    def end(self):
        self.connection.close_sync(None)
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server_of_notifications(desktop):
    server = Server(desktop)
    yield server
    server.end()
    desktop.run("gdbus", "call", "--session", "--dest", "org.suture.Settings", "--object-path", "/org/suture/Settings",
                "--method", "org.freedesktop.Application.ActivateAction", "close", "[]", "{}")
    wait_for(lambda: not desktop.has("org.suture.Settings"), "the panel's end")
    (desktop.path / "runtime/suture/shown").unlink()


@pytest.fixture
def login_messages():
    """/run/motd.d of our own, in this mount namespace only."""
    support.run("mount", "-t", "tmpfs", "tmpfs", "/run")
    path = pathlib.Path("/run/motd.d")
    path.mkdir()
    yield path
    support.run("umount", "--lazy", "/run")


@pytest.fixture
def notify(desktop):
    process = desktop.spawn(support.BUILD / "suture", "notify")
    yield process
    process.kill()
    process.wait()


def test_a_click_shows_what_it_is_about(states, server_of_notifications, desktop, panel, request):
    server = server_of_notifications
    states.recalled().start()
    wait_for(lambda: states.agent.get("Attention"), "that somebody is needed")
    notify = request.getfixturevalue("notify")
    wait_for(server.shown, "the notification")
    assert notify.poll() is None, "it waits for a click"
    assert server.shown()[0][5] == ["default", "Show"]
    server.tell("ActionInvoked", "us", 1, "another")
    server.tell("ActionInvoked", "us", 7, "default")
    assert not desktop.has("org.suture.Settings"), "that was not its own"
    server.tell("ActionInvoked", "us", 1, "default")
    panel.await_window().await_text("Needs You")
    wait_for(lambda: panel.focused() and "recalled" in panel.focused(), "the focus on what was recalled")
    server.tell("NotificationClosed", "uu", 1, 2)
    assert notify.wait(timeout=30) == 0


def test_what_is_new_meanwhile_is_shown_too(states, server_of_notifications, desktop, panel, login_messages, request):
    """The path unit sleeps as long as this waits; and each click counts once, however often it has looked."""
    server = server_of_notifications
    states.recalled().start()
    wait_for(lambda: states.agent.get("Attention"), "that somebody is needed")
    notify = request.getfixturevalue("notify")
    wait_for(server.shown, "the notification")
    for reason in ("it breaks sight", "it breaks smell"):
        states.shop("recall", "--level", "b", "--reason", reason)
        states.device("check")
        wait_for(lambda: any(reason in message for _, message in states.agent.get("Attention")), "the other reason")
        (login_messages / "suture").write_text(reason)
        wait_for(lambda: any(reason in shown[4] for shown in server.shown()), f"that '{reason}' is shown")
    assert len(server.shown()) == 3 and notify.poll() is None
    server.tell("ActionInvoked", "us", 3, "default")
    panel.await_window().await_text("it breaks smell")
    for number in (1, 2):
        server.tell("NotificationClosed", "uu", number, 2)
    assert notify.poll() is None, "one is shown still"
    server.tell("NotificationClosed", "uu", 3, 2)
    assert notify.wait(timeout=30) == 0
