"""The client under test: suture-tuf, or what SUTURE_TUF names, run as a program. After each run it is looked at whether the
two directories hold only what they may."""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import urllib.parse

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(SOURCE / "tests/programs"))

import support  # noqa: E402

PROGRAM = shlex.split(os.environ.get("SUTURE_TUF", str(support.BUILD / "suture-tuf")))
ENVIRONMENT = {**os.environ, **support.SANITIZERS_IN_FAKETIME}
# Leaks cannot be looked for in a process that is traced.
TRACED = {**ENVIRONMENT, "ASAN_OPTIONS": ENVIRONMENT["ASAN_OPTIONS"] + ":detect_leaks=0"}


class Client:
    def __init__(self, work, server):
        self.server = server
        self.metadata, self.targets = work / "metadata", work / "targets"
        self.metadata.mkdir()
        self.targets.mkdir()
        self.initial_root = work / "initial-root"
        self.stderr = ""
        self.peak_mib = 0
        self.wrapper = []  # a command that runs the program

    # -- the three verbs

    def init(self, root=None):
        self.initial_root.write_bytes(self.server.repository.files["metadata/1.root.json"] if root is None else root)
        asked = len(self.server.requests)
        status = self.run("init", self.initial_root)
        assert len(self.server.requests) == asked, "init asks nobody"
        return status

    def refresh(self, **options):
        return self.run("refresh", **options)

    def download(self, *names, **options):
        return self.run("download", *names, **options)

    def command(self, verb, *names, days=0):
        command = [*PROGRAM, "--metadata-dir", self.metadata]
        if verb != "init":
            command += ["--metadata-url", self.server.metadata_url]
        if verb == "download":
            for name in names:
                command += ["--target-name", name]
            command += ["--target-dir", self.targets, "--target-base-url", self.server.targets_url]
        command += [verb] + ([names[0]] if verb == "init" else [])
        if days:
            command = ["faketime", "-f", f"{days:+}d", *command]
        return [str(word) for word in [*self.wrapper, *command]]

    def run(self, verb, *names, days=0, timeout=60):
        with tempfile.TemporaryFile() as stderr, subprocess.Popen(
                self.command(verb, *names, days=days), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
                env=ENVIRONMENT) as process:
            status = self.wait(process, timeout)
            stderr.seek(0)
            self.stderr = stderr.read().decode(errors="replace")
        self.check_end(status)
        self.check_directories()
        return status

    def wait(self, process, timeout):
        """Its exit status; `peak_mib` is the memory it took at most."""
        alarm = threading.Timer(timeout, process.kill)
        alarm.start()
        _, status, usage = os.wait4(process.pid, 0)
        alarm.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        self.peak_mib = usage.ru_maxrss / 1024
        return process.returncode

    def start(self, verb, *names):
        return subprocess.Popen(self.command(verb, *names), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                env=TRACED if self.wrapper[:1] == ["strace"] else ENVIRONMENT)

    def check_end(self, status):
        assert status in (0, 1), f"ended with {status}:\n{self.stderr}"
        assert not re.search(r"Sanitizer|runtime error:", self.stderr), self.stderr
        assert status == 0 or self.stderr.strip(), "a failure says why"

    # -- what it left behind

    def check_directories(self):
        for path in self.metadata.iterdir():
            assert path.is_file() and not path.is_symlink(), f"{path}: the metadata directory is flat"
            if path.name.endswith(".json"):
                role = urllib.parse.unquote(path.name[:-5])
                assert path.name == urllib.parse.quote(role, "") + ".json", path
                assert "signed" in json.loads(path.read_bytes()), path
        for content in self.contents():
            assert content in self.server.repository.genuine, f"not verified, but in the target directory: {content[:80]}"

    def version(self, role):
        """Of the trusted file; None when there is none."""
        path = self.path(role)
        return json.loads(path.read_bytes())["signed"].get("version") if path.exists() else None

    def path(self, role):
        return self.metadata / f"{urllib.parse.quote(role, '')}.json"

    def bytes(self, role):
        return self.path(role).read_bytes() if self.path(role).exists() else None

    def trusted(self):
        return {urllib.parse.unquote(path.name[:-5]): self.version(urllib.parse.unquote(path.name[:-5]))
                for path in self.metadata.glob("*.json")}

    def versions(self):
        """Of root, timestamp, snapshot and targets."""
        return tuple(self.version(role) for role in ("root", "timestamp", "snapshot", "targets"))

    def files(self):
        return sorted(path for path in self.targets.rglob("*") if not path.is_dir())

    def contents(self):
        return [path.read_bytes() for path in self.files()]

    def stamps(self):
        return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in self.files()}
