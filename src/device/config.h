/* /etc/suture/suture.conf: where improvements come from, and when restarts may be done.
 *
 *     [Source]
 *     Repository=https://updates.example.org/suture
 *     TrustedRoot=/usr/lib/suture/root.json
 *     LogPolicy=/usr/lib/suture/log-policy
 *
 *     [Restart]
 *     Window=Mon,Tue 02:00-05:00
 *     Deadline=3d
 *     AfterDeadline=restart
 *
 *     [Automatic]
 *     Level=install
 *
 *     [Recall]
 *     Act=at-once
 *
 *     [Watch]
 *     Time=10s
 *
 * Unknown sections and keys are refused with file and line.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/own.h"
#include "restart/due.h"

#define SU_CONFIG_PATH "/etc/suture/suture.conf"
#define SU_TRUSTED_ROOT_PATH "/etc/suture/root.json"
#define SU_LOG_POLICY_PATH "/etc/suture/log-policy"

/* What is done by itself; each includes those before it. */
enum su_automatic {
        SU_AUTOMATIC_OFF,
        SU_AUTOMATIC_CHECK,
        SU_AUTOMATIC_DOWNLOAD,
        SU_AUTOMATIC_INSTALL,
};

struct su_config {
        char *repository;      /* URL; NULL: not configured */
        char *trusted_root;    /* path in the OS tree */
        char *log_policy;      /* the same */
        bool log_policy_given; /* it was named, and has to be there */
        struct su_restart_policy restart;
        enum su_automatic automatic;
        bool recall_asks;   /* a recall waits for a person, too */
        int64_t watch_time; /* seconds; 0: nothing is watched */
};

/* A missing file gives the defaults. CONFIG when it is malformed. */
int su_config_load(int root_fd, struct su_config *ret, struct su_error *err);
void su_config_done(struct su_config *config);
#define su_auto_config su_auto(su_config_done)
