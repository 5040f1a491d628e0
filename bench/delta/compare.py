#!/usr/bin/env python3
"""Deltas of real updates: Suture's against those of others, on the pairs of files that pairs.sh made.

    compare.py DIR REGEX MIB

REGEX selects by name, MIB by size: nothing that is larger. Every delta is applied again and compared with the
new file, byte for byte; what differs ends in exit status 1. The peers' deltas are kept in DIR/.bench with the
seconds that they took, as they do not change: some take minutes. Suture's are made anew each time. A few
cases are made here out of whole packages: see make_cases().
"""

import filecmp
import functools
import hashlib
import json
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BSDIFF_LIMIT = 64 << 20  # of either file: beyond, it takes a gigabyte of memory and minutes
RUNS = 3  # of each apply; the best counts
LOOKS = 10  # runs whose memory is looked at, when they are short
MEASURED = ("suture", "bsdiff")  # whose cost of applying is shown
MKFS = ["mkfs.erofs", "--quiet", "-Enoinline_data", "-U00000000-0000-8000-8000-000000000000", "-T1700000000"]
MKFS_ROOT = ["--all-root", "-x-1"]


def say(text):
    print(f"bench-delta: {text}", file=sys.stderr, flush=True)


class Failed(Exception):
    """A program did not do what it was asked to."""


def run(*argv, stdin=None, stdout=subprocess.DEVNULL):
    """Wall seconds of a program."""
    began = time.monotonic()
    done = subprocess.run(argv, stdin=stdin or subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE)
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise Failed(f"{shlex.join(argv)}: status {done.returncode}: {''.join(last)}")
    return time.monotonic() - began


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ---- What is compared --------------------------------------------------------------------------


class Case:
    """Something old, a file or a directory of many, and the new file that is made of it."""

    def __init__(self, name, source, new, old=None):
        self.name = name
        self.source = source  # what Suture is given
        self.old = old or source  # what the others are given: one file
        self.new = new
        self.old_size = self.old.stat().st_size
        self.size = self.new.stat().st_size

    @functools.cache
    def digests(self):
        return [digest_of(self.old), digest_of(self.new)]


class Peer:
    """One way to make a delta and to apply it; 'packed' ones leave compression to xz."""

    needs = ()
    packed = False

    def missing(self):
        return [name for name in self.needs if not shutil.which(name)]

    def refuses(self, case):
        return None

    def make(self, case, patch):
        """Wall seconds; the packing counts."""
        if not self.packed:
            return run(*self.make_argv(case, patch))
        raw = patch.with_suffix(".raw")
        seconds = run(*self.make_argv(case, raw))
        with open(patch, "wb") as out:
            seconds += run("xz", "-9e", "-c", raw, stdout=out)
        raw.unlink()
        return seconds

    def apply(self, case, patch, out):
        if self.packed:
            raw = out.with_suffix(".raw")
            with open(raw, "wb") as unpacked:
                run("xz", "-dc", patch, stdout=unpacked)
            patch = raw
        run(*self.apply_argv(case, patch, out))


class Bsdiff(Peer):
    name, needs = "bsdiff", ("bsdiff", "bspatch")

    def refuses(self, case):
        if max(case.size, case.old_size) > BSDIFF_LIMIT:
            return f"over {BSDIFF_LIMIT >> 20} MiB"
        return None

    def make_argv(self, case, patch):
        return ["bsdiff", case.old, case.new, patch]

    def apply_argv(self, case, patch, out):
        return ["bspatch", case.old, out, patch]


class Xdelta(Peer):
    """Its own secondary compressors, djw and lzma, are worse than xz behind it."""

    name, needs, packed = "xdelta3", ("xdelta3", "xz"), True

    def make_argv(self, case, patch):
        window = max(case.old_size, 1 << 20)
        return ["xdelta3", "-e", "-f", "-9", "-S", "none", "-B", str(window), "-W", str(16 << 20), "-I", "0",
                "-s", case.old, case.new, patch]

    def apply_argv(self, case, patch, out):
        return ["xdelta3", "-d", "-f", "-B", str(max(case.old_size, 1 << 20)), "-s", case.old, patch, out]


class Zstd(Peer):
    name, needs = "zstd", ("zstd",)

    def make_argv(self, case, patch):
        return ["zstd", "-q", "-f", "--ultra", "-22", "--long=31", f"--patch-from={case.old}", case.new, "-o", patch]

    def apply_argv(self, case, patch, out):
        return ["zstd", "-q", "-f", "-d", "--long=31", f"--patch-from={case.old}", patch, "-o", out]


