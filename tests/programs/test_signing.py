"""Signatures that come from other machines: the whole ceremony, and everything that is no such signature."""
import json
import re
import shutil
import subprocess

import pytest

import followers
import support
from test_keys import key_new, publish, role_of

PEOPLE = ("alice", "bob", "carol")


class Machine:
    """Where one person keeps one key, and nothing else."""

    def __init__(self, path):
        self.path = path
        path.mkdir()
        key_new(path, path.name, passphrase=f"of {path.name}")
        self.public = path / f"{path.name}.pub"
        self.id = json.loads(self.public.read_text())["keyid"]

    def sign(self, file, *more, beside=(), check=True):
        """Carry a file here, sign it, and give back the signature's path."""
        for path in (file, *beside):
            shutil.copy(path, self.path)
        done = publish(self.path, "sign", file.name, "--passphrase-file", f"{self.path.name}.pass", *more, check=check)
        self.said = done
        return self.path / f"{file.name}.{self.id}.signature"


@pytest.fixture
def people(work):
    return {name: Machine(work / name) for name in PEOPLE}


@pytest.fixture
def company(work, trees, people):
    """A workspace whose root keys are elsewhere, two of three; nothing is signed yet."""
    publisher = support.Publisher(work / "company", trees)
    publisher("init", *(a for m in people.values() for a in ("--root-key", m.public)), "--root-threshold", "2")
    publisher("baseline", "--tree", trees / "baseline")
    return publisher


def staged(publisher, name="*"):
    return sorted((publisher.path / "staged").glob(f"*.{name}.json"))


def sign_root(publisher, people, *names):
    file, = staged(publisher, "root")
    version = int(file.name.split(".")[0])
    beside = publisher.public.glob(f"metadata/{version - 1}.root.json")
    beside = list(beside)
    return publisher("sign", "--add", *(people[name].sign(file, beside=beside) for name in names))


@pytest.fixture
def founded(company, people):
    sign_root(company, people, "alice", "carol")
    return company


def waiting(publisher):
    return {entry["role"]: entry for entry in json.loads(publisher("sign", "--json").stdout)}


# The ceremony


def test_the_whole_ceremony(company, people, work):
    baseline = followers.baseline_of(company)
    assert not list(company.path.glob("keys/root.*")) and not list(company.path.glob("keys/*alice.pem"))
    assert not list(company.public.rglob("*.json"))
    assert company("check", check=False).returncode == 24 and "Nothing is published yet" in company("show").stdout
    assert company("refresh", check=False).returncode == 24
    company.build("a")
    assert "is staged" in company("release").stdout
    sign_root(company, people, "alice")
    assert waiting(company)["root"]["signatures"][0]["signed"] == 1
    assert not list(company.public.rglob("*.json"))
    said = sign_root(company, people, "carol").stdout
    assert said == f"Published: root, targets, {baseline}.\n" and waiting(company) == {}
    device = followers.Follower(work / "device", company.public).refresh(company.public)
    assert device.offered(company.public, baseline) == "a" and not list((company.path / "drafts").iterdir())
    assert "single root key" not in company("check").stdout

    # Carol leaves, and Dan comes; Alice has lost her key.
    dan = people["dan"] = Machine(work / "dan")
    company("key", "rotate", "root", people["bob"].public, people["carol"].public, dan.public, "--threshold", "2")
    assert device.refresh(company.public).version("root") == 1
    sign_root(company, people, "bob", "dan")
    entry = waiting(company)["root"]
    assert [(row["whose"], row["signed"]) for row in entry["signatures"]] == [("its new keys", 2), ("its former keys", 1)]
    assert device.refresh(company.public).version("root") == 1
    # An urgent fix does not wait for the ceremony.
    company.build("b")
    assert "Released" in company("release").stdout
    assert device.refresh(company.public).offered(company.public, baseline) == "b" and device.version("root") == 1
    sign_root(company, people, "carol")
    for follower in (device, followers.Follower(work / "new", company.public)):
        assert follower.refresh(company.public).version("root") == 2
        assert follower.offered(company.public, baseline) == "b"
    assert [key["name"] for key in role_of(company, "root")["keys"]] == ["bob", "carol", "dan"]
    company("check")


