#include "improvement/manifest.h"

#include <string.h>

#include "base/clock.h"
#include "base/printable.h"
#include "base/text.h"
#include "improvement/codec.h"
#include "json/json.h"

#define MANIFEST_TYPE "suture-manifest"
#define MANIFEST_VERSION 1
#define DELTAS_MAX 64
#define SOURCES_MAX 4096

static int copy_field(const char *text, char **ret, struct su_error *err)
{
        if (!text) {
                *ret = NULL;
                return 0;
        }
        return su_strdup(text, ret, err);
}

static int read_object(const json_t *parent, const char *name, struct su_object *ret,
                       struct su_error *err)
{
        json_t *object;
        int64_t size;
        int r;

        r = su_json_get_object(parent, name, &object, err);
        if (r < 0)
                return r;
        r = su_json_get_integer(object, "size", 1, INT64_MAX, &size, err);
        if (r >= 0)
                r = su_json_get_hex(object, "sha256", ret->sha256.bytes, sizeof ret->sha256.bytes,
                                    err);
        if (r < 0)
                return su_fail_prefix(err, r, "%s", name);
        ret->size = (uint64_t)size;
        return 0;
}

bool su_severity_is_known(const char *text)
{
        static const char *const severities[] = {"low", "moderate", "high", "critical"};

        for (size_t i = 0; i < SU_ELEMENTS(severities); i++)
                if (strcmp(severities[i], text) == 0)
                        return true;
        return false;
}

/* RFC 3986: the characters of a URI. */
bool su_advisory_url_is_usable(const char *text)
{
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789-._~:/?#[]@!$&()*+,;=%";
        static const char scheme[] = "https://";
        const size_t size = strlen(text);

        return su_starts_with(text, scheme) && size > strlen(scheme) &&
               size <= SU_ADVISORY_URL_MAX && strspn(text, allowed) == size;
}

bool su_fix_text_is_usable(const char *text, size_t max)
{
        return text[0] != '\0' && strlen(text) <= max && su_is_printable(text);
}

static int read_line(const json_t *object, const char *name, size_t max, char **ret,
                     struct su_error *err)
{
        const char *text;
        int r;

        r = su_json_find_string(object, name, &text, err);
        if (r < 0)
                return r;
        if (text && !su_fix_text_is_usable(text, max))
                return su_fail(err, SU_ERROR_FORMAT, "field '%s' is no line of text", name);
        return copy_field(text, ret, err);
}

static int read_url(const json_t *object, char **ret, struct su_error *err)
{
        const char *url;
        int r;

        r = su_json_find_string(object, "url", &url, err);
        if (r < 0)
                return r;
        if (url && !su_advisory_url_is_usable(url))
                return su_fail(err, SU_ERROR_FORMAT, "url: not an https URL");
        return copy_field(url, ret, err);
}

/* A severity that is not known here comes from a newer publisher: to this reader it is none. */
static int read_fix(const json_t *object, void *ret, struct su_error *err)
{
        struct su_fix *fix = ret;
        const char *id;
        const char *title;
        const char *severity;
        int r;

        r = su_json_get_safe_name(object, "id", &id, err);
        if (r >= 0)
                r = su_json_find_string(object, "title", &title, err);
        if (r >= 0)
                r = su_json_find_string(object, "severity", &severity, err);
        if (r >= 0)
                r = copy_field(id, &fix->id, err);
        if (r >= 0)
                r = copy_field(title, &fix->title, err);
        if (r >= 0 && severity && su_severity_is_known(severity))
                r = copy_field(severity, &fix->severity, err);
        if (r >= 0)
                r = read_line(object, "impact", SU_IMPACT_MAX, &fix->impact, err);
        if (r >= 0)
                r = read_line(object, "credit", SU_CREDIT_MAX, &fix->credit, err);
        return r < 0 ? r : read_url(object, &fix->url, err);
}

