#include "daemon/language.h"

#include <ctype.h>
#include <locale.h>
#include <string.h>

#include "base/own.h"
#include "base/text.h"

#define LOCALE_SIZE 64

static bool is_installed(const char *locale)
{
        const locale_t found = newlocale(LC_CTYPE_MASK | LC_MESSAGES_MASK, locale, (locale_t)0);

        if (!found)
                return false;
        freelocale(found);
        return true;
}

/* "de" and "de_DE" are spoken in "de_DE.UTF-8". */
static void name_locale(const char *language, char ret[LOCALE_SIZE])
{
        const int size = (int)strcspn(language, "_@");
        const char *modifier = strchr(language, '@');
        char territory[3] = {(char)toupper((unsigned char)language[0]),
                             (char)toupper((unsigned char)language[1])};

        if (language[size] == '_')
                memcpy(territory, language + size + 1, 2);
        (void)snprintf(ret, LOCALE_SIZE, "%.*s_%s.UTF-8%s", size, language, territory,
                       modifier ? modifier : "");
}

/* Which one does not matter to the sentences, LANGUAGE has the last word on those; but it has none
 * in "C", and in newer C libraries none in "C.UTF-8". */
static void find_locale(const char *language, char ret[LOCALE_SIZE])
{
        const char *own = getenv("LANG");

        name_locale(language, ret);
        if (is_installed(ret))
                return;
        if (own && strchr(own, '_') && strlen(own) < LOCALE_SIZE && is_installed(own))
                (void)snprintf(ret, LOCALE_SIZE, "%s", own);
        else
                (void)snprintf(ret, LOCALE_SIZE, "%s",
                               is_installed("en_US.UTF-8") ? "en_US.UTF-8" : "C.UTF-8");
}

static bool is_about_language(const char *variable)
{
        return su_starts_with(variable, "LANGUAGE=") || su_starts_with(variable, "LC_ALL=");
}

int su_environment_make(const char *language, char ***ret, struct su_error *err)
{
        char locale[LOCALE_SIZE] = "C.UTF-8";
        char **made;
        size_t n = 0;
        int r = 0;

        while (environ[n])
                n++;
        made = calloc(n + 3, sizeof *made);
        if (!made)
                return su_fail_oom(err);
        n = 0;
        for (size_t i = 0; environ[i] && r >= 0; i++)
                if (!is_about_language(environ[i]))
                        r = su_strdup(environ[i], &made[n++], err);
        if (language[0])
                find_locale(language, locale);
        if (r >= 0)
                r = su_format(&made[n++], err, "LC_ALL=%s", locale);
        if (r >= 0 && language[0])
                r = su_format(&made[n++], err, "LANGUAGE=%s", language);
        if (r < 0) {
                su_environment_done(made);
                return r;
        }
        *ret = made;
        return 0;
}

void su_environment_done(char **environment)
{
        for (size_t i = 0; environment && environment[i]; i++)
                free(environment[i]);
        free(environment);
}
