"""Versions never go back, except when new keys say so.

Of the public suite this covers the rollback area: of each role and of what it lists, with and without hashes, and the
recovery from versions that were run up."""
import pytest

import simulator


@pytest.fixture(params=[False, True], ids=["plain", "with hashes"])
def hashed(request, repository):
    repository.hash_names, repository.tell_length = (("sha256",), True) if request.param else ((), False)
    return request.param


def test_an_older_timestamp_is_refused(client, server, repository):
    repository.release_timestamp()
    assert client.refresh() == 0 and client.version("timestamp") == 2
    before = client.bytes("timestamp")
    repository.timestamp["version"] = 1
    repository.write("timestamp")
    assert client.refresh() == 1
    assert client.bytes("timestamp") == before
    assert server.take_requests()[-1] == "timestamp"


def test_an_older_snapshot_in_a_newer_timestamp_is_refused(client, server, repository, hashed):
    repository.release_snapshot()
    assert client.refresh() == 0
    server.take_requests()
    repository.snapshot["version"] = 1
    repository.write("snapshot")
    repository.release_timestamp()
    assert client.refresh() == 1
    assert server.take_requests() == ["2.root", "timestamp"]
    assert client.versions() == (1, 2, 2, 1)


def test_an_older_snapshot_under_the_same_name_is_not_asked_for(client, server, repository):
    repository.release_snapshot()
    assert client.refresh() == 0
    server.take_requests()
    repository.snapshot["version"] = 1
    repository.serve("snapshot", repository.text("snapshot"), version=2)
    assert client.refresh() == 0
    assert server.take_requests() == ["2.root", "timestamp"]
    assert client.version("snapshot") == 2


@pytest.mark.parametrize("claimed", [1, 3, 99])
def test_a_snapshot_of_another_version_than_announced(client, repository, claimed):
    repository.snapshot["version"] = claimed
    repository.serve("snapshot", repository.text("snapshot"), version=2)
    repository.timestamp["meta"]["snapshot.json"] = {"version": 2}
    repository.timestamp["version"] += 1
    repository.write("timestamp")
    assert client.refresh() == 1
    assert client.trusted() == {"root": 1, "timestamp": 2}


@pytest.mark.parametrize("claimed", [1, 3, 99])
def test_targets_of_another_version_than_announced(client, repository, claimed):
    repository.targets["version"] = claimed
    repository.serve("targets", repository.text("targets"), version=2)
    repository.snapshot["meta"]["targets.json"] = {"version": 2}
    repository.release_snapshot()
    assert client.refresh() == 1
    assert client.trusted() == {"root": 1, "timestamp": 2, "snapshot": 2}


@pytest.mark.parametrize("claimed", [1, 3, 99])
def test_a_delegated_role_of_another_version_than_announced(client, repository, claimed):
    repository.delegate("targets", "A")
    repository.add_target("file", b"data", role="A")
    repository.release("A", "targets")
    repository.signed["A"]["version"] = claimed
    repository.serve("A", repository.text("A"), version=2)
    repository.snapshot["meta"]["A.json"] = {"version": 2}
    repository.release_snapshot()
    assert client.download("file") == 1
    assert client.version("A") is None and client.contents() == []


def test_older_targets_in_a_newer_snapshot_are_refused(client, server, repository, hashed):
    for _ in range(3):
        repository.release("targets")
    assert client.refresh() == 0
    before = client.versions()
    server.take_requests()
    repository.targets["version"] = 1
    repository.release("targets")
    assert client.refresh() == 1
    assert server.take_requests() == ["2.root", "timestamp", "5.snapshot"]
    assert client.versions() == (1, 5, *before[2:])


def test_an_older_delegated_role_in_a_newer_snapshot_is_refused(client, repository, hashed):
    repository.delegate("targets", "A")
    repository.add_target("file", b"data", role="A")
    repository.release("A", "targets")
    repository.release("A")
    assert client.download("file") == 0
    repository.signed["A"]["version"] = 0
    repository.release("A")
    assert client.refresh() == 1
    assert client.version("snapshot") == 3


def test_a_role_never_seen_is_watched_too(client, repository):
    """Only the snapshot was seen, not the role."""
    repository.delegate("targets", "A", paths=["a/*"])
    repository.release("A", "targets")
    repository.release("A")
    assert client.refresh() == 0 and client.version("A") is None
    repository.signed["A"]["version"] = 0
    repository.release("A")
    assert client.refresh() == 1
    assert client.version("snapshot") == 3


@pytest.mark.parametrize("role", ["A", "targets"])
def test_a_role_does_not_vanish_from_the_snapshot(client, repository, role):
    repository.delegate("targets", "A", paths=["a/*"])
    repository.release("A", "targets")
    assert client.refresh() == 0
    del repository.snapshot["meta"][f"{role}.json"]
    repository.release_snapshot()
    assert client.refresh() == 1
    assert client.version("snapshot") == 2


def test_new_roles_in_the_snapshot_are_welcome(client, repository):
    client.refresh()
    repository.delegate("targets", "A", paths=["a/*"])
    repository.delegate("targets", "B", paths=["b/*"])
    repository.release("A", "B", "targets")
    assert client.refresh() == 0


def test_a_snapshot_without_targets_is_of_no_use(client, repository):
    del repository.snapshot["meta"]["targets.json"]
    repository.release_snapshot()
    assert client.refresh() == 1
    assert client.version("targets") is None