def test_what_is_shown_before_it_is_signed(founded, people):
    baseline = followers.baseline_of(founded)
    founded("key", "rotate", "root", people["alice"].public, people["bob"].public, "--threshold", "1")
    file, = staged(founded, "root")
    people["alice"].sign(file, "--dry-run", beside=[founded.public / "metadata/1.root.json"])
    said = people["alice"].said.stdout
    assert "Metadata of role root, version 2, expires 20" in said and "compared with version 1:" in said
    assert "role root: any 1 of 2 keys; before: any 2 of 3 keys" in said
    assert re.search(rf"key goes: a key \(ed25519, {people['carol'].id[:16]}\)", said)
    assert "role targets: any 1 of 1 keys, as before" in said
    document = json.loads(file.read_text())
    canonical = json.dumps(document["signed"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert f"fingerprint {support.hashlib.sha256(canonical.encode()).hexdigest()}" in said
    assert not list(people["alice"].path.glob("2.*.signature"))
    founded("sign", "--discard")

    founded("key", "rotate", baseline, people["bob"].public)
    founded.build("a")
    founded("release")
    file, = staged(founded, baseline)
    people["bob"].sign(file, "--old", founded.public / f"metadata/1.{baseline}.json")
    said = people["bob"].said.stdout
    assert f"target comes: {baseline}/a/manifest.json, " in said and f"target comes: {baseline}/channel.json" in said


def test_a_terminal_is_not_driven_by_what_is_shown(founded, people):
    founded("key", "rotate", "targets", people["alice"].public)
    file, = staged(founded, "targets")
    document = json.loads(file.read_text())
    document["signed"]["targets"]["x/\x1b[2J"] = {"length": 1, "hashes": {"sha256": "0" * 64}}
    document["signed"]["note"] = "\x1b]0;title\x07"
    file.write_text(json.dumps(document))
    people["alice"].sign(file)
    assert "x/?[2J" in people["alice"].said.stdout and "\x1b" not in people["alice"].said.stdout
    assert "field comes: note" in people["alice"].said.stdout or "field is: note" in people["alice"].said.stdout


def test_a_baseline_whose_key_is_elsewhere(founded, people, work):
    baseline = followers.baseline_of(founded)
    founded("key", "rotate", baseline, people["alice"].public, people["bob"].public, "--threshold", "2")
    assert {"targets", baseline} == set(waiting(founded))  # neither can go without the other
    file, = staged(founded, baseline)
    founded("sign", "--add", people["alice"].sign(file), people["bob"].sign(file))
    device = followers.Follower(work / "device", founded.public).refresh(founded.public)
    founded.build("a")
    said = founded("release")
    assert said.returncode == 0 and "level (a) is staged" in said.stdout and "sign with alice" in said.stdout
    assert json.loads(founded("show", "--json").stdout)["staged"][0]["role"] == baseline
    assert founded("release", check=False).returncode == 40
    done = founded("build", "--tree", founded.trees / "baseline", "--fixed", founded.trees / "fixed-b", "--component", "other",
                   "--new-version", "2", check=False)
    assert done.returncode == 40 and "sign it or discard it" in done.stderr
    founded("refresh")  # goes on meanwhile
    file, = staged(founded, baseline)
    founded("sign", "--add", people["alice"].sign(file), people["bob"].sign(file))
    assert device.refresh(founded.public).offered(founded.public, baseline) == "a"


def test_a_level_that_is_discarded_can_be_released_again(founded, people, work):
    baseline = followers.baseline_of(founded)
    founded.build("a")
    (founded.path / f"keys/{baseline}.pem").rename(work / "away")
    founded("release")
    founded("sign", "--discard")
    assert founded("sign").stdout == "Nothing waits for signatures.\n"
    (work / "away").rename(founded.path / f"keys/{baseline}.pem")
    assert "Released" in founded("release").stdout
    founded("check")


# What is no signature


def refused(publisher, status, says, *signatures):
    def seen():
        return {path: entry for path, entry in support.read_tree(publisher.path).items() if path != "staged"}
    before = seen()
    done = publisher("sign", "--add", *signatures, check=False)
    assert done.returncode == status and says in done.stderr, (done.returncode, done.stderr)
    assert seen() == before


def test_a_stranger(founded, people, work):
    mallory = Machine(work / "mallory")
    founded("refresh", "root")
    file, = staged(founded, "root")
    before = [founded.public / "metadata/1.root.json"]
    mallory.sign(file, beside=before, check=False)
    assert mallory.said.returncode == 24 and "no key that role 'root' knows is here" in mallory.said.stderr
    mallory.sign(file, "--key", "mallory.pem", beside=before, check=False)
    assert mallory.said.returncode == 26 and "does not know the key" in mallory.said.stderr
    assert not list(mallory.path.glob("2.*.signature"))
    signature = mallory.sign(file, "--key", "mallory.pem", "--force", beside=before)
    refused(founded, 26, "does not know the key", signature)
    # Nor with the name of somebody who is known.
    document = json.loads(signature.read_text())
    document["keyid"] = people["alice"].id
    signature.write_text(json.dumps(document))
    refused(founded, 26, "it is not a signature of 'root'", signature)


def test_a_signature_for_another_version(founded, people):
    founded("refresh", "root")
    file, = staged(founded, "root")
    old = [people[name].sign(file, beside=[founded.public / "metadata/1.root.json"]) for name in ("alice", "bob")]
    founded("key", "rotate", "root", people["alice"].public, people["bob"].public)  # version 2, but another one
    refused(founded, 40, "it is for another version 2 of 'root'", *old)
    sign_root(founded, people, "alice", "bob")
    founded("refresh", "root")
    refused(founded, 40, "it is for version 2 of 'root', and version 3 waits", old[0])
    founded("sign", "--discard")
    refused(founded, 24, "nothing of 'root' waits", old[0])


def test_a_signature_that_is_given_twice(founded, people):
    founded("refresh", "root")
    file, = staged(founded, "root")
    alice = people["alice"].sign(file, beside=[founded.public / "metadata/1.root.json"])
    founded("sign", "--add", alice, alice)
    founded("sign", "--add", alice)
    row, former = waiting(founded)["root"]["signatures"]
    assert row["signed"] == former["signed"] == 1
    document = json.loads(file.read_text())
    ids = [signature["keyid"] for signature in document["signatures"]]
    assert len(ids) == len(set(ids)) == 3


@pytest.mark.parametrize("damage", [
    lambda d: d.update(sig=d["sig"][:-2] + ("00" if d["sig"][-2:] != "00" else "01")),
    lambda d: d.update(sig=""),
    lambda d: d.update(sig="zz"),
    lambda d: d.update(sig="00" * 5000),
])
def test_a_signature_that_is_damaged(damage, founded, people):
    founded("refresh", "root")
    file, = staged(founded, "root")
    signature = people["alice"].sign(file, beside=[founded.public / "metadata/1.root.json"])
    document = json.loads(signature.read_text())
    damage(document)
    signature.write_text(json.dumps(document))
    refused(founded, 26, "it is not a signature of 'root' by the key", signature)


@pytest.mark.parametrize("damage, says", [
    (lambda d: d.update(type="suture-key"), "suture-key"), (lambda d: d.pop("keyid"), "keyid"), (lambda d: d.update(sha256="0"), "sha256"),
    (lambda d: d.update(role_version=0), "role_version")])
def test_a_file_that_is_no_signature(damage, says, founded, people):
    founded("refresh", "root")
    file, = staged(founded, "root")
    signature = people["alice"].sign(file, beside=[founded.public / "metadata/1.root.json"])
    document = json.loads(signature.read_text())
    damage(document)
    signature.write_text(json.dumps(document))
    refused(founded, 29, says, signature)


def test_a_staged_file_that_somebody_changed(founded, people, work):
    """Who has signed the sound one has not signed this, and nothing of it goes out."""
    founded("key", "rotate", "targets", people["alice"].public)
    sign_root(founded, people, "alice", "bob")
    file, = staged(founded, "targets")
    signature = people["alice"].sign(file)
    before = support.read_tree(founded.public)
    document = json.loads(file.read_text())
    document["signed"]["targets"]["evil"] = {"length": 1, "hashes": {"sha256": "0" * 64}}
    file.write_text(json.dumps(document))
    refused(founded, 40, "it is for another version", signature)
    founded("refresh")
    assert not any("evil" in p.read_text() for p in founded.public.glob("metadata/*.json"))
    assert "2.root.json" not in {p.name for p in (founded.public / "metadata").iterdir()} and before
    file.write_text("{}")
    assert founded("sign", check=False).returncode != 0
    founded("sign", "--discard")
    founded("check")


@pytest.mark.parametrize("damage, says", [
    (lambda d: d["signed"].update(_type="snapshot"), "signed where it is published"),
    (lambda d: d["signed"].update(_type="manifest"), "its type is 'manifest'"),
    (lambda d: d["signed"].update(version=7), "of version 7"),
    (lambda d: d["signed"].update(expires="tomorrow"), "not a time"),
    (lambda d: d["signed"].pop("roles"), "roles"),
    (lambda d: d["signed"]["roles"]["root"].update(threshold=0), "threshold"),
    (lambda d: d["signed"]["keys"].update({"0" * 64: next(iter(d["signed"]["keys"].values()))}), "is not that of its key"),
    (lambda d: d.pop("signatures"), "signatures"),
])
def test_what_is_no_metadata_is_not_signed(damage, says, founded, people):
    founded("refresh", "root")
    file, = staged(founded, "root")
    document = json.loads(file.read_text())
    damage(document)
    file.write_text(json.dumps(document))
    people["alice"].sign(file, check=False)
    assert people["alice"].said.returncode in (2, 29) and says in people["alice"].said.stderr, people["alice"].said.stderr
    assert not list(people["alice"].path.glob("2.*.signature"))


def test_a_former_root_key_needs_the_former_root(founded, people, work):
    """The new root does not name it; that before does, or the file that asks for its signature."""
    dan = people["dan"] = Machine(work / "dan")
    founded("key", "rotate", "root", people["alice"].public, people["bob"].public, dan.public)
    file, = staged(founded, "root")
    document = json.loads(file.read_text())
    document["signatures"] = []
    shutil.copy(file, work / "2.root.json")
    support.write(work / "2.root.json", json.dumps(document))
    (people["carol"].path / "1.root.json").unlink()
    people["carol"].sign(work / "2.root.json", "--key", "carol.pem", check=False)
    assert people["carol"].said.returncode == 26 and "(--old)" in people["carol"].said.stderr
    people["carol"].sign(work / "2.root.json", "--key", "carol.pem", "--old", founded.public / "metadata/1.root.json")


def test_two_publishers_at_once(founded, people):
    """Signatures are added by two processes: each waits or is refused, none is lost."""
    founded("refresh", "root")
    file, = staged(founded, "root")
    beside = [founded.public / "metadata/1.root.json"]
    signatures = [people[name].sign(file, beside=beside) for name in PEOPLE]
    command = [support.BUILD / "suture-publish", "-C", founded.path]
    running = [subprocess.Popen([*command, *more], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
               for more in (["sign", "--add", signatures[0]], ["sign", "--add", signatures[1]], ["refresh"], ["refresh"])]
    results = [(process.communicate()[1], process.returncode) for process in running]
    assert {status for _, status in results} <= {0, 21}, results
    for signature, (_, status) in zip(signatures, results[:2]):
        if status == 21:
            founded("sign", "--add", signature)
    assert (founded.public / "metadata/2.root.json").exists()
    founded("check")
