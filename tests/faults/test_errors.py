"""Any call fails that may fail, once, or it and all later ones that change a file, as on a disk that went bad or full:
a clean error or success, the old state or the new one, and the next command completes."""
import errno
import os

import pytest

import striking
import support
from operations import OPERATIONS

# How many points of each operation are tried in a normal run: of calls that change something, of those that look, and
# of disks that fail for good.
CHANGING, LOOKING, FAILING = 14, 14, 6
MOST_CHANGING, MOST_LOOKING, MOST_FAILING = 120, 60, 40  # in the full run
OPENS = ("ENOSPC", "EIO", "EROFS", "EMFILE", "ENOMEM")
# What the kernel may answer to each call; EINTR only where it may be interrupted at all.
ERRORS = {
    "open": {"file": OPENS, "nothing": ("EIO", "EMFILE", "ENOMEM")},
    "openat": {"file": OPENS, "nothing": ("EIO", "EMFILE", "ENOMEM")},
    "openat2": ("EIO", "EMFILE", "ENOMEM", "EAGAIN"),
    **dict.fromkeys(("mkdir", "mkdirat", "symlinkat", "linkat"), ("ENOSPC", "EIO", "EROFS", "ENOMEM")),
    **dict.fromkeys(("write", "writev", "pwrite64", "pwritev", "copy_file_range", "sendfile"), ("ENOSPC", "EIO")),
    **dict.fromkeys(("rename", "renameat", "renameat2"), ("ENOSPC", "EIO", "EROFS", "ENOMEM")),
    **dict.fromkeys(("unlink", "unlinkat", "rmdir"), ("EIO", "EROFS", "ENOMEM")),
    **dict.fromkeys(("fsync", "fdatasync", "sync_file_range", "syncfs"), ("EIO", "ENOSPC", "EINTR")),
    "ftruncate": ("EIO", "EROFS"),
    "fallocate": ("ENOSPC", "EIO", "EOPNOTSUPP", "EINTR"),
    **dict.fromkeys(("fchmod", "fchmodat", "fchown", "utimensat", "fsetxattr"), ("EIO", "EROFS")),
    "ioctl": ("EIO", "ENOTTY", "ENOMEM"),
    **dict.fromkeys(("mount", "umount2", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "mount_setattr"),
                    ("ENOMEM", "EIO")),
    "unshare": ("ENOMEM", "ENOSPC"),
    "setns": ("ENOMEM",),
    **dict.fromkeys(("clone", "clone3", "fork", "vfork"), ("EAGAIN", "ENOMEM")),
    **dict.fromkeys(("chdir", "fchdir", "read", "pread64", "getdents64", "lseek"), ("EIO",)),
    "flock": ("ENOLCK",),
    **dict.fromkeys(("readlink", "readlinkat", "stat", "lstat", "newfstatat", "fstat", "statx", "access", "faccessat",
                     "faccessat2", "statfs", "fstatfs"), ("EIO", "ENOMEM")),
    **dict.fromkeys(("memfd_create", "socketpair", "socket", "pipe", "pipe2", "dup", "dup2", "dup3"), ("EMFILE",)),
    **dict.fromkeys(("poll", "ppoll", "wait4", "sendmsg", "recvmsg", "sendto", "recvfrom"), ("EINTR",)),
}


def errors_of(point):
    errors = ERRORS.get(point.call, ())
    return errors.get(point.kind, ()) if isinstance(errors, dict) else errors


def is_own_output(point):
    return point.what.startswith("pipe:") and point.call.startswith("write")


def try_errors(bench, operation, tally, mode, injections):
    def strike(injection):
        point, error = injection
        number = getattr(errno, error)
        bench.begin(operation)
        done, struck = bench.trace(mode, operation.command, operation.shop, point.number, number)
        tally.struck += len(struck)
        state = bench.judge(operation, operation.instead)
        striking.judge_answer(tally, support.Answer(done), state, operation.fine, os.strerror(number))
        bench.go_on(operation, {operation.final_level, *operation.instead})
        return state

    striking.try_each(tally, injections, strike)
    striking.conclude(tally)


def injections_of(points):
    return [(point, error) for point in points for error in errors_of(point)]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_change_fails(operation, bench):
    injections = injections_of(point for point in bench.points(operation) if point.kind != "nothing")
    tally = striking.Tally(operation.name, "a change fails", possible=len(injections))
    try_errors(bench, operation, tally, "fail", striking.sample(injections, CHANGING, MOST_CHANGING))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_look_fails(operation, bench):
    injections = injections_of(point for point in bench.points(operation)
                               if point.kind == "nothing" and not is_own_output(point))
    tally = striking.Tally(operation.name, "a look fails", possible=len(injections))
    try_errors(bench, operation, tally, "fail", striking.sample(injections, LOOKING, MOST_LOOKING))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_disk_fails_for_good(operation, bench):
    points = [point for point in bench.points(operation) if point.kind == "file"]
    injections = [(point, error) for point in points for error in ("ENOSPC", "EIO", "EROFS")]
    tally = striking.Tally(operation.name, "the disk fails for good", possible=len(injections))
    try_errors(bench, operation, tally, "failing", striking.sample(injections, FAILING, MOST_FAILING))
