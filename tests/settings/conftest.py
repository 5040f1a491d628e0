"""The world of tests/bus, and a screen with nobody but the panel and a screen reader's interface on it."""
import importlib.util
import pathlib
import shutil
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "bus"))
sys.path.insert(0, str(HERE.parent / "programs"))

# Under a name of its own, as this file is called the same. All is run in mount and process namespaces of its own.
spec = importlib.util.spec_from_file_location("bus_conftest", HERE.parent / "bus/conftest.py")
sys.modules["bus_conftest"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["bus_conftest"])
from bus_conftest import *  # noqa: E402,F401,F403

import support  # noqa: E402
from desktop import Desktop, Panel  # noqa: E402
from states import ALLOW_ALL, States  # noqa: E402


@pytest.fixture(scope="session")
def desktop(system_bus, scratch):
    for program in ("Xvfb", "xdotool", "import"):
        if not shutil.which(program):
            pytest.skip(f"NOT TESTED: {program} is not there")
    if not (support.BUILD / "suture-settings").exists():
        pytest.skip("NOT TESTED: suture-settings was not built")
    desktop = Desktop(scratch / "desktop", system_bus)
    yield desktop
    desktop.end()


@pytest.fixture(scope="session")
def shown_shop(scratch, trees):
    """Whose fixes have all that a page can show."""
    return States.publish(scratch / "shown-shop", trees)


@pytest.fixture
def states(agent, device, work, shown_shop, system_bus):
    system_bus.allow(ALLOW_ALL)
    states = States(agent, device, work, shown_shop)
    yield states
    states.end()
    system_bus.forget()


@pytest.fixture
def panel(desktop):
    panel = Panel(desktop)
    yield panel
    panel.end()
