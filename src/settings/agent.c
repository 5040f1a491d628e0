#include "settings/agent.h"

#include <string.h>

#include "base/bus_names.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"
/* Signals come in bunches: one look for all of them. */
#define LOOK_DELAY_MS 50
/* An agent that ends while it is looked at has crashed, or was replaced by a newer one. */
#define AGAIN_DELAY_MS 1000
/* A person may have to type a password first. */
#define CALL_TIMEOUT_MS (5 * 60 * 1000)

struct su_agent {
        struct su_agent_listener listener;
        GDBusConnection *bus;
        GCancellable *cancellable;
        const char *language; /* of the sentences, as the agent takes it; NULL: its own */
        guint watch;
        guint signals;
        guint look; /* a timer; 0: none */
        bool is_looking;
        bool looks_again;
        json_t *status;
        char *trouble;
        struct su_shown_job job;
};

static void look(struct su_agent *agent);

static void tell(const struct su_agent *agent)
{
        agent->listener.changed(agent->listener.userdata);
}

/* What an error says, without the name of it that GDBus puts before. */
static char *message_of(const GError *error)
{
        g_autoptr(GError) copy = g_error_copy(error);

        (void)g_dbus_error_strip_remote_error(copy);
        return g_strdup(copy->message);
}

static bool is_cancelled(const GError *error)
{
        return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void call(struct su_agent *agent, const char *path, const char *interface,
                 const char *method, GVariant *arguments, const char *answer,
                 GAsyncReadyCallback then)
{
        g_dbus_connection_call(agent->bus, SU_BUS_NAME, path, interface, method, arguments,
                               answer ? G_VARIANT_TYPE(answer) : NULL,
                               G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, CALL_TIMEOUT_MS,
                               agent->cancellable, then, agent);
}

/* ---- the status ---- */

static gboolean on_look_due(gpointer userdata)
{
        struct su_agent *agent = userdata;

        agent->look = 0;
        look(agent);
        return G_SOURCE_REMOVE;
}

static void look_soon(struct su_agent *agent, guint delay_ms)
{
        if (agent->look == 0)
                agent->look = g_timeout_add(delay_ms, on_look_due, agent);
}

static void take_status(struct su_agent *agent, json_t *status, char *trouble)
{
        json_decref(agent->status);
        g_free(agent->trouble);
        agent->status = status;
        agent->trouble = trouble;
        tell(agent);
}

static void read_status(struct su_agent *agent, const char *text)
{
        struct su_error error = {0};
        json_t *status;

        if (su_json_parse(text, strlen(text), &status, &error) < 0)
                take_status(agent, NULL, g_strdup(error.message));
        else
                take_status(agent, status, NULL);
}

static void on_status(GObject *source, GAsyncResult *result, gpointer userdata)
{
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) answer =
                g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
        struct su_agent *agent = userdata;
        const char *text;

        if (!answer && is_cancelled(error))
                return; /* `agent` is no more */
        agent->is_looking = false;
        if (answer) {
                g_variant_get(answer, "(&s)", &text);
                read_status(agent, text);
        } else {
                take_status(agent, NULL, message_of(error));
        }
        if (agent->looks_again)
                look_soon(agent, LOOK_DELAY_MS);
}

static void look(struct su_agent *agent)
{
        if (!agent->bus)
                return;
        agent->looks_again = agent->is_looking;
        if (agent->is_looking)
                return;
        agent->is_looking = true;
        if (agent->language)
                call(agent, SU_BUS_PATH, SU_BUS_MANAGER, "GetStatusIn",
                     g_variant_new("(s)", agent->language), "(s)", on_status);
        else
                call(agent, SU_BUS_PATH, SU_BUS_MANAGER, "GetStatus", NULL, "(s)", on_status);
}

/* ---- jobs ---- */

static void on_job_properties(GObject *source, GAsyncResult *result, gpointer userdata)
{
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) answer =
                g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
        g_autoptr(GVariant) properties = NULL;
        struct su_agent *agent = userdata;

        if (!answer)
                return;
        properties = g_variant_get_child_value(answer, 0);
        if (agent->job.path) {
                su_shown_job_take(&agent->job, properties);
                tell(agent);
        }
}

