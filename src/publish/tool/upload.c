/* suture-publish upload: bring public/ to an object store. */
#include <stdio.h>

#include "base/interrupt.h"
#include "publish/tool/session.h"
#include "publish/tool/verbs.h"
#include "publish/upload/upload.h"

#define PARALLEL 4

static void show(void *userdata, const char *verb, const char *path, uint64_t size,
                 const char *cache)
{
        (void)userdata;
        if (cache)
                (void)printf("%s %s (%llu bytes; %s)\n", verb, path, (unsigned long long)size,
                             cache);
        else
                (void)printf("%s %s\n", verb, path);
}

static void report(const char *where, const struct su_upload_counts *counts, bool only_shown)
{
        (void)printf("%s %zu files (%llu bytes) to %s; %zu were there",
                     only_shown ? "To upload:" : "Uploaded", counts->sent,
                     (unsigned long long)counts->bytes, where, counts->same);
        if (counts->removed > 0)
                (void)printf("; %zu %s", counts->removed, only_shown ? "to remove" : "removed");
        (void)puts(".");
}

int su_verb_upload(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_s3_place struct su_s3_place place = {0};
        struct su_upload_options options = {
                .parallel = arguments->jobs > 0 ? (size_t)arguments->jobs : PARALLEL,
                .only_show = arguments->dry_run,
                .prune = arguments->prune,
                .force = arguments->force,
                .told = arguments->dry_run ? show : NULL,
        };
        struct su_upload_counts counts;
        int r;

        if (arguments->n_operands != 1)
                return su_fail(err, SU_ERROR_USAGE, "upload where? s3://BUCKET[/PREFIX]");
        r = su_s3_place_find(arguments->operands[0], arguments->endpoint, arguments->region, &place,
                             err);
        if (r >= 0)
                r = su_publisher_open(arguments, SU_WORKSPACE_READ, &publisher, err);
        if (r < 0)
                return r;
        su_interrupt_catch();
        r = su_upload_run(&publisher.workspace, &place, &options, &counts, err);
        if (r >= 0)
                report(arguments->operands[0], &counts, arguments->dry_run);
        return r;
}
