"""One world for all tests: the trees and the published levels are made once, devices are made for each test."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

import support
import web

INSIDE = "SUTURE_TEST_NAMESPACES"
NEEDS_ROOT = "NOT TESTED: mounting needs root"


def pytest_report_header():
    if not support.IS_ROOT:
        return "WARNING: not root: every test of a device is skipped"
    return f"programs: {support.BUILD}"


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Run all of it again in mount and process namespaces of its own: nothing that is mounted is seen outside, and
    nothing that runs outside is looked into."""
    for program in ("suture", "suture-publish"):
        if not (support.BUILD / program).exists():
            raise pytest.UsageError(f"{support.BUILD / program} is not built; SUTURE_BUILD names the build directory")
    if not support.IS_ROOT or INSIDE in os.environ:
        return None
    config.pluginmanager.getplugin("capturemanager").stop_global_capturing()
    return subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc",
         sys.executable, *(["-B"] if sys.dont_write_bytecode else []), "-m", "pytest",
         *config.invocation_params.args], cwd=config.invocation_params.dir, env={**os.environ, INSIDE: "1"}).returncode


@pytest.fixture(scope="session", autouse=True)
def shared_memory():
    """Of our own: libfaketime names its piece by the process, and processes of other namespaces have the same numbers."""
    if INSIDE in os.environ:
        support.run("mount", "-t", "tmpfs", "tmpfs", "/dev/shm")


@pytest.fixture(scope="session")
def scratch():
    # A real file system, as devices have: /tmp may be a tmpfs. Readable for other users.
    path = pathlib.Path(tempfile.mkdtemp(prefix="suture-programs.", dir="/var/tmp"))
    path.chmod(0o755)
    yield path
    support.unmount_below(path)
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def trees(scratch):
    path = scratch / "trees"
    support.make_baseline(path / "baseline")
    for level in "ab":
        support.make_fixed(path / f"fixed-{level}", level)
    return path


@pytest.fixture(scope="session")
def shop(scratch, trees):
    """A publisher whose repository holds level (a); `public` is only read."""
    return support.Publisher(scratch / "shop", trees).start().release("a")


@pytest.fixture(scope="session")
def next_shop(scratch, shop, trees):
    """The same publisher, later: (a) and (b)."""
    path = scratch / "next-shop"
    shutil.copytree(shop.path, path)
    return support.Publisher(path, trees).release("b")


@pytest.fixture
def work(scratch):
    path = pathlib.Path(tempfile.mkdtemp(prefix="test.", dir=scratch))
    path.chmod(0o755)
    yield path
    support.unmount_below(path)
    shutil.rmtree(path)


@pytest.fixture
def server(shop):
    server = web.Server(shop.public)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def installed_catalogs():
    """The translations are where the programs look for them, in this mount namespace only."""
    if not support.IS_ROOT:
        pytest.skip(NEEDS_ROOT)
    assert INSIDE in os.environ, "name this directory on pytest's command line"
    build = support.BUILD.parent
    if not (build / "po/de/LC_MESSAGES/suture.mo").exists():
        pytest.skip("NOT TESTED: built without gettext")
    options = {o["name"]: o["value"] for o in json.loads((build / "meson-info/intro-buildoptions.json").read_text())}
    place = pathlib.Path(options["prefix"], options["localedir"])
    covered = next(path for path in (place, *place.parents) if path.is_dir())
    support.run("mount", "-t", "tmpfs", "tmpfs", covered)
    shutil.copytree(build / "po/de", place / "de")
    yield place
    support.run("umount", "--lazy", covered)


@pytest.fixture
def catalogs(scratch, installed_catalogs):
    """The environment of somebody who reads German. The locale is German by its name alone: which ones are installed does
    not matter."""
    locales = scratch / "locales"
    locales.mkdir(exist_ok=True)
    if not (locales / "de_DE.utf8").exists():
        (locales / "de_DE.utf8").symlink_to("/usr/lib/locale/C.utf8")
    # glibc keeps what it makes of LOCPATH, and forgets where.
    support.write(scratch / "suppressions", "leak:argz_add_sep\n")
    return {"LOCPATH": str(locales), "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "",
            "LSAN_OPTIONS": f"suppressions={scratch}/suppressions:print_suppressions=0"}


@pytest.fixture
def own_shop(work, shop):
    """A copy of the publisher that the test may damage."""
    shutil.copytree(shop.path, work / "shop")
    return support.Publisher(work / "shop", shop.trees)


@pytest.fixture
def device(work, shop, server):
    if not support.IS_ROOT:
        pytest.skip(NEEDS_ROOT)
    assert INSIDE in os.environ, "name this directory on pytest's command line"
    support.run("cp", "-a", shop.trees / "baseline", work / "device")
    return support.Device(work / "device", server.url).trust(shop)
