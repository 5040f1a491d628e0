#include "daemon/update.h"

#include <string.h>
#include <time.h>

#include "base/bus_names.h"
#include "base/clock.h"
#include "base/own.h"
#include "daemon/around.h"

/* The battery is asked about again when so much more is in it. */
#define BATTERY_STEP 5
/* What failed is tried again after a while, and after a longer one when it fails again. */
#define RETRY_MIN_S UINT64_C(60)
#define RETRY_MAX_S UINT64_C(3600)
#define WINDOW_ACCURACY_US UINT64_C(1000000)

struct su_update {
        sd_bus *bus;
        su_update_begin begin;
        void *userdata;
        struct su_around *around;
        bool known; /* the surroundings are */
        struct su_facts facts;
        struct {
                su_update_begun begun; /* NULL: nobody asks */
                void *userdata;
        } asked;
        uint32_t job; /* 0: none of ours is at work */
        bool by_itself;
        struct su_facts begun_with;
        struct {
                bool metered;
                bool battery;
                bool in_use;
        } waits;
        sd_event_source *alarm; /* a window opens, or it is time for another try; NULL: not set */
        unsigned failures;      /* in a row, of what was begun by itself */
};

static int make_order(const struct su_facts *facts, struct su_order *order, struct su_error *err)
{
        int r;

        *order = (struct su_order){.kind = "update", .action = SU_ACTION_INSTALL};
        r = su_order_add(order, err, "install");
        if (r >= 0)
                r = su_order_add(order, err, "--unattended");
        if (r >= 0 && facts->metered)
                r = su_order_add(order, err, "--metered");
        if (r >= 0 && facts->on_battery && facts->battery >= 0)
                r = su_order_add(order, err, "--battery=%d", facts->battery);
        if (r >= 0 && facts->in_use)
                r = su_order_add(order, err, "--in-use");
        return r;
}

static int begin(struct su_update *update, bool by_itself, struct su_job **ret,
                 struct su_error *err)
{
        struct su_order order;
        int r;

        r = make_order(&update->facts, &order, err);
        if (r >= 0)
                r = update->begin(update->userdata, &order, ret, err);
        if (r < 0)
                return r;
        update->job = (*ret)->id;
        update->by_itself = by_itself;
        update->begun_with = update->facts;
        update->alarm = sd_event_source_disable_unref(update->alarm);
        return 0;
}

static void begin_for_asker(struct su_update *update)
{
        su_update_begun begun = update->asked.begun;
        struct su_error failure = {0};
        struct su_job *job = NULL;

        update->asked.begun = NULL;
        (void)begin(update, false, &job, &failure);
        begun(update->asked.userdata, job, &failure);
}

/* Another job may be at work: its end asks again. */
static void go_on(struct su_update *update)
{
        struct su_job *job;

        if (update->job == 0)
                (void)begin(update, true, &job, NULL);
}

static bool has_cleared(const struct su_update *update)
{
        const struct su_facts *before = &update->begun_with;
        const struct su_facts *now = &update->facts;

        return (update->waits.metered && !now->metered) || (update->waits.in_use && !now->in_use) ||
               (update->waits.battery &&
                (!now->on_battery || now->battery >= before->battery + BATTERY_STEP));
}

static void on_facts(void *userdata, const struct su_facts *facts)
{
        struct su_update *update = userdata;

        update->known = true;
        update->facts = *facts;
        if (update->asked.begun)
                begin_for_asker(update);
        else if (has_cleared(update))
                go_on(update);
}

static int on_time(sd_event_source *source, uint64_t now, void *userdata)
{
        struct su_update *update = userdata;

        (void)source;
        (void)now;
        update->alarm = sd_event_source_disable_unref(update->alarm);
        go_on(update);
        return 0;
}

static void wake_up_at(struct su_update *update, uint64_t when_us)
{
        update->alarm = sd_event_source_disable_unref(update->alarm);
        (void)sd_event_add_time(sd_bus_get_event(update->bus), &update->alarm, CLOCK_REALTIME,
                                when_us, WINDOW_ACCURACY_US, on_time, update);
}

static bool has(const json_t *names, const char *wanted)
{
        const json_t *name;
        size_t i;

        json_array_foreach (names, i, name)
                if (json_is_string(name) && strcmp(json_string_value(name), wanted) == 0)
                        return true;
        return false;
}

static void read_waits(struct su_update *update, const json_t *document)
{
        const json_t *waits = json_object_get(document, "waits");
        const char *opens;
        int64_t when;

        update->failures = 0;
        update->waits.metered = has(waits, "metered");
        update->waits.battery = has(waits, "battery");
        update->waits.in_use = has(waits, "in-use");
        if (su_json_find_string(document, "window_opens", &opens, NULL) >= 0 && opens &&
            su_time_parse(opens, &when))
                wake_up_at(update, (uint64_t)when * 1000000);
}

/* What is another way by itself after a while. */
static bool may_heal(const char *error)
{
        static const char *const names[] = {"Unreachable", "Truncated", "Busy"};

        for (size_t i = 0; i < SU_ELEMENTS(names); i++)
                if (strcmp(names[i], error) == 0)
                        return true;
        return false;
}

/* Who asked is told, and tries again when it likes. What went on by itself does so by itself. */
static void retry(struct su_update *update, const struct su_job *job)
{
        uint64_t delay_s = RETRY_MIN_S << (update->failures < 6 ? update->failures : 6);

        memset(&update->waits, 0, sizeof update->waits);
        if (!update->by_itself || !may_heal(job->error))
                return;
        update->failures++;
        if (delay_s > RETRY_MAX_S)
                delay_s = RETRY_MAX_S;
        wake_up_at(update, su_now_us() + delay_s * 1000000);
}

void su_update_job_finished(struct su_update *update, const struct su_job *job)
{
        if (job->id == update->job) {
                update->job = 0;
                if (job->document)
                        read_waits(update, job->document);
                else
                        retry(update, job);
        }
        if (has_cleared(update))
                go_on(update);
}

int su_update_ask(struct su_update *update, su_update_begun begun, void *userdata,
                  struct su_error *err)
{
        int r = 0;

        if (update->asked.begun)
                return su_fail(err, SU_ERROR_BUSY, "an update is about to begin");
        update->asked.begun = begun;
        update->asked.userdata = userdata;
        if (!update->around)
                r = su_around_new(update->bus, on_facts, update, &update->around, err);
        else if (update->known)
                begin_for_asker(update);
        if (r < 0)
                update->asked.begun = NULL;
        return r;
}

bool su_update_is_waiting(const struct su_update *update)
{
        return update->asked.begun || update->alarm || update->waits.metered ||
               update->waits.battery || update->waits.in_use;
}

int su_update_new(sd_bus *bus, su_update_begin begin_job, void *userdata, struct su_update **ret,
                  struct su_error *err)
{
        struct su_update *update = calloc(1, sizeof *update);

        if (!update)
                return su_fail_oom(err);
        update->bus = sd_bus_ref(bus);
        update->begin = begin_job;
        update->userdata = userdata;
        *ret = update;
        return 0;
}

void su_update_free(struct su_update *update)
{
        if (!update)
                return;
        su_around_free(update->around);
        sd_event_source_disable_unref(update->alarm);
        sd_bus_unref(update->bus);
        free(update);
}
