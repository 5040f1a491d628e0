"""The plain way: what is asked for, in which order, what is kept, and what goes unnoticed on purpose.

Of the public suite this covers the basic area: first and implicit refresh, initial roots, unknown fields, and what happens
when content changes under the same version."""
import json

import pytest

import simulator

ALL = {"root": 1, "timestamp": 1, "snapshot": 1, "targets": 1}
FULL = ["2.root", "timestamp", "1.snapshot", "1.targets"]


def test_a_first_refresh_asks_for_each_role_once_and_in_order(client, server):
    assert client.refresh() == 0
    assert server.take_requests() == FULL
    assert client.trusted() == ALL


def test_files_are_kept_byte_for_byte(client, repository):
    for role in ("timestamp", "snapshot", "targets"):
        repository.release_edited(role, lambda text: b"\n\t " + text.replace(b",", b" ,\r\n ") + b"\n\n")
    repository.release_edited("root", lambda text: text.replace(b'"_type"', b'"\\u005ftype"'))
    assert client.refresh() == 0, client.stderr
    for role in simulator.TOP_LEVEL:
        assert client.bytes(role) == repository.files[repository.path(role)]


def test_a_second_refresh_asks_only_what_may_have_changed(client, server):
    client.refresh()
    server.take_requests()
    assert client.refresh() == 0
    assert server.take_requests() == ["2.root", "timestamp"]
    assert client.trusted() == ALL


@pytest.mark.parametrize("role, asked", [
    ("timestamp", ["2.root", "timestamp"]),
    ("snapshot", ["2.root", "timestamp", "2.snapshot"]),
    ("targets", ["2.root", "timestamp", "2.snapshot", "2.targets"]),
    ("root", ["2.root", "3.root", "timestamp"]),
])
def test_only_new_versions_are_fetched(client, server, repository, role, asked):
    client.refresh()
    server.take_requests()
    repository.release_any(role)
    assert client.refresh() == 0
    assert server.take_requests() == asked
    assert client.version(role) == 2


def test_many_versions_are_skipped_at_once(client, server, repository):
    client.refresh()
    server.take_requests()
    for _ in range(20):
        repository.release("targets")
    assert client.refresh() == 0
    assert server.take_requests() == ["2.root", "timestamp", "21.snapshot", "21.targets"]


def test_init_keeps_the_root_as_it_is(client, repository):
    assert client.trusted() == {"root": 1}
    assert client.bytes("root") == repository.files["metadata/1.root.json"]


def test_init_again_takes_nothing_away(client, repository):
    repository.release_root()
    client.refresh()
    assert client.init() == 0
    assert client.versions() == (2, 1, 1, 1)
    assert client.refresh() == 0


def test_a_refresh_without_init_fails_and_asks_nobody(make_client, repository):
    client = make_client(repository, init=False)
    assert client.refresh() == 1
    assert client.server.take_requests() == [] and client.trusted() == {}


def test_a_download_refreshes_by_itself(client, server):
    assert client.download("nothing of that name") == 1
    assert server.take_requests() == FULL
    assert client.trusted() == ALL and client.files() == []


def edit_root(**changes):
    def edit(repository):
        repository.root.update(changes)
        for name in [name for name, value in changes.items() if value is None]:
            del repository.root[name]
        return repository.text("root")
    return edit


def flip_signature(repository):
    document = json.loads(repository.text("root"))
    signature = document["signatures"][0]
    signature["sig"] = f"{int(signature['sig'], 16) ^ 1:0{len(signature['sig'])}x}"
    return json.dumps(document).encode()


def root_without(role):
    def edit(repository):
        del repository.root["roles"][role]
        return repository.text("root")
    return edit


