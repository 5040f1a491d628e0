/* Whom a worker becomes. */
#pragma once

#include <sys/types.h>

#include "base/error.h"

#define SU_WORKER_USER "suture-worker"

struct su_account {
        uid_t uid;
        gid_t gid;
};

/* The user of our own that sysusers.d makes, or nobody (65534) where there is none. No directory
 * service is asked: the user is in /etc/passwd, or there is none. */
int su_account_find(struct su_account *ret, struct su_error *err);
