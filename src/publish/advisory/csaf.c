/* Two products: the OS as it came, which is affected, and the same with the level, which is fixed.
 * A recall is a second revision, in which the level fixes nothing any more. */
#include "publish/advisory/csaf.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "publish/advisory/escape.h"
#include "publish/advisory/names.h"

struct csaf {
        const struct su_advised *subject;
        const struct su_advised_level *level;
        char *product; /* ids of the products */
        char *fixed_product;
        char *page; /* URL of what people read */
};

static void csaf_done(struct csaf *csaf)
{
        free(csaf->product);
        free(csaf->fixed_product);
        free(csaf->page);
}

bool su_advisory_has_csaf(const struct su_advised_level *level)
{
        for (size_t i = 0; i < level->manifest.n_components; i++)
                if (level->manifest.components[i].n_fixes > 0)
                        return true;
        return false;
}

static int put(json_t *object, const char *name, json_t *value, struct su_error *err)
{
        return json_object_set_new(object, name, value) < 0 ? su_fail_oom(err) : 0;
}

static json_t *revision(int64_t when, const char *number, const char *summary)
{
        char date[SU_TIME_TEXT_SIZE];

        su_time_format(when, date);
        return json_pack("{s:s, s:s, s:o}", "date", date, "number", number, "summary",
                         su_plain_string(summary));
}

static int make_tracking(const struct csaf *csaf, json_t **ret, struct su_error *err)
{
        const struct su_advised_level *level = csaf->level;
        su_auto_json json_t *history = json_array();
        su_auto_free char *recalled = NULL;
        su_auto_free char *id = NULL;
        char initial[SU_TIME_TEXT_SIZE];
        char current[SU_TIME_TEXT_SIZE];
        int r;

        r = su_advisory_id(csaf->subject, level, &id, err);
        if (r >= 0 && json_array_append_new(history, revision(level->published, "1",
                                                              "The level was released.")) < 0)
                r = su_fail_oom(err);
        if (r >= 0 && level->recalled)
                r = su_format(&recalled, err, "The level was recalled: %s",
                              level->state->recall_reason);
        if (r >= 0 && level->recalled &&
            json_array_append_new(history, revision(level->recalled, "2", recalled)) < 0)
                r = su_fail_oom(err);
        if (r < 0)
                return r;
        su_time_format(level->published, initial);
        su_time_format(su_advised_changed(level), current);
        *ret = json_pack("{s:s, s:s, s:s, s:O, s:s, s:s}", "id", id, "initial_release_date",
                         initial, "current_release_date", current, "revision_history", history,
                         "status", "final", "version", level->recalled ? "2" : "1");
        return *ret ? 0 : su_fail_oom(err);
}

static int make_publisher(const struct csaf *csaf, json_t **ret, struct su_error *err)
{
        const struct su_advisory_config *config = csaf->subject->config;
        su_auto_json json_t *publisher =
                json_pack("{s:s, s:o, s:s}", "category", "vendor", "name",
                          su_plain_string(config->name), "namespace", config->url);

        if (!publisher || su_set_plain(publisher, "contact_details", config->contact) < 0)
                return su_fail_oom(err);
        *ret = su_take(publisher);
        return 0;
}

static int make_references(const struct csaf *csaf, json_t **ret, struct su_error *err)
{
        su_auto_free char *file = NULL;
        su_auto_free char *self = NULL;
        int r;

        r = su_advisory_csaf_file(csaf->subject, csaf->level, &file, err);
        if (r >= 0)
                r = su_advisory_url(csaf->subject, file, &self, err);
        if (r < 0)
                return r;
        *ret = json_pack("[{s:s, s:s, s:s}, {s:s, s:s, s:s}]", "category", "self", "summary",
                         "This document", "url", self, "category", "self", "summary",
                         "The same for people", "url", csaf->page);
        return *ret ? 0 : su_fail_oom(err);
}

