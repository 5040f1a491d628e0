"""Delegations: who is asked for a target, in which order, and by whose keys.

Of the public suite this covers the delegation graphs and the search for targets along them; it leaves out hashed prefixes,
bins, roles that two others delegate to with different keys, bounds, and what a failing role does to a search."""
import hashlib

import pytest

import simulator
from simulator import Key, bin_name

FIRST = ["2.root", "timestamp", "1.snapshot", "1.targets"]


def publish(repository):
    """All delegated roles and the targets role, each at version 1."""
    for role in repository.signed:
        if role not in simulator.TOP_LEVEL:
            repository.signed[role]["version"] = 1
            repository.write(role)
            repository.list_in_snapshot(role)
    repository.targets["version"] = 0
    repository.snapshot["version"] = 0
    repository.release("targets")


def visited(server):
    """The delegated roles that were asked for, in order."""
    requests = server.take_requests()
    assert requests[:4] == FIRST
    return [name.split(".", 1)[1] for name in requests[4:] if not name.startswith("targets/")]


# Edges (delegator, role, paths, terminating), and who is asked for a file that nobody has.
GRAPHS = {
    "one": ([("targets", "A")], "A"),
    "two": ([("targets", "A"), ("targets", "B")], "A B"),
    "below the second": ([("targets", "A"), ("targets", "B"), ("B", "C")], "A B C"),
    "depth first": ([("targets", "A"), ("targets", "B"), ("A", "C"), ("A", "D")], "A C D B"),
    "depth first, three levels": ([("targets", "A"), ("targets", "B"), ("A", "C"), ("C", "D")], "A C D B"),
    "terminating": ([("targets", "A"), ("targets", "B"), ("A", "C", "*", True), ("A", "D")], "A C"),
    "below a terminating one": ([("targets", "A"), ("targets", "B"), ("A", "C", "*", True), ("C", "D")], "A C D"),
    "terminating at once": ([("targets", "A", "*", True), ("targets", "B"), ("A", "C")], "A C"),
    "terminating in the middle": ([("targets", "A"), ("targets", "B", "*", True), ("targets", "C")], "A B"),
    "terminating, but for other paths": ([("targets", "A", "*.py", True), ("targets", "B")], "B"),
    "paths that do not match": ([("targets", "A", "*.py"), ("targets", "B"), ("A", "C")], "B"),
    "paths that do not match below": ([("targets", "A"), ("targets", "B"), ("A", "C", "*.py"), ("C", "D")], "A B"),
    "a cycle": ([("targets", "A"), ("targets", "B"), ("B", "C"), ("C", "D"), ("D", "B")], "A B C D"),
    "to itself": ([("targets", "A"), ("A", "A"), ("targets", "B")], "A B"),
    "two to a third": ([("targets", "A"), ("targets", "B"), ("B", "C"), ("A", "C")], "A C B"),
    "two to a third, for different paths": ([("targets", "A"), ("targets", "B"), ("B", "C"), ("A", "C", "*.py")], "A B C"),
    "wide": ([("targets", name) for name in "FEDCBA"], "F E D C B A"),
    "nobody": ([("targets", "A", "*.py")], ""),
    "deep": ([("targets", "A"), *((chr(c), chr(c + 1)) for c in range(ord("A"), ord("P")))], " ".join("ABCDEFGHIJKLMNOP")),
}


def add_edges(repository, edges):
    def add(delegator, role, pattern="*", terminating=False):
        repository.delegate(delegator, role, paths=[pattern], terminating=terminating)

    for edge in edges:
        add(*edge)


def build(repository, edges):
    add_edges(repository, edges)
    publish(repository)


@pytest.mark.parametrize("name", GRAPHS)
def test_the_order_of_a_search(client, server, repository, name):
    edges, order = GRAPHS[name]
    build(repository, edges)
    assert client.download("missing") == 1
    assert visited(server) == order.split()
    assert set(client.trusted()) == {*simulator.TOP_LEVEL, *order.split()}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_second_search_asks_for_nothing(client, server, repository, name):
    edges, _ = GRAPHS[name]
    build(repository, edges)
    client.download("missing")
    server.take_requests()
    assert client.download("missing") == 1
    assert server.take_requests() == ["2.root", "timestamp"]


