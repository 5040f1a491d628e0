"""suture-delta by itself: what it does with files, links, directories and interruptions."""
import os
import random
import signal
import subprocess
import time

import pytest

import support

TOOL = support.BUILD / "suture-delta"


@pytest.fixture
def files(tmp_path):
    noise = random.Random(1).randbytes(40000)
    (tmp_path / "old").write_bytes(noise)
    (tmp_path / "new").write_bytes(noise[:20000] + b"fixed" + noise[20000:])
    return tmp_path


def tool(*arguments, **options):
    return support.run(TOOL, *arguments, check=False, **options)


def test_there_and_back(files):
    assert tool("make", files / "old", files / "new", files / "patch").returncode == 0
    assert tool("apply", files / "old", files / "patch", files / "made").returncode == 0
    assert (files / "made").read_bytes() == (files / "new").read_bytes()
    assert (files / "patch").stat().st_size < 120
    assert "parts" in tool("info", files / "old", files / "patch").stdout


def test_a_link_that_is_named_is_followed(files):
    (files / "link").symlink_to("old")
    assert tool("make", files / "link", files / "new", files / "patch").returncode == 0
    assert (files / "patch").stat().st_size < 120


def test_many_files_of_a_directory(files):
    (files / "tree").mkdir()
    for i in range(1500):
        (files / "tree" / f"{i:04}").write_bytes(f"file {i} of many\n".encode() * 3)
    everything = b"".join(path.read_bytes() for path in sorted((files / "tree").iterdir()))
    (files / "new").write_bytes(everything)
    assert tool("make", files / "tree", files / "new", files / "patch").returncode == 0
    assert tool("apply", files / "tree", files / "patch", files / "made").returncode == 0
    assert (files / "made").read_bytes() == everything


def test_another_old_file_is_refused_and_nothing_is_left(files):
    tool("make", files / "old", files / "new", files / "patch")
    (files / "old").write_bytes((files / "old").read_bytes()[::-1])
    before = sorted(os.listdir(files))
    refused = tool("apply", files / "old", files / "patch", files / "made")
    assert refused.returncode == 31 and "is not the file the delta expects" in refused.stderr
    assert sorted(os.listdir(files)) == before


def test_what_cannot_be_used_is_said(files):
    assert tool("make", files / "old", files / "new", "-").returncode == 2
    assert tool("make", files / "old", "/dev/null", files / "patch").returncode == 2
    assert tool("make").returncode == 2
    assert tool("unmake", "a", "b").returncode == 2
    assert not (files / "patch").exists()


def test_the_target_may_go_to_standard_output(files):
    tool("make", files / "old", files / "new", files / "patch")
    made = subprocess.run([TOOL, "apply", files / "old", files / "patch", "-"], stdout=subprocess.PIPE, check=True)
    assert made.stdout == (files / "new").read_bytes()


def test_interrupted_it_leaves_nothing(files):
    (files / "old").write_bytes(random.Random(2).randbytes(12_000_000))
    (files / "new").write_bytes(random.Random(3).randbytes(12_000_000))
    before = sorted(os.listdir(files))
    process = subprocess.Popen([TOOL, "make", files / "old", files / "new", files / "patch"], stderr=subprocess.DEVNULL)
    for _ in range(500):
        if sorted(os.listdir(files)) != before:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 42
    assert sorted(os.listdir(files)) == before
