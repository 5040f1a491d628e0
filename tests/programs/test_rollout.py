"""Who is offered a level, and when: set, paused, resumed; groups of machines that come first."""
import datetime
import json
import time

import pytest

import support


def channel(publisher):
    path = max(publisher.public.glob("targets/*/*.channel.json"), key=lambda path: path.stat().st_mtime_ns)
    return json.loads(path.read_text())


def level(publisher, name="a"):
    return next(level for level in channel(publisher)["levels"] if level["level"] == name)


def steps(publisher):
    return [(datetime.datetime.fromisoformat(step["from"]), step["percent"]) for step in level(publisher)["rollout"]]


@pytest.fixture
def publisher(own_shop, device):
    device.configure(f"[Source]\nRepository={own_shop.public.as_uri()}\n")
    return own_shop


def configure(device, publisher, more):
    device.configure(f"[Source]\nRepository={publisher.public.as_uri()}\n{more}")


def refused(device):
    answer = device("check")
    assert answer.error == "NotOffered", answer.text
    return answer.message


def test_a_schedule(publisher):
    time.sleep(1.1)  # after the second of the release
    now = datetime.datetime.now(datetime.timezone.utc)
    said = publisher("rollout", "set", "--force", "1", "%", "now,", "10%", "tomorrow,100 % on", "2099-01-01 08:00Z").stdout
    (_, first), *rest = steps(publisher)
    assert first == 100, "the past stays said"
    assert [percent for _, percent in rest] == [1, 10, 100]
    assert abs(rest[0][0] - now) < datetime.timedelta(minutes=1)
    assert abs(rest[1][0] - now - datetime.timedelta(days=1)) < datetime.timedelta(hours=1, minutes=1)
    assert rest[2][0] == datetime.datetime(2099, 1, 1, 8, tzinfo=datetime.timezone.utc)
    assert "1 % of the machines are offered it now" in said and "2099-01-01T08:00:00Z  100 %  to come" in said
    assert publisher("rollout").stdout == said == publisher("rollout", "show").stdout


def test_the_device_heeds_it(publisher, device):
    publisher("rollout", "set", "--force", "0% now, 100% 2099-01-01")
    assert "is not yet in the roll-out for this machine: it is at 0 %" in refused(device)
    publisher("rollout", "set", "100% now")
    assert device("check").document["level"] == "a"


def test_pause_and_resume(publisher, device):
    publisher("rollout", "set", "--force", "50% now, 100% 2099-01-01")
    (*_, (_, _), (end, _)) = steps(publisher)
    publisher("rollout", "pause")
    assert refused(device) == "the roll-out of level (a) is paused by its publisher"
    time.sleep(2)
    publisher("rollout", "resume")
    (*_, (_, percent), (later, _)) = steps(publisher)
    assert percent == 50 and 2 <= (later - end).total_seconds() <= 30, "what had not come yet comes so much later"
    assert level(publisher).get("paused") is None
    for verb, message in (("resume", "is not paused"), ("pause", None), ("pause", "is paused already")):
        done = publisher("rollout", verb, check=False)
        assert (done.returncode != 0) == bool(message) and (message or "") in done.stderr


def test_a_pause_takes_nothing_away(publisher, device):
    device("install", "--restart=later")
    publisher("rollout", "pause")
    assert device("check").document["up_to_date"] and device("status").document["level"] == "a"


def test_groups_come_first(publisher, device):
    publisher("rollout", "set", "--force", "--group=canary", "--group=staff", "0% now")
    assert "it is at 0 %" in refused(device)
    configure(device, publisher, "Group=others\n")
    assert "it is at 0 %" in refused(device)
    configure(device, publisher, "Group=others\nGroup=canary\n")
    assert device("check").document["level"] == "a"
    publisher("rollout", "pause")
    assert "is paused by its publisher" in refused(device)
    assert level(publisher)["groups"] == ["canary", "staff"]


def test_a_release_for_a_group_alone(publisher, device):
    publisher.build("b")
    publisher("release", "--rollout=0", "--group=canary")
    assert level(publisher, "b")["groups"] == ["canary"]
    assert "level (b) is not yet in the roll-out" in refused(device)
    configure(device, publisher, "Group=canary\n")
    assert device("check").document["level"] == "b"


@pytest.mark.parametrize("words, message", [
    (["10% on", "Doomsday"], "date(1) does not know when 'Doomsday' is"),
    (["101% now"], "'101% now' does not begin with 0 to 100 %"),
    (["% now"], "does not begin with 0 to 100 %"),
    (["10%"], "when are 10 % to have it?"),
    (["10% now,"], "does not begin with 0 to 100 %"),
    (["50% now, 10% tomorrow"], "10 % do not come after 50 %"),
    (["10% tomorrow, 50% now"], "50 % do not come after 10 %"),
    ([], "wants steps"),
], ids=["no time", "too much", "no number", "no word", "empty", "shrinks", "backwards", "nothing"])
def test_steps_that_are_none(publisher, words, message):
    before = channel(publisher)
    done = publisher("rollout", "set", "--force", *words, check=False)
    assert done.returncode == 2 and message in done.stderr, done.stderr
    assert channel(publisher) == before


def test_who_has_it_keeps_it(publisher):
    done = publisher("rollout", "set", "10% now", check=False)
    assert done.returncode != 0 and "100 % of the machines are offered level (a) already, and keep it" in done.stderr


def test_what_is_recalled_is_offered_to_nobody(publisher):
    publisher("recall", "--level", "a", "--reason", "it breaks sound")
    done = publisher("rollout", "set", "100% now", check=False)
    assert done.returncode == 2 and "offers nothing: say which --level" in done.stderr
    done = publisher("rollout", "set", "--level=a", "100% now", check=False)
    assert done.returncode == 40 and "level (a) was recalled: it is offered to nobody" in done.stderr


def test_names_that_are_none(publisher, device):
    done = publisher("rollout", "set", "--group=No Name", "100% now", check=False)
    assert done.returncode == 2 and "'No Name' is not a name" in done.stderr
    configure(device, publisher, "Group=Ä\n")
    assert device("check").error == "Config"
