"""The chain of roots: one after the other, each signed by the one before and by itself, each kept as soon as it is trusted.

Of the public suite this covers the rotation of root keys."""
import itertools
import json

import pytest

import simulator
from simulator import Key


class Chain:
    """Roots made from (keys, threshold, signers), numbers of a ring of keys."""

    def __init__(self, repository, steps):
        self.repository, self.ring = repository, [Key() for _ in range(10)]
        repository.root["version"] = 0
        for path in [path for path in repository.files if path.endswith(".root.json")]:
            del repository.files[path]
        for keys, threshold, signers in steps:
            repository.set_keys("root", [self.ring[i] for i in keys], threshold, [self.ring[i] for i in signers])
            repository.release_root()


GOOD = {
    "the same key": [([1], 1, [1]), ([1], 1, [1])],
    "1 of 1": [([1], 1, [1]), ([2], 1, [2, 1]), ([2], 1, [2])],
    "1 of 1, signed by others too": [([1], 1, [3, 1, 4]), ([2], 1, [3, 2, 1, 4]), ([2], 1, [3, 2, 4])],
    "3 of 5, any three": [([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([0, 1, 2, 3, 4], 3, [0, 4, 1]),
                          ([0, 1, 2, 3, 4], 3, [0, 1, 3]), ([0, 1, 2, 3, 4], 3, [2, 3, 4])],
    "3 of 5, one replaced": [([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([0, 1, 3, 4, 5], 3, [0, 4, 1])],
    "3 of 5, one replaced, four sign": [([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([0, 1, 3, 4, 5], 3, [0, 2, 4, 5]),
                                        ([0, 1, 3, 4, 5], 3, [0, 4, 5])],
    "3 of 5, all replaced": [([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([5, 6, 7, 8, 9], 3, [0, 2, 4, 5, 6, 7]),
                             ([5, 6, 7, 8, 9], 3, [5, 6, 7])],
    "1 of 3 becomes 2 of 3": [([1, 2, 3], 1, [1]), ([1, 2, 3], 2, [1, 2])],
    "2 of 3 becomes 1 of 3": [([1, 2, 3], 2, [1, 2]), ([1, 2, 3], 1, [1, 2]), ([1, 2, 3], 1, [1])],
    "1 of 1 becomes 2 of 2": [([1], 1, [1]), ([1, 2], 2, [1, 2])],
    "2 of 2 becomes 1 of 1": [([1, 2], 2, [1, 2]), ([1], 1, [2, 1]), ([1], 1, [1])],
}

BAD = {
    "not signed by the old": [([1], 1, [1]), ([2], 1, [2, 3, 4])],
    "not signed by the new": [([1], 1, [1]), ([2], 1, [1, 3, 4])],
    "signed by nobody": [([1], 1, [1]), ([1], 1, [])],
    "two of the three new": [([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([0, 1, 3, 4, 5], 3, [0, 2, 4])],
    "two of the three old": [([0, 1, 2, 3, 4], 3, [0, 2, 4]), ([0, 1, 3, 4, 5], 3, [0, 4, 5])],
    "the raised threshold is not reached": [([1, 2, 3], 1, [1]), ([1, 2, 3], 2, [2])],
    "the old threshold is not reached": [([1, 2, 3], 2, [1, 2]), ([1, 2, 3], 1, [1])],
    "good, good, bad": [([1], 1, [1]), ([2], 1, [1, 2]), ([3], 1, [2, 3]), ([4], 1, [4])],
    "a key that is gone signs": [([1], 1, [1]), ([2], 1, [1, 2]), ([3], 1, [1, 3])],
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_chain_is_followed_to_its_end(make_client, repository, name):
    Chain(repository, GOOD[name])
    client = make_client(repository)
    assert client.refresh() == 0, client.stderr
    assert client.bytes("root") == repository.files[repository.path("root")]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_chain_is_followed_to_the_last_good_root(make_client, repository, name):
    Chain(repository, BAD[name])
    client = make_client(repository)
    assert client.refresh() == 1
    assert client.bytes("root") == repository.files[f"metadata/{len(BAD[name]) - 1}.root.json"]
    assert set(client.trusted()) == {"root"}


@pytest.mark.parametrize("name", [*GOOD, *BAD])
def test_a_chain_is_the_same_one_refresh_at_a_time(make_client, repository, name):
    steps = {**GOOD, **BAD}[name]
    chain = Chain(repository, steps[:1])
    client = make_client(repository)
    for at, (keys, threshold, signers) in enumerate(steps[1:], 2):
        repository.set_keys("root", [chain.ring[i] for i in keys], threshold, [chain.ring[i] for i in signers])
        repository.release_root()
        good = name in GOOD or at < len(steps)
        assert client.refresh() == (0 if good else 1), client.stderr
        assert client.version("root") == (at if good else at - 1)


@pytest.mark.parametrize("claimed", [1, 2, 4, 5, 100, 0, -1])
def test_a_root_under_another_number_is_refused(client, repository, claimed):
    repository.release_root()
    repository.root["version"] = claimed
    repository.serve("root", repository.text("root"), version=3)
    assert client.refresh() == 1
    assert client.version("root") == 2


def test_a_gap_hides_what_is_behind_it(client, server, repository):
    repository.release_root()
    repository.release_root()
    del repository.files["metadata/2.root.json"]
    assert client.refresh() == 0
    assert client.version("root") == 1
    assert server.take_requests()[0:2] == ["2.root", "timestamp"]


def test_the_old_root_again_is_no_new_root(client, repository):
    repository.files["metadata/2.root.json"] = repository.files["metadata/1.root.json"]
    assert client.refresh() == 1
    assert client.version("root") == 1


def test_256_new_roots_in_one_refresh(client, server, repository):
    for _ in range(256):
        repository.release_root()
    client.refresh()
    assert client.version("root") == 257
    assert client.refresh() == 0, client.stderr
    asked = [name for name in server.take_requests() if name.endswith("root")]
    assert asked[:256] == [f"{version}.root" for version in range(2, 258)]


def test_more_roots_take_another_refresh(client, server, repository):
    for _ in range(300):
        repository.release_root()
    client.refresh()  # may go on with what it has, or not
    assert client.version("root") == 257
    assert len([name for name in server.take_requests() if name.endswith("root")]) <= 257
    assert client.refresh() == 0
    assert client.version("root") == 301


def test_roots_without_end_do_not_hold_a_client_for_ever(client, server, repository):
    def invent(path):
        if not path.endswith(".root.json"):
            return None
        repository.root["version"] = int(path.split("/")[1].split(".")[0])
        return repository.text("root")

    server.invent = invent
    client.refresh()
    assert len([name for name in server.take_requests() if name.endswith("root")]) <= 257
    assert client.version("root") == 257


def test_each_root_is_kept_before_the_next_is_asked_for(client, server, repository):
    seen = []
    for version in range(2, 6):
        repository.release_root()
    for version in range(2, 7):
        server.fail(f"metadata/{version}.root.json", before=lambda: seen.append(client.version("root")))
    assert client.refresh() == 0
    assert seen == [1, 2, 3, 4, 5]


def test_a_chain_that_broke_off_goes_on_where_it_was(client, server, repository):
    for _ in range(5):
        repository.release_root()
    server.fail("metadata/4.root.json", cut=50)
    assert client.refresh() == 1
    assert client.trusted() == {"root": 3}
    server.heal()
    server.take_requests()
    assert client.refresh() == 0
    assert server.take_requests()[:4] == ["4.root", "5.root", "6.root", "7.root"]


def test_a_root_that_takes_a_role_away_is_refused(client, repository):
    del repository.root["roles"]["snapshot"]
    repository.release_root()
    assert client.refresh() == 1
    assert client.version("root") == 1


def test_two_roots_of_one_number_are_not_mixed(client, server, repository):
    """Whoever has seen one of two second roots stays with it."""
    key, other = Key(), Key()
    old = repository.signers["root"]
    repository.set_keys("root", [key], signers=[*old, key])
    repository.release_root()
    assert client.refresh() == 0
    before = client.bytes("root")
    repository.root["version"] = 1
    repository.set_keys("root", [other], signers=[*old, other])
    repository.release_root()
    repository.release_root()  # the third follows the other second
    assert client.refresh() == 1
    assert client.bytes("root") == before


@pytest.mark.parametrize("rotated", [
    roles for count in (1, 2, 3) for roles in itertools.combinations(("timestamp", "snapshot", "targets"), count)], ids=str)
def test_new_keys_below_the_root_come_with_the_root(client, repository, rotated):
    client.refresh()
    repository.rotate(*rotated)
    repository.release_root()
    repository.release("targets")
    assert client.refresh() == 0, client.stderr
    assert client.versions() == (2, 2, 2, 2)


def test_a_large_root_with_many_keys(client, repository):
    keys = [Key() for _ in range(200)]
    repository.set_keys("root", keys, threshold=150, signers=[*repository.signers["root"], *keys])
    repository.release_root()
    assert client.refresh() == 0, client.stderr
    repository.root["version"] += 1
    repository.serve("root", json.dumps(repository.sign(repository.root, keys[:149])).encode())
    assert client.refresh() == 1
    assert client.version("root") == 2
