"""What the publisher's check says, at each stage of a repository's life."""
import json
import os
import re
import shutil
import subprocess

import pytest

import followers
import support
import web

FAKETIME = shutil.which("faketime")


@pytest.fixture
def later(own_shop):
    if not FAKETIME:
        pytest.skip("NOT TESTED: faketime is not installed")

    def run(days, *arguments):
        return subprocess.run([FAKETIME, "-f", f"+{days}d", support.BUILD / "suture-publish", "-C", own_shop.path, *arguments],
                              capture_output=True, text=True, timeout=60, env={**os.environ, **support.SANITIZERS_IN_FAKETIME})
    return run


def test_a_sound_repository(own_shop):
    document = json.loads(own_shop("check", "--json").stdout)
    baseline = followers.baseline_of(own_shop)
    assert document["accepted"] and document["first"]["role"] == "timestamp" and "error" not in document
    assert {role["role"] for role in document["roles"]} == {"root", "timestamp", "snapshot", "targets", baseline}
    found, = document["baselines"]
    assert (found["name"], found["level"]) == (baseline, "a") and found["objects"] >= 2 and found["bytes"] > 1000
    text = own_shop("check").stdout
    assert f"until {document['first']['expires']}, when timestamp expires" in text and "all there, and as signed" in text


def test_stages_of_its_life(later):
    def at(days):
        done = later(days, "check", "--json")
        document = json.loads(done.stdout)
        assert (done.returncode == 0) == document["accepted"]
        return done.returncode, [w for w in document["warnings"] if "expire" in w], document.get("error", {}).get("name")
    assert at(0) == (0, [], None)
    status, warnings, _ = at(11)
    assert status == 0 and len(warnings) == 1 and re.match("the metadata of timestamp expires in [23] days", warnings[0])
    assert at(15)[0] == 27 and at(15)[2] == "Expired"
    assert later(15, "refresh").returncode == 0
    assert at(15)[0] == 0

    # Targets and the baseline are signed anew when half of their time is over, and not before.
    def targets():
        return {role: entry["version"] for role, entry in json.loads(later(0, "show", "--json").stdout)["metadata"].items()}
    before = targets()
    assert later(40, "refresh").returncode == 0 and targets()["targets"] == before["targets"]
    assert later(50, "refresh").returncode == 0 and targets()["targets"] == before["targets"] + 1
    assert at(50) == (0, [], None)
    assert later(280, "refresh").returncode == 0
    status, warnings, _ = at(280)
    assert status == 0 and any(re.match("the metadata of root expires in 8[45] days", w) for w in warnings)
    assert later(280, "refresh", "root").returncode == 0 and not [w for w in at(280)[1] if "root" in w]
    assert at(400)[0] == 27


def test_targets_whose_key_is_elsewhere_are_not_renewed_silently(later, own_shop):
    (own_shop.path / "keys/targets.pem").unlink()
    done = later(75, "refresh")
    assert done.returncode == 0 and "run 'suture-publish refresh targets', and let its keys sign" in done.stdout
    done = later(75, "refresh", "targets")
    assert done.returncode == 0 and "sign with targets" in done.stdout


@pytest.mark.parametrize("path, name", [
    ("objects/*/*", "Digest"), ("targets/*/*.channel.json", "Digest"), ("targets/*/a/*.manifest.json", "Digest"),
    ("metadata/2.testos-*.json", "Digest"), ("metadata/3.snapshot.json", "Digest"), ("metadata/timestamp.json", None),
    ("metadata/1.root.json", None)])
@pytest.mark.parametrize("way", ["flip", "remove", "cut"])
def test_nothing_that_is_damaged_is_overlooked(way, path, name, own_shop):
    file = sorted(own_shop.public.glob(path))[0]
    if way == "flip":
        support.flip(file, file.stat().st_size // 2)
    elif way == "remove":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1])
    done = own_shop("check", check=False)
    assert done.returncode != 0, done.stdout
    if way == "flip" and name:
        assert done.returncode == 30, (done.returncode, done.stderr)


def test_over_the_web(own_shop):
    server = web.Server(own_shop.public)
    try:
        assert f"A device would accept {server.url} until" in own_shop("check", "--url", server.url).stdout
        server.fail("timestamp", status=500)
        assert own_shop("check", "--url", server.url, check=False).returncode == 23
        assert own_shop("check").returncode == 0
    finally:
        server.shutdown()
        server.server_close()


def test_what_it_warns_of(own_shop, work):
    def warnings():
        return "\n".join(json.loads(own_shop("check", "--json").stdout)["warnings"])
    baseline = followers.baseline_of(own_shop)
    said = warnings()
    assert "there is a single root key" in said and "the private root key 'root' is on this machine" in said
    for role in ("root", "targets", baseline):
        assert f"the private key '{role}' of {role} is not encrypted" in said
    assert "timestamp" not in said and "any one of" not in said
    own_shop("key", "new", "second")
    own_shop("key", "rotate", "root", own_shop.path / "keys/root.pub", own_shop.path / "keys/second.pub")
    said = warnings()
    assert "single root key" not in said and "any one of the 2 keys of root is enough" in said
    for name in ("root", "second", "targets", baseline):
        (own_shop.path / f"keys/{name}.pem").unlink()
    assert warnings() == "any one of the 2 keys of root is enough: each more is one more to be stolen"
