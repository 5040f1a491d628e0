#include "device/store.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "device/fit.h"
#include "image/seal.h"
#include "image/verity.h"
#include "transparency/proof.h"
#include "json/json.h"

#define GENERATION_TYPE "suture-generation"
#define GENERATION_VERSION 1
#define GENERATION_SIZE_MAX (256 * 1024)
#define MANIFEST_SUFFIX ".json"
#define IMAGE_SUFFIX ".erofs"
#define PROOF_SUFFIX ".tlog-proof"

static int save(int state_fd, const char *directory, const char *name, const char *text,
                size_t size, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        int r;

        r = su_dir_make(state_fd, directory, 0755, &fd, err);
        if (r < 0)
                return r;
        return su_file_write(fd, name, text, size, 0644, err);
}

int su_store_generation_name(int64_t number, char **ret, struct su_error *err)
{
        return su_format(ret, err, "%" PRId64 ".json", number);
}

static json_t *parts_to_json(const struct su_manifest *manifest)
{
        su_auto_json json_t *parts = json_array();

        for (size_t i = 0; i < manifest->n_components; i++) {
                const struct su_component *component = &manifest->components[i];

                if (json_array_append_new(parts,
                                          json_pack("{s:s, s:s}", "component", component->name,
                                                    "fit", su_fit_name(component->fit))) < 0)
                        return NULL;
        }
        return su_take(parts);
}

int su_store_save_generation(int state_fd, int64_t number, const struct su_manifest *manifest,
                             struct su_error *err)
{
        su_auto_json json_t *document = NULL;
        su_auto_free char *name = NULL;
        su_auto_free char *text = NULL;
        char created[SU_TIME_TEXT_SIZE];
        size_t size;
        int r;

        su_time_format(su_now(), created);
        document = json_pack("{s:s, s:i, s:I, s:s, s:s, s:s, s:o}", "type", GENERATION_TYPE,
                             "version", GENERATION_VERSION, "number", (json_int_t)number,
                             "baseline", manifest->baseline, "level", manifest->level.name,
                             "created", created, "parts", parts_to_json(manifest));
        if (!document)
                return su_fail_oom(err);
        r = su_store_generation_name(number, &name, err);
        if (r >= 0)
                r = su_json_pretty(document, &text, &size, err);
        if (r < 0)
                return r;
        return save(state_fd, "generations", name, text, size, err);
}

static int append_part(const json_t *object, struct su_generation *generation, struct su_error *err)
{
        struct su_generation_part *part;
        const char *component;
        const char *fit;
        int r;

        r = su_json_get_string(object, "component", &component, err);
        if (r >= 0)
                r = su_json_get_string(object, "fit", &fit, err);
        if (r < 0)
                return r;
        part = reallocarray(generation->parts, generation->n_parts + 1, sizeof *part);
        if (!part)
                return su_fail_oom(err);
        generation->parts = part;
        part += generation->n_parts;
        *part = (struct su_generation_part){0};
        if (!su_fit_parse(fit, &part->fit))
                return su_fail(err, SU_ERROR_FORMAT, "field 'fit' is none that is known");
        r = su_strdup(component, &part->component, err);
        if (r >= 0)
                generation->n_parts++;
        return r;
}

static int read_parts(const json_t *document, struct su_generation *generation,
                      struct su_error *err)
{
        const json_t *array = json_object_get(document, "parts");
        const json_t *element;
        size_t i;

