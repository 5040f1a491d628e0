#include "publish/draft/deltas.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "delta/apply/apply.h"
#include "image/seal.h"
#include "publish/draft/apart.h"
#include "publish/store/repository.h"

/* Each costs as much time as the delta from the baseline; a device lags behind by few levels. */
#define EARLIER_IMAGES_MAX 3
#define DELTAS_MAX (2 + EARLIER_IMAGES_MAX)

/* What a delta is made from. */
struct sources {
        struct su_delta_source_ref *refs;
        int *fds;
        const char **names;
        size_t n;
};

static void sources_done(struct sources *sources)
{
        for (size_t i = 0; i < sources->n; i++)
                su_close_fd(&sources->fds[i]);
        free(sources->refs);
        free(sources->fds);
        free(sources->names);
}

static int sources_new(size_t max, struct sources *ret, struct su_error *err)
{
        ret->refs = calloc(max + 1, sizeof *ret->refs);
        ret->fds = calloc(max + 1, sizeof *ret->fds);
        ret->names = calloc(max + 1, sizeof *ret->names);
        return !ret->refs || !ret->fds || !ret->names ? su_fail_oom(err) : 0;
}

static void add_source(struct sources *sources, const struct su_delta_source_ref *ref, int *fd,
                       const char *name)
{
        sources->refs[sources->n] = *ref;
        sources->names[sources->n] = name;
        sources->fds[sources->n++] = su_take_fd(fd);
}

/* The tree may have changed since it was recorded: then a device would refuse the delta. */
static int add_file(const struct su_delta_work *work, const struct su_changed_file *file,
                    struct sources *sources, struct su_error *err)
{
        const struct su_delta_source_ref ref = {
                .path = file->path,
                .size = file->before.size,
                .sha256 = file->before.sha256,
        };
        su_auto_close int fd = -EBADF;
        struct su_sha256 digest;
        int r;

        r = su_open_in_root(work->tree_fd, file->path, O_RDONLY | O_NOFOLLOW, &fd, err);
        if (r >= 0)
                r = su_sha256_of_fd(fd, file->path, &digest, NULL, err);
        if (r < 0)
                return r;
        if (!su_sha256_equal(&digest, &file->before.sha256))
                return su_fail(err, SU_ERROR_BASELINE,
                               "'%s' in the tree has changed since the baseline was recorded",
                               file->path);
        add_source(sources, &ref, &fd, file->path);
        return 0;
}

/* Whether the image of `earlier` (may be NULL) holds a file of that name. */
static bool image_has(const struct su_component *earlier, const char *path)
{
        for (size_t i = 0; earlier && i < earlier->n_files; i++)
                if (!earlier->files[i].is_gone && strcmp(earlier->files[i].path, path) == 0)
                        return true;
        return false;
}

/* The baseline's files that the component replaces, but for those that `earlier` has newer. */
static int add_files(const struct su_delta_work *work, const struct su_component *earlier,
                     struct sources *sources, struct su_error *err)
{
        const struct su_component *component = work->component;
        int r = 0;

        for (size_t i = 0; i < component->n_files && r >= 0; i++)
                if (!component->files[i].is_new && !image_has(earlier, component->files[i].path))
                        r = add_file(work, &component->files[i], sources, err);
        return r;
}

static int make_patch(const struct su_delta_work *work, const struct sources *sources,
                      struct su_object *ret, struct su_error *err)
{
        su_auto_close int fd =
                openat(work->scratch_fd, "delta", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        int r;

        if (fd < 0)
                return su_fail_errno(err, errno, "cannot create a delta");
        r = su_delta_make_apart(sources->fds, sources->names, sources->n, work->image_fd, fd,
                                work->fast, err);
        if (r >= 0)
                r = su_sha256_of_fd(fd, "delta", &ret->sha256, &ret->size, err);
        return r;
}

/* Give the finished delta its digest's name. */
static int name_patch(const struct su_delta_work *work, const struct su_object *object,
                      struct su_error *err)
{
        su_auto_close int objects_fd = -EBADF;
        char hex[SU_SHA256_HEX_SIZE];
        int r;

