"""The publisher's program: what it writes, what it refuses, and that the same input gives the same bytes."""
import bz2
import gzip
import json
import lzma
import os
import random
import re
import shutil
import signal
import subprocess
import time

import pytest

import support


@pytest.fixture
def workspace(work, trees):
    """A publisher with a baseline and nothing drafted, on trees that the test may change."""
    shutil.copytree(trees, work / "trees", symlinks=True)
    return support.Publisher(work / "shop", work / "trees").start()


def published(publisher):
    return {path: entry for path, entry in support.read_tree(publisher.public).items()}


def refused(publisher, status, says, *arguments, **options):
    before = published(publisher) if publisher.public.exists() else None
    done = publisher(*arguments, check=False, **options)
    assert done.returncode == status, (done.returncode, done.stderr)
    assert done.stderr.startswith("suture-publish: ") and says in done.stderr, done.stderr
    assert (published(publisher) if publisher.public.exists() else None) == before
    return done


def build_refused(publisher, status, says, level="a", *more, **options):
    try:
        publisher.build(level, *more, **options)
    except AssertionError as failure:
        assert f"ended with {status}:" in str(failure) and says in str(failure), failure
    else:
        raise AssertionError("the build was not refused")
    assert not list(publisher.public.glob("targets/*/*/*.manifest.json"))


def test_private_keys_are_for_their_owner_alone(workspace):
    keys = [p for p in (workspace.path / "keys").iterdir() if b"PRIVATE" in p.read_bytes()]
    assert len(keys) == 5 and {p.stat().st_mode & 0o777 for p in keys} == {0o600}
    assert not [p for p in workspace.public.rglob("*") if p.is_file() and b"PRIVATE" in p.read_bytes()]


def test_init_never_overwrites_a_workspace(workspace):
    before = support.read_tree(workspace.path)
    refused(workspace, 40, "is a workspace already", "init")
    assert support.read_tree(workspace.path) == before


def test_verbs_need_a_workspace(work):
    (work / "empty").mkdir()
    publisher = support.Publisher(work / "empty", None)
    for verb in (["baseline", "--tree", "/"], ["release"], ["refresh"], ["show"]):
        refused(publisher, 22, "run 'suture-publish init' there first", *verb)


def test_release_needs_a_draft(workspace):
    refused(workspace, 24, "run 'suture-publish build' first", "release")


def test_a_tree_that_changed_since_it_was_recorded(workspace):
    support.flip(workspace.trees / "baseline/usr/lib/libfix.so", 900)
    build_refused(workspace, 31, "/usr/lib/libfix.so")


def test_a_tree_of_another_system(workspace):
    support.write(workspace.trees / "baseline/etc/os-release", "ID=testos\nVERSION_ID=2\n")
    build_refused(workspace, 31, "is testos-2-")


def test_nothing_differs(workspace):
    fixed = workspace.trees / "fixed-a"
    shutil.rmtree(fixed)
    (fixed / "usr/share").mkdir(parents=True)
    shutil.copy2(workspace.trees / "baseline/usr/share/untouched", fixed / "usr/share/untouched")
    build_refused(workspace, 40, "there is nothing to build")


def test_a_pipe_in_the_fixed_tree(workspace):
    os.mkfifo(workspace.trees / "fixed-a/usr/lib/pipe")
    build_refused(workspace, 40, "'/usr/lib/pipe' is neither a file, a directory nor a link")


def test_a_file_in_the_place_of_a_directory(workspace):
    (workspace.trees / "fixed-a/usr/lib/private/secret").unlink()
    (workspace.trees / "fixed-a/usr/lib/private").rmdir()
    support.write(workspace.trees / "fixed-a/usr/lib/private", "a file now\n")
    build_refused(workspace, 40, "'/usr/lib/private' is a directory in the baseline, and a file in the fix")


