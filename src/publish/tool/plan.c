/* suture-publish plan: the deltas that were put off, as jobs for this machine or for others. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "publish/draft/later.h"
#include "publish/draft/results.h"
#include "publish/tool/print.h"
#include "publish/tool/session.h"
#include "publish/tool/verbs.h"

#define BATCH_NAME "array.sh"

struct plan {
        const struct su_publish_arguments *arguments;
        struct su_workspace *workspace;
        int store_fd;
        int jobs_fd;      /* jobs/ of the workspace */
        json_t *jobs;     /* what is still to be done */
        json_t *is_there; /* keys of the jobs that are in the plan */
        size_t n_done;
};

static uint64_t bytes_of(const struct su_job *job)
{
        uint64_t sum = job->target.size;

        for (size_t i = 0; i < job->n_sources; i++)
                sum += job->sources[i].path ? job->sources[i].size : job->sources[i].image.size;
        return sum;
}

static int write_job(const struct plan *plan, const char *name, const struct su_job *job,
                     struct su_error *err)
{
        su_auto_json json_t *document = su_job_to_json(job);
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        if (!document)
                return su_fail_oom(err);
        r = su_json_pretty(document, &text, &size, err);
        return r < 0 ? r : su_file_write(plan->jobs_fd, name, text, size, 0644, err);
}

/* Two baselines may have the same files, and then the same job. What is in the store but damaged is
 * made anew. */
static int add_job(void *userdata, const char *baseline, const char *component,
                   const struct su_job *job, struct su_error *err)
{
        struct plan *plan = userdata;
        su_auto_free char *name = NULL;
        char key[SU_SHA256_HEX_SIZE];
        struct su_result result;
        int r;

        su_hex_encode(job->key.bytes, SU_SHA256_SIZE, key);
        if (json_object_get(plan->is_there, key))
                return 0;
        if (json_object_set_new(plan->is_there, key, json_true()) < 0)
                return su_fail_oom(err);
        if (su_results_find(plan->store_fd, job, &result, NULL) >= 0) {
                plan->n_done++;
                return 0;
        }
        r = su_format(&name, err, "%zu.json", json_array_size(plan->jobs) + 1);
        if (r >= 0)
                r = write_job(plan, name, job, err);
        if (r < 0)
                return r;
        return json_array_append_new(plan->jobs,
                                     json_pack("{s:I, s:s, s:s, s:s, s:I, s:I, s:b}", "index",
                                               (json_int_t)json_array_size(plan->jobs) + 1, "key",
                                               key, "baseline", baseline, "component", component,
                                               "sources", (json_int_t)job->n_sources, "bytes",
                                               (json_int_t)bytes_of(job), "from_earlier_image",
                                               job->packed != NULL)) < 0
                       ? su_fail_oom(err)
                       : 0;
}

/* The plan before is forgotten; who is still at work with it has read its job. */
static int begin(struct plan *plan, struct su_error *err)
{
        int r;

        r = su_remove_tree(plan->workspace->fd, "jobs", err);
        if (r >= 0)
                r = su_dir_make(plan->workspace->fd, "jobs", 0755, &plan->jobs_fd, err);
        if (r >= 0)
                r = su_results_open(plan->workspace->path, plan->arguments->store, &plan->store_fd,
                                    err);
        return r;
}

/* A word for the shell. */
static int quote(const char *text, char **ret, struct su_error *err)
{
        su_auto_free char *quoted = calloc(4 * strlen(text) + 3, 1);
        char *end = quoted;

        if (!quoted)
                return su_fail_oom(err);
        *end++ = '\'';
        for (; *text; text++) {
                if (*text == '\'')
                        end = stpcpy(end, "'\\'");
                *end++ = *text;
        }
        *end = '\'';
        *ret = su_take(quoted);
        return 0;
}

