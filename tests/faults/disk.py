"""The file system of a device: an image that is copied to bring a former state back, and whose power can be cut."""
import pathlib
import shutil
import time

import support

SIZE_MIB = 24
PATIENCE = 1000


class Disk:
    def __init__(self, path):
        """`path` becomes a tmpfs, so that what counts is what was synced and not how fast the machine's disk is."""
        self.path, self.image, self.top = path, path / "disk.ext4", path / "top"
        path.mkdir()
        support.run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", path)
        self.top.mkdir()

    def make(self, mib=SIZE_MIB):
        with open(self.image, "wb") as image:
            image.truncate(mib << 20)
        support.run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.image)
        self.mount()

    def mount(self):
        """ext4 by itself syncs the data of a file that is renamed over another: that is not to be relied on."""
        support.run("mount", "-o", "loop,noauto_da_alloc", self.image, self.top)

    def unmount(self):
        """What lies on it goes first. All of it must go, the loop device, too: the next mount would find this one
        again. The kernel lets go of what was detached a moment later."""
        support.unmount_below(self.top)
        for _ in range(PATIENCE):
            if not self.is_mounted() or support.run("umount", self.top, check=False).returncode == 0:
                if not is_in_use(self.image):
                    return
            time.sleep(0.02)
        raise AssertionError(f"{self.top} cannot be unmounted")

    def is_mounted(self):
        return any(point == str(self.top) for point, _, _ in support.mounts_below(self.path))

    def save(self, name):
        self.unmount()
        shutil.copyfile(self.image, self.path / f"{name}.saved")
        self.mount()

    def restore(self, name):
        if self.is_mounted():
            self.unmount()
        support.run("cp", "--sparse=always", self.path / f"{name}.saved", self.image)
        self.mount()

    def check(self):
        """After its journal was replayed."""
        self.unmount()
        done = support.run("fsck.ext4", "-f", "-n", self.image, check=False)
        assert done.returncode == 0, done.stdout
        self.mount()

    def power_cycle(self):
        """After the shutdown: the mount replays the journal, fsck finds nothing to mend."""
        self.unmount()
        self.mount()
        self.check()

    def end(self):
        if self.is_mounted():
            self.unmount()
        support.run("umount", self.path)
        self.path.rmdir()


def is_in_use(image):
    """By a loop device."""
    for path in pathlib.Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            if path.read_text().strip() == str(image):
                return True
        except OSError:  # detached meanwhile
            pass
    return False
