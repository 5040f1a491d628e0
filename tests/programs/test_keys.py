"""Keys: made, kept, listed, replaced and revoked; and what never gets out."""
import json
import os
import pathlib
import pty
import re
import shutil
import stat
import subprocess
import time

import pytest

import followers
import support

ROLES = ["root", "targets", "snapshot", "timestamp"]


@pytest.fixture
def shop_of_two(work, shop):
    """A publisher with a released level, and a follower that is up to date."""
    shutil.copytree(shop.path, work / "shop")
    publisher = support.Publisher(work / "shop", shop.trees)
    return publisher, followers.Follower(work / "old", publisher.public).refresh(publisher.public)


def publish(directory, *arguments, check=True, **options):
    """suture-publish in a directory, as on a machine of its own."""
    environment = {**os.environ, **support.SANITIZERS, **options.pop("env", {})}
    return support.run(support.BUILD / "suture-publish", *arguments, cwd=directory, env=environment, check=check, **options)


def key_new(directory, name, *arguments, passphrase=None):
    if passphrase:
        support.write(directory / f"{name}.pass", passphrase + "\n", 0o600)
        arguments += ("--passphrase-file", f"{name}.pass")
    publish(directory, "key", "new", name, *arguments)
    return directory / f"{name}.pub"


def role_of(publisher, name):
    return next(role for role in json.loads(publisher("key", "list", "--json").stdout)["roles"] if role["role"] == name)


def key_names(publisher, role):
    return [key["name"] for key in role_of(publisher, role)["keys"]]


# Made and kept


@pytest.mark.parametrize("kind, scheme", [(None, "ed25519"), ("ed25519", "ed25519"), ("ecdsa", "ecdsa-sha2-nistp256"),
                                          ("rsa", "rsassa-pss-sha256")])
@pytest.mark.parametrize("passphrase", [None, "correct horse"])
def test_a_new_key_without_a_workspace(kind, scheme, passphrase, work):
    key_new(work, "alice", *(["--type", kind] if kind else []), passphrase=passphrase)
    document = json.loads((work / "alice.pub").read_text())
    assert (document["type"], document["version"], document["name"]) == ("suture-key", 1, "alice")
    assert document["key"]["scheme"] == scheme and len(document["keyid"]) == 64
    private = work / "alice.pem"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    head = private.read_text().splitlines()[0]
    assert head == f"-----BEGIN {'ENCRYPTED ' if passphrase else ''}PRIVATE KEY-----"
    # openssl takes it for what it is, and only with the passphrase.
    done = support.run("openssl", "pkey", "-in", private, "-noout", "-passin", f"pass:{passphrase or ''}")
    assert done.returncode == 0
    if passphrase:
        assert support.run("openssl", "pkey", "-in", private, "-noout", "-passin", "pass:wrong", check=False).returncode != 0


