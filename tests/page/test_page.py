"""What the page shows, what it does, and what it does when that fails."""
import subprocess
import time

import pytest

import facts
import support
from bus import JOB, wait_for
from test_polkit import ALLOWED, DENIED, rule


def status_of(agent):
    return agent.ask("GetStatus")


def must_show(shown, *values):
    missing = [value for value in values if value is not None and str(value) not in shown]
    assert not missing, f"not shown: {missing}"


def must_show_components(shown, components):
    for component in components:
        must_show(shown, component["name"], component["old_version"], component["new_version"])
        for fix in component["fixes"]:
            must_show(shown, fix["id"], fix["title"], fix["severity"])


def must_show_plan(shown, plan):
    for action in plan or []:
        must_show(shown, action["advice"], action["reason"])


def must_show_all(page, status):
    """As soon as it has heard of it."""
    end = time.monotonic() + 5
    while True:
        try:
            return must_show_all_now(page, status)
        except AssertionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def must_show_all_now(page, status):
    shown = facts.check(page, status)
    must_show(shown, status["version"], status["verdict"]["sentence"], status["baseline"]["os"], status["state"],
              *(item["message"] for item in status["attention"]), *status["waits"])
    must_show_components(shown, status["components"])
    must_show_plan(shown, status["plan"])
    if status["offer"]:
        must_show(shown, status["offer"]["version"], status["offer"]["created"], status["offer"]["least_bytes"])
        must_show_components(shown, status["offer"]["components"])
    if status["last_check"]:
        must_show(shown, status["last_check"]["at"], status["last_check"]["message"])
    for event in status["history"]:
        must_show(shown, event["at"], event["event"], event["message"])
    for entry in status["recalls"] + status["quarantine"]:
        must_show(shown, entry["level"], entry["reason"], entry["at"])
    return shown


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
                  waiting={"since": "2030-01-01T00:00:00Z", "due": "2030-01-02T00:00:00Z", "overdue": True})
    pretend(status)
    page = visit()
    must_show_all(page, status)
    assert "Overdue" in page.text("installed-facts")
    page.click("restart")
    page.wait_text("note", "The restarts are done.")
    assert " restart" in (work / "asked").read_text()


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


@pytest.mark.parametrize("button, restart", [("install", "now"), ("install-due", "when-due")])
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
    for other in ("check", "install", "install-due"):
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


def test_busy(agent, device, visit, hold):
    """Two at the same moment: one is told of the other."""
    device("check")
    page = visit()
    # The other's call is made while the page has no time to listen.
    other = subprocess.Popen(["sh", "-c", "sleep 0.2; exec busctl --system call org.suture1 /org/suture1 org.suture1.Manager Install"
                              " 'a{sv}' 0"], env=agent.bus.environment, stdout=subprocess.DEVNULL)
    page.evaluate("{ const end = Date.now() + 1000; while (Date.now() < end); document.getElementById('check').click(); }")
    assert other.wait() == 0
    page.wait_shown("failure")
    assert page.text("failure-title") == "The check failed"
    assert "/org/suture1/job/1" in page.text("failure-message")
    hold.release()
    page.wait_shown("nothing", False)


def test_a_job_that_fails(agent, device, visit, server, shop):
    device("check")
    server.fail("objects/", status=500)
    page = visit()
    page.click("install")
    page.wait_shown("failure")
    assert page.text("failure-title") == "The installation failed"
    assert page.text("failure-message") == agent.get("Message", "/org/suture1/job/1", JOB)
    status = status_of(agent)
    assert status["history"][0]["outcome"] != "Ok" and page.is_enabled("install")
    page.click("dismiss")
    assert not page.is_shown("failure")
    must_show_all(page, status)


def test_offline(agent, device, visit):
    device.configure("[Source]\nRepository=http://127.0.0.1:1\n")
    page = visit()
    page.click("check")
    page.wait_shown("failure")
    assert page.text("failure-title") == "The check failed"
    page.click("dismiss")
    status = status_of(agent)
    must_show_all(page, status)
    assert status["last_check"]["outcome"] == "Unreachable" and status["last_check"]["message"] in page.text("summary")
    assert "Failed" in page.text("summary")


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


