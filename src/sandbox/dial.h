/* A connection with the worker of another service, which is none of our children. */
#pragma once

#include "base/error.h"

/* WORKER when nobody listens at `path`. */
int su_dial(const char *name, const char *path, int *ret, struct su_error *err);
/* Have it leave, and wait until it has: its end of the connection is closed with its last breath,
 * when its memory, and what it maps, is gone already. Whatever it still says is not listened to,
 * and one that stays is not waited for longer than some seconds. */
void su_dismiss(int fd);
