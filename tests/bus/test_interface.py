"""What is documented is what there is: the XML files against the agent's own introspection, its errors, and its actions."""
import re
import xml.etree.ElementTree as ElementTree

import pytest

import support
from bus import DATA, JOB, MANAGER, PATH


def describe(interface):
    """Each member with all that a client relies on."""
    members = {}
    for member in interface:
        if member.tag == "annotation":
            continue
        arguments = [(a.get("name"), a.get("type"), a.get("direction", "out")) for a in member.findall("arg")]
        emits = [a.get("value") for a in member.findall("annotation") if a.get("name").endswith("EmitsChangedSignal")]
        members[member.get("name")] = (member.tag, arguments, member.get("type"), member.get("access"), emits)
    return members


def documented(name):
    return ElementTree.parse(DATA / f"dbus-1/{name}.xml").find("interface")


def introspected(agent, path, name):
    text = agent.call("Introspect", path=path, interface="org.freedesktop.DBus.Introspectable")[0]
    return next(i for i in ElementTree.fromstring(text).findall("interface") if i.get("name") == name)


def test_the_interfaces(agent):
    agent.start()
    job = agent.begin("Check")
    agent.finish(job)
    assert describe(introspected(agent, PATH, MANAGER)) == describe(documented(MANAGER))
    assert describe(introspected(agent, job, JOB)) == describe(documented(JOB))


@pytest.mark.parametrize("name", [MANAGER, JOB])
def test_all_is_explained(name):
    text = (DATA / f"dbus-1/{name}.xml").read_text()
    for member in documented(name):
        if member.get("name") not in ("Unsubscribe", "Id"):
            assert re.search(rf"<!--\s+{member.get('name')}:\s+\S", text), member.get("name")


def test_polkit_has_the_actions_that_are_asked_for():
    policy = ElementTree.parse(DATA / "polkit-1/org.suture1.policy")
    names = (support.SOURCE / "src/base/bus_names.h").read_text()
    assert sorted(action.get("id") for action in policy.findall("action")) == \
        sorted(re.findall(r'#define SU_ACTION_\w+ "([^"]+)"', names))
    text = (DATA / f"dbus-1/{MANAGER}.xml").read_text()
    assert set(re.findall(r"Action: ([\w.]+\w)", text)) == {action.get("id") for action in policy.findall("action")}
