"""The public log: what is released and recalled is an entry that enough witnesses saw, or devices with a policy do not act on it."""
import json
import os
import shutil
import subprocess

import pytest

import support
import web
import witness

ORIGIN = "updates.example.org/suture/log"
NOT_LOGGED = 43


class Shop(support.Publisher):
    """A publisher with a log and three witnesses, two of whom are wanted."""

    def start_log(self):
        self("log", "init", "--origin", ORIGIN)
        self.log_vkey = next(line.split()[1] for line in (self.path / "log-policy").read_text().splitlines() if line.startswith("log "))
        self.witnesses = [witness.Witness(f"witness.example/{n}", self.log_vkey) for n in ("one", "two", "three")]
        self.write_policy()
        return self

    def write_policy(self, urls=True, quorum=2):
        lines = [f"log {self.log_vkey}"]
        for name, one in zip(("w1", "w2", "w3"), self.witnesses):
            lines.append(f"witness {name} {one.vkey}{' ' + one.url if urls else ''}")
        (self.path / "log-policy").write_text("\n".join([*lines, f"group watchers {quorum} w1 w2 w3", "quorum watchers", ""]))

    def stop(self):
        for one in self.witnesses:
            one.shutdown()
            one.server_close()

    def checkpoint(self):
        return (self.public / "log/checkpoint").read_text()

    def size(self):
        return int(self.checkpoint().splitlines()[1])

    def channel(self):
        name = max(self.public.glob("targets/*/*.channel.json"), key=lambda path: json.loads(path.read_text())["serial"])
        return json.loads(name.read_text())


@pytest.fixture
def logged(work, trees):
    shop = Shop(work / "shop", trees).start().start_log()
    yield shop
    shop.stop()


@pytest.fixture
def watched(device, logged):
    """A device of this publisher's that has the log policy."""
    device.forget()
    device.configure(f"[Source]\nRepository=file://{logged.public}\n")
    device.trust(logged)
    return wants(device, logged)


def wants(device, shop):
    shutil.copy(shop.path / "log-policy", device.path / "etc/suture/log-policy")
    return device


def test_a_release_is_proven_and_shown(watched, logged):
    logged.release("a")
    assert logged.size() == 1 and [one.asked for one in logged.witnesses] == [1, 1, 1]
    install = watched("install")
    assert (install.status, install["to"]) == (0, "a"), install.message
    verify = watched("verify")
    assert verify.status == 0, verify.message
    log = verify["log"]
    assert (log["proven"], log["origin"], log["index"], log["size"]) == (True, ORIGIN, 0, 1)
    assert [seen["name"] for seen in log["witnesses"]] == ["w1", "w2", "w3"]
    assert verify["installed"] and verify["level"] == "a" and [image["problem"] for image in verify["images"]] == [None]
    text = support.run(*[a for a in watched.command("verify") if a != "--json"]).stdout
    assert f"entry 0 of 1 in {ORIGIN}" in text and "is as sealed" in text and "seen by w2 at " in text
    logged.release("b")
    assert logged.size() == 2
    assert watched("install").status == 0 and watched("verify")["log"]["index"] == 1


def test_verify_finds_a_damaged_image(watched, logged):
    logged.release("a")
    assert watched("install").status == 0
    image = next(watched.state.glob("images/*.erofs"))
    with open(image, "r+b") as file:
        file.seek(5000)
        byte = file.read(1)
        file.seek(5000)
        file.write(bytes([byte[0] ^ 1]))
    verify = watched("verify")
    assert verify.status == 33 and "seal" in verify["images"][0]["problem"]


def test_verify_needs_no_log(device):
    assert device("install").status == 0
    verify = device("verify")
    assert (verify.status, verify["log"]) == (0, None)


def test_what_is_not_logged_is_refused(device, shop):
    (device.path / "etc/suture/log-policy").write_text(f"log {witness.vkey('x', witness.LOG, bytes([2] * 32))}\nquorum none\n")
    before = device.facts()
    answer = device("install")
    assert (answer.status, answer.error) == (NOT_LOGGED, "NotLogged") and "without a proof" in answer.message
    assert device.facts() == before
    (device.path / "etc/suture/log-policy").unlink()
    assert device("install").status == 0


def test_a_policy_that_is_named_must_exist(device, server):
    device.configure(f"[Source]\nRepository={server.url}\nLogPolicy=/usr/lib/suture/log-policy\n")
    answer = device("check")
    assert (answer.status, answer.error) == (22, "Config") and "/usr/lib/suture/log-policy" in answer.message


def test_a_malformed_policy_is_named_with_its_line(device):
    (device.path / "etc/suture/log-policy").write_text("# logs\nlog nonsense\nquorum none\n")
    answer = device("check")
    assert (answer.status, answer.error) == (22, "Config") and "log-policy:2" in answer.message


