"""What a publisher is kept from signing: each check finds its slip, says which, and takes a reason for an answer."""
import os
import re
import shutil

import pytest

import support

EPOCH = 1_700_000_000


def library(path, source, versions="", *options):
    """A shared library libx.so.1 whose symbols have versions, as glibc's and OpenSSL's have."""
    support.write(path, "")
    script = path.with_suffix(".map")
    script.write_text(versions)
    support.compile_c(source, path, "-shared", "-nostdlib", "-fPIC", "-Wl,-soname,libx.so.1",
                      *([f"-Wl,--version-script={script}"] if versions else []), *options)
    script.unlink()
    path.chmod(0o644)


TWO = "X_1 { global: one; two; local: *; }; X_2 { global: three; } X_1;"
THREE_FUNCTIONS = "int one(void) { return 1; } int two(void) { return 2; } int three(void) { return 3; }"


class Bench:
    """A baseline with everything that a check could be about, and a fixed tree that has all of it right."""

    def __init__(self, work):
        self.baseline, self.fixed = work / "baseline", work / "fixed"
        support.make_baseline(self.baseline)
        library(self.baseline / "usr/lib/libx.so.1", THREE_FUNCTIONS, TWO)
        library(self.fixed / "usr/lib/libx.so.1", THREE_FUNCTIONS.replace("return 1", "return 11"), TWO)
        for tree, answer in ((self.baseline, "old"), (self.fixed, "new")):
            support.write(tree / "usr/lib/python3/dist-packages/m.py", f"answer = '{answer}'\n")
            support.write(tree / "usr/lib/python3/dist-packages/__pycache__/m.cpython-311.pyc", answer)
            support.write(tree / "usr/lib/libh.so.1", answer)
            support.write(tree / "usr/lib/glibc-hwcaps/x86-64-v3/libh.so.1", answer)
            support.write(tree / "usr/share/large", answer.encode() * 100_000)
        support.write(self.baseline / "usr/lib/libm.so.6", "old")
        support.write(self.baseline / "usr/lib/libc.so.6", "old")
        self.publisher = support.Publisher(work / "shop", None)

    def start(self):
        self.publisher("init")
        self.publisher("baseline", "--tree", self.baseline)
        return self

    def build(self, *more, check=True):
        return self.publisher("build", "--tree", self.baseline, "--fixed", self.fixed, "--component", "x",
                              "--new-version", "2", "--fast", *more, check=check)

    def findings(self, *more):
        """What the checks say, by (check, path); nothing is drafted then."""
        done = self.build(*more, check=False)
        lines = re.findall(r"^([a-z]+): (/\S+): (.*)$", done.stderr, re.MULTILINE)
        assert (done.returncode == 40) == bool(lines), done.stderr
        if lines:
            assert f"found {len(lines)} thing" in done.stderr
            assert not (self.publisher.path / "drafts/testos-1-x86-64/manifest.json").exists()
        return {(check, path): text for check, path, text in lines}


@pytest.fixture
def bench(work):
    return Bench(work).start()


def test_what_is_right_passes(bench):
    assert bench.findings() == {}
    assert "override" not in bench.build().stdout


def test_a_symbol_that_is_gone(bench):
    library(bench.fixed / "usr/lib/libx.so.1", "int one(void) { return 1; } int three(void) { return 3; }",
            TWO.replace("two;", ""))
    found = bench.findings()
    assert list(found) == [("abi", "/usr/lib/libx.so.1")]
    assert "1 exported symbols are gone: two" in found["abi", "/usr/lib/libx.so.1"]


def test_a_symbol_version_and_a_soname_that_go_back(bench):
    library(bench.fixed / "usr/lib/libx.so.1", "int one(void) { return 1; } int two(void) { return 2; }",
            "X_1 { global: one; two; local: *; };")
    found = bench.findings()
    assert "no symbol version X_2" in found["version", "/usr/lib/libx.so.1"]
    assert ("abi", "/usr/lib/libx.so.1") in found
    library(bench.fixed / "usr/lib/libx.so.1", THREE_FUNCTIONS, TWO, "-Wl,-soname,libx.so.2")
    assert "libx.so.2, and not libx.so.1" in bench.findings()["version", "/usr/lib/libx.so.1"]


