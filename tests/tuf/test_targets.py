"""Downloads: only what was signed ends up in the target directory, and only when it is not there yet.

Of the public suite this covers the download area: files in subdirectories, files that change, and files that were replaced."""
import json

import pytest

import simulator
from simulator import digest


def artifacts(server):
    return [path for path in server.take_requests() if path.startswith("targets/")]


@pytest.mark.parametrize("path", ["file.txt", "path/to/a/file.txt"])
def test_a_file_is_downloaded(client, repository, path):
    repository.add_target(path, b"the content")
    repository.release("targets")
    assert client.refresh() == 0 and client.contents() == []
    assert client.download(path) == 0
    assert client.contents() == [b"the content"]


def test_its_url_has_the_hash_before_the_last_part(client, server, repository):
    repository.add_target("a/b/file", b"data")
    repository.release("targets")
    assert client.download("a/b/file") == 0
    assert artifacts(server) == [f"targets/a/b/{digest(b'data')}.file"]


def test_an_unchanged_file_is_neither_asked_for_nor_written(client, server, repository):
    repository.add_target("file", b"data")
    repository.release("targets")
    client.download("file")
    before = client.stamps()
    server.take_requests()
    assert client.download("file") == 0
    repository.release("targets")
    assert client.download("file", "file") == 0
    assert client.stamps() == before and artifacts(server) == []


def test_a_file_that_was_damaged_here_is_replaced(client, repository):
    repository.add_target("file", b"data")
    repository.release("targets")
    client.download("file")
    for damage in (b"", b"date", b"data and more"):
        client.files()[0].write_bytes(damage)
        assert client.download("file") == 0
        assert client.contents() == [b"data"]


def test_a_file_changes_many_times(client, repository):
    for number in range(8):
        data = f"content {number}".encode()
        repository.add_target("file", data)
        repository.add_target(f"file {number}", b"other " + data)
        repository.release("targets")
        assert client.download("file") == 0, client.stderr
        assert client.contents() == [data]
        forged = b"forged " + data
        repository.files[repository.target_path("file", data)] = forged
        repository.release("targets")
        client.download("file")  # it may ask or not
        assert client.contents() == [data]


def test_a_version_in_between_may_be_skipped(client, repository):
    for number in range(6):
        repository.add_target("file", f"content {number}".encode())
        repository.release("targets")
        if number % 5 == 0:
            assert client.download("file") == 0
            assert client.contents() == [f"content {number}".encode()]


def test_replaced_files_are_refused(client, repository):
    for name in ("first", "second"):
        repository.add_target(name, f"{name} content".encode())
    repository.release("targets")
    assert client.download("first") == 0
    for path in list(repository.files):
        if path.startswith("targets/"):
            repository.files[path] = b"evil"
    client.download("first")
    assert client.contents() == [b"first content"]
    assert client.download("second") == 1
    assert client.contents() == [b"first content"]


@pytest.mark.parametrize("served", [b"", b"dat", b"data!", b"Data", b"data" * 1000], ids=repr)
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_other_bytes_are_refused(client, repository, served, algorithm):
    repository.add_target("file", b"data", algorithms=[algorithm])
    repository.files[repository.target_path("file", b"data", algorithm)] = served
    repository.release("targets")
    assert client.download("file") == 1
    assert client.contents() == []
    repository.files[repository.target_path("file", b"data", algorithm)] = b"data"
    assert client.download("file") == 0


def test_the_right_bytes_of_the_wrong_length_are_refused(client, repository):
    for length in (3, 5, 0, 10 ** 12, 2 ** 62):
        repository.add_target("file", b"data")
        repository.targets["targets"]["file"]["length"] = length
        repository.release("targets")
        assert client.download("file") == 1
        assert client.contents() == []


@pytest.mark.parametrize("length", [-1, "4", 4.0, None, True, 2 ** 64], ids=repr)
def test_a_length_of_another_kind_is_refused(client, repository, length):
    repository.add_target("file", b"data")
    repository.targets["targets"]["file"]["length"] = length
    repository.release("targets")
    assert client.download("file") == 1
    assert client.contents() == []


@pytest.mark.parametrize("algorithms, good", [
    (["sha256"], True), (["sha512"], True), (["sha256", "sha512"], True), (["sha512", "sha256"], True)], ids=str)
def test_hashes(client, repository, algorithms, good):
    repository.add_target("file", b"data", algorithms=algorithms)
    repository.release("targets")
    assert client.download("file") == 0, client.stderr
    assert client.contents() == [b"data"]


@pytest.mark.parametrize("hashes", [
    {}, None, [], {"blake2b-256": "00" * 32}, {"sha256": ""}, {"sha256": "00"}, {"sha256": 1}, {"sha256": "zz" * 32},
    {"md5": digest(b"data", "md5")}, {"sha1": digest(b"data", "sha1")}], ids=str)
def test_hashes_that_prove_nothing(client, server, repository, hashes):
    repository.add_target("file", b"data")
    repository.targets["targets"]["file"]["hashes"] = hashes
    repository.release("targets")
    server.invent = lambda path: b"data" if path.startswith("targets/") else None
    assert client.download("file") == 1
    assert client.contents() == []


@pytest.mark.parametrize("good, bad", [("sha256", "sha512"), ("sha512", "sha256")])
def test_every_known_hash_must_be_right(client, server, repository, good, bad):
    repository.add_target("file", b"data", algorithms=[good, bad])
    repository.targets["targets"]["file"]["hashes"][bad] = digest(b"other", bad)
    repository.release("targets")
    server.invent = lambda path: b"data" if path.startswith("targets/") else None
    assert client.download("file") == 1
    assert client.contents() == []