/* A job that was at work before anybody looked. */
static void on_present_job(GObject *source, GAsyncResult *result, gpointer userdata)
{
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) answer =
                g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
        g_autoptr(GVariant) value = NULL;
        struct su_agent *agent = userdata;
        const char *path;

        if (!answer)
                return;
        g_variant_get(answer, "(v)", &value);
        path = g_variant_get_string(value, NULL);
        if (strcmp(path, "/") == 0 || agent->job.path)
                return;
        su_shown_job_begin(&agent->job, path, "");
        call(agent, path, PROPERTIES, "GetAll", g_variant_new("(s)", SU_BUS_JOB), "(a{sv})",
             on_job_properties);
}

static void on_job_message(GObject *source, GAsyncResult *result, gpointer userdata)
{
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) answer =
                g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
        g_autoptr(GVariant) value = NULL;
        struct su_agent *agent = userdata;

        if (!answer)
                return;
        g_variant_get(answer, "(v)", &value);
        agent->listener.failed(agent->listener.userdata, g_variant_get_string(value, NULL));
}

static void on_job_new(struct su_agent *agent, GVariant *parameters)
{
        const char *path;
        const char *kind;

        g_variant_get(parameters, "(u&o&s)", NULL, &path, &kind);
        su_shown_job_begin(&agent->job, path, kind);
        tell(agent);
}

static void on_job_removed(struct su_agent *agent, GVariant *parameters)
{
        const char *path;
        const char *kind;
        const char *error;

        g_variant_get(parameters, "(u&o&s&s)", NULL, &path, &kind, &error);
        if (error[0] && strcmp(error, "Cancelled") != 0)
                call(agent, path, PROPERTIES, "Get", g_variant_new("(ss)", SU_BUS_JOB, "Message"),
                     "(v)", on_job_message);
        if (g_strcmp0(agent->job.path, path) == 0)
                su_shown_job_done(&agent->job);
        tell(agent);
        look_soon(agent, LOOK_DELAY_MS);
}

static void on_properties_changed(struct su_agent *agent, const char *path, GVariant *parameters)
{
        g_autoptr(GVariant) properties = g_variant_get_child_value(parameters, 1);

        if (g_strcmp0(path, SU_BUS_PATH) == 0) {
                look_soon(agent, LOOK_DELAY_MS);
        } else if (g_strcmp0(path, agent->job.path) == 0) {
                su_shown_job_take(&agent->job, properties);
                tell(agent);
        }
}

static void on_signal(GDBusConnection *bus G_GNUC_UNUSED, const char *sender G_GNUC_UNUSED,
                      const char *path, const char *interface G_GNUC_UNUSED, const char *signal,
                      GVariant *parameters, gpointer userdata)
{
        struct su_agent *agent = userdata;

        if (strcmp(signal, "JobNew") == 0)
                on_job_new(agent, parameters);
        else if (strcmp(signal, "JobRemoved") == 0)
                on_job_removed(agent, parameters);
        else if (strcmp(signal, "PropertiesChanged") == 0)
                on_properties_changed(agent, path, parameters);
}

/* ---- what a person asks for ---- */

static void on_done(GObject *source, GAsyncResult *result, gpointer userdata)
{
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) answer =
                g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
        struct su_agent *agent = userdata;
        g_autofree char *message = NULL;

        if (!answer && is_cancelled(error))
                return;
        if (!answer) {
                message = message_of(error);
                agent->listener.failed(agent->listener.userdata, message);
        }
        tell(agent); /* what was refused goes back to where it was */
        look_soon(agent, LOOK_DELAY_MS);
}

void su_agent_begin(struct su_agent *agent, const char *method, GVariant *options)
{
        call(agent, SU_BUS_PATH, SU_BUS_MANAGER, method,
             options ? g_variant_new("(@a{sv})", options) : NULL, "(o)", on_done);
}

void su_agent_set_automatic(struct su_agent *agent, const char *level)
{
        call(agent, SU_BUS_PATH, SU_BUS_MANAGER, "SetAutomatic", g_variant_new("(s)", level), NULL,
             on_done);
}