def test_a_variable_that_grows(work):
    bench = Bench(work)
    library(bench.baseline / "usr/lib/libx.so.1", "int table[4] = {1};")
    library(bench.fixed / "usr/lib/libx.so.1", "int table[8] = {1};")
    assert "table" in bench.start().findings()["abi", "/usr/lib/libx.so.1"]


def test_what_cxx_exports_counts_where_it_is_used(work):
    bench = Bench(work)
    source = 'int inner(void) __asm__("_ZN1x5innerEv"); int inner(void) { return 1; } int outer(void) { return %s; }'
    library(bench.baseline / "usr/lib/libx.so.1", source % "1")
    library(bench.fixed / "usr/lib/libx.so.1", "int outer(void) { return 2; }")
    assert bench.start().findings() == {}
    shutil.rmtree(bench.publisher.path / "drafts")
    # Now something of the baseline uses it, and is not replaced.
    library(bench.baseline / "usr/lib/libuser.so.1", 'int inner(void) __asm__("_ZN1x5innerEv"); int use(void) { return inner(); }', "",
            bench.baseline / "usr/lib/libx.so.1", "-Wl,-soname,libuser.so.1")
    bench.publisher("baseline", "--tree", bench.baseline)
    found = bench.findings()["abi", "/usr/lib/libx.so.1"]
    assert "/usr/lib/libuser.so.1 needs 1 of its symbols" in found and "_ZN1x5innerEv" in found
    # It is no more if that is replaced, too.
    library(bench.fixed / "usr/lib/libuser.so.1", "int use(void) { return 2; }", "", "-Wl,-soname,libuser.so.1")
    assert bench.findings() == {}


def test_types_that_change_where_there_is_debug_information(work):
    """Which no symbol shows: abidiff reads it."""
    bench = Bench(work)
    source = "struct s { int a; %s int b; }; int one(struct s *s) { return s->b; }"
    library(bench.baseline / "usr/lib/libx.so.1", source % "", "", "-g")
    library(bench.fixed / "usr/lib/libx.so.1", source % "long between;", "", "-g")
    assert "abidiff" in bench.start().findings()["abi", "/usr/lib/libx.so.1"]
    library(bench.fixed / "usr/lib/libx.so.1", source.replace("s->b", "-s->b") % "", "", "-g")
    assert bench.findings() == {}


def test_what_it_is_linked_with_is_missing(bench, work):
    library(work / "liby.so.1", "int why(void) { return 1; }", "Y_1 { global: why; };", "-Wl,-soname,liby.so.1")
    library(bench.fixed / "usr/lib/libx.so.1", THREE_FUNCTIONS.replace("return 1", "return why()")
            .replace("int one", "int why(void); int one"), TWO, work / "liby.so.1")
    found = bench.findings()
    assert "linked with liby.so.1, which neither" in found["needs", "/usr/lib/libx.so.1"]
    # The same library without the version that is needed, and then with it.
    library(bench.fixed / "usr/lib/liby.so.1", "int other(void) { return 1; }", "Y_0 { global: other; };",
            "-Wl,-soname,liby.so.1")
    assert "needs version Y_1 of liby.so.1" in bench.findings()["needs", "/usr/lib/libx.so.1"]
    library(bench.fixed / "usr/lib/liby.so.1", "int why(void) { return 1; }", "Y_1 { global: why; };",
            "-Wl,-soname,liby.so.1")
    assert bench.findings() == {}


@pytest.mark.parametrize("path", ["/usr/lib/os-release", "/usr/lib/modules/6.1/x.ko", "/usr/local/bin/x",
                                  "/usr/bin/suture", "/usr/lib/sysusers.d/x.conf"])
def test_a_place_where_no_improvement_belongs(bench, path):
    support.write(bench.fixed / path[1:], "x")
    assert list(bench.findings()) == [("path", path)]


@pytest.mark.skipif(not support.IS_ROOT, reason="root alone sets capabilities")
def test_rights_that_come_new(bench):
    support.write(bench.fixed / "usr/bin/new", "x", 0o4755)
    support.write(bench.fixed / "usr/share/everybody", "x", 0o666)
    support.write(bench.fixed / "usr/bin/able", "x", 0o755)
    os.setxattr(bench.fixed / "usr/bin/able", "security.capability", b"\1\0\0\2\0\4\0\0" + bytes(12))
    found = bench.findings()
    assert set(found) == {("rights", p) for p in ("/usr/bin/new", "/usr/share/everybody", "/usr/bin/able")}


