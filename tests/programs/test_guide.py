"""docs/keys.md, command by command: each block runs on the machine that it names."""
import os
import re
import subprocess

import followers
import support


def test_every_command_of_the_guide(work, trees):
    blocks = re.findall(r"^```sh (\w+)\n(.*?)^```$", (support.SOURCE / "docs/keys.md").read_text(), re.M | re.S)
    assert len(blocks) > 15 and {name for name, _ in blocks} == {"alice", "bob", "carol", "dan", "publisher"}
    (work / "stick").mkdir()
    programs = work / "bin"
    programs.mkdir()
    (programs / "suture-publish").symlink_to(support.BUILD / "suture-publish")
    places = {"/media/stick": work / "stick", "/srv/tree": trees / "baseline", "/srv/fixed": trees / "fixed-a"}
    public, device = work / "publisher/work/public", None
    for machine, text in blocks:
        directory = work / machine
        directory.mkdir(exist_ok=True)
        environment = {**os.environ, **support.SANITIZERS, "PATH": f"{programs}:{os.environ['PATH']}"}
        if machine != "publisher":
            support.write(directory / "passphrase", f"that of {machine}\n", 0o600)
            environment["SUTURE_PASSPHRASE_FILE"] = str(directory / "passphrase")
        for place, path in places.items():
            text = text.replace(place, str(path))
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=directory, env=environment, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=300)
        assert done.returncode == 0, (machine, text, done.stdout, done.stderr)
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
