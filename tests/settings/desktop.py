"""A screen (Xvfb), a session bus and the accessibility bus of somebody who is not root; the panel on it, read and used as
a screen reader does (AT-SPI)."""
import os
import shutil
import signal
import subprocess

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi  # noqa: E402

import support  # noqa: E402
from bus import wait_for  # noqa: E402

LAUNCHER = "/usr/libexec/at-spi-bus-launcher"
AS_NOBODY = ["setpriv", f"--reuid={support.NOBODY}", f"--regid={support.NOBODY}", "--clear-groups"]
SESSION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <servicedir>{services}</servicedir>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


class Desktop:
    def __init__(self, path, system_bus, size="1000x1400"):
        self.path, self.processes = path, []
        path.mkdir()
        for name in ("home", "runtime", "services"):
            (path / name).mkdir(mode=0o700)
        for place in (path, *path.iterdir()):
            shutil.chown(place, support.NOBODY, support.NOBODY)
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(path / "home"), "XDG_RUNTIME_DIR": str(path / "runtime"),
            "DBUS_SYSTEM_BUS_ADDRESS": system_bus.address, "GSK_RENDERER": "cairo", "GDK_DEBUG": "gl-disable",
            "GDK_BACKEND": "x11", "NO_AT_BRIDGE": "0", "GTK_A11Y": "atspi", "LC_ALL": "C.UTF-8", "TZ": "UTC",
            "GSETTINGS_BACKEND": "memory", **support.SANITIZERS,
        }
        self.start_screen(size)
        self.start_session()

    def start_screen(self, size):
        """The kernel's own namespace of sockets is not ours alone: the server itself finds a display that is free."""
        read, write = os.pipe()
        self.spawn("Xvfb", "-displayfd", write, "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset", pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as display:
            self.environment["DISPLAY"] = f":{display.readline().strip()}"

    def start_session(self):
        socket = self.path / "runtime/bus"
        config = self.path / "session.conf"
        config.write_text(SESSION.format(socket=socket, services=self.path / "services"))
        (self.path / "services/org.suture.Settings.service").write_text(
            f"[D-BUS Service]\nName=org.suture.Settings\nExec={support.BUILD}/suture-settings --gapplication-service\n")
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = os.environ["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={socket}"
        self.spawn("dbus-daemon", "--config-file", config, "--nofork", "--nopidfile", "--nosyslog")
        wait_for(socket.exists, "the session bus")
        self.spawn(LAUNCHER, "--launch-immediately", "--a11y=1")
        wait_for(lambda: self.has("org.a11y.Bus"), "the accessibility bus")
        Atspi.init()

    def spawn(self, *argv, environment=None, **options):
        process = subprocess.Popen([*AS_NOBODY, *(str(a) for a in argv)], env={**self.environment, **(environment or {})},
                                   **options)
        self.processes.append(process)
        return process

    def run(self, *argv, text=True):
        return subprocess.run([*AS_NOBODY, *(str(a) for a in argv)], env=self.environment, capture_output=True, text=text,
                              timeout=30)

    def locale(self, language):
        """A locale of this desktop's own, for the environment of a program."""
        name = {"de": "de_DE", "ar": "ar_EG"}[language]
        place = self.path / "locales"
        if not (place / f"{name}.UTF-8").exists():
            place.mkdir(exist_ok=True)
            support.run("localedef", "-i", name, "-f", "UTF-8", place / f"{name}.UTF-8", check=False)
        return {"LOCPATH": str(place), "LC_ALL": f"{name}.UTF-8", "LANGUAGE": language}

    def has(self, name):
        done = self.run("busctl", "--user", f"--address={self.environment['DBUS_SESSION_BUS_ADDRESS']}", "call",
                        "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner", "s", name)
        return done.stdout.strip() == "b true"

    def end(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()


class Panel:
    """suture-settings, and what a screen reader sees of it."""

    def __init__(self, desktop):
        self.desktop, self.process, self.window = desktop, None, None

    def open(self, *arguments, size=(760, 900), **environment):
        self.log = (self.desktop.path / "panel.log").open("w+")
        self.process = self.desktop.spawn(support.BUILD / "suture-settings", *arguments, environment=environment,
                                          stdout=self.log, stderr=self.log)
        self.root = wait_for(self.find_root, "the panel's window")
        if size:
            self.resize(*size)
        return self

    def await_window(self):
        """Of a panel that somebody else started."""
        self.root = wait_for(self.find_root, "the panel's window")
        return self

    def find_root(self):
        assert self.process is None or self.process.poll() is None, self.said()
        screen = Atspi.get_desktop(0)
        screen.clear_cache()
        for i in range(screen.get_child_count()):
            child = screen.get_child_at_index(i)
            if child and child.get_name() == "suture-settings" and child.get_child_count() > 0:
                return child
        return None

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def resize(self, width, height):
        """There is no window manager."""
        window = wait_for(lambda: self.desktop.run("xdotool", "search", "--onlyvisible", "--name", ".").stdout.split(),
                          "the window")[-1]
        self.desktop.run("xdotool", "windowmove", window, 0, 0, "windowsize", "--sync", window, width, height, "windowfocus",
                         window)
        self.window = window

    def key(self, *keys):
        self.desktop.run("xdotool", "key", "--delay", "40", *keys)
        return self

    def focus(self, name):
        """By Tab, as often as it takes."""
        for _ in range(40):
            button = self.button(name)
            if button.get_state_set().contains(Atspi.StateType.FOCUSED):
                return self
            self.key("Tab")
        raise AssertionError(f"{name} cannot be reached by Tab")

    def focus_row(self, title):
        """A row of a list, by Tab and Down."""
        row = wait_for(lambda: self.find("list item", title) or self.find("label", title), f"the row {title}")
        while row.get_role_name() != "list item":
            row = row.get_parent()
        for _ in range(20):
            if row.get_state_set().contains(Atspi.StateType.FOCUSED):
                return self
            self.key("Tab")
        raise AssertionError(f"{title} cannot be reached by Tab")

    def focused(self):
        """The name of who has the keyboard's focus."""
        return next((node.get_name() or node.get_role_name() for node in reversed(self.all())
                     if node.get_state_set().contains(Atspi.StateType.FOCUSED)), None)

    def all(self):
        """All that is there and not hidden, from above to below. (GTK 4.8 says of windows alone that they show.)"""
        self.root.clear_cache()
        todo, found = [self.root], []
        while todo:
            node = todo.pop()
            try:
                states = node.get_state_set()
                if node is not self.root and not states.contains(Atspi.StateType.VISIBLE):
                    continue
                found.append(node)
                todo.extend(node.get_child_at_index(i) for i in reversed(range(node.get_child_count())))
            except Exception:  # it went away while it was read
                continue
        return [node for node in found if node]

    def texts(self):
        texts = []
        for node in self.all():
            try:
                name = node.get_name()
            except Exception:
                continue
            if name:
                texts.append(name)
        return texts

    def text(self):
        return "\n".join(self.texts())

    def find(self, role, name=None):
        for node in self.all():
            try:
                # GTK 4.8 reads a button's label twice where that is a property.
                if node.get_role_name() == role and (name is None or node.get_name() in (name, f"{name} {name}")):
                    return node
            except Exception:
                continue
        return None

    def await_text(self, *wanted, seconds=30):
        def all_there():
            there = self.text()
            return all(text in there for text in wanted)
        try:
            wait_for(all_there, wanted, seconds)
        except AssertionError:
            raise AssertionError(f"{wanted} is not in:\n{self.text()}\n{self.said()}") from None
        return self

    def await_gone(self, text):
        wait_for(lambda: text not in self.text(), f"that '{text}' goes away")
        return self

    def button(self, name):
        return wait_for(lambda: self.find("push button", name), f"the button {name}; there is:\n{self.text()}")

    def press(self, name):
        button = self.button(name)
        wait_for(lambda: self.can(button), f"that {name} can be pressed")
        assert Atspi.Action.do_action(button, 0)
        return self

    def switch(self):
        return wait_for(lambda: self.find("check box"), "the switch")

    def toggle(self):
        assert Atspi.Action.do_action(self.switch(), 0)

    def is_on(self):
        return self.switch().get_state_set().contains(Atspi.StateType.CHECKED)

    def can(self, node):
        return node.get_state_set().contains(Atspi.StateType.SENSITIVE)

    def left(self, node):
        return Atspi.Component.get_extents(node, Atspi.CoordType.WINDOW).x

    def shoot(self, path):
        """The window as it is, with as few colours as it has need of."""
        done = self.desktop.run("import", "-window", self.window, "-strip", "+dither", "-colors", "96", "-depth", "8",
                                "-define", "png:compression-level=9", "png:-", text=False)
        path.write_bytes(done.stdout)

    def shoot_screen(self, path, width, height):
        """With what lies over the window, in its middle as a window manager would put it."""
        windows = self.desktop.run("xdotool", "search", "--onlyvisible", "--name", ".").stdout.split()
        self.desktop.run("xdotool", "windowmove", "--sync", next(w for w in reversed(windows) if w != self.window),
                         width // 4, height // 4)
        done = self.desktop.run("import", "-window", "root", "-crop", f"{width}x{height}+0+0", "+repage", "-strip", "+dither", "-colors",
                                "96", "-depth", "8", "-define", "png:compression-level=9", "png:-", text=False)
        path.write_bytes(done.stdout)

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)
        said = self.said() if self.process else ""
        assert "CRITICAL" not in said and "WARNING" not in said and "Sanitizer" not in said, said