def test_what_the_policy_forbids(agent, device, visit, next_shop):
    device("install", "--restart=later")
    device.configure(f"[Source]\nRepository={next_shop.public.as_uri()}\n[Policy]\nAllowInstall=no\nAllowRemoval=no\n")
    device("check")
    page = visit()
    must_show_all(page, status_of(agent))
    assert not page.is_enabled("install") and not page.is_enabled("install-due") and not page.is_enabled("remove")
    assert "does not allow installations" in page.text("install-reason")
    assert "does not allow removals" in page.text("remove-reason")
    page.click("remove", force=True)
    page.click("install", force=True)
    assert not page.is_shown("remove-dialog") and not page.is_shown("job") and device("status")["level"] == "a"


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


def test_managed(agent, device, visit):
    support.write(device.path / "etc/suture/managed.conf", "[Automatic]\nLevel=check\n")
    page = visit()
    assert page.evaluate("[document.getElementById('automatic').disabled, document.getElementById('level').disabled]") == [True, True]
    assert page.text("managed") == "Managed by your organisation."
    must_show_all(page, status_of(agent))


def test_what_is_waited_for(agent, device, visit):
    device("check")
    device("install", "--unattended", "--metered")
    page = visit()
    status = status_of(agent)
    assert status["waits"] == ["metered"]
    must_show_all(page, status)
    assert "A network that is not metered" in page.text("waits")


@pytest.fixture
def somebody(agent, visit):
    """The page of a user who is not root, to whom polkit says what the rule says."""
    def go(**results):
        agent.bus.allow(rule(**results))
        return visit(uid=support.NOBODY)
    yield go
    agent.bus.forget()


def test_who_is_not_allowed(agent, device, somebody):
    device("install", "--restart=later")
    page = somebody(check=DENIED, install=DENIED, remove=DENIED, configure=DENIED)
    must_show_all(page, status_of(agent))
    page.click("automatic")
    page.wait_shown("failure")
    assert page.text("failure-title") == "The setting was not changed" and "polkit does not allow this" in page.text("failure-message")
    assert page.evaluate("document.getElementById('automatic').checked") and status_of(agent)["automatic"]["level"] == "install"
    page.choose("level", "check")
    page.wait("document.body.getAttribute('aria-busy') === 'false'", "the answer")
    assert page.evaluate("document.getElementById('level').value") == "install"
    page.click("check")
    page.wait_text("failure-title", "The check failed")
    page.click("remove")
    page.click("remove-confirm")
    page.wait_text("failure-title", "The removal failed")
    assert device("status")["level"] == "a" and agent.get("Job") == "/"


def test_who_is_allowed(agent, device, somebody):
    device("check")
    page = somebody(install=ALLOWED)
    page.click("install")
    page.wait_shown("nothing", False)
    assert device("status")["level"] == "a"


def test_no_agent(agent, device, visit):
    agent.bus.stop(agent.process)
    page = visit()
    assert page.text("error-message") == "The agent, sutured, is not there." and not page.is_shown("content")
    agent.start()
    page.click("retry")
    page.wait_shown("content")
    must_show_all(page, status_of(agent))


def test_a_status_that_cannot_be_had(agent, device, visit):
    good = (device.path / "etc/suture/suture.conf").read_text()
    device.configure("[Source]\nNonsense=1\n")
    page = visit()
    assert page.is_shown("error") and "suture.conf:2: unknown key" in page.text("error-message")
    assert not page.is_shown("content")
    device.configure(good)
    page.click("retry")
    page.wait_shown("content")
    assert not page.is_shown("error")


def test_another_agent(agent, device, visit):
    """The agent is restarted, as by an update of itself: the page goes on with the next one."""
    page = visit()
    agent.bus.stop(agent.process)
    agent.start()
    if page.is_shown("error"):
        page.click("retry")
    page.wait_shown("content")
    page.click("check")
    page.wait_shown("offer")


def test_the_agent_stays_while_the_page_is_open(agent, device, visit):
    agent.bus.stop(agent.process)
    agent.idle = 1
    agent.start()
    page = visit()
    page.evaluate("new Promise(resolve => setTimeout(resolve, 2500))")
    assert agent.process.poll() is None
    page.click("check")
    page.wait_shown("offer")
