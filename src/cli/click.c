#include "cli/click.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <systemd/sd-event.h>

#define SERVER "org.freedesktop.Notifications"
#define SERVER_PATH "/org/freedesktop/Notifications"
#define PANEL "org.suture.Settings", "/org/suture/Settings", "org.freedesktop.Application"
/* Where the message at login is written anew when what needs a person is another. */
#define CHANGES_IN "/run/motd.d"
#define PATIENCE_US (UINT64_C(10) * 60 * 1000 * 1000)
#define TOKEN_SIZE 256

struct wait {
        struct su_clicks *clicks;
        sd_event *event;
        char token[TOKEN_SIZE]; /* with which a window may come to the front */
};

bool su_clicks_are_told(sd_bus *bus)
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

void su_clicks_add(struct su_clicks *clicks, uint32_t id, const char *kind)
{
        if (clicks->n_shown == SU_CLICKS_MAX)
                return;
        clicks->shown[clicks->n_shown].id = id;
        clicks->shown[clicks->n_shown++].kind = kind;
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
        struct wait *wait = userdata;
        const char *token;
        uint32_t id;

        (void)error;
        if (sd_bus_message_read(signal, "us", &id, &token) >= 0 && find(wait->clicks, id) &&
            strlen(token) < sizeof wait->token)
                memcpy(wait->token, token, strlen(token) + 1);
        return 0;
}

/* The bus starts the panel, which shows the part of its page that this is about. */
static int on_invoked(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
        struct wait *wait = userdata;
        const char *action;
        const char *kind;
        uint32_t id;

        (void)error;
        if (sd_bus_message_read(signal, "us", &id, &action) < 0)
                return 0;
        kind = find(wait->clicks, id);
        if (!kind || strcmp(action, "default") != 0)
                return 0;
        return sd_bus_call_method_async(sd_bus_message_get_bus(signal), NULL, PANEL,
                                        "ActivateAction", NULL, NULL, "sava{sv}", "show", 1, "s",
                                        kind, 1, "activation-token", "s", wait->token);
}

static int on_closed(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
        struct wait *wait = userdata;
        struct su_clicks *clicks = wait->clicks;
        uint32_t id;

        (void)error;
        if (sd_bus_message_read(signal, "u", &id) < 0)
                return 0;
        for (size_t i = 0; i < clicks->n_shown; i++)
                if (clicks->shown[i].id == id)
                        clicks->shown[i] = clicks->shown[--clicks->n_shown];
        return clicks->n_shown == 0 ? sd_event_exit(wait->event, 0) : 0;
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata)
{
        (void)usec;
        (void)userdata;
        return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int on_change(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
        (void)event;
        (void)userdata;
        return sd_event_exit(sd_event_source_get_event(source), 1);
}

static int listen_to_bus(struct wait *wait, sd_bus *bus)
{
        int r;

        r = sd_bus_attach_event(bus, wait->event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sd_bus_match_signal(bus, NULL, SERVER, SERVER_PATH, SERVER, "ActivationToken",
                                        on_token, wait);
        if (r >= 0)
                r = sd_bus_match_signal(bus, NULL, SERVER, SERVER_PATH, SERVER, "ActionInvoked",
                                        on_invoked, wait);
        if (r >= 0)
                r = sd_bus_match_signal(bus, NULL, SERVER, SERVER_PATH, SERVER,
                                        "NotificationClosed", on_closed, wait);
        return r;
}

int su_clicks_wait(struct su_clicks *clicks, sd_bus *bus, struct su_error *err)
{
        struct wait wait = {.clicks = clicks};
        int r;

        r = sd_event_new(&wait.event);
        if (r >= 0)
                r = listen_to_bus(&wait, bus);
        if (r >= 0)
                r = sd_event_add_time_relative(wait.event, NULL, CLOCK_MONOTONIC, PATIENCE_US, 0,
                                               on_time, NULL);
        if (r >= 0)
                /* Where it is not there, nothing new is told of. */
                (void)sd_event_add_inotify(wait.event, NULL, CHANGES_IN,
                                           IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE, on_change,
                                           NULL);
        if (r >= 0)
                r = sd_event_loop(wait.event);
        (void)sd_bus_flush(bus);
        (void)sd_bus_detach_event(bus);
        sd_event_unref(wait.event);
        return r < 0 ? su_fail_errno(err, r, "cannot wait for a click") : r;
}
