/* suture.conf: where improvements come from, what is done by itself, and what is allowed.
 *
 * Read are the first of /etc/suture/suture.conf, /run/suture/suture.conf and
 * /usr/lib/suture/suture.conf, then suture.conf.d/NAME.conf below these directories, in the order
 * of their names, and at last the same of managed.conf, which an organisation's management writes:
 * what that says is shown as managed. The last value counts; for a list all do; an empty one takes
 * back those before it. Unknown sections and keys are refused with file and line. The keys:
 * settings.c, docs/FORMATS.md.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "device/admin_policy.h"
#include "device/conditions.h"
#include "restart/due.h"

#define SU_TRUSTED_ROOT_PATH "/etc/suture/root.json"
#define SU_LOG_POLICY_PATH "/etc/suture/log-policy"

/* What is done by itself; each includes those before it. */
enum su_automatic {
        SU_AUTOMATIC_OFF,
        SU_AUTOMATIC_CHECK,
        SU_AUTOMATIC_DOWNLOAD,
        SU_AUTOMATIC_INSTALL,
};

/* Where a value comes from, as text. */
struct su_config_value {
        char *text;
        char *file; /* NULL: it is what holds without any */
        unsigned line;
        bool managed;
};

/* All values of the setting of the same index. */
struct su_config_values {
        struct su_config_value *values;
        size_t n_values;
};

struct su_config {
        char *repository;   /* URL; NULL: not configured */
        char *trusted_root; /* path in the OS tree */
        char *log_policy;   /* the same */
        uint64_t max_rate;  /* bytes per second; 0: as fast as it goes */
        char *proxy;        /* URL; NULL: what the environment says */
        struct su_restart_policy restart;
        enum su_automatic automatic;
        struct su_condition_policy conditions; /* what is done by itself waits for these */
        bool recall_asks;                      /* a recall waits for a person, too */
        int64_t watch_time;                    /* seconds; 0: nothing is watched */
        struct su_admin_policy policy;
        struct su_config_values *origins; /* su_n_settings of them */
};

/* "off", "check", "download", "install"; NULL at the end. */
extern const char *const su_automatic_words[];
const char *su_automatic_name(enum su_automatic automatic);
bool su_automatic_from_name(const char *name, enum su_automatic *ret);

/* What holds without any file. */
int su_config_defaults(struct su_config *ret, struct su_error *err);
/* CONFIG when a file is malformed. */
int su_config_load(int root_fd, struct su_config *ret, struct su_error *err);
/* The value that counts, and where it was said; NULL: there is none. */
const struct su_config_value *su_config_find(const struct su_config *config, const char *section,
                                             const char *key);
/* Whether a file says so, and it is not only what holds without any. */
bool su_config_says(const struct su_config *config, const char *section, const char *key);
/* Write what is done by itself into a file of its own below /etc/suture. MANAGED when an
 * organisation's management says it; CONFIG when a file that is read later says something else. */
int su_config_set_automatic(int root_fd, enum su_automatic automatic, struct su_error *err);
void su_config_done(struct su_config *config);
#define su_auto_config su_auto(su_config_done)
