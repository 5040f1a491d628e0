"""A publisher, a web server, and a device: a Debian container that really boots systemd."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("SUTURE_BUILD", HERE.parents[1] / "build")).resolve()
DATA = HERE.parents[1] / "data"
# One root file system of each release serves several tests: making one takes a minute.
PACKAGES = "openssh-server,libpam-systemd,libcap2-bin,dbus-user-session"
BY_HAND = ("wait", "soft-reboot", "reboot")  # what a plan leaves to a person


def run(*argv, check=True, **options):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{argv} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done


class World:
    web_port = None  # 127.0.0.1's; each world has its own

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="suture-container.", dir="/var/tmp"))
        self.name = f"suture-test-{os.getpid()}"
        self.environment = dict(os.environ, SUTURE_RUN=str(self.path / "run"))
        self.baseline, self.device = self.path / "baseline", self.path / "device"

    def script(self, name, *arguments, **options):
        return run(HERE / name, *arguments, env=self.environment, **options)

    def publisher(self, *arguments):
        return run(BUILD / "src/suture-publish", "-C", self.path / "publisher", *arguments)

    def fetch_pair(self, *component):
        pair = dict(re.findall(r"(PAIR_\w+)=(.*)", self.script("debian-pair.sh", "fetch", *component).stdout))
        return {name: value.strip("'\"").replace("\\", "") for name, value in pair.items()}

    def serve(self):
        self.script("web-server.sh", "start", self.baseline, self.path / "publisher/public", self.web_port,
                    self.path / "web")

    def make_device(self):
        """A copy of the baseline that knows where its improvements come from."""
        run("cp", "-a", self.baseline, self.device)
        self.trust()

    def trust(self):
        (self.device / "etc/suture").mkdir()
        shutil.copy(self.path / "publisher/public/metadata/1.root.json", self.device / "etc/suture/root.json")
        self.configure()

    def configure(self, more=""):
        (self.device / "etc/suture/suture.conf").write_text(
            f"[Source]\nRepository=http://127.0.0.1:{self.web_port}\n{more}")

    def install_suture(self):
        """As `meson install --prefix=/usr` does, and the README says; but for the timers, which would come in between."""
        for program, place in (("suture", "usr/bin"), ("sutured", "usr/lib/suture"), ("suture-fetch", "usr/lib/suture")):
            (self.device / place).mkdir(parents=True, exist_ok=True)
            shutil.copy(BUILD / "src" / program, self.device / place)
        for catalog in DATA.glob("*.catalog"):
            shutil.copy(catalog, self.device / "usr/lib/systemd/catalog")
        for unit in (DATA / "systemd").iterdir():
            shutil.copy(unit, self.device / "usr/lib/systemd/system")
        for file, place in (("org.suture1.conf", "system.d"), ("org.suture1.service", "system-services")):
            shutil.copy(DATA / "dbus-1" / file, self.device / "usr/share/dbus-1" / place)
        shutil.copy(DATA / "sysusers.d/suture.conf", self.device / "usr/lib/sysusers.d")
        run("systemd-sysusers", f"--root={self.device}", "suture.conf")
        run("systemctl", f"--root={self.device}", "enable", "suture-activate.service", "suture-healthy.service",
            "suture-fetch.socket")

    def write_unit(self, name, text, enable=True):
        (self.device / "etc/systemd/system" / name).write_text(text)
        if enable:
            run("systemctl", f"--root={self.device}", "enable", name)

    def boot(self):
        self.script("machine.sh", "boot", self.device, self.name, "--bind", f"{BUILD}/src:/mnt/suture")

    def stop(self):
        self.script("machine.sh", "stop", self.name)

    def on_device(self, *argv, check=True, seconds=1800):
        return run(HERE / "machine.sh", "exec", self.name, "--", *argv, check=check,
                   env={**self.environment, "SUTURE_EXEC_SECONDS": str(seconds)})

    def shell(self, text, check=True, seconds=1800):
        return self.on_device("sh", "-c", text, check=check, seconds=seconds).stdout.strip()

    def suture(self, *arguments, check=True):
        return self.on_device("/mnt/suture/suture", *arguments, check=check)

    def report(self, *arguments, accept=(0,)):
        done = self.suture(*arguments, "--json", check=False)
        assert done.returncode in accept, done.stderr + done.stdout
        return json.loads(done.stdout)

    def journal(self, message):
        """The entries of one kind, by its name in messages.h; oldest first."""
        rows = (HERE.parents[1] / "src/cli/messages.h").read_text()
        identity = re.search(rf'X\({message}, "([0-9a-f]{{32}})", ', rows)[1]
        self.shell("journalctl --sync")
        lines = self.shell(f"journalctl --output=json MESSAGE_ID={identity}").splitlines()
        entries = [json.loads(line) for line in lines if line.startswith("{")]
        assert all(entry["SYSLOG_IDENTIFIER"] == "suture" and entry["SUTURE_BASELINE"] for entry in entries), entries
        return entries

    def exposed(self):
        return self.report("exposure", accept=(0, 10))["exposed"]

    def finish_restarts(self, report):
        for action in report["remaining"]:
            if action["action"] in BY_HAND and action["unit"]:
                self.on_device("systemctl", "restart", action["unit"])

    def usr_digest(self):
        return self.shell("cd /usr && find . -xdev -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum")

    def main_pid(self, unit):
        return int(self.shell(f"systemctl show -p MainPID --value {unit}"))

    def close(self):
        for step in (self.stop, lambda: self.script("web-server.sh", "stop", self.path / "web")):
            try:
                step()
            except AssertionError as error:
                print(error)
        shutil.rmtree(self.path)