class Hdiff(Peer):
    name, needs = "hdiffz", ("hdiffz", "hpatchz")

    def make_argv(self, case, patch):
        return ["hdiffz", "-f", "-m-1", "-SD", "-d", "-c-lzma2-9-64m", case.old, case.new, patch]

    def apply_argv(self, case, patch, out):
        return ["hpatchz", "-f", case.old, patch, out]


class Zucchini(Peer):
    name, needs, packed = "zucchini", ("zucchini", "xz"), True

    def make_argv(self, case, patch):
        return ["zucchini", "-gen", case.old, case.new, patch]

    def apply_argv(self, case, patch, out):
        return ["zucchini", "-apply", case.old, patch, out]


class Suture(Peer):
    name = "suture"

    def __init__(self, program):
        self.program = program

    def missing(self):
        return [] if shutil.which(self.program) else [self.program]

    def make_argv(self, case, patch):
        return [self.program, "make", case.source, case.new, patch]

    def apply_argv(self, case, patch, out):
        return [self.program, "apply", case.source, patch, out]


# ---- The cases ---------------------------------------------------------------------------------


def find_pairs(top):
    for new in sorted(top.glob("*.*/new")):
        yield new.parent.name, lambda new=new: Case(new.parent.name, new.parent / "old", new)


def merged(tree):
    """Path as a merged /usr has it -> file, as the publisher sees a tree: no links, no documentation."""
    found = {}
    for folder, _, names in os.walk(tree):
        for name in names:
            file = Path(folder, name)
            path = file.relative_to(tree)
            if path.parts[0] in ("bin", "sbin", "lib", "lib64"):
                path = "usr" / path
            if path.parts[:3] in (("usr", "share", kind) for kind in ("doc", "man", "info", "locale")):
                continue
            if path.parts[0] == "usr" and not file.is_symlink():
                found[path] = file
    return found


def fill(folder, files):
    shutil.rmtree(folder, ignore_errors=True)
    for path, file in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder / path)


def make_image(folder, files, image):
    """Of a component, as the publisher makes it: src/image/build.c."""
    fill(folder, files)
    image.unlink(missing_ok=True)
    run(*MKFS, image, folder, *MKFS_ROOT)


def concatenate(files, out):
    with open(out, "wb") as stream:
        for path in sorted(files, key=lambda path: os.fsencode(path)):
            stream.write(files[path].read_bytes())


def changed_files(trees):
    """Of what the packages' fixes replaced: the old files, and the new ones."""
    old, new = merged(trees / "old"), merged(trees / "new")
    paths = [path for path in sorted(new) if path in old and not filecmp.cmp(old[path], new[path], False)]
    return {path: old[path] for path in paths}, {path: new[path] for path in paths}


def composite(trees, place, name):
    """Many old files, and an image that has the new one of each: the delta of a large fix. The others are
    given the old files one behind the other, in the order of their paths."""
    old, new = changed_files(trees)
    fill(place / "old", old)
    make_image(place / "tree", new, place / "new.image")
    shutil.rmtree(place / "tree")
    concatenate(old, place / "old.all")
    return Case(name, place / "old", place / "new.image", place / "old.all")


def few_changes(trees, place, name):
    """An image, and the same with one library changed."""
    old, new = changed_files(trees)
    library = next(path for path in new if path.name == "libcrypto.so.3")
    make_image(place / "tree", old, place / "old.image")
    make_image(place / "tree", {**old, library: new[library]}, place / "new.image")
    shutil.rmtree(place / "tree")
    return Case(name, place / "old.image", place / "new.image")


def make_cases(top, work):
    """(name, a function that makes the case), so that only what is selected is made."""
    yield from find_pairs(top)
    trees = sorted((top / "trees").glob("*.*"))
    for tree in trees:
        name = f"composite-{tree.name}"
        yield name, lambda tree=tree, name=name: composite(tree, new_folder(work / name), name)
    for tree in trees[:1]:
        name = f"few-changes-{tree.name}"
        yield name, lambda tree=tree, name=name: few_changes(tree, new_folder(work / name), name)


def new_folder(path):
    path.mkdir(parents=True)
    return path


# ---- Measuring ---------------------------------------------------------------------------------


