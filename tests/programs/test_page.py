"""What `suture status --json` says for those who show it: the panel and the page show nothing else."""
import pytest

import support


@pytest.fixture(scope="session")
def linked_shop(scratch, trees):
    """Whose fixes have a severity, and an advisory."""
    publisher = support.Publisher(scratch / "linked-shop", trees).start()
    publisher("build", "--tree", trees / "baseline", "--fixed", trees / "fixed-a", "--component", "fix", "--old-version", "1",
              "--new-version", "2", "--cve", f"{support.CVE['a']}:high", "--advisory", "https://advisories.example/{id}.html")
    publisher("release")
    return publisher


@pytest.fixture
def linked(linked_shop, work, trees):
    support.run("cp", "-a", trees / "baseline", work / "linked")
    return support.Device(work / "linked", linked_shop.public.as_uri()).trust(linked_shop)


def status(device):
    return device("status").document


def test_an_offer_is_told_whole(linked):
    assert status(linked)["offer"] is None
    linked("check")
    offer = status(linked)["offer"]
    assert (offer["level"], offer["version"]) == ("a", "1 (a)") and offer["least_bytes"] > 0
    fix, = offer["components"][0]["fixes"]
    assert fix == {"id": support.CVE["a"], "title": None, "severity": "high",
                   "url": f"https://advisories.example/{support.CVE['a']}.html", "impact": None, "credit": None}
    linked("install", "--restart=later")
    after = status(linked)
    assert after["offer"] is None and after["components"][0]["fixes"] == [fix]


def test_the_verdict_is_the_first_line_of_status(linked):
    linked("check")
    verdict = status(linked)["verdict"]
    assert verdict["tone"] == "doubt" and "level (a) is offered" in verdict["sentence"]
    plain = support.run(support.BUILD / "suture", "--root", linked.path, "status").stdout
    assert " ".join(plain.split()).startswith(verdict["sentence"])


def test_the_newest_of_the_history_come_first(linked):
    linked("check")
    for _ in range(6):
        linked("install", "--restart=later")
        linked("remove", "--restart=later")
    history = status(linked)["history"]
    assert [event["event"] for event in history[:2]] == ["remove", "install"]
    assert history[0]["from"] == "a" and history[0]["to"] is None and history[0]["outcome"] == "Ok"
    assert history[0]["at"] >= history[-1]["at"] and len(history) <= 20


def test_what_the_administrator_allows(linked):
    assert status(linked)["policy"] == {"install": True, "remove": True}
    support.write(linked.path / "etc/suture/managed.conf", "[Policy]\nAllowRemoval=no\n")
    assert status(linked)["policy"] == {"install": True, "remove": False}


@pytest.mark.parametrize("arguments, message", [
    (["--cve", "CVE-2026-1:frightful"], "'frightful' is no severity: low, moderate, high or critical"),
    (["--cve", ":high"], "'' is not an identifier"),
    (["--advisory", "https://advisories.example/"], "there is no {id} in"),
    (["--advisory", "http://advisories.example/{id}"], "is not an https URL"),
], ids=["severity", "no name", "no id", "no https"])
def test_what_is_no_link(scratch, trees, linked_shop, arguments, message):
    done = linked_shop.build("b", *arguments, check=False)
    assert done.returncode != 0 and message in done.stderr
