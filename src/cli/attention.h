/* What needs a person, the most pressing first: whoever shows it (status, the message at login, a
 * notification on a screen) shows the same. */
#pragma once

#include "base/error.h"
#include "base/own.h"
#include "cli/report.h"
#include "json/json.h"

struct su_attention {
        const char *kind; /* docs/schema/status.json has them all */
        char *message;    /* a sentence or two */
};

struct su_attentions {
        struct su_attention *items;
        size_t n_items;
};

int su_attention_find(const struct su_report *report, struct su_attentions *ret,
                      struct su_error *err);
void su_attentions_done(struct su_attentions *attentions);
#define su_auto_attentions su_auto(su_attentions_done)

/* [{"kind", "message"}]; NULL: memory ran out. */
json_t *su_attentions_to_json(const struct su_attentions *attentions);
