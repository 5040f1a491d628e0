#include "improvement/codec.h"

#include <string.h>

#include "base/text.h"

static int read_build_id(const json_t *object, struct su_build_id *ret, struct su_error *err)
{
        const char *text;
        size_t size;
        int r;

        *ret = (struct su_build_id){0};
        r = su_json_find_string(object, "build_id", &text, err);
        if (r < 0 || !text)
                return r;
        size = strlen(text) / 2;
        if (size == 0 || size > SU_BUILD_ID_MAX || !su_hex_decode(text, ret->bytes, size))
                return su_fail(err, SU_ERROR_FORMAT, "field 'build_id' is not a build-id");
        ret->size = (uint8_t)size;
        return 0;
}

int su_facts_from_json(const json_t *object, struct su_file_facts *ret, struct su_error *err)
{
        struct su_file_facts facts;
        int64_t size;
        int r;

        r = su_json_get_integer(object, "size", 0, INT64_MAX, &size, err);
        if (r >= 0)
                r = su_json_get_hex(object, "sha256", facts.sha256.bytes, sizeof facts.sha256.bytes,
                                    err);
        if (r >= 0)
                r = read_build_id(object, &facts.build_id, err);
        if (r < 0)
                return r;
        facts.size = (uint64_t)size;
        *ret = facts;
        return 0;
}

json_t *su_facts_to_json(const struct su_file_facts *facts)
{
        su_auto_json json_t *object =
                json_pack("{s:I, s:n}", "size", (json_int_t)facts->size, "build_id");

        if (!object ||
            su_json_set_hex(object, "sha256", facts->sha256.bytes, sizeof facts->sha256.bytes) < 0)
                return NULL;
        if (facts->build_id.size > 0 &&
            su_json_set_hex(object, "build_id", facts->build_id.bytes, facts->build_id.size) < 0)
                return NULL;
        return su_take(object);
}

int su_json_get_os_path(const json_t *object, const char *name, const char **ret,
                        struct su_error *err)
{
        const char *path;
        int r;

        r = su_json_get_string(object, name, &path, err);
        if (r < 0)
                return r;
        if (!su_path_is_normal(path) ||
            (!su_starts_with(path, "/usr/") && !su_starts_with(path, "/opt/")))
                return su_fail(err, SU_ERROR_FORMAT,
                               "field '%s' is not a normal path below /usr or /opt", name);
        *ret = path;
        return 0;
}

int su_json_get_safe_name(const json_t *object, const char *name, const char **ret,
                          struct su_error *err)
{
        const char *text;
        int r;

        r = su_json_get_string(object, name, &text, err);
        if (r < 0)
                return r;
        if (!su_name_is_safe(text))
                return su_fail(err, SU_ERROR_FORMAT, "field '%s' is not a plain name", name);
        *ret = text;
        return 0;
}

int su_json_read_elements(const json_t *object, const char *name, size_t max, size_t size,
                          su_element_read read, void *ret_elements, size_t *ret_n,
                          struct su_error *err)
{
        void **elements = ret_elements;
        json_t *array;
        int r;

        r = su_json_get_array(object, name, &array, err);
        if (r < 0)
                return r;
        if (json_array_size(array) > max)
                return su_fail(err, SU_ERROR_FORMAT, "field '%s' has more than %zu elements", name,
                               max);
        *elements = calloc(json_array_size(array) + 1, size);
        if (!*elements)
                return su_fail_oom(err);
        for (size_t i = 0; i < json_array_size(array); i++) {
                json_t *element = json_array_get(array, i);

                /* Counted first, so that what a failing read leaves behind is freed. */
                *ret_n = i + 1;
                if (json_is_object(element))
                        r = read(element, (char *)*elements + i * size, err);
                else
                        r = su_fail(err, SU_ERROR_FORMAT, "it is not an object");
                if (r < 0)
                        return su_fail_prefix(err, r, "%s[%zu]", name, i);
        }
        return 0;
}