def test_a_file_in_the_place_of_a_link(workspace):
    support.write(workspace.trees / "fixed-a/usr/lib/libfix.so.1", "a file now\n")
    build_refused(workspace, 40, "'/usr/lib/libfix.so.1' is a link in the baseline, and a file in the fix")


def test_two_components_with_one_file(workspace):
    workspace.build("a")
    shutil.copytree(workspace.trees / "fixed-a", workspace.trees / "fixed-b", dirs_exist_ok=True)
    build_refused(workspace, 40, "is in component 'fix' already", "b")


def test_no_documentation_in_an_image(workspace):
    build = workspace.build("a")
    workspace("release")
    paths = {file["path"] for file in workspace.manifest()["components"][0]["files"]}
    assert "/usr/lib/libfix.so" in paths and not any("/doc/" in path for path in paths)
    assert "left out" in build.stdout


def test_a_library_whose_new_version_has_another_file_name(workspace, work):
    baseline, fixed = workspace.trees / "baseline", work / "renamed"
    for tree, version in ((baseline, "1.2"), (fixed, "1.3")):
        support.make_library(tree / f"usr/lib/libname.so.{version}", "name_answer", version, "libname.so.1")
        os.symlink(f"libname.so.{version}", tree / "usr/lib/libname.so.1")
        os.symlink(f"libname.so.{version}", tree / "usr/lib/libname.so")
        support.write(tree / f"usr/bin/program{version}", version)
        os.symlink(f"program{version}", tree / "usr/bin/program")
    workspace("baseline", "--tree", baseline)
    workspace("build", "--tree", baseline, "--component", "name", "--fixed", fixed, "--new-version", "2")
    workspace("release")
    component, = workspace.manifest()["components"]
    files = {file["path"]: file for file in component["files"]}
    assert files["/usr/lib/libname.so.1.2"]["after"] is None  # what maps it runs old code
    assert files["/usr/lib/libname.so.1.2"]["before"]["build_id"]
    assert files["/usr/lib/libname.so.1.3"]["before"] is None
    assert "/usr/bin/program1.2" not in files  # nobody said that it is not to be run any more
    assert "/usr/lib/libname.so.1.2" in {source["path"] for source in component["deltas"][0]["sources"]}


def test_the_same_input_gives_the_same_bytes(workspace, work):
    epoch = {"SOURCE_DATE_EPOCH": "1700000000"}
    other = support.Publisher(work / "other", workspace.trees).start()
    for publisher in (workspace, other):
        publisher.build("a", env=epoch)
        publisher("release")
    assert workspace.manifest() == other.manifest()
    objects = [support.read_tree(p.public / "objects") for p in (workspace, other)]
    assert objects[0] == objects[1] and len(objects[0]) > 2


def test_a_time_that_is_none(workspace):
    build_refused(workspace, 2, "SOURCE_DATE_EPOCH", env={"SOURCE_DATE_EPOCH": "yesterday"})


def test_a_draft_can_be_built_again_before_it_is_released(workspace):
    workspace.build("a")
    workspace.build("a", "--cve", "CVE-2030-0099")
    workspace("release")
    component, = workspace.manifest()["components"]
    assert {fix["id"] for fix in component["fixes"]} == {support.CVE["a"], "CVE-2030-0099"}


def test_show_says_what_is_there(workspace):
    workspace.release("a").release("b")
    shown = json.loads(workspace("show", "--json").stdout)
    (name, baseline), = shown["baselines"].items()
    assert name.startswith("testos-1-") and baseline["channel"]["current"] == "b"
    assert [level["level"] for level in baseline["channel"]["levels"]] == ["a", "b"] == list(baseline["manifests"])
    assert support.CVE["a"] in workspace("show").stdout


def test_published_objects_are_never_changed(workspace):
    workspace.release("a")
    before = support.read_tree(workspace.public / "objects")
    manifest, = workspace.public.glob("targets/*/a/*.manifest.json")
    sealed = manifest.read_bytes()
    workspace.release("b")
    workspace("refresh")
    after = support.read_tree(workspace.public / "objects")
    assert before.items() <= after.items() and manifest.read_bytes() == sealed


