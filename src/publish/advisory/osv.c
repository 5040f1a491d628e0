/* The document is about an improvement, which may fix several vulnerabilities: these are its
 * `upstream`, as those of a distribution's advisory are, and no other names (`aliases`) of it. */
#include "publish/advisory/osv.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "publish/advisory/escape.h"
#include "publish/advisory/names.h"

#define SCHEMA_VERSION "1.7.0"

struct osv {
        const struct su_advised *subject;
        const struct su_advised_level *level;
        json_t *document;
};

/* Put what may not have been made for want of memory. */
static int put(json_t *object, const char *name, json_t *value, struct su_error *err)
{
        return json_object_set_new(object, name, value) < 0 ? su_fail_oom(err) : 0;
}

static bool has(const json_t *array, const char *name, const char *text)
{
        const json_t *element;
        size_t i;

        json_array_foreach (array, i, element) {
                const json_t *value = name ? json_object_get(element, name) : element;

                if (strcmp(json_string_value(value), text) == 0)
                        return true;
        }
        return false;
}

static int append_once(json_t *array, const char *name, json_t *element, struct su_error *err)
{
        const json_t *value = name ? json_object_get(element, name) : element;

        if (value && has(array, name, json_string_value(value))) {
                json_decref(element);
                return 0;
        }
        return json_array_append_new(array, element) < 0 ? su_fail_oom(err) : 0;
}

static int add_times(const struct osv *osv, struct su_error *err)
{
        char time[SU_TIME_TEXT_SIZE];
        int r;

        su_time_format(osv->level->published, time);
        r = put(osv->document, "published", json_string(time), err);
        su_time_format(su_advised_changed(osv->level), time);
        if (r >= 0)
                r = put(osv->document, "modified", json_string(time), err);
        if (r >= 0 && osv->level->recalled)
                r = put(osv->document, "withdrawn", json_string(time), err);
        return r;
}

static int add_reference(json_t *references, const char *type, const char *url,
                         struct su_error *err)
{
        return append_once(references, "url", json_pack("{s:s, s:s}", "type", type, "url", url),
                           err);
}

/* Of each fix of each component, what stands once in the document. */
static int add_fix(const struct su_fix *fix, json_t *upstream, json_t *references, json_t *credits,
                   struct su_error *err)
{
        su_auto_free char *url = NULL;
        int r;

        r = su_advisory_fix_url(fix, &url, err);
        if (r >= 0)
                r = append_once(upstream, NULL, json_string(fix->id), err);
        if (r >= 0 && url)
                r = add_reference(references, "ADVISORY", url, err);
        if (r >= 0 && fix->credit)
                r = append_once(credits, "name",
                                json_pack("{s:o, s:s}", "name", su_plain_string(fix->credit),
                                          "type", "REPORTER"),
                                err);
        return r;
}

static int add_fixes(const struct osv *osv, struct su_error *err)
{
        const struct su_manifest *manifest = &osv->level->manifest;
        json_t *upstream = json_array();
        json_t *references = json_array();
        json_t *credits = json_array();
        su_auto_free char *page = NULL;
        int r;

        r = put(osv->document, "upstream", upstream, err);
        if (r >= 0)
                r = put(osv->document, "references", references, err);
        if (r >= 0)
                r = put(osv->document, "credits", credits, err);
        if (r >= 0)
                r = su_advisory_section_url(osv->subject, osv->level, &page, err);
        if (r >= 0)
                r = add_reference(references, "ADVISORY", page, err);
        for (size_t i = 0; i < manifest->n_components && r >= 0; i++)
                for (size_t j = 0; j < manifest->components[i].n_fixes && r >= 0; j++)
                        r = add_fix(&manifest->components[i].fixes[j], upstream, references,
                                    credits, err);
        return r;
}

static json_t *fixes_to_json(const struct su_component *component)
{
        su_auto_json json_t *fixes = json_array();

        for (size_t i = 0; i < component->n_fixes; i++) {
                const struct su_fix *fix = &component->fixes[i];
                su_auto_json json_t *json = json_pack("{s:s}", "id", fix->id);

                if (!json || su_set_plain(json, "severity", fix->severity) < 0 ||
                    su_set_plain(json, "title", fix->title) < 0 ||
                    su_set_plain(json, "impact", fix->impact) < 0 ||
                    json_array_append(fixes, json) < 0)
                        return NULL;
        }
        return su_take(fixes);
}

