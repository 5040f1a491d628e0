"""Uploads to an object store: s3rver from npm, behind a gate that verifies signatures and can fail."""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

import pytest

import followers
import gate
import support

HERE = pathlib.Path(__file__).resolve().parent
BUCKET, PREFIX = "improvements", "debian/stable"
FOREVER, ASK = "public, max-age=31536000, immutable", "no-cache"
# The order of the groups: everything of one is there before anything of the next.
ORDER = ["objects/", "targets/", "log/tile/", "metadata/", "advisories/", "log/checkpoint"]


@pytest.fixture(scope="session")
def s3rver():
    done = subprocess.run([HERE / "s3rver/install.sh"], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        pytest.skip(f"NOT TESTED: s3rver cannot be had: {done.stderr.strip()}")
    # It encrypts what it tells of a list's next page by DES.
    return ["node", "--openssl-legacy-provider", done.stdout.strip() + "/server.js"]


@pytest.fixture
def store(s3rver, work):
    (work / "store").mkdir()
    server = subprocess.Popen([*s3rver, work / "store", BUCKET], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    front = gate.Gate(int(server.stdout.readline()), BUCKET)
    yield front
    front.shutdown()
    front.server_close()
    server.stdin.close()
    server.wait(20)


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, **support.SANITIZERS, "AWS_ACCESS_KEY_ID": gate.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": gate.SECRET_KEY, **more}


def command(shop, store, *more):
    return [support.BUILD / "suture-publish", "-C", shop.path, "upload", f"s3://{BUCKET}/{PREFIX}", "--endpoint", store.url, *more]


def upload(shop, store, *more, check=True, env=None):
    return support.run(*command(shop, store, *more), check=check, env=env or environment(), timeout=120)


def get(store, path):
    return urllib.request.urlopen(f"{store.url}/{BUCKET}/{PREFIX}/{path}", timeout=20)


def files_of(shop):
    return {str(path.relative_to(shop.public)): path.read_bytes() for path in shop.public.rglob("*") if path.is_file()}


def changes(store):
    return [(method, key.removeprefix(PREFIX + "/")) for method, key in store.changes()]


def accepted(shop, store):
    """A device would take what is served now: all of it, objects included."""
    return json.loads(shop("check", "--json", "--url", f"{store.url}/{BUCKET}/{PREFIX}").stdout)


class Device(followers.Follower):
    """One that follows the store over HTTP."""

    def refresh(self, store):
        base = f"{store.url}/{BUCKET}/{PREFIX}"
        self._run("--metadata-url", f"{base}/metadata", "refresh")
        return self

    def copy(self, path):
        shutil.copytree(self.path, path)
        return Device(path)


def test_the_gate_knows_the_signature_of_the_specification():
    """The example of its own documentation, "GET Object": else no test here would say anything about signatures."""
    empty = hashlib.sha256(b"").hexdigest()
    headers = {"host": "examplebucket.s3.amazonaws.com", "range": "bytes=0-9", "x-amz-content-sha256": empty,
               "x-amz-date": "20130524T000000Z"}
    assert gate.signature("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "GET", "/test.txt", "", headers, sorted(headers), empty,
                          ["20130524", "us-east-1", "s3", "aws4_request"], "20130524T000000Z") == \
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"


def test_the_whole_of_it(own_shop, store):
    shown = upload(own_shop, store, "--dry-run").stdout
    assert changes(store) == [] and "To upload:" in shown
    done = upload(own_shop, store)
    here = files_of(own_shop)
    assert f"Uploaded {len(here)} files" in done.stdout
    for path, content in here.items():
        assert get(store, path).read() == content
        assert f"put {path} ({len(content)} bytes; " in shown
    accepted(own_shop, store)
    # Once more: nothing differs, so nothing is sent.
    changes(store)
    assert f"Uploaded 0 files (0 bytes) to s3://{BUCKET}/{PREFIX}; {len(here)} were there." in upload(own_shop, store).stdout
    assert changes(store) == []


def test_only_what_changed_is_sent(own_shop, store):
    upload(own_shop, store)
    changes(store)
    before = files_of(own_shop)
    own_shop("refresh")
    upload(own_shop, store)
    new = sorted(path for path, content in files_of(own_shop).items() if before.get(path) != content)
    sent = changes(store)
    assert sorted(sent) == [("PUT", path) for path in new] and len(new) == 2
    assert sent[-1] == ("PUT", "metadata/timestamp.json")


def test_the_order_and_the_headers(own_shop, store):
    support.write(own_shop.public / "advisories/index.html", "<p>one</p>")
    support.write(own_shop.public / "advisories/feed.atom", "<feed/>")
    support.write(own_shop.public / "log/tile/0/000.p/1", b"0" * 32)
    support.write(own_shop.public / "log/checkpoint", "a log\n")
    support.write(own_shop.public / "index.html", "somebody else's")
    support.write(own_shop.public / "objects/partial", "left behind")
    upload(own_shop, store, "--jobs=3")
    headers = {key.removeprefix(PREFIX + "/"): sent for method, key, _, sent in store.asked if method == "PUT"}
    sent = [key for _, key in changes(store)]
    assert sent[-1] == "metadata/timestamp.json" and sent[-2] == "metadata/1.root.json"
    groups = [next(i for i, start in enumerate(ORDER) if key.startswith(start)) for key in sent[:-2]]
    assert groups == sorted(groups) and set(groups) == set(range(len(ORDER)))
    assert "index.html" not in sent and "objects/partial" not in sent
    for path, fields in headers.items():
        changing = path in ("metadata/timestamp.json", "log/checkpoint") or path.startswith("advisories/")
        assert fields["Cache-Control"] == (ASK if changing else FOREVER), path
        assert fields["x-amz-content-sha256"] == hashlib.sha256(files_of(own_shop)[path]).hexdigest()
    assert headers["metadata/1.root.json"]["Content-Type"] == "application/json"
    assert headers["advisories/index.html"]["Content-Type"] == "text/html; charset=utf-8"
    assert headers["advisories/feed.atom"]["Content-Type"] == "application/atom+xml"
    assert headers["log/checkpoint"]["Content-Type"] == "text/plain; charset=utf-8"
    assert headers[own_shop.delta()]["Content-Type"] == "application/octet-stream"
    # And the store gives them to whoever reads.
    assert get(store, "metadata/timestamp.json").headers["Content-Type"] == "application/json"


# What is done to a repository that is in the store already.
CHANGES = {
    "release": lambda shop: (shop.build("b"), shop("release")),
    "refresh": lambda shop: shop("refresh"),
    "rotate timestamp": lambda shop: shop("key", "rotate", "timestamp"),
    "rotate root and snapshot": lambda shop: (shop("key", "rotate", "root"), shop("key", "rotate", "snapshot")),
    "rotate targets, then release": lambda shop: (shop("key", "rotate", "targets"), shop.build("b"), shop("release")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_stopped_after_each_request(change, own_shop, store, work):
    """Devices that followed, devices that are new, and those that the publisher's own check is: whatever was sent when the
    upload ended, all of them take what is there."""
    upload(own_shop, store)
    before = support.Publisher(work / "before", own_shop.trees)
    shutil.copytree(own_shop.path, before.path)
    old = Device(work / "old", own_shop.public).refresh(store)
    former = old.version("timestamp")
    CHANGES[change](own_shop)
    newest = json.loads((own_shop.public / "metadata/timestamp.json").read_text())["signed"]["version"]
    moments = 0
    while True:
        changes(store)
        store.fault = lambda method, key: (403, gate.refusal("AccessDenied", "enough")) \
            if method == "PUT" and any(asked[0] == "PUT" for asked in store.asked) else None
        done = upload(own_shop, store, "--jobs=1", check=False)
        store.fault = None
        sent = [key for _, key in changes(store)]
        assert len(sent) == (done.returncode != 0) or done.returncode == 0
        moments += len(sent)
        device = old.copy(work / f"old-{moments}-{len(sent)}").refresh(store)
        Device(work / f"new-{moments}-{len(sent)}", own_shop.public).refresh(store)
        if done.returncode == 0:
            break
        assert "AccessDenied: enough" in done.stderr
        if sent[0] != "metadata/timestamp.json":
            accepted(before, store)
    assert moments > 1 and device.version("timestamp") == newest > former
    assert device.version("root") == len(list(own_shop.public.glob("metadata/*.root.json")))
    accepted(own_shop, store)
    # Whoever came by at the last moment, too, hears of the end: no two timestamps are the same to him.
    old.refresh(store)
    assert old.version("timestamp") == newest


def test_killed_while_it_sends(own_shop, store):
    """By a signal that nobody can catch; public/ is another one when it goes on."""
    uploading = None

    def slow(method, key):
        if method == "PUT" and "targets/" in key:
            uploading.send_signal(signal.SIGKILL)
            time.sleep(0.3)
    store.fault = slow
    uploading = subprocess.Popen(command(own_shop, store), env=environment())
    assert uploading.wait(30) == -signal.SIGKILL
    store.fault = None
    assert not any(key.endswith("timestamp.json") for _, key in changes(store))
    own_shop("refresh")
    upload(own_shop, store)
    accepted(own_shop, store)


def test_a_root_goes_between_two_timestamps(own_shop, store):
    upload(own_shop, store)
    own_shop("key", "rotate", "timestamp")
    own_shop("key", "rotate", "root")
    changes(store)
    upload(own_shop, store)
    last = [key.removeprefix("metadata/") for _, key in changes(store)][-5:]
    assert last == ["timestamp.json", "2.root.json", "timestamp.json", "3.root.json", "timestamp.json"]


def test_a_root_whose_timestamp_is_lost(own_shop, store):
    upload(own_shop, store)
    own_shop("key", "rotate", "timestamp")
    shutil.rmtree(own_shop.path / "roots")
    changes(store)
    upload(own_shop, store)
    assert [key for _, key in changes(store)][-2:] == ["metadata/2.root.json", "metadata/timestamp.json"]
    accepted(own_shop, store)


def test_an_older_workspace_is_refused(own_shop, store, work):
    older = support.Publisher(work / "older", own_shop.trees)
    shutil.copytree(own_shop.path, older.path)
    own_shop("refresh")
    upload(own_shop, store)
    changes(store)
    done = upload(older, store, check=False)
    assert done.returncode == 28 and "devices would refuse what is here" in done.stderr and changes(store) == []
    older("refresh")
    done = upload(older, store, check=False)
    assert done.returncode == 28 and "which another workspace made" in done.stderr and changes(store) == []
    upload(older, store, "--force")
    assert changes(store)


@pytest.mark.parametrize("variable, value, reason", [
    ("AWS_ACCESS_KEY_ID", "SOMEBODY", "InvalidAccessKeyId: The key that you sent does not exist."),
    ("AWS_SECRET_ACCESS_KEY", "wrong", "SignatureDoesNotMatch: The signature that we calculated"),
])
def test_a_wrong_key(variable, value, reason, shop, store):
    done = upload(shop, store, check=False, env=environment(**{variable: value}))
    assert done.returncode == 20 and f"the server answered 403: {reason}" in done.stderr
    assert store.asked == []


def test_a_session(shop, store):
    upload(shop, store, env=environment(AWS_SESSION_TOKEN="a session/+="))
    assert all(headers["x-amz-security-token"] == "a session/+=" for _, _, _, headers in store.asked)


def test_another_region(shop, store):
    store.region = "eu-central-1"
    upload(shop, store, "--region=eu-central-1")
    upload(shop, store, env=environment(AWS_REGION="eu-central-1"))


@pytest.mark.parametrize("without", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_without_credentials(without, shop, store):
    env = environment()
    del env[without]
    done = upload(shop, store, check=False, env=env)
    assert done.returncode == 22 and without in done.stderr


def test_a_bucket_that_is_not_there(shop, store):
    done = support.run(support.BUILD / "suture-publish", "-C", shop.path, "upload", "s3://another", "--endpoint", store.url,
                       check=False, env=environment())
    assert done.returncode == 24 and "NoSuchBucket" in done.stderr


@pytest.mark.parametrize("fault", [
    (503, gate.refusal("SlowDown", "Reduce your request rate.")), (500, gate.refusal("InternalError", "again")), (502, b"?"),
    "break"], ids=["slow down", "internal", "gateway", "connection"])
def test_a_server_that_fails_for_a_moment(fault, own_shop, store):
    """Each request the first time that it comes."""
    seen = set()

    def once(method, key):
        if (method, key) in seen or method == "GET":
            return None
        seen.add((method, key))
        return fault
    store.fault = once
    upload(own_shop, store, "--jobs=8")
    store.fault = None
    assert len(seen) > 5
    accepted(own_shop, store)


def test_a_server_that_keeps_failing(shop, store):
    store.fault = lambda method, key: (503, gate.refusal("SlowDown", "Not today."))
    began = time.monotonic()
    done = upload(shop, store, check=False)
    assert done.returncode == 23 and "503: SlowDown: Not today." in done.stderr
    assert time.monotonic() - began > 1, "it did not even wait"


def test_a_long_list(own_shop, store):
    """More than one page: a thousand names each."""
    upload(own_shop, store)
    for number in range(1100):
        support.write(own_shop.public / f"log/tile/0/x{number // 1000:03}/{number % 1000:03}", b"t")
    upload(own_shop, store, "--jobs=8")
    store.asked.clear()
    assert "Uploaded 0 files" in upload(own_shop, store).stdout
    assert any("continuation-token=" in query for _, _, query, _ in store.asked)


def test_prune(own_shop, store):
    """What is no more in public/ goes, after the timestamp; what is not ours stays."""
    upload(own_shop, store)
    lost = "targets/old/0000.channel.json"
    foreign = ["metadata/notes.txt", "other/file", "index.html"]
    for path in (lost, *foreign):
        request = urllib.request.Request(f"http://127.0.0.1:{store.behind}/{BUCKET}/{PREFIX}/{path}", b"{}", method="PUT")
        urllib.request.urlopen(request, timeout=20)
    own_shop("refresh")
    changes(store)
    assert f"remove {lost}\n" in upload(own_shop, store, "--prune", "--dry-run").stdout and changes(store) == []
    assert "; 1 removed." in upload(own_shop, store, "--prune").stdout
    assert changes(store)[-2:] == [("PUT", "metadata/timestamp.json"), ("DELETE", lost)]
    with pytest.raises(urllib.error.HTTPError):
        get(store, lost)
    assert all(get(store, path).read() == b"{}" for path in foreign)
    accepted(own_shop, store)


def test_a_rotten_object_is_not_sent(own_shop, store):
    support.flip(own_shop.public / own_shop.delta(), 100)
    done = upload(own_shop, store, check=False)
    assert done.returncode == 30 and "its digest is not its name's" in done.stderr
    assert not any(key.endswith("timestamp.json") for _, key in changes(store))


def test_nobody_changes_public_meanwhile(own_shop, store):
    statuses = []

    def meanwhile(method, key):
        if key.endswith("timestamp.json") and method == "PUT":
            statuses.append(own_shop("refresh", check=False).returncode)
    store.fault = meanwhile
    upload(own_shop, store)
    assert statuses == [21]


@pytest.mark.parametrize("where, more", [
    ("http://bucket", []), ("s3://", []), ("s3://UPPER", []), ("s3://bucket/../x", []), ("s3://bucket//x", []),
    ("s3://bucket", ["--endpoint=ftp://a"]), ("s3://bucket", ["--region=a b"]),
    ("s3://bucket", ["--endpoint=https://key:secret@a"]),
])
def test_places_that_are_none(where, more, shop):
    done = shop("upload", where, "--endpoint=http://127.0.0.1:9", *more, check=False, env=environment())
    assert done.returncode == 2
