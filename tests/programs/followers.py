"""Devices as far as trust goes: the client as a program, over a directory that holds a repository."""
import json
import pathlib
import shutil

import support


class Refused(Exception):
    pass


class Follower:
    """What it trusts lies in `path`; it began with the repository's first root."""

    def __init__(self, path, public=None):
        self.path = path
        if public:
            path.mkdir()
            self._run("init", public / "metadata/1.root.json")

    def _run(self, *arguments):
        done = support.run(support.BUILD / "suture-tuf", "--metadata-dir", self.path, *arguments, check=False)
        if done.returncode != 0:
            raise Refused(done.stderr)

    def copy(self, path):
        shutil.copytree(self.path, path)
        return Follower(path)

    def refresh(self, public):
        self._run("--metadata-url", f"file://{public}/metadata", "refresh")
        return self

    def download(self, public, name):
        target = self.path.parent / f"{self.path.name}.downloads"
        target.mkdir(exist_ok=True)
        self._run("--metadata-url", f"file://{public}/metadata", "--target-base-url", f"file://{public}/targets",
                  "--target-dir", target, "--target-name", name, "download")
        found, = (p for p in target.rglob("*") if p.is_file())
        text = found.read_text()
        shutil.rmtree(target)
        return json.loads(text)

    def version(self, role):
        return json.loads((self.path / f"{role}.json").read_text())["signed"]["version"]

    def offered(self, public, baseline):
        """The level that is current; its manifest must be signed, and all its objects be there as it says."""
        channel = self.download(public, f"{baseline}/channel.json")
        level = channel["current"]
        manifest = self.download(public, f"{baseline}/{level}/manifest.json")
        for component in manifest["components"]:
            for delta in component["deltas"]:
                sha256 = delta["object"]["sha256"]
                path = pathlib.Path(public) / "objects" / sha256[:2] / sha256
                assert support.hashlib.sha256(path.read_bytes()).hexdigest() == sha256
        return level


def baseline_of(publisher):
    name, = (p.stem for p in (publisher.path / "baselines").iterdir())
    return name
