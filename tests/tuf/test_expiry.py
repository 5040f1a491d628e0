"""Time: what has expired is not used, but still remembered; and a clock that is set back does not make it young again.

Of the public suite this covers the expiry area, that of delegated roles included."""
import pytest

import simulator
from simulator import days_from_now

STORED_BEFORE = {"timestamp": {"root": 1}, "snapshot": {"root": 1, "timestamp": 2},
                 "targets": {"root": 1, "timestamp": 2, "snapshot": 2}}


def test_an_expired_root_is_kept_and_then_refused(client, server, repository):
    client.refresh()
    repository.release_root()
    assert client.refresh() == 0
    repository.root["expires"] = days_from_now(-1)
    repository.release_root()
    repository.release("targets")
    server.take_requests()
    assert client.refresh() == 1
    assert server.take_requests() == ["3.root", "4.root"]
    assert client.versions() == (3, 1, 1, 1)


def test_a_root_after_an_expired_one_mends_it(client, repository):
    repository.root["expires"] = days_from_now(-1)
    repository.release_root()
    assert client.refresh() == 1
    repository.root["expires"] = days_from_now(1)
    repository.release_root()
    assert client.refresh() == 0
    assert client.version("root") == 3


def test_roots_on_the_way_may_have_expired(client, server, repository):
    for days in (-100, -10, -1, 10):
        repository.root["expires"] = days_from_now(days)
        repository.release_root()
    assert client.refresh() == 0
    assert client.versions() == (5, 1, 1, 1)


def test_the_initial_root_may_have_expired(make_client, repository):
    repository.root["expires"] = days_from_now(-1)
    repository.root["version"] = 0
    repository.release_root()
    repository.root["expires"] = days_from_now(1)
    repository.release_root()
    client = make_client(repository)
    assert client.refresh() == 0, client.stderr
    assert client.version("root") == 2


def test_an_expired_root_alone_is_not_enough(make_client, repository):
    repository.root["expires"] = days_from_now(-1)
    repository.root["version"] = 0
    repository.release_root()
    client = make_client(repository)
    assert client.refresh() == 1
    assert client.trusted() == {"root": 1}


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_an_expired_role_is_not_stored(client, repository, role):
    repository.signed[role]["expires"] = days_from_now(-5)
    repository.release_any(role)
    assert client.refresh() == 1
    assert client.trusted() == STORED_BEFORE[role]


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_an_expired_new_version_leaves_the_old_one(client, repository, role):
    client.refresh()
    repository.signed[role]["expires"] = days_from_now(-5)
    repository.release_any(role)
    assert client.refresh() == 1
    assert client.version(role) == 1
    repository.signed[role]["expires"] = days_from_now(5)
    repository.release_any(role)
    assert client.refresh() == 0
    assert client.version(role) == 3


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets"])
def test_what_was_fresh_expires_with_time(client, repository, role):
    repository.signed[role]["expires"] = days_from_now(7)
    repository.release_any(role)
    assert client.refresh() == 0
    assert client.refresh(days=6) == 0
    assert client.refresh(days=8) == 1


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets"])
def test_what_expired_here_is_replaced_by_what_is_fresh_there(client, repository, role):
    repository.signed[role]["expires"] = days_from_now(7)
    repository.release_any(role)
    assert client.refresh() == 0
    assert client.refresh(days=8) == 1
    repository.signed[role]["expires"] = days_from_now(21)
    repository.release_any(role)
    assert client.refresh(days=18) == 0, client.stderr
    assert client.version(role) == 3


def test_all_expired_here_and_all_fresh_there(client, repository):
    for role in simulator.TOP_LEVEL:
        repository.signed[role]["expires"] = days_from_now(7)
    repository.release_root()
    repository.release("targets")
    assert client.refresh() == 0
    for role in simulator.TOP_LEVEL:
        repository.signed[role]["expires"] = days_from_now(30)
    repository.release_root()
    repository.release("targets")
    assert client.refresh(days=18) == 0, client.stderr
    assert client.versions() == (3, 3, 3, 3)


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_what_expired_still_forbids_to_go_back(client, repository, role):
    for _ in range(3):
        repository.release("targets")
    repository.signed[role]["expires"] = days_from_now(7)
    repository.release_any(role)
    assert client.refresh() == 0
    before = client.versions()
    repository.signed[role].update(version=1, expires=days_from_now(21))
    repository.release_any(role)  # version 2, fresh
    assert client.refresh(days=18) == 1
    assert client.version(role) == before[simulator.TOP_LEVEL.index(role)]


def test_a_timestamp_of_the_same_version_does_not_live_longer(client, repository):
    repository.timestamp["expires"] = days_from_now(7)
    repository.release_timestamp()
    assert client.refresh() == 0
    before = client.bytes("timestamp")
    repository.timestamp["expires"] = days_from_now(21)
    repository.write("timestamp")
    assert client.refresh(days=18) == 1
    assert client.bytes("timestamp") == before


# ---- Delegated roles -------------------------------------------------------------------------------------------------


