"""What a device tells people: in its history, at their login, and by status."""
import fcntl
import hashlib
import os
import pty
import re
import struct
import subprocess
import termios

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


# The status of a person's terminal.

GREEN, YELLOW, RED = "\033[1;32m", "\033[1;33m", "\033[1;31m"


def text(device, **options):
    done = support.run(*device.command("status"), env={**os.environ, **support.SANITIZERS, "TERM": "xterm"}, **options)
    return done.stdout


def on_terminal(device, columns=80, rows=24, **environment):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    attributes = termios.tcgetattr(slave)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    process = subprocess.Popen(device.command("status"), stdout=slave, env={
        **os.environ, **support.SANITIZERS, "TERM": "xterm-256color", "NO_COLOR": "", **environment})
    os.close(slave)
    shown = b""
    try:
        while chunk := os.read(master, 65536):
            shown += chunk
    except OSError:  # the end
        pass
    os.close(master)
    assert process.wait() == 0
    return shown.decode()


def without_colours(shown):
    return re.sub("\033\\[[0-9;]*m", "", shown)


def verdict(device):
    """The first sentence, its colour, and that the same fits a screen with and without a terminal."""
    shown, plain = on_terminal(device), text(device)
    assert without_colours(shown) == plain and "\033" not in plain
    lines = plain.splitlines()
    assert len(lines) < 24 and all(len(line) <= 80 for line in lines), plain
    colour = re.match("(\033\\[[0-9;]*m)(.*)\033\\[0m$", shown.split("\nSystem:")[0], re.DOTALL)
    return colour[1], " ".join(colour[2].split())


def test_verdicts_on_a_device_without_improvements(device, own_shop):
    follow(device, own_shop)
    assert verdict(device) == (YELLOW, "Nothing is installed, and the repository was never asked.")
    assert device("check").status == 0
    assert verdict(device) == (YELLOW, "Nothing is installed; level (a) is offered.")
    own_shop("recall", "--level", "a", "--reason", "it breaks sound")
    assert device("check").error == "NotOffered"
    assert verdict(device) == (GREEN, "Up to date: nothing is installed, and nothing is offered to this machine.")
    edit(device, last_check={"at": 5})
    assert verdict(device)[0] == YELLOW and re.search("the last check was [0-9]{5} days ago", verdict(device)[1])
    follow(device, own_shop).configure("[Source]\nRepository=file:///nowhere\n")
    assert device("check").error == "Unreachable"
    assert verdict(device) == (YELLOW, "Nothing is installed, but it is not known whether there is more: the last check failed.")
    device.configure("")
    assert verdict(device) == (YELLOW, "Nothing is installed, and no repository is configured.")


def test_verdicts_on_what_is_installed(device, own_shop, run_old):
    follow(device, own_shop)
    run_old(1)
    assert device("install").status == 0
    assert verdict(device) == (YELLOW, "1 program still runs old code: restart it.")
    run_old.end()
    assert verdict(device) == (GREEN, "Protected. Nothing is running old code.")
    edit(device, watched={"generation": 1, "units": [], "excused": []})
    assert verdict(device) == (GREEN, "Protected. Nothing is running old code; what was restarted is watched.")
    edit(device, watched=None)
    own_shop.release("b")
    assert device("check").status == 0
    assert verdict(device) == (YELLOW, "Level (a) is installed; level (b) is offered.")
    assert device("install").status == 0
    own_shop("recall", "--level", "b", "--reason", "it breaks sound")
    assert device("check").status == 0
    assert verdict(device) == (RED, "Level (b) is in place, but its publisher has recalled it.")


def test_verdicts_on_what_is_not_in_place(at_b):
    assert at_b("suspend").status == 0
    assert verdict(at_b) == (YELLOW, "Not protected for now: a package manager is at work.")
    assert at_b("resume").status == 0
    fail_b(at_b)
    assert verdict(at_b) == (RED, "Level (b) is in place, but failed here.")
    assert at_b("watch").error == "TakenBack"
    assert verdict(at_b) == (YELLOW, "Nothing is installed: level (b) failed here, and was taken back.")
    assert at_b("install", "--force").status == 0
    support.unmount_below(at_b.path)
    assert verdict(at_b) == (RED, "Not protected: level (b) is installed, but not in place.")
    support.write(at_b.path / "proc/cmdline", "suture.disable\n")
    assert verdict(at_b) == (YELLOW, "Not protected: this boot goes without improvements.")


def test_a_normal_user_is_not_told_that_nothing_runs_old_code(at_b):
    first = text(at_b, user=support.NOBODY, group=support.NOBODY).splitlines()[0]
    assert first == "Level (b) is installed; who runs old code is not known."


def test_colours_only_where_they_are_wanted(at_b):
    assert on_terminal(at_b).startswith(GREEN)
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}):
        assert "\033" not in on_terminal(at_b, **environment)


@pytest.fixture
def crowded(work, own_shop, device, run_old):
    """Thirty fixes, forty programs with old code, and a system with a long name."""
    cves = [word for n in range(30) for word in ("--cve", f"CVE-2030-{n:05}")]
    shop = support.Publisher(work / "crowded", own_shop.trees).start()
    shop("build", "--tree", shop.trees / "baseline", "--fixed", shop.trees / "fixed-a", "--component", "fix",
         "--new-version", "2", *cves)
    shop("release")
    follow(device.trust(shop), shop, "[Restart]\nDeadline=1h\n")
    run_old(40)
    assert device("install").status == 0
    edit(device, changed={"waiting_since": 5})
    support.write(device.path / "etc/os-release", "ID=testos\nVERSION_ID=1\nPRETTY_NAME='" + "\u00e4\u00f6\u00fc " * 25 + "'\n")
    device.shop = shop
    return device


def test_a_crowded_status_fits_one_screen(crowded):
    assert verdict(crowded) == (YELLOW, "40 programs still run old code: restart them.")
    shown = text(crowded)
    actions, fixes = shown.count(": restart it by hand\n"), shown.count("CVE-2030-")
    assert actions > 1 and f"and {40 - actions} more: 'suture exposure'" in shown, shown
    assert fixes > 1 and f"and {30 - fixes} more: 'suture status --json'" in shown, shown
    assert all(len(line) <= 40 for line in without_colours(on_terminal(crowded, columns=40)).splitlines())
    tall = without_colours(on_terminal(crowded, columns=200, rows=100))
    assert tall.count("CVE-2030-") == 30 and "status --json" not in tall


def test_a_reason_of_many_words_is_cut(crowded):
    crowded.shop("recall", "--level", "a", "--reason", "it breaks sound, and more " * 36)
    assert crowded("check").status == 0
    assert kinds(crowded) == ["recalled", "restart", "overdue"]
    assert verdict(crowded) == (RED, "Level (a) is in place, but its publisher has recalled it.")
    shown = text(crowded)
    assert "40 programs still run code" in shown and "..." in shown and "29 more" in shown, shown


def test_what_a_roll_out_has_come_to_is_said(device, own_shop, trees):
    own_shop.build("b")
    own_shop("release", "--rollout", "0")
    follow(device, own_shop)
    words = "suture-rollout\n0123456789abcdef0123456789abcdef\n\ntestos-1-x86-64\nb\n"
    position = int.from_bytes(hashlib.sha256(words.encode()).digest()[:4], "big") % 100
    assert device("check").error == "NotOffered"
    said = f"level (b) is not yet in the roll-out for this machine: it is at 0 %, this machine is at {position} %"
    assert device("status")["last_check"]["message"] == said
    assert said in " ".join(text(device).split())