def test_a_timestamp_without_a_snapshot_is_of_no_use(client, repository):
    repository.timestamp["meta"] = {}
    repository.timestamp["version"] += 1
    repository.write("timestamp")
    assert client.refresh() == 1
    assert client.trusted() == {"root": 1}


def test_the_snapshot_here_counts_even_when_its_hash_is_not_the_announced_one(client, repository):
    """A timestamp that announces another file for the version that is here: the new file is asked for, and what the old one
    listed may not go back."""
    repository.hash_names = ("sha256",)
    for _ in range(2):
        repository.release("targets")
    assert client.refresh() == 0
    repository.targets["version"] = 1
    repository.write("targets")
    repository.list_in_snapshot("targets")
    repository.write("snapshot")  # the same version, other bytes
    repository.release_timestamp()
    assert client.refresh() == 1
    assert client.version("targets") == 3


def test_another_snapshot_of_the_same_version_with_its_hash(client, server, repository):
    repository.hash_names = ("sha256",)
    repository.release_snapshot()
    assert client.refresh() == 0
    server.take_requests()
    repository.snapshot["extra"] = 1
    repository.write("snapshot")
    repository.release_timestamp()
    assert client.refresh() == 0, client.stderr
    assert server.take_requests() == ["2.root", "timestamp", "2.snapshot"]
    assert client.bytes("snapshot") == repository.files["metadata/2.snapshot.json"]


# ---- Recovery --------------------------------------------------------------------------------------------------------


def test_new_timestamp_keys_recover_a_timestamp_that_ran_ahead(client, repository):
    repository.timestamp["version"] = 99
    repository.release_timestamp()
    assert client.refresh() == 0 and client.version("timestamp") == 100
    repository.rotate("timestamp")
    repository.release_root()
    repository.timestamp["version"] = 1
    repository.write("timestamp")
    assert client.refresh() == 0, client.stderr
    assert client.version("timestamp") == 1


def test_new_keys_recover_a_snapshot_that_ran_ahead(client, repository):
    repository.snapshot["version"] = 99998
    repository.release_snapshot()
    assert client.refresh() == 0 and client.version("snapshot") == 99999
    repository.rotate("timestamp", "snapshot")
    repository.release_root()
    repository.snapshot["version"] = 0
    repository.release_snapshot()
    assert client.refresh() == 0, client.stderr
    assert client.version("snapshot") == 1


def test_new_timestamp_keys_alone_recover_a_snapshot(client, repository):
    """The keys of the timestamp are new, those of the snapshot are not: both files are forgotten."""
    repository.snapshot["version"] = 99998
    repository.release_snapshot()
    assert client.refresh() == 0
    repository.rotate("timestamp")
    repository.release_root()
    repository.snapshot["version"] = 0
    repository.release_snapshot()
    assert client.refresh() == 0, client.stderr
    assert client.version("snapshot") == 1


def test_new_snapshot_keys_recover_targets_that_ran_ahead(client, repository):
    repository.targets["version"] = 99
    repository.release("targets")
    assert client.refresh() == 0 and client.version("targets") == 100
    repository.rotate("snapshot")
    repository.release_root()
    repository.targets["version"] = 1
    repository.release("targets")
    assert client.refresh() == 0, client.stderr
    assert client.version("targets") == 2


def test_new_snapshot_keys_recover_a_delegated_role(client, repository):
    repository.delegate("targets", "A")
    repository.add_target("file", b"data", role="A")
    repository.signed["A"]["version"] = 99
    repository.release("A", "targets")
    assert client.download("file") == 0 and client.version("A") == 100
    repository.rotate("snapshot")
    repository.release_root()
    repository.signed["A"]["version"] = 1
    repository.add_target("file", b"other", role="A")
    repository.release("A")
    assert client.download("file") == 0, client.stderr
    assert client.version("A") == 2 and client.contents() == [b"other"]


def test_new_keys_in_the_middle_of_the_chain_recover_too(client, repository):
    """The keys change and change back: whoever sees only the ends sees no change."""
    repository.timestamp["version"] = 99
    repository.release_timestamp()
    assert client.refresh() == 0
    old = repository.signers["timestamp"]
    repository.rotate("timestamp")
    repository.release_root()
    repository.set_keys("timestamp", old)
    repository.release_root()
    repository.timestamp["version"] = 1
    repository.write("timestamp")
    assert client.refresh() == 0, client.stderr
    assert client.version("timestamp") == 1


def test_recovery_survives_a_failure_behind_the_root(client, server, repository):
    repository.timestamp["version"] = 99
    repository.release_timestamp()
    assert client.refresh() == 0
    repository.rotate("timestamp")
    repository.release_root()
    repository.timestamp["version"] = 1
    repository.write("timestamp")
    server.fail("metadata/timestamp.json", status=500)
    assert client.refresh() == 1
    server.heal()
    assert client.refresh() == 0, client.stderr
    assert client.version("timestamp") == 1


def test_a_new_root_key_alone_recovers_nothing(client, repository):
    repository.release_timestamp()
    assert client.refresh() == 0
    key = simulator.Key()
    repository.set_keys("root", [key], signers=[*repository.signers["root"], key])
    repository.release_root()
    repository.timestamp["version"] = 1
    repository.write("timestamp")
    assert client.refresh() == 1
    assert client.version("timestamp") == 2
