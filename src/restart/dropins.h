/* Drop-ins of vendor and administrator: KIND/NAME.conf below /usr/lib/suture and /etc/suture, in
 * the order of their names; one in /etc takes the place of the vendor's of the same name. */
#pragma once

#include "base/error.h"

/* `text` may be changed. */
typedef int (*su_dropin_visit)(void *userdata, const char *path, char *text, struct su_error *err);

int su_dropins_read(int root_fd, const char *kind, su_dropin_visit visit, void *userdata,
                    struct su_error *err);
