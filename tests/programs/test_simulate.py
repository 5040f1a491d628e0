"""What a schedule means for many machines: by the same rules as on a device."""
import json

import pytest

import support

SCHEDULE = ["1 % 2030-01-01 00:00Z, 10 % 2030-01-02 00:00Z, 100 % 2030-01-04 00:00Z"]


def simulate(shop, *arguments):
    return json.loads(shop("simulate", "--json", "--machines=20000", *arguments).stdout)


def test_a_schedule(shop):
    result = simulate(shop, *SCHEDULE)
    days = {day["until"][:10]: day for day in result["days"]}
    assert [(until, day["offered_percent"]) for until, day in days.items()] == [
        ("2030-01-02", 10), ("2030-01-03", 10), ("2030-01-04", 100), ("2030-01-05", 100), ("2030-01-06", 100)]
    # An even part of the machines, whose places are digests.
    assert abs(days["2030-01-02"]["have"] - 200) < 60 and abs(days["2030-01-04"]["have"] - 2000) < 150
    assert days["2030-01-05"]["have"] == result["machines"] == 20000
    assert result["half"].startswith("2030-01-04") and result["nearly_all"] >= result["half"]
    assert result["recalled"] is None and result["had"] == 0


def test_what_the_server_sees(shop):
    result = simulate(shop, *SCHEDULE)
    manifest = shop.manifest()
    objects = sum(min(delta["object"]["size"] for delta in component["deltas"]) for component in manifest["components"])
    first, second, *_ = result["days"]
    # Four looks each; the first is at a new repository, with three more files (snapshot, baseline, channel); who installs gets
    # the manifest and the objects.
    assert first["requests"] == 20000 * (4 + 3) + (len(manifest["components"]) + 1) * first["have"]
    assert second["bytes"] > objects * (second["have"] - first["have"])
    assert all(day["peak_minute_requests"] * 60 * 24 >= day["requests"] for day in result["days"])


def test_a_recall_at_ten_percent(shop):
    result = simulate(shop, *SCHEDULE, "--recall-at=9")
    assert result["recalled"].startswith("2030-01-02") and result["had"] == pytest.approx(1800, abs=60)
    assert result["recalled"] < result["left"] <= "2030-01-02T12:30:00Z", "each looks within six hours"
    assert result["days"][-1]["have"] == 0 and result["days"][-1]["offered_percent"] == 0


def test_the_signed_schedule_without_steps(shop):
    result = simulate(shop, "--days=1")
    day, = result["days"]
    assert day["offered_percent"] == 100 and day["have"] == 20000
    text = shop("simulate", "--machines=1000", "--days=1").stdout
    assert "1000 machines, each of which looks 4 times a day; level (a)" in text and "99 % have it: " in text


def test_it_changes_nothing(shop):
    before = support.read_tree(shop.path)
    simulate(shop, *SCHEDULE)
    assert support.read_tree(shop.path) == before


@pytest.mark.parametrize("arguments, message", [
    (["--level=z"], "offers no level 'z'"), (["--machines=0"], "machines"), (["10%"], "when are 10 %"),
])
def test_bad_questions(shop, arguments, message):
    done = shop("simulate", *arguments, check=False)
    assert done.returncode != 0 and message in done.stderr
