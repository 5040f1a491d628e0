"""A small OS, a publisher of fixes for it, and a device: everything that the tests of the programs stand on."""
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import stat
import subprocess

import schema

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SUTURE_BUILD", SOURCE / "build")).resolve()
if (BUILD / "src/suture").exists():
    BUILD = BUILD / "src"
IS_ROOT = os.geteuid() == 0
NOBODY = 65534
STATE = "var/lib/suture"
CVE = {"a": "CVE-2030-0001", "b": "CVE-2030-0002"}
COMPONENT = {"a": "fix", "b": "other"}
# Exit statuses of the sanitizers that no status of ours can be mistaken for.
SANITIZERS = {"ASAN_OPTIONS": "exitcode=99", "UBSAN_OPTIONS": "halt_on_error=1:exitcode=99:print_stacktrace=1"}
# libfaketime is loaded first, and sets itself up, with memory that it asks for, when the time is asked for first: so the
# allocator must not ask for the time.
SANITIZERS_IN_FAKETIME = {**SANITIZERS, "ASAN_OPTIONS": SANITIZERS["ASAN_OPTIONS"] +
                          ":verify_asan_link_order=0:allocator_release_to_os_interval_ms=-1"}


def mounts_below(path):
    lines = (line.split(" ") for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines())
    return [(line[4], line[line.index("-") + 1], line[line.index("-") + 2]) for line in lines
            if line[4].startswith(f"{path}/")]


def unmount_below(path):
    while mounts_below(path):
        for point, _, _ in reversed(mounts_below(path)):
            run("umount", "--lazy", "--no-canonicalize", point)


def run(*argv, check=True, **options):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, errors="replace",
                          timeout=options.pop("timeout", 60), **options)
    complaints = re.search(r"Sanitizer|runtime error:", done.stderr)
    assert done.returncode >= 0 and done.returncode != 99 and not complaints, \
        f"{argv} crashed ({done.returncode}):\n{done.stderr}"
    assert not check or done.returncode == 0, f"{argv} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


