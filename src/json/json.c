#include "json/json.h"

#include <string.h>

#include "base/text.h"

/* jansson recurses, and keeps what it reads: bound depth and number before it sees the text. A
 * value comes first in an array or object, or after a comma. */
static int check_shape(const char *text, size_t size, size_t max_values, struct su_error *err)
{
        bool in_string = false;
        size_t values = 1;
        int depth = 0;

        for (size_t i = 0; i < size; i++) {
                char c = text[i];

                if (in_string) {
                        if (c == '\\')
                                i++;
                        else if (c == '"')
                                in_string = false;
                        continue;
                }
                if (c == '"')
                        in_string = true;
                else if ((c == '{' || c == '[') && ++depth > SU_JSON_DEPTH_MAX)
                        return su_fail(err, SU_ERROR_FORMAT, "JSON is nested too deeply");
                else if (c == '}' || c == ']')
                        depth--;
                values += c == '{' || c == '[' || c == ',';
        }
        if (values > max_values)
                return su_fail(err, SU_ERROR_FORMAT, "JSON holds more than %zu values", max_values);
        return 0;
}

static bool has_real(const json_t *value)
{
        const char *name;
        json_t *child;
        size_t i;

        switch (json_typeof(value)) {
        case JSON_REAL:
                return true;
        case JSON_ARRAY:
                json_array_foreach (value, i, child)
                        if (has_real(child))
                                return true;
                return false;
        case JSON_OBJECT:
                json_object_foreach ((json_t *)value, name, child)
                        if (has_real(child))
                                return true;
                return false;
        default:
                return false;
        }
}

static struct {
        json_malloc_t allocate;
        bool failed;
} memory;

static void *allocate(size_t size)
{
        void *ret = memory.allocate(size);

        memory.failed |= !ret;
        return ret;
}

/* Where memory runs out, jansson 2.14 may take that for a fault in the text, or leave out a byte of
 * a string and go on: so its allocations are looked at. In one thread at a time. */
static json_t *load(const char *text, size_t size, json_error_t *error)
{
        json_free_t release;
        json_t *value;

        json_get_alloc_funcs(&memory.allocate, &release);
        memory.failed = false;
        json_set_alloc_funcs(allocate, release);
        value = json_loadb(text, size, JSON_REJECT_DUPLICATES, error);
        json_set_alloc_funcs(memory.allocate, release);
        return value;
}

int su_json_parse(const char *text, size_t size, json_t **ret, struct su_error *err)
{
        return su_json_parse_bounded(text, size, SIZE_MAX, ret, err);
}

int su_json_parse_bounded(const char *text, size_t size, size_t max_values, json_t **ret,
                          struct su_error *err)
{
        su_auto_json json_t *value = NULL;
        json_error_t error;
        int r;

        r = check_shape(text, size, max_values, err);
        if (r < 0)
                return r;
        value = load(text, size, &error);
        if (memory.failed)
                return su_fail_oom(err);
        if (!value)
                return su_fail(err, SU_ERROR_FORMAT, "not valid JSON, line %d: %s", error.line,
                               error.text);
        if (has_real(value))
                return su_fail(err, SU_ERROR_FORMAT, "JSON holds a number that is no integer");
        *ret = su_take(value);
        return 0;
}

static int write_value(FILE *out, const json_t *value);

