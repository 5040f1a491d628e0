"""Two images of an OS, as vendors of images have them: what differs is found without unpacking anything."""
import binascii
import json
import os
import re
import shutil
import struct
import subprocess
import uuid

import pytest

import support

pytestmark = pytest.mark.skipif(not support.IS_ROOT, reason="images are mounted, which needs root")
ROOT_TYPE = {"x86_64": "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "aarch64": "b921b045-1df0-41c3-af44-4c6f280d3fae"}


def mounts():
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return file.read()


def erofs(tree, path):
    support.run("mkfs.erofs", "-Enoinline_data", path, tree)
    return path


def loop_devices_are_there():
    done = subprocess.run(["losetup", "--find", "--show", "/etc/os-release"], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        support.run("losetup", "-d", done.stdout.strip())
    return done.returncode == 0


def gpt(file_system, path):
    """A disk with one partition of the type root (UEFI specification, chapter 5)."""
    content = file_system.read_bytes()
    content += bytes(-len(content) % 512)
    entry = uuid.UUID(ROOT_TYPE[os.uname().machine]).bytes_le + uuid.uuid4().bytes_le + \
        struct.pack("<QQQ", 2048, 2048 + len(content) // 512 - 1, 0) + bytes(72)
    entries = entry + bytes(128 * 127)
    sectors = 2048 + len(content) // 512 + 2048
    head = [b"EFI PART", 0x10000, 92, 0, 0, 1, sectors - 1, 34, sectors - 34, uuid.uuid4().bytes_le, 2, 128, 128,
            binascii.crc32(entries)]
    head[3] = binascii.crc32(struct.pack("<8sIIIIQQQQ16sQIII", *head))
    mbr = bytes(446) + struct.pack("<BBBBBBBBII", 0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, sectors - 1) + bytes(48) + b"\x55\xaa"
    disk = bytearray(sectors * 512)
    disk[:512] = mbr
    disk[512:604] = struct.pack("<8sIIIIQQQQ16sQIII", *head)
    disk[1024:1024 + len(entries)] = entries
    disk[2048 * 512:2048 * 512 + len(content)] = content
    backup = list(head)
    backup[5], backup[6], backup[10], backup[3] = sectors - 1, 1, sectors - 33, 0
    backup[3] = binascii.crc32(struct.pack("<8sIIIIQQQQ16sQIII", *backup))
    disk[-512:-420] = struct.pack("<8sIIIIQQQQ16sQIII", *backup)
    disk[-33 * 512:-33 * 512 + len(entries)] = entries
    path.write_bytes(disk)
    return path


@pytest.fixture
def images(work):
    """The baseline, and the whole OS with two fixes in it."""
    support.make_baseline(work / "baseline")
    shutil.copytree(work / "baseline", work / "fixed", symlinks=True)
    for level in "ab":
        support.make_fixed(work / "fixed", level)
    return erofs(work / "baseline", work / "old.img"), erofs(work / "fixed", work / "new.img")


def build(shop, tree, fixed, component, *more, check=True):
    return shop("build", "--tree", tree, "--fixed", fixed, "--component", component, "--new-version", "2", "--fast",
                *more, check=check)


def test_the_difference_of_two_images(images, work):
    before, temporary = mounts(), set(os.listdir("/tmp"))
    shop = support.Publisher(work / "shop", None)
    shop("init")
    shop("baseline", "--tree", images[0])
    build(shop, *images, "os")
    shop("release")
    component, = shop.manifest()["components"]
    paths = {file["path"] for file in component["files"]}
    assert {"/usr/lib/libfix.so", "/usr/lib/libother.so", "/usr/bin/tool", "/usr/share/fix/added.txt"} <= paths
    assert "/usr/bin/answer" not in paths
    assert mounts() == before
    assert not [name for name in set(os.listdir("/tmp")) - temporary if name.startswith("suture-tree")]


def test_one_component_of_it(images, work):
    shop = support.Publisher(work / "shop", None)
    shop("init")
    shop("baseline", "--tree", images[0])
    said = build(shop, *images, "other", "--only=/usr/lib/libother*")
    assert re.search(r"[1-9][0-9]* of other components", said.stdout)
    build(shop, *images, "tool", "--only=/usr/bin/*", "--only", "/usr/share/fix/*")
    draft = json.loads(next(shop.path.glob("drafts/*/manifest.json")).read_text())
    files = {c["name"]: sorted(f["path"] for f in c["files"]) for c in draft["components"]}
    assert files == {"other": ["/usr/lib/libother.so"], "tool": ["/usr/bin/tool", "/usr/share/fix/added.txt"]}


def test_jobs_that_would_find_no_image(images, work):
    shop = support.Publisher(work / "shop", None)
    shop("init")
    shop("baseline", "--tree", images[0])
    done = build(shop, *images, "os", "--later", check=False)
    assert done.returncode == 2 and "would not find" in done.stderr
    support.run("fsck.erofs", f"--extract={work}/mounted", images[0])
    build(shop, work / "mounted", images[1], "os", "--later")
    shop("plan")
    shop("run")
    shop("release")


def test_a_disk_with_partitions(images, work):
    if not loop_devices_are_there():
        pytest.skip("no loop devices here: partitions cannot be mounted")
    shop = support.Publisher(work / "shop", None)
    shop("init")
    shop("baseline", "--tree", gpt(images[0], work / "old.disk"))
    build(shop, work / "old.disk", gpt(images[1], work / "new.disk"), "os")


def test_what_is_no_image(images, work):
    shop = support.Publisher(work / "shop", None)
    shop("init")
    support.write(work / "text", "no image " * 10000)
    done = shop("baseline", "--tree", work / "text", check=False)
    assert done.returncode == 29 and "neither a directory nor an image" in done.stderr
    empty = support.run("mkfs.erofs", work / "empty.img", (work / "shop/keys"))
    assert empty.returncode == 0
    done = shop("baseline", "--tree", work / "empty.img", check=False)
    assert done.returncode != 0 and "os-release" in done.stderr
    cut = work / "cut.img"
    cut.write_bytes(images[0].read_bytes()[:20000])
    shop("baseline", "--tree", images[0])
    assert build(shop, cut, images[1], "os", check=False).returncode != 0
    assert not list(shop.path.glob("drafts/*/manifest.json"))
