#include "device/generation.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "device/fit.h"
#include "device/store.h"
#include "json/json.h"

#define GENERATION_TYPE "suture-generation"
#define GENERATION_VERSION 1
#define GENERATION_SIZE_MAX (256 * 1024)

int su_generation_name(int64_t number, char **ret, struct su_error *err)
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

int su_generation_save(int state_fd, int64_t number, const struct su_manifest *manifest,
                       struct su_error *err)
{
        su_auto_json json_t *document = NULL;
        su_auto_close int fd = -EBADF;
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
        r = su_generation_name(number, &name, err);
        if (r >= 0)
                r = su_json_pretty(document, &text, &size, err);
        if (r >= 0)
                r = su_dir_make(state_fd, "generations", 0755, &fd, err);
        return r < 0 ? r : su_file_write(fd, name, text, size, 0644, err);
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

int su_generation_load(int state_fd, int64_t number, struct su_generation *ret,
                       struct su_error *err)
{
        su_auto_generation struct su_generation generation = {0};
        su_auto_json json_t *document = NULL;
        su_auto_close int fd = -EBADF;
        su_auto_free char *name = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_generation_name(number, &name, err);
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

int su_generation_load_manifest(int state_fd, const struct su_generation *generation,
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
