"""A second machine says whether a release is made of the inputs that it has; and anybody reads, file by file, what changed."""
import json
import os
import shutil

import pytest

import support


@pytest.fixture
def workspace(work, trees):
    return support.Publisher(work / "shop", trees).start()


@pytest.fixture
def released(workspace):
    workspace.release("a", env={"SOURCE_DATE_EPOCH": "1700000000"})
    return workspace


def verify(publisher, *more, fixed=None, tree=None, check=True):
    """Without a workspace, and with nothing but what devices have."""
    return support.run(support.BUILD / "suture-publish", "verify", "--url", f"file://{publisher.public}",
                       "--root", publisher.public / "metadata/1.root.json", "--level", "a", "--component", "fix",
                       "--tree", tree or publisher.trees / "baseline", "--fixed", fixed or publisher.trees / "fixed-a", *more,
                       check=check, cwd="/", env={**os.environ, **support.SANITIZERS})


def test_the_inputs_give_the_release(released):
    before = set(os.listdir("/var/tmp"))
    component, = released.manifest()["components"]
    assert component["image"]["seal"] in verify(released).stdout
    assert not [name for name in set(os.listdir("/var/tmp")) - before if name.startswith("suture-verify")]


def test_each_component_of_a_level_and_of_later_ones(workspace):
    """Their images are made at different times, and carried on."""
    workspace.build("a", env={"SOURCE_DATE_EPOCH": "1600000000"})
    workspace.build("b", env={"SOURCE_DATE_EPOCH": "1700000000"})
    workspace("release")
    support.write(workspace.path / "more/usr/share/more", "x")
    workspace("build", "--tree", workspace.trees / "baseline", "--fixed", workspace.path / "more", "--component", "more",
              "--new-version", "1")
    workspace("release")
    for level in "ab":
        verify(workspace, "--level", level)
        verify(workspace, "--level", level, "--component", "other", fixed=workspace.trees / "fixed-b")
    verify(workspace, "--level", "b", "--component", "more", fixed=workspace.path / "more")


@pytest.fixture
def other(released, work):
    shutil.copytree(released.trees / "fixed-a", work / "other", symlinks=True)
    return work / "other"


def test_other_inputs_do_not(released, other):
    support.write(other / "usr/bin/tool", "#!/bin/sh\necho evil\n", 0o755)
    support.write(other / "usr/share/more", "x")
    (other / "usr/lib/fix.dat").unlink()
    done = verify(released, fixed=other, check=False)
    assert done.returncode == 30
    assert "/usr/bin/tool: other bytes" in done.stderr
    assert "/usr/lib/fix.dat: not in what was made here" in done.stderr
    assert "/usr/share/more: not in what was released" in done.stderr
    assert "3 files, above" in done.stderr


def test_the_same_files_with_another_mode(released, other):
    (other / "usr/lib/private/secret").chmod(0o644)
    done = verify(released, fixed=other, check=False)
    assert done.returncode == 33 and "are the released ones, but not the image around them" in done.stderr


def test_another_baseline(released, work):
    shutil.copytree(released.trees / "baseline", work / "tree", symlinks=True)
    support.write(work / "tree/usr/bin/tool", "#!/bin/sh\necho odd\n", 0o755)
    done = verify(released, tree=work / "tree", check=False)
    assert done.returncode == 30 and "/usr/bin/tool: other bytes" in done.stderr
    support.write(work / "tree/etc/os-release", "ID=testos\nVERSION_ID=2\n")
    assert verify(released, tree=work / "tree", check=False).returncode == 24


@pytest.mark.parametrize("more, status, says", [
    (["--level", "b"], 24, "b/manifest.json"),
    (["--level", "?"], 2, "which level"),
    (["--component", "none"], 24, "no component 'none'"),
    (["--root", "/nonexistent"], 24, "nonexistent"),
    (["--url", "file:///nonexistent"], 23, "nonexistent"),
])
def test_what_is_not_there(released, more, status, says):
    done = verify(released, *more, check=False)
    assert (done.returncode, says in done.stderr) == (status, True), done.stderr


def test_a_slip_that_the_release_answers_for(released, other, workspace):
    support.write(other / "usr/local/bin/x", "x")
    workspace("build", "--tree", workspace.trees / "baseline", "--fixed", other, "--component", "fix", "--new-version", "3",
              "--override=path:/usr/local/bin/x:it is ours")
    workspace("release")
    assert "give the image that was released" in verify(released, "--level", "b", fixed=other).stdout


def test_a_slip_that_nobody_answers_for(released, work):
    """As a publisher could release it whose checks were left out."""
    tree = work / "tree"
    shutil.copytree(released.trees / "baseline", tree, symlinks=True)
    later = (released.trees / "fixed-a/usr/lib/libfix.so").stat().st_mtime + 3 * 86400
    os.utime(tree / "usr/lib/libfix.so", (later, later))
    done = verify(released, tree=tree, check=False)
    assert done.returncode == 40 and "date: /usr/lib/libfix.so" in done.stderr
    assert "made of these inputs, but the checks find 1 thing that nobody answers for" in done.stderr


def test_what_changed(workspace):
    workspace.build("a")
    said = workspace("changes").stdout
    assert "testos-1-" in said and "level (a)" in said and "fixes    CVE-2030-0001" in said
    lines = said.splitlines()
    assert "    new      /usr/share/fix/added.txt" in lines and "    changed  /usr/lib/libfix.so" in lines
    draft = json.loads(workspace("changes", "--json").stdout)
    component, = draft["components"]
    for file in component["files"]:
        assert f"{file['after']['size']} bytes  sha256 {file['after']['sha256']}" in said
        if file["after"]["build_id"]:
            assert f"build-id {file['after']['build_id']}" in said
    workspace("release")
    assert workspace("changes").stdout == said
    assert json.loads(workspace("changes", "--level=a", "--json").stdout) == workspace.manifest()
    assert workspace("changes", "--level=b", check=False).returncode == 24
    assert workspace("changes", "--level=?", check=False).returncode == 2


def test_nothing_that_changed(workspace):
    done = workspace("changes", check=False)
    assert done.returncode == 24 and "testos-1" in done.stderr
