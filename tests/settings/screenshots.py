"""docs/screenshots/panel-*.png: `make screenshots`. Not a test; look at them."""
import time

import pytest

import support

PICTURES = support.SOURCE / "docs/screenshots"
STATES = ["never", "offered", "up_to_date", "waiting", "removed", "recalled", "offline", "managed", "broken"]
LOOKS = {
    "light-wide": ((760, 1000), {}),
    "dark-narrow": ((360, 720), {"ADW_DEBUG_COLOR_SCHEME": "prefer-dark"}),
}


def settle():
    time.sleep(1)  # what moves comes to rest


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", STATES)
def test_state(name, look, states, panel):
    size, environment = LOOKS[look]
    getattr(states, name)().start()
    panel.open(size=size, **environment).await_text("Version 1" if name != "broken" else "Try Again")
    settle()
    panel.shoot(PICTURES / f"panel-{name.replace('_', '-')}-{look}.png")


def test_fixes(states, panel):
    states.offered().start()
    panel.open(size=(760, 1000)).await_text("Available").focus_row("fix").key("space")
    settle()
    panel.shoot(PICTURES / "panel-fixes-light-wide.png")


def test_question(states, panel):
    states.offered().running().start()
    panel.open(size=(760, 1000)).press("Install…").await_text("Install 1 (b)?")
    settle()
    panel.shoot_screen(PICTURES / "panel-question-light-wide.png", 760, 1000)


def test_progress(states, panel):
    states.offered().slow().start()
    panel.open(size=(760, 1000)).press("Install…").press("Install").await_text("Beginning…")
    settle()
    panel.shoot(PICTURES / "panel-progress-light-wide.png")


def test_refusal(states, panel, system_bus):
    states.offered().start()
    panel.open(size=(760, 1000)).await_text("Available")
    system_bus.allow("return polkit.Result.NO;")
    panel.toggle()
    panel.await_text("polkit does not allow this")
    settle()
    panel.shoot(PICTURES / "panel-refusal-light-wide.png")


@pytest.mark.parametrize("language", ["de", "ar"])
def test_language(language, states, panel, desktop, installed_catalogs):
    states.recalled().start()
    panel.open(size=(760, 1000), **desktop.locale(language)).await_text("1 (b)")
    settle()
    panel.shoot(PICTURES / f"panel-recalled-{language}-light-wide.png")
