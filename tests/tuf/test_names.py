"""Names that mean something elsewhere: in URLs, in file names, in patterns. Roles first, then targets.

Of the public suite this covers the quoting area; it leaves out most of these names, and all those of targets."""
import os
import urllib.parse

import pytest

import simulator
from simulator import quote

ROLE_NAMES = ["?", "#", "/delegated", "../delegated", "../../etc/passwd", ".", "..", "...", "a b", " ", "ä€", "😀", "%2F", "%", "a%2Fb",
              "a/b", "a\\b", "*", "[x]", "a?b=c&d", "a:b", "~", "-rf", "--help", "'\"", "$(id)", "`id`", "a\nb", "a\tb", "<b>", ";",
              "root.json", "99.root", "timestamp.etag", "Root", "nul", "con", "A" * 200]


def delegate(repository, name):
    repository.delegate("targets", name)
    repository.add_target("file", b"data", role=name)
    repository.release(name, "targets")


@pytest.mark.parametrize("consistent", [True, False], ids=["consistent", "plain"])
@pytest.mark.parametrize("name", ROLE_NAMES, ids=lambda name: quote(name)[:30])
def test_a_role_of_an_unusual_name(make_client, work, name, consistent):
    repository = simulator.Repository(consistent=consistent)
    delegate(repository, name)
    client = make_client(repository)
    beside = {path.name for path in work.rglob("*")}
    assert client.download("file") == 0, client.stderr
    asked = [path for path in client.server.requests if path.startswith("metadata/")]
    assert asked[-1] == f"metadata/{'1.' if consistent else ''}{quote(name)}.json"
    assert client.trusted() == {"root": 1, "timestamp": 2, "snapshot": 2, "targets": 2, name: 1}
    assert client.path(name).read_bytes() == repository.files[repository.path(name)]
    made = {path.name for path in work.rglob("*")} - beside
    assert {file for file in made if file.endswith(".json")} == {
        f"{quote(role)}.json" for role in ("timestamp", "snapshot", "targets", name)}
    client.server.take_requests()
    assert client.download("file") == 0
    assert len(client.server.requests) == 2


@pytest.mark.parametrize("name", ["A" * 245, "A" * 246, "A" * 250, "A" * 251, "A" * 300, "ä" * 41, "ä" * 100, "A" * 5000, "A" * 100_000],
                         ids=lambda name: f"{name[0]} {len(name)}")
def test_a_role_whose_name_is_long(client, repository, name):
    """It need not work: no file may have such a name. It must end well."""
    delegate(repository, name)
    repository.add_target("own", b"own data")
    repository.release("targets")
    if client.download("file") == 0:
        assert client.version(name) == 1
    client.download("own")
    assert client.version("root") == 1 and client.version("timestamp") == 3


def test_names_that_differ_in_quoting_only_are_two_roles(client, repository):
    for number, name in enumerate(["a/b", "a%2Fb", "a%252Fb"]):
        repository.delegate("targets", name, paths=[f"{number}/*"])
        repository.add_target(f"{number}/file", name.encode(), role=name)
        repository.release(name)
    repository.release("targets")
    assert client.download("0/file", "1/file", "2/file") == 0, client.stderr
    assert sorted(client.contents()) == [b"a%252Fb", b"a%2Fb", b"a/b"]


# ---- Targets ---------------------------------------------------------------------------------------------------------

SAFE_NAMES = ["file", "dir/file", "a/b/c/d/e/f", "file with blanks", "ä/€", "😀", "a+b", "a=b&c", "~user", "-rf", "--target-name",
              "a'b", "(x)", "a,b;c", "UPPER", "x.json", "root.json", "a@b:c", "A" * 150]
ODD_NAMES = ["../file", "../../file", "/file", "//file", "/etc/passwd", "dir/../file", "dir/../../../file", "dir/", "dir//file", "./file",
             ".", "..", "/", "...", "%2e%2e/file", "..%2Ffile", "%2F", "%", "%zz", "a?b", "a#b", "a\\b", "..\\file", "a\nb", "*", "[x]",
             "\"", "<x>", "A" * 255, "A" * 5000, "/".join("d" * 300), " ", "http://127.0.0.1:1/x"]


