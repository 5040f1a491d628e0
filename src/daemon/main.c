/* sutured: the agent on the system bus. See sutured(8). */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/bus_names.h"
#include "base/error.h"
#include "daemon/auto.h"
#include "daemon/manager.h"

#define IDLE_S 30

struct agent {
        sd_event *event;
        sd_bus *bus;
        struct su_manager *manager;
        uint64_t idle_us;
        sd_event_source *idle;
        bool ending;
};

struct arguments {
        const char *const *program;
        uint64_t idle_s;
};

static int parse_seconds(const char *text, uint64_t *ret, struct su_error *err)
{
        char *end;
        unsigned long value = strtoul(text, &end, 10);

        if (end == text || *end || value == 0 || value > 86400)
                return su_fail(err, SU_ERROR_USAGE, "--idle= is a number of seconds, up to a day");
        *ret = value;
        return 0;
}

static void print_help(void)
{
        (void)puts("Usage: sutured [--idle=SECONDS] [PROGRAM [ARGUMENT]...]\n\n"
                   "The agent for background security improvements; the system bus starts it.\n"
                   "It runs PROGRAM, by default " SUTURE_PROGRAM ", for what it is asked to do.\n"
                   "See sutured(8).");
}

static int parse(int argc, char **argv, struct arguments *arguments, bool *ret_informed,
                 struct su_error *err)
{
        static const struct option options[] = {
                {"idle", required_argument, NULL, 'i'},
                {"help", no_argument, NULL, 'h'},
                {"version", no_argument, NULL, 'v'},
                {NULL, 0, NULL, 0},
        };
        int option;
        int r = 0;

        while ((option = getopt_long(argc, argv, "+", options, NULL)) >= 0 && r >= 0) {
                *ret_informed |= option == 'h' || option == 'v';
                if (option == 'i')
                        r = parse_seconds(optarg, &arguments->idle_s, err);
                else if (option == 'h')
                        print_help();
                else if (option == 'v')
                        (void)puts("sutured " SUTURE_VERSION);
                else
                        r = su_fail(err, SU_ERROR_USAGE, "try 'sutured --help'");
        }
        if (optind < argc)
                arguments->program = (const char *const *)&argv[optind];
        return r;
}

static int wait_for_idle(struct agent *agent)
{
        int r = sd_event_source_set_time_relative(agent->idle, agent->idle_us);

        return r < 0 ? r : sd_event_source_set_enabled(agent->idle, SD_EVENT_ONESHOT);
}

/* Give the name back first: what is called from then on starts another agent. */
static int on_idle(sd_event_source *source, uint64_t now, void *userdata)
{
        struct agent *agent = userdata;

        (void)now;
        if (su_manager_is_busy(agent->manager))
                return 0; /* after_event() sees the end of that */
        if (agent->ending)
                return sd_event_exit(agent->event, 0);
        agent->ending = true;
        (void)sd_notify(0, "STOPPING=1");
        (void)sd_bus_release_name(agent->bus, SU_BUS_NAME);
        /* Once more, for what came before the name was gone. */
        (void)sd_event_source_set_time_relative(source, 0);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* Nothing wakes the agent up while it waits: the time begins when it is needed no more. */
static int after_event(sd_event_source *source, void *userdata)
{
        struct agent *agent = userdata;
        int enabled = SD_EVENT_OFF;

        (void)source;
        (void)sd_event_source_get_enabled(agent->idle, &enabled);
        if (enabled != SD_EVENT_OFF || su_manager_is_busy(agent->manager))
                return 0;
        return wait_for_idle(agent);
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *bus_error)
{
        struct agent *agent = userdata;

        (void)message;
        (void)bus_error;
        if (!agent->ending)
                (void)wait_for_idle(agent);
        return 0;
}

static void on_ready(void *userdata)
{
        struct agent *agent = userdata;
        int r = sd_bus_request_name(agent->bus, SU_BUS_NAME, 0);

        if (r < 0) {
                (void)fprintf(stderr, "sutured: cannot take the name %s: %s\n", SU_BUS_NAME,
                              strerror(-r));
                (void)sd_event_exit(agent->event, r);
                return;
        }
        (void)sd_notify(0, "READY=1");
}

static int set_up_event(struct agent *agent)
{
        sigset_t signals;
        int r;

        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGCHLD);
        (void)sigaddset(&signals, SIGTERM);
        (void)sigaddset(&signals, SIGINT);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return -errno;
        r = sd_event_default(&agent->event);
        if (r >= 0)
                r = sd_event_add_signal(agent->event, NULL, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(agent->event, NULL, SIGINT, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_time_relative(agent->event, &agent->idle, CLOCK_MONOTONIC,
                                               agent->idle_us, 0, on_idle, agent);
        /* Whatever is on its way to us comes first. */
        if (r >= 0)
                r = sd_event_source_set_priority(agent->idle, SD_EVENT_PRIORITY_IDLE);
        if (r >= 0)
                r = sd_event_add_post(agent->event, NULL, after_event, agent);
        return r;
}

static int set_up_bus(struct agent *agent)
{
        int r;

        r = sd_bus_open_system(&agent->bus);
        if (r >= 0)
                r = sd_bus_attach_event(agent->bus, agent->event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0)
                r = sd_bus_set_exit_on_disconnect(agent->bus, 1);
        if (r >= 0)
                r = sd_bus_add_filter(agent->bus, NULL, on_message, agent);
        return r;
}

static int run(struct agent *agent, const struct arguments *arguments, struct su_error *err)
{
        int r;

        agent->idle_us = arguments->idle_s * 1000000;
        r = set_up_event(agent);
        if (r < 0)
                return su_fail_errno(err, r, "cannot set up an event loop");
        r = set_up_bus(agent);
        if (r < 0)
                return su_fail_errno(err, r, "cannot reach the system bus");
        r = su_manager_new(agent->bus, arguments->program, on_ready, agent, &agent->manager, err);
        if (r < 0)
                return r;
        r = sd_event_loop(agent->event);
        return r < 0 ? su_fail_errno(err, r, "the agent ends") : 0;
}

static void agent_done(struct agent *agent)
{
        su_manager_free(agent->manager);
        sd_event_source_disable_unref(agent->idle);
        sd_bus_flush_close_unref(agent->bus);
        sd_event_unref(agent->event);
}

int main(int argc, char **argv)
{
        static const char *const program[] = {SUTURE_PROGRAM, NULL};
        struct arguments arguments = {program, IDLE_S};
        struct su_error error = {0};
        struct agent agent = {0};
        bool informed = false;
        int r;

        r = parse(argc, argv, &arguments, &informed, &error);
        if (r >= 0 && !informed)
                r = run(&agent, &arguments, &error);
        agent_done(&agent);
        if (r >= 0)
                return 0;
        (void)fprintf(stderr, "sutured: %s\n", error.message);
        return su_error_exit_status(error.code);
}