BAD_ROOTS = {
    "no version": edit_root(version=None),
    "no keys": edit_root(keys=None),
    "no roles": edit_root(roles=None),
    "no expiry": edit_root(expires=None),
    "no specification version": edit_root(spec_version=None),
    "a specification of another age": edit_root(spec_version="2.0.0"),
    "version 0": edit_root(version=0),
    "a negative version": edit_root(version=-1),
    "a version in quotes": edit_root(version="1"),
    "a version that is true": edit_root(version=True),
    "another type": edit_root(_type="targets"),
    "keys in a list": edit_root(keys=[]),
    "a bad signature": flip_signature,
    "no signature": lambda repository: repository.text("root", keys=[]),
    "another's signature": lambda repository: repository.text("root", keys=[simulator.Key()]),
    "no root role": root_without("root"),
    "no timestamp role": root_without("timestamp"),
    "no snapshot role": root_without("snapshot"),
    "no targets role": root_without("targets"),
    "no JSON": lambda repository: b"root",
    "nothing": lambda repository: b"",
    "null": lambda repository: b"null",
    "a list": lambda repository: b"[]",
    "the timestamp": lambda repository: repository.text("timestamp"),
    "cut": lambda repository: repository.text("root")[:-20],
    "signatures in an object": lambda repository: json.dumps(
        {"signatures": {}, "signed": repository.root}).encode(),
    "no signed part": lambda repository: b'{"signatures": []}',
}


@pytest.mark.parametrize("name", BAD_ROOTS)
def test_a_bad_initial_root_is_never_trusted(make_client, repository, name):
    client = make_client(repository, init=False)
    client.check_directories = lambda: None  # a client may keep it until it looks
    client.init(BAD_ROOTS[name](repository))
    assert client.refresh() == 1
    assert client.server.take_requests() == []


def test_a_missing_initial_root_is_an_error(make_client, repository):
    client = make_client(repository, init=False)
    assert client.run("init", client.initial_root) == 1


@pytest.mark.parametrize("version", [2, 3, 77])
def test_trust_may_begin_with_a_later_root(make_client, repository, version):
    while repository.root["version"] < version:
        repository.release_root()
    client = make_client(repository, init=False)
    assert client.init(repository.files[f"metadata/{version}.root.json"]) == 0
    assert client.refresh() == 0
    assert client.server.take_requests()[0] == f"{version + 1}.root"


def test_a_timestamp_of_the_same_version_is_ignored(client, server, repository):
    client.refresh()
    before = client.bytes("timestamp")
    repository.timestamp["meta"]["snapshot.json"]["version"] = 100
    repository.write("timestamp")
    assert client.refresh() == 0
    assert client.bytes("timestamp") == before
    assert server.take_requests()[-1] == "timestamp"


def test_a_bad_timestamp_of_the_same_version_changes_nothing(client, repository):
    client.refresh()
    before = client.bytes("timestamp")
    repository.timestamp["custom"] = 1
    repository.write("timestamp", keys=[simulator.Key()])
    client.refresh()
    assert client.bytes("timestamp") == before


UNKNOWN = {"text": "ü\n\"\\/", "nested": {"b": [1, {"z": None, "a": -5}], "a": True}, "": {}}


def test_unknown_fields_are_signed_but_mean_nothing(client, repository):
    key = repository.signers["root"][0].alias(**{"x-extra": UNKNOWN})
    key.object["keyval"]["private-hint"] = "none"
    root = repository.signers["root"]
    repository.set_keys("root", [key], signers=[*root, key])
    repository.root["roles"]["root"]["x-extra"] = UNKNOWN
    repository.snapshot["meta"]["x-role.json"] = {"version": 1, "x-extra": UNKNOWN}
    repository.timestamp["meta"]["x-role.json"] = {"version": 1}
    repository.add_target("name", b"data", custom=UNKNOWN)
    repository.delegate("targets", "A", **{"x-extra": UNKNOWN})
    for role in (*simulator.TOP_LEVEL, "A"):
        repository.signed[role]["x-extra"] = UNKNOWN
    repository.release_root()
    repository.release("A", "targets")
    assert client.refresh() == 0, client.stderr
    assert client.versions() == (2, 2, 2, 2)
    assert client.download("name") == 0 and client.download("missing") == 1
    assert client.version("A") == 1


def test_unknown_fields_beside_the_signed_part_are_no_part_of_it(client, repository):
    def edit(text):
        document = json.loads(text)
        document["x-extra"] = UNKNOWN
        document["signatures"][0]["x-extra"] = UNKNOWN
        return json.dumps(document).encode()

    for role in (*simulator.TOP_LEVEL[1:], "root"):
        repository.release_edited(role, edit)
    assert client.refresh() == 0, client.stderr
    assert client.version("root") == 2


