"""What Debian's own archive fixes of a Debian 12 that lags behind: proposed, looked at, drafted, and confirmed. Nothing boots here."""
import json
import os
import re

import pytest

from world import BUILD, World, run

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a root file system of other owners needs root")
SUITES = ("bookworm", "bookworm-updates", "bookworm-security")


class LaggingWorld(World):
    def prepare(self):
        self.pair = self.fetch_pair()
        pins = " ".join(f"{package}={self.pair['PAIR_OLD']}" for package in self.pair["PAIR_PACKAGES"].split())
        self.script("machine.sh", "rootfs", self.baseline, "--pin", pins)
        self.sources = self.path / "sources.list"
        self.sources.write_text(self.script("debian-pair.sh", "sources").stdout)
        self.publisher("init")
        self.publisher("baseline", "--tree", self.baseline)

    def from_debian(self, *more):
        done = self.publisher("from-debian", *SUITES, "--tree", self.baseline, "--sources", self.sources, "--json", *more)
        return json.loads(done.stdout)["proposals"]


@pytest.fixture(scope="module")
def world():
    world = LaggingWorld()
    try:
        world.prepare()
        yield world
    finally:
        world.close()


def test_the_fix_is_found(world):
    pair = world.pair
    proposal, = world.from_debian("--component", pair["PAIR_COMPONENT"])
    assert {p["name"] for p in proposal["packages"]} == set(pair["PAIR_PACKAGES"].split())
    assert {(p["old_version"], p["new_version"]) for p in proposal["packages"]} == {(pair["PAIR_OLD"], pair["PAIR_NEW"])}
    assert proposal["fixes"] and all(re.fullmatch(r"CVE-\d{4}-\d{4,}", fix["id"]) for fix in proposal["fixes"])
    assert proposal["files"] and all(path.startswith("/usr/") for path in proposal["files"])
    # Debian's own fixes pass the checks.
    assert proposal["findings"] == []


def test_it_is_drafted_once_and_can_be_confirmed(world):
    component = world.pair["PAIR_COMPONENT"]
    proposal, = world.from_debian("--component", component)
    drafted = world.publisher("from-debian", *SUITES, "--tree", world.baseline, "--sources", world.sources,
                              "--component", component, "--draft", "--fast")
    assert f"component {component}" in drafted.stdout
    assert world.from_debian("--component", component) == []
    changes = json.loads(world.publisher("changes", "--json").stdout)
    assert sorted(f["path"] for f in changes["components"][0]["files"]) == sorted(proposal["files"])
    world.publisher("release")
    assert world.from_debian("--component", component) == []
    public = world.path / "publisher/public"
    said = run(BUILD / "src/suture-publish", "verify", "--url", f"file://{public}", "--root", public / "metadata/1.root.json",
               "--level", "a", "--component", component, "--tree", world.baseline, *world.pair["PAIR_NEW_DEBS"].split())
    assert "give the image that was released" in said.stdout