static int read_file(const json_t *object, void *ret, struct su_error *err)
{
        struct su_changed_file *file = ret;
        const char *path;
        json_t *after = NULL;
        json_t *before;
        int r;

        r = su_json_get_os_path(object, "path", &path, err);
        if (r >= 0)
                r = copy_field(path, &file->path, err);
        if (r >= 0)
                r = su_json_find_object(object, "before", &before, err);
        if (r < 0)
                return r;
        file->is_new = !before;
        file->is_gone = before && json_is_null(json_object_get(object, "after"));
        if (!file->is_gone)
                r = su_json_get_object(object, "after", &after, err);
        if (r < 0)
                return r;
        if (before) {
                r = su_facts_from_json(before, &file->before, err);
                if (r < 0)
                        return su_fail_prefix(err, r, "before");
        }
        if (after) {
                r = su_facts_from_json(after, &file->after, err);
                if (r < 0)
                        return su_fail_prefix(err, r, "after");
        }
        return 0;
}

static int read_image(const json_t *parent, struct su_image_ref *ret, struct su_error *err)
{
        json_t *object;
        int64_t size;
        int r;

        r = su_json_get_object(parent, "image", &object, err);
        if (r < 0)
                return r;
        r = su_json_get_integer(object, "size", 1, INT64_MAX, &size, err);
        if (r >= 0)
                r = su_json_get_hex(object, "seal", ret->seal.bytes, sizeof ret->seal.bytes, err);
        if (r < 0)
                return su_fail_prefix(err, r, "image");
        ret->size = (uint64_t)size;
        return 0;
}

static int read_source(const json_t *object, void *ret, struct su_error *err)
{
        struct su_delta_source_ref *source = ret;
        const char *path;
        int64_t size;
        int r;

        if (json_object_get(object, "image")) {
                if (json_object_get(object, "path"))
                        return su_fail(err, SU_ERROR_FORMAT, "it has both 'image' and 'path'");
                return read_image(object, &source->image, err);
        }
        r = su_json_get_os_path(object, "path", &path, err);
        if (r >= 0)
                r = su_json_get_integer(object, "size", 0, INT64_MAX, &size, err);
        if (r >= 0)
                r = su_json_get_hex(object, "sha256", source->sha256.bytes,
                                    sizeof source->sha256.bytes, err);
        if (r >= 0)
                r = copy_field(path, &source->path, err);
        if (r >= 0)
                source->size = (uint64_t)size;
        return r;
}

static int read_delta(const json_t *object, void *ret, struct su_error *err)
{
        struct su_delta_ref *delta = ret;
        int r;

        r = read_object(object, "object", &delta->object, err);
        if (r < 0)
                return r;
        return su_json_read_elements(object, "sources", SOURCES_MAX, sizeof *delta->sources,
                                     read_source, &delta->sources, &delta->n_sources, err);
}

static int read_strings(const json_t *object, const char *name, size_t max,
                        bool (*is_right)(const char *text), char ***ret, size_t *ret_n,
                        struct su_error *err)
{
        const json_t *array = json_object_get(object, name);
        const json_t *element;
        size_t i;

        if (!array)
                return 0;
        if (!json_is_array(array) || json_array_size(array) > max)
                return su_fail(err, SU_ERROR_FORMAT, "field '%s' is not an array of strings", name);
        *ret = calloc(json_array_size(array) + 1, sizeof **ret);
        if (!*ret)
                return su_fail_oom(err);
        json_array_foreach (array, i, element) {
                const char *text = json_string_value(element);
                int r;

                if (!text || !is_right(text))
                        return su_fail(err, SU_ERROR_FORMAT, "field '%s' has what is not one",
                                       name);
                r = su_strdup(text, &(*ret)[i], err);
                if (r < 0)
                        return r;
                (*ret_n)++;
        }
        return 0;
}

bool su_mark_is_usable(const char *text)
{
        size_t size = strlen(text);

        return size >= SU_MARK_MIN && size <= SU_MARK_MAX && su_is_printable_ascii(text);
}