@pytest.mark.parametrize("name", GRAPHS)
def test_the_first_in_order_who_has_it_wins(client, repository, name):
    edges, order = GRAPHS[name]
    add_edges(repository, edges)
    for role in set(repository.signed) - set(simulator.TOP_LEVEL):
        repository.add_target("file", f"by {role}".encode(), role=role)
    publish(repository)
    first = order.split()[:1]
    assert client.download("file") == (0 if first else 1)
    assert client.contents() == [f"by {role}".encode() for role in first]


def test_the_targets_role_comes_before_all_others(client, server, repository):
    repository.delegate("targets", "A")
    repository.add_target("file", b"by A", role="A")
    repository.add_target("file", b"by targets")
    publish(repository)
    assert client.download("file") == 0
    assert client.contents() == [b"by targets"] and visited(server) == []


TREE_FILES = {
    "README.md": (b"by A", "A"), "releases/x/x_v1": (b"by C", "B C"), "releases/y/y_v1.zip": (b"by D", "B D"),
    "top": (b"by targets", ""),
    "releases/z/z_v1.zip": (None, "B"),  # D has it, but was not given that path
    "releases/y/y_v1.tar": (None, "B"), "releases/x": (None, ""), "docs/README.md": (None, ""),
    "releases/x/deeper/x_v1": (None, ""),
}


@pytest.mark.parametrize("path", TREE_FILES)
def test_paths_are_checked_at_each_step(client, server, repository, path):
    repository.delegate("targets", "A", paths=["*.doc", "*.md"])
    repository.delegate("targets", "B", paths=["releases/*/*"])
    repository.delegate("B", "C", paths=["releases/x/*"])
    repository.delegate("B", "D", paths=["releases/y/*.zip"])
    owner = {b"by A": "A", b"by C": "C", b"by targets": "targets"}
    for name, (data, _) in TREE_FILES.items():
        data = data or f"not delegated: {name}".encode()
        repository.add_target(name, data, role=owner.get(data, "D"))
    publish(repository)
    data, order = TREE_FILES[path]
    assert client.download(path) == (1 if data is None else 0)
    assert visited(server) == order.split()
    assert client.contents() == ([] if data is None else [data])


PATTERNS = [
    ("file", "file", True), ("file", "file2", False), ("file", "fil", False), ("*", "file", True), ("*", "a/file", False),
    ("*/*", "a/file", True), ("*/*", "file", False), ("*/*", "a/b/file", False), ("a/*", "a/file", True), ("a/*", "a/", True),
    ("a/*", "b/file", False), ("a/*", "a/b/file", False), ("*.tgz", "file.tgz", True), ("*.tgz", "file.tgz.sig", False),
    ("f*e", "file", True), ("f*e", "fe", True), ("f*l*e", "file", True), ("f*x*e", "file", False), ("**", "file", True),
    ("**", "a/file", False), ("**/file", "a/b/file", False), ("foo-version-?.tgz", "foo-version-2.tgz", True),
    ("foo-version-?.tgz", "foo-version-10.tgz", False), ("foo-version-?.tgz", "foo-version-.tgz", False),
    ("?", "ä", True), ("??", "ä", False), ("a?b", "a/b", False), ("[abc]", "b", True), ("[abc]", "d", False),
    ("[a-c]x", "bx", True), ("[a-c]x", "dx", False), ("[!a]", "b", True), ("[!a]", "a", False), ("a[!b]c", "a/c", False),
    ("[]]", "]", True), ("[", "[", True), ("a[b", "a[b", True), ("FILE", "file", False), ("", "file", False), ("/*", "file", False),
    ("*", "", True), ("*a*a*a*a*a*a*a*a*b", "a" * 60, False), ("file*", "file", True), ("a/b/*/d", "a/b/c/d", True),
    ("a/b/*/d", "a/b/d", False), ("*/", "a/", True), ("file with blank", "file with blank", True), ("ä*", "äö", True),
]


@pytest.mark.parametrize("pattern, path, matches", PATTERNS, ids=lambda value: repr(value)[:24])
def test_patterns(client, server, repository, pattern, path, matches):
    """Shell patterns of which nothing matches a slash but a slash."""
    repository.delegate("targets", "A", paths=["unrelated", pattern])
    publish(repository)
    assert client.download(path) == 1
    assert visited(server) == (["A"] if matches else [])


def test_no_paths_delegate_nothing(client, server, repository):
    repository.delegate("targets", "A", paths=[])
    repository.add_target("file", b"data", role="A")
    publish(repository)
    assert client.download("file") == 1
    assert visited(server) == []


