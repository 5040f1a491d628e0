"""A publisher that is killed before each of its renames: devices accept what is there at any moment, those that followed
before and those that come new, and the next command completes what was begun."""
import os
import shutil
import subprocess

import pytest

import followers
import support

STRACE = shutil.which("strace")
pytestmark = pytest.mark.skipif(not STRACE, reason="NOT TESTED: strace is not installed")
# What is traced cannot look for leaks.
TRACED = {**support.SANITIZERS, "ASAN_OPTIONS": support.SANITIZERS["ASAN_OPTIONS"] + ":detect_leaks=0"}
RENAMES = ("rename", "renameat", "renameat2")


def kill_before(publisher, call, number, arguments):
    """Run until just before the `number`th call of `call`; returns whether it came to that."""
    done = subprocess.run(
        [STRACE, "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}",
         support.BUILD / "suture-publish", "-C", publisher.path, *arguments], capture_output=True, text=True, timeout=120,
        env={**os.environ, **TRACED})
    assert done.returncode in (0, -9, 137), done.stderr
    return done.returncode != 0


def rotate(role):
    return ["key", "rotate", role]


# What is done, and what of the trusted metadata has a higher version afterwards.
CHANGES = {
    "release": (lambda p: ["release"], "baseline"),
    "refresh": (lambda p: ["refresh"], "timestamp"),
    "renew all": (lambda p: ["refresh", "root", "targets", followers.baseline_of(p)], "root"),
    "rotate root": (lambda p: rotate("root"), "root"),
    "rotate timestamp": (lambda p: rotate("timestamp"), "root"),
    "rotate snapshot": (lambda p: rotate("snapshot"), "root"),
    "rotate targets": (lambda p: rotate("targets"), "targets"),
    "rotate a baseline": (lambda p: rotate(followers.baseline_of(p)), "targets"),
}


def state(publisher):
    return support.read_tree(publisher.public)


def follow(publisher, device, baseline, levels):
    device.refresh(publisher.public)
    assert device.offered(publisher.public, baseline) in levels


@pytest.mark.parametrize("call", RENAMES)
@pytest.mark.parametrize("change", CHANGES)
def test_killed_before_each_rename(change, call, own_shop, work):
    arguments, grows = CHANGES[change]
    arguments = arguments(own_shop)
    baseline = followers.baseline_of(own_shop)
    if change == "release":
        own_shop.build("b")
    before = followers.Follower(work / "before", own_shop.public).refresh(own_shop.public)
    assert before.offered(own_shop.public, baseline) == "a"
    seen, number = {str(state(own_shop))}, 0
    while True:
        number += 1
        publisher = support.Publisher(work / f"shop-{number}", own_shop.trees)
        shutil.copytree(own_shop.path, publisher.path)
        killed = kill_before(publisher, call, number, arguments)
        devices = [before.copy(work / f"old-{number}"), followers.Follower(work / f"new-{number}", publisher.public)]
        if str(state(publisher)) not in seen:
            seen.add(str(state(publisher)))
            for device in devices:
                follow(publisher, device, baseline, {"a", "b"})
        publisher("show")  # completes it, or there is nothing to complete
        assert not (publisher.path / "outgoing").exists()
        publisher("refresh")  # what was not begun is not begun now
        level = "b" if change == "release" and publisher.manifest_of("b") else "a"
        for device in devices:
            follow(publisher, device, baseline, {level})
        publisher("check")
        if not killed:
            role = baseline if grows == "baseline" else grows
            assert all(device.version(role) > before.version(role) for device in devices)
            break
        shutil.rmtree(publisher.path)
    if call == "renameat":
        # Every file that goes to public/ is a moment of its own.
        assert number > 5 and len(seen) >= (6 if change == "release" else 3), (number, len(seen))


def test_a_root_goes_out_between_two_timestamps(own_shop, work):
    """The order itself, as the kernel sees it."""
    trace = work / "trace"
    subprocess.run([STRACE, "-o", trace, "-e", "trace=renameat", support.BUILD / "suture-publish", "-C", own_shop.path,
                    "key", "rotate", "targets"], check=True, capture_output=True,
                   env={**os.environ, **TRACED})
    lines = trace.read_text().splitlines()
    moved = [line.split('"')[3] for line in lines if "renameat(" in line and ".tmp" not in line and "outgoing" not in line]
    names = [name for name in moved if name.endswith(".json")]
    assert names.index("timestamp.json") < names.index("2.root.json") == len(names) - 2, names
    assert names[-1] == "timestamp.json" and names.count("timestamp.json") == 2
    assert {"3.targets.json", "4.snapshot.json"} == set(names[:names.index("timestamp.json")])


def test_a_device_between_the_timestamps_hears_of_the_root(own_shop, work):
    """It trusts the first of the two timestamps with its former root, and must not take the second for the same."""
    before = followers.Follower(work / "before", own_shop.public).refresh(own_shop.public)
    old = before.version("timestamp")
    own_shop("key", "rotate", "timestamp")
    before.refresh(own_shop.public)
    assert before.version("timestamp") == old + 2 and before.version("root") == 2


def test_what_goes_out_with_a_root_is_signed_by_both(own_shop):
    """And what comes after it by the new key alone."""
    def signers():
        document = support.json.loads((own_shop.public / "metadata/timestamp.json").read_text())
        return {signature["keyid"] for signature in document["signatures"]}

    def ids():
        return {p.stem: support.json.loads(p.read_text())["keyid"] for p in (own_shop.path / "keys").glob("*.pub")}
    former = ids()["timestamp"]
    assert signers() == {former}
    own_shop("key", "rotate", "timestamp")
    assert signers() == {former, ids()["timestamp-2"]}
    own_shop("refresh")
    assert signers() == {ids()["timestamp-2"]}


def test_a_former_key_that_is_lost(own_shop, work):
    """Devices between timestamp and root are refused; before and afterwards they are not."""
    before = followers.Follower(work / "before", own_shop.public).refresh(own_shop.public)
    (own_shop.path / "keys/timestamp.pem").unlink()
    assert own_shop("refresh", check=False).returncode == 22
    own_shop("key", "rotate", "timestamp")
    before.refresh(own_shop.public)
    followers.Follower(work / "new", own_shop.public).refresh(own_shop.public)
    own_shop("check")


def test_each_timestamp_is_a_second_later(own_shop):
    """Web servers make an entity tag of the size, which stays, and the second of the last change: nginx does. Whoever had the
    first of two within a second would be told that nothing has changed."""
    timestamp = own_shop.public / "metadata/timestamp.json"
    seen = []
    for arguments in (["refresh"], ["refresh"], ["key", "rotate", "root"], ["refresh"]):
        own_shop(*arguments)
        seen.append((int(timestamp.stat().st_mtime), timestamp.read_bytes()))
    assert len({text for _, text in seen}) == len(seen)
    assert all(after[0] > before[0] for before, after in zip(seen, seen[1:])), [second for second, _ in seen]
