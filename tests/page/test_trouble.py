"""What the page does when something fails, is forbidden, or is not there."""
import subprocess

import pytest

import support
from bus import JOB
from facts import must_show_all, status_of
from test_polkit import ALLOWED, DENIED, rule


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


def test_what_the_policy_forbids(agent, device, visit, next_shop):
    device("install", "--restart=later")
    device.configure(f"[Source]\nRepository={next_shop.public.as_uri()}\n[Policy]\nAllowInstall=no\nAllowRemoval=no\n")
    device("check")
    page = visit()
    must_show_all(page, status_of(agent))
    assert not page.is_enabled("install") and not page.is_enabled("install-tonight") and not page.is_enabled("remove")
    assert "does not allow installations" in page.text("install-reason")
    assert "does not allow removals" in page.text("remove-reason")
    page.click("remove", force=True)
    page.click("install", force=True)
    assert not page.is_shown("remove-dialog") and not page.is_shown("job") and device("status")["level"] == "a"


def test_managed(agent, device, visit):
    support.write(device.path / "etc/suture/managed.conf", "[Automatic]\nLevel=check\n")
    page = visit()
    assert page.evaluate("[document.getElementById('automatic').disabled, document.getElementById('level').disabled]") == [True, True]
    assert page.text("managed") == "Managed by your organisation."
    must_show_all(page, status_of(agent))


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
    agent.idle = 8  # more than a browser needs to come
    agent.start()
    page = visit()
    page.evaluate("new Promise(resolve => setTimeout(resolve, 10000))")
    assert agent.process.poll() is None
    page.click("check")
    page.wait_shown("offer")