def peaks(pid):
    """Largest RssAnon and VmHWM of a child while it runs, in bytes, and its status. The first is memory that
    is its own, without the files that it maps, which may be dropped at any time. Looked at about once in
    0.2 ms. The maxrss that the kernel tells of a dead child would be that of this program, if larger."""
    private = resident = 0
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return private, resident, status
        with open(f"/proc/{pid}/status", "rb") as file:
            fields = dict(re.findall(rb"^(RssAnon|VmHWM):\s*(\d+)", file.read(), re.MULTILINE))
        private = max(private, int(fields.get(b"RssAnon", 0)) * 1024)
        resident = max(resident, int(fields.get(b"VmHWM", 0)) * 1024)
        time.sleep(0.0002)


class Cost:
    """Of applying: seconds of the best of some runs without anybody looking, memory of others. Of a run of a
    few milliseconds a look may miss the peak: there are more of these."""

    def __init__(self, argv, out):
        argv = [str(word) for word in argv]
        self.wall = self.cpu = math.inf
        for _ in range(RUNS):
            out.unlink(missing_ok=True)
            began = time.monotonic()
            _, status, usage = os.wait4(self.spawn(argv), 0)
            self.wall = min(self.wall, time.monotonic() - began)
            self.cpu = min(self.cpu, usage.ru_utime + usage.ru_stime)
            self.check(argv, status)
        self.private = self.resident = 0
        for _ in range(LOOKS if self.wall < 0.1 else 1):
            out.unlink(missing_ok=True)
            private, resident, status = peaks(self.spawn(argv))
            self.check(argv, status)
            self.private, self.resident = max(self.private, private), max(self.resident, resident)

    @staticmethod
    def spawn(argv):
        quiet = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
        return os.posix_spawnp(argv[0], argv, os.environ, file_actions=quiet)

    @staticmethod
    def check(argv, status):
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            raise Failed(f"{shlex.join(argv)}: status {code}")


class Result:
    def __init__(self, size, seconds):
        self.size = size
        self.seconds = seconds
        self.cost = None


def stamp_of(peer, case):
    """What a kept delta depends on."""
    options = [word for word in peer.make_argv(case, "PATCH") if isinstance(word, str) and str(case.old) not in word]
    return [options, case.digests()]


def make_or_reuse(peer, case, kept):
    """The delta and the seconds that it took."""
    patch = kept / case.name / f"{peer.name}.patch"
    note = patch.with_suffix(".json")
    patch.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(peer, Suture):
        return patch, peer.make(case, patch)
    stamp = stamp_of(peer, case)
    try:
        known = json.loads(note.read_text())
        if known["stamp"] == stamp and known["size"] == patch.stat().st_size:
            return patch, known["seconds"]
    except (OSError, ValueError, KeyError):
        pass
    note.unlink(missing_ok=True)
    seconds = peer.make(case, patch)
    note.write_text(json.dumps({"stamp": stamp, "size": patch.stat().st_size, "seconds": seconds}))
    return patch, seconds


def measure(peer, case, kept, out):
    patch, seconds = make_or_reuse(peer, case, kept)
    result = Result(patch.stat().st_size, seconds)
    out.unlink(missing_ok=True)
    if peer.name in MEASURED:
        result.cost = Cost(peer.apply_argv(case, patch, out), out)
    else:
        peer.apply(case, patch, out)
    if not filecmp.cmp(out, case.new, False):
        raise Failed("what comes out of its delta is NOT the new file")
    return result


def measure_case(case, peers, kept, work, failures):
    results = {}
    for peer in peers:
        refusal = peer.refuses(case)
        if refusal:
            say(f"SKIPPED: {peer.name} on {case.name}: {refusal}")
            continue
        try:
            results[peer.name] = measure(peer, case, kept, work / "out")
        except Failed as failure:
            say(f"FAILED: {peer.name} on {case.name}: {failure}")
            failures.append(f"{peer.name} on {case.name}")
    return results


# ---- What came out -----------------------------------------------------------------------------


def ratio(results, over):
    if "suture" not in results or over not in results:
        return None
    return results["suture"].size / results[over].size


def cell(value, pattern="{}"):
    return "-" if value is None else pattern.format(value)


def print_sizes(rows, peers):
    names = [peer.name for peer in peers]
    head = "".join(f"{name:>11}" for name in names)
    print(f"{'bytes of delta':<44}{'new':>11}{head}{'/bsdiff':>9}{'/zstd':>9}{'make s':>9}{'bsdiff s':>9}{'zstd s':>9}")
    for case, results in rows:
        sizes = "".join(f"{cell(results[name].size if name in results else None):>11}" for name in names)
        ratios = "".join(f"{cell(ratio(results, over), '{:.3f}'):>9}" for over in ("bsdiff", "zstd"))
        times = "".join(
            f"{cell(results[name].seconds if name in results else None, '{:.2f}'):>9}"
            for name in ("suture", "bsdiff", "zstd")
        )
        print(f"{case.name:<44}{case.size:>11}{sizes}{ratios}{times}")