def test_too_few_witnesses_hold_a_release_back(watched, logged, work):
    for one in logged.witnesses[1:]:
        one.shutdown()
        one.server_close()
    logged.build("a")
    done = logged("release", check=False)
    assert done.returncode == NOT_LOGGED and "entry 0 of the log" in done.stderr and "witness w2" in done.stderr, done.stderr
    assert not list(logged.public.glob("targets/*/*.channel.json"))
    assert watched("check").error == "NotOffered"
    done = logged("release", check=False)  # the entry is there already
    assert done.returncode == NOT_LOGGED and logged.size() == 1
    line = logged.witnesses[1].line(logged.checkpoint().split("\n\n")[0] + "\n")
    (work / "line").write_text(line)
    logged("log", "add", work / "line")
    logged("release")
    assert logged.size() == 1 and watched("install").status == 0
    assert [seen["name"] for seen in watched("verify")["log"]["witnesses"]] == ["w1", "w2"]
    logged.witnesses = logged.witnesses[:1]


def test_a_quorum_of_another_policy_is_not_enough(watched, logged):
    logged.release("a")
    logged.write_policy(quorum=3)
    strict = (logged.path / "log-policy").read_text()
    lacking = witness.Witness("witness.example/four", logged.log_vkey)
    (watched.path / "etc/suture/log-policy").write_text(strict.replace("group watchers 3 w1 w2 w3",
                                                                      f"witness w4 {lacking.vkey}\ngroup watchers 4 w1 w2 w3 w4"))
    answer = watched("install")
    assert (answer.status, answer.error) == (NOT_LOGGED, "NotLogged")
    lacking.shutdown()
    lacking.server_close()
    (watched.path / "etc/suture/log-policy").write_text(strict)
    assert watched("install").status == 0


def test_witnesses_of_somebody_else(watched, logged):
    logged.release("a")
    mine = [witness.Witness(one.name, logged.log_vkey) for one in logged.witnesses]
    policy = (watched.path / "etc/suture/log-policy").read_text()
    for one, other in zip(logged.witnesses, mine):
        policy = policy.replace(one.vkey, other.vkey)
        other.shutdown()
        other.server_close()
    (watched.path / "etc/suture/log-policy").write_text(policy)
    assert watched("install").error == "NotLogged"


def test_another_log_of_the_same_name(watched, logged):
    logged.release("a")
    policy = (watched.path / "etc/suture/log-policy").read_text()
    (watched.path / "etc/suture/log-policy").write_text(
        policy.replace(logged.log_vkey, witness.vkey(ORIGIN, witness.LOG, witness.raw(logged.witnesses[0].key.public_key()))))
    answer = watched("install")
    assert answer.error == "Signature", answer.message


def test_a_proof_of_another_level_is_no_proof(watched, logged):
    """A publisher whose keys were stolen: the thief signs what he likes, but the log does not have it."""
    logged.release("a")
    proof = next(level["proof"] for level in logged.channel()["levels"])
    (logged.path / "log-policy").rename(logged.path / "aside")
    logged.build("b")
    logged("release")
    assert all("proof" not in level for level in logged.channel()["levels"] if level["level"] == "b")
    assert watched("install").error == "NotLogged"
    (watched.state / "proofs").mkdir(exist_ok=True)
    name = next(iter(logged.public.glob("targets/*/b"))).parent.name
    (watched.state / f"proofs/{name}.b.tlog-proof").write_text(proof)
    assert watched("install").error == "NotLogged"


def test_a_recall_is_logged(watched, logged):
    logged.release("a")
    assert watched("install").status == 0
    logged.release("b")
    logged("recall", "--level", "b", "--reason", "it breaks sound")
    assert logged.size() == 3 and logged.channel()["current"] == "a"
    check = watched("check")
    assert check.status == 0 and check["up_to_date"], check.message
    logged("recall", "--level", "a", "--reason", "it breaks all")
    assert logged.size() == 4 and logged.channel()["current"] is None
    answer = watched("check")
    assert answer.status == 0 and answer["recalled"], answer.message


def test_a_recall_that_is_not_logged_is_refused(watched, logged):
    logged.release("a").release("b")
    (logged.path / "log-policy").rename(logged.path / "aside")
    logged("recall", "--level", "b", "--reason", "go back to the hole")
    answer = watched("check")
    assert (answer.status, answer.error) == (NOT_LOGGED, "NotLogged") and "recall of level (b)" in answer.message
    (watched.path / "etc/suture/log-policy").unlink()
    assert watched("check").status == 0


def test_an_audit_of_a_healthy_log(logged, work):
    logged.release("a")
    server = web.Server(logged.public)
    for place in (), (server.url,), (logged.public,):
        audit = json.loads(logged("log", "check", *place, "--json").stdout)
        assert (audit["size"], audit["releases"], audit["recalls"], audit["cosignatures"], audit["findings"]) == (1, 1, 0, 3, [])
    state = work / "state"
    logged("log", "check", server.url, "--state", state)
    assert state.read_text() == logged.checkpoint()
    logged.release("b")
    logged("recall", "--level", "b", "--reason", "r")
    audit = json.loads(logged("log", "check", server.url, "--state", state, "--json").stdout)
    assert (audit["size"], audit["grown_from"], audit["recalls"]) == (3, 1, 1)
    server.shutdown()
    server.server_close()


