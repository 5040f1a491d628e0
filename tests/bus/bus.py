"""A system bus that nobody else sees, and the agent on it."""
import json
import os
import shutil
import signal
import subprocess
import time

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

import support  # noqa: E402

DATA = support.SOURCE / "data"
NAME, PATH, MANAGER, JOB = "org.suture1", "/org/suture1", "org.suture1.Manager", "org.suture1.Job"
POLKITD = "/usr/lib/polkit-1/polkitd"

# Mocks may have any name, as they would by their own policy files.
CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <servicehelper>{launcher}</servicehelper>
  <servicedir>{services}</servicedir>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
    <allow own="org.freedesktop.NetworkManager"/>
    <allow own="org.freedesktop.UPower"/>
    <allow own="org.freedesktop.login1"/>
    <allow send_destination="org.freedesktop.NetworkManager"/>
    <allow send_destination="org.freedesktop.UPower"/>
    <allow send_destination="org.freedesktop.login1"/>
  </policy>
  <include>/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf</include>
  <include>{policy}</include>
</busconfig>
"""


def wait_for(what, why, seconds=30):
    end = time.monotonic() + seconds
    while True:
        got = what()
        if got:
            return got
        assert time.monotonic() < end, f"waited in vain: {why}"
        # Signals are taken while waiting.
        context = GLib.MainContext.default()
        while context.iteration(False):
            pass
        time.sleep(0.02)


class SystemBus:
    """dbus-daemon with the policy that is installed, and polkitd with the actions that are."""

    def __init__(self, path):
        self.path, self.processes = path, []
        path.mkdir()
        path.chmod(0o755)
        self.socket = path / "socket"
        config = path / "bus.conf"
        (path / "services").mkdir()
        config.write_text(CONFIG.format(socket=self.socket, launcher="/bin/false", services=path / "services",
                                        policy=DATA / "dbus-1/org.suture1.conf"))
        self.address = f"unix:path={self.socket}"
        self.environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": self.address}
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = self.address
        self.spawn("dbus-daemon", "--config-file", config, "--nofork", "--nopidfile", "--nosyslog")
        wait_for(self.socket.exists, "the bus")
        self.rules = path / "rules"
        self.start_polkit()

    def spawn(self, *argv, **options):
        process = subprocess.Popen([str(a) for a in argv], env=self.environment, **options)
        self.processes.append(process)
        return process

    def start_polkit(self):
        """In this mount namespace only: the actions are put where polkitd looks for them."""
        actions = self.path / "actions"
        shutil.copytree("/usr/share/polkit-1/actions", actions)
        shutil.copy(DATA / "polkit-1/org.suture1.policy", actions)
        support.run("mount", "--bind", actions, "/usr/share/polkit-1/actions")
        self.rules.mkdir()
        self.rules.chmod(0o755)
        support.run("mount", "--bind", self.rules, "/etc/polkit-1/rules.d")
        self.run_polkit()

    def run_polkit(self):
        self.polkit = self.spawn(POLKITD, "--no-debug", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: self.has("org.freedesktop.PolicyKit1"), "polkitd")

    def stop_polkit(self):
        self.stop(self.polkit)
        support.run("umount", "/etc/polkit-1/rules.d")
        support.run("umount", "/usr/share/polkit-1/actions")
        shutil.rmtree(self.rules)
        shutil.rmtree(self.path / "actions")

    def allow(self, text):
        """What polkit says to whoever is not root: a function's body."""
        self.forget()
        (self.rules / "10-test.rules").write_text(f"polkit.addRule(function(action, subject) {{ {text} }});\n")
        self.restart_polkit()

    def forget(self):
        for path in self.rules.iterdir():
            path.unlink()

    def restart_polkit(self):
        self.stop(self.polkit)
        self.run_polkit()

    def connect(self):
        return Gio.DBusConnection.new_for_address_sync(
            self.address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT |
            Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)

    def has(self, name):
        done = subprocess.run(["busctl", "--system", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus",
                               "org.freedesktop.DBus", "NameHasOwner", "s", name], env=self.environment,
                              capture_output=True, text=True)
        return done.stdout.strip() == "b true"

    def mock(self, *arguments):
        return self.spawn("/usr/bin/python3", "-m", "dbusmock", "--system", *arguments, stdout=subprocess.DEVNULL)

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)

    def end(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        support.run("umount", "/etc/polkit-1/rules.d", check=False)
        support.run("umount", "/usr/share/polkit-1/actions", check=False)


class Refused(Exception):
    def __init__(self, error):
        name = Gio.DBusError.get_remote_error(error)
        super().__init__(error.message)
        self.name, self.message = name, error.message.removeprefix(f"GDBus.Error:{name}: ")


class Agent:
    """sutured with a device of its own, and a connection to it as root."""

    def __init__(self, bus, device, work, idle=60):
        self.bus, self.device = bus, device
        self.program = work / "suture"
        # The device is a tree below another root.
        self.program.write_text(f'#!/bin/sh\nexec "{support.BUILD}/suture" --root="{device.path}" "$@"\n')
        self.program.chmod(0o755)
        device.state.mkdir(parents=True, exist_ok=True)
        # In this mount namespace only: the agent listens to what is written there.
        support.run("mount", "--bind", device.state.parent, "/var/lib")
        self.idle, self.process = idle, None
        self.connection = bus.connect()
        self.signals = []
        self.connection.signal_subscribe(NAME, None, None, None, None, 0, self.on_signal)

    def on_signal(self, connection, sender, path, interface, member, parameters):
        self.signals.append((path.removeprefix(PATH), member, parameters.unpack()))

    def start(self):
        self.process = self.bus.spawn(support.BUILD / "sutured", f"--idle={self.idle}", self.program)
        wait_for(lambda: self.process.poll() is not None or self.bus.has(NAME), "the agent")
        assert self.process.poll() is None
        return self

    def call(self, method, signature="()", *arguments, path=PATH, interface=MANAGER, connection=None, interactive=False):
        connection = connection or self.connection
        flags = Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION if interactive else Gio.DBusCallFlags.NONE
        try:
            return connection.call_sync(NAME, path, interface, method, GLib.Variant(signature, arguments), None, flags,
                                        60_000, None).unpack()
        except GLib.Error as error:
            raise Refused(error) from error

    def ask(self, method):
        """A method that answers with JSON."""
        return json.loads(self.call(method)[0])

    def get(self, name, path=PATH, interface=MANAGER):
        return self.call("Get", "(ss)", interface, name, path=path, interface="org.freedesktop.DBus.Properties")[0]

    def properties(self, path=PATH, interface=MANAGER):
        return self.call("GetAll", "(s)", interface, path=path, interface="org.freedesktop.DBus.Properties")[0]

    def begin(self, method, options=None, **more):
        """Start a job; its path."""
        if options is None:
            return self.call(method, **more)[0]
        return self.call(method, "(a{sv})", options, **more)[0]

    def finish(self, job):
        wait_for(lambda: self.get("State", job, JOB) != "running", f"the end of {job}")
        return self.properties(job, JOB)

    def do(self, method, options=None):
        return self.finish(self.begin(method, options))

    def end(self):
        self.connection.close_sync(None)
        if self.process and self.process.poll() is None:
            self.bus.stop(self.process)
        support.run("umount", "/var/lib")
        if self.process:
            assert self.process.returncode == 0, f"the agent ended with {self.process.returncode}"


class Mock:
    """A stand-in of dbusmock's: who watches the surroundings, and is what the test says."""
    OBJECT = "org.freedesktop.DBus.Mock"

    def __init__(self, bus, name, path, interface, template=None):
        self.bus, self.name, self.path, self.interface = bus, name, path, interface
        self.process = bus.mock(*(["--template", template] if template else [name, path, interface]))
        wait_for(lambda: bus.has(name), name)
        self.connection = bus.connect()

    def call(self, path, method, signature, *arguments):
        self.connection.call_sync(self.name, path, self.OBJECT, method, GLib.Variant(signature, arguments), None,
                                  Gio.DBusCallFlags.NONE, 10_000, None)

    def add(self, name, value):
        self.call(self.path, "AddProperty", "(ssv)", self.interface, name, value)
        return self

    def set(self, path=None, interface=None, **values):
        self.call(path or self.path, "UpdateProperties", "(sa{sv})", interface or self.interface, values)
        return self

    def end(self):
        self.connection.close_sync(None)
        self.bus.stop(self.process)


NM, UPOWER, LOGIND = ("org.freedesktop.NetworkManager", "org.freedesktop.UPower", "org.freedesktop.login1")
DISPLAY = {"path": "/org/freedesktop/UPower/devices/DisplayDevice", "interface": "org.freedesktop.UPower.Device"}


def network_manager(bus, metered):
    mock = Mock(bus, NM, "/org/freedesktop/NetworkManager", NM, "networkmanager")
    return mock.add("Metered", GLib.Variant("u", metered))


def upower(bus, on_battery, percentage):
    mock = Mock(bus, UPOWER, "/org/freedesktop/UPower", UPOWER, "upower")
    mock.set(OnBattery=GLib.Variant("b", on_battery))
    return mock.set(**DISPLAY, Percentage=GLib.Variant("d", percentage))


def logind(bus, idle):
    mock = Mock(bus, LOGIND, "/org/freedesktop/login1", "org.freedesktop.login1.Manager", "logind")
    return mock.set(IdleHint=GLib.Variant("b", idle))