def test_one_at_a_time(workspace):
    """Two builds at once: one of them waits or is refused, and what is published is whole."""
    command = [support.BUILD / "suture-publish", "-C", workspace.path, "refresh"]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(6)]
    results = [(process.communicate()[1], process.returncode) for process in running]
    assert {status for _, status in results} <= {0, 21} and 0 in {status for _, status in results}
    assert all("another process works in" in says for says, status in results if status == 21)
    workspace("show")


def test_hints_go_into_the_manifest(workspace, work):
    support.write(work / "hints", "[web.service]\nAction=reload\nData=/usr/lib/fix.dat\n")
    workspace.build("a", "--hints", work / "hints")
    workspace("release")
    assert workspace.manifest()["components"][0]["hints"] == [
        {"unit": "web.service", "action": "reload", "data": ["/usr/lib/fix.dat"]}]


def test_hints_that_are_malformed(workspace, work):
    support.write(work / "hints", "[web.service]\nAction=explode\n")
    build_refused(workspace, 22, f"{work}/hints:2", "a", "--hints", work / "hints")


@pytest.mark.parametrize("arguments", [
    (), ("fly",), ("show", "more"), ("--flag",), ("baseline",), ("build",), ("build", "--tree", "/", "--component", "x"),
    ("release", "--rollout", "101"), ("release", "--rollout", "x"), ("build", "--cve", "../x"),
    ("build", "--tree", "/", "--component", "a/b", "--fixed", "/"),
    ("build", "--tree", "/", "--component", "x", "--fixed", "/"),
])
def test_usage(arguments, workspace):
    refused(workspace, 2, "", *arguments)


# Packages


def make_package(directory, name, version, files, architecture="all"):
    root = directory / f"{name}_{version}"
    for path, content in files.items():
        support.write(root / path, content)
    support.write(root / "DEBIAN/control", f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n"
                  "Maintainer: Nobody <nobody@example.org>\nDescription: a test\n")
    support.run("dpkg-deb", "--build", "--root-owner-group", root, directory)
    return directory / f"{name}_{version}_{architecture}.deb"


def record_installed(tree, name, version):
    support.write(tree / "var/lib/dpkg/status", f"Package: {name}\nStatus: install ok installed\nVersion: {version}\n"
                  "Architecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: a test\n")


@pytest.fixture
def packaged(workspace, work):
    record_installed(workspace.trees / "baseline", "fix", "1.0-1")

    def build(*packages, check=True):
        return workspace("build", "--tree", workspace.trees / "baseline", "--component", "fix", *packages, check=check)
    build.shop, build.directory = workspace, work
    return build


def test_a_package_says_versions_and_cves(packaged):
    changelog = ("fix (1.0-2) stable-security; urgency=high\n\n  * CVE-2030-1111: no more\n\n"
                 " -- Nobody <nobody@example.org>  Tue, 01 Jan 2030 00:00:00 +0000\n\n"
                 "fix (1.0-1) stable; urgency=low\n\n  * CVE-2029-2222: long ago\n\n"
                 " -- Nobody <nobody@example.org>  Mon, 01 Jan 2029 00:00:00 +0000\n")
    package = make_package(packaged.directory, "fix", "1.0-2",
                           {"usr/share/untouched": "changed\n", "usr/share/doc/fix/changelog.Debian.gz": gzip.compress(changelog.encode())})
    packaged(package)
    packaged.shop("release")
    component, = packaged.shop.manifest()["components"]
    assert (component["old_version"], component["new_version"]) == ("1.0-1", "1.0-2")
    assert [fix["id"] for fix in component["fixes"]] == ["CVE-2030-1111"]


