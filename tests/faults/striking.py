"""Strike at one call of an operation, and look at what is left of the device."""
import collections
import dataclasses
import json
import math
import os
import re
import subprocess
import sys

import support
from disk import Disk
from operations import LEVELS, STARTS, edit_state, put_fix_into_base
from test_way import expected_usr

TOOLS = support.BUILD.parent / "tests/faults"
TRACER, SHIM = TOOLS / "fault-tracer", TOOLS / "fault-shim.so"
# All points, or of those that are very many so many of each operation (SUTURE_FAULTS=full), or a sample.
FULL = os.environ.get("SUTURE_FAULTS") in ("full", "all")
ALL = os.environ.get("SUTURE_FAULTS") == "all"
SEED = int(os.environ.get("SUTURE_SEED", "1"))
TIMEOUT = 120
# Of the tracer: itself failed; and from here on: ended by a signal.
TRACER_FAILED, BY_SIGNAL = 125, 128

Point = collections.namedtuple("Point", "number call kind what")


class Lost(AssertionError):
    """Neither the old state nor the new one, or no way on from there."""


def require(condition, *said):
    if not condition:
        raise Lost(" ".join(str(part) for part in said))


def sample(points, count, most=None):
    """All in the full run, or `most` of them; else an even sample, which begins elsewhere with each seed."""
    if FULL:
        count = len(points) if ALL or most is None else most
    if len(points) <= count:
        return list(points)
    begin = SEED * (math.sqrt(5) - 1) / 2 % 1
    return [points[int((i + begin) * len(points) / count)] for i in range(count)]


@dataclasses.dataclass
class Tally:
    """What became of an operation under one kind of injection."""
    operation: str
    injection: str
    possible: int = 0  # points that there are
    tried: int = 0
    struck: int = 0  # the point was reached
    said: int = 0  # the command itself ended with an error
    named: int = 0  # which has the reason in the kernel's own words
    old: int = 0
    new: int = 0
    completed: int = 0  # the next command
    unnamed: list = dataclasses.field(default_factory=list)  # errors that give another reason
    lost: list = dataclasses.field(default_factory=list)