static int read_notice(const json_t *object, char **ret, struct su_error *err)
{
        const char *notice;
        int r;

        r = su_json_find_string(object, "notice", &notice, err);
        if (r < 0)
                return r;
        if (notice && (strlen(notice) > SU_NOTICE_MAX || !su_is_printable_ascii(notice)))
                return su_fail(err, SU_ERROR_FORMAT, "field 'notice' is no line of text");
        return copy_field(notice, ret, err);
}

/* By it anybody can make the image again. */
static int read_making(const json_t *object, struct su_component *component, struct su_error *err)
{
        const char *created;
        json_t *made;
        int r;

        r = su_json_find_object(object, "made", &made, err);
        if (r < 0 || !made)
                return r;
        r = su_level_from_json(made, "level", &component->made_for, err);
        if (r >= 0)
                r = su_json_get_string(made, "created", &created, err);
        if (r >= 0 && !su_time_parse(created, &component->made_at))
                r = su_fail(err, SU_ERROR_FORMAT, "field 'created' is not a time");
        return r < 0 ? su_fail_prefix(err, r, "made") : 0;
}

static json_t *making_to_json(const struct su_component *component)
{
        char created[SU_TIME_TEXT_SIZE];

        if (component->made_for.name[0] == '\0')
                return json_null();
        su_time_format(component->made_at, created);
        return json_pack("{s:s, s:s}", "level", component->made_for.name, "created", created);
}

/* Shown to people as they are: a reader of another version may know other checks. */
static int read_override(const json_t *object, void *ret, struct su_error *err)
{
        struct su_override *override = ret;
        const char *check;
        const char *path;
        const char *finding;
        const char *reason;
        int r;

        r = su_json_get_safe_name(object, "check", &check, err);
        if (r >= 0)
                r = su_json_get_string(object, "path", &path, err);
        if (r >= 0)
                r = su_json_get_string(object, "finding", &finding, err);
        if (r >= 0)
                r = su_json_get_string(object, "reason", &reason, err);
        if (r >= 0)
                r = copy_field(check, &override->check, err);
        if (r >= 0)
                r = copy_field(path, &override->path, err);
        if (r >= 0)
                r = copy_field(finding, &override->finding, err);
        return r < 0 ? r : copy_field(reason, &override->reason, err);
}

static int read_overrides(const json_t *object, struct su_component *component,
                          struct su_error *err)
{
        if (!json_object_get(object, "overrides"))
                return 0;
        return su_json_read_elements(object, "overrides", SU_OVERRIDES_MAX,
                                     sizeof *component->overrides, read_override,
                                     &component->overrides, &component->n_overrides, err);
}

static int read_component(const json_t *object, void *ret, struct su_error *err)
{
        struct su_component *component = ret;
        const char *name;
        const char *old_version;
        const char *new_version;
        int r;

        r = su_json_get_safe_name(object, "name", &name, err);
        if (r >= 0)
                r = su_json_find_string(object, "old_version", &old_version, err);
        if (r >= 0)
                r = su_json_get_string(object, "new_version", &new_version, err);
        if (r >= 0)
                r = copy_field(name, &component->name, err);
        if (r >= 0)
                r = copy_field(old_version, &component->old_version, err);
        if (r >= 0)
                r = copy_field(new_version, &component->new_version, err);
        if (r >= 0)
                r = read_image(object, &component->image, err);
        if (r >= 0)
                r = su_json_read_elements(object, "fixes", SU_FIXES_MAX, sizeof *component->fixes,
                                          read_fix, &component->fixes, &component->n_fixes, err);
        if (r >= 0)
                r = su_json_read_elements(object, "files", SU_COMPONENT_FILES_MAX,
                                          sizeof *component->files, read_file, &component->files,
                                          &component->n_files, err);
        if (r >= 0)
                r = su_json_read_elements(object, "deltas", DELTAS_MAX, sizeof *component->deltas,
                                          read_delta, &component->deltas, &component->n_deltas,
                                          err);
        if (r >= 0)
                r = read_notice(object, &component->notice, err);
        if (r >= 0)
                r = read_strings(object, "packages", SU_PACKAGES_MAX, su_name_is_safe,
                                 &component->packages, &component->n_packages, err);
        if (r >= 0)
                r = read_strings(object, "marks", SU_MARKS_MAX, su_mark_is_usable,
                                 &component->marks, &component->n_marks, err);
        if (r >= 0)
                r = read_overrides(object, component, err);
        if (r >= 0)
                r = read_making(object, component, err);
        if (r >= 0)
                r = su_rules_from_json(object, "hints", &component->hints, err);
        if (r >= 0)
                r = su_health_from_json(object, "health", &component->health, err);
        return r;
}

