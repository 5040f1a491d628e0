/* suture-publish advisories: what is published, for people and scanners. */
#include "publish/tool/advisories.h"

#include <stdio.h>

#include "publish/advisory/config.h"
#include "publish/advisory/site.h"
#include "publish/tool/print.h"
#include "publish/tool/session.h"
#include "publish/tool/verbs.h"

static int print_json(const struct su_advisory_changes *changes, struct su_error *err)
{
        su_auto_json json_t *list = json_array();
        su_auto_json json_t *document = NULL;

        for (size_t i = 0; i < changes->n; i++)
                if (json_array_append_new(
                            list, json_pack("{s:s, s:s}", "path", changes->each[i].path, "change",
                                            changes->each[i].is_removed ? "removed" : "written")) <
                    0)
                        return su_fail_oom(err);
        document = json_pack("{s:O, s:I}", "changes", list, "unchanged",
                             (json_int_t)changes->n_unchanged);
        return su_print_json(document, err);
}

static void print_changes(const struct su_advisory_changes *changes)
{
        for (size_t i = 0; i < changes->n; i++)
                (void)printf("%s public/advisories/%s\n",
                             changes->each[i].is_removed ? "Removed" : "Wrote  ",
                             changes->each[i].path);
        (void)printf("%zu files are as they were.\n", changes->n_unchanged);
}

int su_verb_advisories(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_advisory_changes struct su_advisory_changes changes = {0};
        int r;

        r = su_publisher_open(arguments, SU_WORKSPACE_CHANGE, &publisher, err);
        if (r >= 0)
                r = su_advisories_write(&publisher.workspace, &changes, err);
        if (r < 0)
                return r;
        if (arguments->json)
                return print_json(&changes, err);
        print_changes(&changes);
        return 0;
}

void su_advisories_follow(const struct su_publisher *publisher)
{
        su_auto_advisory_changes struct su_advisory_changes changes = {0};
        struct su_error error = {0};

        if (!su_advisory_is_configured(&publisher->workspace))
                return;
        if (su_advisories_write(&publisher->workspace, &changes, &error) < 0)
                (void)fprintf(stderr,
                              "suture-publish: warning: what was published is in force, but the "
                              "advisories are not up to date: %s\n",
                              error.message);
}
