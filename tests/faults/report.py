"""The tally of all tests, for the terminal and, of a full run, for docs/RELIABILITY.md."""
import datetime
import json
import pathlib
import platform

import support
from operations import OPERATIONS

DOCUMENT = support.SOURCE / "docs/RELIABILITY.md"
COLUMNS = ("tried", "struck", "said", "named", "old", "new", "completed")

# The lines of a table cannot be broken.
INTRODUCTION = """# Reliability

What was done to the real program on a device, and what survived. Written by `make faults`; do not edit.

Run on {date} with {version}, Linux {kernel}, {machine}; the device's tree lies on an ext4 file system of its own
(`noauto_da_alloc`: it does not make up for a sync that is lacking), on a loop device over memory.

For each operation, its system calls are counted in a run that nothing happens to. Then it is begun anew, from the same
bytes on the disk, for each point: something happens in the place of that one call. Afterwards the device must be in the
old state or in the new one: each file on `/usr` is compared, with what `status` says and what is mounted. Then the next
command must complete, lead where it should, and leave nothing behind (but for `generations/N.json.tmp`, which the
generation of the next change replaces); `check`, `status`, `history` and `verify` must
succeed. Whatever fails that is *lost*.

| injection | what happens |
| --- | --- |
| kill -9 | the process that makes the call is killed before it: at each call that changes a file, the mounts or the processes |
| power cut | the same for all processes at once, and the file system is shut down without its journal (`EXT4_IOC_SHUTDOWN`): what was not synced is lost. It is mounted again, `fsck` must find nothing, and the device boots |
| a change fails | one such call fails, with each error that the kernel may answer to it: ENOSPC, EIO, EROFS, ENOMEM, EMFILE, EAGAIN, EINTR |
| a look fails | the same for calls that open, read, list, ask or wait |
| the disk fails for good | a call that changes a file fails, and all later ones: ENOSPC, EIO, EROFS |
| out of memory | one allocation fails: of the program itself, or of jansson for it. Those of other libraries are left out |
| reads and writes ... | all of them are short (by a byte, or half) or interrupted (EINTR, every other one): one run, which must succeed |
| a disk that is full | the file system is filled up to so many bytes before: 0, 4 KiB, 64 KiB, 512 KiB, 1 MiB |
| others | as they say; see `tests/faults/test_circumstances.py` |

The columns: *points* that there are; how many were *tried*; where it *struck*, that is, the point was reached again;
the command *said* so with an error of its own, and *named* the reason in the kernel's words; what state the device was
in afterwards, *old* or *new*; how often the *next* command completed; and what was *lost*.

Between the two calls of a swap, the new overlay lies beneath the old one. When it ends right there, the next swap
leaves that overlay beneath, unseen: until the removal, or the next boot, as each swap does before Linux 6.5. This is
not counted as lost.

What this does not show: a disk that loses writes after it has confirmed a flush, or that brings them in another order
than asked for; power cuts while the kernel is inside a call; other file systems than ext4.
"""


def read(directory):
    return [json.loads(line) for path in sorted(pathlib.Path(directory).iterdir())
            for line in path.read_text().splitlines()]


def add(tallies):
    total = {column: sum(tally[column] for tally in tallies) for column in ("possible", *COLUMNS)}
    return {**total, "lost": [lost for tally in tallies for lost in tally["lost"]]}


def group(tallies, key):
    """In the order in which they came first."""
    groups = {}
    for tally in tallies:
        groups.setdefault(tally[key], []).append(tally)
    return groups


def in_order(tallies):
    """As the operations are listed: workers write when they are done."""
    places = {operation.name: place for place, operation in enumerate(OPERATIONS)}
    return sorted(tallies, key=lambda tally: places.get(tally["operation"], len(places)))


def row(name, tally):
    return f"| {name} | {tally['possible']} | " + " | ".join(str(tally[column]) for column in COLUMNS) + \
        f" | {len(tally['lost'])} |"


def table(title, groups):
    head = f"| {title} | points | tried | struck | said | named | old | new | next | lost |"
    return "\n".join([head, "| --- |" + " ---: |" * 9, *(row(name, add(tallies)) for name, tallies in groups.items())])


def summary(tallies):
    total = add(tallies)
    return f"faults: {total['tried']} points tried, {total['struck']} struck, {total['old']} ended in the old state, " \
           f"{total['new']} in the new one, {total['completed']} next commands completed, {len(total['lost'])} lost"


def write(tallies):
    tallies = in_order(tallies)
    injections = dict(sorted(group(tallies, "injection").items()))
    parts = [INTRODUCTION.format(date=datetime.date.today(), kernel=platform.release().split("-")[0], machine=platform.machine(),
                                 version=support.run(support.BUILD / "suture", "--version").stdout.strip()),
             "## In all\n", f"{summary(tallies).removeprefix('faults: ').capitalize()}.\n",
             table("injection", injections), ""]
    for injection, of_it in injections.items():
        parts += [f"## {injection[0].upper()}{injection[1:]}\n", table("operation", group(of_it, "operation")), ""]
    DOCUMENT.write_text("\n".join(parts).rstrip() + "\n")