static int read_head(const json_t *document, struct su_manifest *manifest, struct su_error *err)
{
        const char *baseline;
        const char *architecture;
        const char *level;
        const char *created;
        int r;

        r = su_json_expect_type(document, MANIFEST_TYPE, MANIFEST_VERSION, err);
        if (r >= 0)
                r = su_json_get_safe_name(document, "baseline", &baseline, err);
        if (r >= 0)
                r = su_json_get_safe_name(document, "architecture", &architecture, err);
        if (r >= 0)
                r = su_json_get_string(document, "level", &level, err);
        if (r >= 0)
                r = su_json_get_string(document, "created", &created, err);
        if (r < 0)
                return r;
        if (!su_level_parse(level, &manifest->level))
                return su_fail(err, SU_ERROR_FORMAT, "field 'level' is not a level");
        if (!su_time_parse(created, &manifest->created))
                return su_fail(err, SU_ERROR_FORMAT, "field 'created' is not a time");
        r = copy_field(baseline, &manifest->baseline, err);
        if (r >= 0)
                r = copy_field(architecture, &manifest->architecture, err);
        return r;
}

/* A component has one image: its name stands once. */
static int check_names(const struct su_manifest *manifest, struct su_error *err)
{
        for (size_t i = 0; i < manifest->n_components; i++)
                for (size_t j = 0; j < i; j++)
                        if (strcmp(manifest->components[i].name, manifest->components[j].name) == 0)
                                return su_fail(err, SU_ERROR_FORMAT,
                                               "component '%s' stands in it twice",
                                               manifest->components[i].name);
        return 0;
}

int su_manifest_parse_draft(const char *text, size_t size, struct su_manifest *ret,
                            struct su_error *err)
{
        su_auto_manifest struct su_manifest manifest = {0};
        su_auto_json json_t *document = NULL;
        int r;

        r = su_json_parse(text, size, &document, err);
        if (r >= 0)
                r = read_head(document, &manifest, err);
        if (r >= 0)
                r = su_json_read_elements(document, "components", SU_COMPONENTS_MAX,
                                          sizeof *manifest.components, read_component,
                                          &manifest.components, &manifest.n_components, err);
        if (r >= 0)
                r = check_names(&manifest, err);
        if (r < 0)
                return su_fail_prefix(err, r, "manifest");
        *ret = manifest;
        manifest = (struct su_manifest){0};
        return 0;
}

/* In a draft they may be still to be made. */
static int check_deltas(const struct su_manifest *manifest, struct su_error *err)
{
        for (size_t i = 0; i < manifest->n_components; i++)
                if (manifest->components[i].n_deltas == 0)
                        return su_fail(err, SU_ERROR_FORMAT,
                                       "field 'deltas' of component '%s' is empty",
                                       manifest->components[i].name);
        return 0;
}

int su_manifest_parse(const char *text, size_t size, struct su_manifest *ret, struct su_error *err)
{
        su_auto_manifest struct su_manifest manifest = {0};
        int r;

        r = su_manifest_parse_draft(text, size, &manifest, err);
        if (r < 0)
                return r;
        r = check_deltas(&manifest, err);
        if (r < 0)
                return su_fail_prefix(err, r, "manifest");
        *ret = manifest;
        manifest = (struct su_manifest){0};
        return 0;
}

/* Writing: NULL means that memory ran out; json_pack() passes it on. */

static json_t *object_to_json(const struct su_object *object)
{
        su_auto_json json_t *json = json_pack("{s:I}", "size", (json_int_t)object->size);

        if (!json ||
            su_json_set_hex(json, "sha256", object->sha256.bytes, sizeof object->sha256.bytes) < 0)
                return NULL;
        return su_take(json);
}

