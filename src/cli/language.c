#include "cli/language.h"

#include <locale.h>
#include <stddef.h>

#include "base/translate.h"

void su_language_open(void)
{
        /* Numbers and times are formatted as ever: they are read by programs, too. */
        (void)setlocale(LC_CTYPE, "");
        (void)setlocale(LC_MESSAGES, "");
        (void)bindtextdomain(SU_TEXT_DOMAIN, SUTURE_LOCALEDIR);
        (void)bind_textdomain_codeset(SU_TEXT_DOMAIN, "UTF-8");
}

void su_language_end(void)
{
        (void)setlocale(LC_MESSAGES, "C");
}
