"""Whatever happens to the program or to its directory, the next refresh finds something it can go on from.

The public suite leaves this out."""
import json
import os
import random
import signal
import subprocess
import time

import pytest

import simulator
import support
import tufclient

needs_root = pytest.mark.skipif(not support.IS_ROOT, reason="NOT TESTED: mounting needs root")


def change_something(repository, chance):
    """One of the things that an honest publisher does."""
    number = chance.randrange(10_000)
    repository.add_target("file", f"content {number}".encode() * chance.choice([1, 20_000]))
    what = chance.randrange(5)
    if what == 0:
        repository.release_root()
    if what == 1:
        repository.rotate("timestamp", "snapshot")
        repository.release_root()
    if what == 2:
        old, key = repository.signers["root"], simulator.Key()
        repository.set_keys("root", [key], signers=[*old, key])
        repository.release_root()
        repository.signers["root"] = [key]
    repository.release("A", "targets")


@pytest.mark.parametrize("verb", ["refresh", "download"])
def test_kills_at_random_moments(client, repository, verb):
    chance = random.Random(verb)
    repository.delegate("targets", "A", paths=["a/*"])
    repository.add_target("a/file", b"by A", role="A")
    repository.release("A", "targets")
    names = ["file", "a/file"] if verb == "download" else []
    client.run(verb, *names)
    began = time.monotonic()
    change_something(repository, chance)
    client.run(verb, *names)
    usual = time.monotonic() - began
    killed = 0
    for round_ in range(80):
        change_something(repository, chance)
        process = client.start(verb, *names)
        time.sleep(chance.uniform(0, 1.3 * usual))
        process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        client.check_directories()
        if round_ % 4 == 3:
            assert client.run(verb, *names) == 0, client.stderr
            assert client.bytes("root") == repository.files[repository.path("root")]
            assert client.bytes("targets") == repository.files[repository.path("targets")]
    assert killed > 20
    assert client.run(verb, *names) == 0, client.stderr


def is_traceable():
    return subprocess.run(["strace", "-f", "true"], capture_output=True).returncode == 0


def inject(client, work, call, how):
    """Run the next program under strace, which does `how` to a call."""
    client.wrapper = ["strace", "-f", "-qq", "-o", work / "trace", "-e", f"trace={call}", "-e", f"inject={call}:{how}"]


def test_a_kill_at_each_call_that_writes(client, repository, work):
    """strace ends the program at its first, second, third ... call of a kind."""
    if not is_traceable():
        pytest.skip("NOT TESTED: no process may be traced here")
    repository.delegate("targets", "A")
    repository.add_target("file", b"first", role="A")
    repository.release("A", "targets")
    assert client.download("file") == 0
    ended = 0
    for call in ("renameat", "renameat2", "rename", "fsync", "fdatasync", "unlinkat", "linkat", "openat", "write"):
        for nth in range(1, 60 if call == "openat" else 25):
            repository.add_target("file", f"{call} {nth}".encode(), role="A")
            if nth % 3 == 0:
                repository.rotate("timestamp", "snapshot")
                repository.release_root()
            repository.release("A", "targets")
            inject(client, work, call, f"signal=KILL:when={nth}")
            process = client.start("download", "file")
            process.communicate(timeout=30)
            client.wrapper = []
            client.check_directories()
            assert client.download("file") == 0, f"{call} {nth}: {client.stderr}"
            assert client.bytes("A") == repository.files[repository.path("A")]
            if process.returncode == 0:
                break  # there is no call with that number
            ended += 1
    assert ended > 10


@pytest.mark.parametrize("before", [None, b"before"], ids=["new", "replaced"])
@pytest.mark.parametrize("call", ["linkat", "renameat", "renameat2", "rename", "fsync"])
def test_a_kill_leaves_no_temporary_file_beside_the_targets(client, repository, work, call, before):
    if not is_traceable():
        pytest.skip("NOT TESTED: no process may be traced here")
    if before:
        repository.add_target("file", before)
        repository.release("targets")
        assert client.download("file") == 0
    repository.add_target("file", b"after")
    repository.release("targets")
    assert client.refresh() == 0
    for nth in range(1, 9):
        inject(client, work, call, f"signal=KILL:when={nth}")
        client.start("download", "file").communicate(timeout=30)
        client.wrapper = []
        client.check_directories()
        assert len(client.files()) <= 1, client.files()
    assert client.download("file") == 0
    assert client.contents() == [b"after"]


