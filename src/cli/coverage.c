#include <stdio.h>
#include <string.h>

#include "base/translate.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "device/coverage.h"

/* The same question has two halves: what lies on disk, and what runs where it is not reached. */
struct report {
        struct su_review review;
        struct su_coverage coverage;
};

static void report_done(struct report *report)
{
        su_review_done(&report->review);
        su_coverage_done(&report->coverage);
}

static json_t *gaps_to_json(const struct su_coverage *coverage)
{
        su_auto_json json_t *gaps = json_array();

        for (size_t i = 0; i < coverage->n_gaps; i++) {
                const struct su_gap *gap = &coverage->gaps[i];

                if (json_array_append_new(gaps,
                                          json_pack("{s:s, s:s, s:s?, s:b, s:s}", "kind",
                                                    su_gap_kind_name(gap->kind), "path", gap->path,
                                                    "component", gap->component, "is_old",
                                                    gap->is_old, "what", gap->what)) < 0)
                        return NULL;
        }
        return su_take(gaps);
}

static json_t *unreached_to_json(const struct su_exposure *exposure)
{
        su_auto_json json_t *processes = su_output_exposure(exposure);

        for (size_t i = exposure->n_processes; processes && i-- > 0;)
                if (exposure->processes[i].place == SU_PLACE_HERE &&
                    json_array_remove(processes, i) < 0)
                        return NULL;
        return su_take(processes);
}

static int print_json(const struct report *report, struct su_error *err)
{
        return su_output_json(json_pack("{s:o, s:I, s:o, s:o}", "level",
                                        su_output_level(&report->review.level), "files",
                                        (json_int_t)report->coverage.n_files, "gaps",
                                        gaps_to_json(&report->coverage), "processes",
                                        unreached_to_json(&report->review.survey.exposure)),
                              err);
}

static void print_text(const struct report *report)
{
        const struct su_exposure *exposure = &report->review.survey.exposure;

        if (report->coverage.n_gaps == 0)
                (void)puts(_("No copy of the old code was found elsewhere."));
        for (size_t i = 0; i < report->coverage.n_gaps; i++) {
                const struct su_gap *gap = &report->coverage.gaps[i];

                (void)printf("%-10s %s%s%s: %s\n", su_gap_kind_name(gap->kind), gap->path,
                             gap->component ? ", " : "", gap->component ? gap->component : "",
                             gap->what);
        }
        for (size_t i = 0; i < exposure->n_processes; i++)
                if (exposure->processes[i].place != SU_PLACE_HERE)
                        (void)printf(_("%-10s process %d (%s) %s\n"),
                                     su_place_name(exposure->processes[i].place),
                                     (int)exposure->processes[i].pid,
                                     exposure->processes[i].command,
                                     su_exposed_why(&exposure->processes[i]));
        (void)printf(su_plural("%zu file was looked into.\n", "%zu files were looked into.\n",
                               report->coverage.n_files),
                     report->coverage.n_files);
}

int su_verb_coverage(const struct su_arguments *arguments, struct su_error *err)
{
        su_auto_engine struct su_engine *engine = NULL;
        su_auto(report_done) struct report report = {0};
        int r;

        r = su_engine_open(&arguments->engine, &engine, err);
        if (r >= 0)
                r = su_review_make(engine, &report.review, err);
        if (r < 0)
                return r;
        if (!report.review.to.baseline)
                return su_fail(err, SU_ERROR_NOT_INSTALLED,
                               "no improvement is known to this system: run 'suture check' first");
        r = su_coverage_find(engine, &report.review.to, &report.coverage, err);
        if (r < 0)
                return r;
        if (arguments->json)
                return print_json(&report, err);
        print_text(&report);
        return 0;
}