@pytest.mark.parametrize("field", ["x-extra", "_type", "expires"])
def test_a_field_that_is_changed_after_signing_is_noticed(client, repository, field):
    repository.timestamp["x-extra"] = "as signed"

    def edit(text):
        document = json.loads(text)
        document["signed"][field] += " "
        return json.dumps(document).encode()

    repository.release_edited("timestamp", edit)
    assert client.refresh() == 1
    assert client.trusted() == {"root": 1}


@pytest.mark.parametrize("role", simulator.TOP_LEVEL)
@pytest.mark.parametrize("spec_version, good", [
    ("1.0.0", True), ("1.0.99", True), ("1.7.3", True), ("2.0.0", False), ("0.9.0", False), ("", False), (1, False)])
def test_specification_versions(client, repository, role, spec_version, good):
    repository.signed[role]["spec_version"] = spec_version
    repository.release_any(role)
    assert client.refresh() == (0 if good else 1)
    assert client.version(role) == (2 if good else 1 if role == "root" else None)


@pytest.mark.parametrize("role", simulator.TOP_LEVEL)
@pytest.mark.parametrize("field", ["_type", "version", "expires", "spec_version"])
def test_each_role_needs_its_fields(client, repository, role, field):
    del_version = repository.signed[role]["version"] + 1

    def edit(_):
        signed = dict(repository.signed[role])
        del signed[field]
        return json.dumps(repository.sign(signed, repository.signers[role])).encode()

    repository.release_edited(role, edit)
    assert client.refresh() == 1
    assert client.version(role) != del_version


@pytest.mark.parametrize("role, field", [
    ("root", "keys"), ("root", "roles"), ("timestamp", "meta"), ("snapshot", "meta"), ("targets", "targets")])
@pytest.mark.parametrize("value", [None, [], "text", 1], ids=repr)
def test_each_role_needs_its_own_part(client, repository, role, field, value):
    def edit(_):
        signed = {**repository.signed[role], field: value}
        return json.dumps(repository.sign(signed, repository.signers[role])).encode()

    client.refresh()
    repository.release_edited(role, edit)
    assert client.refresh() == 1
    assert client.version(role) == 1


@pytest.mark.parametrize("role, field", [("timestamp", "meta"), ("snapshot", "meta"), ("targets", "targets")])
@pytest.mark.parametrize("value", [None, [], {"targets.json": 1, "snapshot.json": 1, "name": 1}], ids=repr)
@pytest.mark.parametrize("known", [False, True], ids=["first", "later"])
def test_a_repository_that_signed_nonsense_recovers(client, repository, role, field, value, known):
    def edit(_):
        signed = {**repository.signed[role], field: value}
        return json.dumps(repository.sign(signed, repository.signers[role])).encode()

    if known:
        client.refresh()
    repository.release_edited(role, edit)
    client.refresh()
    repository.release_any(role)
    assert client.refresh() == 0, client.stderr
    assert client.version(role) == 3


@pytest.mark.parametrize("role", simulator.TOP_LEVEL)
@pytest.mark.parametrize("type_", [*simulator.TOP_LEVEL, "mirrors", "Root", ""])
def test_a_role_of_another_type_is_refused(client, repository, role, type_):
    if type_ == role:
        pytest.skip("its own type")
    repository.signed[role]["_type"] = type_
    repository.release_any(role)
    assert client.refresh() == 1
    assert client.version(role) == (1 if role == "root" else None)


