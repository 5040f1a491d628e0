#include "image/mount.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "base/own.h"

#define LOOP_TRIES 64

static int mount_source(const char *source, bool file_backed, int *ret_mount_fd)
{
        su_auto_close int fs_fd = fsopen("erofs", FSOPEN_CLOEXEC);
        int mount_fd;

        if (fs_fd < 0)
                return -errno;
        if (fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", source, 0) < 0 ||
            fsconfig(fs_fd, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0)
                return -errno;
        /* Without it the page cache holds the image's bytes twice. Older kernels lack the option.
         */
        if (file_backed && fsconfig(fs_fd, FSCONFIG_SET_FLAG, "directio", NULL, 0) < 0 &&
            errno != EINVAL)
                return -errno;
        if (fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        mount_fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
        if (mount_fd < 0)
                return -errno;
        *ret_mount_fd = mount_fd;
        return 0;
}

static int mount_file(int image_fd, int *ret_mount_fd)
{
        char source[64];

        (void)snprintf(source, sizeof source, "/proc/self/fd/%d", image_fd);
        return mount_source(source, true, ret_mount_fd);
}

/* Between asking for a free number and configuring it another process may have taken it: ask again.
 */
static int configure_loop(int image_fd, int *ret_loop_fd, int *ret_number)
{
        su_auto_close int control_fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        const struct loop_config config = {
                .fd = (uint32_t)image_fd,
                .block_size = 4096,
                .info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO,
        };

        if (control_fd < 0)
                return -errno;
        for (int i = 0; i < LOOP_TRIES; i++) {
                su_auto_close int loop_fd = -EBADF;
                char path[32];
                int number = ioctl(control_fd, LOOP_CTL_GET_FREE);

                if (number < 0)
                        return -errno;
                (void)snprintf(path, sizeof path, "/dev/loop%d", number);
                loop_fd = open(path, O_RDONLY | O_CLOEXEC);
                if (loop_fd < 0)
                        return -errno;
                if (ioctl(loop_fd, LOOP_CONFIGURE, &config) == 0) {
                        *ret_loop_fd = su_take_fd(&loop_fd);
                        *ret_number = number;
                        return 0;
                }
                if (errno != EBUSY)
                        return -errno;
        }
        return -EBUSY;
}

static int mount_loop(int image_fd, int *ret_mount_fd)
{
        su_auto_close int loop_fd = -EBADF; /* kept open until the mount holds the device */
        char source[32];
        int number = -1;
        int r;

        r = configure_loop(image_fd, &loop_fd, &number);
        if (r < 0)
                return r;
        (void)snprintf(source, sizeof source, "/dev/loop%d", number);
        return mount_source(source, false, ret_mount_fd);
}

int su_image_mount(int image_fd, const char *name, enum su_image_backing wanted, int *ret_mount_fd,
                   enum su_image_backing *ret_used, struct su_error *err)
{
        enum su_image_backing used = SU_IMAGE_BACKING_FILE;
        int r = -ENOTBLK;

        if (wanted != SU_IMAGE_BACKING_LOOP)
                r = mount_file(image_fd, ret_mount_fd);
        if (r == -ENOTBLK && wanted != SU_IMAGE_BACKING_FILE) {
                used = SU_IMAGE_BACKING_LOOP;
                r = mount_loop(image_fd, ret_mount_fd);
        }
        if (r == -ENODEV)
                return su_fail(err, SU_ERROR_UNSUPPORTED,
                               "this kernel has no EROFS file system (module 'erofs')");
        if (r < 0)
                return su_fail_errno(err, r, "cannot mount image '%s'", name);
        if (ret_used)
                *ret_used = used;
        return 0;
}
