/* What the kernel's command line says about improvements. */
#pragma once

#include <stdbool.h>

/* `suture.disable`, or that with a true value: no layers for this boot. Of several the last counts.
 */
bool su_cmdline_disables(const char *text);
/* The same of /proc/cmdline below `root_fd`; a tree without one was not booted. */
bool su_boot_is_disabled(int root_fd);
