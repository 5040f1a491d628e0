/* suture-publish run: do jobs of the plan, here. The workspace is not locked: what jobs read does
 * not change, or they notice; their results are nobody else's. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "publish/draft/results.h"
#include "publish/draft/run.h"
#include "publish/tool/verbs.h"

struct run {
        struct su_job_list jobs;
        char **names; /* of each, for people */
        size_t n_was_there, n_failed;
};

static void run_done(struct run *run)
{
        for (size_t i = 0; i < run->jobs.n; i++)
                free(run->names[i]);
        free(run->names);
        su_job_list_done(&run->jobs);
}

static int add_job(struct run *run, const char *path, struct su_error *err)
{
        struct su_job *jobs = reallocarray(run->jobs.each, run->jobs.n + 1, sizeof *jobs);
        su_auto_free char *text = NULL;
        su_auto_free char *name = NULL;
        char **names;
        size_t size;
        int r;

        if (!jobs)
                return su_fail_oom(err);
        run->jobs.each = jobs;
        names = reallocarray(run->names, run->jobs.n + 1, sizeof *names);
        if (!names)
                return su_fail_oom(err);
        run->names = names;
        r = su_strdup(path, &name, err);
        if (r >= 0)
                r = su_file_read(AT_FDCWD, path, SU_JOB_SIZE_MAX, &text, &size, err);
        if (r >= 0)
                r = su_job_parse(text, size, &jobs[run->jobs.n], err);
        if (r == -ENOENT)
                return su_fail(err, SU_ERROR_NOT_FOUND,
                               "there is no job '%s': 'suture-publish plan' writes them", path);
        if (r < 0)
                return su_fail_prefix(err, r, "job '%s'", path);
        names[run->jobs.n++] = su_take(name);
        return 0;
}

static int add_numbered(struct run *run, const char *workspace, size_t index, struct su_error *err)
{
        su_auto_free char *path = NULL;
        int r;

        r = su_format(&path, err, "%s/jobs/%zu.json", workspace, index);
        return r < 0 ? r : add_job(run, path, err);
}

/* They are numbered from 1 on, without a gap. */
static int add_plan(struct run *run, const char *workspace, struct su_error *err)
{
        for (size_t index = 1;; index++) {
                su_auto_free char *path = NULL;
                int r;

                r = su_format(&path, err, "%s/jobs/%zu.json", workspace, index);
                if (r < 0)
                        return r;
                if (faccessat(AT_FDCWD, path, F_OK, 0) < 0)
                        return 0;
                r = add_job(run, path, err);
                if (r < 0)
                        return r;
        }
}

static int choose(struct run *run, const struct su_publish_arguments *arguments,
                  struct su_error *err)
{
        int r = 0;

        if (arguments->index > 0 && arguments->n_operands > 0)
                return su_fail(err, SU_ERROR_USAGE, "give either jobs or --index");
        if (arguments->index > 0)
                return add_numbered(run, arguments->workspace, (size_t)arguments->index, err);
        if (arguments->n_operands == 0)
                return add_plan(run, arguments->workspace, err);
        for (size_t i = 0; i < arguments->n_operands && r >= 0; i++)
                r = add_job(run, arguments->operands[i], err);
        return r;
}

static void tell(void *userdata, const struct su_job_end *end)
{
        struct run *run = userdata;
        const char *name = run->names[end->index];

        run->n_was_there += end->was_there;
        run->n_failed += end->is_failed;
        if (end->is_failed)
                (void)fprintf(stderr, "suture-publish: %s: %s\n", name, end->why.message);
        else if (end->was_there)
                (void)printf("%s: was there\n", name);
        else
                (void)printf("%s: done in %.1f s\n", name, end->seconds);
        (void)fflush(stdout);
}

int su_verb_run(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto(run_done) struct run run = {0};
        su_auto_close int store_fd = -EBADF;
        int r;

        r = choose(&run, arguments, err);
        if (r >= 0)
                r = su_results_open(arguments->workspace, arguments->store, &store_fd, err);
        if (r < 0)
                return r;
        su_interrupt_catch();
        r = su_jobs_run(&run.jobs, store_fd, arguments->jobs > 0 ? (size_t)arguments->jobs : 1,
                        tell, &run, err);
        if (r < 0 && su_interrupted())
                return su_fail(err, SU_ERROR_CANCELLED, "cancelled: what is done is kept");
        if (r < 0)
                return su_fail_prefix(err, r, "%zu of %zu jobs failed; the last one", run.n_failed,
                                      run.jobs.n);
        (void)printf("%zu jobs: %zu done, %zu were there.\n", run.jobs.n,
                     run.jobs.n - run.n_was_there, run.n_was_there);
        return 0;
}
