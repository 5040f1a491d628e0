"""The panel against the real agent, on a bus and a screen of its own, by the eyes and hands of a screen reader."""
import pytest

import support
import truth
from bus import wait_for
from states import DENY_ALL


def test_what_is_offered(states, panel):
    states.offered().start()
    status = states.status()
    panel.open().await_text(status["verdict"]["sentence"], "Version 1", "Available: 1 (b)", "Last Check")
    panel.await_text("fix", "other", "1.0 → 1.1 · 2 fixes", "1.0 → 1.1 · 1 fix", status["last_check"]["message"])
    panel.await_text("CVE-2030-0001", "Critical severity", "Whoever sends an answer may crash it.",
                     "Advisory about CVE-2030-0001", "High severity")
    assert panel.button("Install…") and panel.find("push button", "Remove…") is None


def test_install_and_remove(states, panel):
    states.offered().start()
    panel.open().press("Install…").await_text("Install 1 (b)?", "Nothing has to be restarted.")
    panel.press("Install").await_text("Installed (b)", "Protected. Nothing is running old code.")
    assert states.status()["level"] == "b"
    panel.press("Remove…").await_text("Remove (b)?", "3 vulnerabilities will be open again.")
    panel.press("Remove").await_text("Removed (b)", "No improvement is installed", "(b) was removed")
    assert states.status()["level"] is None


def test_a_question_may_be_left(states, panel):
    states.offered().start()
    panel.open().press("Install…").await_text("Install 1 (b)?").press("Cancel").await_gone("Install 1 (b)?")
    assert states.status()["history"] == []


def test_progress_and_cancel(states, panel):
    states.offered().slow().start()
    panel.open().press("Install…").press("Install").await_text("Beginning…")
    assert panel.find("progress bar") and panel.find("push button", "Install…") is None
    assert not panel.can(panel.button("Check Now")), "one job at a time"
    panel.press("Cancel").await_text("Available: 1 (b)")
    panel.await_gone("Beginning…")
    assert states.status()["level"] is None
    states.go_on()
    panel.press("Install…").press("Install").await_text("Installed (b)")


def test_the_plan_comes_first(states, panel):
    states.offered().running().start()
    status = states.status()
    plan, = status["plan"]
    panel.open().await_text("What Installing It Takes", plan["advice"], plan["reason"])
    panel.press("Install…").await_text(f"• {plan['advice']}").press("Install")
    panel.await_text("Still Running Old Code", states.await_level("b")["verdict"]["sentence"])
    states.stop_running()
    panel.press("Check Now").await_text("Protected. Nothing is running old code.")


def test_restart_tonight_and_now(states, panel):
    states.with_units().start()
    panel.open().await_text("Still Running Old Code", "web.service is restarted", "its process runs the old file")
    panel.press("Restart Tonight")
    wait_for(lambda: "--restart=tonight" in states.asked.read_text(), "that the agent was asked for the night")
    panel.press("Restart Now")
    wait_for(lambda: any(line.endswith(" restart") for line in states.asked.read_text().splitlines()),
             "that it was asked for now")


def test_the_switch_turns_when_the_agent_says_so(states, panel):
    states.up_to_date().start()
    panel.open().await_text("Improvements are downloaded and installed in the background")
    assert panel.is_on()
    panel.toggle()
    panel.await_text("You are told of improvements, and install them yourself")
    assert not panel.is_on() and states.status()["automatic"]["level"] == "check"
    panel.toggle()
    panel.await_text("Improvements are downloaded and installed in the background")
    assert states.status()["automatic"]["level"] == "install"


def test_refused_by_polkit(states, panel, system_bus):
    states.offered().start()
    panel.open().await_text("Available: 1 (b)")
    system_bus.allow(DENY_ALL)
    panel.toggle()
    panel.await_text("polkit does not allow this")
    assert panel.is_on() and states.status()["automatic"]["level"] == "install"
    panel.press("Install…").press("Install").await_text("polkit does not allow this")
    assert states.status()["level"] is None and panel.button("Install…")


