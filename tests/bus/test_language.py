"""The agent speaks the language in which it is asked, and English to everybody else."""
import json
import subprocess

import pytest
from gi.repository import GLib

import support
from bus import Refused
from test_notify import run_old, session  # noqa: F401

SENTENCE = "Nichts ist installiert, und das Repositorium wurde nie befragt."
ENGLISH = "Nothing is installed, and the repository was never asked."


@pytest.fixture
def german(agent, catalogs):
    """An agent on a system whose own language it is."""
    before = agent.bus.environment
    agent.bus.environment = {**before, **catalogs}
    yield agent.start()
    agent.bus.environment = before


def status_in(agent, language):
    return json.loads(agent.call("GetStatusIn", "(s)", language)[0])


@pytest.mark.parametrize("language", ["de", "de_DE", "de_AT", "de@euro"])
def test_status_in_german(german, language):
    document = status_in(german, language)
    assert document["verdict"] == {"tone": "doubt", "sentence": SENTENCE} and document["state"] == "baseline"
    assert {**document, "verdict": None} == {**german.ask("GetStatus"), "verdict": None}


@pytest.mark.parametrize("language", ["en", "xx", "fr_CA", "abc_XY@abcdefghi"])
def test_a_language_without_a_catalog_is_english(german, language):
    assert status_in(german, language)["verdict"]["sentence"] == ENGLISH


def test_who_asks_for_no_language_is_answered_in_english(german):
    assert german.ask("GetStatus")["verdict"]["sentence"] == ENGLISH


@pytest.mark.parametrize("language", ["../../x", "de;rm", "", "abc_XY@abcdefghij", "de_DE.UTF-8", "DE", "de_", "de@", "/de", "-de"])
def test_what_is_no_language(german, language):
    with pytest.raises(Refused) as refused:
        status_in(german, language)
    assert refused.value.name == "org.suture1.Error.Usage"


def test_a_job_reports_in_the_language_of_who_wants_it(german):
    assert german.finish(german.begin("Check"))["Report"].startswith("1 (a) is offered\n")
    job = german.finish(german.begin("Install", {"language": GLib.Variant("s", "de")}))
    assert job["Error"] == "" and "Dieses System ist nun auf dem Stand 1 (a)" in job["Report"]
    for method, option in (("Remove", GLib.Variant("s", "../../x")), ("Restart", GLib.Variant("b", True))):
        with pytest.raises(Refused) as refused:
            german.begin(method, {"language": option})
        assert refused.value.name == "org.suture1.Error.Usage"


def test_suture_asks_in_the_language_of_its_user(german, catalogs):
    def suture(*arguments, **environment):
        return subprocess.run([support.BUILD / "suture", *arguments], capture_output=True, text=True, timeout=60, check=True, env={
            **german.bus.environment, **support.SANITIZERS, **catalogs, **environment}).stdout
    assert "Dieses System ist nun auf dem Stand 1 (a)" in suture("install")
    assert "This system is now at 1 " in suture("remove", LC_ALL="C")
    assert "Dieses System ist nun auf dem Stand 1 (a)" in suture("install", "--force", LANGUAGE="de_AT:en")


def test_a_notification_in_the_language_of_the_session(german, device, run_old, session, catalogs):
    run_old()
    assert german.do("Install", {})["State"] == "done"
    session.environment |= catalogs
    assert session.shows() == 1
    program, _, _, summary, message, *_ = session.shown()[0]
    assert (program, summary) == ("suture", "Ein Neustart schließt eine Sicherheitsverbesserung ab")
    assert message.startswith("1 Programm führt noch Code aus, den eine Sicherheitsverbesserung ersetzt hat")
    assert session.shows() == 0