@pytest.mark.parametrize("call, error", [("fsync", "EIO"), ("renameat", "ENOSPC"), ("renameat2", "EIO"), ("write", "ENOSPC"),
                                         ("linkat", "EMLINK"), ("unlinkat", "EIO"), ("openat", "EMFILE")])
def test_calls_that_fail(client, repository, work, call, error):
    if not is_traceable():
        pytest.skip("NOT TESTED: no process may be traced here")
    repository.add_target("file", b"first")
    repository.release("targets")
    assert client.download("file") == 0
    chance = random.Random(7)
    repository.delegate("targets", "A")
    for nth in range(1, 12):
        repository.rotate("timestamp", "snapshot")
        repository.release_root()
        change_something(repository, chance)
        inject(client, work, call, f"error={error}:when={nth}+")
        process = client.start("download", "file")
        _, stderr = process.communicate(timeout=30)
        client.wrapper = []
        # Before main() the loader ends with 127; later there are 0 and 1 only.
        assert process.returncode in (0, 1, 127) and b"Sanitizer" not in stderr, stderr
        client.check_directories()
        assert client.download("file") == 0, f"{call} {nth}: {client.stderr}"


@needs_root
def test_a_directory_that_cannot_be_written(client, server, repository):
    assert client.refresh() == 0
    before = {path.name: path.read_bytes() for path in client.metadata.iterdir()}
    repository.release_root()
    repository.release("targets")
    client.wrapper = ["unshare", "--mount", "sh", "-c",
                      f"mount --bind {client.metadata} {client.metadata} && "
                      f"mount -o remount,bind,ro {client.metadata} && exec \"$@\"", "sh"]
    assert client.refresh() == 1
    assert {path.name: path.read_bytes() for path in client.metadata.iterdir()} == before
    client.wrapper = []
    assert client.refresh() == 0
    assert client.versions() == (2, 2, 2, 2)


@needs_root
def test_a_target_directory_that_cannot_be_written(client, repository):
    repository.add_target("file", b"data")
    repository.release("targets")
    client.wrapper = ["unshare", "--mount", "sh", "-c",
                      f"mount --bind {client.targets} {client.targets} && mount -o remount,bind,ro {client.targets} && exec \"$@\"", "sh"]
    assert client.download("file") == 1
    assert client.contents() == []
    client.wrapper = []
    assert client.download("file") == 0


@needs_root
@pytest.mark.parametrize("pages", [1, 2, 3, 4, 5, 6, 8])
def test_a_full_disk(client, repository, work, pages):
    """A tiny file system below the metadata; what it holds at the end is what the client is left with."""
    repository.release("targets")
    disk = work / "disk"
    disk.mkdir()
    client.wrapper = ["unshare", "--mount", "sh", "-c",
                      f"mount -t tmpfs -o size={pages * 4096} none {disk} && cp -a {client.metadata}/. {disk} && "
                      f"mount --bind {disk} {client.metadata} && {{ \"$@\"; status=$?; umount {client.metadata}; "
                      f"cp -a {disk}/. {client.metadata}; exit $status; }}", "sh"]
    status = client.refresh()
    assert status == (1 if pages < 4 else status)
    client.wrapper = []
    assert client.refresh() == 0, client.stderr
    assert client.versions() == (1, 2, 2, 2)


def test_a_metadata_directory_that_is_missing(client, repository):
    for path in client.metadata.iterdir():
        path.unlink()
    client.metadata.rmdir()
    client.check_directories = lambda: None
    assert client.refresh() == 1
    assert client.server.take_requests() == []


