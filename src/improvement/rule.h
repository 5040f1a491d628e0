/* Restart rules: what a unit needs when code or data that it uses was replaced.
 *
 * The same rules come from the publisher, as hints in the manifest, and from the system, as
 * drop-ins:
 *
 *     [nginx.service]
 *     Action=reload
 *     Data=/usr/share/nginx/index.html
 *
 * A section names units, with shell wildcards (fnmatch(3)). Data= says which data files a running
 * unit has read: no scan of memory finds those. It needs a section that names one unit.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/own.h"
#include "json/json.h"

#define SU_RULES_MAX 1024
#define SU_RULE_DATA_MAX 256

enum su_rule_action {
        SU_RULE_UNSET,
        SU_RULE_RESTART,
        SU_RULE_RELOAD, /* enough for data; code that is mapped stays until a restart */
        SU_RULE_WAIT,   /* never by itself: a person decides */
        SU_RULE_REBOOT, /* neither: only a reboot ends it */
};

struct su_rule {
        char *unit;
        enum su_rule_action action;
        char **data; /* wildcards of absolute paths */
        size_t n_data;
};

struct su_rules {
        struct su_rule *rules;
        size_t n_rules;
};

/* Append the rules of one file. CONFIG, naming file and line, when it is malformed. `text` is
 * changed.
 */
int su_rules_parse(const char *file, char *text, struct su_rules *rules, struct su_error *err);
int su_rules_append(struct su_rules *rules, const char *unit, enum su_rule_action action,
                    struct su_error *err);
void su_rules_done(struct su_rules *rules);
#define su_auto_rules su_auto(su_rules_done)

/* The last rule that says something about `unit` wins. UNSET when none does. */
enum su_rule_action su_rules_action(const struct su_rules *rules, const char *unit);
/* A unit's name, wildcards allowed. */
bool su_rule_is_unit_pattern(const char *text);
bool su_rule_reads(const struct su_rule *rule, const char *path);

/* [{"unit", "action", "data"}]; a missing field is an empty set. */
int su_rules_from_json(const json_t *parent, const char *name, struct su_rules *ret,
                       struct su_error *err);
json_t *su_rules_to_json(const struct su_rules *rules);