def cost_cells(case, result):
    if not result or not result.cost:
        return f"{'-':>10}{'-':>8}{'-':>8}{'-':>9}{'-':>9}"
    cost = result.cost
    return (
        f"{cost.wall:>10.3f}{cost.cpu:>8.3f}{case.size / 1e6 / cost.wall:>8.1f}"
        f"{cost.private / 2**20:>9.1f}{cost.resident / 2**20:>9.1f}"
    )


def print_costs(rows):
    columns = f"{'wall s':>10}{'CPU s':>8}{'MB/s':>8}{'private':>9}{'max RSS':>9}"
    print(f"\n{'applying':<44}{'suture':>10}{'':34}{'bspatch':>10}")
    print(f"{'':<44}{columns}{columns}")
    for case, results in rows:
        print(f"{case.name:<44}{cost_cells(case, results.get('suture'))}{cost_cells(case, results.get('bsdiff'))}")


def print_caption(peers):
    print(
        f"""
Deltas of the peers are made once and kept; their seconds are those of that time. Applying: the best of {RUNS}
runs; MB/s of what is written. private: the largest RssAnon, in MiB, of other runs that are looked at; max RSS
has the files that are mapped besides. xdelta3 and zucchini are followed by xz -9e."""
    )
    for peer in peers:
        if peer.missing():
            print(f"{peer.name} NOT MEASURED: not on PATH: {' '.join(peer.missing())}")


def geomean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values))


def print_sums(rows):
    """What all deltas together weigh: the ratios' mean has small ones count as much as large ones."""
    for over in ("bsdiff", "zstd", "zucchini"):
        both = [results for _, results in rows if ratio(results, over) is not None]
        if both:
            suture, other = (sum(results[name].size for results in both) for name in ("suture", over))
            print(f"{len(both)} deltas: {suture} bytes of suture, {other} of {over}: {suture / other:.3f}")


def print_figures(rows):
    for over in ("bsdiff", "zstd", "zucchini"):
        ratios = [ratio(results, over) for _, results in rows]
        ratios = [value for value in ratios if value is not None]
        if ratios:
            print(f"figure: delta_vs_{over} {geomean(ratios):.3f} ratio")
    applied = [(case, results["suture"].cost) for case, results in rows if "suture" in results]
    for case, cost in applied:
        if case.name.startswith("few-changes"):
            print(f"figure: apply_mb_s {case.size / 1e6 / cost.wall:.1f} MB/s")
    if applied:
        print(f"figure: apply_rss_mib {max(cost.private for _, cost in applied) / 2**20:.1f} MiB")


# ---- The order of things -----------------------------------------------------------------------


def choose_peers():
    peers = [Bsdiff(), Xdelta(), Zstd(), Hdiff(), Zucchini()]
    program = os.environ.get("SUTURE_DELTA", "suture-delta")
    if program != "none":
        suture = Suture(program)
        if suture.missing():
            sys.exit(f"bench-delta: there is no {program}: build it first, or set SUTURE_DELTA=none")
        peers.append(suture)
    return peers


def main():
    top, wanted = Path(sys.argv[1]).resolve(), re.compile(sys.argv[2])
    limit = float(sys.argv[3]) * (1 << 20)
    kept = top / ".bench"
    kept.mkdir(exist_ok=True)
    peers = choose_peers()
    ready = [peer for peer in peers if not peer.missing()]
    rows, failures = [], []
    with tempfile.TemporaryDirectory(prefix=".work.", dir=top) as name:
        work = Path(name)
        for name, make in make_cases(top, work):
            if wanted.search(name):
                case = make()
                if case.size > limit:
                    continue
                say(f"{case.name}: {case.size} bytes")
                rows.append((case, measure_case(case, ready, kept, work, failures)))
    if not rows:
        sys.exit(f"bench-delta: no pair of {top} matches {wanted.pattern!r} and is small enough")
    print_sizes(rows, ready)
    print_costs(rows)
    print_caption(peers)
    print_sums(rows)
    print_figures(rows)
    if failures:
        sys.exit(f"bench-delta: FAILED: {', '.join(failures)}")


if __name__ == "__main__":
    main()
