"""What a device tells people: in its history, at their login, and by status."""
import subprocess

import pytest

import support
from test_boot import edit


@pytest.fixture
def at_b(device, next_shop):
    device.configure(f"[Source]\nRepository=file://{next_shop.public}\n[Watch]\nTime=0\n")
    assert device("install")["to"] == "b"
    return device


@pytest.fixture
def run_old(device):
    """Start programs that go on with what is on /usr now."""
    running = []

    def start(count=1):
        for _ in range(count):
            process = subprocess.Popen(["chroot", device.path, "/usr/bin/answer"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
            running.append(process)
            process.stdout.readline()

    def end():
        for process in running:
            process.kill()
            process.communicate()
        running.clear()
    start.end = end
    yield start
    end()


def fail_b(device, reason="nginx.service has failed"):
    """The watch over (b) has come to its verdict. Nobody can start the unit again below another root."""
    active = device("status")["generation"]
    edit(device, watched={"generation": active, "units": [{"unit": "nginx.service", "restarts": 0}],
                          "excused": ["nginx.service"]},
         knowledge={"quarantine": [{"level": "b", "at": 5, "reason": reason}]})


def last_event(device):
    return device("history")["events"][-1]


def test_the_history_says_which_unit_failed_and_what_is_left_to_do(at_b):
    assert last_event(at_b)["needs"] == "nothing" and "unit" not in last_event(at_b)
    fail_b(at_b)
    assert at_b("watch").error == "TakenBack"
    event = last_event(at_b)
    assert (event["event"], event["unit"], event["reason"]) == ("take-back", "nginx.service", "nginx.service has failed")


def test_the_history_says_that_a_person_is_needed(device, run_old):
    run_old()
    assert device("install").status == 0
    assert (last_event(device)["needs"], last_event(device)["exposed_after"]) == ("person", 1)
