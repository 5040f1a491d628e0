/* The wildcards of delegated paths (TUF specification section 4.5). */
#pragma once

#include <stdbool.h>

/* `*` and `?` stand for anything but a slash, `[a-z]` and `[!a-z]` for one character but a slash;
 * nothing is an escape. A character is one of UTF-8. Work is at most the product of the lengths. */
bool su_glob_match(const char *pattern, const char *text);
