#include "cli/language.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/translate.h"

void su_language_open(void)
{
        /* Numbers and times are formatted as ever: they are read by programs, too. */
        (void)setlocale(LC_CTYPE, "");
        (void)setlocale(LC_MESSAGES, "");
        (void)bindtextdomain(SU_TEXT_DOMAIN, SUTURE_LOCALEDIR);
        (void)bind_textdomain_codeset(SU_TEXT_DOMAIN, "UTF-8");
}

void su_language_name(char ret[SU_LANGUAGE_SIZE])
{
        const char *locale = setlocale(LC_MESSAGES, NULL);
        const char *wanted = getenv("LANGUAGE");
        size_t size;

        ret[0] = '\0';
        if (!locale || strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0)
                return;
        if (!wanted || !wanted[0])
                wanted = locale;
        size = strcspn(wanted, ":.");
        if (size < SU_LANGUAGE_SIZE)
                (void)snprintf(ret, SU_LANGUAGE_SIZE, "%.*s", (int)size, wanted);
        if (!su_language_is_valid(ret))
                ret[0] = '\0';
}

void su_language_end(void)
{
        (void)setlocale(LC_MESSAGES, "C");
}