def below(top):
    return {str(path.relative_to(top)) for path in top.rglob("*")}


@pytest.mark.parametrize("consistent", [True, False], ids=["consistent", "plain"])
@pytest.mark.parametrize("name", SAFE_NAMES, ids=lambda name: quote(name)[:30])
def test_a_target_of_a_good_name(make_client, name, consistent):
    repository = simulator.Repository(consistent=consistent)
    repository.add_target(name, b"data")
    repository.release("targets")
    repository.files.update({quote_path(path): data for path, data in repository.files.items() if path.startswith("targets/")})
    client = make_client(repository)
    assert client.download(name) == 0, client.stderr
    assert client.contents() == [b"data"]
    before = client.stamps()
    client.server.take_requests()
    assert client.download(name) == 0
    assert client.stamps() == before
    assert client.server.take_requests() == ["2.root", "timestamp"]


def quote_path(path):
    """As a client may ask for it: all that has a meaning in a URL is encoded, or but little."""
    return urllib.parse.quote(path, "/!$&'()*+,;=:@~")


@pytest.mark.parametrize("consistent", [True, False], ids=["consistent", "plain"])
@pytest.mark.parametrize("name", ODD_NAMES, ids=lambda name: quote(name)[:30])
def test_a_target_of_an_odd_name_stays_inside(make_client, work, name, consistent):
    """It need not work, but whatever is written is written below the target directory."""
    repository = simulator.Repository(consistent=consistent)
    repository.add_target(name, b"data")
    repository.add_target("good", b"good data")
    repository.release("targets")
    client = make_client(repository)
    client.server.invent = lambda path: b"data" if path.startswith(("targets/", "/")) and not path.endswith(".json") else None
    client.refresh()
    before = below(work)
    status = client.download(name)
    assert client.contents() == ([b"data"] if status == 0 else [])
    target_dir = str(client.targets.relative_to(work))
    assert all(path.startswith(f"{target_dir}/") for path in below(work) - before)
    assert client.download("good") == 0, client.stderr


def test_a_target_of_a_hidden_name(client, repository):
    repository.add_target(".well-known/file", b"data")
    repository.release("targets")
    assert client.download(".well-known/file") == 0, client.stderr
    assert client.contents() == [b"data"]


def test_names_of_targets_that_look_alike_are_two_targets(client, repository):
    names = ["a/b", "a%2Fb", "a_b", "A/b", "a/B"]
    for name in names:
        repository.add_target(name, name.encode())
    repository.release("targets")
    repository.files.update({quote_path(path): data for path, data in repository.files.items() if path.startswith("targets/")})
    assert client.download(*names) == 0, client.stderr
    assert sorted(client.contents()) == sorted(name.encode() for name in names)


@pytest.mark.parametrize("what", ["a link to a file", "a link to nothing", "a directory", "a pipe"])
def test_what_lies_in_the_way_is_not_followed(client, work, repository, what):
    repository.add_target("file", b"data")
    repository.release("targets")
    assert client.download("file") == 0
    path, = client.files()
    path.unlink()
    outside = work / "outside"
    outside.write_bytes(b"untouched")
    if what == "a directory":
        path.mkdir()
    elif what == "a pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(outside if what == "a link to a file" else work / "nothing")
    client.check_directories = lambda: None
    status = client.download("file", timeout=10)
    assert outside.read_bytes() == b"untouched" and not (work / "nothing").exists()
    assert status == 1 or (path.read_bytes() == b"data" and not path.is_symlink())


def test_a_target_that_nobody_signs_is_not_asked_for(client, server, repository):
    repository.files["targets/file"] = b"data"
    assert client.download("file") == 1
    assert not [path for path in server.requests if path.startswith("targets/")]
