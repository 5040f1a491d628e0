"""Which delta a device takes: the smallest that applies, and it says why no smaller one did."""
import hashlib
import json
import shutil

import pytest

import support
from test_bad_repository import refused, serve_files

UNTOUCHED = "/usr/share/untouched"


def entry(data):
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


class Draft:
    """The publisher's draft of level (a), which the test may change before it is released."""

    def __init__(self, shop, work):
        self.shop, self.work, self.usr = shop, work, shop.trees / "baseline"
        shop.build("a")
        self.path, = (shop.path / "drafts").iterdir()
        self.manifest = json.loads((self.path / "manifest.json").read_text())
        self.component, = self.manifest["components"]
        self.files, self.whole = sorted(self.component["deltas"], key=lambda delta: len(delta["sources"]), reverse=True)
        self.image = work / "image"
        support.run(support.BUILD / "suture-delta", "apply", self.object(self.whole), self.image)

    def object(self, delta):
        return self.path / "objects" / delta["object"]["sha256"]

    def add(self, data, sources):
        """A delta with these bytes, in the first place."""
        delta = {"object": entry(data), "sources": sources}
        support.write(self.object(delta), data)
        self.component["deltas"].insert(0, delta)
        return delta

    def make(self, claimed, *files):
        """A delta from `files`, of which the manifest says that they are `claimed`: path and content."""
        patch = self.work / "patch"
        support.run(support.BUILD / "suture-delta", "make", *files, self.image, patch)
        return self.add(patch.read_bytes(), [{"path": path, **entry(data)} for path, data in claimed])

    def release(self):
        (self.path / "manifest.json").write_text(json.dumps(self.manifest))
        self.shop("release")


@pytest.fixture
def draft(work, trees):
    return Draft(support.Publisher(work / "shop", trees).start(), work)


def near(draft, name="near"):
    """A file of the baseline from which the image is told in a few bytes, as the test pretends."""
    path = draft.work / name
    shutil.copy(draft.image, path)
    return path


def bytes_of(delta):
    return delta["object"]["size"]


def taken(answer):
    delta, = answer["deltas"]
    return delta["bytes"], delta["from"], [(other["bytes"], other["from"]) for other in delta["passed_over"]]


def with_near(draft, device):
    """A delta, the smallest, from a file that the improvement does not touch: the image itself, as it happens."""
    close = draft.image.read_bytes()
    for top in (draft.work, device.path):
        support.write(top / "close", close)
    shutil.copy(device.path / "close", device.usr / "share/untouched")
    return draft.make([(UNTOUCHED, close)], draft.work / "close")


def test_the_smallest_delta_is_taken(draft, device):
    small = with_near(draft, device)
    assert bytes_of(small) < bytes_of(draft.files) < bytes_of(draft.whole)
    draft.release()
    serve_files(device, draft.shop)
    device.trust(draft.shop)
    install = device("install")
    assert install.status == 0, install.message
    assert taken(install) == (bytes_of(small), "files", []) and install["download_bytes"] == bytes_of(small)


def test_a_source_that_differs(draft, device):
    small = with_near(draft, device)
    draft.component["deltas"].remove(draft.files)
    draft.release()
    serve_files(device, draft.shop)
    device.trust(draft.shop)
    support.flip(device.usr / "share/untouched", 1000)
    for arguments in (["--dry-run"], []):
        install = device("install", *arguments)
        assert install.status == 0, install.message
        assert taken(install) == (bytes_of(draft.whole), "nothing", [(bytes_of(small), "files")])
        assert f"'{UNTOUCHED}' on this system is not the file" in install["deltas"][0]["passed_over"][0]["why"]
        assert install["download_bytes"] == bytes_of(draft.whole)
    assert device.answer() == "new"


def test_a_source_that_is_missing(draft, device):
    small = with_near(draft, device)
    draft.release()
    serve_files(device, draft.shop)
    device.trust(draft.shop)
    (device.usr / "share/untouched").unlink()
    text = support.run(*device.command("install")).stdout
    assert f"fix: the delta of {bytes_of(draft.files)} bytes from 4 files of the baseline\n" in text
    assert f"not that of {bytes_of(small)} bytes from 1 files of the baseline: '{UNTOUCHED}' is missing" in text


def test_sources_that_the_delta_itself_does_not_know(draft, device):
    """The manifest's word was taken for it, and the delta was fetched: the next one still makes the image."""
    other = near(draft)
    support.flip(other, 500)
    known = (draft.usr / "usr/share/untouched").read_bytes()
    small = draft.make([(UNTOUCHED, known)], other)
    assert bytes_of(small) < bytes_of(draft.files)
    draft.release()
    serve_files(device, draft.shop)
    device.trust(draft.shop)
    install = device("install")
    assert install.status == 0, install.message
    assert taken(install) == (bytes_of(draft.files), "files", [(bytes_of(small), "files")])
    assert "than the delta expects" in install["deltas"][0]["passed_over"][0]["why"]
    assert install["download_bytes"] == bytes_of(small) + bytes_of(draft.files)
    assert list((device.state / "downloads").iterdir()) == [] and device.facts()["leftovers"] == []


def test_none_applies(draft, device):
    small = with_near(draft, device)
    draft.component["deltas"][:] = [small]
    draft.release()
    serve_files(device, draft.shop)
    device.trust(draft.shop)
    (device.usr / "share/untouched").unlink()
    refused(device, {"Baseline"}, "the sources of none of its deltas", f"'{UNTOUCHED}' is missing")