@pytest.mark.parametrize("verb", ["refresh", "download"])
def test_several_at_once(client, repository, verb):
    repository.add_target("file", b"data 0")
    repository.release("targets")
    names = ["file"] if verb == "download" else []
    for round_ in range(1, 9):
        repository.add_target("file", f"data {round_}".encode() * 5000)
        if round_ % 3 == 0:
            repository.rotate("timestamp", "snapshot")
        repository.release_root()
        repository.release("targets")
        processes = [client.start(verb, *names) for _ in range(6)]
        for process in processes:
            _, stderr = process.communicate(timeout=60)
            assert process.returncode == 0, stderr.decode()
        client.check_directories()
        assert client.bytes("root") == repository.files[repository.path("root")]
        assert client.bytes("targets") == repository.files[repository.path("targets")]
        assert client.run(verb, *names) == 0


def test_one_that_hangs_does_not_spoil_the_other(client, server, repository):
    """The first waits for a slow server; whatever the second does meanwhile, both end well."""
    repository.release("targets")
    server.fail("metadata/2.targets.json", pause=0.4, piece=200)
    first = client.start("refresh")
    time.sleep(0.3)
    second = client.start("refresh")
    for process in (first, second):
        process.communicate(timeout=60)
        assert process.returncode in (0, 1)
    server.heal()
    assert client.refresh() == 0
    assert client.versions() == (1, 2, 2, 2)


@pytest.mark.parametrize("leftover", ["timestamp.json.tmp", "root.json.tmp", "targets.json.tmp", ".tmp", "lock", "recovery", "time-floor",
                                      "timestamp.etag"])
@pytest.mark.parametrize("content", [b"", b"rubbish", b"99999999999999999999999\n", b"-5\n", b"{\"signed\": {}}", b"\0" * 5000], ids=repr)
def test_leftovers_and_rubbish_beside_the_metadata(client, repository, leftover, content):
    client.refresh()
    (client.metadata / leftover).write_bytes(content)
    repository.release_root()
    repository.release("targets")
    assert client.refresh() == 0, client.stderr
    assert client.versions() == (2, 2, 2, 2)


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_a_directory_in_place_of_a_file(client, role):
    client.refresh()
    client.path(role).unlink()
    client.path(role).mkdir()
    client.check_directories = lambda: None
    assert client.refresh() in (0, 1)


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_links_in_place_of_files_are_not_written_through(client, work, repository, role):
    client.refresh()
    outside = work / "outside"
    outside.write_bytes(b"untouched")
    client.path(role).unlink()
    client.path(role).symlink_to(outside)
    client.check_directories = lambda: None
    repository.release("targets")
    client.refresh()
    assert outside.read_bytes() == b"untouched"


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_leave_something_to_go_on_from(client, server, repository, signal_):
    repository.release("targets")
    server.fail("metadata/2.targets.json", pause=0.3, piece=100)
    process = client.start("refresh")
    time.sleep(0.3)
    process.send_signal(signal_)
    process.communicate(timeout=30)
    server.heal()
    client.check_directories()
    assert client.refresh() == 0


def test_a_closed_standard_error_is_no_crash(client, server):
    server.fail("metadata/timestamp.json", status=500)
    process = subprocess.run(["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *client.command("refresh")], env=dict(os.environ))
    assert process.returncode == 1


@pytest.mark.parametrize("words", [
    [], ["refresh"], ["--metadata-dir"], ["--unknown"], ["--metadata-dir", "DIR", "refresh"], ["--metadata-dir", "DIR", "unknown"],
    ["--metadata-dir", "DIR", "init"], ["--metadata-dir", "DIR", "--metadata-url", "URL", "download"],
    ["--metadata-dir", "DIR", "--metadata-url", "ftp://127.0.0.1/", "refresh"],
    ["--metadata-dir", "DIR", "--metadata-url", "", "refresh"],
    ["--metadata-dir", "DIR", "--metadata-url", "URL", "--target-name", "file", "download"],
    ["--metadata-dir", "DIR", "--metadata-url", "URL", "refresh", "more"],
    ["--metadata-dir", "/nonexistent", "--metadata-url", "URL", "refresh"],
], ids=" ".join)
def test_words_that_make_no_command(client, server, words):

    words = [{"DIR": str(client.metadata), "URL": server.metadata_url}.get(word, word) for word in words]
    done = subprocess.run([*tufclient.PROGRAM, *words], capture_output=True, env=tufclient.ENVIRONMENT, timeout=30)
    assert done.returncode == 1 and done.stderr
    assert server.requests == []
    assert json.loads(client.bytes("root"))["signed"]["version"] == 1