        r = su_dir_make(work->scratch_fd, "objects", 0755, &objects_fd, err);
        if (r < 0)
                return r;
        su_hex_encode(object->sha256.bytes, sizeof object->sha256.bytes, hex);
        if (renameat(work->scratch_fd, "delta", objects_fd, hex) < 0)
                return su_fail_errno(err, errno, "cannot keep the delta");
        return 0;
}

static int add_delta(const struct su_delta_work *work, const struct sources *sources,
                     const struct su_object *object, struct su_error *err)
{
        struct su_component *component = work->component;
        struct su_delta_ref *delta = &component->deltas[component->n_deltas];
        int r;

        r = name_patch(work, object, err);
        if (r < 0)
                return r;
        *delta = (struct su_delta_ref){.object = *object};
        component->n_deltas++;
        delta->sources = calloc(sources->n + 1, sizeof *delta->sources);
        if (!delta->sources)
                return su_fail_oom(err);
        for (size_t i = 0; i < sources->n; i++) {
                delta->sources[i] = sources->refs[i];
                delta->n_sources = i + 1;
                if (!sources->refs[i].path)
                        continue;
                r = su_strdup(sources->refs[i].path, &delta->sources[i].path, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int make_delta(const struct su_delta_work *work, const struct sources *sources,
                      struct su_error *err)
{
        struct su_object object;
        int r;

        r = make_patch(work, sources, &object, err);
        return r < 0 ? r : add_delta(work, sources, &object, err);
}

static uint64_t smallest_delta(const struct su_component *component)
{
        uint64_t smallest = UINT64_MAX;

        for (size_t i = 0; i < component->n_deltas; i++)
                if (component->deltas[i].object.size < smallest)
                        smallest = component->deltas[i].object.size;
        return smallest;
}

static const struct su_delta_ref *whole_image(const struct su_component *component)
{
        for (size_t i = 0; i < component->n_deltas; i++)
                if (component->deltas[i].n_sources == 0)
                        return &component->deltas[i];
        return NULL;
}

static bool is_unwanted(void *userdata, uint64_t done, uint64_t total)
{
        (void)userdata;
        (void)done;
        (void)total;
        return su_interrupted();
}

static int unpack(int patch_fd, const struct su_component *earlier, int image_fd,
                  struct su_error *err)
{
        int r = su_delta_apply(patch_fd, NULL, NULL, 0, image_fd, is_unwanted, NULL, err);

        return r < 0 ? r
                     : su_seal_verify(image_fd, "the image of an earlier level",
                                      &earlier->image.seal, err);
}

/* The repository itself holds each image, packed. -ENOENT when it was tidied up. */
static int open_earlier(const struct su_delta_work *work, const struct su_component *earlier,
                        int *ret_fd, struct su_error *err)
{
        const struct su_delta_ref *whole = whole_image(earlier);
        su_auto_close int patch_fd = -EBADF;
        su_auto_close int fd = -EBADF;
        su_auto_free char *object = NULL;
        su_auto_free char *path = NULL;
        int r;

        if (!whole)
                return -ENOENT;
        r = su_object_path(&whole->object, &object, err);
        if (r >= 0)
                r = su_format(&path, err, "public/%s", object);
        if (r < 0)
                return r;
        patch_fd = openat(work->workspace->fd, path, O_RDONLY | O_CLOEXEC);
        if (patch_fd < 0)
                return errno == ENOENT ? -ENOENT
                                       : su_fail_errno(err, errno, "cannot open '%s'", path);
        fd = openat(work->scratch_fd, "earlier", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot unpack an earlier image");
        r = unpack(patch_fd, earlier, fd, err);
        if (r < 0)
                return su_fail_prefix(err, r, "%s", path);
        *ret_fd = su_take_fd(&fd);
        return 0;
}

static int try_earlier(const struct su_delta_work *work, const struct su_component *earlier,
                       uint64_t below, struct su_error *err)
{
        const struct su_delta_source_ref ref = {.image = earlier->image};
        su_auto(sources_done) struct sources sources = {0};
        su_auto_close int fd = -EBADF;
        struct su_object object = {0};
        int r;

        r = open_earlier(work, earlier, &fd, err);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        r = sources_new(work->component->n_files + 1, &sources, err);
        if (r < 0)
                return r;
        add_source(&sources, &ref, &fd, "the image of an earlier level");
        r = add_files(work, earlier, &sources, err);
        if (r >= 0)
                r = make_patch(work, &sources, &object, err);
        if (r == -EFBIG) /* too much to be made from: it was only a try */
                return 0;
        if (r < 0 || object.size >= below)
                return r;
        return add_delta(work, &sources, &object, err);
}

/* Images that deltas were tried from: the levels are cumulative and mostly carry the same. */
struct tried {
        struct su_sha256 seals[EARLIER_IMAGES_MAX];
        size_t n;
        uint64_t below; /* a delta must be smaller than that: what any device can have */
};

static bool is_tried(const struct tried *tried, const struct su_sha256 *seal)
{
        for (size_t i = 0; i < tried->n; i++)
                if (su_sha256_equal(&tried->seals[i], seal))
                        return true;
        return false;
}

static int try_level(const struct su_delta_work *work, const struct su_level *level,
                     struct tried *tried, struct su_error *err)
{
        su_auto_manifest struct su_manifest manifest = {0};
        const struct su_component *earlier;
        int r;

        r = su_repository_manifest(work->workspace, SU_NEWEST, work->baseline, level, &manifest,
                                   err);
        if (r < 0)
                return r;
        earlier = su_manifest_component(&manifest, work->component->name);
        if (!earlier || is_tried(tried, &earlier->image.seal))
                return 0;
        tried->seals[tried->n++] = earlier->image.seal;
        return try_earlier(work, earlier, tried->below, err);
}

/* Of the newest levels; their order in the channel is that of their release. */
static int try_earlier_levels(const struct su_delta_work *work, struct su_error *err)
{
        su_auto_channel struct su_channel channel = {0};
        struct tried tried = {.below = smallest_delta(work->component)};
        int r;

        r = su_repository_channel(work->workspace, SU_NEWEST, work->baseline, &channel, err);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (size_t i = channel.n_levels; i > 0 && tried.n < EARLIER_IMAGES_MAX && r >= 0; i--)
                r = try_level(work, &channel.levels[i - 1].level, &tried, err);
        return r;
}

int su_deltas_make(const struct su_delta_work *work, struct su_error *err)
{
        su_auto(sources_done) struct sources files = {0};
        const struct sources nothing = {0};
        int r;

        work->component->deltas = calloc(DELTAS_MAX, sizeof *work->component->deltas);
        if (!work->component->deltas)
                return su_fail_oom(err);
        r = sources_new(work->component->n_files, &files, err);
        if (r >= 0)
                r = add_files(work, NULL, &files, err);
        if (r >= 0 && files.n > 0)
                r = make_delta(work, &files, err);
        if (r >= 0)
                r = make_delta(work, &nothing, err);
        if (r >= 0)
                r = try_earlier_levels(work, err);
        return r;
}

int su_deltas_keep(int scratch_fd, int draft_fd, const struct su_component *component,
                   struct su_error *err)
{
        su_auto_close int from_fd = -EBADF;
        su_auto_close int to_fd = -EBADF;
        int r;

        r = su_dir_make(scratch_fd, "objects", 0755, &from_fd, err);
        if (r >= 0)
                r = su_dir_make(draft_fd, "objects", 0755, &to_fd, err);
        for (size_t i = 0; i < component->n_deltas && r >= 0; i++) {
                const struct su_sha256 *digest = &component->deltas[i].object.sha256;
                char hex[SU_SHA256_HEX_SIZE];

                su_hex_encode(digest->bytes, sizeof digest->bytes, hex);
                if (renameat(from_fd, hex, to_fd, hex) < 0)
                        r = su_fail_errno(err, errno, "cannot keep delta %s", hex);
        }
        return r;
}
