/* Health checks: commands that tell whether a unit does its work, by their exit status.
 *
 * They come from the publisher, in the manifest, and from the system, as drop-ins:
 *
 *     [nginx.service]
 *     Command=/usr/bin/curl -fsS http://127.0.0.1/
 *
 * A section names units, with shell wildcards (fnmatch(3)); [*] holds for the system as a whole.
 * The words of a command are separated by blanks; there is no shell and no quoting.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/own.h"
#include "json/json.h"

#define SU_HEALTH_CHECKS_MAX 256
#define SU_HEALTH_COMMAND_MAX 1024

struct su_health_check {
        char *unit;    /* a pattern */
        char *command; /* begins with an absolute path */
};

struct su_health {
        struct su_health_check *checks;
        size_t n_checks;
};

/* Append the checks of one file. CONFIG, naming file and line, when it is malformed. `text` is
 * changed. */
int su_health_parse(const char *file, char *text, struct su_health *health, struct su_error *err);
int su_health_append(struct su_health *health, const char *unit, const char *command,
                     struct su_error *err);
void su_health_done(struct su_health *health);
#define su_auto_health su_auto(su_health_done)

/* Whether the check is about the system as a whole. */
bool su_health_is_general(const struct su_health_check *check);
bool su_health_is_about(const struct su_health_check *check, const char *unit);

/* [{"unit", "command"}]; a missing field is an empty set. */
int su_health_from_json(const json_t *parent, const char *name, struct su_health *ret,
                        struct su_error *err);
json_t *su_health_to_json(const struct su_health *health);
