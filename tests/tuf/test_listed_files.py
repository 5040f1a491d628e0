"""Hashes and lengths that timestamp and snapshot tell of the next file, and sizes that nobody may exceed.

Of the public suite this covers hash and version mismatches of metadata in the basic area; the bounds it leaves out."""
import pytest

import simulator
from simulator import digest

LISTED = {"snapshot": ("timestamp", {"root", "timestamp"}), "targets": ("snapshot", {"root", "timestamp", "snapshot"})}
LIMITS = {"root": 512_000, "timestamp": 16_384, "snapshot": 2_000_000, "targets": 5_000_000}


def release_with_entry(repository, role, change):
    """A new version of `role`, whose entry above is changed before it is signed."""
    repository.signed[role]["version"] += 1
    text = repository.write(role)
    entry = {"version": repository.signed[role]["version"]}
    change(entry, text)
    above = LISTED[role][0]
    repository.signed[above]["meta"][f"{role}.json"] = entry
    if above == "snapshot":
        repository.release_snapshot()
    else:
        repository.timestamp["version"] += 1
        repository.write("timestamp")


def hashes(*names, wrong=()):
    def change(entry, text):
        entry["hashes"] = {name: digest(text, name) for name in names}
        for name in wrong:
            entry["hashes"][name] = digest(b"other", name)
    return change


GOOD_HASHES = {"sha256": hashes("sha256"), "sha512": hashes("sha512"), "both": hashes("sha256", "sha512"),
               "sha256 and unknown ones": lambda entry, text: entry.update(
                   hashes={"sha256": digest(text), "blake3": "00", "x": ""})}
BAD_HASHES = {"sha256": hashes(wrong=["sha256"]), "sha512": hashes(wrong=["sha512"]),
              "sha512 beside a good sha256": hashes("sha256", wrong=["sha512"]),
              "sha256 beside a good sha512": hashes("sha512", wrong=["sha256"]),
              "too short": lambda entry, text: entry.update(hashes={"sha256": digest(text)[:-2]}),
              "empty": lambda entry, text: entry.update(hashes={"sha256": ""}),
              "a number": lambda entry, text: entry.update(hashes={"sha256": 1})}


@pytest.mark.parametrize("role", LISTED)
@pytest.mark.parametrize("name", GOOD_HASHES)
def test_hashes_that_are_right(client, server, repository, role, name):
    release_with_entry(repository, role, GOOD_HASHES[name])
    assert client.refresh() == 0, client.stderr
    server.take_requests()
    assert client.refresh() == 0
    assert server.take_requests() == ["2.root", "timestamp"]


@pytest.mark.parametrize("role", LISTED)
@pytest.mark.parametrize("name", BAD_HASHES)
def test_hashes_that_are_wrong(client, repository, role, name):
    release_with_entry(repository, role, BAD_HASHES[name])
    assert client.refresh() == 1
    assert client.version(role) is None
    release_with_entry(repository, role, hashes("sha256"))
    assert client.refresh() == 0, client.stderr


@pytest.mark.parametrize("role", LISTED)
def test_hashes_of_unknown_kinds_only(client, repository, role):
    """Nothing says whether that is an error; it must be no crash, and a later version helps."""
    release_with_entry(repository, role, lambda entry, text: entry.update(hashes={"blake3": "00" * 32}))
    client.refresh()
    release_with_entry(repository, role, hashes("sha256"))
    assert client.refresh() == 0, client.stderr


@pytest.mark.parametrize("role", LISTED)
@pytest.mark.parametrize("more, good", [(0, True), (-1, False), (1, False), (-10 ** 9, False)])
def test_the_length_is_the_length(client, repository, role, more, good):
    release_with_entry(repository, role, lambda entry, text: entry.update(length=len(text) + more))
    assert client.refresh() == (0 if good else 1)
    assert (client.version(role) is not None) == good


@pytest.mark.parametrize("role", LISTED)
def test_a_declared_length_bounds_the_download(client, server, repository, role):
    release_with_entry(repository, role, lambda entry, text: entry.update(length=len(text)))
    server.fail(repository.path(role), endless=True)
    assert client.refresh(timeout=20) == 1
    assert client.version(role) is None
    assert server.bytes_sent < 16_000_000


