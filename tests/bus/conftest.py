"""The world of tests/programs, and a system bus of its own with the agent, the real polkitd, and stand-ins for what watches
the machine's surroundings."""
import importlib.util
import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "programs"))

# Under a name of its own, as this file is called the same. All is run in mount and process namespaces of its own.
spec = importlib.util.spec_from_file_location("programs_conftest", HERE.parent / "programs/conftest.py")
sys.modules["programs_conftest"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["programs_conftest"])
from programs_conftest import *  # noqa: E402,F401,F403
from programs_conftest import INSIDE, NEEDS_ROOT  # noqa: E402

import support  # noqa: E402
from bus import Agent, SystemBus  # noqa: E402


@pytest.fixture(scope="session")
def system_bus(scratch):
    if not support.IS_ROOT:
        pytest.skip(NEEDS_ROOT)
    assert INSIDE in os.environ, "name this directory on pytest's command line"
    bus = SystemBus(scratch / "bus")
    yield bus
    bus.end()


@pytest.fixture
def agent(system_bus, device, work):
    agent = Agent(system_bus, device, work)
    yield agent
    agent.end()
