"""Boot: the layers come back from the store alone, and what is wrong with one is said and left off. A boot is played by
taking the layers off behind the program's back, as a restart of the machine does, and by another boot id in the state."""
import json
import shutil

import pytest

import support
from test_way import expected_usr


@pytest.fixture
def at_b(device, next_shop, trees):
    device.configure(f"[Source]\nRepository=file://{next_shop.public}\n")
    assert device("install")["to"] == "b"
    return device


def edit(device, **changes):
    path = device.state / "state.json"
    state = json.loads(path.read_text())
    for name, value in changes.items():
        state[name] = {**(state[name] or {}), **value} if isinstance(value, dict) else value
    path.write_text(json.dumps(state))


def boot(device, healthy=False):
    """The machine was restarted: nothing is mounted, and the kernel's boot id is one that was not counted yet."""
    support.unmount_below(device.path)
    edit(device, boots={"counted": ""})
    answer = device("activate")
    if healthy:
        assert support.run(*device.command("mark-healthy")).returncode == 0
    return answer


def history(device):
    return [(event["event"], event.get("reason")) for event in device("history")["events"]]


def test_the_layers_come_back(at_b, trees, next_shop):
    shutil.rmtree(at_b.path / "etc/suture")  # neither configuration nor network is asked for
    answer = boot(at_b)
    assert (answer.status, answer["activated"], answer["level"]) == (0, "all", "b"), answer.message
    assert support.read_tree(at_b.usr) == expected_usr(trees, "a", "b")
    again = at_b("activate")
    assert (again.status, again["activated"]) == (0, "already")


def test_nothing_installed(device):
    assert device("activate")["activated"] == "nothing"
    assert device("install").status == 0 and device("remove").status == 0
    assert device("activate")["activated"] == "nothing" and support.mounts_below(device.path) == []


@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_an_image_that_fails_its_seal_is_left_out_alone(damage, at_b, trees, next_shop):
    seal, = (c["image"]["seal"] for c in next_shop.manifest("b")["components"] if c["name"] == "other")
    image = at_b.state / f"images/{seal}.erofs"
    image.chmod(0o644)
    if damage == "flip":
        support.flip(image, 5000)
    elif damage == "cut":
        image.write_bytes(image.read_bytes()[:-4096])
    else:
        image.unlink()
    answer = boot(at_b)
    assert (answer.status, answer["activated"]) == (0, "part"), answer.text
    assert {c["name"]: c["fit"] for c in answer["components"]} == {"fix": "applies", "other": "missing"}
    assert support.read_tree(at_b.usr) == expected_usr(trees, "a")
    assert history(at_b)[-1][0] == "activate"
    assert boot(at_b)["activated"] == "all"  # of what is left
    assert at_b("install").status == 0 and support.read_tree(at_b.usr) == expected_usr(trees, "a", "b")


def test_without_any_image_it_is_the_baseline(at_b, trees):
    for image in (at_b.state / "images").iterdir():
        image.unlink()
    answer = boot(at_b)
    assert (answer.status, answer["activated"]) == (0, "baseline")
    assert support.read_tree(at_b.usr) == expected_usr(trees) and at_b("status")["state"] == "baseline"
    assert at_b("install")["to"] == "b"


def test_three_boots_without_the_mark_fall_back(at_b, trees):
    for tries in (1, 2, 3):
        assert boot(at_b)["activated"] == "all" and at_b("status")["boots_without_mark"] == tries
    answer = boot(at_b)
    assert (answer.status, answer["activated"]) == (0, "fallen-back"), answer.text
    assert "3 boots in a row" in answer["reason"] and support.read_tree(at_b.usr) == expected_usr(trees)
    status = at_b("status")
    assert (status["state"], [q["level"] for q in status["quarantine"]]) == ("baseline", ["b"])
    assert history(at_b)[-1] == ("fall-back", answer["reason"])
    assert boot(at_b)["activated"] == "nothing"
    assert at_b("install", "--unattended").error == "Quarantined"
    assert "3 boots in a row" in support.run(*at_b.command("status")).stdout


def test_a_healthy_boot_starts_the_count_anew(at_b):
    for _ in range(5):
        assert boot(at_b)["activated"] == "all"
        assert boot(at_b, healthy=True)["activated"] == "all" and at_b("status")["boots_without_mark"] == 0


def test_a_boot_counts_once(at_b):
    assert boot(at_b)["activated"] == "all"
    for _ in range(5):  # its user space is restarted, or somebody runs it by hand
        support.unmount_below(at_b.path)
        assert at_b("activate")["activated"] == "all"
    assert at_b("status")["boots_without_mark"] == 1


@pytest.mark.parametrize("line, disabled", [
    ("root=/dev/sda1 suture.disable quiet", True), ("suture.disable=1", True), ("suture.disable=no", False),
    ("suture.disabled", False), ("xsuture.disable", False), ("suture.disable suture.disable=0", False)])
