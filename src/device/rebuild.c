#include "device/rebuild.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "device/choice.h"
#include "device/decoder.h"
#include "device/download.h"
#include "device/image_store.h"
#include "image/seal.h"
#include "image/verity.h"

/* Left free beside what is written: metadata, the state file, the history; and half of it when the
 * first of them are there. */
#define SPACE_RESERVE (UINT64_C(1) << 20)

/* UINT64_MAX when it is more than any disk has. Where the kernel enforces the seal, it keeps 32
 * bytes of hashes for each block, and for each block of these. */
static uint64_t space_needed(uint64_t download, uint64_t images, uint64_t reserve)
{
        uint64_t sum = reserve;

        if (__builtin_add_overflow(sum, images, &sum) ||
            __builtin_add_overflow(sum, images / 127, &sum) ||
            __builtin_add_overflow(sum, download, &sum))
                return UINT64_MAX;
        return sum;
}

static int fail_space(struct su_error *err, uint64_t needed, uint64_t free_bytes)
{
        return su_fail(err, SU_ERROR_SPACE,
                       "not enough space below /var/lib/suture: %llu KiB are needed, %llu KiB are "
                       "free",
                       (unsigned long long)needed / 1024, (unsigned long long)free_bytes / 1024);
}

static int require_space(int fd, uint64_t needed, struct su_error *err)
{
        uint64_t free_bytes;
        int r;

        r = su_free_space(fd, &free_bytes, err);
        if (r < 0)
                return r;
        return free_bytes < needed ? fail_space(err, needed, free_bytes) : 0;
}

int su_rebuild_check_space(int state_fd, uint64_t download, uint64_t images, struct su_error *err)
{
        return require_space(state_fd, space_needed(download, images, SPACE_RESERVE), err);
}

struct sources {
        int *fds;
        const char **names;
        size_t n;
};

static void sources_done(struct sources *sources)
{
        for (size_t i = 0; i < sources->n; i++)
                su_close_fd(&sources->fds[i]);
        free(sources->fds);
        free(sources->names);
}

static int sources_open(int state_fd, int base_fd, const struct su_delta_ref *delta,
                        struct sources *ret, struct su_error *err)
{
        ret->fds = calloc(delta->n_sources + 1, sizeof *ret->fds);
        ret->names = calloc(delta->n_sources + 1, sizeof *ret->names);
        if (!ret->fds || !ret->names)
                return su_fail_oom(err);
        for (size_t i = 0; i < delta->n_sources; i++) {
                int r;

                r = su_choice_open_source(state_fd, base_fd, &delta->sources[i], &ret->fds[i], err);
                if (r < 0)
                        return r;
                ret->names[i] = delta->sources[i].path ? delta->sources[i].path
                                                       : "the image of an earlier level";
                ret->n = i + 1;
        }
        return 0;
}

static int decode(const struct sources *sources, const struct su_component *component, int patch_fd,
                  int image_fd, const struct su_rebuild_watch *watch, struct su_error *err)
{
        const struct su_decoder decoder = {.patch_fd = patch_fd,
                                           .source_fds = sources->fds,
                                           .source_names = sources->names,
                                           .n_sources = sources->n,
                                           .image_fd = image_fd,
                                           .image_size = component->image.size,
                                           .progress = watch->progress,
                                           .userdata = watch->userdata};
        struct stat st;
        int r;

        r = su_decoder_run(&decoder, err);
        if (r < 0)
                return r;
        if (fstat(image_fd, &st) < 0)
                return su_fail_errno(err, errno, "cannot look at the new image");
        if ((uint64_t)st.st_size != component->image.size)
                return su_fail(err, SU_ERROR_SEAL, "the delta made an image of the wrong size");
        if (fsync(image_fd) < 0)
                return su_fail_errno(err, errno, "cannot sync the new image");
        return 0;
}

/* The kernel seals no file that is open for writing: go on with a descriptor that only reads, of
 * the very same file. */
static int end_writing(int *image_fd, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        char path[64];

        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", *image_fd);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open the new image again");
        su_close_fd(image_fd);
        *image_fd = su_take_fd(&fd);
        return 0;
}

/* A kernel that enforces the seal has computed it over the whole file; where it does not, we do. */
static int seal(int *image_fd, const struct su_component *component, struct su_error *err)
{
        const struct su_sha256 *wanted = &component->image.seal;
        bool enforced;
        int r;

        r = end_writing(image_fd, err);
        if (r >= 0)
                r = su_verity_enable(*image_fd, component->name, &enforced, err);
        if (r < 0)
                return r;
        if (!enforced)
                return su_seal_verify(*image_fd, component->name, wanted, err);
        if (!su_verity_enforces(*image_fd, wanted))
                return su_fail(err, SU_ERROR_SEAL,
                               "image '%s' does not carry the seal that its manifest names",
                               component->name);
        return 0;
}

/* A leftover of a run that was cut off may be sealed already, and is never written to again. */
static int create_image(int images_fd, int *ret_fd, struct su_error *err)
{
        int fd;

        if (unlinkat(images_fd, "partial", 0) < 0 && errno != ENOENT)
                return su_fail_errno(err, errno, "cannot replace an unfinished image");
        fd = openat(images_fd, "partial", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot create an image");
        *ret_fd = fd;
        return 0;
}

/* Where blocks can be had beforehand, a full disk shows before the work and not in its middle. The
 * file does not grow by it. */
static int make_room(int image_fd, uint64_t size, struct su_error *err)
{
        uint64_t free_bytes = 0;
        int r;

        r = require_space(image_fd, space_needed(0, size, SPACE_RESERVE / 2), err);
        if (r < 0)
                return r;
        if (fallocate(image_fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) >= 0 ||
            (errno != ENOSPC && errno != EDQUOT))
                return 0;
        (void)su_free_space(image_fd, &free_bytes, NULL);
        return fail_space(err, size, free_bytes);
}

int su_rebuild_image(int state_fd, int base_fd, const struct su_choice *choice, int patch_fd,
                     const struct su_rebuild_watch *watch, struct su_error *err)
{
        const struct su_component *component = choice->component;
        su_auto(sources_done) struct sources sources = {0};
        su_auto_close int images_fd = -EBADF;
        su_auto_close int image_fd = -EBADF;
        su_auto_free char *name = NULL;
        int r;

        r = su_image_store_name(&component->image, &name, err);
        if (r >= 0)
                r = su_image_store_dir(state_fd, &images_fd, err);
        if (r >= 0)
                r = sources_open(state_fd, base_fd, choice->delta, &sources, err);
        if (r >= 0)
                r = create_image(images_fd, &image_fd, err);
        if (r < 0)
                return r;
        r = make_room(image_fd, component->image.size, err);
        if (r >= 0)
                r = decode(&sources, component, patch_fd, image_fd, watch, err);
        if (r >= 0)
                r = seal(&image_fd, component, err);
        if (r >= 0)
                r = su_file_publish(images_fd, image_fd, "partial", name, err);
        if (r < 0) {
                (void)unlinkat(images_fd, "partial", 0);
                return su_fail_prefix(err, r, "component '%s'", component->name);
        }
        return su_download_forget(state_fd, &choice->delta->object, err);
}
