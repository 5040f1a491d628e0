/* Sentences for people, in their language, by gettext. Translated is what is said at once; what is
 * kept, logged or read by programs stays as it is written here. */
#pragma once

#include <libintl.h>

#define SU_TEXT_DOMAIN "suture"

/* Whole sentences, as words stand elsewhere in other languages. The compiler checks what they are
 * formatted with, and msgfmt that a translation wants the same. */
#define _(text) dgettext(SU_TEXT_DOMAIN, text)
/* One that is translated later, when it is said. */
#define N_(text) text
#define su_plural(one, many, n) dngettext(SU_TEXT_DOMAIN, one, many, n)
