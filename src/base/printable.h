/* Text that others wrote, made fit to be shown. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Replace, in place, what could drive a terminal or break a line (control characters, bytes that
 * are not ASCII) by '?'. For names that another process chose. */
void su_make_printable_ascii(char *text);

/* Whether there is nothing but printable ASCII in it. */
bool su_is_printable_ascii(const char *text);

/* The bytes of the UTF-8 character (RFC 3629) at `text`; 0 when it is none, or a control character.
 */
size_t su_printable_size(const char *text);

/* Whether it is UTF-8 without control characters: what su_make_printable() leaves as it is. */
bool su_is_printable(const char *text);

/* Replace, in place, control characters and bytes that are no UTF-8 by '?', and keep the rest: for
 * messages that may quote what somebody else wrote. The result is fit for a terminal and for JSON.
 */
void su_make_printable(char *text);
