#include "settings/job.h"

void su_shown_job_done(struct su_shown_job *job)
{
        g_free(job->path);
        g_free(job->kind);
        g_free(job->step);
        *job = (struct su_shown_job){0};
}

void su_shown_job_begin(struct su_shown_job *job, const char *path, const char *kind)
{
        su_shown_job_done(job);
        job->path = g_strdup(path);
        job->kind = g_strdup(kind);
        job->step = g_strdup("");
}

static void take_text(GVariant *properties, const char *name, char **place)
{
        char *text;

        if (!g_variant_lookup(properties, name, "s", &text))
                return;
        g_free(*place);
        *place = text;
}

void su_shown_job_take(struct su_shown_job *job, GVariant *properties)
{
        take_text(properties, "Kind", &job->kind);
        take_text(properties, "Step", &job->step);
        (void)g_variant_lookup(properties, "Done", "t", &job->done);
        (void)g_variant_lookup(properties, "Total", "t", &job->total);
}