/* The gravest of its fixes. */
static const char *worst_severity(const struct su_manifest *manifest)
{
        static const char *const order[] = {"critical", "high", "moderate", "low"};

        for (size_t k = 0; k < SU_ELEMENTS(order); k++)
                for (size_t i = 0; i < manifest->n_components; i++)
                        for (size_t j = 0; j < manifest->components[i].n_fixes; j++) {
                                const char *severity = manifest->components[i].fixes[j].severity;

                                if (severity && strcmp(severity, order[k]) == 0)
                                        return order[k];
                        }
        return NULL;
}

static int make_notes(const struct csaf *csaf, json_t **ret, struct su_error *err)
{
        su_auto_free char *text = NULL;
        int r;

        r = csaf->level->recalled
                    ? su_format(&text, err, "This improvement was recalled, and fixes nothing: %s",
                                csaf->level->state->recall_reason)
                    : su_format(&text, err,
                                "An improvement that brings these fixes to baseline %s without a "
                                "full update.",
                                csaf->subject->baseline);
        if (r < 0)
                return r;
        *ret = json_pack("[{s:s, s:s, s:o}]", "category", "summary", "title", "Summary", "text",
                         su_plain_string(text));
        return *ret ? 0 : su_fail_oom(err);
}

static int add_document(const struct csaf *csaf, json_t *whole, struct su_error *err)
{
        const char *severity = worst_severity(&csaf->level->manifest);
        json_t *document =
                json_pack("{s:s, s:s, s:s, s:{s:{s:s}}}", "category", "csaf_vex", "csaf_version",
                          "2.0", "lang", "en", "distribution", "tlp", "label", "WHITE");
        su_auto_free char *title = NULL;
        json_t *part;
        int r;

        r = put(whole, "document", document, err);
        if (r >= 0)
                r = su_advisory_title(csaf->subject, csaf->level, &title, err);
        if (r >= 0)
                r = put(document, "title", json_string(title), err);
        if (r >= 0)
                r = make_publisher(csaf, &part, err);
        if (r >= 0)
                r = put(document, "publisher", part, err);
        if (r >= 0)
                r = make_tracking(csaf, &part, err);
        if (r >= 0)
                r = put(document, "tracking", part, err);
        if (r >= 0)
                r = make_notes(csaf, &part, err);
        if (r >= 0)
                r = put(document, "notes", part, err);
        if (r >= 0)
                r = make_references(csaf, &part, err);
        if (r >= 0)
                r = put(document, "references", part, err);
        if (r >= 0 && severity)
                r = put(document, "aggregate_severity", json_pack("{s:s}", "text", severity), err);
        return r;
}

/* The page that the product is told of on is its name for programs, too. */
static json_t *version_branch(const struct csaf *csaf, const char *version, const char *label,
                              const char *product, const char *uri)
{
        su_auto_free char *name = NULL;

        if (su_format(&name, NULL, "%s, %s%s", csaf->subject->os_name, csaf->subject->baseline,
                      label) < 0)
                return NULL;
        return json_pack("{s:s, s:o, s:{s:o, s:s, s:{s:[{s:s, s:s}]}}}", "category",
                         "product_version", "name", su_plain_string(version), "product", "name",
                         su_plain_string(name), "product_id", product,
                         "product_identification_helper", "x_generic_uris", "namespace",
                         csaf->subject->config->url, "uri", uri);
}

static int add_products(const struct csaf *csaf, json_t *whole, struct su_error *err)
{
        const struct su_advised *subject = csaf->subject;
        su_auto_free char *version = NULL;
        su_auto_free char *label = NULL;
        su_auto_free char *page = NULL;
        int r;

        r = su_advisory_version(subject, &csaf->level->state->level, &version, err);
        if (r >= 0)
                r = su_format(&label, err, ", level (%s)", csaf->level->state->level.name);
        if (r >= 0)
                r = su_advisory_url(subject, "index.html", &page, err);
        if (r < 0)
                return r;
        return put(
                whole, "product_tree",
                json_pack("{s:[{s:s, s:o, s:[{s:s, s:o, s:[o, o]}]}]}", "branches", "category",
                          "vendor", "name", su_plain_string(subject->config->name), "branches",
                          "category", "product_name", "name", su_plain_string(subject->os_name),
                          "branches",
                          version_branch(csaf,
                                         subject->version[0] ? subject->version : subject->baseline,
                                         "", csaf->product, page),
                          version_branch(csaf, version, label, csaf->fixed_product, csaf->page)),
                err);
}