def test_the_kernel_command_line(line, disabled, at_b, trees):
    support.write(at_b.path / "proc/cmdline", f"{line}\n")
    answer = boot(at_b)
    assert (answer.status, answer["activated"]) == (0, "disabled" if disabled else "all")
    if not disabled:
        return
    assert support.read_tree(at_b.usr) == expected_usr(trees) and at_b("status")["state"] == "disabled"
    assert "suture.disable" in support.run(*at_b.command("status")).stdout
    refused = at_b("install")
    assert (refused.status, refused.error) == (47, "Disabled")
    # Nothing of this boot says anything about the level; nor does a package manager's end put it back.
    edit(at_b, boots={"tries": 2})
    assert at_b("mark-healthy").status == 0 and at_b("status")["boots_without_mark"] == 2
    assert at_b("suspend").status == 0 and at_b("resume")["resumed"] == "nothing"
    assert support.read_tree(at_b.usr) == expected_usr(trees) and at_b("status")["state"] == "disabled"
    (at_b.path / "proc/cmdline").unlink()
    assert boot(at_b)["activated"] == "all"


def test_a_new_baseline_retires_what_was_for_the_old_one(at_b, trees):
    support.write(at_b.path / "etc/os-release", 'ID=testos\nVERSION_ID=2\nPRETTY_NAME="Test OS 2"\n')
    answer = boot(at_b)
    assert (answer.status, answer["activated"], answer["level"]) == (0, "retired", "b")
    assert support.read_tree(at_b.usr) == expected_usr(trees)
    status = at_b("status")
    assert (status["state"], status["level"], status["version"]) == ("baseline", None, "2")
    assert history(at_b)[-1] == ("retire", "they were for testos-1-x86-64")
    assert boot(at_b)["activated"] == "nothing"


def test_a_base_that_was_changed_meanwhile(at_b, trees):
    """Power went while a package manager was at work: what it has put into the base is not covered by an old fix."""
    support.unmount_below(at_b.path)
    for path in ("lib/libfix.so", "lib/fix.dat", "bin/tool", "lib/private/secret", "share/fix"):
        support.run("cp", "-a", "--remove-destination", trees / "fixed-a/usr" / path, (at_b.usr / path).parent)
    answer = boot(at_b)
    assert (answer.status, answer["activated"]) == (0, "part"), answer.text
    assert {c["name"]: c["fit"] for c in answer["components"]} == {"fix": "fixed", "other": "applies"}


def test_a_verdict_that_was_not_carried_out(at_b, trees):
    """Power went between the verdict of the watch and the swap: the level does not come back."""
    edit(at_b, knowledge={"quarantine": [{"level": "b", "at": 5, "reason": "nginx.service has failed"}]})
    answer = boot(at_b)
    assert (answer["activated"], answer["reason"]) == ("fallen-back", "nginx.service has failed")
    assert support.read_tree(at_b.usr) == expected_usr(trees)


@pytest.mark.parametrize("begun, comes_back", [("install", True), ("remove", False)])
def test_a_transition_that_the_power_cut_ended(begun, comes_back, at_b, trees):
    edit(at_b, transition=9 if begun == "install" else 0)
    answer = boot(at_b)
    assert (answer.status, answer["activated"]) == (0, "all" if comes_back else "nothing")


def test_a_removal_that_the_power_cut_ended_is_a_removal(at_b, trees):
    """As the state is between the swap and its end: nothing but what was written ahead is known."""
    edit(at_b, transition=0, knowledge={"removed": "b"})
    assert boot(at_b)["activated"] == "nothing"
    withheld = at_b("install", "--unattended")
    assert (withheld.status, withheld.error) == (45, "Withheld") and at_b("status")["removed"] == "b"


def watched(device):
    return (json.loads((device.state / "state.json").read_text())["watched"] or {}).get("generation")


def test_a_package_manager_is_at_work(at_b, trees):
    assert at_b("suspend")["suspended"] is True
    edit(at_b, watched={"generation": 1, "units": [], "excused": []})
    for verb in ("activate", "watch"):
        refused = at_b(verb)
        assert (refused.status, refused.error) == (21, "Busy") and "package manager" in refused.message
    assert support.read_tree(at_b.usr) == expected_usr(trees)
    # Its end was never told, as after a kill: the watch waits for the layers, which a timer puts back.
    support.unmount_below(at_b.path)
    edit(at_b, suspended=None)
    assert at_b("watch").status == 0 and watched(at_b) == 1
    assert at_b("activate")["activated"] == "all"
    assert watched(at_b) == 1


def test_a_state_that_cannot_be_read(at_b, trees):
    (at_b.state / "state.json").write_text("{")
    support.unmount_below(at_b.path)
    answer = at_b("activate")
    assert (answer.status, answer.error) == (29, "Format") and support.read_tree(at_b.usr) == expected_usr(trees)


def test_another_overlay_is_respected(at_b, trees):
    support.unmount_below(at_b.path)
    (at_b.path / "up").mkdir()
    support.run("mount", "-t", "overlay", "other", "-o", f"lowerdir={at_b.path}/up:{at_b.usr}", at_b.usr)
    answer = at_b("activate")
    assert (answer.status, answer.error) == (40, "Conflict")