@pytest.mark.parametrize("length", [1, 2, 8, 63, 64])
def test_hash_prefixes(client, server, repository, length):
    mine = next(f"dir/file{i}" for i in range(100) if hashlib.sha256(f"dir/file{i}".encode()).hexdigest()[0] == "a")
    other = next(f"dir/file{i}" for i in range(100) if hashlib.sha256(f"dir/file{i}".encode()).hexdigest()[0] != "a")
    prefixes = ["fedcba9876", hashlib.sha256(mine.encode()).hexdigest()[:length]]
    repository.delegate("targets", "A", paths=None, path_hash_prefixes=prefixes)
    repository.add_target(mine, b"mine", role="A")
    repository.add_target(other, b"other", role="A")
    publish(repository)
    assert client.download(mine) == 0, client.stderr
    assert visited(server) == ["A"]
    assert client.download(other) == 1
    assert client.contents() == [b"mine"]


@pytest.mark.parametrize("fields", [{"paths": ["*"], "path_hash_prefixes": ["00"]}, {}, {"paths": "*"}, {"paths": [1]},
                                    {"path_hash_prefixes": [None]}, {"paths": {"*": "*"}}], ids=str)
def test_a_delegation_without_a_proper_set_of_paths(client, server, repository, fields):
    """Refused, or it delegates nothing."""
    role = repository.delegate("targets", "A", paths=None)
    role.update(fields)
    repository.add_target("file", b"data", role="A")
    publish(repository)
    assert client.download("file") == 1 or fields.get("paths") == ["*"]
    assert client.version("A") is None or fields.get("paths") == ["*"]


# ---- What a role that fails does to a search -------------------------------------------------------------------------

def bad_signature(repository):
    repository.write("A", keys=[Key()])


def other_version(repository):
    repository.signed["A"]["version"] = 7
    repository.serve("A", repository.text("A"), version=1)


def expired(repository):
    repository.signed["A"]["expires"] = simulator.days_from_now(-1)
    repository.write("A")


def is_absent(repository):
    del repository.files["metadata/1.A.json"]


def not_in_the_snapshot(repository):
    del repository.snapshot["meta"]["A.json"]
    repository.snapshot["version"] = 0
    repository.release_snapshot()


def rubbish(repository):
    repository.serve("A", b"rubbish")


def other_type(repository):
    repository.signed["A"]["_type"] = "snapshot"
    repository.write("A")


def other_role(repository):
    repository.files["metadata/1.A.json"] = repository.files["metadata/1.B.json"]


FAILURES = [bad_signature, other_version, expired, is_absent, not_in_the_snapshot, rubbish, other_type, other_role]


@pytest.mark.parametrize("damage", FAILURES)
def test_a_role_that_fails_ends_the_search(client, server, repository, damage):
    """Else whoever can break the first role decides that the second is believed."""
    repository.delegate("targets", "A")
    repository.delegate("targets", "B")
    repository.add_target("file", b"by A", role="A")
    repository.add_target("file", b"by B", role="B")
    publish(repository)
    damage(repository)
    assert client.download("file") == 1
    assert client.contents() == [] and client.version("A") is None
    assert "B" not in visited(server)


@pytest.mark.parametrize("damage", FAILURES)
def test_a_role_that_fails_does_not_matter_to_others(client, repository, damage):
    repository.delegate("targets", "A", paths=["a/*"])
    repository.delegate("targets", "B", paths=["b/*"])
    repository.add_target("b/file", b"by B", role="B")
    publish(repository)
    damage(repository)
    assert client.download("b/file") == 0, client.stderr
    assert client.contents() == [b"by B"]


@pytest.mark.parametrize("damage", FAILURES)
def test_a_role_that_failed_may_be_mended(client, repository, damage):
    repository.delegate("targets", "A")
    repository.delegate("targets", "B")
    repository.add_target("file", b"by A", role="A")
    publish(repository)
    damage(repository)
    assert client.download("file") == 1
    repository.signed["A"].update(version=1, _type="targets", expires=simulator.days_from_now(9))
    repository.release("A")
    assert client.download("file") == 0, client.stderr


def test_a_nested_role_that_fails_ends_the_search_too(client, server, repository):
    build(repository, [("targets", "A"), ("A", "C"), ("A", "D"), ("targets", "B")])
    repository.write("C", keys=[Key()])
    assert client.download("missing") == 1
    assert visited(server) == ["A", "C"]


