"""What the agent costs: started, asked, at an update with nothing new, and while it waits. Called by bench/agent.sh.

    agent.py WORK ROUNDS

The device is a small tree, the bus and its polkit are real, and so is the web server's protocol. The peer does the same
errand for Debian's packages: `apt-get update` with nothing new."""
import os
import pathlib
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests/programs"), str(HERE.parent / "tests/bus")]
import support  # noqa: E402
import web  # noqa: E402
from bus import NAME, Agent, SystemBus, network_manager, wait_for  # noqa: E402
from gi.repository import GLib  # noqa: E402

UPDATES_PER_DAY = 4


def run_to_end(argv, environment=None):
    """Processor time in ms, and how often it was given one: of the process and all that it waited for."""
    pid = os.posix_spawn(argv[0], argv, environment or os.environ,
                         file_actions=[(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)])
    _, status, usage = os.wait4(pid, 0)
    assert status == 0, f"{argv} ended with {status}"
    return describe(usage)


def describe(usage):
    return ((usage.ru_utime + usage.ru_stime) * 1000, usage.ru_nvcsw + usage.ru_nivcsw)


class Measured(Agent):
    """An agent whose whole life is counted."""

    def start(self):
        self.came = None
        watch = self.connection.signal_subscribe(
            "org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged", None, NAME, 0,
            lambda *arguments: setattr(self, "came", self.came or time.monotonic()))
        began = time.monotonic()
        super().start()
        wait_for(lambda: self.came, "the name")
        self.connection.signal_unsubscribe(watch)
        self.ms_to_name = (self.came - began) * 1000
        return self

    def end_of_life(self):
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return describe(usage)

    def memory(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return {line.split()[0]: int(line.split()[1]) / 1024 for line in text.splitlines()[1:]}

    def switches(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return sum(int(line.split()[1]) for line in text.splitlines() if "ctxt_switches" in line)


def make_world(work):
    trees = work / "trees"
    support.make_baseline(trees / "baseline")
    support.make_fixed(trees / "fixed-a", "a")
    shop = support.Publisher(work / "shop", trees).start().release("a")
    server = web.Server(shop.public)
    support.run("cp", "-a", trees / "baseline", work / "device")
    return support.Device(work / "device", server.url).trust(shop), server


def measure_update(bus, device, work):
    """The timer fires, and there is nothing new: the agent's whole life, and who calls it."""
    agent = Measured(bus, device, work, idle=1).start()
    client = run_to_end([str(support.BUILD / "suture"), "install", "--unattended"], bus.environment)
    life = agent.end_of_life()
    agent.connection.close_sync(None)
    support.run("umount", "/var/lib")
    return agent.ms_to_name, [a + b for a, b in zip(life, client)]


def measure_waiting(bus, device, work, seconds):
    """On a metered network: how often is it woken up?"""
    mock = network_manager(bus, 1)
    agent = Measured(bus, device, work, idle=1).start()
    agent.finish(agent.begin("Update"))
    wait_for(lambda: agent.get("Waits") == ["metered"], "what it waits for")
    time.sleep(3)
    before = agent.switches()
    time.sleep(seconds)
    after = agent.switches()
    memory = agent.memory()
    mock.set(Metered=GLib.Variant("u", 4))
    wait_for(lambda: agent.get("Level") == "a", "the installation")
    agent.end()
    mock.end()
    return after - before, memory


def measure_apt(work):
    """Lists of its own; the second time there is nothing new."""
    state = work / "apt"
    for name in ("lists/partial", "cache/archives/partial"):
        (state / name).mkdir(parents=True)
    argv = ["/usr/bin/apt-get", "-o", f"Dir::State::Lists={state}/lists", "-o", f"Dir::Cache={state}/cache",
            "-o", "APT::Sandbox::User=root", "update"]
    try:
        run_to_end(argv)
        return run_to_end(argv)
    except AssertionError:
        return None


def main():
    work, rounds = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    device, server = make_world(work)
    bus = SystemBus(work / "bus")
    try:
        device("status")
        switches, waiting = measure_waiting(bus, device, work, 20)
        rows = [measure_update(bus, device, work) for _ in range(rounds)]
    finally:
        bus.end()
    median = statistics.median
    ms_to_name = median(row[0] for row in rows)
    update = [median(row[1][i] for row in rows) for i in range(2)]
    apt = measure_apt(work)
    print(f"from the start to the name, with the first look at the device   {ms_to_name:8.0f} ms")
    print(f"memory of the agent: of its own / with what others use, too     {waiting['Private_Dirty:']:8.1f} / {waiting['Rss:']:.1f} MiB")
    print(f"woken up in 20 s of waiting for a network                       {switches:8d} times")
    print("an update with nothing new, all processes:      processor     wake-ups")
    print(f"  sutured, suture and its worker            {update[0]:10.0f} ms {update[1]:12.0f}")
    if apt:
        print(f"  apt-get update                            {apt[0]:10.0f} ms {apt[1]:12.0f}")
    else:
        print("  apt-get update                            missing: the archive cannot be reached")
    print(f"\nfigure: agent_name_ms {ms_to_name:.0f} ms")
    print(f"figure: agent_private_mib {waiting['Private_Dirty:']:.1f} MiB")
    print(f"figure: agent_waiting_wakeups {switches} per 20 s")
    print(f"figure: agent_day_wakeups {update[1] * UPDATES_PER_DAY:.0f} per day")
    print(f"figure: agent_day_cpu_ms {update[0] * UPDATES_PER_DAY:.0f} ms")
    if apt:
        print(f"figure: agent_update_vs_apt_cpu {update[0] / apt[0]:.3f} ratio")
        print(f"figure: agent_update_vs_apt_switches {update[1] / apt[1]:.3f} ratio")


if __name__ == "__main__":
    main()