def test_an_audit_finds_a_release_that_nobody_can_see(logged):
    logged.release("a")
    next(logged.public.glob("targets/*/a/*.manifest.json")).unlink()
    done = logged("log", "check", "--json", check=False)
    assert done.returncode == NOT_LOGGED and json.loads(done.stdout)["findings"][0]["index"] == 0


def test_an_audit_finds_a_log_that_took_something_back(logged, work):
    logged.release("a").release("b")
    state = work / "state"
    logged("log", "check", "--state", state)
    shutil.copytree(logged.public / "log", work / "aside")
    shutil.rmtree(logged.public / "log")
    (logged.path / "log-policy").unlink()
    logged("log", "init", "--origin", ORIGIN)  # the same key, another history
    logged.write_policy(quorum=1)
    refused = logged("recall", "--level", "b", "--reason", "r", check=False)
    assert refused.returncode == NOT_LOGGED and "409" in refused.stderr, refused.stderr  # no witness goes along
    (logged.path / "log-policy").write_text(f"log {logged.log_vkey}\nquorum none\n")
    done = logged("log", "check", "--state", state, check=False)
    assert done.returncode == 28 and "2 before" in done.stderr, done.stderr


@pytest.mark.parametrize("path", ["tile/0/000.p/2", "tile/entries/000.p/2"])
@pytest.mark.parametrize("damage", ["flip", "cut", "missing"])
def test_damaged_files_are_found(logged, path, damage):
    logged.release("a").release("b")
    file = logged.public / "log" / path
    good = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(good[:-1] if damage == "cut" else good[:-1] + bytes([good[-1] ^ 1]))
    done = logged("log", "check", check=False)
    assert done.returncode in (24, 25, 29, 30), done.stderr
    refused = logged("recall", "--level", "b", "--reason", "r", check=False)
    assert refused.returncode == done.returncode and logged.size() == 2


def test_being_a_witness_by_files(logged, work):
    """Without a server: the log is audited, and the cosignature goes back as a file."""
    support.run(support.BUILD / "suture-publish", "key", "new", "watcher", "-C", work)
    key, state = work / "watcher.pem", work / "seen"
    vkey = support.run(support.BUILD / "suture-publish", "log", "vkey", "--key", key, "--name", "watcher.example").stdout.strip()
    policy = f"log {logged.log_vkey}\nwitness w {vkey}\nquorum w\n"
    (logged.path / "log-policy").write_text(policy)
    (work / "policy").write_text(policy)
    logged.build("a")
    assert logged("release", check=False).returncode == NOT_LOGGED
    cosign = [support.BUILD / "suture-publish", "log", "cosign", logged.public, "--policy", work / "policy", "--key", key,
              "--name", "watcher.example", "--state", state]
    (work / "line").write_text(support.run(*cosign).stdout)
    logged("log", "add", work / "line")
    logged("release")
    old = logged.checkpoint()
    logged.build("b")
    assert logged("release", check=False).returncode == NOT_LOGGED
    support.run(*cosign)
    (logged.public / "log/checkpoint").write_text(old)
    refused = support.run(*cosign, check=False)
    assert refused.returncode == 28 and not refused.stdout, refused.stderr


def test_a_witness_does_one_thing_at_a_time(logged, work):
    """A log that answers slowly, and otherwise each time, does not get two histories cosigned that both go on from one state."""
    support.run(support.BUILD / "suture-publish", "key", "new", "watcher", "-C", work)
    logged.release("a")
    shutil.copytree(logged.public, work / "slow")
    tile = work / "slow/log/tile/entries/000.p/1"
    content = tile.read_bytes()
    tile.unlink()
    os.mkfifo(tile)

    def command(place):
        return [str(part) for part in (support.BUILD / "suture-publish", "log", "cosign", place, "--policy", logged.path / "log-policy",
                                       "--key", work / "watcher.pem", "--name", "watcher.example", "--state", work / "seen")]

    slow = subprocess.Popen(command(work / "slow"), stdout=subprocess.PIPE, text=True)
    with open(tile, "wb") as file:  # it reads by now
        other = support.run(*command(logged.public), check=False)
        assert other.returncode == 21 and not other.stdout and not (work / "seen").exists(), other.stderr
        file.write(content)
    assert "watcher.example" in slow.communicate()[0] and slow.returncode == 0
    assert "watcher.example" in support.run(*command(logged.public)).stdout


def test_log_is_not_made_twice(logged):
    done = logged("log", "init", "--origin", "other", check=False)
    assert done.returncode == 40


def test_cosignatures_by_strangers_are_refused(logged, work):
    logged.release("a")
    stranger = witness.Witness("stranger.example", logged.log_vkey)
    (work / "line").write_text(stranger.line(logged.checkpoint().split("\n\n")[0] + "\n"))
    stranger.shutdown()
    stranger.server_close()
    before = logged.checkpoint()
    assert logged("log", "add", work / "line", check=False).returncode == 26
    assert logged.checkpoint() == before
