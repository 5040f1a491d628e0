#include "log/audit.h"

#include <string.h>

#include "base/text.h"
#include "improvement/manifest.h"

/* What the visit of an entry needs. */
struct reading {
        struct su_place *place;
        struct su_audit *audit;
};

static int add_finding(struct su_audit *audit, uint64_t index, const struct su_error *why,
                       struct su_error *err)
{
        struct su_audit_finding *larger =
                reallocarray(audit->findings, audit->n_findings + 1, sizeof *larger);

        if (!larger)
                return su_fail_oom(err);
        audit->findings = larger;
        larger[audit->n_findings] = (struct su_audit_finding){.index = index};
        audit->n_findings++;
        return su_strdup(why->message, &larger[audit->n_findings - 1].message, err);
}

/* targets/BASELINE/LEVEL/SHA256.manifest.json */
static int manifest_path(const struct su_statement *statement, char **ret, struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];

        su_hex_encode(statement->manifest.bytes, SU_SHA256_SIZE, hex);
        return su_format(ret, err, "targets/%s/%s/%s.manifest.json", statement->baseline,
                         statement->level.name, hex);
}

static int check_manifest(struct su_place *place, const struct su_statement *statement,
                          struct su_error *err)
{
        su_auto_manifest struct su_manifest manifest = {0};
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        struct su_sha256 digest;
        size_t size;
        int r;

        r = manifest_path(statement, &path, err);
        if (r >= 0)
                r = su_place_get(place, path, SU_MANIFEST_SIZE_MAX, &text, &size, err);
        if (r >= 0)
                r = su_sha256_of(text, size, &digest, err);
        if (r < 0)
                return r;
        if (size != statement->manifest_size || !su_sha256_equal(&digest, &statement->manifest))
                return su_fail(err, SU_ERROR_DIGEST, "'%s' is not the manifest that was logged",
                               path);
        r = su_manifest_parse(text, size, &manifest, err);
        if (r < 0)
                return su_fail_prefix(err, r, "'%s'", path);
        if (strcmp(manifest.baseline, statement->baseline) != 0 ||
            su_level_compare(&manifest.level, &statement->level) != 0)
                return su_fail(err, SU_ERROR_FORMAT, "'%s' is of another baseline or level", path);
        return 0;
}

/* Reading fails for good when the place does not answer; everything else is about the entry. */
static bool is_about_the_entry(const struct su_error *error)
{
        return error->code == SU_ERROR_FORMAT || error->code == SU_ERROR_UNSUPPORTED ||
               error->code == SU_ERROR_NOT_FOUND || error->code == SU_ERROR_DIGEST ||
               error->code == SU_ERROR_TOO_LARGE;
}

static int visit_entry(void *userdata, uint64_t index, const struct su_log_entry *entry,
                       struct su_error *err)
{
        struct reading *reading = userdata;
        su_auto_statement struct su_statement statement = {0};
        struct su_error here = {0};
        int r;

        r = su_statement_parse(entry->data, entry->size, &statement, &here);
        if (r >= 0 && statement.kind == SU_STATEMENT_RELEASE) {
                reading->audit->n_releases++;
                r = check_manifest(reading->place, &statement, &here);
        } else if (r >= 0) {
                reading->audit->n_recalls++;
        }
        if (r >= 0)
                return 0;
        if (is_about_the_entry(&here))
                return add_finding(reading->audit, index, &here, err);
        if (err)
                *err = here;
        return r;
}

/* A note that was seen before: signed by the log, no matter who else had seen it then. */
static int read_old(const struct su_policy *policy, const char *note, struct su_checkpoint *ret,
                    struct su_error *err)
{
        su_auto_note struct su_note *parsed = NULL;
        bool is_signed = false;
        int r;

        r = su_note_parse(note, strlen(note), &parsed, err);
        if (r >= 0)
                r = su_checkpoint_parse(parsed->text, parsed->text_size, ret, err);
        for (size_t i = 0; i < su_policy_n_logs(policy) && r >= 0 && !is_signed; i++)
                if (strcmp(su_policy_log(policy, i)->key->name, ret->origin) == 0)
                        r = su_note_check(parsed, su_policy_log(policy, i)->key, &is_signed, err);
        if (r >= 0 && !is_signed)
                r = su_fail(err, SU_ERROR_SIGNATURE, "no log of the policy has signed it");
        return r < 0 ? su_fail_prefix(err, r, "the earlier checkpoint") : 0;
}

