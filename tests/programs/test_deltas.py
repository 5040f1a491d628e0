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
