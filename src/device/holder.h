/* A process that asked for something to be held for it, to be known again: a number alone may be
 * another process's by then. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define SU_HOLDER_NAME_SIZE 16

struct su_holder {
        pid_t pid;                      /* 0: none */
        uint64_t started;               /* ticks after the boot */
        char name[SU_HOLDER_NAME_SIZE]; /* made harmless for a terminal */
};

/* Who called this program: the nearest ancestor that is no shell, or the process of the same name
 * that this one is a copy of. */
int su_holder_find(struct su_holder *ret, struct su_error *err);
/* One that is gone, or none, is not alive; an error is that nobody can tell. */
int su_holder_is_alive(const struct su_holder *holder, bool *ret, struct su_error *err);
/* Whether it is who called this program; a caller that cannot be seen, from outside a PID
 * namespace, is another. */
int su_holder_called_us(const struct su_holder *holder, bool *ret, struct su_error *err);