def delegate(repository, days):
    repository.delegate("targets", "A", paths=["a/*"])
    repository.signed["A"]["expires"] = days_from_now(days)
    repository.add_target("a/first", b"first", role="A")
    repository.add_target("a/second", b"second", role="A")
    repository.add_target("own", b"own", role="targets")
    repository.release("A", "targets")


def test_an_expired_delegated_role_is_not_used(client, repository):
    delegate(repository, -1)
    assert client.refresh() == 0
    assert client.download("a/first") == 1
    assert client.contents() == [] and client.version("A") is None
    assert client.download("own") == 0


def test_a_delegated_role_that_expired_here_is_not_used(client, repository):
    delegate(repository, 7)
    assert client.download("a/first") == 0
    assert client.download("a/second", days=18) == 1
    assert client.contents() == [b"first"]


def test_a_delegated_role_that_expired_here_is_replaced(client, repository):
    delegate(repository, 7)
    assert client.download("a/first") == 0
    repository.signed["A"]["expires"] = days_from_now(21)
    repository.release("A")
    assert client.download("a/second", days=18) == 0, client.stderr
    assert client.version("A") == 2 and sorted(client.contents()) == [b"first", b"second"]


def test_an_expired_new_version_of_a_delegated_role(client, repository):
    delegate(repository, 7)
    assert client.download("a/first") == 0
    repository.signed["A"]["expires"] = days_from_now(-1)
    repository.release("A")
    assert client.download("a/second") == 1
    assert client.version("A") == 1 and client.contents() == [b"first"]


# ---- What "expires" may look like ------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets"])
@pytest.mark.parametrize("expires", [
    "", "never", "2099-01-01", "2099-01-01T00:00:00", "2099-01-01 00:00:00Z", "2099-13-01T00:00:00Z", "2099-02-30T00:00:00Z",
    "2099-01-01T24:00:00Z", "2099-01-01T00:00:00+00:00", "+2099-01-01T00:00:00Z", "2099-1-1T0:0:0Z",
    " 2099-01-01T00:00:00Z", "2099-01-01T00:00:00Z ", "2099-01-01T00:00:00Z\n", 4102444800, None, ["2099-01-01T00:00:00Z"]],
    ids=repr)
def test_a_time_in_any_other_form_is_refused(client, repository, role, expires):
    repository.signed[role]["expires"] = expires
    repository.release_any(role)
    assert client.refresh() == 1
    assert client.version(role) == (1 if role == "root" else None)


@pytest.mark.parametrize("expires", ["2038-01-19T03:14:08Z", "2106-02-07T06:28:16Z", "9999-12-31T23:59:59Z",
                                     "2096-02-29T00:00:00Z"])
def test_far_times_are_times(client, repository, expires):
    for role in simulator.TOP_LEVEL:
        repository.signed[role]["expires"] = expires
    repository.release_root()
    repository.release("targets")
    assert client.refresh() == 0, client.stderr


@pytest.mark.parametrize("expires", ["0001-01-01T00:00:00Z", "1900-01-01T00:00:00Z", "1969-12-31T23:59:59Z",
                                     "1970-01-01T00:00:00Z"])
def test_long_ago_is_long_ago(client, repository, expires):
    repository.timestamp["expires"] = expires
    repository.release_timestamp()
    assert client.refresh() == 1
    assert client.trusted() == {"root": 1}


# ---- The floor -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets"])
def test_a_clock_set_back_does_not_revive_what_has_expired(client, repository, role):
    assert client.refresh(days=20) == 0
    repository.signed[role]["expires"] = days_from_now(10)
    repository.release_any(role)
    assert client.refresh() == 1, "it had expired when the client was there last"
    repository.signed[role]["expires"] = days_from_now(30)
    repository.release_any(role)
    assert client.refresh() == 0, client.stderr


def test_a_clock_set_back_does_not_revive_a_delegated_role(client, repository):
    delegate(repository, 10)
    assert client.refresh(days=20) == 0
    assert client.download("a/first") == 1
    assert client.contents() == []


def test_a_clock_set_back_does_no_harm_to_what_is_fresh(client, repository):
    assert client.refresh(days=20) == 0
    assert client.refresh(days=1) == 0
    assert client.refresh() == 0


def test_a_clock_that_was_wrong_once_locks_nobody_out(client, repository):
    """Nothing is fresh in a far future: that refresh fails, and leaves no mark."""
    assert client.refresh() == 0
    assert client.refresh(days=20000) == 1
    assert client.refresh() == 0, client.stderr


def test_the_floor_survives_a_new_root(client, repository):
    assert client.refresh(days=20) == 0
    repository.rotate("timestamp", "snapshot")
    repository.release_root()
    repository.timestamp["expires"] = days_from_now(10)
    repository.release_snapshot()
    assert client.refresh() == 1


def test_rubbish_in_place_of_the_floor_is_no_obstacle(client):
    assert client.refresh(days=2) == 0
    for path in client.metadata.iterdir():
        if not path.name.endswith(".json"):
            path.write_bytes(b"rubbish")
    assert client.refresh(days=2) == 0, client.stderr