def test_stored_roles_are_checked_again(client, repository):
    """A role in the directory that nobody signed is no role."""
    repository.delegate("targets", "A")
    repository.add_target("file", b"by A", role="A")
    publish(repository)
    assert client.download("file") == 0
    repository.add_target("file", b"forged", role="A")
    repository.genuine.discard(b"forged")
    client.path("A").write_bytes(repository.text("A", keys=[Key()]))
    assert client.download("file") == 0
    assert client.contents() == [b"by A"]
    assert client.bytes("A") == repository.files["metadata/1.A.json"]


def test_a_new_version_of_a_role_is_seen(client, server, repository):
    build(repository, [("targets", "A"), ("targets", "B")])
    client.download("missing")
    server.take_requests()
    repository.add_target("file", b"new", role="B")
    repository.release("B")
    assert client.download("file") == 0
    assert [name for name in server.take_requests() if not name.startswith("targets/")] == [
        "2.root", "timestamp", "2.snapshot", "2.B"]


def test_hashes_of_delegated_roles_are_checked(client, repository):
    repository.hash_names, repository.tell_length = ("sha256",), True
    build(repository, [("targets", "A")])
    repository.serve("A", repository.files["metadata/1.A.json"] + b"\n")
    assert client.download("missing") == 1
    assert client.version("A") is None


# ---- One role, two delegators ----------------------------------------------------------------------------------------


class Diamond:
    """A and B both delegate to C, each with a key of its own, of which `signing` sign C."""

    def __init__(self, repository, signing):
        keys = {"A": Key(), "B": Key()}
        for name in "AB":
            repository.delegate("targets", name, paths=[f"{name.lower()}/*"])
            repository.delegate(name, "C", paths=[f"{name.lower()}/*"], keys=[keys[name]])
        repository.signers["C"] = [keys[name] for name in signing]
        repository.add_target("a/file", b"for A", role="C")
        repository.add_target("b/file", b"for B", role="C")
        publish(repository)


def test_a_role_is_judged_by_the_one_it_was_reached_through(client, repository):
    Diamond(repository, "A")
    assert client.download("a/file") == 0, client.stderr
    assert client.download("b/file") == 1, "C is in the directory, but B's key did not sign it"
    assert client.download("a/file") == 0
    assert client.contents() == [b"for A"]


def test_the_same_from_the_other_side(client, repository):
    Diamond(repository, "A")
    assert client.download("b/file") == 1
    assert client.contents() == [] and client.version("C") is None
    assert client.download("a/file") == 0, client.stderr


def test_the_same_in_one_run(client, repository):
    Diamond(repository, "A")
    assert client.download("a/file", "b/file") == 1
    assert client.contents() == [b"for A"]


def test_the_same_in_one_run_the_other_way(client, repository):
    Diamond(repository, "B")
    assert client.download("a/file", "b/file") == 1
    assert client.contents() == []


def test_signed_for_both_it_is_good_for_both(client, server, repository):
    Diamond(repository, "AB")
    assert client.download("a/file", "b/file") == 0, client.stderr
    assert sorted(client.contents()) == [b"for A", b"for B"]
    assert [name for name in server.take_requests() if not name.startswith("targets/")] == [*FIRST, "1.A", "1.C", "1.B"]
    assert client.download("b/file") == 0


def test_a_threshold_is_that_of_the_delegation(client, repository):
    one, other = Key(), Key()
    repository.delegate("targets", "A", paths=["a/*"])
    repository.delegate("targets", "B", paths=["b/*"])
    repository.delegate("A", "C", paths=["a/*"], keys=[one, other], threshold=1)
    repository.delegate("B", "C", paths=["b/*"], keys=[one, other], threshold=2)
    repository.signers["C"] = [one]
    repository.add_target("a/file", b"for A", role="C")
    repository.add_target("b/file", b"for B", role="C")
    publish(repository)
    assert client.download("a/file") == 0, client.stderr
    assert client.download("b/file") == 1
    assert client.download("a/file", "b/file") == 1


def test_keys_of_another_delegation_do_not_count(client, repository):
    """B's key stands in the same file as A's."""
    repository.delegate("targets", "A", paths=["a/*"])
    repository.delegate("targets", "B", paths=["b/*"])
    repository.signers["A"] = repository.signers["B"]
    repository.add_target("a/file", b"data", role="A")
    publish(repository)
    assert client.download("a/file") == 1
    assert client.version("A") is None