@pytest.mark.parametrize("version", [0, -1, "2", 2.0, None, True, 2 ** 64], ids=repr)
@pytest.mark.parametrize("role", LISTED)
def test_a_listed_version_is_a_positive_integer(client, repository, role, version):
    release_with_entry(repository, role, lambda entry, text: entry.update(version=version))
    assert client.refresh() == 1
    assert client.version(role) is None


def test_targets_that_changed_under_their_version_are_noticed(client, repository):
    repository.hash_names, repository.tell_length = ("sha256",), True
    repository.release("targets")
    assert client.refresh() == 0
    before = client.bytes("targets")
    repository.targets["version"] += 1
    repository.write("targets")
    repository.list_in_snapshot("targets")
    repository.targets["extra"] = 1
    repository.write("targets")
    repository.release_snapshot()
    assert client.refresh() == 1
    assert client.bytes("targets") == before


def test_targets_of_a_version_that_the_snapshot_does_not_list_are_not_fetched(client, server, repository):
    client.refresh()
    server.take_requests()
    repository.targets["version"] += 1
    repository.write("targets")
    assert client.refresh() == 0
    assert server.take_requests() == ["2.root", "timestamp"]


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_what_changed_under_its_version_without_hashes_is_not_seen(client, repository, role):
    client.refresh()
    before = client.bytes(role)
    repository.signed[role]["extra"] = 1
    repository.write(role)
    assert client.refresh() == 0
    assert client.bytes(role) == before


# ---- Bounds ----------------------------------------------------------------------------------------------------------


def padded(size):
    return lambda text: b"{" + b" " * (size - len(text)) + text[1:]


@pytest.mark.parametrize("role", LIMITS)
def test_a_file_of_the_largest_size(client, repository, role):
    repository.release_edited(role, padded(LIMITS[role]))
    assert client.refresh() == 0, client.stderr
    assert len(client.bytes(role)) == LIMITS[role]
    assert client.refresh() == 0


@pytest.mark.parametrize("role", LIMITS)
@pytest.mark.parametrize("told", [False, True], ids=["length not told", "length told"])
def test_a_file_of_a_byte_more(client, repository, role, told):
    repository.tell_length = told
    repository.release_edited(role, padded(LIMITS[role] + 1))
    assert client.refresh() == 1
    assert client.version(role) == (1 if role == "root" else None)


@pytest.mark.parametrize("role", LIMITS)
def test_a_file_without_end_is_cut_off(client, server, repository, role):
    repository.release_any(role)
    server.fail(repository.path(role), endless=True)
    assert client.refresh(timeout=20) == 1
    assert client.version(role) == (1 if role == "root" else None)
    assert server.bytes_sent < LIMITS[role] + 12_000_000  # what the kernel holds back included
    server.heal()
    assert client.refresh() == 0


@pytest.mark.parametrize("role", LIMITS)
def test_a_server_that_announces_too_much(client, server, repository, role):
    repository.release_any(role)
    server.fail(repository.path(role), length=2 ** 62, endless=True)
    assert client.refresh(timeout=20) == 1
    assert client.version(role) == (1 if role == "root" else None)


def test_a_delegated_role_without_end_is_cut_off(client, server, repository):
    repository.delegate("targets", "A")
    repository.release("A", "targets")
    server.fail("metadata/1.A.json", endless=True)
    assert client.download("file", timeout=20) == 1
    assert client.version("A") is None
    assert server.bytes_sent < 17_000_000


def test_an_error_page_without_end_is_cut_off(client, server):
    server.fail("metadata/timestamp.json", status=500, endless=True)
    assert client.refresh(timeout=20) == 1
    server.heal()
    server.fail("metadata/2.root.json", status=404, endless=True)
    client.refresh(timeout=20)


def test_a_large_file_of_small_things(client, repository):
    """As many values as fit: it may be refused, but must not take the machine down."""
    repository.targets["extra"] = [[]] * 1_600_000
    repository.targets["version"] += 1
    canonical = simulator.canonical(repository.targets)
    key = repository.signers["targets"][0]
    text = b'{"signatures":[{"keyid":"%s","sig":"%s"}],"signed":%s}' % (
        key.id.encode(), key.sign(canonical).encode(), canonical)
    assert len(text) < LIMITS["targets"]
    repository.serve("targets", text)
    repository.list_in_snapshot("targets")
    repository.release_snapshot()
    client.refresh(timeout=50)
    assert client.version("snapshot") == 2
