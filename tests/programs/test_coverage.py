"""Copies of the old code that an improvement does not reach are found, and named for what they are."""
import gzip
import os
import shutil

import pytest

import support

MARK = "libfix 1.0 of long ago"


def newc(names):
    """A cpio archive (cpio(5), the "newc" format) of empty files."""
    archive = b""
    for number, name in enumerate([*names, "TRAILER!!!"]):
        fields = [number, 0o100644, 0, 0, 1, 0, 0, 0, 0, 0, 0, len(name) + 1, 0]
        entry = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        archive += entry + bytes(-len(entry) % 4)
    return archive


@pytest.fixture
def marked(device, work, trees):
    shop = support.Publisher(work / "shop", trees).start()
    shop.build("a", "--mark", MARK)
    shop("release")
    device.trust(shop).configure(f"[Source]\nRepository=file://{shop.public}\n")
    assert device("check").status == 0
    return device


def gaps(answer):
    return sorted((gap["kind"], gap["path"], gap["is_old"]) for gap in answer["gaps"])


def test_nothing_is_known_before_a_check(device):
    answer = device("coverage")
    assert (answer.status, answer.error) == (36, "NotInstalled")


def test_no_copies(marked):
    answer = marked("coverage")
    assert answer.status == 0 and answer["gaps"] == [] and answer["processes"] == []


def test_a_copy_of_a_former_version_with_another_file_name(device, work, trees):
    shutil.copytree(trees, work / "trees", symlinks=True)
    baseline, fixed = work / "trees/baseline", work / "trees/fixed-a"
    for tree, version in ((baseline, "1.2"), (fixed, "1.3")):
        support.make_library(tree / f"usr/lib/libname.so.{version}", "name_answer", version, "libname.so.1")
        os.symlink(f"libname.so.{version}", tree / "usr/lib/libname.so.1")
    shop = support.Publisher(work / "shop", work / "trees").start()
    shop.build("a", "--mark", MARK)
    shop("release")
    device.trust(shop).configure(f"[Source]\nRepository=file://{shop.public}\n")
    assert device("check").status == 0
    copy = device.path / "var/lib/flatpak/runtime/org.example/x86_64/1/active/files/lib/libname.so.1.2"
    support.write(copy, (baseline / "usr/lib/libname.so.1.2").read_bytes())
    (gap,) = device("coverage")["gaps"]
    assert gap["is_old"] and gap["path"].endswith("/libname.so.1.2")


def test_copies_in_other_trees(marked, trees):
    old, new = trees / "baseline/usr/lib/libfix.so", trees / "fixed-a/usr/lib/libfix.so"
    places = {
        "var/lib/flatpak/runtime/org.example/x86_64/1/active/files/lib/libfix.so": old,
        "var/lib/machines/web/usr/lib/libfix.so": old,
        "var/lib/docker/overlay2/abc/diff/usr/lib/libfix.so": new,  # which has the fix
    }
    for path, source in places.items():
        support.write(marked.path / path, source.read_bytes())
    third = marked.path / "snap/thing/1/lib/libfix.so"
    support.make_library(third, "fix_answer", "third")
    (third.parent / "libother.so").symlink_to("libfix.so")
    answer = marked("coverage")
    assert gaps(answer) == [
        ("container", "/snap/thing/1/lib/libfix.so", False),
        ("container", "/var/lib/machines/web/usr/lib/libfix.so", True),
        ("flatpak", "/var/lib/flatpak/runtime/org.example/x86_64/1/active/files/lib/libfix.so", True),
    ]
    assert "whether it has the fix is not known here" in str(answer["gaps"])


def test_programs_that_have_the_code_in_themselves(marked):
    support.write(marked.usr / "local/bin/static", "")
    support.compile_c(f'const char *version(void) {{ return "{MARK}"; }}', marked.usr / "local/bin/static", "-shared")
    support.write(marked.usr / "local/share/notes.txt", f"about {MARK}\n")
    assert gaps(marked("coverage")) == [("static", "/usr/local/bin/static", True)]
    assert "has the old code in itself" in support.run(*marked.command("coverage")).stdout


def test_without_marks_that_is_said(device):
    assert device("check").status == 0
    answer = device("coverage")
    assert gaps(answer) == [("unknown", "/usr", False)] and "gave no marks" in str(answer["gaps"])


def test_the_initrd(marked):
    support.write(marked.path / "boot/initrd.img-6.1", gzip.compress(newc(["usr/lib/libfix.so", "init"])))
    support.write(marked.path / "boot/initrd.img-6.2", gzip.compress(newc(["init"])))
    support.write(marked.path / "boot/vmlinuz-6.1", "a kernel")
    answer = marked("coverage")
    if shutil.which("lsinitramfs") or shutil.which("lsinitrd"):
        assert gaps(answer) == [("initrd", "/boot/initrd.img-6.1", False)]
    else:
        assert gaps(answer) == [("unknown", f"/boot/initrd.img-6.{n}", False) for n in (1, 2)]


def test_what_cannot_be_read_is_no_reason_to_stop(marked):
    (marked.path / "var/lib/machines").mkdir(parents=True)
    (marked.path / "var/lib/machines/loop").symlink_to("loop")
    os.mkfifo(marked.path / "var/lib/machines/libfix.so")
    assert marked("coverage")["gaps"] == []


def test_names_and_trees_of_a_hostile_container(marked, trees):
    """Bytes that are no text, escapes for a terminal, and directories deeper than descriptors reach."""
    old = (trees / "baseline/usr/lib/libfix.so").read_bytes()
    machines = os.fsencode(marked.path / "var/lib/machines")
    for name in (b"\xff\xfe", b"\x1b]0;gotcha\x07"):
        os.makedirs(machines + b"/" + name)
        with open(machines + b"/" + name + b"/libfix.so", "wb") as copy:
            copy.write(old)
    deep = os.open(machines, os.O_DIRECTORY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=deep)
        deeper = os.open("d", os.O_DIRECTORY, dir_fd=deep)
        os.close(deep)
        deep = deeper
    os.close(deep)
    answer = marked("coverage")
    assert answer.status == 0 and len(answer["gaps"]) == 2, answer.message
    text = support.run(*marked.command("coverage")).stdout
    assert "\x1b" not in text and "?]0;gotcha?" in text
    support.run("rm", "-rf", os.fsdecode(machines))


def test_a_mark_that_lies_across_two_pieces(marked):
    path = marked.usr / "local/bin/static"
    support.write(path, "")
    support.compile_c(f'const char pad[3 << 20] = "x"; const char *version(void) {{ return "{MARK}"; }}', path, "-shared")
    program = path.read_bytes()
    at = program.index(MARK.encode())
    for before in (0, 5, len(MARK)):  # of the mark, before the end of the first piece
        shifted = program[:4] + program[4:at].ljust((1 << 20) - before, b"\0")[:(1 << 20) - before - 4] + program[at:]
        path.write_bytes(shifted)
        assert gaps(marked("coverage")) == [("static", "/usr/local/bin/static", True)], before