/* Not by json_pack()'s "s*", which leaves a field out as well when memory runs out. */
static int set_optional(json_t *object, const char *name, const char *text)
{
        return text ? json_object_set_new(object, name, json_string(text)) : 0;
}

static json_t *fix_to_json(const struct su_fix *fix)
{
        su_auto_json json_t *json = json_pack("{s:s, s:s?, s:s?}", "id", fix->id, "title",
                                              fix->title, "severity", fix->severity);

        if (!json || set_optional(json, "url", fix->url) < 0 ||
            set_optional(json, "impact", fix->impact) < 0 ||
            set_optional(json, "credit", fix->credit) < 0)
                return NULL;
        return su_take(json);
}

static json_t *file_to_json(const struct su_changed_file *file)
{
        return json_pack("{s:s, s:o, s:o}", "path", file->path, "before",
                         file->is_new ? json_null() : su_facts_to_json(&file->before), "after",
                         file->is_gone ? json_null() : su_facts_to_json(&file->after));
}

static json_t *image_to_json(const struct su_image_ref *image)
{
        su_auto_json json_t *json = json_pack("{s:I}", "size", (json_int_t)image->size);

        if (!json || su_json_set_hex(json, "seal", image->seal.bytes, sizeof image->seal.bytes) < 0)
                return NULL;
        return su_take(json);
}

static json_t *source_to_json(const struct su_delta_source_ref *source)
{
        su_auto_json json_t *json = NULL;

        if (!source->path)
                return json_pack("{s:o}", "image", image_to_json(&source->image));
        json = json_pack("{s:s, s:I}", "path", source->path, "size", (json_int_t)source->size);
        if (!json ||
            su_json_set_hex(json, "sha256", source->sha256.bytes, sizeof source->sha256.bytes) < 0)
                return NULL;
        return su_take(json);
}

static json_t *delta_to_json(const struct su_delta_ref *delta)
{
        su_auto_json json_t *sources = json_array();

        for (size_t i = 0; i < delta->n_sources; i++)
                if (json_array_append_new(sources, source_to_json(&delta->sources[i])) < 0)
                        return NULL;
        return json_pack("{s:o, s:O}", "object", object_to_json(&delta->object), "sources",
                         sources);
}

static json_t *strings_to_json(char *const *strings, size_t n)
{
        su_auto_json json_t *array = json_array();

        for (size_t i = 0; i < n; i++)
                if (json_array_append_new(array, json_string(strings[i])) < 0)
                        return NULL;
        return su_take(array);
}

static json_t *overrides_to_json(const struct su_component *component)
{
        su_auto_json json_t *array = json_array();

        for (size_t i = 0; i < component->n_overrides; i++) {
                const struct su_override *override = &component->overrides[i];

                if (json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s}", "check",
                                                           override->check, "path", override->path,
                                                           "finding", override->finding, "reason",
                                                           override->reason)) < 0)
                        return NULL;
        }
        return su_take(array);
}

static json_t *component_to_json(const struct su_component *component)
{
        su_auto_json json_t *fixes = json_array();
        su_auto_json json_t *files = json_array();
        su_auto_json json_t *deltas = json_array();
        for (size_t i = 0; i < component->n_fixes; i++)
                if (json_array_append_new(fixes, fix_to_json(&component->fixes[i])) < 0)
                        return NULL;
        for (size_t i = 0; i < component->n_files; i++)
                if (json_array_append_new(files, file_to_json(&component->files[i])) < 0)
                        return NULL;
        for (size_t i = 0; i < component->n_deltas; i++)
                if (json_array_append_new(deltas, delta_to_json(&component->deltas[i])) < 0)
                        return NULL;
        return json_pack(
                "{s:s, s:s?, s:s, s:o, s:O, s:O, s:O, s:s?, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
                component->name, "old_version", component->old_version, "new_version",
                component->new_version, "image", image_to_json(&component->image), "fixes", fixes,
                "files", files, "deltas", deltas, "notice", component->notice, "packages",
                strings_to_json(component->packages, component->n_packages), "marks",
                strings_to_json(component->marks, component->n_marks), "overrides",
                overrides_to_json(component), "hints", su_rules_to_json(&component->hints),
                "health", su_health_to_json(&component->health), "made", making_to_json(component));
}