static json_t *remediation(const struct csaf *csaf)
{
        char date[SU_TIME_TEXT_SIZE];

        su_time_format(su_advised_changed(csaf->level), date);
        if (csaf->level->recalled)
                return json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "category", "none_available",
                                 "date", date, "details",
                                 "The level that fixed it was recalled. Of later levels, if there "
                                 "are any, the page tells.",
                                 "url", csaf->page, "product_ids", csaf->product,
                                 csaf->fixed_product);
        return json_pack("{s:s, s:s, s:s, s:s, s:[s]}", "category", "vendor_fix", "date", date,
                         "details",
                         "Install this level or a later one: devices do so by themselves, or with "
                         "'suture install'.",
                         "url", csaf->page, "product_ids", csaf->product);
}

static json_t *product_status(const struct csaf *csaf)
{
        if (csaf->level->recalled)
                return json_pack("{s:[s], s:[s]}", "known_affected", csaf->product,
                                 "under_investigation", csaf->fixed_product);
        return json_pack("{s:[s], s:[s]}", "known_affected", csaf->product, "fixed",
                         csaf->fixed_product);
}

static int add_note(json_t *notes, const char *category, const char *title, const char *text,
                    struct su_error *err)
{
        return json_array_append_new(notes,
                                     json_pack("{s:s, s:s, s:o}", "category", category, "title",
                                               title, "text", su_plain_string(text))) < 0
                       ? su_fail_oom(err)
                       : 0;
}

/* What one component says of the vulnerability. */
static int add_words(const struct csaf *csaf, json_t *vulnerability,
                     const struct su_component *component, const struct su_fix *fix,
                     struct su_error *err)
{
        json_t *notes = json_object_get(vulnerability, "notes");
        su_auto_free char *text = NULL;
        int r;

        r = su_format(&text, err, "%s in %s%s%s", fix->id, component->name, fix->title ? ": " : "",
                      fix->title ? fix->title : "");
        if (r >= 0)
                r = add_note(notes, "description", "Description", text, err);
        if (r >= 0 && fix->severity)
                r = add_note(notes, "other", "Severity", fix->severity, err);
        if (r >= 0 && fix->impact &&
            json_array_append_new(json_object_get(vulnerability, "threats"),
                                  json_pack("{s:s, s:o, s:[s]}", "category", "impact", "details",
                                            su_plain_string(fix->impact), "product_ids",
                                            csaf->product)) < 0)
                r = su_fail_oom(err);
        if (r >= 0 && fix->credit &&
            json_array_append_new(json_object_get(vulnerability, "acknowledgments"),
                                  json_pack("{s:[o]}", "names", su_plain_string(fix->credit))) < 0)
                r = su_fail_oom(err);
        return r;
}

static int begin_vulnerability(const struct csaf *csaf, const struct su_fix *fix, json_t **ret,
                               struct su_error *err)
{
        su_auto_json json_t *vulnerability = NULL;
        su_auto_free char *url = NULL;
        int r;

