/* suture-publish simulate: what a schedule means for many machines, and for the web server. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/text.h"
#include "publish/signing/channels.h"
#include "publish/tool/crowd.h"
#include "publish/tool/print.h"
#include "publish/tool/session.h"
#include "publish/tool/steps.h"
#include "publish/tool/verbs.h"

#define DAY INT64_C(86400)
/* Bytes of a request and its answer's headers, and of a whole check with nothing new: as
 * bench-check counts them. */
#define HEADERS 450
#define LOOK 308

struct simulation {
        const struct su_publish_arguments *arguments;
        struct su_publisher publisher;
        char *baseline;
        struct su_channel channel;
        struct su_channel_level level; /* of the channel, with the schedule that is asked for */
        struct su_manifest manifest;
        struct su_rollout_step *steps;
        struct su_crowd crowd;
};

static void simulation_done(struct simulation *simulation)
{
        su_manifest_done(&simulation->manifest);
        su_channel_done(&simulation->channel);
        su_publisher_done(&simulation->publisher);
        free(simulation->steps);
        free(simulation->baseline);
}

static int find_level(struct simulation *simulation, struct su_error *err)
{
        const char *wanted = simulation->arguments->level;
        struct su_channel *channel = &simulation->channel;
        const struct su_channel_level *found = NULL;

        for (size_t i = 0; i < channel->n_levels; i++)
                if (strcmp(channel->levels[i].level.name,
                           wanted ? wanted : channel->current.name) == 0)
                        found = &channel->levels[i];
        if (!found)
                return su_fail(err, SU_ERROR_NOT_FOUND, "%s offers no level%s%s%s",
                               channel->baseline, wanted ? " '" : "", wanted ? wanted : "",
                               wanted ? "'" : "");
        simulation->level = *found;
        return 0;
}

/* Those on the command line, or what is signed. */
static int find_steps(struct simulation *simulation, struct su_error *err)
{
        const struct su_publish_arguments *arguments = simulation->arguments;
        int r = 0;

        if (arguments->n_operands > 0) {
                r = su_steps_parse(arguments->operands, arguments->n_operands, &simulation->steps,
                                   &simulation->level.n_rollout, err);
                simulation->level.rollout = simulation->steps;
        }
        if (r >= 0 && simulation->level.n_rollout == 0)
                return su_fail(err, SU_ERROR_USAGE, "level (%s) has no roll-out",
                               simulation->level.level.name);
        return r;
}

static int add_file(const struct simulation *simulation, const char *role, struct su_traffic *sum,
                    struct su_error *err)
{
        const struct su_workspace *workspace = &simulation->publisher.workspace;
        su_auto_metadata struct su_metadata metadata = {0};
        su_auto_free char *file = NULL;
        su_auto_free char *path = NULL;
        struct stat st;
        int r;

        r = su_repository_metadata(workspace, SU_PUBLISHED, role, &metadata, err);
        if (r >= 0)
                r = su_role_file(role, metadata.version, &file, err);
        if (r >= 0)
                r = su_format(&path, err, "public/metadata/%s", file);
        if (r < 0)
                return r;
        if (fstatat(workspace->fd, path, &st, 0) < 0)
                return su_fail_errno(err, errno, "cannot look at %s", path);
        sum->requests++;
        sum->bytes += (uint64_t)st.st_size + HEADERS;
        return 0;
}

static int add_channel(const struct simulation *simulation, struct su_traffic *sum,
                       struct su_error *err)
{
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_channel_write(&simulation->channel, &text, &size, err);
        if (r < 0)
                return r;
        sum->requests++;
        sum->bytes += size + HEADERS;
        return 0;
}

/* The manifest, and of each component the smallest delta. */
static int add_installation(const struct simulation *simulation, struct su_traffic *sum,
                            struct su_error *err)
{
        const struct su_manifest *manifest = &simulation->manifest;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_manifest_write(manifest, &text, &size, err);
        if (r < 0)
                return r;
        sum->requests += 1 + manifest->n_components;
        sum->bytes += size + HEADERS * (1 + manifest->n_components);
        for (size_t i = 0; i < manifest->n_components; i++) {
                const struct su_component *component = &manifest->components[i];
                uint64_t least = component->deltas[0].object.size;

                for (size_t j = 1; j < component->n_deltas; j++)
                        if (component->deltas[j].object.size < least)
                                least = component->deltas[j].object.size;
                sum->bytes += least;
        }
        return 0;
}

static int find_costs(struct simulation *simulation, struct su_error *err)
{
        struct su_crowd_costs *costs = &simulation->crowd.costs;
        int r;

        costs->look = (struct su_traffic){1, LOOK};
        r = add_file(simulation, "timestamp", &costs->refresh, err);
        if (r >= 0)
                r = add_file(simulation, "snapshot", &costs->refresh, err);
        if (r >= 0)
                r = add_file(simulation, simulation->baseline, &costs->change, err);
        if (r >= 0)
                r = add_channel(simulation, &costs->change, err);
        return r < 0 ? r : add_installation(simulation, &costs->install, err);
}

