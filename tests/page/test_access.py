"""For whom the page is: keyboards, screen readers, other languages and directions, narrow screens, the dark."""
import json
import shutil

import pytest

import facts


def tab_to(page, element, key="Tab"):
    for _ in range(60):
        if page.focused() == element:
            return
        page.press(key)
    raise AssertionError(f"the keyboard does not reach #{element}")


def test_the_keyboard_alone(agent, device, visit):
    page = visit()
    tab_to(page, "check")
    page.press("Enter")
    page.wait_shown("offer")
    assert page.focused() == "check"
    tab_to(page, "install")
    page.press("Enter")
    page.wait_shown("nothing", False)
    page.wait_shown("job", False)
    assert page.focused() == "verdict"
    tab_to(page, "remove")
    page.press("Space")
    page.wait_shown("remove-dialog")
    assert page.evaluate("document.activeElement.innerText") == "Keep"
    page.press("Escape")
    page.wait_shown("remove-dialog", False)
    assert page.focused() == "remove" and device("status")["level"] == "a"
    page.press("Enter", "Enter")
    page.wait_shown("remove-dialog", False)
    assert page.focused() == "remove" and device("status")["level"] == "a"
    page.press("Enter", "Tab")
    assert page.focused() == "remove-confirm"
    page.press("Enter")
    page.wait_shown("nothing")
    page.wait_shown("job", False)
    assert page.focused() == "verdict" and device("status")["level"] is None
    tab_to(page, "automatic")
    page.press("Space")
    page.wait("!document.getElementById('automatic').checked", "the switch")
    assert device("status")["automatic"]["level"] == "off" and page.focused() == "automatic"


def test_what_a_screen_reader_is_given(agent, device, visit, hold):
    device("check")
    page = visit()
    page.click("install")
    page.wait_text("job", "37%")
    aria = page.aria()
    for part in ('heading "Background Security Improvements" [level=1]', 'region "Protection"', 'region "Installing"',
                 'progressbar "Installing"', 'region "Available"', 'list "Components of the available improvement"',
                 'heading "openssl" [level=3]', 'link "CVE-2030-0001 (opens in a new tab)"', 'button "Install and restart now"',
                 'switch "Look for improvements by itself" [checked]', 'combobox "What is done with them"', 'region "History"'):
        assert part in aria, f"{part} is not in:\n{aria}"
    live = page.evaluate("[...document.querySelectorAll('[aria-live], [role=alert], [role=status]')].map(e => e.id)")
    assert {"verdict", "job-step", "failure-place", "note"} <= set(live)
    nameless = page.evaluate("""[...document.querySelectorAll('button, a, input, select')].filter(e => e.checkVisibility())
        .filter(e => !(e.textContent.trim() || e.labels && e.labels.length)).map(e => e.outerHTML)""")
    assert nameless == []
    page.click("cancel")
    page.wait_shown("job", False)


def test_german(agent, device, visit, plugin, installed_catalogs):
    if not plugin.has_german:
        pytest.skip("NOT TESTED: msgfmt was not there when this was built")
    device("install", "--restart=later")
    page = visit(language="de", locale="de-DE")
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir, document.title]") == \
        ["de", "ltr", "Sicherheitsverbesserungen im Hintergrund"]
    german = set(facts.translations().values()) | {"4 Korrekturen"}
    status = json.loads(agent.call("GetStatusIn", "(s)", "de")[0])
    assert status["verdict"]["sentence"] != agent.ask("GetStatus")["verdict"]["sentence"]
    facts.check(page, status, german)
    assert "4 Korrekturen" in page.text("components")


def test_each_word_is_translated():
    """And nothing else is."""
    if not shutil.which("msgfmt"):
        pytest.skip("NOT TESTED: msgfmt is not installed")
    assert facts.words_in_code() == set(facts.translations())


def test_from_right_to_left(agent, device, visit):
    device("check")
    page = visit(language="he", locale="he-IL")
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["he", "rtl"]
    assert page.text("installed-title") == "מותקן"
    places = page.evaluate("""['check', 'tone', 'installed-title'].map(id => document.getElementById(id).getBoundingClientRect())
        .map(box => (box.left + box.right) / 2 / innerWidth)""")
    assert places[0] < 0.4 and places[1] > 0.6 and is_within(page)


def is_within(page):
    return page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [360, 1600])
def test_no_screen_is_too_narrow(agent, device, visit, width, old_program):
    device("check")
    page = visit(viewport={"width": width, "height": 800})
    assert is_within(page)
    page.click("install-tonight")
    page.wait_shown("nothing", False)
    assert is_within(page)
    page.click("remove")
    page.wait_shown("remove-dialog")
    assert is_within(page)


@pytest.mark.parametrize("desktop, shell, is_dark", [
    ("light", None, False), ("dark", None, True), ("dark", "light", False), ("light", "dark", True), ("dark", "auto", True)])
def test_light_and_dark(agent, device, visit, own_shop, old_program, desktop, shell, is_dark):
    device.configure(f"[Source]\nRepository={own_shop.public.as_uri()}\n")
    device("install", "--restart=later")
    own_shop("recall", "--level", "a", "--reason", "it breaks sound")
    device("check")
    page = visit(colorScheme=desktop, storage={"shell:style": shell} if shell else {})
    assert page.evaluate("document.documentElement.classList.contains('pf-v6-theme-dark')") == is_dark
    red = page.evaluate("Number(getComputedStyle(document.body).backgroundColor.match(/[0-9]+/)[0])")
    assert (red < 64) == is_dark
    facts.check_contrast(page)


def test_nothing_else_runs_in_the_page(agent, browser, visit):
    """Cockpit's policy holds: neither scripts nor styles within the page; and this would have been noticed elsewhere."""
    page = visit()
    assert page.complaints() == []
    page.evaluate("""document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.alien = 1' }))""")
    assert page.evaluate("window.alien") is None
    assert any("Content Security Policy" in complaint for complaint in page.complaints())
    browser.do("forget")


def test_no_markup_is_made_of_facts(device, visit, pretend):
    """What the agent says is text, whatever it looks like."""
    device("check")
    status = device("status").document
    status["verdict"]["sentence"] = "<img src=x onerror=alert(1)><b>bold</b>"
    status["offer"]["components"][0]["fixes"][0].update(url="javascript:alert(1)", title="<script>alert(1)</script>")
    pretend(status)
    page = visit()
    assert page.text("verdict") == status["verdict"]["sentence"]
    assert page.evaluate("document.querySelectorAll('main img, main b, main script').length") == 0
    links = page.evaluate("[...document.querySelectorAll('a')].map(a => a.protocol)")
    assert set(links) == {"https:"} and len(links) == len(status["offer"]["components"][0]["fixes"]) - 1