int su_manifest_write(const struct su_manifest *manifest, char **ret_text, size_t *ret_size,
                      struct su_error *err)
{
        su_auto_json json_t *components = json_array();
        su_auto_json json_t *document = NULL;
        char created[SU_TIME_TEXT_SIZE];

        for (size_t i = 0; i < manifest->n_components; i++)
                if (json_array_append_new(components, component_to_json(&manifest->components[i])) <
                    0)
                        return su_fail_oom(err);
        su_time_format(manifest->created, created);
        document = json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:O}", "type", MANIFEST_TYPE,
                             "version", MANIFEST_VERSION, "baseline", manifest->baseline,
                             "architecture", manifest->architecture, "level", manifest->level.name,
                             "created", created, "components", components);
        if (!document)
                return su_fail_oom(err);
        return su_json_compact(document, ret_text, ret_size, err);
}

void su_component_done(struct su_component *component)
{
        for (size_t i = 0; i < component->n_fixes; i++) {
                free(component->fixes[i].id);
                free(component->fixes[i].title);
                free(component->fixes[i].severity);
                free(component->fixes[i].url);
                free(component->fixes[i].impact);
                free(component->fixes[i].credit);
        }
        for (size_t i = 0; i < component->n_files; i++)
                free(component->files[i].path);
        for (size_t i = 0; i < component->n_deltas; i++) {
                for (size_t j = 0; j < component->deltas[i].n_sources; j++)
                        free(component->deltas[i].sources[j].path);
                free(component->deltas[i].sources);
        }
        for (size_t i = 0; i < component->n_packages; i++)
                free(component->packages[i]);
        for (size_t i = 0; i < component->n_marks; i++)
                free(component->marks[i]);
        for (size_t i = 0; i < component->n_overrides; i++) {
                free(component->overrides[i].check);
                free(component->overrides[i].path);
                free(component->overrides[i].finding);
                free(component->overrides[i].reason);
        }
        free(component->overrides);
        free(component->notice);
        free(component->packages);
        free(component->marks);
        su_rules_done(&component->hints);
        su_health_done(&component->health);
        free(component->fixes);
        free(component->files);
        free(component->deltas);
        free(component->name);
        free(component->old_version);
        free(component->new_version);
        *component = (struct su_component){0};
}

void su_manifest_done(struct su_manifest *manifest)
{
        for (size_t i = 0; i < manifest->n_components; i++)
                su_component_done(&manifest->components[i]);
        free(manifest->components);
        free(manifest->baseline);
        free(manifest->architecture);
        *manifest = (struct su_manifest){0};
}

void su_manifest_list_done(struct su_manifest_list *list)
{
        for (size_t i = 0; i < list->n_manifests; i++)
                su_manifest_done(&list->manifests[i]);
        free(list->manifests);
        *list = (struct su_manifest_list){0};
}

const struct su_component *su_manifest_component(const struct su_manifest *manifest,
                                                 const char *name)
{
        for (size_t i = 0; i < manifest->n_components; i++)
                if (strcmp(manifest->components[i].name, name) == 0)
                        return &manifest->components[i];
        return NULL;
}

int su_manifest_target(const char *baseline, const struct su_level *level, char **ret,
                       struct su_error *err)
{
        return su_format(ret, err, "%s/%s/manifest.json", baseline, level->name);
}

int su_channel_target(const char *baseline, char **ret, struct su_error *err)
{
        return su_format(ret, err, "%s/channel.json", baseline);
}

int su_object_path(const struct su_object *object, char **ret, struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];

        su_hex_encode(object->sha256.bytes, sizeof object->sha256.bytes, hex);
        return su_format(ret, err, "objects/%.2s/%s", hex, hex);
}
