#include "publish/checks/overrides.h"

#include <fnmatch.h>
#include <string.h>

#include "base/printable.h"
#include "base/text.h"

struct override {
        enum su_check check;
        char *pattern;
        const char *reason;
};

static void override_done(struct override *override)
{
        free(override->pattern);
}

static int parse(const char *text, struct override *ret, struct su_error *err)
{
        const char *colon = strchr(text, ':');
        const char *second = colon ? strchr(colon + 1, ':') : NULL;
        su_auto_free char *check = NULL;
        int r;

        if (!second || second == colon + 1 || second[1] == '\0')
                return su_fail(err, SU_ERROR_USAGE,
                               "'%s' is no override: say CHECK:PATTERN:REASON, for instance "
                               "'abi:/usr/lib/*/libx.so.1:nothing ever used it'",
                               text);
        r = su_format(&check, err, "%.*s", (int)(colon - text), text);
        if (r >= 0 && !su_check_find(check, &ret->check))
                return su_fail(err, SU_ERROR_USAGE, "there is no check '%s'", check);
        if (r >= 0)
                r = su_format(&ret->pattern, err, "%.*s", (int)(second - colon - 1), colon + 1);
        if (r < 0)
                return r;
        ret->reason = second + 1;
        if (strlen(ret->reason) > SU_REASON_MAX || !su_is_printable_ascii(ret->reason))
                return su_fail(err, SU_ERROR_USAGE, "a reason is a line of at most %d characters",
                               SU_REASON_MAX);
        return 0;
}

static int apply(const char *text, struct su_findings *findings, struct su_error *err)
{
        su_auto(override_done) struct override override = {0};
        bool used = false;
        int r;

        r = parse(text, &override, err);
        for (size_t i = 0; i < findings->n && r >= 0; i++) {
                struct su_finding *finding = &findings->list[i];

                if (finding->check != override.check ||
                    fnmatch(override.pattern, finding->path, 0) != 0)
                        continue;
                used = true;
                if (!finding->reason)
                        finding->reason = override.reason;
        }
        if (r >= 0 && !used)
                return su_fail(err, SU_ERROR_USAGE,
                               "nothing was found that the override '%s' could be about", text);
        return r;
}

int su_overrides_apply(const char *const *texts, size_t n, struct su_findings *findings,
                       struct su_error *err)
{
        for (size_t i = 0; i < n; i++) {
                int r = apply(texts[i], findings, err);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int record(const struct su_finding *finding, struct su_component *component,
                  struct su_error *err)
{
        struct su_override *override = &component->overrides[component->n_overrides];
        int r;

        component->n_overrides++;
        r = su_strdup(su_check_name(finding->check), &override->check, err);
        if (r >= 0)
                r = su_strdup(finding->path, &override->path, err);
        if (r >= 0)
                r = su_format(&override->finding, err, "%.*s", SU_FINDING_MAX, finding->text);
        if (r >= 0)
                r = su_strdup(finding->reason, &override->reason, err);
        return r;
}

int su_overrides_record(const struct su_findings *findings, struct su_component *component,
                        struct su_error *err)
{
        int r = 0;

        if (findings->n > SU_OVERRIDES_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE,
                               "a manifest tells of at most %d overrides, not of %zu",
                               SU_OVERRIDES_MAX, findings->n);
        component->overrides = calloc(findings->n + 1, sizeof *component->overrides);
        if (!component->overrides)
                return su_fail_oom(err);
        for (size_t i = 0; i < findings->n && r >= 0; i++)
                if (findings->list[i].reason)
                        r = record(&findings->list[i], component, err);
        return r;
}
