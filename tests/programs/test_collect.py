"""What no level needs any more leaves the store when a change is done, and the next delta's source stays."""
import support
from test_recall import follow


def images(device):
    return sorted(path.stat().st_size for path in (device.state / "images").glob("*.erofs"))


def names(device, directory):
    return sorted(path.name for path in (device.state / directory).iterdir())


def three_levels(device, shop, trees):
    """(a), (b) and (c), one after the other; what each freed."""
    freed = []
    follow(device, shop)
    for number, level in enumerate("abc", 1):
        if level != "a":
            fixed = shop.path / f"fixed-{level}"
            support.make_library(fixed / "usr/lib/libfix.so", "fix_answer", f"level {level}")
            shop("build", "--tree", trees / "baseline", "--fixed", fixed, "--component", "fix", "--old-version", "1",
                 "--new-version", str(number), "--cve", "CVE-2030-0001")
            shop("release")
        answer = device("install")
        assert answer["to"] == level
        freed.append(answer["freed_bytes"])
    return freed


def test_what_is_neither_active_nor_previous_goes(device, own_shop, trees):
    freed = three_levels(device, own_shop, trees)
    assert freed[2] > freed[0]
    assert len(names(device, "images")) == 2 and names(device, "generations") == ["2.json", "3.json"]
    assert names(device, "downloads") == []
    # All levels tell which code may still run.
    assert len(names(device, "manifests")) == 3


def test_after_a_removal_the_newest_stays_for_the_next_delta(device, own_shop, trees):
    three_levels(device, own_shop, trees)
    assert device("remove").status == 0
    assert len(names(device, "images")) == 1
    again = device("install")
    assert (again["to"], again["download_bytes"]) == ("c", 0)


def test_what_was_interrupted_is_cleared(device, own_shop):
    follow(device, own_shop)
    assert device("install").status == 0
    for name in ("images/partial", "downloads/partial", "images/x.tmp"):
        support.write(device.state / name, "half of it\n")
    healthy = device("mark-healthy")
    assert healthy.status == 0 and healthy["freed_bytes"] > 0
    assert names(device, "downloads") == [] and len(names(device, "images")) == 1


def test_a_store_that_cannot_be_cleared_is_no_failure_of_the_change(device, own_shop):
    follow(device, own_shop)
    assert device("install").status == 0
    stuck = device.state / f"images/{'5a' * 32}.erofs"
    support.write(stuck, "nobody needs it\n")
    support.run("chattr", "+i", stuck)
    try:
        done = device("remove")
        assert (done.status, done["changed"]) == (0, True) and f"cannot remove 'images/{stuck.name}'" in done.stderr
    finally:
        support.run("chattr", "-i", stuck)
    assert device("mark-healthy").status == 0 and not stuck.exists()
