"""The page in a browser: Debian's Chromium before the real cockpit-ws and cockpit-bridge."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time

import support

HERE = pathlib.Path(__file__).resolve().parent
WS, BRIDGE = "/usr/lib/cockpit/cockpit-ws", "/usr/bin/cockpit-bridge"
# A language that is written from right to left, as a translation into it would say.
HEBREW = """cockpit.locale({"": {"plural-forms": n => Number(n != 1), "language": "he", "language-direction": "rtl"},
"Installed": [null, "מותקן"], "History": [null, "היסטוריה"], "Check now": [null, "בדיקה כעת"]});
"""


def find_missing():
    """Why the page cannot be tested here; None: it can."""
    for program in ("chromium", BRIDGE, WS):
        if not shutil.which(program):
            return f"{program} is not installed"
    return None


def installed_files():
    """What `meson install` puts beside Cockpit's own pages: path in the build or the source, and name."""
    build = support.BUILD.parent if support.BUILD.name == "src" else support.BUILD
    done = support.run("meson", "introspect", "--installed", build)
    return {pathlib.Path(path): pathlib.Path(target).name for path, target in json.loads(done.stdout).items()
            if "/cockpit/suture/" in target}


class Plugin:
    """A data directory with the page alone, as it is installed."""

    def __init__(self, path):
        self.data = path
        page = path / "cockpit/suture"
        page.mkdir(parents=True)
        for source, name in installed_files().items():
            if source.exists():
                shutil.copy(source, page / name)
        (page / "po.he.js").write_text(HEBREW)
        self.has_german = (page / "po.de.js").exists()


class Cockpit:
    """One session, whose user is who runs cockpit-ws."""

    def __init__(self, bus, plugin, home, uid=0):
        home.mkdir()
        os.chown(home, uid, uid)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        environment = {**bus.environment, "XDG_DATA_DIRS": f"{plugin.data}:/usr/share", "HOME": str(home),
                       "XDG_RUNTIME_DIR": str(home), "XDG_CONFIG_DIRS": str(home)}
        user = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if uid else []
        self.log = open(home / "cockpit.log", "w+")
        self.process = subprocess.Popen([*user, WS, "--no-tls", "--address", "127.0.0.1", "--port", str(self.port),
                                         f"--local-session={BRIDGE}"], env=environment, stdout=self.log, stderr=self.log)
        self.url = f"http://127.0.0.1:{self.port}/cockpit/@localhost/suture/index.html"
        self.wait()

    def wait(self):
        end = time.monotonic() + 15
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        self.log.seek(0)
        raise AssertionError(f"cockpit-ws does not answer: {self.log.read()}")

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=10)
        self.log.close()


class Failed(Exception):
    pass


class Browser:
    def __init__(self, directory):
        self.process = subprocess.Popen(["node", directory / "driver.js", shutil.which("chromium")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def do(self, name, **options):
        self.process.stdin.write(json.dumps({"do": name, **options}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the browser has ended"}
        if "error" in answer:
            raise Failed(f"{name} {options}: {answer['error']}")
        return answer.get("result")

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)


class Page:
    """The page, as somebody before it has it."""

    def __init__(self, browser, url, language=None, **options):
        self.browser = browser
        cookies = [{"name": "CockpitLang", "value": language}] if language else []
        browser.do("open", url=url, cookies=cookies, **options)
        self.wait("document.querySelector('main') && document.getElementById('connecting').hidden", "the first answer")

    def evaluate(self, code):
        return self.browser.do("evaluate", code=code)

    def wait(self, code, why):
        try:
            self.browser.do("wait", code=code)
        except Failed as failure:
            state = self.evaluate("document.body.innerText")
            raise AssertionError(f"waited in vain for {why}: {failure}\n{state}") from failure

    def click(self, element, force=False):
        """By force also what cannot be pressed now."""
        self.browser.do("click", selector=f"#{element}", force=force)

    def press(self, *keys):
        for key in keys:
            self.browser.do("press", key=key)

    def choose(self, element, value):
        self.browser.do("select", selector=f"#{element}", value=value)

    def text(self, element):
        return self.evaluate(f"document.getElementById({element!r}).innerText").strip()

    def is_shown(self, element):
        return self.evaluate(f"document.getElementById({element!r}).checkVisibility()")

    def is_enabled(self, element):
        return self.evaluate(f"document.getElementById({element!r}).ariaDisabled !== 'true'")

    def focused(self):
        return self.evaluate("document.activeElement.id")

    def wait_shown(self, element, shown=True):
        self.wait(f"document.getElementById({element!r}).checkVisibility() === {json.dumps(shown)}",
                  f"#{element} to be {'shown' if shown else 'hidden'}")

    def wait_text(self, element, text):
        self.wait(f"document.getElementById({element!r}).innerText.includes({json.dumps(text)})", f"'{text}' in #{element}")

    def aria(self, selector="main"):
        return self.browser.do("aria", selector=selector)

    def complaints(self):
        return self.browser.do("complaints")

    def screenshot(self, path):
        """All of it; of a dialog, what the window shows."""
        self.browser.do("screenshot", path=str(path), fullPage=not self.is_shown("remove-dialog"))