void su_agent_cancel(struct su_agent *agent)
{
        if (!agent->job.path)
                return;
        agent->job.is_cancelled = true;
        call(agent, agent->job.path, SU_BUS_JOB, "Cancel", NULL, NULL, on_done);
}

void su_agent_refresh(struct su_agent *agent)
{
        look(agent);
}

/* ---- the bus ---- */

static void on_appeared(GDBusConnection *bus G_GNUC_UNUSED, const char *name G_GNUC_UNUSED,
                        const char *owner G_GNUC_UNUSED, gpointer userdata)
{
        struct su_agent *agent = userdata;

        call(agent, SU_BUS_PATH, SU_BUS_MANAGER, "Subscribe", NULL, NULL, NULL);
        call(agent, SU_BUS_PATH, PROPERTIES, "Get", g_variant_new("(ss)", SU_BUS_MANAGER, "Job"),
             "(v)", on_present_job);
        look(agent);
}

/* The next look starts it again, or says why it cannot be had. */
static void on_vanished(GDBusConnection *bus G_GNUC_UNUSED, const char *name G_GNUC_UNUSED,
                        gpointer userdata)
{
        struct su_agent *agent = userdata;

        su_shown_job_done(&agent->job);
        tell(agent);
        look_soon(agent, AGAIN_DELAY_MS);
}

static void on_bus(GObject *source G_GNUC_UNUSED, GAsyncResult *result, gpointer userdata)
{
        g_autoptr(GError) error = NULL;
        GDBusConnection *bus = g_bus_get_finish(result, &error);
        struct su_agent *agent = userdata;

        if (!bus && is_cancelled(error))
                return;
        if (!bus) {
                take_status(agent, NULL, message_of(error));
                return;
        }
        agent->bus = bus;
        agent->signals = g_dbus_connection_signal_subscribe(bus, SU_BUS_NAME, NULL, NULL, NULL,
                                                            NULL, G_DBUS_SIGNAL_FLAGS_NONE,
                                                            on_signal, agent, NULL);
        agent->watch = g_bus_watch_name_on_connection(bus, SU_BUS_NAME,
                                                      G_BUS_NAME_WATCHER_FLAGS_AUTO_START,
                                                      on_appeared, on_vanished, agent, NULL);
}

/* The first of a person's languages that the agent knows how to read; the sentences are English
 * where there is none. */
static const char *find_language(void)
{
        const char *const *names = g_get_language_names();

        for (size_t i = 0; names[i]; i++)
                if (g_regex_match_simple("^[a-z]{2,3}(_[A-Z]{2})?(@[a-z]+)?$", names[i],
                                         G_REGEX_DOLLAR_ENDONLY, 0))
                        return g_intern_string(names[i]);
        return NULL;
}

struct su_agent *su_agent_new(const struct su_agent_listener *listener)
{
        struct su_agent *agent = g_new0(struct su_agent, 1);

        agent->listener = *listener;
        agent->language = find_language();
        agent->cancellable = g_cancellable_new();
        g_bus_get(G_BUS_TYPE_SYSTEM, agent->cancellable, on_bus, agent);
        return agent;
}

void su_agent_free(struct su_agent *agent)
{
        if (!agent)
                return;
        g_cancellable_cancel(agent->cancellable);
        if (agent->signals)
                g_dbus_connection_signal_unsubscribe(agent->bus, agent->signals);
        if (agent->watch)
                g_bus_unwatch_name(agent->watch);
        if (agent->look)
                g_source_remove(agent->look);
        g_clear_object(&agent->bus);
        g_clear_object(&agent->cancellable);
        json_decref(agent->status);
        g_free(agent->trouble);
        su_shown_job_done(&agent->job);
        g_free(agent);
}

const json_t *su_agent_status(const struct su_agent *agent)
{
        return agent->status;
}

const char *su_agent_trouble(const struct su_agent *agent)
{
        return agent->trouble;
}

const struct su_shown_job *su_agent_job(const struct su_agent *agent)
{
        return agent->job.path ? &agent->job : NULL;
}
