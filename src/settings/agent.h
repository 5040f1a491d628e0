/* The agent on the system bus (docs/DBUS.md), as the panel sees it: its status document, the job
 * that is at work, and what can be asked of it. All is asynchronous; nothing is remembered that the
 * agent does not say. */
#pragma once

#include <gio/gio.h>

#include "settings/job.h"
#include "json/json.h"

struct su_agent;

struct su_agent_listener {
        /* Something is another now: look at all of it again. */
        void (*changed)(void *userdata);
        /* Why something that a person asked for was not done: the agent's own words. */
        void (*failed)(void *userdata, const char *message);
        void *userdata;
};

struct su_agent *su_agent_new(const struct su_agent_listener *listener);
void su_agent_free(struct su_agent *agent);

/* The document of GetStatus (docs/schema/status.json); NULL: not had, or not yet. */
const json_t *su_agent_status(const struct su_agent *agent);
/* Why there is none; NULL: none was asked for yet. */
const char *su_agent_trouble(const struct su_agent *agent);
/* NULL: none is at work. */
const struct su_shown_job *su_agent_job(const struct su_agent *agent);

void su_agent_refresh(struct su_agent *agent);
/* One of the methods that begin a job. `options` (a{sv}, may be floating) or NULL for a method
 * without. */
void su_agent_begin(struct su_agent *agent, const char *method, GVariant *options);
void su_agent_set_automatic(struct su_agent *agent, const char *level);
void su_agent_cancel(struct su_agent *agent);