def test_unknown_hashes_beside_known_ones_do_no_harm(client, repository):
    repository.add_target("file", b"data")
    repository.targets["targets"]["file"]["hashes"]["x-hash"] = "anything"
    repository.release("targets")
    assert client.download("file") == 0, client.stderr


def test_an_empty_file(client, server, repository):
    repository.add_target("empty", b"")
    repository.release("targets")
    assert client.download("empty") == 0, client.stderr
    assert client.contents() == [b""]
    server.take_requests()
    assert client.download("empty") == 0
    assert artifacts(server) == []


@pytest.mark.parametrize("size", [1, 16384, 5_000_000, 5_000_001, 20_000_000])
def test_files_of_all_sizes(client, repository, size):
    data = b"0123456789abcdef" * (size // 16) + b"x" * (size % 16)
    repository.add_target("large", data)
    repository.release("targets")
    assert client.download("large") == 0, client.stderr
    assert client.contents() == [data]


def test_bytes_of_every_value(client, repository):
    data = bytes(range(256)) * 3 + b"\r\n\0"
    repository.add_target("binary", data)
    repository.release("targets")
    assert client.download("binary") == 0
    assert client.contents() == [data]


@pytest.mark.parametrize("fault", [dict(status=404), dict(status=500), dict(status=204), dict(cut=2), dict(cut=0), dict(endless=True),
                                   dict(length=10 ** 12), dict(status=302, location="/loop"), dict(status=302)], ids=str)
def test_a_file_that_cannot_be_had(client, server, repository, fault):
    repository.add_target("file", b"data")
    repository.release("targets")
    server.fail(repository.target_path("file", b"data"), **fault)
    assert client.download("file", timeout=30) == 1
    assert client.contents() == [] and client.version("targets") == 2
    assert server.bytes_sent < 12_000_000
    server.heal()
    assert client.download("file") == 0


def test_a_file_that_comes_slowly(client, server, repository):
    data = b"x" * 2000
    repository.add_target("file", data)
    repository.release("targets")
    server.fail(repository.target_path("file", data), pause=0.02, piece=40)
    assert client.download("file") == 0, client.stderr


# ---- Several at once -------------------------------------------------------------------------------------------------


def publish_three(repository):
    for name in ("one", "two", "three"):
        repository.add_target(name, f"{name} content".encode())
    repository.release("targets")


def test_several_targets_are_one_refresh_and_come_in_order(client, server, repository):
    publish_three(repository)
    assert client.download("two", "three", "one") == 0
    assert server.take_requests() == ["2.root", "timestamp", "2.snapshot", "2.targets", *(
        repository.target_path(name, f"{name} content".encode()) for name in ("two", "three", "one"))]
    assert len(client.contents()) == 3


@pytest.mark.parametrize("failing", ["missing", "damaged"])
def test_the_first_failure_ends_the_run(client, server, repository, failing):
    publish_three(repository)
    repository.add_target("damaged", b"damaged content")
    repository.files[repository.target_path("damaged", b"damaged content")] = b"other"
    repository.release("targets")
    assert client.download("one", failing, "two") == 1
    assert client.contents() == [b"one content"]
    assert not any("two" in path for path in server.requests)


def test_the_same_target_twice_is_fetched_once(client, server, repository):
    publish_three(repository)
    assert client.download("one", "one") == 0
    assert len(artifacts(server)) == 1


def test_two_targets_of_the_same_content_are_two_files(client, repository):
    repository.add_target("a", b"same")
    repository.add_target("b", b"same")
    repository.release("targets")
    assert client.download("a", "b") == 0
    assert client.contents() == [b"same", b"same"]


def test_nothing_is_downloaded_when_the_refresh_fails(client, server, repository):
    publish_three(repository)
    assert client.download("one") == 0
    server.fail("metadata/timestamp.json", status=500)
    assert client.download("two") == 1
    assert client.contents() == [b"one content"]


def test_a_target_that_is_no_longer_signed_is_not_found(client, repository):
    publish_three(repository)
    assert client.download("one") == 0
    del repository.targets["targets"]["one"]
    repository.release("targets")
    assert client.download("one") == 1


def test_many_targets_in_one_role(client, repository):
    for number in range(5000):
        data = f"content {number}".encode()
        repository.targets["targets"][f"dir/file-{number}"] = {"length": len(data), "hashes": {"sha256": digest(data)}}
    repository.add_target("dir/file-4999", b"content 4999")
    repository.release("targets")
    assert client.download("dir/file-4999") == 0, client.stderr


@pytest.mark.parametrize("entry", [None, [], "text", 1, {}, {"length": 4}, {"hashes": {"sha256": digest(b"data")}}], ids=repr)
def test_an_entry_of_another_shape_is_no_target(client, server, repository, entry):
    repository.add_target("good", b"good data")
    repository.targets["targets"]["file"] = entry
    repository.release("targets")
    server.invent = lambda path: b"data" if path.startswith("targets/") else None
    assert client.download("file") == 1
    assert client.contents() == []
    client.download("good")  # it may be had in spite of it, or not
    del repository.targets["targets"]["file"]
    repository.release("targets")
    assert client.download("good") == 0, client.stderr
    assert json.loads(client.bytes("targets"))["signed"]["version"] == 3


def test_a_target_directory_that_is_missing(client, repository):
    publish_three(repository)
    client.targets.rmdir()
    status = client.download("one")
    assert status == 1 or client.contents() == [b"one content"]


def test_plain_repositories_are_read_too(make_client):
    repository = simulator.Repository(consistent=False)
    repository.add_target("dir/file", b"data")
    repository.release("targets")
    client = make_client(repository)
    assert client.download("dir/file") == 0, client.stderr
    assert artifacts(client.server) == ["targets/dir/file"]