        if (array && !json_is_array(array))
                return su_fail(err, SU_ERROR_FORMAT, "field 'parts' is not an array");
        json_array_foreach (array, i, element) {
                int r = append_part(element, generation, err);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_generation(const json_t *document, struct su_generation *generation,
                           struct su_error *err)
{
        const char *baseline;
        const char *level;
        const char *created;
        int r;

        r = su_json_expect_type(document, GENERATION_TYPE, GENERATION_VERSION, err);
        if (r >= 0)
                r = su_json_get_integer(document, "number", 1, INT64_MAX, &generation->number, err);
        if (r >= 0)
                r = su_json_get_string(document, "baseline", &baseline, err);
        if (r >= 0)
                r = su_json_get_string(document, "level", &level, err);
        if (r >= 0)
                r = su_json_get_string(document, "created", &created, err);
        if (r < 0)
                return r;
        if (!su_level_parse(level, &generation->level) ||
            !su_time_parse(created, &generation->created))
                return su_fail(err, SU_ERROR_FORMAT, "field 'level' or 'created' is malformed");
        r = read_parts(document, generation, err);
        if (r < 0)
                return r;
        return su_strdup(baseline, &generation->baseline, err);
}

int su_store_load_generation(int state_fd, int64_t number, struct su_generation *ret,
                             struct su_error *err)
{
        su_auto_generation struct su_generation generation = {0};
        su_auto_json json_t *document = NULL;
        su_auto_close int fd = -EBADF;
        su_auto_free char *name = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_store_generation_name(number, &name, err);
        if (r < 0)
                return r;
        fd = openat(state_fd, "generations", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open the generations");
        r = su_file_read(fd, name, GENERATION_SIZE_MAX, &text, &size, err);
        if (r >= 0)
                r = su_json_parse(text, size, &document, err);
        if (r >= 0)
                r = read_generation(document, &generation, err);
        if (r < 0)
                return su_fail_prefix(err, r, "generations/%s", name);
        *ret = generation;
        generation = (struct su_generation){0};
        return 0;
}

void su_generation_done(struct su_generation *generation)
{
        for (size_t i = 0; i < generation->n_parts; i++)
                free(generation->parts[i].component);
        free(generation->parts);
        free(generation->baseline);
        *generation = (struct su_generation){0};
}

int su_store_manifest_name(const char *baseline, const struct su_level *level, char **ret,
                           struct su_error *err)
{
        return su_format(ret, err, "%s.%s" MANIFEST_SUFFIX, baseline, level->name);
}

int su_store_save_manifest(int state_fd, const char *baseline, const struct su_level *level,
                           const char *text, size_t size, struct su_error *err)
{
        su_auto_free char *name = NULL;
        int r;

        r = su_store_manifest_name(baseline, level, &name, err);
        if (r < 0)
                return r;
        return save(state_fd, "manifests", name, text, size, err);
}

int su_store_read_manifest(int state_fd, const char *baseline, const struct su_level *level,
                           char **ret_text, size_t *ret_size, struct su_error *err)
{
        su_auto_free char *name = NULL;
        su_auto_close int fd = -EBADF;
        int r;

        r = su_store_manifest_name(baseline, level, &name, err);
        if (r < 0)
                return r;
        fd = openat(state_fd, "manifests", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open the stored manifests");
        r = su_file_read(fd, name, SU_MANIFEST_SIZE_MAX, ret_text, ret_size, err);
        if (r < 0)
                return su_fail_prefix(err, r, "stored manifest of %s (%s)", baseline, level->name);
        return 0;
}

int su_store_load_manifest(int state_fd, const char *baseline, const struct su_level *level,
                           struct su_manifest *ret, struct su_error *err)
{
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_store_read_manifest(state_fd, baseline, level, &text, &size, err);
        if (r < 0)
                return r;
        r = su_manifest_parse(text, size, ret, err);
        if (r < 0)
                return su_fail_prefix(err, r, "stored manifest of %s (%s)", baseline, level->name);
        return 0;
}

int su_store_proof_name(const char *baseline, const struct su_level *level, char **ret,
                        struct su_error *err)
{
        return su_format(ret, err, "%s.%s" PROOF_SUFFIX, baseline, level->name);
}

int su_store_save_proof(int state_fd, const char *baseline, const struct su_level *level,
                        const char *proof, struct su_error *err)
{
        su_auto_free char *name = NULL;
        int r;

        r = su_store_proof_name(baseline, level, &name, err);
        return r < 0 ? r : save(state_fd, "proofs", name, proof, strlen(proof), err);
}

int su_store_load_proof(int state_fd, const char *baseline, const struct su_level *level,
                        char **ret, struct su_error *err)
{
        su_auto_free char *name = NULL;
        su_auto_close int fd = -EBADF;
        size_t size;
        int r;

        r = su_store_proof_name(baseline, level, &name, err);
        if (r < 0)
                return r;
        fd = openat(state_fd, "proofs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open the stored proofs");
        return su_file_read(fd, name, SU_LOG_PROOF_SIZE_MAX, ret, &size, err);
}

int su_store_load_generation_manifest(int state_fd, const struct su_generation *generation,
                                      struct su_manifest *ret, struct su_error *err)
{
        su_auto_manifest struct su_manifest manifest = {0};
        int r;

        r = su_store_load_manifest(state_fd, generation->baseline, &generation->level, &manifest,
                                   err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < manifest.n_components; i++)
                for (size_t j = 0; j < generation->n_parts; j++)
                        if (strcmp(manifest.components[i].name, generation->parts[j].component) ==
                            0)
                                manifest.components[i].fit = generation->parts[j].fit;
        *ret = manifest;
        manifest = (struct su_manifest){0};
        return 0;
}

static int append_manifest(int state_fd, const char *baseline, const struct su_level *level,
                           struct su_manifest_list *list, struct su_error *err)
{
        struct su_manifest *larger =
                reallocarray(list->manifests, list->n_manifests + 1, sizeof *larger);
        int r;

        if (!larger)
                return su_fail_oom(err);
        list->manifests = larger;
        larger[list->n_manifests] = (struct su_manifest){0};
        r = su_store_load_manifest(state_fd, baseline, level, &larger[list->n_manifests], err);
        if (r >= 0)
                list->n_manifests++;
        return r;
}

/* "BASELINE.LEVEL" and a suffix; a baseline may have dots of its own. */
static bool parse_level_name(const char *name, const char *suffix, char **ret_baseline,
                             struct su_level *ret_level)
{
        su_auto_free char *baseline = NULL;
        char *dot;

        if (!su_ends_with(name, suffix))
                return false;
        baseline = strndup(name, strlen(name) - strlen(suffix));
        dot = baseline ? strrchr(baseline, '.') : NULL;
        if (!dot || !su_level_parse(dot + 1, ret_level))
                return false;
        *dot = '\0';
        if (!su_name_is_safe(baseline))
                return false;
        *ret_baseline = su_take(baseline);
        return true;
}

bool su_store_parse_manifest_name(const char *name, char **ret_baseline, struct su_level *ret_level)
{
        return parse_level_name(name, MANIFEST_SUFFIX, ret_baseline, ret_level);
}

bool su_store_parse_proof_name(const char *name, char **ret_baseline, struct su_level *ret_level)
{
        return parse_level_name(name, PROOF_SUFFIX, ret_baseline, ret_level);
}

static bool is_manifest_of(const char *name, const char *baseline, struct su_level *ret)
{
        su_auto_free char *whose = NULL;

        return su_store_parse_manifest_name(name, &whose, ret) && strcmp(whose, baseline) == 0;
}

/* NULL: there are none. */
static int open_manifests(int state_fd, DIR **ret, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        DIR *dir;

        *ret = NULL;
        if (state_fd < 0)
                return 0;
        fd = openat(state_fd, "manifests", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return 0;
        dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir)
                return su_fail_errno(err, errno, "cannot list the stored manifests");
        (void)su_take_fd(&fd); /* it is the directory's */
        *ret = dir;
        return 0;
}

int su_store_load_manifests(int state_fd, const char *baseline, struct su_manifest_list *ret,
                            struct su_error *err)
{
        su_auto_closedir DIR *dir = NULL;
        struct su_manifest_list list = {0};
        struct dirent *entry;
        int r;

        r = open_manifests(state_fd, &dir, err);
        while (r >= 0 && dir && (entry = readdir(dir))) {
                struct su_level level;

                if (is_manifest_of(entry->d_name, baseline, &level))
                        r = append_manifest(state_fd, baseline, &level, &list, err);
        }
        if (r < 0) {
                su_manifest_list_done(&list);
                return r;
        }
        *ret = list;
        return 0;
}

int su_store_newest_level(int state_fd, const char *baseline, struct su_level *ret,
                          struct su_error *err)
{
        su_auto_closedir DIR *dir = NULL;
        struct su_level newest = {0};
        struct dirent *entry;
        int r;

        r = open_manifests(state_fd, &dir, err);
        if (r < 0)
                return r;
        errno = 0;
        while (dir && (entry = readdir(dir))) {
                struct su_level level;

                if (is_manifest_of(entry->d_name, baseline, &level) &&
                    su_level_compare(&level, &newest) > 0)
                        newest = level;
                errno = 0;
        }
        if (dir && errno != 0)
                return su_fail_errno(err, errno, "cannot list the stored manifests");
        *ret = newest;
        return 0;
}

int su_store_image_dir(int state_fd, int *ret_fd, struct su_error *err)
{
        return su_dir_make(state_fd, "images", 0755, ret_fd, err);
}

bool su_store_parse_image_name(const char *name, struct su_sha256 *ret)
{
        char hex[SU_SHA256_HEX_SIZE];

        if (strlen(name) != sizeof hex - 1 + strlen(IMAGE_SUFFIX) ||
            !su_ends_with(name, IMAGE_SUFFIX))
                return false;
        memcpy(hex, name, sizeof hex - 1);
        hex[sizeof hex - 1] = '\0';
        return su_hex_decode(hex, ret->bytes, sizeof ret->bytes);
}

int su_store_image_name(const struct su_image_ref *image, char **ret, struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];

        su_hex_encode(image->seal.bytes, sizeof image->seal.bytes, hex);
        return su_format(ret, err, "%s" IMAGE_SUFFIX, hex);
}

static int open_image(int state_fd, const char *name, int *ret_fd, struct su_error *err)
{
        su_auto_close int dir_fd = openat(state_fd, "images", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        su_auto_close int fd = -EBADF;

        if (dir_fd >= 0)
                fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return su_fail(err, SU_ERROR_NOT_FOUND, "image %s is not in the store", name);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open image %s", name);
        *ret_fd = su_take_fd(&fd);
        return 0;
}

int su_store_open_image(int state_fd, const struct su_image_ref *image, int *ret_fd,
                        struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        su_auto_free char *name = NULL;
        int r;

        r = su_store_image_name(image, &name, err);
        if (r >= 0)
                r = open_image(state_fd, name, &fd, err);
        if (r >= 0 && !su_verity_enforces(fd, &image->seal))
                r = su_seal_verify(fd, name, &image->seal, err);
        if (r < 0)
                return r;
        *ret_fd = su_take_fd(&fd);
        return 0;
}

int su_store_read_image(int state_fd, const struct su_image_ref *image, int *ret_fd,
                        struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        su_auto_free char *name = NULL;
        int r;

        r = su_store_image_name(image, &name, err);
        if (r >= 0)
                r = open_image(state_fd, name, &fd, err);
        if (r < 0)
                return r;
        /* What was read before says nothing about the disk. */
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        r = su_seal_verify(fd, name, &image->seal, err);
        if (r == -EIO && su_verity_enforces(fd, &image->seal))
                return su_fail(err, SU_ERROR_SEAL,
                               "image '%s' is damaged: the kernel refuses to read all of it", name);
        if (r < 0)
                return r;
        *ret_fd = su_take_fd(&fd);
        return 0;
}

bool su_store_is_enforced(int state_fd, const struct su_image_ref *image)
{
        su_auto_close int fd = -EBADF;
        su_auto_free char *name = NULL;

        return su_store_image_name(image, &name, NULL) >= 0 &&
               open_image(state_fd, name, &fd, NULL) >= 0 && su_verity_enforces(fd, &image->seal);
}