def test_managed(states, panel):
    states.managed().start()
    panel.open().await_text("Managed by your organisation", "You are told of improvements, and install them yourself")
    assert not panel.can(panel.switch()) and not panel.can(panel.button("Remove…"))


def test_not_allowed_to_install(states, panel):
    states.offered()
    support.write(states.device.path / "etc/suture/managed.conf", "[Policy]\nAllowInstall=no\n")
    states.start()
    panel.open().await_text("Your organisation does not allow improvements to be installed here.")
    assert not panel.can(panel.button("Install…"))


def test_offline(states, panel):
    states.offline().start()
    status = states.status()
    panel.open().await_text(status["verdict"]["sentence"], status["last_check"]["message"])
    panel.press("Check Now").await_text(status["last_check"]["message"])


def test_recalled(states, panel):
    states.recalled().start()
    status = states.status()
    panel.open().await_text(status["verdict"]["sentence"], status["attention"][0]["message"], "Needs You")
    panel.press("Go Back…").await_text("Go back from (b)?").press("Go Back")
    panel.await_gone("Go Back…").await_text("Installed")
    states.await_level("a")


def test_what_others_do_is_seen(states, panel):
    states.offered().start()
    panel.open().await_text("Available: 1 (b)")
    states.installed()
    panel.await_text("Installed (b)").await_gone("Available: 1 (b)")


def test_an_agent_that_is_gone_comes_back(states, panel):
    states.up_to_date().start()
    panel.open().await_text("Protected.")
    states.agent.bus.stop(states.agent.process)
    panel.await_text("The Agent Does Not Answer").press("Try Again").await_text("The Agent Does Not Answer")
    states.start()
    panel.await_text("Protected.")


def test_by_keyboard_alone(states, panel):
    states.offered().start()
    panel.open().await_text("Install…")
    panel.focus("Install…").key("Return").await_text("Install 1 (b)?")
    panel.key("Return").await_text("Installed (b)")
    panel.focus("Remove…").key("space").await_text("Remove (b)?")
    panel.key("Escape").await_gone("Remove (b)?")
    assert states.status()["level"] == "b"


STATES = ["never", "offered", "installed", "up_to_date", "removed", "recalled", "offline", "managed"]

@pytest.mark.parametrize("name", STATES)
def test_nothing_is_shown_that_status_does_not_say(name, states, panel):
    getattr(states, name)().start()
    panel.open().await_text(states.status()["verdict"]["sentence"])
    texts = panel.texts()
    assert truth.untrue(texts, states.status()) == []
    assert truth.untrue(["Version 7 (x)", "CVE-1999-0001"], states.status()), "this test sees what is not true"


def test_in_german(states, panel, desktop, installed_catalogs):
    """Labels and the agent's sentences alike."""
    states.offered().start()
    panel.open(**desktop.locale("de")).await_text("Nichts ist installiert; Stufe (b) wird angeboten.", "Verfügbar: 1 (b)",
                                                  "Automatisch installieren", "1.0 → 1.1 · 2 Korrekturen")
    panel.press("Installieren …").await_text("1 (b) installieren?").press("Installieren").await_text("Installiert (b)")


def test_from_right_to_left(states, panel, desktop):
    states.offered().start()
    panel.open(**desktop.locale("ar")).await_text("Available: 1 (b)")
    title, button = panel.find("label", "Last Check"), panel.button("Check Now")
    assert panel.left(button) < panel.left(title)


def test_every_part_has_a_name(states, panel):
    states.recalled().start()
    panel.open().await_text("Needs You")
    nameless = [node.get_role_name() for node in panel.all()
                if node.get_role_name() in ("push button", "check box", "link", "progress bar") and not node.get_name()]
    assert nameless == []
