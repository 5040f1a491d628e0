"""A component that lives in /opt has an overlay of its own there, which is swapped with the one on /usr."""
import shutil

import pytest

import support


def tree_of(device):
    return {top: support.read_tree(device.path / top) for top in ("usr", "opt")}


def overlays(device):
    return sorted((path, source) for path, kind, source in support.mounts_below(device.path) if kind == "overlay")


@pytest.fixture
def app(work, trees, device):
    """Level (a) fixes a program in /opt alone; (b) also the library in /usr."""
    shutil.copytree(trees, work / "trees", symlinks=True)
    for top in (work / "trees/baseline", device.path):
        support.write(top / "opt/app/bin/run", "#!/bin/sh\necho old\n", 0o755)
        support.write(top / "opt/app/data", "data " * 1000)
    shutil.rmtree(work / "trees/fixed-a")
    support.write(work / "trees/fixed-a/opt/app/bin/run", "#!/bin/sh\necho new\n", 0o755)
    support.write(work / "trees/fixed-a/opt/app/more", "more\n")
    shop = support.Publisher(work / "shop", work / "trees").start().release("a")
    device.trust(shop).configure(f"[Source]\nRepository=file://{shop.public}\n")
    device.shop = shop
    return device


def runs(device):
    return (device.path / "opt/app/bin/run").read_text().split()[-1]


def test_in_and_out(app):
    baseline = tree_of(app)
    install = app("install")
    assert install.status == 0, install.message
    assert runs(app) == "new" and (app.path / "opt/app/more").exists() and (app.path / "opt/app/data").exists()
    assert overlays(app) == [(f"{app.path}/opt", "suture:1"), (f"{app.path}/usr", "suture:1")]
    assert tree_of(app)["usr"] == baseline["usr"]
    assert app("status")["state"] == "active"

    app.shop.release("b")
    install = app("install")
    assert (install.status, install["to"]) == (0, "b"), install.message
    assert overlays(app) == [(f"{app.path}/opt", "suture:2"), (f"{app.path}/usr", "suture:2")]
    assert runs(app) == "new" and b"new" in (app.usr / "lib/libother.so").read_bytes()

    assert app("suspend")["suspended"] and tree_of(app) == baseline
    assert app("resume")["resumed"] == "all" and runs(app) == "new"
    assert app("remove").status == 0
    assert tree_of(app) == baseline and support.mounts_below(app.path) == []


def test_a_file_in_opt_that_differs(app):
    support.write(app.path / "opt/app/bin/run", "#!/bin/sh\necho mine\n", 0o755)
    answer = app("install")
    assert (answer.status, answer.error) == (31, "Baseline") and "'/opt/app/bin/run'" in answer.message
    assert support.mounts_below(app.path) == []


def test_one_without_the_other_is_mended(app):
    """As after a kill between the two swaps."""
    assert app("install").status == 0
    support.run("umount", app.path / "opt")
    assert app("status")["state"] == "incomplete" and runs(app) == "old"
    assert app("install").status == 0
    assert app("status")["state"] == "active" and runs(app) == "new"
    support.run("umount", app.path / "usr")
    assert app("status")["state"] == "inactive"
    assert app("install").status == 0
    assert app("status")["state"] == "active" and runs(app) == "new"
    assert app("remove").status == 0 and support.mounts_below(app.path) == []
