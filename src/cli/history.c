#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "cli/verbs.h"
#include "device/history.h"

static const char *text_of(const json_t *event, const char *name, const char *otherwise)
{
        const char *text = json_string_value(json_object_get(event, name));

        return text ? text : otherwise;
}

static void print_event(const json_t *event)
{
        const char *outcome = text_of(event, "outcome", "?");
        const char *reason = text_of(event, "reason", NULL);

        (void)printf("%s  %-9s %s -> %s  ", text_of(event, "at", "?"), text_of(event, "event", "?"),
                     text_of(event, "from", "baseline"), text_of(event, "to", "baseline"));
        if (strcmp(outcome, "Ok") != 0)
                (void)printf("%s: %s\n", outcome, text_of(event, "message", ""));
        else if (reason)
                (void)printf("done: %s\n", reason);
        else
                (void)puts("done");
}

int su_verb_history(const struct su_arguments *arguments, struct su_error *err)
{
        su_auto_engine struct su_engine *engine = NULL;
        su_auto_json json_t *events = NULL;
        json_t *event;
        size_t i;
        int r;

        r = su_engine_open(&arguments->engine, &engine, err);
        if (r >= 0)
                r = su_history_read(engine->state_fd, &events, err);
        if (r < 0)
                return r;
        if (arguments->json)
                return su_output_json(json_pack("{s:O}", "events", events), err);
        json_array_foreach (events, i, event)
                print_event(event);
        if (json_array_size(events) == 0)
                (void)puts("Nothing was ever installed or removed.");
        return 0;
}
