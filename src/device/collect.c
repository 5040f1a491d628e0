#include "device/collect.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/own.h"
#include "base/text.h"
#include "device/download.h"
#include "device/generation.h"
#include "device/image_store.h"
#include "device/store.h"

enum room { GENERATIONS, MANIFESTS, PROOFS, IMAGES, DOWNLOADS, TRUST, DOCUMENTS, TOP, ROOMS };

/* Names that are needed. */
struct names {
        char **items;
        size_t n;
        bool all; /* it cannot be told which */
};

struct work {
        int state_fd;
        const char *baseline;
        struct names needed[ROOMS];
        struct su_collected collected;
        struct su_error failure; /* the first that was no reason to stop */
};

static void work_done(struct work *work)
{
        for (size_t i = 0; i < ROOMS; i++) {
                for (size_t j = 0; j < work->needed[i].n; j++)
                        free(work->needed[i].items[j]);
                free(work->needed[i].items);
        }
}

static void note(struct work *work, const struct su_error *failure)
{
        if (work->failure.code == SU_OK)
                work->failure = *failure;
}

/* A download that broke off begins with the name that it would have. */
static bool is_name(enum room room, const char *needed, const char *name)
{
        return room == DOWNLOADS ? su_starts_with(name, needed) : strcmp(needed, name) == 0;
}

static bool is_needed(const struct work *work, enum room room, const char *name)
{
        const struct names *needed = &work->needed[room];

        for (size_t i = 0; i < needed->n; i++)
                if (is_name(room, needed->items[i], name))
                        return true;
        return needed->all;
}

/* Takes over `name`. */
static int need(struct work *work, enum room room, char *name, struct su_error *err)
{
        struct names *needed = &work->needed[room];
        char **larger = reallocarray(needed->items, needed->n + 1, sizeof *larger);

        if (!larger) {
                free(name);
                return su_fail_oom(err);
        }
        needed->items = larger;
        larger[needed->n++] = name;
        return 0;
}

static int need_images(struct work *work, const struct su_manifest *manifest, struct su_error *err)
{
        int r = 0;

        for (size_t i = 0; i < manifest->n_components && r >= 0; i++) {
                char *name;

                r = su_image_store_name(&manifest->components[i].image, &name, err);
                if (r >= 0)
                        r = need(work, IMAGES, name, err);
        }
        return r;
}

static int need_downloads(struct work *work, const struct su_component *component,
                          struct su_error *err)
{
        int r = 0;

        for (size_t i = 0; i < component->n_deltas && r >= 0; i++) {
                char hex[SU_SHA256_HEX_SIZE];
                char *name;

                su_hex_encode(component->deltas[i].object.sha256.bytes, SU_SHA256_SIZE, hex);
                r = su_strdup(hex, &name, err);
                if (r >= 0)
                        r = need(work, DOWNLOADS, name, err);
        }
        return r;
}

/* A document that cannot be read, for whatever reason but a lack of memory: all that it could name
 * is needed. */
static int need_all(struct work *work, const enum room *rooms, size_t n_rooms, int r,
                    const struct su_error *why, struct su_error *err)
{
        if (r == -ENOMEM)
                return su_fail_oom(err);
        for (size_t i = 0; i < n_rooms; i++)
                work->needed[rooms[i]].all = true;
        note(work, why);
        return 0;
}

/* One that says to be another is damaged. */
static int load_manifest(const struct work *work, const char *baseline,
                         const struct su_level *level, struct su_manifest *ret,
                         struct su_error *err)
{
        su_auto_manifest struct su_manifest manifest = {0};
        int r;

        r = su_store_load_manifest(work->state_fd, baseline, level, &manifest, err);
        if (r < 0)
                return r;
        if (strcmp(manifest.baseline, baseline) != 0 ||
            su_level_compare(&manifest.level, level) != 0)
                return su_fail(err, SU_ERROR_FORMAT, "stored manifest of %s (%s) is of %s (%s)",
                               baseline, level->name, manifest.baseline, manifest.level.name);
        *ret = manifest;
        manifest = (struct su_manifest){0};
        return 0;
}