def test_an_older_package(packaged):
    package = make_package(packaged.directory, "fix", "0.9-1", {"usr/share/untouched": "older\n"})
    done = packaged(package, check=False)
    assert done.returncode == 40 and "package 'fix' would not go forward: the baseline has 1.0-1" in done.stderr


def test_a_package_that_the_baseline_does_not_have(packaged):
    package = make_package(packaged.directory, "new", "1.0-1", {"usr/share/untouched": "changed\n"})
    done = packaged(package, check=False)
    assert done.returncode != 0 and "the baseline's tree has no package 'new'" in done.stderr


def test_a_package_that_is_damaged(packaged):
    package = make_package(packaged.directory, "fix", "1.0-2", {"usr/share/untouched": "changed\n"})
    package.write_bytes(package.read_bytes()[:-40])
    done = packaged(package, check=False)
    assert done.returncode != 0 and package.name in done.stderr


# Files of which no delta gets small


def test_compressed_files_are_named(workspace):
    text = b"the same for ever, the same for ever\n" * 50
    heads = {"a.zip": b"PK\x03\x04", "a.squashfs": b"hsqs", "a.png": b"\x89PNG\r\n", "a.zst": b"\x28\xb5\x2f\xfd",
             "a.lz4": b"\x04\x22\x4d\x18", "a.7z": b"7z\xbc\xaf\x27\x1c", "a.jpeg": b"\xff\xd8\xff\xe0", "a.woff2": b"wOF2"}
    files = {"module.ko.xz": lzma.compress(text), "changed.gz": gzip.compress(text), "text.bz2": bz2.compress(text),
             **{name: head + text for name, head in heads.items()}}
    for name, content in files.items():
        support.write(workspace.trees / "fixed-a/usr/lib" / name, content)
    plain = {"plain.gz": text, "empty.xz": b"", "short.png": b"\x89PN", "near.xz": b"\xfd7zXY\0" + text}
    for name, content in plain.items():
        support.write(workspace.trees / "fixed-a/usr/lib" / name, content)
    for tree in ("baseline", "fixed-a"):
        support.write(workspace.trees / tree / "usr/lib/unchanged.gz", gzip.compress(b"unchanged", mtime=0))
    support.write(workspace.trees / "baseline/usr/lib/changed.gz", gzip.compress(b"before"))
    workspace("baseline", "--tree", workspace.trees / "baseline")
    named = dict(re.findall(r"^  (\S+): compressed \((\w+)\): its delta is as large as itself$", workspace.build("a").stdout, re.M))
    assert named == {"usr/lib/module.ko.xz": "xz", "usr/lib/changed.gz": "gzip", "usr/lib/text.bz2": "bzip2",
                     "usr/lib/a.zst": "zstd",
                     **{f"usr/lib/{name}": name[2:] for name in heads if name != "a.zst"}}


# Signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("drafted", [False, True])
def test_a_build_that_is_cancelled_leaves_nothing(drafted, number, workspace):
    """In the middle of a delta that takes its time; another component that was drafted before stays."""
    if drafted:
        workspace.build("b")
    for tree, seed in (("baseline", 5), ("fixed-a", 6)):
        support.write(workspace.trees / tree / "usr/lib/large.dat", random.Random(seed).randbytes(6_000_000) * 2)
    workspace("baseline", "--tree", workspace.trees / "baseline")
    before, store = support.read_tree(workspace.path), workspace.path / "deltas"
    process = subprocess.Popen([support.BUILD / "suture-publish", "-C", workspace.path, "build", "--tree",
                                workspace.trees / "baseline", "--fixed", workspace.trees / "fixed-a", "--component", "fix",
                                "--new-version", "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not list(store.glob(".*.delta")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    began = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (42, "") and "cancelled: nothing is drafted" in err
    assert time.monotonic() - began < 4
    after = support.read_tree(workspace.path)
    for empty in ("drafts", "deltas"):
        after.pop(empty, None)
        before.pop(empty, None)
    assert after == before
