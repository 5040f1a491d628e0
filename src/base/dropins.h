/* Files of vendor, this boot and administrator, below /usr/lib/suture, /run/suture and /etc/suture:
 * of those with the same name the last of these counts (systemd.syntax(7), file-hierarchy(7)). */
#pragma once

#include "base/error.h"

/* `text` may be changed. */
typedef int (*su_dropin_visit)(void *userdata, const char *path, char *text, struct su_error *err);

/* NAME; nothing is visited when there is none. */
int su_dropins_read_main(int root_fd, const char *name, su_dropin_visit visit, void *userdata,
                         struct su_error *err);

/* KIND/NAME.conf, in the order of their names. */
int su_dropins_read(int root_fd, const char *kind, su_dropin_visit visit, void *userdata,
                    struct su_error *err);