def test_a_role_that_lost_its_delegation_has_no_say(client, repository):
    repository.delegate("targets", "A")
    repository.add_target("file", b"by A", role="A")
    publish(repository)
    assert client.download("file") == 0
    client.files()[0].unlink()
    del repository.targets["delegations"]
    repository.release("targets")
    assert client.download("file") == 1
    assert client.contents() == []


def test_new_keys_of_a_delegation_are_asked_for_at_once(client, repository):
    repository.delegate("targets", "A")
    repository.add_target("file", b"by A", role="A")
    publish(repository)
    assert client.download("file") == 0
    del repository.targets["delegations"]
    repository.delegate("targets", "A", keys=[Key()], signers=repository.signers["A"])
    repository.release("targets")
    client.files()[0].unlink()
    assert client.download("file") == 1
    assert client.contents() == []


# ---- Names and shapes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*simulator.TOP_LEVEL, ""])
def test_a_delegation_in_the_name_of_a_top_level_role_is_refused(client, repository, name):
    before = client.bytes("root")
    key = Key()
    role = repository.delegate("targets", "A", keys=[key])
    role["name"] = name
    repository.add_target("file", b"data", role="A")
    publish(repository)
    repository.files[f"metadata/1.{name}.json"] = repository.files["metadata/1.A.json"] if name != "targets" else \
        repository.files["metadata/1.targets.json"]
    assert client.download("file") == 1
    assert client.contents() == []
    assert client.bytes("root") == before


@pytest.mark.parametrize("change", [
    lambda delegations: delegations.update(succinct_roles={
        "keyids": delegations["roles"][0]["keyids"], "threshold": 1, "bit_length": 8, "name_prefix": "bin"}),
    lambda delegations: delegations.pop("roles"),
    lambda delegations: delegations.pop("keys"),
    lambda delegations: delegations.update(keys=[]),
    lambda delegations: delegations.update(roles={}),
    lambda delegations: delegations.update(roles=[1]),
    lambda delegations: delegations["roles"][0].pop("name"),
    lambda delegations: delegations["roles"][0].update(name=1),
    lambda delegations: delegations["roles"][0].pop("keyids"),
    lambda delegations: delegations["roles"][0].pop("threshold"),
    lambda delegations: delegations["roles"][0].update(threshold=0),
    lambda delegations: delegations["roles"][0].update(terminating="no"),
    lambda delegations: delegations["roles"].append(delegations["roles"][0]),
], ids=["bins besides", "no roles", "no keys", "keys in a list", "roles in an object", "a number for a role", "no name",
        "a number for a name", "no keyids", "no threshold", "threshold 0", "terminating is text", "a role twice"])
def test_delegations_of_another_shape_delegate_nothing(client, repository, change):
    repository.delegate("targets", "A")
    repository.add_target("file", b"data", role="A")
    change(repository.targets["delegations"])
    publish(repository)
    assert client.download("file") == 1
    assert client.contents() == []


@pytest.mark.parametrize("change", [
    lambda delegations: delegations.update(roles=[1]), lambda delegations: delegations.update(keys={"00": 1})],
    ids=["roles", "keys"])
def test_delegations_of_another_shape_do_not_last(client, repository, change):
    repository.delegate("targets", "A")
    repository.add_target("file", b"data", role="A")
    good = {**repository.targets["delegations"]}
    change(repository.targets["delegations"])
    publish(repository)
    assert client.download("file") == 1
    repository.targets["delegations"] = good
    repository.release("targets")
    assert client.download("file") == 0, client.stderr


def test_delegations_to_nobody(client, repository):
    repository.targets["delegations"] = {"keys": {}, "roles": []}
    repository.add_target("file", b"data")
    publish(repository)
    assert client.download("file") == 0, client.stderr
    assert client.download("missing") == 1


# ---- Bounds ----------------------------------------------------------------------------------------------------------


def chain(repository, length):
    above = "targets"
    for number in range(1, length + 1):
        repository.delegate(above, f"role{number}")
        above = f"role{number}"
    repository.add_target("file", b"data", role=above)
    publish(repository)


@pytest.mark.parametrize("length, found", [(31, True), (40, False)])
def test_at_most_32_roles_are_asked_in_depth(client, server, repository, length, found):
    chain(repository, length)
    assert client.download("file") == (0 if found else 1), client.stderr
    assert len(visited(server)) in ([length] if found else [31, 32, 33])


