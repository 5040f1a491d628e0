#include "publish/tool/crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "crypto/sha256.h"

#define MINUTES_A_DAY (24 * 60)
#define PERIOD (MINUTES_A_DAY / SU_CROWD_LOOKS_A_DAY) /* minutes from one look to the next */

struct machine {
        uint8_t position; /* in the roll-out */
        bool has;
        uint16_t seen;   /* how many changes of the repository */
        uint16_t minute; /* of the period, when it looks: its own, always the same */
};

struct run {
        const struct su_crowd *crowd;
        struct machine *machines; /* by their minute */
        size_t first[PERIOD + 1]; /* of each minute */
        uint16_t changes;         /* signed so far: the release, each day's refresh, the recall */
        uint16_t channel_change;  /* the last of them that changed the channel */
        size_t have;
        struct su_crowd_result result;
};

static int make_machine(const struct su_crowd *crowd, size_t number, struct machine *ret,
                        struct su_error *err)
{
        struct su_sha256 digest;
        char id[34];
        int position;
        int r;

        (void)snprintf(id, sizeof id, "%032zx\n", number);
        r = su_rollout_position(id, crowd->baseline, &crowd->level->level, &position, err);
        if (r >= 0)
                r = su_sha256_of(id, strlen(id), &digest, err);
        if (r < 0)
                return r;
        *ret = (struct machine){
                .position = (uint8_t)position,
                .minute = (uint16_t)(((unsigned)digest.bytes[0] << 8 | digest.bytes[1]) % PERIOD),
        };
        return 0;
}

static int by_minute(const void *a, const void *b)
{
        return ((const struct machine *)a)->minute - ((const struct machine *)b)->minute;
}

static int make_machines(struct run *run, struct su_error *err)
{
        const size_t n = run->crowd->machines;
        size_t minute = 0;

        run->machines = calloc(n, sizeof *run->machines);
        if (!run->machines)
                return su_fail_oom(err);
        for (size_t i = 0; i < n; i++) {
                int r = make_machine(run->crowd, i, &run->machines[i], err);

                if (r < 0)
                        return r;
        }
        qsort(run->machines, n, sizeof *run->machines, by_minute);
        for (size_t i = 0; i <= n; i++)
                while (minute <= PERIOD && (i == n || run->machines[i].minute >= minute))
                        run->first[minute++] = i;
        return 0;
}

static void add(struct su_traffic *sum, const struct su_traffic *more)
{
        sum->requests += more->requests;
        sum->bytes += more->bytes;
}

/* What a machine does with what it sees, as device/decide.h has it. */
static void decide(struct run *run, struct machine *machine, int percent,
                   struct su_traffic *traffic)
{
        if (run->result.recalled) {
                run->have -= machine->has;
                machine->has = false; /* what it goes back to is in its store */
        } else if (!machine->has && machine->position < percent) {
                machine->has = true;
                run->have++;
                add(traffic, &run->crowd->costs.install);
        }
}

static void look(struct run *run, struct machine *machine, int percent, struct su_traffic *traffic)
{
        const struct su_crowd_costs *costs = &run->crowd->costs;

        if (machine->seen == run->changes) {
                add(traffic, &costs->look);
        } else {
                add(traffic, &costs->refresh);
                if (machine->seen < run->channel_change)
                        add(traffic, &costs->change);
        }
        machine->seen = run->changes;
        decide(run, machine, percent, traffic);
}

static void note_times(struct run *run, int64_t now)
{
        const struct su_crowd *crowd = run->crowd;
        struct su_crowd_result *result = &run->result;

        if (!result->half && run->have * 2 >= crowd->machines)
                result->half = now;
        if (!result->nearly_all && run->have * 100 >= crowd->machines * 99)
                result->nearly_all = now;
        if (result->recalled && !result->left && run->have == 0)
                result->left = now;
        if (crowd->recall_at > 0 && !result->recalled &&
            run->have * 100 >= crowd->machines * (size_t)crowd->recall_at) {
                result->recalled = now;
                result->had = run->have;
                run->channel_change = ++run->changes;
        }
}

static void run_minute(struct run *run, int64_t now, struct su_crowd_day *day)
{
        const size_t minute = (size_t)(now / 60 % PERIOD);
        const int percent = su_rollout_percent(run->crowd->level, now);
        struct su_traffic traffic = {0};

        for (size_t i = run->first[minute]; i < run->first[minute + 1]; i++)
                look(run, &run->machines[i], percent, &traffic);
        add(&day->traffic, &traffic);
        if (traffic.requests > day->peak_requests)
                day->peak_requests = traffic.requests;
        if (traffic.bytes > day->peak_bytes)
                day->peak_bytes = traffic.bytes;
        note_times(run, now);
}

static void run_day(struct run *run, int64_t begin, struct su_crowd_day *day)
{
        for (int minute = 0; minute < MINUTES_A_DAY; minute++)
                run_minute(run, begin + minute * 60, day);
        day->at = begin + MINUTES_A_DAY * 60;
        day->offered = run->result.recalled ? 0 : su_rollout_percent(run->crowd->level, day->at);
        day->have = run->have;
}

static void run_done(struct run *run)
{
        free(run->machines);
        su_crowd_result_done(&run->result);
}

int su_crowd_run(const struct su_crowd *crowd, struct su_crowd_result *ret, struct su_error *err)
{
        /* The release is a change that nobody has seen. */
        su_auto(run_done) struct run run = {.crowd = crowd, .changes = 1, .channel_change = 1};
        const int64_t begin = crowd->level->rollout[0].from / 60 * 60;
        int r;

        r = make_machines(&run, err);
        if (r < 0)
                return r;
        run.result.days = calloc((size_t)crowd->days, sizeof *run.result.days);
        if (!run.result.days)
                return su_fail_oom(err);
        for (int day = 0; day < crowd->days; day++) {
                if (day > 0)
                        run.changes++; /* signed anew each day */
                run_day(&run, begin + (int64_t)day * MINUTES_A_DAY * 60,
                        &run.result.days[run.result.n_days++]);
        }
        *ret = run.result;
        run.result = (struct su_crowd_result){0};
        return 0;
}

void su_crowd_result_done(struct su_crowd_result *result)
{
        free(result->days);
        *result = (struct su_crowd_result){0};
}