def test_setuid_that_the_baseline_has_may_stay(bench):
    support.write(bench.fixed / "usr/bin/tool", "#!/bin/sh\necho new\n", 0o4755 if support.IS_ROOT else 0o755)
    assert bench.findings() == {}


def test_an_older_branch(bench):
    os.utime(bench.baseline / "usr/lib/libx.so.1", (EPOCH, EPOCH))
    os.utime(bench.fixed / "usr/lib/libx.so.1", (EPOCH - 10 * 86400, EPOCH - 10 * 86400))
    assert "10 days older" in bench.findings()["date", "/usr/lib/libx.so.1"]
    os.utime(bench.baseline / "usr/lib/libx.so.1", (1, 1))  # as OSTree has it: no time at all
    assert bench.findings() == {}


def test_one_part_of_the_c_library(bench):
    support.write(bench.fixed / "usr/lib/libc.so.6", "new")
    found = bench.findings()
    assert set(found) == {("glibc", "/usr/lib/libm.so.6")}
    support.write(bench.fixed / "usr/lib/libm.so.6", "old")  # it is the same in both builds
    assert bench.findings() == {}


def test_builds_for_newer_processors(bench):
    (bench.fixed / "usr/lib/glibc-hwcaps/x86-64-v3/libh.so.1").unlink()
    assert list(bench.findings()) == [("hwcaps", "/usr/lib/glibc-hwcaps/x86-64-v3/libh.so.1")]
    support.write(bench.fixed / "usr/lib/glibc-hwcaps/x86-64-v3/libh.so.1", "new")
    support.write(bench.fixed / "usr/lib/glibc-hwcaps/x86-64-v4/libother.so", "new")
    assert list(bench.findings()) == [("hwcaps", "/usr/lib/glibc-hwcaps/x86-64-v4/libother.so")]


def test_a_module_without_its_cache(bench):
    (bench.fixed / "usr/lib/python3/dist-packages/__pycache__/m.cpython-311.pyc").unlink()
    assert list(bench.findings()) == [("python", "/usr/lib/python3/dist-packages/m.py")]


def test_a_size_that_cannot_be_right(bench):
    support.write(bench.fixed / "usr/share/large", "cut")
    assert list(bench.findings()) == [("size", "/usr/share/large")]


def test_a_file_that_came_after_the_record(bench):
    support.write(bench.baseline / "usr/share/late", "old")
    support.write(bench.fixed / "usr/share/late", "new")
    assert list(bench.findings()) == [("baseline", "/usr/share/late")]


def test_an_override_stands_in_the_manifest(bench):
    support.write(bench.fixed / "usr/local/bin/x", "x")
    support.write(bench.fixed / "usr/local/bin/y", "y")
    said = bench.build("--override=path:/usr/local/*:this baseline ships it", "--override", "path:/usr/local/bin/y:and that")
    assert "as this baseline ships it" in said.stdout
    bench.publisher("release")
    component, = bench.publisher.manifest()["components"]
    assert [(o["check"], o["path"], o["reason"]) for o in component["overrides"]] == \
        [("path", f"/usr/local/bin/{name}", "this baseline ships it") for name in "xy"]
    assert all("administrator" in o["finding"] for o in component["overrides"])


@pytest.mark.parametrize("text, says", [
    ("path", "is no override"),
    ("path:/usr/local/*:", "is no override"),
    ("nothing:/usr/local/*:why", "no check 'nothing'"),
    ("abi:/usr/local/*:why", "nothing was found that the override"),
    ("path:/opt/*:why", "nothing was found that the override"),
    ("path:/usr/local/*:" + "x" * 257, "a line of at most 256"),
])
def test_an_override_that_says_nothing_true(bench, text, says):
    support.write(bench.fixed / "usr/local/bin/x", "x")
    done = bench.build("--override", text, check=False)
    assert done.returncode == 2 and says in done.stderr


def test_a_damaged_library_is_no_crash(bench):
    path = bench.fixed / "usr/lib/libx.so.1"
    whole = path.read_bytes()
    for cut in (5, 64, 200, len(whole) // 2, len(whole) - 70):
        path.write_bytes(whole[:cut])
        found = bench.findings()
        assert all(path == "/usr/lib/libx.so.1" for _, path in found), found
    for at in range(0, len(whole), max(1, len(whole) // 12)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xff]) + whole[at + 1:])
        assert bench.build(check=False).returncode in (0, 40, 41)
