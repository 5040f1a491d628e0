"""The world of tests/programs, a device on a disk of its own, and the tally of what was tried."""
import importlib.util
import os
import pathlib
import shutil
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "programs"))
import support  # noqa: E402

# Under a name of its own, as this file is called the same. All is run in mount and process namespaces of its own.
spec = importlib.util.spec_from_file_location("programs_conftest", HERE.parent / "programs/conftest.py")
sys.modules["programs_conftest"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["programs_conftest"])
from programs_conftest import *  # noqa: E402,F401,F403
from programs_conftest import INSIDE, NEEDS_ROOT  # noqa: E402

import report  # noqa: E402
import striking  # noqa: E402


def pytest_report_header():
    return f"faults: {support.BUILD}, {'all points' if striking.FULL else 'a sample'}, SUTURE_SEED={striking.SEED}"


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        os.environ["SUTURE_FAULTS_TALLY"] = tempfile.mkdtemp(prefix="suture-faults.")


def pytest_terminal_summary(terminalreporter, exitstatus):
    tallies = report.read(os.environ["SUTURE_FAULTS_TALLY"])
    terminalreporter.write_line(report.summary(tallies))
    if striking.FULL and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        report.write(tallies)


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop("SUTURE_FAULTS_TALLY"), ignore_errors=True)


@pytest.fixture(scope="session")
def shops(scratch, shop, next_shop):
    """The publisher at four times: with (a); with (b), too; with (b) recalled; with both recalled."""
    recalled, recalled_all = (support.Publisher(scratch / name, shop.trees) for name in ("recalled", "recalled-all"))
    shutil.copytree(next_shop.path, recalled.path)
    recalled("recall", "--level", "b", "--reason", "it breaks sound")
    shutil.copytree(recalled.path, recalled_all.path)
    recalled_all("recall", "--level", "a", "--reason", "it breaks all")
    return {"first": shop, "next": next_shop, "recalled": recalled, "recalled-all": recalled_all}


@pytest.fixture(scope="session")
def bench(scratch, trees, shops):
    if not support.IS_ROOT:
        pytest.skip(NEEDS_ROOT)
    assert INSIDE in os.environ, "name this directory on pytest's command line"
    bench = striking.Bench(scratch, trees, shops)
    yield bench
    bench.disk.end()
