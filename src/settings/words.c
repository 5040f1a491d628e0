#include "settings/words.h"

#include <glib/gi18n.h>
#include <string.h>

#include "settings/status.h"

struct word {
        const char *name;
        const char *text; /* to be translated */
};

static const char *find(const struct word *words, const char *name, const char *otherwise)
{
        for (; words->name; words++)
                if (strcmp(words->name, name) == 0)
                        return _(words->text);
        return otherwise;
}

char *su_words_time(const char *text)
{
        g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
        g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, utc);
        g_autoptr(GDateTime) local = time ? g_date_time_to_local(time) : NULL;

        /* Translators: a day and a time of the day; see the manual page strftime(3). */
        return local ? g_date_time_format(local, _("%-d %B %Y, %H:%M")) : g_strdup(text);
}

char *su_words_versions(const json_t *component)
{
        const char *old = su_status_text(component, "old_version");
        const char *new = su_status_text(component, "new_version");

        /* Translators: from an old version to a new one. */
        return old[0] ? g_strdup_printf(_("%s → %s"), old, new) : g_strdup(new);
}

const char *su_words_severity(const char *name)
{
        static const struct word words[] = {
                {"low", N_("Low severity")},
                {"moderate", N_("Moderate severity")},
                {"high", N_("High severity")},
                {"critical", N_("Critical severity")},
                {NULL, NULL},
        };

        return find(words, name, "");
}

const char *su_words_fit(const char *name)
{
        static const struct word words[] = {
                {"fixed", N_("Fixed by the system’s own packages now")},
                {"missing", N_("Not in place: its image is damaged or gone")},
                {"superseded",
                 N_("Replaced by other packages, which this improvement does not know")},
                {NULL, NULL},
        };

        return find(words, name, "");
}

char *su_words_event(const json_t *event)
{
        static const struct word done[] = {
                {"install", N_("Installed")},
                {"remove", N_("Removed")},
                {"download", N_("Downloaded")},
                {"take-back", N_("Taken back")},
                {"restart", N_("Restarted what waited")},
                {"resume", N_("Put back after the package manager’s work")},
                {"activate", N_("Put back when the system started")},
                {"retire", N_("Retired by a full update")},
                {"fall-back", N_("Left off when the system started")},
                {NULL, NULL},
        };
        static const struct word failed[] = {
                {"install", N_("Installation failed")},
                {"remove", N_("Removal failed")},
                {"download", N_("Download failed")},
                {"take-back", N_("Could not be taken back")},
                {"restart", N_("Restart failed")},
                {NULL, NULL},
        };
        const char *name = su_status_text(event, "event");
        const char *to = su_status_text(event, "to");
        const char *from = su_status_text(event, "from");
        const char *text = su_status_is(event, "outcome", "Ok")
                                   ? find(done, name, name)
                                   : find(failed, name, find(done, name, name));
        const char *level = strcmp(name, "install") == 0 || !from[0] ? to : from;

        return level[0] ? g_strdup_printf("%s (%s)", text, level) : g_strdup(text);
}

const char *su_words_step(const char *step)
{
        static const struct word words[] = {
                {"", N_("Beginning…")},
                {"ask the repository", N_("Asking the repository…")},
                {"check the baseline", N_("Checking the system…")},
                {"download", N_("Downloading…")},
                {"rebuild image", N_("Rebuilding…")},
                {"find exposed processes", N_("Looking for who runs old code…")},
                {"swap", N_("Putting in place…")},
                {"restart", N_("Restarting what runs old code…")},
                {"watch", N_("Watching what was restarted…")},
                {NULL, NULL},
        };

        return find(words, step, step);
}

const char *su_words_automatic(const char *level)
{
        static const struct word words[] = {
                {"off", N_("Nothing is done by itself, and nobody looks for improvements")},
                {"check", N_("You are told of improvements, and install them yourself")},
                {"download", N_("Improvements are downloaded, and you install them yourself")},
                {"install", N_("Improvements are downloaded and installed in the background")},
                {NULL, NULL},
        };

        return find(words, level, level);
}

const char *su_words_condition(const char *name)
{
        static const struct word words[] = {
                {"metered", N_("a network that is not metered")},
                {"battery", N_("mains power, or a fuller battery")},
                {"in-use", N_("a time when nobody uses this system")},
                {"window", N_("the maintenance window")},
                {NULL, NULL},
        };

        return find(words, name, name);
}
