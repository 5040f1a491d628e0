"""Measures for bench/boot.sh: boot.py DIRECTORY RUNS, in a mount namespace of its own.

A device has one improvement of so many components. What a boot does about it is timed as the whole program: `suture
activate` with seals that the kernel enforces, the same where they are verified by reading, and `systemd-sysext merge` of
the very same images, which verifies nothing. Nothing of the images is in memory before each run."""
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "tests/programs"))

import support  # noqa: E402

WORK, RUNS = pathlib.Path(sys.argv[1]), int(sys.argv[2])
MIB = 1 << 20
# Name of the situation: how many components, of how many MiB each.
SITUATIONS = {"1 of 2 MiB": (1, 2), "8 of 2 MiB": (8, 2), "1 of 64 MiB": (1, 64)}


class System:
    """A small OS with one improvement installed, and the same images as system extensions."""

    def __init__(self, path, components, size):
        self.path = path
        trees = path / "trees"
        support.make_baseline(trees / "baseline")
        shop = support.Publisher(path / "shop", trees).start()
        for number in range(components):
            fixed = trees / f"fixed-{number}"
            self.write_component(fixed, f"part{number}", size)
            shop("build", "--tree", trees / "baseline", "--fixed", fixed, "--component", f"part{number}", "--new-version", "2",
                 "--cve", "CVE-2030-0001")
        shop("release")
        shutil.copytree(trees / "baseline", path / "device", symlinks=True)
        self.device = support.Device(path / "device", f"file://{shop.public}").trust(shop)
        self.must(self.device("install"))

    @staticmethod
    def write_component(top, name, size):
        support.write(top / f"usr/lib/{name}.dat", random.Random(name).randbytes(size * MIB))
        # What systemd-sysext wants to be told: for which OS.
        support.write(top / f"usr/lib/extension-release.d/extension-release.{name}", "ID=testos\nVERSION_ID=1\n")

    @staticmethod
    def must(answer):
        if answer.status not in (0, 10):
            sys.exit(f"bench-boot: {answer.text}{answer.stderr}")

    def images(self):
        return sorted((self.device.state / "images").glob("*.erofs"))

    def unseal(self):
        """A copy is not sealed: as on a file system that cannot."""
        for image in self.images():
            copy = image.with_suffix(".copy")
            support.run("cp", "--reflink=never", image, copy)
            os.rename(copy, image)

    def lay_out_extensions(self):
        extensions = self.path / "device/run/extensions"
        extensions.mkdir(parents=True)
        for image in self.images():
            listing = support.run("dump.erofs", "--ls", "--path=/usr/lib/extension-release.d", image).stdout
            name = listing.split("extension-release.")[-1].split()[0]
            shutil.copy(image, extensions / f"{name}.raw")


def forget_what_was_read():
    os.sync()
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n")


def median_ms(command, take_off):
    times = []
    for _ in range(RUNS):
        take_off()
        forget_what_was_read()
        begin = time.monotonic()
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        times.append(time.monotonic() - begin)
        if done.returncode:
            sys.exit(f"bench-boot: {command} failed: {done.stdout}{done.stderr}")
    take_off()
    return statistics.median(times) * 1000


def measure_suture(system):
    return median_ms(system.device.command("activate"), lambda: support.unmount_below(system.device.path))


def measure_sysext(system):
    system.lay_out_extensions()
    words = "systemd-sysext", f"--root={system.device.path}"
    return median_ms((*words, "merge"), lambda: support.run(*words, "unmerge"))


def measure(name, components, size):
    system = System(WORK / name.replace(" ", "-"), components, size)
    enforced = system.device("status")["seal_enforcement"] == "kernel"
    support.unmount_below(system.device.path)
    row = {}
    if enforced:
        row["suture, sealed"] = measure_suture(system)
        system.unseal()
    row["suture, read"] = measure_suture(system)
    if shutil.which("systemd-sysext"):
        row["systemd-sysext"] = measure_sysext(system)
    shutil.rmtree(system.path)
    return row


def print_figures(row, shape):
    ours = row.get("suture, sealed", row["suture, read"])
    for peer, what in (("suture, sealed", "sealed_ms"), ("suture, read", "read_ms")):
        if peer in row:
            print(f"figure: boot_{shape}_{what} {row[peer]:.1f} ms")
    if "systemd-sysext" in row:
        print(f"figure: boot_{shape}_vs_sysext {ours / row['systemd-sysext']:.3f} ratio")


def main():
    rows = {name: measure(name, *shape) for name, shape in SITUATIONS.items()}
    print(f"{'images':14}" + "".join(f" {peer:>16}" for peer in next(iter(rows.values()))))
    for name, row in rows.items():
        print(f"{name:14}" + "".join(f" {ms:13.1f} ms" for ms in row.values()))
    if "suture, sealed" not in next(iter(rows.values())):
        print("NOT MEASURED: seals that the kernel enforces, since this one cannot (fs-verity)")
    print(f"\nMedians of {RUNS} runs, with nothing of the images in memory; systemd-sysext verifies nothing.\n")
    for (components, size), row in zip(SITUATIONS.values(), rows.values()):
        print_figures(row, f"{components}x{size}mib")


main()