static int load_generation(const struct work *work, int64_t number, struct su_generation *ret,
                           struct su_error *err)
{
        int r;

        r = su_generation_load(work->state_fd, number, ret, err);
        if (r >= 0 && ret->number != number)
                r = su_fail(err, SU_ERROR_FORMAT, "generations/%lld.json is of another one",
                            (long long)number);
        return r;
}

static int need_documents(struct work *work, const struct su_generation *generation,
                          struct su_error *err)
{
        char *name;
        int r;

        r = su_store_manifest_name(generation->baseline, &generation->level, &name, err);
        if (r >= 0)
                r = need(work, MANIFESTS, name, err);
        if (r >= 0)
                r = su_store_proof_name(generation->baseline, &generation->level, &name, err);
        if (r >= 0)
                r = need(work, PROOFS, name, err);
        return r;
}

static int need_layers(struct work *work, const struct su_generation *generation,
                       struct su_error *err)
{
        static const enum room named[] = {IMAGES};
        su_auto_manifest struct su_manifest manifest = {0};
        struct su_error why = {0};
        int r;

        r = load_manifest(work, generation->baseline, &generation->level, &manifest, &why);
        if (r < 0)
                return need_all(work, named, SU_ELEMENTS(named), r, &why, err);
        return need_images(work, &manifest, err);
}

/* 0 is the baseline, and what is below it none at all. */
static int need_generation(struct work *work, int64_t number, bool with_layers,
                           struct su_error *err)
{
        static const enum room named[] = {MANIFESTS, PROOFS, IMAGES};
        su_auto_generation struct su_generation generation = {0};
        struct su_error why = {0};
        char *name;
        int r;

        if (number <= 0)
                return 0;
        r = su_generation_name(number, &name, err);
        if (r >= 0)
                r = need(work, GENERATIONS, name, err);
        if (r < 0)
                return r;
        r = load_generation(work, number, &generation, &why);
        if (r < 0)
                return need_all(work, named, SU_ELEMENTS(named) - !with_layers, r, &why, err);
        r = need_documents(work, &generation, err);
        return r < 0 || !with_layers ? r : need_layers(work, &generation, err);
}

/* What is on its way from the repository, or is the source of what comes next. */
static int need_level(struct work *work, const struct su_level *level, bool may_be_missing,
                      struct su_error *err)
{
        static const enum room named[] = {IMAGES, DOWNLOADS};
        su_auto_manifest struct su_manifest manifest = {0};
        struct su_error why = {0};
        int r;

        if (!level->name[0])
                return 0;
        r = load_manifest(work, work->baseline, level, &manifest, &why);
        if (r == -ENOENT && may_be_missing)
                return 0;
        if (r < 0)
                return need_all(work, named, SU_ELEMENTS(named), r, &why, err);
        r = need_images(work, &manifest, err);
        for (size_t i = 0; i < manifest.n_components && r >= 0; i++)
                r = need_downloads(work, &manifest.components[i], err);
        return r;
}

/* What was offered last, or waits in the store, may be older than the newest, which was recalled
 * then. */
static int need_levels(struct work *work, const struct su_state *state, struct su_error *err)
{
        static const enum room named[] = {IMAGES, DOWNLOADS};
        struct su_level newest;
        struct su_error why = {0};
        int r;

        r = su_store_newest_level(work->state_fd, work->baseline, &newest, &why);
        if (r < 0)
                return need_all(work, named, SU_ELEMENTS(named), r, &why, err);
        r = need_level(work, &newest, false, err);
        if (r >= 0)
                r = need_level(work, &state->knowledge.staged, true, err);
        /* The check may have been made for another baseline. */
        return r < 0 ? r : need_level(work, &state->check.level, true, err);
}

static int find_needs(struct work *work, const struct su_state *state, int64_t mounted,
                      struct su_error *err)
{
        const int64_t with_layers[] = {mounted, state->active, state->previous, state->transition};
        int r = 0;

