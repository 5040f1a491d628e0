"""The guides, command by command: each block runs on the machine that it names."""
import os
import re
import shutil
import subprocess

import pytest

import followers
import support


def blocks_of(guide, machines):
    blocks = re.findall(r"^```sh (\w+)\n(.*?)^```$", (support.SOURCE / guide).read_text(), re.M | re.S)
    assert {name for name, _ in blocks} == machines
    return blocks


class Machines:
    """Directories that stand for machines, and a stick that is carried between them."""

    def __init__(self, work, trees):
        self.work = work
        (work / "stick").mkdir()
        (work / "bin").mkdir()
        (work / "bin/suture-publish").symlink_to(support.BUILD / "suture-publish")
        self.public = work / "publisher/work/public"
        self.places = {"/media/stick": work / "stick", "/srv/tree": trees / "baseline", "/srv/fixed": trees / "fixed-a",
                       "https://updates.example.org/suture": f"file://{self.public}"}

    def run(self, machine, text, **environment):
        directory = self.work / machine
        directory.mkdir(exist_ok=True)
        for place, path in self.places.items():
            text = text.replace(place, str(path))
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=directory, text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=300,
                              env={**os.environ, **support.SANITIZERS, "PATH": f"{self.work / 'bin'}:{os.environ['PATH']}", **environment})
        assert done.returncode == 0, (machine, text, done.stdout, done.stderr)
        return done.stdout


def test_every_command_of_the_ceremony(work, trees):
    blocks = blocks_of("docs/keys.md", {"alice", "bob", "carol", "dan", "publisher"})
    assert len(blocks) > 15
    machines = Machines(work, trees)
    public, device = machines.public, None
    for machine, text in blocks:
        environment = {}
        if machine != "publisher":
            support.write(work / machine / "passphrase", f"that of {machine}\n", 0o600)
            environment["SUTURE_PASSPHRASE_FILE"] = str(work / machine / "passphrase")
        machines.run(machine, text, **environment)
        if device is None and (public / "metadata/timestamp.json").exists():
            device = followers.Follower(work / "device", public)
        if device:
            device.refresh(public)
    assert device.version("root") == 3
    for follower in (device, followers.Follower(work / "new", public).refresh(public)):
        assert follower.offered(public, next((work / "publisher/work/baselines").iterdir()).stem) == "a"
    # Every private root key is where it was made, encrypted, and nowhere else.
    found = sorted(p.relative_to(work) for p in work.rglob("*.pem") if b"ENCRYPTED" in p.read_bytes())
    assert [str(p) for p in found] == [f"{name}/{name}.pem" for name in ("alice", "bob", "carol", "dan")]


def test_every_command_of_the_log(work, trees):
    machines = Machines(work, trees)
    machines.run("publisher", "suture-publish -C work init && suture-publish -C work baseline --tree /srv/tree")
    told = {machine: machines.run(machine, text) for machine, text in blocks_of("docs/log.md", {"publisher", "friend", "watcher"})}
    assert "Released" in told["publisher"]
    assert ": entries 1 (releases 1, recalls 0), cosignatures 1." in told["watcher"]
    assert (work / "watcher/seen").read_bytes() == (machines.public / "log/checkpoint").read_bytes()


@pytest.mark.skipif(not support.IS_ROOT, reason="a device mounts layers")
def test_every_command_of_publishing(work, trees):
    machines = Machines(work, trees)
    support.run("cp", "-a", trees / "baseline", work / "os")
    support.write(work / "bin/suture", f'#!/bin/sh\nexec {support.BUILD}/suture --root {work}/os "$@"\n', 0o755)
    machines.places = {"/etc/suture": work / "os/etc/suture", "/srv/next": trees / "fixed-b",
                       "https://updates.example.org/suture\n": f"file://{machines.public}\n",
                       "https://updates.example.org/suture ": f"file://{machines.public} ", **machines.places}
    del machines.places["https://updates.example.org/suture"]
    told = {"publisher": [], "device": [], "auditor": []}
    for machine, text in blocks_of("docs/publishing.md", set(told)):
        told[machine].append(machines.run(machine, text))
        root = machines.public / "metadata/1.root.json"
        if root.exists():
            shutil.copy(root, work / "stick")
    assert not [file for file in work.rglob("*.pem") if file.parent != work / "publisher/work/keys"]
    assert "CVE-2030-0001  answers to strangers" in "".join(told["publisher"])
    assert "give the image that was released" in told["auditor"][0]
    first, second, last = (told["device"][i] for i in (1, 2, 3))
    assert "1 (a)" in first and "1 (b)" in second and "1 (a)" in last and "1 (b)" not in last.splitlines()[-1]
    page, = (machines.public / "advisories").glob("*/index.html")
    assert "printing stops" in page.read_text() and "answers to strangers" in page.read_text()