def test_the_id_is_that_of_tuf(work):
    """SHA-256 of the canonical JSON of the key object, computed here by another program."""
    key_new(work, "alice")
    document = json.loads((work / "alice.pub").read_text())
    canonical = json.dumps(document["key"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert support.hashlib.sha256(canonical.encode()).hexdigest() == document["keyid"]


def test_a_new_key_in_a_workspace_goes_to_keys(own_shop):
    said = own_shop("key", "new", "spare").stdout
    document = json.loads((own_shop.path / "keys/spare.pub").read_text())
    assert document["keyid"] in said and "keys/spare.pem" in said
    unused, = json.loads(own_shop("key", "list", "--json").stdout)["unused"]
    assert (unused["name"], unused["private"], unused["encrypted"]) == ("spare", "here", False)


def test_no_key_replaces_another(work):
    key_new(work, "alice")
    before = (work / "alice.pem").read_bytes()
    done = publish(work, "key", "new", "alice", check=False)
    assert done.returncode == 40 and "there is a key 'alice' already" in done.stderr
    (work / "alice.pub").unlink()
    assert publish(work, "key", "new", "alice", check=False).returncode == 40
    assert (work / "alice.pem").read_bytes() == before


@pytest.mark.parametrize("name", ["../alice", "a/b", "", ".hidden", "x" * 200])
def test_a_name_that_is_none(name, work):
    assert publish(work, "key", "new", name, check=False).returncode == 2
    assert not list(work.iterdir())


def test_what_is_for_whom(own_shop):
    """keys/ is closed, and so is every private key; nothing below public/ is secret."""
    keys = own_shop.path / "keys"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in keys.glob("*.pem")} == {0o600}
    secrets = [line for p in keys.glob("*.pem") for line in p.read_text().splitlines()[1:-1]]
    assert len(secrets) == 5
    for path in own_shop.path.rglob("*"):
        if path.is_file() and path.stat().st_mode & 0o077:
            assert not any(secret.encode() in path.read_bytes() for secret in secrets), path


# Passphrases


@pytest.mark.parametrize("arguments, says", [
    ([], "the passphrase of 'root.pem' is needed"),
    (["--passphrase-file", "wrong"], "the passphrase of 'root.pem' is wrong"),
    (["--passphrase-file", "empty"], "the first line of 'empty' is empty"),
    (["--passphrase-file", "none"], "cannot open the passphrase file 'none'"),
    (["--passphrase-file", "long"], "too long"),
])
def test_what_is_said_of_a_passphrase(arguments, says, work, trees):
    for name, text in (("right", "right"), ("wrong", "wrong"), ("empty", ""), ("long", "x" * 5000)):
        support.write(work / name, text + "\n", 0o600)
    publish(work, "-C", "shop", "init", "--passphrase-file", "right")
    done = publish(work, "-C", "shop", "refresh", "root", *arguments, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode != 0 and says in done.stderr, done.stderr
    assert not (work / "shop/staged").exists() or not list((work / "shop/staged").glob("*.json"))
    publish(work, "-C", "shop", "refresh", "root", env={"SUTURE_PASSPHRASE_FILE": "right"}, stdin=subprocess.DEVNULL)
    assert (work / "shop/public/metadata/2.root.json").exists()
    publish(work, "-C", "shop", "refresh", stdin=subprocess.DEVNULL)  # which a timer does


def on_terminal(directory, answers, *arguments):
    """Run on a terminal, and give one answer to each question; returns the exit status and all that was shown."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(directory)
        os.execv(support.BUILD / "suture-publish", ["suture-publish", *arguments])
    shown, asked = b"", 0
    while True:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        shown += data
        while asked < len(answers) and shown.count(b"': ") > asked:
            time.sleep(0.05)  # until the echo is off
            os.write(fd, answers[asked].encode())
            asked += 1
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode(), asked


def test_a_passphrase_is_asked_for_on_a_terminal(work):
    status, shown, asked = on_terminal(work, ["geheim\n", "geheim\n"], "key", "new", "alice", "--ask-passphrase")
    assert (status, asked) == (0, 2) and "geheim" not in shown, shown
    assert "ENCRYPTED" in (work / "alice.pem").read_text()
    status, shown, _ = on_terminal(work, ["geheim\n", "gehe1m\n"], "key", "new", "bob", "--ask-passphrase")
    assert status == 2 and "the two passphrases differ" in shown and not (work / "bob.pem").exists()
    status, shown, _ = on_terminal(work, ["\n"], "key", "new", "bob", "--ask-passphrase")
    assert status == 2 and "empty" in shown and not (work / "bob.pem").exists()
    status, shown, _ = on_terminal(work, ["gehe\x03"], "key", "new", "bob", "--ask-passphrase")
    assert status == 42 and not (work / "bob.pem").exists()


def test_nothing_secret_is_ever_shown(work):
    """Not in any output, and not where every process can see it."""
    passphrase = "a passphrase that nobody may see"
    directory = work / "machine"
    directory.mkdir()
    key_new(directory, "alice", passphrase=passphrase)
    trace = work / "trace"
    if not shutil.which("strace"):
        pytest.skip("NOT TESTED: strace is not installed")
    done = publish(directory, "-C", "../shop", "init", "--root-key", "alice.pub")
    shutil.copy(work / "shop/staged/1.root.json", directory)
    done = support.run("strace", "-f", "-s", "4096", "-e", "trace=execve,write", "-o", trace, support.BUILD / "suture-publish",
                       "sign", "1.root.json", "--passphrase-file", "alice.pass", cwd=directory,
                       env={**os.environ, "ASAN_OPTIONS": "exitcode=99:detect_leaks=0"})
    secret = support.run("openssl", "pkey", "-in", directory / "alice.pem", "-passin", f"pass:{passphrase}",
                         "-outform", "PEM").stdout.splitlines()[1]
    for text in (done.stdout, done.stderr, trace.read_text()):
        assert passphrase not in text and secret not in text
    assert "execve(" in trace.read_text() and "Signed:" in done.stdout


# Listed


def test_key_list_says_where_every_key_is(own_shop, work):
    baseline = followers.baseline_of(own_shop)
    document = json.loads(own_shop("key", "list", "--json").stdout)
    assert [role["role"] for role in document["roles"]] == [*ROLES, baseline]
    for role in document["roles"]:
        key, = role["keys"]
        assert (key["name"], key["private"], role["threshold"]) == (role["role"], "here", 1)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", role["expires"])
    (own_shop.path / "keys/root.pem").unlink()
    (own_shop.path / "keys/targets.pub").unlink()
    document = json.loads(own_shop("key", "list", "--json").stdout)
    keys = {role["role"]: role["keys"][0] for role in document["roles"]}
    assert keys["root"]["private"] == "elsewhere" and keys["targets"]["name"] is None
    text = own_shop("key", "list").stdout
    assert "elsewhere" in text and "not encrypted" in text and keys["root"]["keyid"][:16] in text


# Replaced


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("role", [*ROLES, "baseline"])
def test_every_role_gets_other_keys(role, kind, shop_of_two, work):
    publisher, old = shop_of_two
    name = followers.baseline_of(publisher) if role == "baseline" else role
    publisher("key", "rotate", name, "--type", kind)
    assert key_names(publisher, name) == [f"{name}-2"]
    new = followers.Follower(work / "new", publisher.public)
    for device in (old, new):
        device.refresh(publisher.public)
        assert device.offered(publisher.public, followers.baseline_of(publisher)) == "a"
    # With the former key alone nothing can be signed any more that a device takes.
    (publisher.path / f"keys/{name}-2.pem").rename(work / "away")
    for arguments in (["refresh", name], ["refresh"]):
        publisher(*arguments, check=False)
    version = old.version("timestamp")
    try:
        old.refresh(publisher.public)
    except followers.Refused as refused:
        raise AssertionError("what was published before is not accepted any more") from refused
    assert old.version("timestamp") == version or role not in ("snapshot", "timestamp")


def test_a_role_of_several_keys(own_shop, work):
    (work / "elsewhere").mkdir()
    keys = [key_new(work / "elsewhere", name) for name in ("alice", "bob")]
    own_shop("key", "rotate", "targets", own_shop.path / "keys/targets.pub", *keys, "--threshold", "1")
    assert key_names(own_shop, "targets") == ["targets", "alice", "bob"] and role_of(own_shop, "targets")["threshold"] == 1
    own_shop("check")
    # A fresh key takes the place of the one that is here.
    own_shop("key", "rotate", "targets")
    assert set(key_names(own_shop, "targets")) == {"targets-2", "alice", "bob"}
    own_shop("check")
    done = own_shop("key", "rotate", "targets", *keys, "--threshold", "3", check=False)
    assert done.returncode == 2 and "a threshold of 3 does not go with 2 keys" in done.stderr
    done = own_shop("key", "rotate", "targets", keys[0], keys[0], check=False)
    assert done.returncode == 2 and "given twice" in done.stderr


def test_online_keys_must_be_here(own_shop, work):
    (work / "elsewhere").mkdir()
    alice = key_new(work / "elsewhere", "alice")
    for role in ("snapshot", "timestamp"):
        done = own_shop("key", "rotate", role, alice, check=False)
        assert done.returncode == 22 and "must be here" in done.stderr
    own_shop("check")


def test_a_role_that_is_none(own_shop):
    done = own_shop("key", "rotate", "nobody", check=False)
    assert done.returncode == 24 and "there is no role 'nobody'" in done.stderr


@pytest.mark.parametrize("damage, says", [
    (lambda d: d.update(keyid="0" * 64), "is not that of its key"),
    (lambda d: d["key"]["keyval"].update(public="00" * 32), "is not that of its key"),
    (lambda d: d.update(type="suture-manifest"), "suture-manifest"),
    (lambda d: d.update(version=2), "version"),
    (lambda d: d.update(name="../root"), "not a plain one"),
    (lambda d: d.pop("key"), "key"),
])
def test_a_public_file_that_is_damaged(damage, says, own_shop, work):
    (work / "elsewhere").mkdir()
    alice = key_new(work / "elsewhere", "alice")
    document = json.loads(alice.read_text())
    damage(document)
    alice.write_text(json.dumps(document))
    before = [support.read_tree(own_shop.path / part) for part in ("keys", "public")]
    done = own_shop("key", "rotate", "root", alice, check=False)
    assert done.returncode in (29, 38) and says in done.stderr, done.stderr
    assert [support.read_tree(own_shop.path / part) for part in ("keys", "public")] == before
    assert not list((own_shop.path / "staged").glob("*.json"))


def test_a_private_key_beside_anothers_public_one(own_shop):
    keys = own_shop.path / "keys"
    shutil.copy(keys / "root.pem", keys / "timestamp.pem")
    done = own_shop("refresh", check=False)
    assert done.returncode == 40 and "'timestamp' is not the one of 'timestamp.pub'" in done.stderr
    support.write(keys / "timestamp.pem", "no key\n", 0o600)
    assert "not a private key" in own_shop("refresh", check=False).stderr


# Revoked


def test_a_key_is_revoked_wherever_it_is(own_shop, work):
    baseline = followers.baseline_of(own_shop)
    old = followers.Follower(work / "old", own_shop.public).refresh(own_shop.public)
    (work / "elsewhere").mkdir()
    mallory = key_new(work / "elsewhere", "mallory")
    for role in ("targets", baseline):
        own_shop("key", "rotate", role, own_shop.path / f"keys/{role}.pub", mallory)
    identity = json.loads(mallory.read_text())["keyid"]

    def mentioned():
        newest = [sorted(own_shop.public.glob(f"metadata/*.{role}.json"), key=lambda p: int(p.name.split(".")[0]))[-1]
                  for role in ("root", "targets")]
        return [p.name for p in newest if identity in p.read_text()]
    assert len(mentioned()) == 2
    said = own_shop("key", "revoke", "mallory").stdout
    assert "Role targets has 'mallory' no more." in said and f"Role {baseline} has 'mallory' no more." in said
    assert mentioned() == []
    for device in (old, followers.Follower(work / "new", own_shop.public)):
        device.refresh(own_shop.public)
        assert device.offered(own_shop.public, baseline) == "a"
    done = own_shop("key", "revoke", "mallory", check=False)
    assert done.returncode == 40 and "no role has the key 'mallory'" in done.stderr


def test_the_last_keys_of_a_role_are_not_revoked(own_shop):
    before = support.read_tree(own_shop.public)
    for name in (*ROLES, followers.baseline_of(own_shop)):
        done = own_shop("key", "revoke", name, check=False)
        assert done.returncode == 40 and f"give it others with 'key rotate {name}'" in done.stderr
    assert own_shop("key", "revoke", "nobody", check=False).returncode == 24
    assert support.read_tree(own_shop.public) == before


# Lost


def test_a_lost_targets_key_is_replaced_by_the_root(own_shop, work):
    old = followers.Follower(work / "old", own_shop.public).refresh(own_shop.public)
    (own_shop.path / "keys/targets.pem").unlink()
    own_shop("key", "rotate", "targets")
    for device in (old, followers.Follower(work / "new", own_shop.public)):
        assert device.refresh(own_shop.public).version("targets") == 3
    own_shop("check")


def test_a_lost_baseline_key_is_replaced_by_the_targets_key(own_shop, work):
    baseline = followers.baseline_of(own_shop)
    (own_shop.path / f"keys/{baseline}.pem").unlink()
    own_shop.build("b")
    said = own_shop("release").stdout
    assert "is staged" in said and f"sign with {baseline}" in said
    old = followers.Follower(work / "old", own_shop.public).refresh(own_shop.public)
    assert old.offered(own_shop.public, baseline) == "a"
    own_shop("key", "rotate", baseline)  # and with the new key the level goes out, too
    assert old.refresh(own_shop.public).offered(own_shop.public, baseline) == "b"


def test_a_lost_root_key_of_one(own_shop):
    """Nothing helps: it says whose signature it waits for, and goes on publishing what it can."""
    (own_shop.path / "keys/root.pem").unlink()
    said = own_shop("key", "rotate", "root").stdout
    assert "its former keys: 0 of 1 signatures; sign with root" in said
    own_shop.release("b")
    own_shop("check")
