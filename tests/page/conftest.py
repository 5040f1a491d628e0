"""The world of tests/bus, and the page before it: a browser for all tests, a session of Cockpit's for each."""
import importlib.util
import json
import pathlib
import subprocess
import sys

import pytest

PAGE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(PAGE.parent / "bus"))

# Under a name of its own, as this file is called the same.
spec = importlib.util.spec_from_file_location("bus_conftest", PAGE.parent / "bus/conftest.py")
sys.modules["bus_conftest"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["bus_conftest"])
from bus_conftest import *  # noqa: E402,F401,F403

import cockpit  # noqa: E402
import support  # noqa: E402
from bus import Agent  # noqa: E402


@pytest.fixture(scope="session")
def browser():
    missing = cockpit.find_missing()
    if missing:
        pytest.skip(f"NOT TESTED: {missing}")
    done = subprocess.run([PAGE / "browser/install.sh"], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        pytest.skip(f"NOT TESTED: playwright-core cannot be had: {done.stderr.strip()}")
    browser = cockpit.Browser(pathlib.Path(done.stdout.strip()))
    yield browser
    browser.end()


@pytest.fixture(scope="session")
def plugin(scratch):
    return cockpit.Plugin(scratch / "data")


@pytest.fixture(scope="session")
def shop(scratch, trees):
    """As that of tests/programs, with fixes as people know them: severities, advisories, long names."""
    publisher = support.Publisher(scratch / "shop", trees).start()
    support.write(scratch / "fixes", "[CVE-2030-0001]\nImpact=Whoever sends a crafted certificate may run code.\n")
    publisher("build", "--tree", trees / "baseline", "--fixed", trees / "fixed-a", "--component", "openssl",
              "--old-version", "3.0.20-1~deb12u1", "--new-version", "3.0.22-1~deb12u1", "--cve", "CVE-2030-0001:critical",
              "--cve", "CVE-2030-0002:moderate", "--cve", "CVE-2030-0003:low", "--cve", "CVE-2030-0004",
              "--advisory", "https://advisories.example/{id}.html", "--fixes", scratch / "fixes")
    publisher("release")
    return publisher


@pytest.fixture(scope="session")
def next_shop(scratch, shop, trees):
    path = scratch / "next-shop"
    support.run("cp", "-a", shop.path, path)
    publisher = support.Publisher(path, trees)
    publisher("build", "--tree", trees / "baseline", "--fixed", trees / "fixed-b", "--component", "webkitgtk",
              "--old-version", "2.48.1", "--new-version", "2.48.3", "--cve", "CVE-2030-0101:high")
    publisher("release")
    return publisher


@pytest.fixture
def agent(system_bus, device, work):
    """It runs already."""
    agent = Agent(system_bus, device, work).start()
    yield agent
    agent.end()


@pytest.fixture
def visit(browser, plugin, system_bus, work):
    """Open the page, as root or as somebody else. What the browser complains of at any time fails the test."""
    sessions, complaints = {}, []

    def go(uid=0, **options):
        if sessions:
            complaints.extend(browser.do("complaints"))
        if uid not in sessions:
            sessions[uid] = cockpit.Cockpit(system_bus, plugin, work / f"home-{uid}", uid)
        return cockpit.Page(browser, sessions[uid].url, **options)

    yield go
    if sessions:
        complaints += browser.do("complaints")
    browser.do("close")
    for session in sessions.values():
        session.end()
    assert not complaints


@pytest.fixture
def old_program(device):
    """A process that runs the code of the baseline."""
    process = subprocess.Popen(["chroot", device.path, "/usr/bin/answer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def pretend(agent, work):
    """Have the agent told another status than the device's (None: that one), and note what it runs in `asked`."""
    program = agent.program.read_text()

    def go(status):
        (work / "status").write_text(json.dumps({"result": status}) + "\n")
        answer = f'case " $* " in *" status "*) exec cat "{work}/status" >&3 ;; esac\n' if status else ""
        agent.program.write_text(program.replace("#!/bin/sh\n", f'#!/bin/sh\necho "$@" >>"{work}/asked"\n{answer}'))
    yield go
    agent.program.write_text(program)


class Hold:
    """Lets `suture` wait within an installation, after it has told how far it is."""

    def __init__(self, agent, work):
        self.go, program = work / "go", agent.program
        program.write_text(program.read_text().replace("#!/bin/sh\n", f'''#!/bin/sh
case " $* " in
*" install "*)
        echo '{{"progress": {{"step": "download", "done": 37, "total": 100}}}}' >&3
        while [ ! -e "{self.go}" ]; do sleep 0.05; done ;;
esac
'''))

    def release(self):
        self.go.touch()


@pytest.fixture
def hold(agent, work):
    hold = Hold(agent, work)
    yield hold
    hold.release()
