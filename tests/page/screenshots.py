"""docs/screenshots/page-*.png and advisories-*.png: `make screenshots`. Not a test; look at them."""
import pytest

import support
from bus import wait_for
from test_advisories import advised, site  # noqa: F401
from test_polkit import DENIED, rule

PICTURES = support.SOURCE / "docs/screenshots"
WIDTHS = {"narrow": 360, "wide": 1000}


def shrink(path):
    support.run("mogrify", "-strip", "+dither", "-colors", "96", "-define", "png:compression-level=9", path)


@pytest.fixture
def take(visit):
    """Open the page as each look has it, do something there, and keep what is seen."""
    def go(state, *looks, act=None, **options):
        for look in looks or ("light-wide", "dark-narrow"):
            theme, width = look.split("-")
            page = visit(colorScheme=theme, viewport={"width": WIDTHS[width], "height": 640}, **options)
            if act:
                act(page)
            path = PICTURES / f"page-{state}-{look}.png"
            page.screenshot(path)
            shrink(path)
    return go


def test_empty(agent, take):
    take("empty", "light-wide")


def test_offered(agent, device, take, old_program):
    device("check")
    take("offered", "light-wide", "light-narrow", "dark-wide", "dark-narrow")


def test_progress(agent, device, take, hold):
    device("check")
    agent.begin("Install", {})
    wait_for(lambda: agent.get("Done", "/org/suture1/job/1", "org.suture1.Job") == 37, "the progress")
    take("progress", act=lambda page: page.wait_text("job", "37%"))


def test_waiting(agent, device, take, old_program):
    device("install", "--restart=later")
    take("waiting")


def test_recalled(agent, device, take, server, own_shop):
    server.directory = own_shop.public
    device("install", "--restart=later")
    own_shop("recall", "--level", "a", "--reason", "TLS clients with old certificates cannot connect")
    device("check")
    take("recalled", "light-narrow", "dark-wide")


def test_removal(agent, device, take):
    device("install", "--restart=later")
    take("removal", act=lambda page: page.click("remove"))


def test_offline(agent, device, take):
    device.configure("[Source]\nRepository=http://127.0.0.1:1\n")

    def check(page):
        page.click("check")
        page.wait_shown("failure")
    take("offline", act=check)


def test_not_allowed(agent, device, take):
    support.write(device.path / "etc/suture/managed.conf", "[Automatic]\nLevel=check\n[Policy]\nAllowRemoval=no\n")
    device("install", "--restart=later")
    agent.bus.allow(rule(check=DENIED))

    def refuse(page):
        page.click("check")
        page.wait_shown("failure")
    take("not-allowed", "light-wide", uid=support.NOBODY, act=refuse)
    agent.bus.forget()


def test_error(agent, device, take):
    device.configure("[Source]\nNonsense=1\n")
    take("error", "light-wide", "dark-narrow")


def test_german(agent, device, take, old_program, installed_catalogs):
    device("check")
    take("german", "light-wide", language="de", locale="de-DE")


def test_from_right_to_left(agent, device, take):
    device("check")
    take("right-to-left", "light-wide", language="he", locale="he-IL")


@pytest.mark.parametrize("look", ["light-wide", "dark-narrow"])
def test_advisories(browser, site, look):  # noqa: F811
    theme, width = look.split("-")
    browser.do("open", url=site["page"], colorScheme=theme, viewport={"width": WIDTHS[width], "height": 640})
    browser.do("evaluate", code="{ document.querySelector('details').open = true }")
    path = PICTURES / f"advisories-{look}.png"
    browser.do("screenshot", path=str(path), fullPage=True)
    browser.do("close")
    shrink(path)