static int count_days(const struct simulation *simulation)
{
        const struct su_channel_level *level = &simulation->level;
        const int64_t span = level->rollout[level->n_rollout - 1].from - level->rollout[0].from;
        const int64_t days = span / DAY + 2;

        if (simulation->arguments->days > 0)
                return simulation->arguments->days;
        return days > SU_CROWD_DAYS_MAX ? SU_CROWD_DAYS_MAX : (int)days;
}

static int prepare(struct simulation *simulation, struct su_error *err)
{
        const struct su_publish_arguments *arguments = simulation->arguments;
        const struct su_workspace *workspace = &simulation->publisher.workspace;
        int r;

        r = su_publisher_open(arguments, SU_WORKSPACE_READ, &simulation->publisher, err);
        if (r >= 0)
                r = su_workspace_choose_baseline(workspace, arguments->baseline,
                                                 &simulation->baseline, err);
        if (r >= 0)
                r = su_channel_open(workspace, simulation->baseline, &simulation->channel, err);
        if (r >= 0)
                r = find_level(simulation, err);
        if (r >= 0)
                r = find_steps(simulation, err);
        if (r >= 0)
                r = su_repository_manifest(workspace, SU_PUBLISHED, simulation->baseline,
                                           &simulation->level.level, &simulation->manifest, err);
        if (r >= 0)
                r = find_costs(simulation, err);
        if (r < 0)
                return r;
        simulation->crowd.baseline = simulation->baseline;
        simulation->crowd.level = &simulation->level;
        simulation->crowd.machines = (size_t)arguments->machines;
        simulation->crowd.days = count_days(simulation);
        simulation->crowd.recall_at = arguments->recall_at;
        return 0;
}

/* "2026-05-01T10:00:00Z", or null */
static json_t *time_or_null(int64_t at)
{
        char text[SU_TIME_TEXT_SIZE];

        if (at == 0)
                return json_null();
        su_time_format(at, text);
        return json_string(text);
}

static int print_json(const struct simulation *simulation, const struct su_crowd_result *result,
                      struct su_error *err)
{
        su_auto_json json_t *days = json_array();
        su_auto_json json_t *document = NULL;

        for (size_t i = 0; i < result->n_days; i++) {
                const struct su_crowd_day *day = &result->days[i];

                if (json_array_append_new(
                            days, json_pack("{s:o, s:i, s:I, s:I, s:I, s:I, s:I}", "until",
                                            time_or_null(day->at), "offered_percent", day->offered,
                                            "have", (json_int_t)day->have, "requests",
                                            (json_int_t)day->traffic.requests, "bytes",
                                            (json_int_t)day->traffic.bytes, "peak_minute_requests",
                                            (json_int_t)day->peak_requests, "peak_minute_bytes",
                                            (json_int_t)day->peak_bytes)) < 0)
                        return su_fail_oom(err);
        }
        document = json_pack(
                "{s:I, s:s, s:O, s:o, s:o, s:o, s:I, s:o}", "machines",
                (json_int_t)simulation->crowd.machines, "level", simulation->level.level.name,
                "days", days, "half", time_or_null(result->half), "nearly_all",
                time_or_null(result->nearly_all), "recalled", time_or_null(result->recalled), "had",
                (json_int_t)result->had, "left", time_or_null(result->left));
        return su_print_json(document, err);
}

static void print_time(const char *what, int64_t at)
{
        char text[SU_TIME_TEXT_SIZE];

        if (at == 0)
                return;
        su_time_format(at, text);
        (void)printf("%s: %s\n", what, text);
}

static void print_text(const struct simulation *simulation, const struct su_crowd_result *result)
{
        (void)printf("%zu machines, each of which looks %d times a day; level (%s):\n"
                     "until                 offered       have it     requests          MB  "
                     "busiest minute: req/s  Mbit/s\n",
                     simulation->crowd.machines, SU_CROWD_LOOKS_A_DAY,
                     simulation->level.level.name);
        for (size_t i = 0; i < result->n_days; i++) {
                const struct su_crowd_day *day = &result->days[i];
                char at[SU_TIME_TEXT_SIZE];

                su_time_format(day->at, at);
                (void)printf("%s  %5d %%  %12zu  %11llu  %10.1f  %21.1f  %6.1f\n", at, day->offered,
                             day->have, (unsigned long long)day->traffic.requests,
                             (double)day->traffic.bytes / 1e6, (double)day->peak_requests / 60,
                             (double)day->peak_bytes * 8 / 60 / 1e6);
        }
        print_time("Half of them have it", result->half);
        print_time("99 % have it", result->nearly_all);
        if (result->recalled)
                (void)printf("Recalled when %zu had it. ", result->had);
        print_time("At", result->recalled);
        print_time("The last one has left it", result->left);
}

int su_verb_simulate(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto(simulation_done) struct simulation simulation = {
                .arguments = arguments,
                .publisher = SU_PUBLISHER_EMPTY,
        };
        su_auto_crowd_result struct su_crowd_result result = {0};
        int r;

        r = prepare(&simulation, err);
        if (r >= 0)
                r = su_crowd_run(&simulation.crowd, &result, err);
        if (r < 0)
                return r;
        if (arguments->json)
                return print_json(&simulation, &result, err);
        print_text(&simulation, &result);
        return 0;
}
