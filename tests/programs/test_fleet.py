"""What a management and a monitoring system collect."""
import json
import time

import pytest
from prometheus_client import parser as text_format
from prometheus_client.openmetrics import parser as openmetrics

import schema
import support
from test_recall import follow


def metrics(device):
    """Read by both formats' own parsers, which must find the same."""
    text = support.run(*device.command("metrics")).stdout
    found = [{sample.name: sample for family in parse(text) for sample in family.samples}
             for parse in (openmetrics.text_string_to_metric_families, text_format.text_string_to_metric_families)]
    assert {name: (s.value, s.labels) for name, s in found[0].items()} == {name: (s.value, s.labels) for name, s in found[1].items()}
    return found[0]


def value(device, name):
    return metrics(device)[f"suture_{name}"].value


def test_what_is_measured(device, own_shop):
    follow(device, own_shop)
    new = metrics(device)
    assert new["suture_info"].labels == {"baseline": "testos-1-x86-64", "level": "", "version": "1", "state": "baseline"}
    assert "suture_last_check_success" not in new and new["suture_exposed_processes"].value == 0
    before = int(time.time())
    assert device("install").status == 0
    after = metrics(device)
    assert after["suture_info"].labels["level"] == "a" and after["suture_info"].labels["version"] == "1 (a)"
    assert after["suture_last_check_success"].value == 1 and after["suture_last_check_timestamp_seconds"].value >= before
    own_shop("recall", "--level", "a", "--reason", "it breaks sound")
    assert device("check").status == 0 and value(device, "recalled") == 1


def test_failures_are_counted(device, own_shop):
    follow(device, own_shop)
    assert value(device, "failed_changes") == 0
    support.flip(own_shop.public / own_shop.delta(), 5)
    assert device("install").status != 0
    assert value(device, "failed_changes") == 1
    device.configure("[Source]\nRepository=file:///nowhere\n")
    assert device("check").status != 0 and value(device, "last_check_success") == 0


def test_who_may_not_see_who_is_exposed_is_not_told_that_nobody_is(device):
    text = support.run(*device.command("metrics"), user=support.NOBODY, group=support.NOBODY).stdout
    assert "suture_info" in text and "suture_exposed_processes" not in text


def test_a_monitoring_system_wants_no_json(device):
    assert device("metrics").status == 2


def test_the_schema_can_refuse(device):
    status = device("status").document
    for name, wrong in (("level", "B"), ("state", "fine"), ("boots_without_mark", -1), ("more", 1)):
        with pytest.raises(AssertionError):
            schema.check("status", {**status, name: wrong})
    for name in status:
        with pytest.raises(AssertionError):
            schema.check("status", {key: json.loads(json.dumps(value)) for key, value in status.items() if key != name})