static json_t *range_to_json(const struct su_component *component)
{
        return json_pack("{s:s, s:[{s:s}, {s:o}]}", "type", "ECOSYSTEM", "events", "introduced",
                         "0", "fixed", su_plain_string(component->new_version));
}

static int add_component(const struct osv *osv, const struct su_component *component,
                         json_t *affected, struct su_error *err)
{
        su_auto_free char *ecosystem = NULL;
        su_auto_json json_t *json = NULL;
        int r;

        r = su_advisory_ecosystem(osv->subject->config, osv->subject->baseline, &ecosystem, err);
        if (r < 0)
                return r;
        json = json_pack("{s:{s:s, s:s}, s:[o], s:{s:s, s:s, s:o}}", "package", "ecosystem",
                         ecosystem, "name", component->name, "ranges", range_to_json(component),
                         "database_specific", "baseline", osv->subject->baseline, "level",
                         osv->level->state->level.name, "fixes", fixes_to_json(component));
        if (!json || json_array_append(affected, json) < 0)
                return su_fail_oom(err);
        return component->old_version
                       ? put(json, "versions",
                             json_pack("[o]", su_plain_string(component->old_version)), err)
                       : 0;
}

static int add_affected(const struct osv *osv, struct su_error *err)
{
        const struct su_manifest *manifest = &osv->level->manifest;
        json_t *affected = json_array();
        int r;

        r = put(osv->document, "affected", affected, err);
        for (size_t i = 0; i < manifest->n_components && r >= 0; i++)
                r = add_component(osv, &manifest->components[i], affected, err);
        return r;
}

static void put_details(const struct osv *osv, FILE *out)
{
        const struct su_manifest *manifest = &osv->level->manifest;

        if (osv->level->recalled) {
                (void)fputs("This improvement was recalled: ", out);
                su_put_markdown(out, osv->level->state->recall_reason);
                (void)fputs("\n\n", out);
        }
        for (size_t i = 0; i < manifest->n_components; i++) {
                const struct su_component *component = &manifest->components[i];

                for (size_t j = 0; j < component->n_fixes; j++) {
                        const struct su_fix *fix = &component->fixes[j];

                        (void)fputs("- ", out);
                        su_put_markdown(out, fix->id);
                        (void)fputs(" in ", out);
                        su_put_markdown(out, component->name);
                        if (fix->title) {
                                (void)fputs(": ", out);
                                su_put_markdown(out, fix->title);
                        }
                        if (fix->impact) {
                                (void)fputs(" - ", out);
                                su_put_markdown(out, fix->impact);
                        }
                        (void)fputc('\n', out);
                }
        }
}

static int add_texts(const struct osv *osv, struct su_error *err)
{
        su_auto_pad struct su_pad pad = {0};
        su_auto_free char *id = NULL;
        su_auto_free char *title = NULL;
        su_auto_free char *details = NULL;
        size_t size;
        int r;

        r = su_advisory_id(osv->subject, osv->level, &id, err);
        if (r >= 0)
                r = su_advisory_title(osv->subject, osv->level, &title, err);
        if (r >= 0)
                r = su_pad_open(&pad, err);
        if (r < 0)
                return r;
        put_details(osv, pad.out);
        r = su_pad_take(&pad, &details, &size, err);
        if (r >= 0)
                r = put(osv->document, "id", json_string(id), err);
        if (r >= 0)
                r = put(osv->document, "summary", json_string(title), err);
        if (r >= 0)
                r = put(osv->document, "details", json_string(details), err);
        return r;
}

int su_advisory_osv(const struct su_advised *subject, const struct su_advised_level *level,
                    char **ret_text, size_t *ret_size, struct su_error *err)
{
        su_auto_json json_t *document = json_pack("{s:s}", "schema_version", SCHEMA_VERSION);
        const struct osv osv = {.subject = subject, .level = level, .document = document};
        int r;

        r = document ? add_texts(&osv, err) : su_fail_oom(err);
        if (r >= 0)
                r = add_times(&osv, err);
        if (r >= 0)
                r = add_fixes(&osv, err);
        if (r >= 0)
                r = add_affected(&osv, err);
        return r < 0 ? r : su_json_pretty(document, ret_text, ret_size, err);
}
