"""Each state that a page has to show, made with the real programs."""
import json
import shutil
import subprocess

import support
from bus import wait_for

ALLOW_ALL = 'if (action.id.indexOf("org.suture1.") == 0) return polkit.Result.YES;'
DENY_ALL = 'if (action.id.indexOf("org.suture1.") == 0) return polkit.Result.NO;'
ADVISORIES = "https://advisories.example/{id}"
LATER = ("--restart=later",)


class States:
    def __init__(self, agent, device, work, shop):
        self.agent, self.device, self.work, self.shop, self.runner = agent, device, work, shop, None
        device.trust(shop).configure(f"[Source]\nRepository={shop.public.as_uri()}\n")

    @staticmethod
    def publish(path, trees):
        publisher = support.Publisher(path, trees).start()
        for level, fixes in (("a", ["CVE-2030-0001:critical", "CVE-2030-0003:moderate"]), ("b", ["CVE-2030-0002:high"])):
            States.build(publisher, level, fixes)
            publisher("release")
        return publisher

    @staticmethod
    def build(publisher, level, fixes):
        support.write(publisher.path / "fixes", "[CVE-2030-0001]\nImpact=Whoever sends an answer may crash it.\n" if level == "a" else "")
        publisher("build", "--tree", publisher.trees / "baseline", "--fixed", publisher.trees / f"fixed-{level}", "--component",
                  support.COMPONENT[level], "--old-version", "1.0", "--new-version", "1.1", "--advisory", ADVISORIES,
                  "--fixes", publisher.path / "fixes",
                  *(argument for fix in fixes for argument in ("--cve", fix)))

    def status(self):
        return self.device("status").document

    def own_shop(self):
        """A publisher of this test's own, who may change their mind."""
        shutil.copytree(self.shop.path, self.work / "shop")
        self.shop = support.Publisher(self.work / "shop", self.shop.trees)
        self.device.configure(f"[Source]\nRepository={self.shop.public.as_uri()}\n")
        return self.shop

    def start(self):
        self.agent.start()
        return self

    # States, by name; each returns itself.

    def never(self):
        return self

    def offered(self):
        assert self.device("check").status == 0
        return self

    def installed(self):
        assert self.device("install", *LATER).status == 0
        return self

    def up_to_date(self):
        self.installed()
        return self.offered()

    def removed(self):
        self.installed()
        assert self.device("remove", *LATER).status == 0
        return self

    def recalled(self):
        self.own_shop()
        self.installed()
        self.shop("recall", "--level", "b", "--reason", "it breaks sound")
        assert self.device("check").status == 0
        return self

    def offline(self):
        self.installed()
        self.device.configure("[Source]\nRepository=http://127.0.0.1:1/\n")
        assert self.device("check").status != 0
        return self

    def managed(self):
        self.installed()
        support.write(self.device.path / "etc/suture/managed.conf",
                      "[Automatic]\nLevel=check\n[Policy]\nAllowInstall=no\nAllowRemoval=no\n")
        return self

    def running(self):
        """Somebody runs what will be, or was, replaced."""
        self.runner = subprocess.Popen(["chroot", self.device.path, "/usr/bin/answer"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
        wait_for(lambda: self.status()["exposed"], "that it is seen")
        return self

    def waiting(self):
        return self.offered().running().installed()

    def broken(self):
        """Its configuration is not to be read: the agent has no status."""
        self.device.configure("[Source]\nColour=red\n")
        return self

    def stop_running(self):
        self.runner.communicate()
        self.runner = None

    def end(self):
        if self.runner:
            self.stop_running()

    def with_units(self):
        """A device in a tree has no units. What a system with one would say is put into what this one says; what the agent
        is asked for is written down."""
        self.offered().running().installed()
        self.asked = self.work / "asked"
        plan = [{"action": "restart", "unit": "web.service", "advice": "web.service is restarted",
                 "reason": "its process runs the old file", "pids": [7]}]
        suture = f'"{support.BUILD}/suture" --root="{self.device.path}" "$@"'
        self.agent.program.write_text(f"""#!/bin/sh
echo "$*" >> "{self.asked}"
case "$*" in
*status*) {suture} | jq --argjson plan '{json.dumps(plan)}' '.plan = $plan' ;;
*) exec {suture} ;;
esac
""")
        return self

    def slow(self):
        """Whose jobs take their time, until `go_on`."""
        gate = self.work / "gate"
        text = self.agent.program.read_text()
        self.agent.program.write_text(text.replace(
            "exec ", f'case "$*" in *install*) while [ ! -e "{gate}" ]; do sleep 0.05; done;; esac\nexec '))
        self.gate = gate
        return self

    def go_on(self):
        self.gate.touch()

    def await_level(self, level):
        wait_for(lambda: self.status()["level"] == level, f"level ({level})")
        return self.status()
