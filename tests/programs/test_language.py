"""People read Suture's sentences in their language; programs, and what is kept, do not notice."""
import os
import platform
import re
import shutil

import pytest

import support
from test_tell import edit, fail_b, on_terminal, run_old, at_b, without_colours  # noqa: F401

ENGLISH = {"LC_ALL": "C.UTF-8", "LANGUAGE": ""}
SENTENCE = "Nichts ist installiert; Stufe (a) wird angeboten."


def text(device, verb, environment, status=0):
    done = support.run(*device.command(verb), env={**os.environ, **support.SANITIZERS, **environment}, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout


def skeleton(value, name=None):
    """All but the sentences that are made when they are shown."""
    if name in ("sentence", "advice", "why") or name in ("reason", "message") and isinstance(value, str):
        return type(value).__name__
    if isinstance(value, dict):
        return {key: skeleton(item, key) for key, item in value.items()}
    return [skeleton(item, name) for item in value] if isinstance(value, list) else value


def test_status_in_german(device, catalogs):
    assert device("check").status == 0
    shown = text(device, "status", catalogs)
    assert shown.startswith(SENTENCE + "\n"), shown
    assert re.search(r"^Zustand:    baseline$", shown, re.MULTILINE), shown
    assert re.search(r"^Abgefragt:  \S+: 1 \(a\) wird angeboten$", shown, re.MULTILINE), shown
    assert text(device, "status", ENGLISH).startswith("Nothing is installed; level (a) is offered.\n")


def test_labels_are_as_wide_as_they_look(at_b, catalogs):
    fail_b(at_b)
    assert at_b("watch").error == "TakenBack"
    for environment in (catalogs, ENGLISH):
        shown = text(at_b, "status", environment)
        columns = {re.match(r"[^:]+: +", line).end() for line in shown.splitlines()[1:]
                   if re.match(r"(System|Version|Zustand|State|Quarantäne|Quarantine|Quelle|Repository):", line)}
        assert columns == {12}, shown
    assert "\nQuarantäne: (b): hat hier versagt" in text(at_b, "status", catalogs)


def test_json_is_the_same_but_for_its_sentences(device, run_old, catalogs):
    run_old()
    assert device("install").status == 0
    english, german = device("status", env=ENGLISH).document, device("status", env=catalogs).document
    assert english["verdict"]["sentence"] == "1 program still runs old code: restart it."
    assert german["verdict"] == {"tone": "doubt", "sentence": "1 Programm führt noch alten Code aus: Starten Sie es neu."}
    assert german["state"] == "waiting" and german["needs"] == "person"
    assert skeleton(german) == skeleton(english)
    action, = german["plan"]
    assert action["action"] == "wait" and action["advice"].endswith("gehört zu keinem Dienst: von Hand neu starten")
    assert action["reason"].startswith("answer wurde vorher gestartet und hat die alte Datei"), action
    item, = german["attention"]
    assert item["kind"] == "restart" and item["message"].startswith("1 Programm führt noch Code aus, den ")


@pytest.mark.parametrize("count, sentence", [(1, "1 Programm führt noch alten Code aus: Starten Sie es neu."),
                                             (2, "2 Programme führen noch alten Code aus: Starten Sie sie neu.")])
def test_one_and_several(device, run_old, catalogs, count, sentence):
    run_old(count)
    assert device("install").status == 0
    assert device("status", env=catalogs)["verdict"]["sentence"] == sentence
    assert "denn answer wurde vorher gestartet und hat die alte Datei eingeblendet" in text(device, "exposure", catalogs, status=10)


@pytest.mark.parametrize("language", ["xx", "xx:yy", ""])
def test_an_unknown_language_is_english(device, catalogs, language):
    environment = {**catalogs, "LANGUAGE": language, "LC_ALL": "C.UTF-8"}
    assert device("status", env=environment)["verdict"]["sentence"].startswith("Nothing is installed")


def test_languages_in_the_order_of_who_speaks_them(device, catalogs):
    for languages in ("xx:de", "de_AT"):
        assert device("status", env={**catalogs, "LANGUAGE": languages})["verdict"]["sentence"].startswith("Nichts ist")


@pytest.mark.skipif(tuple(int(n) for n in platform.libc_ver()[1].split(".")[:2]) >= (2, 39),
                    reason="NOT TESTED: this C library speaks English in C.UTF-8, whatever LANGUAGE says")
def test_a_language_without_a_locale(device, catalogs):
    environment = {"LC_ALL": "C.UTF-8", "LANGUAGE": "de"}
    assert device("status", env=environment)["verdict"]["sentence"].startswith("Nichts ist installiert")
    assert device("status", env={**environment, "LC_ALL": "C"})["verdict"]["sentence"].startswith("Nothing is installed")


def test_without_catalogs_it_is_english(device, catalogs, installed_catalogs):
    shutil.rmtree(installed_catalogs / "de")
    assert device("status", env=catalogs)["verdict"]["sentence"].startswith("Nothing is installed")


def test_what_is_kept_is_english(device, run_old, catalogs):
    """The state, the history, and the message for whoever logs in next."""
    run_old()
    assert device("check", env=catalogs).status == 0 and device("install", env=catalogs).status == 0
    kept = {path: path.read_bytes() for path in device.state.rglob("*")
            if path.is_file() and path.name in ("state.json", "history")}
    kept[device.path / "run/motd.d/suture"] = (device.path / "run/motd.d/suture").read_bytes()
    assert len(kept) >= 3 and b"1 program still runs code" in kept[device.path / "run/motd.d/suture"]
    for path, data in kept.items():
        assert not re.search("Stufe|Programm\\b|wird|ü", data.decode()), (path, data)
    assert device("status", env=catalogs)["last_check"]["message"] == "1 (a) is offered"


def test_verbs_in_german(device, catalogs):
    assert text(device, "check", catalogs).startswith("1 (a) wird angeboten\n")
    shown = text(device, "install", catalogs)
    assert "Dieses System ist nun auf dem Stand 1 (a) (ausgetauscht in " in shown, shown
    assert "Nichts führt alten Code aus." in shown and re.search(r"^  fix \S+, \d+ Dateien$", shown, re.MULTILINE), shown
    assert text(device, "install", catalogs) == "1 (a) ist installiert; Neueres wird nicht angeboten.\n"
    assert "Dieses System ist nun auf dem Stand 1 (" in text(device, "remove", catalogs)


def test_german_fits_the_screen(device, run_old, catalogs):
    run_old(3)
    assert device("install").status == 0
    for columns in (40, 80):
        shown = without_colours(on_terminal(device, columns=columns, **catalogs))
        assert shown.startswith("3 Programme führen") and all(len(line) <= columns for line in shown.splitlines()), shown
