/* In which language this program speaks to people. */
#pragma once

#include "base/text.h"

/* As the environment says (LANGUAGE, LC_ALL, LC_MESSAGES, LANG), always in UTF-8. The catalogs are
 * those that are installed: no variable of ours names other ones, as their formats are trusted like
 * code, and this program is run by root. */
void su_language_open(void);
/* Which one that is, for who speaks in this program's place: as su_language_is_valid() wants it, or
 * "". */
void su_language_name(char ret[SU_LANGUAGE_SIZE]);
/* From here on in English: for what is kept, and read by who knows whom. */
void su_language_end(void);