static int check_growth(struct su_tiles *tiles, const struct su_checkpoint *old,
                        const struct su_checkpoint *present, struct su_error *err)
{
        struct su_tree_proof proof;

        if (strcmp(old->origin, present->origin) != 0)
                return su_fail(err, SU_ERROR_ROLLBACK, "the earlier checkpoint is of log %s",
                               old->origin);
        if (old->size > present->size)
                return su_fail(err, SU_ERROR_ROLLBACK,
                               "the log has %llu entries, and had %llu before",
                               (unsigned long long)present->size, (unsigned long long)old->size);
        return su_tiles_prove_consistency(tiles, old->size, &old->root, &proof, err);
}

static int get_note(struct su_place *place, char **ret, size_t *ret_size, struct su_error *err)
{
        return su_place_get(place, "log/checkpoint", SU_NOTE_SIZE_MAX, ret, ret_size, err);
}

/* All of the log, against its checkpoint and the earlier one. */
static int read_log(struct su_place *place, const struct su_policy *policy,
                    const struct su_checkpoint *present, const char *old_note,
                    su_tiles_visit_entry visit, void *userdata, struct su_checkpoint *ret_old,
                    struct su_error *err)
{
        struct su_tiles_reader reader = su_place_tiles(place);
        su_auto_tiles struct su_tiles *tiles = NULL;
        int r;

        r = su_tiles_open(&reader, present->size, &present->root, &tiles, err);
        if (r >= 0 && old_note)
                r = read_old(policy, old_note, ret_old, err);
        if (r >= 0)
                r = su_tiles_verify_all(tiles, visit, userdata, err);
        if (r >= 0 && old_note)
                r = check_growth(tiles, ret_old, present, err);
        return r;
}

int su_audit_make(struct su_place *place, const struct su_policy *policy, const char *old_note,
                  struct su_audit *ret, struct su_error *err)
{
        su_auto_audit struct su_audit audit = {0};
        su_auto_checkpoint struct su_checkpoint old = {0};
        struct reading reading = {place, &audit};
        size_t size;
        int r;

        r = get_note(place, &audit.note, &size, err);
        if (r >= 0)
                r = su_log_head_verify(policy, audit.note, size, &audit.head, err);
        if (r >= 0)
                r = read_log(place, policy, &audit.head.checkpoint, old_note, visit_entry, &reading,
                             &old, err);
        if (r < 0)
                return r;
        audit.has_old = old_note != NULL;
        audit.old_size = old.size;
        *ret = audit;
        audit = (struct su_audit){0};
        return 0;
}

void su_audit_done(struct su_audit *audit)
{
        for (size_t i = 0; i < audit->n_findings; i++)
                free(audit->findings[i].message);
        free(audit->findings);
        free(audit->note);
        su_log_head_clear(&audit->head);
        *audit = (struct su_audit){0};
}

int su_audit_for_witness(struct su_place *place, const struct su_policy *policy,
                         const char *old_note, char **ret_note, char **ret_text,
                         struct su_error *err)
{
        su_auto_checkpoint struct su_checkpoint present = {0};
        su_auto_checkpoint struct su_checkpoint old = {0};
        su_auto_note struct su_note *parsed = NULL;
        su_auto_free char *note = NULL;
        size_t size;
        int r;

        r = get_note(place, &note, &size, err);
        if (r >= 0)
                r = read_old(policy, note, &present, err);
        if (r >= 0)
                r = read_log(place, policy, &present, old_note, NULL, NULL, &old, err);
        if (r >= 0)
                r = su_note_parse(note, size, &parsed, err);
        if (r >= 0)
                r = su_strdup(parsed->text, ret_text, err);
        if (r < 0)
                return r;
        *ret_note = su_take(note);
        return 0;
}