        for (size_t i = 0; i < SU_ELEMENTS(with_layers) && r >= 0; i++)
                r = need_generation(work, with_layers[i], true, err);
        if (r >= 0)
                r = need_generation(work, state->retired, false, err);
        return r < 0 ? r : need_levels(work, state, err);
}

/* What was never finished: nobody writes while the lock is held by who collects. */
static bool is_leftover(enum room room, const char *name)
{
        if (room == IMAGES || room == DOWNLOADS)
                if (strcmp(name, "partial") == 0)
                        return true;
        return name[0] != '.' && su_ends_with(name, ".tmp");
}

static bool is_number(const char *text, size_t size)
{
        return size > 0 && text[0] != '0' && strspn(text, "0123456789") == size;
}

/* Of another baseline; all of this one tell the build-ids of code that may still run. */
static bool is_foreign(const struct work *work, const char *name,
                       bool (*parse)(const char *name, char **ret_baseline,
                                     struct su_level *ret_level))
{
        su_auto_free char *baseline = NULL;
        struct su_level level;

        return parse(name, &baseline, &level) && strcmp(baseline, work->baseline) != 0;
}

/* A name that is understood, of what may go when it is not needed. */
static bool may_go(const struct work *work, enum room room, const char *name)
{
        struct su_sha256 digest;

        switch (room) {
        case GENERATIONS:
                return su_ends_with(name, ".json") && is_number(name, strlen(name) - 5);
        case MANIFESTS:
                return is_foreign(work, name, su_store_parse_manifest_name);
        case PROOFS:
                return is_foreign(work, name, su_store_parse_proof_name);
        case IMAGES:
                return su_image_store_parse_name(name, &digest);
        case DOWNLOADS:
                return su_download_parse_name(name, &digest);
        default:
                return false;
        }
}

static void remove_file(struct work *work, int dir_fd, const char *directory, const char *name)
{
        struct su_error why = {0};
        struct stat st;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
                return; /* nothing that was ever written here */
        if (unlinkat(dir_fd, name, 0) < 0) {
                (void)su_fail_errno(&why, errno, "cannot remove '%s/%s'", directory, name);
                note(work, &why);
                return;
        }
        work->collected.files++;
        work->collected.bytes += (uint64_t)st.st_blocks * 512;
}

static int open_room(int state_fd, const char *directory, DIR **ret, struct su_error *err)
{
        su_auto_close int fd =
                openat(state_fd, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (!dir)
                return su_fail_errno(err, errno, "cannot list '%s'", directory);
        (void)su_take_fd(&fd); /* it is the directory's */
        *ret = dir;
        return 0;
}

static void sweep(struct work *work, enum room room, const char *directory)
{
        su_auto_closedir DIR *dir = NULL;
        struct su_error why = {0};
        struct dirent *entry;
        int r;

        r = open_room(work->state_fd, directory, &dir, &why);
        if (r < 0 && r != -ENOENT)
                note(work, &why);
        while (r >= 0 && (entry = readdir(dir))) {
                const char *name = entry->d_name;

                if (is_leftover(room, name) ||
                    (may_go(work, room, name) && !is_needed(work, room, name)))
                        remove_file(work, dirfd(dir), directory, name);
        }
}

int su_collect_garbage(int state_fd, const struct su_state *state, int64_t mounted,
                       const char *baseline, struct su_collected *ret, struct su_error *err)
{
        static const char *const directories[ROOMS] = {
                [GENERATIONS] = "generations", [MANIFESTS] = "manifests",
                [PROOFS] = "proofs",           [IMAGES] = "images",
                [DOWNLOADS] = "downloads",     [TRUST] = "trust",
                [DOCUMENTS] = "documents",     [TOP] = ".",
        };
        su_auto(work_done) struct work work = {.state_fd = state_fd, .baseline = baseline};
        int r;

        *ret = work.collected;
        r = find_needs(&work, state, mounted, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ROOMS; i++)
                sweep(&work, (enum room)i, directories[i]);
        *ret = work.collected;
        if (work.failure.code == SU_OK)
                return 0;
        if (err)
                *err = work.failure;
        return -work.failure.errnum;
}