def test_at_most_32_roles_are_asked_in_breadth(client, server, repository):
    for number in range(100):
        repository.delegate("targets", f"role{number}")
    repository.add_target("file", b"data", role="role99")
    publish(repository)
    assert client.download("file") == 1
    assert len(visited(server)) in (31, 32, 33)


def test_roles_that_do_not_match_are_not_counted(client, server, repository):
    for number in range(200):
        repository.delegate("targets", f"role{number}", paths=[f"{number}/*"])
    repository.add_target("199/file", b"data", role="role199")
    publish(repository)
    assert client.download("199/file") == 0, client.stderr
    assert visited(server) == ["role199"]


def test_each_target_of_a_run_has_a_search_of_its_own(client, server, repository):
    for number in range(60):
        repository.delegate("targets", f"role{number}", paths=[f"{number}/*"])
        repository.add_target(f"{number}/file", str(number).encode(), role=f"role{number}")
    publish(repository)
    assert client.download(*(f"{number}/file" for number in range(60))) == 0, client.stderr
    assert len(client.contents()) == 60


def test_endless_delegations_end(client, server, repository):
    """Each role that is asked for delegates to the next, which is listed as well."""
    chain(repository, 200)
    assert client.download("nothing") == 1
    assert len(visited(server)) <= 33


# ---- Hash bins (TAP 15) ----------------------------------------------------------------------------------------------

BINNED = [f"dir/file-{number}" for number in range(6)]


def publish_bins(repository, bit_length, prefix="bin"):
    key = repository.delegate_bins("targets", prefix, bit_length)
    for path in BINNED:
        name = bin_name(prefix, bit_length, path)
        repository.add_role(name, [key])
        repository.add_target(path, path.encode(), role=name)
    publish(repository)
    return key


@pytest.mark.parametrize("bit_length", [1, 2, 7, 8, 9, 14, 16, 31, 32])
def test_a_bin_is_found_by_the_hash_of_the_path(client, server, repository, bit_length):
    publish_bins(repository, bit_length)
    assert client.download(BINNED[0]) == 0, client.stderr
    assert visited(server) == [bin_name("bin", bit_length, BINNED[0])]
    assert client.download(*BINNED) == 0, client.stderr
    assert sorted(client.contents()) == sorted(path.encode() for path in BINNED)


@pytest.mark.parametrize("bit_length", [1, 8, 14])
def test_only_the_right_bin_is_asked(client, server, repository, bit_length):
    key = publish_bins(repository, bit_length)
    wrong = next(name for name in (f"bin-{n:0{len(f'{2 ** bit_length - 1:x}')}x}" for n in range(2))
                 if name != bin_name("bin", bit_length, "stray"))
    repository.add_role(wrong, [key])
    repository.add_target("stray", b"stray", role=wrong)
    right = bin_name("bin", bit_length, "stray")
    repository.add_role(right, [key])
    publish(repository)
    assert client.download("stray") == 1
    assert visited(server) == [right]
    assert client.contents() == []


def test_a_bin_that_others_signed_is_refused(client, repository):
    publish_bins(repository, 8)
    repository.write(bin_name("bin", 8, BINNED[0]), keys=[Key()])
    assert client.download(BINNED[0]) == 1
    assert client.contents() == []


def test_a_bin_that_is_absent_ends_the_search(client, repository):
    publish_bins(repository, 8)
    assert client.download("a path of no bin that is there") == 1


@pytest.mark.parametrize("changes", [{"bit_length": 0}, {"bit_length": 33}, {"bit_length": -1}, {"bit_length": "8"},
                                     {"bit_length": None}, {"name_prefix": 1}, {"threshold": 0}, {"keyids": None}], ids=str)
def test_bins_of_another_shape_delegate_nothing(client, repository, changes):
    publish_bins(repository, 8)
    repository.targets["delegations"]["succinct_roles"].update(changes)
    repository.release("targets")
    assert client.download(BINNED[0]) == 1
    assert client.contents() == []


def test_bins_below_a_delegated_role(client, server, repository):
    repository.delegate("targets", "A", paths=["dir/*"])
    key = repository.delegate_bins("A", "a-bins", 4)
    name = bin_name("a-bins", 4, "dir/x")
    repository.add_role(name, [key])
    repository.add_target("dir/x", b"data", role=name)
    publish(repository)
    assert client.download("dir/x") == 0, client.stderr
    assert visited(server) == ["A", name]