        r = su_advisory_fix_url(fix, &url, err);
        if (r < 0)
                return r;
        vulnerability = json_pack("{s:o, s:o, s:o, s:o, s:[o]}", "notes", json_array(), "threats",
                                  json_array(), "acknowledgments", json_array(), "product_status",
                                  product_status(csaf), "remediations", remediation(csaf));
        if (!vulnerability)
                return su_fail_oom(err);
        r = su_advisory_is_cve(fix->id)
                    ? put(vulnerability, "cve", json_string(fix->id), err)
                    : put(vulnerability, "ids",
                          json_pack("[{s:o, s:s}]", "system_name",
                                    su_plain_string(csaf->subject->config->name), "text", fix->id),
                          err);
        if (r >= 0 && url)
                r = put(vulnerability, "references",
                        json_pack("[{s:s, s:s, s:s}]", "category", "external", "summary", fix->id,
                                  "url", url),
                        err);
        if (r >= 0)
                *ret = su_take(vulnerability);
        return r;
}

/* Whether the fix stands before that one: a vulnerability of several components is told once. */
static bool is_told(const struct su_manifest *manifest, size_t component, size_t fix)
{
        const char *id = manifest->components[component].fixes[fix].id;

        for (size_t i = 0; i <= component; i++) {
                const struct su_component *earlier = &manifest->components[i];

                for (size_t j = 0; j < (i == component ? fix : earlier->n_fixes); j++)
                        if (strcmp(earlier->fixes[j].id, id) == 0)
                                return true;
        }
        return false;
}

/* Lists must not be empty. */
static void drop_empty(json_t *vulnerability, const char *name)
{
        if (json_array_size(json_object_get(vulnerability, name)) == 0)
                (void)json_object_del(vulnerability, name);
}

static int add_vulnerability(const struct csaf *csaf, const struct su_fix *first,
                             json_t *vulnerabilities, struct su_error *err)
{
        const struct su_manifest *manifest = &csaf->level->manifest;
        su_auto_json json_t *vulnerability = NULL;
        int r;

        r = begin_vulnerability(csaf, first, &vulnerability, err);
        for (size_t i = 0; i < manifest->n_components && r >= 0; i++)
                for (size_t j = 0; j < manifest->components[i].n_fixes && r >= 0; j++)
                        if (strcmp(manifest->components[i].fixes[j].id, first->id) == 0)
                                r = add_words(csaf, vulnerability, &manifest->components[i],
                                              &manifest->components[i].fixes[j], err);
        if (r < 0)
                return r;
        drop_empty(vulnerability, "threats");
        drop_empty(vulnerability, "acknowledgments");
        return json_array_append(vulnerabilities, vulnerability) < 0 ? su_fail_oom(err) : 0;
}

static int add_vulnerabilities(const struct csaf *csaf, json_t *whole, struct su_error *err)
{
        const struct su_manifest *manifest = &csaf->level->manifest;
        json_t *vulnerabilities = json_array();
        int r;

        r = put(whole, "vulnerabilities", vulnerabilities, err);
        for (size_t i = 0; i < manifest->n_components && r >= 0; i++)
                for (size_t j = 0; j < manifest->components[i].n_fixes && r >= 0; j++)
                        if (!is_told(manifest, i, j))
                                r = add_vulnerability(csaf, &manifest->components[i].fixes[j],
                                                      vulnerabilities, err);
        return r;
}

int su_advisory_csaf(const struct su_advised *subject, const struct su_advised_level *level,
                     char **ret_text, size_t *ret_size, struct su_error *err)
{
        su_auto(csaf_done) struct csaf csaf = {.subject = subject, .level = level};
        su_auto_json json_t *whole = json_object();
        int r;

        r = su_strdup(subject->baseline, &csaf.product, err);
        if (r >= 0)
                r = su_format(&csaf.fixed_product, err, "%s:%s", subject->baseline,
                              level->state->level.name);
        if (r >= 0)
                r = su_advisory_section_url(subject, level, &csaf.page, err);
        if (r >= 0)
                r = add_document(&csaf, whole, err);
        if (r >= 0)
                r = add_products(&csaf, whole, err);
        if (r >= 0)
                r = add_vulnerabilities(&csaf, whole, err);
        return r < 0 ? r : su_json_pretty(whole, ret_text, ret_size, err);
}