@pytest.mark.parametrize("role", simulator.TOP_LEVEL)
def test_another_role_s_file_in_its_place_is_refused(client, repository, role):
    other = "snapshot" if role == "targets" else "targets"
    repository.release_edited(role, lambda _: repository.files[repository.path(other)])
    assert client.refresh() == 1
    assert client.version(role) == (1 if role == "root" else None)


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
@pytest.mark.parametrize("rubbish", [b"", b"rubbish", b"{}", b"{\"signed\": {}, \"signatures\": []}", b"\0" * 100])
def test_rubbish_in_the_directory_is_replaced(client, server, repository, role, rubbish):
    client.refresh()
    server.take_requests()
    client.path(role).write_bytes(rubbish)
    assert client.refresh() == 0, client.stderr
    assert client.bytes(role) == repository.files[repository.path(role)]
    assert client.trusted() == ALL


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_metadata_that_was_forged_in_the_directory_is_replaced(client, repository, role):
    client.refresh()
    forged = json.loads(client.bytes(role))
    forged["signed"]["version"] += 1000
    client.path(role).write_bytes(json.dumps(forged).encode())
    assert client.refresh() == 0, client.stderr
    assert client.bytes(role) == repository.files[repository.path(role)]


def test_a_damaged_root_in_the_directory_is_never_used(client, server):
    client.refresh()
    server.take_requests()
    client.path("root").write_bytes(client.bytes("root")[:-30])
    client.check_directories = lambda: None
    assert client.refresh() == 1
    assert server.take_requests() == []


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_what_is_lost_in_the_directory_is_fetched_again(client, repository, role):
    client.refresh()
    client.path(role).unlink()
    assert client.refresh() == 0
    assert client.trusted() == ALL


def test_without_consistent_snapshots_names_have_no_version(make_client):
    repository = simulator.Repository(consistent=False)
    repository.delegate("targets", "A", paths=["*"])
    repository.add_target("file", b"data", role="A")
    repository.add_target("dir/file", b"other data", role="targets")
    repository.release("A", "targets")
    client = make_client(repository)
    assert client.download("file", "dir/file") == 0, client.stderr
    assert client.server.take_requests() == ["2.root", "timestamp", "snapshot", "targets", "A", "targets/file",
                                             "targets/dir/file"]
    assert sorted(client.contents()) == [b"data", b"other data"]
    repository.release_root()
    repository.release("targets")
    assert client.refresh() == 0
    assert client.versions() == (2, 3, 3, 3)


def test_consistent_snapshots_may_be_switched_on(make_client):
    repository = simulator.Repository(consistent=False)
    client = make_client(repository)
    assert client.refresh() == 0
    client.server.take_requests()
    repository.root["consistent_snapshot"] = True
    repository.release_root()
    repository.release("targets")
    assert client.refresh() == 0
    assert client.server.take_requests() == ["2.root", "3.root", "timestamp", "2.snapshot", "2.targets"]


def test_the_server_s_trouble_is_no_answer(client, server, repository):
    """An error is not the absence of a newer root."""
    server.fail("metadata/2.root.json", status=500)
    assert client.refresh() == 1
    assert client.trusted() == {"root": 1}
    server.heal()
    assert client.refresh() == 0


@pytest.mark.parametrize("path, trusted", [
    ("timestamp", {"root"}), ("1.snapshot", {"root", "timestamp"}), ("1.targets", {"root", "timestamp", "snapshot"})])
@pytest.mark.parametrize("fault", [
    dict(status=404), dict(status=403), dict(status=500), dict(status=204), dict(cut=0), dict(cut=100), dict(length=10 ** 12),
    dict(status=302, location="/else"), dict(status=302, location="file:///etc/passwd"), dict(status=301)], ids=str)
def test_a_role_that_cannot_be_had(client, server, path, trusted, fault):
    server.fail(f"metadata/{path}.json", **fault)
    assert client.refresh() == 1
    assert set(client.trusted()) == trusted
    server.heal()
    assert client.refresh() == 0
    assert client.trusted() == ALL


def test_a_redirect_to_itself_ends(client, server):
    server.fail("metadata/timestamp.json", status=302, location="timestamp.json")
    assert client.refresh() == 1
    assert len(server.requests) < 100


def test_nobody_listens(client, server):
    server.shutdown()
    server.server_close()
    assert client.refresh() == 1
    assert client.trusted() == {"root": 1}


def test_slow_bodies_arrive(client, server):
    server.fail("metadata/1.targets.json", pause=0.05, piece=64)
    assert client.refresh() == 0
    assert client.trusted() == ALL
