"""What a process of a normal user can do to the scan that root makes of it."""
import os
import pathlib
import subprocess
import sys

import pytest

import support

SERVER = pathlib.Path(__file__).with_name("fuse_server.py")
MAP = ("import mmap, os, sys; f = os.open(sys.argv[1], os.O_RDONLY); "
       "m = mmap.mmap(f, 8192, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC); print('mapped', flush=True); input()")
# As on a kernel before 6.11: the query for mappings is refused.
BY_TEXT = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=ioctl:error=ENOTTY"]


@pytest.fixture
def hostile_file(work, device):
    """A process that maps, as code, a file whose server never gives its bytes."""
    if not os.path.exists("/dev/fuse"):
        pytest.skip("NOT TESTED: there is no /dev/fuse")
    (work / "fuse").mkdir()
    server = subprocess.Popen([sys.executable, SERVER, work / "fuse", str(support.NOBODY)], stdout=subprocess.PIPE, text=True)
    if server.stdout.readline().strip() != "ready":
        pytest.skip("NOT TESTED: FUSE cannot be mounted here")
    user = subprocess.Popen([sys.executable, "-c", MAP, work / "fuse/file"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            text=True, user=support.NOBODY, group=support.NOBODY)
    assert user.stdout.readline().strip() == "mapped"
    yield user
    user.kill()
    user.wait()
    server.kill()
    server.wait()


@pytest.mark.parametrize("way", [[], BY_TEXT], ids=["by query", "by text"])
def test_a_file_whose_server_never_answers(way, device, hostile_file):
    assert device("check").status == 0
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    done = support.run(*way, *device.command("--json", "exposure"), timeout=30, env=environment)
    answer = support.Answer(done)
    assert answer.status == 0 and answer["unread"] > 0
    assert hostile_file.pid not in [process["pid"] for process in answer["exposed"]]
