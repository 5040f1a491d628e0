/* A small OS tree below a scratch directory, sealed images for it, in a mount namespace of the
 * test's own. Needs root. */
#pragma once

#include "support.h"

#define TREE_FILES 16

/* Leave the machine's mount table alone from here on; skips the test without root. */
void tree_enter_namespace(void);

/* usr/lib/file0 ... with `letter` in each, below `prefix`. */
void tree_write(struct scratch *scratch, const char *prefix, char letter);

/* An image whose usr/lib/file0 ... say `letter`; the caller closes it. */
int tree_image(struct scratch *scratch, char letter);

/* What usr/lib/fileN of the tree says; '-' when it cannot be opened. */
char tree_letter(const struct scratch *scratch, const char *prefix, int n);
