#include "daemon/around.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "daemon/auto.h"

#define FACTS 4
#define MATCH_SIZE 256
/* Who does not answer by then says nothing. */
#define TIMEOUT_US (UINT64_C(5) * 1000000)

#define NM_METERED_YES 1U
#define NM_METERED_GUESS_YES 3U

/* A property, and what it means. */
struct source {
        const char *name;
        const char *path;
        const char *interface;
        const char *property;
        int (*read)(sd_bus_message *answer, struct su_facts *facts);
};

struct su_around {
        sd_bus *bus;
        su_around_listener listener;
        void *userdata;
        struct su_facts facts;
        bool told;
        size_t open; /* questions without an answer yet */
        struct asked {
                struct su_around *around;
                const struct source *source;
                sd_bus_slot *question;
                sd_bus_slot *changed;
                sd_bus_slot *came;
        } asked[FACTS];
};

static int read_metered(sd_bus_message *answer, struct su_facts *facts)
{
        uint32_t metered;
        int r = sd_bus_message_read(answer, "v", "u", &metered);

        if (r >= 0)
                facts->metered = metered == NM_METERED_YES || metered == NM_METERED_GUESS_YES;
        return r;
}

static int read_truth(sd_bus_message *answer, bool *ret)
{
        int truth;
        int r = sd_bus_message_read(answer, "v", "b", &truth);

        if (r >= 0)
                *ret = truth != 0;
        return r;
}

static int read_on_battery(sd_bus_message *answer, struct su_facts *facts)
{
        return read_truth(answer, &facts->on_battery);
}

static int read_percentage(sd_bus_message *answer, struct su_facts *facts)
{
        double percentage;
        int r = sd_bus_message_read(answer, "v", "d", &percentage);

        if (r >= 0 && percentage >= 0 && percentage <= 100)
                facts->battery = (int)floor(percentage);
        return r;
}

/* Idle is a system that nobody works on, also one without any session. */
static int read_idle(sd_bus_message *answer, struct su_facts *facts)
{
        bool idle;
        int r = read_truth(answer, &idle);

        if (r >= 0)
                facts->in_use = !idle;
        return r;
}

static const struct source sources[FACTS] = {
        {"org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager",
         "org.freedesktop.NetworkManager", "Metered", read_metered},
        {"org.freedesktop.UPower", "/org/freedesktop/UPower", "org.freedesktop.UPower", "OnBattery",
         read_on_battery},
        {"org.freedesktop.UPower", "/org/freedesktop/UPower/devices/DisplayDevice",
         "org.freedesktop.UPower.Device", "Percentage", read_percentage},
        {"org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
         "IdleHint", read_idle},
};

static int ask(struct asked *asked);

static bool are_equal(const struct su_facts *a, const struct su_facts *b)
{
        return a->metered == b->metered && a->on_battery == b->on_battery &&
               a->battery == b->battery && a->in_use == b->in_use;
}

static int on_answer(sd_bus_message *answer, void *userdata, sd_bus_error *bus_error)
{
        struct asked *asked = userdata;
        struct su_around *around = asked->around;
        const struct su_facts before = around->facts;

        (void)bus_error;
        asked->question = sd_bus_slot_unref(asked->question);
        around->open--;
        if (!sd_bus_message_get_error(answer))
                (void)asked->source->read(answer, &around->facts);
        if (around->open > 0 || (around->told && are_equal(&before, &around->facts)))
                return 0;
        around->told = true;
        around->listener(around->userdata, &around->facts);
        return 0;
}

static int on_changed(sd_bus_message *signal, void *userdata, sd_bus_error *bus_error)
{
        (void)signal;
        (void)bus_error;
        return ask(userdata);
}

static int ask(struct asked *asked)
{
        su_auto_bus_message sd_bus_message *message = NULL;
        const struct source *source = asked->source;
        sd_bus *bus = asked->around->bus;
        int r;

        if (asked->question)
                asked->around->open--;
        asked->question = sd_bus_slot_unref(asked->question);
        r = sd_bus_message_new_method_call(bus, &message, source->name, source->path,
                                           "org.freedesktop.DBus.Properties", "Get");
        if (r >= 0)
                r = sd_bus_message_append(message, "ss", source->interface, source->property);
        if (r >= 0)
                r = sd_bus_call_async(bus, &asked->question, message, on_answer, asked, TIMEOUT_US);
        if (r >= 0)
                asked->around->open++;
        return r;
}

/* To changes of the property, and to a service that comes, or comes back. */
static int listen_to(struct asked *asked)
{
        const struct source *source = asked->source;
        char match[MATCH_SIZE];
        int r;

        r = sd_bus_match_signal_async(asked->around->bus, &asked->changed, source->name,
                                      source->path, "org.freedesktop.DBus.Properties",
                                      "PropertiesChanged", on_changed, NULL, asked);
        if (r < 0)
                return r;
        (void)snprintf(match, sizeof match,
                       "type='signal',sender='org.freedesktop.DBus',"
                       "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s'",
                       source->name);
        return sd_bus_add_match_async(asked->around->bus, &asked->came, match, on_changed, NULL,
                                      asked);
}

int su_around_new(sd_bus *bus, su_around_listener listener, void *userdata, struct su_around **ret,
                  struct su_error *err)
{
        struct su_around *around = calloc(1, sizeof *around);
        int r = 0;

        if (!around)
                return su_fail_oom(err);
        around->bus = sd_bus_ref(bus);
        around->facts.battery = -1;
        around->listener = listener;
        around->userdata = userdata;
        for (size_t i = 0; i < FACTS && r >= 0; i++) {
                struct asked *asked = &around->asked[i];

                asked->around = around;
                asked->source = &sources[i];
                r = listen_to(asked);
                if (r >= 0)
                        r = ask(asked);
        }
        if (r < 0) {
                su_around_free(around);
                return su_fail_errno(err, r, "cannot ask about the surroundings");
        }
        *ret = around;
        return 0;
}

void su_around_free(struct su_around *around)
{
        if (!around)
                return;
        for (size_t i = 0; i < FACTS; i++) {
                sd_bus_slot_unref(around->asked[i].question);
                sd_bus_slot_unref(around->asked[i].changed);
                sd_bus_slot_unref(around->asked[i].came);
        }
        sd_bus_unref(around->bus);
        free(around);
}
