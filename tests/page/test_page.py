"""What the page shows, and what it does."""
import pytest

import schema
from bus import wait_for
from facts import must_show_all, status_of


def test_nothing_yet(agent, visit):
    page = visit()
    status = status_of(agent)
    must_show_all(page, status)
    assert page.text("verdict") == status["verdict"]["sentence"] and page.is_shown("nothing") and page.is_shown("no-history")
    assert not page.is_shown("offer") and not page.is_shown("remove") and not page.is_shown("refused")
    assert "Never" in page.text("summary")


def test_what_is_offered(agent, device, visit, old_program):
    device("check")
    page = visit()
    status = status_of(agent)
    assert status["plan"] and status["offer"]
    must_show_all(page, status)
    assert "What has to be restarted afterwards" in page.text("offer-plan") and page.text("plan") == ""
    links = page.evaluate("""[...document.querySelectorAll('#offer-components a')].map(a => [a.href, a.target, a.rel])""")
    fixes = [fix for component in status["offer"]["components"] for fix in component["fixes"]]
    assert links == [[fix["url"], "_blank", "noopener noreferrer"] for fix in fixes]


def test_what_is_installed_and_waits(agent, device, visit, old_program):
    device("install", "--restart=later")
    page = visit()
    status = status_of(agent)
    assert status["level"] == "a" and status["plan"] and status["waiting"] and status["attention"]
    must_show_all(page, status)
    assert "What still runs old code" in page.text("plan") and status["waiting"]["since"]
    assert page.is_shown("remove") and not page.is_shown("nothing")
    assert not page.is_shown("restart"), "of what it runs, nothing can be restarted"
    old_program.kill()
    old_program.wait()
    page.click("check")
    page.wait("document.getElementById('plan').innerText === ''", "the end of the plan")
    assert status_of(agent)["state"] == "active"


def test_a_further_offer(agent, device, visit, old_program, next_shop):
    device("install", "--restart=later")
    device.configure(f"[Source]\nRepository={next_shop.public.as_uri()}\n")
    device("check")
    page = visit()
    status = status_of(agent)
    assert status["level"] == "a" and status["offer"]["level"] == "b" and status["plan"]
    must_show_all(page, status)
    assert page.text("offer-plan") and page.text("plan") == ""
    assert page.is_shown("remove") and page.is_shown("install")


def test_restarts(agent, device, visit, pretend, work):
    """Of a service, which there is none of here: so the status is made up, and what is asked for is looked at."""
    device("install", "--restart=later")
    status = device("status").document
    status.update(state="waiting", plan=[{"action": "restart", "unit": "nginx.service", "advice": "restart nginx.service",
                                          "reason": "its process 7 runs old code", "pids": [7]}],
                  waiting={"since": "2030-01-01T00:00:00Z", "due": "2030-01-02T00:00:00Z", "overdue": True,
                           "opens": "2030-01-03T02:00:00Z"})
    pretend(status)
    page = visit()
    must_show_all(page, status)
    assert "Overdue" in page.text("installed-facts") and "Restarts not before" in page.text("installed-facts")
    for button, when in (("restart-tonight", "tonight"), ("restart", "now")):
        page.click(button)
        page.wait_text("note", "The restarts are done.")
        wait_for(lambda: f"--restart={when} restart" in (work / "asked").read_text() or
                 f"restart --restart={when}" in (work / "asked").read_text(), f"the restart {when}")


def test_a_check(agent, visit):
    page = visit()
    page.click("check")
    page.wait_shown("offer")
    page.wait_text("note", "The check is done.")
    must_show_all(page, status_of(agent))


def test_an_installation_and_its_removal(agent, device, visit):
    device("check")
    page = visit()
    page.click("install")
    page.wait_shown("nothing", False)
    page.wait_text("note", "The installation is done.")
    assert device("status")["level"] == "a"
    must_show_all(page, status_of(agent))
    page.click("remove")
    page.wait_shown("remove-dialog")
    page.click("remove-confirm")
    page.wait_shown("nothing")
    page.wait_text("note", "The removal is done.")
    status = status_of(agent)
    assert status["level"] is None and status["removed"] == "a"
    must_show_all(page, status)
    assert "Removed; not installed again by itself" in page.text("refused")


@pytest.mark.parametrize("button, restart", [("install", "now"), ("install-tonight", "tonight")])
def test_which_restart_is_asked_for(agent, device, visit, pretend, work, button, restart):
    device("check")
    pretend(None)
    page = visit()
    page.click(button)
    page.wait_shown("nothing", False)
    assert f"--restart={restart}" in (work / "asked").read_text()