def trace(device, log, mode, arguments, *where):
    """Returns what the command said, and the lines of the tracer: one for each call, or the one that was struck."""
    argv = (TRACER, log, mode, *where, *device.command("--json", *arguments))
    # The leak sanitizer cannot look at a process that is traced already.
    done = support.run(*argv, check=False, timeout=TIMEOUT, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    assert done.returncode != TRACER_FAILED, done.stderr
    return done, [Point(*line.split(" ", 3)) for line in log.read_text().splitlines()]


class Bench:
    """One device on a disk of its own, and saved copies of it in each state that an operation starts from."""

    def __init__(self, scratch, trees, shops):
        self.shops, self.log, self.counts = shops, scratch / "tracer.log", scratch / "counts"
        self.trees = trees
        self.usr = {None: self.expect(), "a": self.expect("a")}
        self.disk = Disk(scratch / "bench")
        self.disk.make()
        support.run("cp", "-a", trees / "baseline", self.disk.top / "os")
        self.device = support.Device(self.disk.top / "os", f"file://{shops['next'].public}").trust(shops["next"])
        self.save_starts()

    def expect(self, *base):
        """What /usr looks like at each level, when those are in the base already. The first that is so is taken."""
        return {level: expected_usr(self.trees, *base, *LEVELS[level]) for level in LEVELS}

    def save_starts(self):
        self.disk.save("bare")
        require(self.run(("install",), "first").status == 0)
        self.disk.save("at-a")
        require(self.run(("activate",)).status == 0)
        self.trace("list", ("suspend",))  # the tracer is who asks, and has ended by the time of the resume
        self.disk.save("suspended")
        self.disk.restore("at-a")
        require(self.run(("activate",)).status == 0 and self.run(("install",))["to"] == "b")
        self.disk.save("at-b")
        self.trace("list", ("suspend",))
        put_fix_into_base(self.device, self.trees)
        self.disk.save("suspended-fixed")
        self.disk.restore("at-b")
        edit_state(self.device, boots={"counted": ""})
        self.disk.save("off")
        require(self.run(("activate",)).status == 0)
        self.disk.save("unmarked")

    def arguments(self, command, shop):
        return ("--repository", f"file://{self.shops[shop].public}", *command)

    def run(self, command, shop="next", **options):
        return self.device(*self.arguments(command, shop), timeout=TIMEOUT, **options)

    def trace(self, mode, command, shop="next", *where):
        return trace(self.device, self.log, mode, self.arguments(command, shop), *where)

    def run_preloaded(self, operation, **how):
        """Returns what it said, and what the preloaded library counted: allocations, struck, transfers."""
        self.counts.write_bytes(bytes(24))
        environment = {"LD_PRELOAD": SHIM, "FAULT_COUNTS": self.counts, **how}
        answer = self.run(operation.command, operation.shop, env={key: str(to) for key, to in environment.items()})
        counts = self.counts.read_bytes()
        return answer, *(int.from_bytes(counts[at:at + 8], sys.byteorder) for at in (0, 8, 16))

    def begin(self, operation):
        self.disk.restore(operation.start)
        if STARTS[operation.start]:
            require(self.run(("activate",)).status == 0)
        if operation.prepare:
            operation.prepare(self.device)
        support.run("sync", "--file-system", self.disk.top)

    def points(self, operation):
        """All calls of an operation that nothing happens to; where it leads must be where it says."""
        self.begin(operation)
        done, points = self.trace("list", operation.command, operation.shop)
        answer = support.Answer(done)
        require(answer.status == 0 or answer.error in operation.fine, answer.text, answer.stderr)
        require(self.judge(operation) == "new", operation.name, "did nothing")
        return points

    # What is left

    def level(self, base_level=None):
        seen, base = support.read_tree(self.device.usr), self.usr[base_level][None]
        for level, tree in self.usr[base_level].items():
            if seen == tree:
                return level
        differing = sorted(path for path in {*seen, *base} if seen.get(path) != base.get(path))
        raise Lost("/usr is none that was ever meant:", differing)

    def status(self):
        status = self.device("status", timeout=TIMEOUT)
        require(status.status == 0, "status:", status.error, status.message)
        return status

    def judge(self, operation, instead=()):
        """The state that it is in now: old or new; what status says of it must be true."""
        level, status = self.level(operation.base_level), self.status()
        require(level in (operation.old, operation.new, *instead), "the level is", level)
        require(status["level"] == level, "status says", status["level"], "and it is", level)
        self.require_mounts(level, most=2)
        is_new = operation.is_done(status) if operation.is_done else level in (operation.new, *instead)
        return "new" if is_new else "old"

    def boot(self, operation):
        """The same after a power cut, which leaves it to the boot to put the layers on /usr."""
        self.disk.power_cycle()
        status = self.status()
        is_done = operation.is_done(status) if operation.is_done else None
        if (self.device.state / "state.json").exists():
            edit_state(self.device, boots={"counted": ""})
        booted = self.run(("activate",))
        require(booted.status == 0, "boot:", booted.error, booted.message)
        level, ends = self.level(operation.base_level), operation.ends_after_boot()
        require(level in ends, "the boot led to", level)
        require(self.status()["level"] == level, "status does not know of", level)
        self.require_mounts(level)
        if is_done is None:
            is_done = level == ends[1]
        return "new" if is_done else "old"

    def require_mounts(self, level, most=1):
        """One overlay of ours, or none."""
        mounts = support.mounts_below(self.device.path)
        at_least = level is not None
        require(at_least <= len(mounts) <= most * at_least, "mounted are", mounts)
        require(all(source.startswith("suture:") for _, _, source in mounts), "mounted are", mounts)

    def go_on(self, operation, levels=None):
        """The next command completes, and then all is as if nothing had happened."""
        answer = self.run(operation.next_command, operation.shop)
        require(answer.status == 0 or answer.error in operation.fine, "next command:", answer.error, answer.message)
        level = self.level(operation.base_level)
        require(level in (levels or (operation.final_level,)), "the next command led to", level)
        # Between two calls of a swap, the new overlay lies beneath the old one. When it ends there, a next swap leaves
        # it there, as each one does before Linux 6.5: until the removal, or the next boot.
        self.require_mounts(level, most=2)
        # A command that has nothing to write leaves what a cut off write has left to the next one.
        check = self.run(("check",), operation.shop)
        require(check.status == 0 or check.error == "NotOffered", "check:", check.error, check.message)
        # The next generation has the number of one that was cut off, and replaces what there is of it.
        leftovers = [path for path in self.device.facts()["leftovers"] if "/generations/" not in path]
        require(not leftovers, "left over:", leftovers)
        for verb in ("status", "history", *(("verify",) if level else ())):
            told = self.device(verb, timeout=TIMEOUT)
            require(told.status == 0, verb, told.error, told.message)


def judge_answer(tally, answer, state, fine, *reasons):
    """What a command says after something failed: that it is done when it is, or a clean error."""
    require(answer.status < BY_SIGNAL, "crashed:", answer.status, answer.stderr)
    if answer.status == 0 or answer.error in fine:
        require(state == "new", "it says that it is done, and it is not")
        return
    tally.said += 1
    if any(reason in answer.message for reason in reasons):
        tally.named += 1
    elif answer.error:
        tally.unnamed.append(f"{reasons[0]}: {answer.error}: {answer.message}")
    # Where memory runs out, the document may lack; what people read must be there.
    require(re.search(r"^suture: .+\n\Z", answer.stderr, re.MULTILINE), "no error is named:", answer.status,
            answer.stderr)
    require(not answer.error or answer.stderr.endswith(f"suture: {answer.message}\n"), "two errors:", answer.stderr)


def try_each(tally, points, strike):
    """`strike` does one point and returns the state that it ends in; what loses is told at the end, all of it."""
    for point in points:
        tally.tried += 1
        try:
            state = strike(point)
            setattr(tally, state, getattr(tally, state) + 1)
            tally.completed += 1
        except (AssertionError, subprocess.TimeoutExpired) as failure:
            tally.lost.append(f"{' '.join(map(str, point)) if isinstance(point, tuple) else point}: {failure}")


def write_tally(tally):
    path = f"{os.environ['SUTURE_FAULTS_TALLY']}/{os.getpid()}"
    with open(path, "a", encoding="utf-8") as out:
        out.write(json.dumps(dataclasses.asdict(tally)) + "\n")


def conclude(tally, minimum_struck=1):
    write_tally(tally)
    print(f"{tally.operation}, {tally.injection}: tried {tally.tried} of {tally.possible}, struck {tally.struck}",
          *(f"another reason: {unnamed}" for unnamed in tally.unnamed), sep="\n")
    assert not tally.lost, f"{len(tally.lost)} of {tally.tried} lost:\n" + "\n".join(tally.lost[:20])
    assert tally.struck >= minimum_struck, tally
