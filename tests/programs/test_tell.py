"""What a device tells people: in its history, at their login, and by status."""
import subprocess

import pytest

import support
from test_boot import boot, edit
from test_recall import follow


@pytest.fixture
def at_b(device, next_shop):
    device.configure(f"[Source]\nRepository=file://{next_shop.public}\n[Watch]\nTime=0\n")
    assert device("install")["to"] == "b"
    return device


@pytest.fixture
def run_old(device):
    """Start programs that go on with what is on /usr now."""
    running = []

    def start(count=1):
        for _ in range(count):
            process = subprocess.Popen(["chroot", device.path, "/usr/bin/answer"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
            running.append(process)
            process.stdout.readline()

    def end():
        for process in running:
            process.kill()
            process.communicate()
        running.clear()
    start.end = end
    yield start
    end()


def fail_b(device, reason="nginx.service has failed"):
    """The watch over (b) has come to its verdict. Nobody can start the unit again below another root."""
    active = device("status")["generation"]
    edit(device, watched={"generation": active, "units": [{"unit": "nginx.service", "restarts": 0}],
                          "excused": ["nginx.service"]},
         knowledge={"quarantine": [{"level": "b", "at": 5, "reason": reason}]})


def last_event(device):
    return device("history")["events"][-1]


def test_the_history_says_which_unit_failed_and_what_is_left_to_do(at_b):
    assert last_event(at_b)["needs"] == "nothing" and "unit" not in last_event(at_b)
    fail_b(at_b)
    assert at_b("watch").error == "TakenBack"
    event = last_event(at_b)
    assert (event["event"], event["unit"], event["reason"]) == ("take-back", "nginx.service", "nginx.service has failed")


def test_the_history_says_that_a_person_is_needed(device, run_old):
    run_old()
    assert device("install").status == 0
    assert (last_event(device)["needs"], last_event(device)["exposed_after"]) == ("person", 1)


# What needs a person.


def attention(device):
    return [(item["kind"], item["message"]) for item in device("status")["attention"]]


def kinds(device):
    return [kind for kind, _ in attention(device)]


def test_nobody_is_needed(device):
    assert attention(device) == []
    assert device("install").status == 0 and attention(device) == []
    assert device("remove").status == 0 and attention(device) == []


def test_a_recall_needs_a_person_until_it_is_left(device, own_shop):
    follow(device, own_shop)
    assert device("install").status == 0
    own_shop("recall", "--level", "a", "--reason", "it breaks sound")
    assert device("check").status == 0
    assert attention(device) == [("recalled", "Level (a) was recalled: it breaks sound. 'suture install' leaves it.")]
    assert device("install").status == 0 and attention(device) == []


def test_a_recall_that_leads_nowhere_says_so(device, own_shop):
    follow(device, own_shop)
    assert device("install").status == 0
    own_shop("floor", "--level", "a")
    own_shop("recall", "--level", "a", "--reason", "it breaks sound")
    assert device("install").error == "NotOffered"
    assert attention(device) == [("recalled", "Level (a) was recalled: it breaks sound. It stays until a newer one comes.")]


def test_a_level_that_failed_needs_a_person_until_the_next_one(device, own_shop):
    follow(device, own_shop, "[Watch]\nTime=0\n")
    assert device("install")["to"] == "a"
    own_shop.release("b")
    assert device("install")["to"] == "b"
    fail_b(device)
    assert attention(device) == [("quarantined", "Level (b) failed, and is still in place: nginx.service has failed. "
                                                 "'suture watch' takes it back.")]
    assert device("watch").error == "TakenBack"
    assert attention(device) == [("taken-back", "Level (b) was taken back: nginx.service has failed.")]
    (device.state / "history").unlink()
    assert attention(device) == [("quarantined", "Level (b) failed here: nginx.service has failed.")]
    fixed = own_shop.path / "fixed-c"
    support.make_library(fixed / "usr/lib/libother.so", "other_answer", "ne2")
    own_shop("build", "--tree", own_shop.trees / "baseline", "--fixed", fixed, "--component", "other", "--new-version", "3",
             "--cve", "CVE-2030-0009")
    own_shop("release")
    assert device("install")["to"] == "c" and attention(device) == []


def test_boots_that_did_not_end_well(at_b):
    for _ in range(4):
        boot(at_b)
    assert attention(at_b) == [("boot-fell-back", "Level (b) is left off since a boot: 3 boots in a row did not reach the "
                                                  "healthy mark.")]


def test_what_a_person_has_to_restart(device, run_old):
    run_old(2)
    assert device("install").status == 0
    kind, message = attention(device)[0]
    assert kind == "restart" and message.startswith("2 programs still run code that a security improvement replaced")
    run_old.end()
    assert attention(device) == []
    assert device("remove").status == 0  # from then on it is the code of the level that is old
    run_old()
    assert attention(device) == []


def test_restarts_that_are_overdue(device, run_old):
    """What a person has to restart is not Suture's to be late with, but policy wants it said."""
    device.configure(device.path.joinpath("etc/suture/suture.conf").read_text() + "[Restart]\nDeadline=1h\n")
    run_old()
    assert device("install").status == 0 and kinds(device) == ["restart"]
    edit(device, changed={"waiting_since": 5})
    assert kinds(device) == ["restart", "overdue"] and "1970-01-01T01:00:05Z" in attention(device)[1][1]


@pytest.mark.parametrize("damage, kind", [("signature", "failed-check"), ("gone", None), ("config", "failed-check")])
def test_only_checks_that_do_not_heal_need_a_person(damage, kind, device, own_shop):
    follow(device, own_shop)
    assert device("check").status == 0
    if damage == "signature":
        timestamp = own_shop.public / "metadata/timestamp.json"
        timestamp.write_text(timestamp.read_text().replace('"sig":"', '"sig":"00'))
    elif damage == "gone":
        device.configure("[Source]\nRepository=file:///nowhere\n")
    else:
        device.configure("")
    assert device("check").status != 0
    assert kinds(device) == ([kind] if kind else []), attention(device)
    if kind:
        assert device("status")["last_check"]["message"] in attention(device)[0][1]


def test_what_is_not_in_place(at_b, work):
    support.unmount_below(at_b.path)
    assert kinds(at_b) == ["inactive"]
    for name in ("upper", "work"):
        (work / name).mkdir()
    support.run("mount", "-t", "overlay", "someone", "-o",
                f"lowerdir={at_b.usr},upperdir={work}/upper,workdir={work}/work", at_b.usr)
    assert kinds(at_b) == ["conflict", "inactive"] and "someone" in attention(at_b)[0][1]


# At login.


def motd(device):
    path = device.path / "run/motd.d/suture"
    if not path.exists():
        return None
    assert (path.stat().st_mode & 0o7777, [p.name for p in path.parent.iterdir()]) == (0o644, ["suture"])
    first, *lines = path.read_text().splitlines()
    assert first == "Background security improvements:" and all(line.startswith("  ") for line in lines)
    return [line[2:] for line in lines]


def messages(device):
    return [message for _, message in attention(device)]


def test_nothing_is_said_where_nobody_is_needed(device):
    for verb in ("check", "install", "watch", "restart", "suspend", "resume", "remove"):
        assert device(verb).status == 0 and motd(device) is None
    assert not (device.path / "run").exists()


def test_a_login_says_what_needs_a_person_until_it_is_done(device, own_shop, run_old):
    follow(device, own_shop)
    run_old()
    assert device("install").status == 0
    assert motd(device) == messages(device) and "1 program still runs code" in motd(device)[0]
    own_shop("recall", "--level", "a", "--reason", "it breaks sound")
    assert device("check").status == 0
    assert motd(device) == messages(device) and len(motd(device)) == 2
    run_old.end()
    assert device("restart").status == 0 and [m[:22] for m in motd(device)] == ["Level (a) was recalled"]
    assert device("install").status == 0 and motd(device) is None


def test_a_verb_that_fails_says_it_at_login_too(at_b, shop):
    fail_b(at_b)
    assert at_b("watch").error == "TakenBack"
    assert motd(at_b) == ["Level (b) was taken back: nginx.service has failed."]
    at_b.configure("")
    assert at_b("check").error == "Config" and motd(at_b) == messages(at_b) and len(motd(at_b)) == 2


def test_a_boot_says_it_without_a_look_at_who_runs_what(at_b, run_old):
    """What waited before the machine was restarted waits no more. Nor is the configuration asked for."""
    edit(at_b, changed={"waiting_since": 5})
    run_old()  # as if it were something old
    (at_b.path / "etc/suture/suture.conf").write_text("[Sauce]\n")
    assert boot(at_b)["activated"] == "all" and motd(at_b) is None
    for _ in range(3):
        boot(at_b)
    assert motd(at_b) == ["Level (b) is left off since a boot: 3 boots in a row did not reach the healthy mark."]


@pytest.mark.parametrize("obstacle", ["motd.d", "motd.d/suture/directory", "suture/motd/directory"])
def test_a_message_that_cannot_be_written_fails_nothing(obstacle, device, run_old):
    support.write(device.path / "run" / obstacle, "in the way\n")
    run_old()
    answer = device("install")
    assert (answer.status, answer.stderr) == (0, "") and kinds(device) == ["restart"]