static void write_string(FILE *out, const json_t *value)
{
        const char *text = json_string_value(value);
        size_t size = json_string_length(value);

        (void)fputc('"', out);
        for (size_t i = 0; i < size; i++) {
                if (text[i] == '"' || text[i] == '\\')
                        (void)fputc('\\', out);
                (void)fputc(text[i], out);
        }
        (void)fputc('"', out);
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names sorted by their UTF-8 bytes. */
static int write_object(FILE *out, const json_t *object)
{
        size_t count = json_object_size(object);
        su_auto_free const char **names = calloc(count + 1, sizeof *names);
        const char *name;
        json_t *child;
        size_t n = 0;

        if (!names)
                return -ENOMEM;
        json_object_foreach ((json_t *)object, name, child)
                names[n++] = name;
        qsort(names, n, sizeof *names, compare_names);
        (void)fputc('{', out);
        for (size_t i = 0; i < n; i++) {
                su_auto_json json_t *key = json_string_nocheck(names[i]);
                int r;

                if (!key)
                        return -ENOMEM;
                if (i > 0)
                        (void)fputc(',', out);
                write_string(out, key);
                (void)fputc(':', out);
                r = write_value(out, json_object_get(object, names[i]));
                if (r < 0)
                        return r;
        }
        (void)fputc('}', out);
        return 0;
}

static int write_array(FILE *out, const json_t *array)
{
        json_t *child;
        size_t i;

        (void)fputc('[', out);
        json_array_foreach (array, i, child) {
                int r;

                if (i > 0)
                        (void)fputc(',', out);
                r = write_value(out, child);
                if (r < 0)
                        return r;
        }
        (void)fputc(']', out);
        return 0;
}

static int write_value(FILE *out, const json_t *value)
{
        switch (json_typeof(value)) {
        case JSON_OBJECT:
                return write_object(out, value);
        case JSON_ARRAY:
                return write_array(out, value);
        case JSON_STRING:
                write_string(out, value);
                return 0;
        case JSON_INTEGER:
                (void)fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
                return 0;
        case JSON_TRUE:
                (void)fputs("true", out);
                return 0;
        case JSON_FALSE:
                (void)fputs("false", out);
                return 0;
        case JSON_NULL:
                (void)fputs("null", out);
                return 0;
        default:
                return -EBADMSG;
        }
}

int su_json_canonical(const json_t *value, char **ret_text, size_t *ret_size, struct su_error *err)
{
        su_auto_free char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        int r;

        if (!out)
                return su_fail_oom(err);
        r = write_value(out, value);
        if (r >= 0 && ferror(out))
                r = -ENOMEM;
        if (fclose(out) != 0)
                return su_fail_oom(err);
        if (r == -EBADMSG)
                return su_fail(err, SU_ERROR_FORMAT, "a real number has no canonical form");
        if (r < 0)
                return su_fail_oom(err);
        *ret_text = su_take(text);
        *ret_size = size;
        return 0;
}

/* Not by json_dumps(): where its buffer cannot grow while a name is written, jansson 2.14 leaves
 * that out and goes on. `ret_text` has room for two more bytes, the first of which is a NUL. */
static int dump(const json_t *value, size_t flags, char **ret_text, size_t *ret_size,
                struct su_error *err)
{
        size_t size = json_dumpb(value, NULL, 0, flags | JSON_SORT_KEYS);
        su_auto_free char *text = size > 0 ? malloc(size + 2) : NULL;

        if (!text || json_dumpb(value, text, size, flags | JSON_SORT_KEYS) != size)
                return su_fail_oom(err);
        text[size] = '\0';
        *ret_text = su_take(text);
        *ret_size = size;
        return 0;
}

int su_json_compact(const json_t *value, char **ret_text, size_t *ret_size, struct su_error *err)
{
        return dump(value, JSON_COMPACT, ret_text, ret_size, err);
}

int su_json_pretty(const json_t *value, char **ret_text, size_t *ret_size, struct su_error *err)
{
        int r;

        r = dump(value, JSON_INDENT(2), ret_text, ret_size, err);
        if (r < 0)
                return r;
        memcpy(*ret_text + *ret_size, "\n", sizeof "\n");
        (*ret_size)++;
        return 0;
}

static int get_typed(const json_t *object, const char *name, json_type type, const char *type_name,
                     bool may_be_missing, json_t **ret, struct su_error *err)
{
        json_t *value = json_object_get(object, name);

        if (!value || json_is_null(value)) {
                if (!may_be_missing)
                        return su_fail(err, SU_ERROR_FORMAT, "field '%s' is missing", name);
                *ret = NULL;
                return 0;
        }
        if (json_typeof(value) != type)
                return su_fail(err, SU_ERROR_FORMAT, "field '%s' is not %s", name, type_name);
        *ret = value;
        return 0;
}

int su_json_get_object(const json_t *object, const char *name, json_t **ret, struct su_error *err)
{
        return get_typed(object, name, JSON_OBJECT, "an object", false, ret, err);
}

int su_json_find_object(const json_t *object, const char *name, json_t **ret, struct su_error *err)
{
        return get_typed(object, name, JSON_OBJECT, "an object", true, ret, err);
}

int su_json_get_array(const json_t *object, const char *name, json_t **ret, struct su_error *err)
{
        return get_typed(object, name, JSON_ARRAY, "an array", false, ret, err);
}

static int get_string(const json_t *object, const char *name, bool may_be_missing, const char **ret,
                      struct su_error *err)
{
        json_t *value = NULL;
        int r;

        r = get_typed(object, name, JSON_STRING, "a string", may_be_missing, &value, err);
        if (r < 0)
                return r;
        *ret = value ? json_string_value(value) : NULL;
        return 0;
}

int su_json_get_string(const json_t *object, const char *name, const char **ret,
                       struct su_error *err)
{
        return get_string(object, name, false, ret, err);
}

int su_json_find_string(const json_t *object, const char *name, const char **ret,
                        struct su_error *err)
{
        return get_string(object, name, true, ret, err);
}

int su_json_get_integer(const json_t *object, const char *name, int64_t min, int64_t max,
                        int64_t *ret, struct su_error *err)
{
        json_t *value = NULL;
        int r;

        r = get_typed(object, name, JSON_INTEGER, "an integer", false, &value, err);
        if (r < 0)
                return r;
        if (json_integer_value(value) < min || json_integer_value(value) > max)
                return su_fail(err, SU_ERROR_FORMAT, "field '%s' is out of range", name);
        *ret = json_integer_value(value);
        return 0;
}

int su_json_get_hex(const json_t *object, const char *name, void *ret, size_t size,
                    struct su_error *err)
{
        const char *text;
        int r;

        r = su_json_get_string(object, name, &text, err);
        if (r < 0)
                return r;
        if (!su_hex_decode(text, ret, size))
                return su_fail(err, SU_ERROR_FORMAT, "field '%s' is not %zu bytes in hexadecimal",
                               name, size);
        return 0;
}

int su_json_expect_type(const json_t *object, const char *type, int64_t version,
                        struct su_error *err)
{
        const char *found;
        int64_t found_version;
        int r;

        if (!json_is_object(object))
                return su_fail(err, SU_ERROR_FORMAT, "the document is not an object");
        r = su_json_get_string(object, "type", &found, err);
        if (r < 0)
                return r;
        if (strcmp(found, type) != 0)
                return su_fail(err, SU_ERROR_FORMAT, "the document is a '%s', not a '%s'", found,
                               type);
        r = su_json_get_integer(object, "version", 1, INT64_MAX, &found_version, err);
        if (r < 0)
                return r;
        if (found_version != version)
                return su_fail(err, SU_ERROR_UNSUPPORTED,
                               "version %lld of a '%s' is not known to this program",
                               (long long)found_version, type);
        return 0;
}

int su_json_set_hex(json_t *object, const char *name, const void *data, size_t size)
{
        su_auto_free char *text = malloc(2 * size + 1);

        if (!text)
                return -ENOMEM;
        su_hex_encode(data, size, text);
        return json_object_set_new(object, name, json_string(text)) < 0 ? -ENOMEM : 0;
}