def test_progress_and_cancel(agent, device, visit, hold):
    device("check")
    page = visit()
    page.click("install")
    page.wait_text("job", "37%")
    assert "Downloading" in page.text("job") and not page.is_shown("job-other")
    bar = page.evaluate("""(b => [b.getAttribute('role'), b.getAttribute('aria-valuenow')])(document.getElementById('bar'))""")
    assert bar == ["progressbar", "37"]
    for other in ("check", "install", "install-tonight"):
        assert not page.is_enabled(other)
    page.click("cancel")
    page.wait_shown("job", False)
    page.wait_text("note", "It was cancelled.")
    assert not page.is_shown("failure") and page.is_shown("nothing") and device("status")["level"] is None


def test_somebody_else_is_at_work(agent, device, visit, hold):
    device("check")
    job = agent.begin("Install", {})
    page = visit()
    page.wait_text("job", "37%")
    assert page.is_shown("job-other") and not page.is_enabled("install")
    hold.release()
    agent.finish(job)
    page.wait_shown("job", False)
    page.wait_shown("nothing", False)
    assert page.text("note") == ""
    # And while the page is open.
    job = agent.begin("Remove", {})
    page.wait_shown("nothing")
    assert agent.finish(job)["Error"] == ""


def test_recalled(agent, device, visit, own_shop):
    device.configure(f"[Source]\nRepository={own_shop.public.as_uri()}\n")
    device("install", "--restart=later")
    own_shop("recall", "--level", "a", "--reason", "it breaks sound")
    device("check")
    page = visit()
    status = status_of(agent)
    assert status["state"] == "recalled"
    must_show_all(page, status)
    assert "it breaks sound" in page.text("attention") and "it breaks sound" in page.text("refused")
    assert page.evaluate("document.getElementById('tone').getAttribute('class')") == "icon tone-bad"
    page.click("leave")
    page.wait_shown("nothing")
    assert device("status")["level"] is None


def test_the_automatic_setting(agent, device, visit):
    page = visit()
    checked = "document.getElementById('automatic').checked"
    assert page.evaluate(checked)
    page.choose("level", "download")
    wait_for(lambda: status_of(agent)["automatic"]["level"] == "download", "the level")
    page.wait("document.getElementById('level').value === 'download'", "the level")
    page.click("automatic")
    page.wait(f"!{checked}", "the switch")
    assert status_of(agent)["automatic"]["level"] == "off" and not page.is_shown("level")
    page.click("automatic")
    page.wait(checked, "the switch")
    assert status_of(agent)["automatic"]["level"] == "download"
    # And by others.
    agent.call("SetAutomatic", "(s)", "check")
    page.wait("document.getElementById('level').value === 'check'", "what another one has set")


def test_what_is_waited_for(agent, device, visit):
    device("check")
    device("install", "--unattended", "--metered")
    page = visit()
    status = status_of(agent)
    assert status["waits"] == ["metered"]
    must_show_all(page, status)
    assert "A network that is not metered" in page.text("waits")


def test_all_that_a_status_can_say(device, visit, pretend):
    """Also what no device says at once, with names without end, on a telephone."""
    device("install", "--restart=later")
    status, long, at = device("status").document, "x" * 200, "2030-01-01T00:00:00Z"
    component = {"old_version": None, "new_version": long, "files": 1,
                 "fixes": [{"id": long, "title": long, "severity": severity, "impact": f"impact {long}", "credit": None,
                            "url": f"https://advisories.example/{long}"}
                           for severity in ("low", "moderate", "high", "critical", None)]}
    components = [{"name": f"{fit}-{long}", "fit": fit, **component} for fit in ("applies", "fixed", "missing", "superseded")]
    event = {"at": at, "outcome": "Restart", "message": long, "from": "a", "to": None, "reason": long, "changed": True}
    status.update(
        verdict={"tone": "bad", "sentence": long}, attention=[{"kind": "overdue", "message": long}],
        waits=["metered", "battery", "in-use", "window"], components=components, staged="b", removed="c",
        waiting={"since": at, "due": at, "overdue": True, "opens": at}, repository=f"https://{long}", state="suspended",
        recalls=[{"level": "d", "at": at, "reason": long}], quarantine=[{"level": "e", "at": at, "reason": long}],
        last_check={"at": at, "outcome": "Signature", "message": long, "level": None},
        offer={"level": "f", "version": f"1 (f) {long}", "created": at, "least_bytes": 12_345_678, "components": components},
        plan=[{"action": action, "unit": None, "advice": f"{action} {long}", "reason": long, "pids": []}
              for action in ("reload", "relaunch", "wait", "reboot")],
        history=[{**event, "event": name} for name in ("install", "remove", "download", "take-back", "restart", "resume", "activate",
                                                       "retire", "fall-back", "something new")])
    schema.check("status", status)
    pretend(status)
    for width in (360, 1200):
        page = visit(viewport={"width": width, "height": 800})
        shown = must_show_all(page, status)
        assert {"b", "c", *status["waits"], *(component["fit"] for component in components[1:])} <= set(shown)
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
        assert "12.3 MB" in page.text("offer-facts") and "Overdue" in page.text("installed-facts")