def read_tree(top):
    """What can be seen of every entry: kind and mode, owner, and content."""
    seen = {}
    for directory, names, files in os.walk(top):
        for name in names + files:
            path = os.path.join(directory, name)
            st = os.lstat(path)
            content = ""
            if stat.S_ISLNK(st.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(st.st_mode):
                content = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
            seen[os.path.relpath(path, top)] = (oct(st.st_mode), st.st_uid, st.st_gid, content)
    return seen


def write(path, data, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    path.chmod(mode)


def flip(path, at):
    """Flip one bit of one byte; returns the bytes that were there."""
    before = path.read_bytes()
    damaged = bytearray(before)
    damaged[at] ^= 1 << (at % 8)
    path.write_bytes(damaged)
    return before


def compile_c(source, output, *options):
    run("cc", "-O1", "-Wl,--build-id", "-x", "c", "-", "-x", "none", *options, "-o", output, input=source)


def make_library(path, function, answer, soname=None):
    write(path, "")
    compile_c(f'const char *{function}(void) {{ return "{answer}\\n"; }}', path, "-shared", "-nostdlib", "-fPIC",
              f"-Wl,-soname,{soname or path.name}")
    path.chmod(0o644)


# Says what its library answers, then waits for ever: without a libc, so that it runs in a very small OS.
ANSWER = r"""
extern const char *fix_answer(void);
static long call(long number, long a, long b, long c)
{
        long r;
#if defined(__x86_64__)
        __asm__ volatile("syscall" : "=a"(r) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
#else
        register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
        __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
        r = x0;
#endif
        return r;
}
#if defined(__x86_64__)
enum { READ = 0, WRITE = 1, EXIT = 60 };
__attribute__((force_align_arg_pointer))
#else
enum { READ = 63, WRITE = 64, EXIT = 93 };
#endif
void _start(void)
{
        char wait;
        call(WRITE, 1, (long)fix_answer(), 4);
        call(READ, 0, (long)&wait, 1);
        call(EXIT, 0, 0, 0);
}
"""


def make_baseline(top):
    usr = top / "usr"
    write(top / "etc/os-release", 'ID=testos\nVERSION_ID=1\nPRETTY_NAME="Test OS 1"\n')
    write(top / "etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    write(usr / "bin/true", pathlib.Path("/usr/bin/true").read_bytes(), 0o755)
    loader = re.search(rb"/lib[^\0]*/ld-[^\0]*", pathlib.Path("/usr/bin/true").read_bytes())[0].decode()
    write(usr / "lib/ld.so", pathlib.Path(loader).read_bytes(), 0o755)
    make_library(usr / "lib/libfix.so", "fix_answer", "old")
    make_library(usr / "lib/libother.so", "other_answer", "old")
    compile_c(ANSWER, usr / "bin/answer", "-nostdlib", "-fno-stack-protector", usr / "lib/libfix.so",
              "-Wl,--dynamic-linker=/usr/lib/ld.so", "-Wl,-rpath,/usr/lib", "-Wl,-z,now")
    os.symlink("libfix.so", usr / "lib/libfix.so.1")
    write(usr / "bin/tool", "#!/bin/sh\necho old\n", 0o4755 if IS_ROOT else 0o755)
    write(usr / "lib/private/secret", "old\n", 0o600)
    (usr / "lib/private").chmod(0o711)
    write(usr / "lib/fix.dat", random.Random(1).randbytes(200_000))
    write(usr / "share/untouched", "the same for ever\n")
    write(usr / "share/doc/fix/changelog", "old\n")


def make_fixed(top, level):
    usr = top / "usr"
    if level == "a":
        make_library(usr / "lib/libfix.so", "fix_answer", "new")
        write(usr / "bin/tool", "#!/bin/sh\necho new\n", 0o4755 if IS_ROOT else 0o755)
        write(usr / "lib/private/secret", "new\n", 0o600)
        write(usr / "lib/fix.dat", random.Random(1).randbytes(200_000)[:-9_000] + random.Random(2).randbytes(9_000))
        write(usr / "share/fix/added.txt", "new\n", 0o640)
        write(usr / "share/doc/fix/changelog", "new\n")
    else:
        make_library(usr / "lib/libother.so", "other_answer", "new")


class Publisher:
    """A workspace, and the baseline and the fixed trees beside it."""

    def __init__(self, path, trees):
        self.path, self.trees, self.public = path, trees, path / "public"

    def __call__(self, *arguments, check=True, **options):
        environment = {**os.environ, **SANITIZERS, **options.pop("env", {})}
        return run(BUILD / "suture-publish", "-C", self.path, *arguments, check=check, env=environment, **options)

    def start(self, **options):
        self("init", **options)
        self("baseline", "--tree", self.trees / "baseline", **options)
        return self

    def build(self, level="a", *more, **options):
        return self("build", "--tree", self.trees / "baseline", "--fixed", self.trees / f"fixed-{level}",
                    "--component", COMPONENT[level], "--old-version", "1", "--new-version", "2",
                    "--cve", CVE[level], *more, **options)

    def release(self, level="a", *more, **options):
        self.build(level, **options)
        self("release", *more, **options)
        return self

    def manifest(self, level="a"):
        return json.loads(next(self.public.glob(f"targets/*/{level}/*.manifest.json")).read_text())

    def manifest_of(self, level):
        return list(self.public.glob(f"targets/*/{level}/*.manifest.json"))

    def delta(self, level="a"):
        """The path of the object that a device fetches for a level's own component, and its reference."""
        component, = (c for c in self.manifest(level)["components"] if c["name"] == COMPONENT[level])
        smallest = min((delta["object"] for delta in component["deltas"]), key=lambda o: o["size"])
        return f"objects/{smallest['sha256'][:2]}/{smallest['sha256']}"


class Answer:
    """What one run of suture said: its exit status, its document, and of a failure the name and the message."""

    def __init__(self, done):
        self.status, self.stderr, self.text = done.returncode, done.stderr, done.stdout
        self.document = json.loads(done.stdout) if done.stdout.startswith("{") else {}
        error = self.document.get("error", {})
        self.error, self.message = error.get("name"), error.get("message", "")
        assert not error or error["exit_status"] == self.status, done.stdout

    def __getitem__(self, name):
        return self.document[name]


class Device:
    def __init__(self, path, repository):
        self.path, self.usr, self.state = path, path / "usr", path / STATE
        self.configure(f"[Source]\nRepository={repository}\n")

    def configure(self, text):
        write(self.path / "etc/suture/suture.conf", text)

    def trust(self, publisher):
        shutil.copy(publisher.public / "metadata/1.root.json", self.path / "etc/suture/root.json")
        return self

    def command(self, *arguments):
        return [str(a) for a in (BUILD / "suture", "--root", self.path, *arguments)]

    def __call__(self, *arguments, env=None, **options):
        environment = {**os.environ, **SANITIZERS, **(env or {})}
        answer = Answer(run(*self.command("--json", *arguments), check=False, env=environment, **options))
        if arguments[0] == "status" and answer.status == 0:
            schema.check("status", answer.document)
        return answer

    def forget(self):
        """As if nothing had ever been installed here; /usr must be bare."""
        shutil.rmtree(self.state, ignore_errors=True)

    def facts(self):
        """All that a failed change must leave as it was; the time and the outcome of checks are no part of it."""
        state = self.state / "state.json"
        document = json.loads(state.read_text()) if state.exists() else {}
        return {
            "usr": read_tree(self.usr),
            "mounts": mounts_below(self.path),
            "active": (document.get("active", 0), document.get("level"), document.get("transition", -1)),
            "images": read_tree(self.state / "images"),
            "leftovers": [str(p) for p in self.state.rglob("*") if p.name.endswith((".tmp", "partial"))],
        }

    def answer(self):
        """What a program says that is started in the device now."""
        return run("chroot", self.path, "/usr/bin/answer", input="").stdout.strip()