def test_a_delta_that_is_damaged_is_no_reason_to_take_another(draft, device):
    """Its digest is the signed one: whoever signed it must learn that it does not decode."""
    damaged = bytearray(draft.object(draft.files).read_bytes())
    damaged[-20] ^= 1
    draft.add(bytes(damaged), draft.files["sources"])
    draft.component["deltas"].remove(draft.files)
    draft.release()
    serve_files(device, draft.shop)
    device.trust(draft.shop)
    assert refused(device, {"Delta"}, "component 'fix'").status == 37


# Images of earlier levels


def fix(shop, level, answer):
    """Another level of the component that level (a) fixes, whose files differ little from (a)'s."""
    fixed = shop.path / f"fixed-{level}"
    shutil.copytree(shop.trees / "fixed-a", fixed, symlinks=True)
    support.make_library(fixed / "usr/lib/libfix.so", "fix_answer", answer)
    return shop("build", "--tree", shop.trees / "baseline", "--fixed", fixed, "--component", "fix",
                "--new-version", answer, "--cve", "CVE-2030-0009")


@pytest.fixture
def levels(own_shop, device):
    """A publisher with (a), and (b) of the same component."""
    said = fix(own_shop, "b", "two").stdout
    own_shop("release")
    serve_files(device, own_shop)
    own_shop.said = said
    return own_shop


def deltas_of(shop, level):
    component, = shop.manifest(level)["components"]
    return {"image" if any("image" in source for source in delta["sources"]) else
            "files" if delta["sources"] else "nothing": delta for delta in component["deltas"]}


def test_an_image_of_an_earlier_level_is_a_source(levels):
    deltas, before = deltas_of(levels, "b"), levels.manifest("a")["components"][0]["image"]
    assert deltas["image"]["sources"] == [{"image": before}]
    assert bytes_of(deltas["image"]) < bytes_of(deltas["files"]) < bytes_of(deltas["nothing"])
    assert f"delta     {bytes_of(deltas['image'])} bytes from the image of an earlier level and 0 files\n" in levels.said


def test_a_device_that_has_the_earlier_image(levels, device, shop):
    device.configure(f"[Source]\nRepository=file://{shop.public}\n")
    assert device("install").status == 0
    serve_files(device, levels)
    install = device("install")
    assert (install.status, install["to"]) == (0, "b"), install.message
    assert taken(install) == (bytes_of(deltas_of(levels, "b")["image"]), "image", [])
    assert device.answer() == "two"


def test_a_device_that_has_it_not(levels, device):
    deltas = deltas_of(levels, "b")
    install = device("install")
    assert (install.status, install["to"]) == (0, "b"), install.message
    assert taken(install) == (bytes_of(deltas["files"]), "files", [(bytes_of(deltas["image"]), "image")])
    assert "is not in the store" in install["deltas"][0]["passed_over"][0]["why"]
    assert device.answer() == "two"


def test_a_device_whose_earlier_image_is_damaged(levels, device, shop):
    device.configure(f"[Source]\nRepository=file://{shop.public}\n")
    assert device("install").status == 0 and device("remove").status == 0
    image, = (device.state / "images").iterdir()
    support.flip(image, 9000)
    serve_files(device, levels)
    install = device("install")
    assert (install.status, install["to"]) == (0, "b"), install.message
    assert taken(install)[1] == "files" and "image" in install["deltas"][0]["passed_over"][0]["why"]


def test_no_delta_from_an_image_that_does_not_help(own_shop):
    """Level (b) goes back to nearly what the baseline has."""
    fixed = own_shop.path / "fixed-b"
    support.write(fixed / "usr/lib/fix.dat", (own_shop.trees / "baseline/usr/lib/fix.dat").read_bytes())
    support.flip(fixed / "usr/lib/fix.dat", 199_999)
    own_shop("build", "--tree", own_shop.trees / "baseline", "--fixed", fixed, "--component", "fix", "--new-version", "2")
    own_shop("release")
    assert set(deltas_of(own_shop, "b")) == {"files", "nothing"}


def test_the_baseline_s_files_help_an_image_that_lacks_them(own_shop):
    """Level (b) fixes a file that (a) left alone."""
    fixed = own_shop.path / "fixed-b"
    shutil.copytree(own_shop.trees / "fixed-a", fixed, symlinks=True)
    support.make_library(fixed / "usr/lib/libother.so", "other_answer", "new")
    own_shop("build", "--tree", own_shop.trees / "baseline", "--fixed", fixed, "--component", "fix", "--new-version", "2")
    own_shop("release")
    image, file = deltas_of(own_shop, "b")["image"]["sources"]
    assert image == {"image": own_shop.manifest("a")["components"][0]["image"]}
    assert file["path"] == "/usr/lib/libother.so"


def test_the_images_of_several_levels(levels):
    before = [levels.manifest(level)["components"][0]["image"] for level in "ab"]
    fix(levels, "c", "six")
    levels("release")
    component, = levels.manifest("c")["components"]
    images = [source["image"] for delta in component["deltas"] for source in delta["sources"] if "image" in source]
    assert sorted(image["seal"] for image in images) == sorted(image["seal"] for image in before)
