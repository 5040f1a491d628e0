"""What suture-publish makes, read by an implementation that shares no line with ours: tuf-js from npm.

Both read the same repository from the same server; suture-tuf is held against it."""
import hashlib
import json
import pathlib
import platform
import shutil
import subprocess
import tempfile

import pytest

import support
import tufclient
import web

HERE = pathlib.Path(__file__).resolve().parent
BASELINE = "testos-1-" + {"x86_64": "x86-64", "aarch64": "arm64"}.get(platform.machine(), "unknown")


@pytest.fixture(scope="module")
def tuf_js():
    """The command of the other client."""
    done = subprocess.run([HERE / "tuf-js/install.sh"], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        pytest.skip(f"NOT TESTED: tuf-js cannot be had: {done.stderr.strip()}")
    return ["node", done.stdout.strip() + "/client.js"]


@pytest.fixture(scope="module")
def place():
    path = pathlib.Path(tempfile.mkdtemp(prefix="suture-tuf-js.", dir="/var/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def shops(place):
    """The same publisher at its first release and at its second."""
    trees = place / "trees"
    support.make_baseline(trees / "baseline")
    for level in "ab":
        support.make_fixed(trees / f"fixed-{level}", level)
    first = support.Publisher(place / "shop", trees).start().release("a")
    shutil.copytree(first.path, place / "later")
    return first, support.Publisher(place / "later", trees).release("b")


@pytest.fixture
def shop(shops, work):
    """A copy that the test may change."""
    shutil.copytree(shops[0].path, work / "shop")
    return support.Publisher(work / "shop", shops[0].trees)


@pytest.fixture
def server(shop):
    server = web.Server(shop.public)
    yield server
    server.shutdown()
    server.server_close()


class Reader:
    """One client with its directories."""

    def __init__(self, command, work, server):
        self.command, self.server = command, server
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=work))
        self.metadata, self.targets = self.directory / "metadata", self.directory / "targets"
        self.metadata.mkdir()
        self.targets.mkdir()

    def __call__(self, *words):
        return subprocess.run(
            [*self.command, "--metadata-dir", self.metadata, "--metadata-url", f"{self.server.url}/metadata/",
             "--target-dir", self.targets, "--target-base-url", f"{self.server.url}/targets/", *words],
            capture_output=True, text=True, timeout=60)

    def init(self, shop):
        done = self("init", shop.public / "metadata/1.root.json")
        assert done.returncode == 0, done.stderr
        return self

    def download(self, *names):
        return self(*(f"--target-name={name}" for name in names), "download")

    def files(self):
        return {path.name.replace("%2F", "/"): path.read_bytes() for path in self.targets.iterdir()}

    def trusted(self):
        return {path.name: path.read_bytes() for path in self.metadata.glob("*.json")}


@pytest.fixture
def readers(tuf_js, work, server, shop):
    return [Reader(tuf_js, work, server).init(shop), Reader(tufclient.PROGRAM, work, server).init(shop)]


def published_targets(shop):
    """Path and content of all that is below targets/, whatever the metadata says of it."""
    found = {}
    for path in (shop.public / "targets").rglob("*.json"):
        digest, _, name = path.name.partition(".")
        relative = path.parent.relative_to(shop.public / "targets") / name
        content = path.read_bytes()
        assert digest == hashlib.sha256(content).hexdigest()
        found.setdefault(str(relative), []).append(content)
    return found


def latest(shop, role):
    if role == "timestamp":
        return (shop.public / "metadata/timestamp.json").read_bytes()
    return max((shop.public / "metadata").glob(f"*.{role}.json"), key=lambda path: int(path.name.split(".")[0])).read_bytes()


def test_it_refreshes(readers, shop):
    for reader in readers:
        done = reader("refresh")
        assert done.returncode == 0, done.stderr
        assert reader.trusted() == {f"{role}.json": latest(shop, role) for role in ("root", "timestamp", "snapshot", "targets")}


def test_both_ask_for_the_same(readers, server):
    asked = []
    for reader in readers:
        server.requests_seen.clear()
        assert reader("refresh").returncode == 0
        asked.append(list(server.requests_seen))
    assert asked[0] == asked[1]
    assert asked[0][:2] == ["metadata/2.root.json", "metadata/timestamp.json"]


def test_it_downloads_channel_and_manifest(readers, shop):
    names = [f"{BASELINE}/channel.json", f"{BASELINE}/a/manifest.json"]
    expected = published_targets(shop)
    for reader in readers:
        done = reader.download(*names)
        assert done.returncode == 0, done.stderr
        files = reader.files()
        assert sorted(files) == sorted(names)
        assert all(files[name] in expected[name] for name in names)
        assert json.loads(files[names[0]])["current"] == "a"
        assert json.loads(files[names[1]])["level"] == "a"


def test_it_follows_the_next_release(readers, shops, server):
    for reader in readers:
        assert reader.download(f"{BASELINE}/channel.json").returncode == 0
    server.directory = shops[1].public
    for reader in readers:
        done = reader.download(f"{BASELINE}/channel.json", f"{BASELINE}/a/manifest.json", f"{BASELINE}/b/manifest.json")
        assert done.returncode == 0, done.stderr
        assert json.loads(reader.files()[f"{BASELINE}/channel.json"])["current"] == "b"
        assert json.loads(reader.files()[f"{BASELINE}/b/manifest.json"])["level"] == "b"
        assert reader.trusted()["targets.json"] == latest(shops[1], "targets")


def test_it_follows_a_refresh_of_the_publisher(readers, shop):
    for reader in readers:
        assert reader("refresh").returncode == 0
    before = latest(shop, "timestamp")
    shop("refresh")
    assert latest(shop, "timestamp") != before
    for reader in readers:
        done = reader("refresh")
        assert done.returncode == 0, done.stderr
        assert reader.trusted()["timestamp.json"] == latest(shop, "timestamp")


def test_it_finds_nothing_that_is_not_there(readers):
    for reader in readers:
        assert reader.download(f"{BASELINE}/zz/manifest.json").returncode == 1
        assert reader.files() == {}


def test_it_refuses_to_go_back(readers, shops, server):
    server.directory = shops[1].public
    for reader in readers:
        assert reader("refresh").returncode == 0
    server.directory = shops[0].public
    for reader in readers:
        assert reader("refresh").returncode == 1


@pytest.mark.parametrize("path", ["metadata/timestamp.json", r"metadata/\d+.snapshot.json", r"metadata/\d+.targets.json",
                                  "targets/.*channel.json"])
def test_it_sees_each_flipped_bit(readers, server, path):
    """So its yes to the other tests means something."""
    server.fail(path, body=lambda body: body.replace(b'"version":1', b'"version":9').replace(b'"serial":1', b'"serial":9')
                .replace(b'"expires":"2', b'"expires":"3'))
    for reader in readers:
        assert reader.download(f"{BASELINE}/channel.json").returncode == 1
        assert reader.files() == {}


def test_all_targets_that_are_signed_can_be_had(readers, shops, server):
    server.directory = shops[1].public
    names = published_targets(shops[1])
    assert len(names) >= 3
    for reader in readers:
        done = reader.download(*names)
        assert done.returncode == 0, done.stderr
        assert sorted(reader.files()) == sorted(names)
