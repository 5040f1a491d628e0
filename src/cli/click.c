#include "cli/click.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>

#include "base/own.h"

#define SERVER "org.freedesktop.Notifications"
#define SERVER_PATH "/org/freedesktop/Notifications"
#define PANEL "org.suture.Settings", "/org/suture/Settings", "org.freedesktop.Application"
/* Where the message at login is written anew when what needs a person is another. */
#define CHANGES_IN "/run/motd.d"
#define PATIENCE_US (UINT64_C(10) * 60 * 1000 * 1000)

static uint64_t now_us(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int on_change(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
        struct su_clicks *clicks = userdata;

        (void)source;
        (void)event;
        clicks->changed = true;
        return 0;
}

int su_clicks_open(struct su_clicks *ret, struct su_error *err)
{
        int r;

        *ret = (struct su_clicks){0};
        r = sd_event_new(&ret->event);
        if (r < 0)
                return su_fail_errno(err, r, "cannot wait for events");
        /* Where it is not there, nothing new is told of. */
        (void)sd_event_add_inotify(ret->event, &ret->changes, CHANGES_IN,
                                   IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE, on_change, ret);
        return 0;
}

void su_clicks_done(struct su_clicks *clicks)
{
        if (clicks->bus) {
                (void)sd_bus_flush(clicks->bus);
                (void)sd_bus_detach_event(clicks->bus);
        }
        sd_event_source_disable_unref(clicks->changes);
        sd_event_unref(clicks->event);
        *clicks = (struct su_clicks){0};
}

static const char *find(const struct su_clicks *clicks, uint32_t id)
{
        for (size_t i = 0; i < clicks->n_shown; i++)
                if (clicks->shown[i].id == id)
                        return clicks->shown[i].kind;
        return NULL;
}

static int on_token(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
        struct su_clicks *clicks = userdata;
        const char *token;
        uint32_t id;

        (void)error;
        if (sd_bus_message_read(signal, "us", &id, &token) >= 0 && find(clicks, id) &&
            strlen(token) < sizeof clicks->token)
                memcpy(clicks->token, token, strlen(token) + 1);
        return 0;
}

/* The bus starts the panel, which shows the part of its page that this is about. */
static int on_invoked(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
        struct su_clicks *clicks = userdata;
        const char *action;
        const char *kind;
        uint32_t id;

        (void)error;
        if (sd_bus_message_read(signal, "us", &id, &action) < 0)
                return 0;
        kind = find(clicks, id);
        if (!kind || strcmp(action, "default") != 0)
                return 0;
        return sd_bus_call_method_async(sd_bus_message_get_bus(signal), NULL, PANEL,
                                        "ActivateAction", NULL, NULL, "sava{sv}", "show", 1, "s",
                                        kind, 1, "activation-token", "s", clicks->token);
}

static int on_closed(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
        struct su_clicks *clicks = userdata;
        uint32_t id;

        (void)error;
        if (sd_bus_message_read(signal, "u", &id) < 0)
                return 0;
        for (size_t i = 0; i < clicks->n_shown; i++)
                if (clicks->shown[i].id == id)
                        clicks->shown[i] = clicks->shown[--clicks->n_shown];
        return 0;
}

static bool tells_clicks(sd_bus *bus)
{
        sd_bus_message *answer = NULL;
        const char *capability;
        bool told = false;

        if (sd_bus_call_method(bus, SERVER, SERVER_PATH, SERVER, "GetCapabilities", NULL, &answer,
                               NULL) >= 0 &&
            sd_bus_message_enter_container(answer, 'a', "s") >= 0)
                while (sd_bus_message_read(answer, "s", &capability) > 0)
                        told = told || strcmp(capability, "actions") == 0;
        sd_bus_message_unref(answer);
        return told;
}

int su_clicks_listen(struct su_clicks *clicks, sd_bus *bus, bool *ret_told)
{
        static const struct {
                const char *signal;
                sd_bus_message_handler_t handler;
        } signals[] = {
                {"ActivationToken", on_token},
                {"ActionInvoked", on_invoked},
                {"NotificationClosed", on_closed},
        };
        int r = 0;

        *ret_told = tells_clicks(bus);
        if (!*ret_told)
                return 0;
        for (size_t i = 0; i < SU_ELEMENTS(signals) && r >= 0; i++)
                r = sd_bus_match_signal(bus, NULL, SERVER, SERVER_PATH, SERVER, signals[i].signal,
                                        signals[i].handler, clicks);
        if (r >= 0)
                r = sd_bus_attach_event(bus, clicks->event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                clicks->bus = bus;
        return r;
}

void su_clicks_add(struct su_clicks *clicks, uint32_t id, const char *kind)
{
        if (clicks->n_shown == SU_CLICKS_MAX)
                return;
        clicks->shown[clicks->n_shown].id = id;
        clicks->shown[clicks->n_shown++].kind = kind;
        clicks->until = now_us() + PATIENCE_US;
}

int su_clicks_wait(struct su_clicks *clicks, struct su_error *err)
{
        int r = 1;

        while (r >= 0 && !clicks->changed && clicks->n_shown > 0 && now_us() < clicks->until)
                r = sd_event_run(clicks->event, clicks->until - now_us());
        if (r < 0)
                return su_fail_errno(err, r, "cannot wait for a click");
        if (!clicks->changed)
                return 0;
        clicks->changed = false;
        return 1;
}