/* Other machines have the program, the workspace, the trees and the store under the same paths. */
static int write_batch(const struct plan *plan, struct su_error *err)
{
        su_auto_free char *workspace = NULL;
        su_auto_free char *store_path = NULL;
        su_auto_free char *store = NULL;
        su_auto_free char *program_path = realpath("/proc/self/exe", NULL);
        su_auto_free char *program = NULL;
        su_auto_free char *text = NULL;
        int r;

        if (plan->arguments->store)
                store_path = realpath(plan->arguments->store, NULL);
        else
                (void)su_format(&store_path, NULL, "%s/deltas", plan->workspace->path);
        if (!program_path || !store_path)
                return su_fail_errno(err, errno, "cannot tell other machines where things are");
        r = quote(plan->workspace->path, &workspace, err);
        if (r >= 0)
                r = quote(store_path, &store, err);
        if (r >= 0)
                r = quote(program_path, &program, err);
        if (r >= 0)
                r = su_format(&text, err,
                              "#!/bin/sh\n"
                              "#SBATCH --job-name=suture-deltas\n"
                              "#SBATCH --array=1-%zu\n"
                              "#SBATCH --output=/dev/null\n"
                              "log=%s/jobs/$SLURM_ARRAY_TASK_ID.log\n"
                              "exec %s -C %s --store=%s run "
                              "--index=\"$SLURM_ARRAY_TASK_ID\" >\"$log\" 2>&1\n",
                              json_array_size(plan->jobs), workspace, program, workspace, store);
        return r < 0 ? r : su_file_write(plan->jobs_fd, BATCH_NAME, text, strlen(text), 0755, err);
}

static int print_json(const struct plan *plan, struct su_error *err)
{
        su_auto_json json_t *document =
                json_pack("{s:O, s:I}", "jobs", plan->jobs, "done", (json_int_t)plan->n_done);

        return su_print_json(document, err);
}

static void print_text(const struct plan *plan)
{
        const json_t *job;
        size_t i;

        json_array_foreach (plan->jobs, i, job)
                (void)printf("%4zu  %s %s: %lld files%s, %lld bytes\n", i + 1,
                             json_string_value(json_object_get(job, "baseline")),
                             json_string_value(json_object_get(job, "component")),
                             (long long)json_integer_value(json_object_get(job, "sources")),
                             json_is_true(json_object_get(job, "from_earlier_image"))
                                     ? ", one of them an earlier image"
                                     : "",
                             (long long)json_integer_value(json_object_get(job, "bytes")));
        (void)printf("%zu deltas are to be made, %zu are there.\n", json_array_size(plan->jobs),
                     plan->n_done);
        if (json_array_size(plan->jobs) == 0)
                return;
        if (plan->arguments->slurm)
                (void)printf("sbatch %s/jobs/" BATCH_NAME "\n", plan->workspace->path);
        else
                (void)puts("'suture-publish run' makes them.");
}

static void plan_done(struct plan *plan)
{
        json_decref(plan->jobs);
        json_decref(plan->is_there);
        su_close_fd(&plan->jobs_fd);
        su_close_fd(&plan->store_fd);
}

int su_verb_plan(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto(plan_done) struct plan plan = {
                .arguments = arguments,
                .workspace = &publisher.workspace,
                .store_fd = -EBADF,
                .jobs_fd = -EBADF,
                .jobs = json_array(),
                .is_there = json_object(),
        };
        int r;

        if (!plan.jobs || !plan.is_there)
                return su_fail_oom(err);
        r = su_publisher_open(arguments, SU_WORKSPACE_CHANGE, &publisher, err);
        if (r >= 0)
                r = begin(&plan, err);
        if (r >= 0)
                r = su_later_each(&publisher.workspace, add_job, &plan, err);
        if (r >= 0 && arguments->slurm && json_array_size(plan.jobs) > 0)
                r = write_batch(&plan, err);
        if (r < 0)
                return r;
        if (arguments->json)
                return print_json(&plan, err);
        print_text(&plan);
        return 0;
}
