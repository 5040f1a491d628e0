#include "settings/history.h"

#include <glib/gi18n.h>

#include "settings/status.h"
#include "settings/words.h"

#define SHOWN 5 /* without opening the rest */

static GtkWidget *make_event(const json_t *event)
{
        g_autofree char *title = su_words_event(event);
        g_autofree char *when = su_words_time(su_status_text(event, "at"));
        const bool is_good = su_status_is(event, "outcome", "Ok");
        const char *why = su_status_text(event, is_good ? "reason" : "message");
        g_autofree char *subtitle = why[0] ? g_strdup_printf("%s\n%s", when, why) : g_strdup(when);

        return su_row_with_icon(is_good ? "emblem-ok-symbolic" : "dialog-warning-symbolic", title,
                                subtitle);
}

void su_history_show(struct su_section *section, const json_t *status)
{
        json_t *events = json_object_get(status, "history");
        GtkWidget *more = NULL;
        const json_t *event;
        size_t i;

        if (!su_section_begin(section, json_incref(events)))
                return;
        json_array_foreach (events, i, event) {
                if (i < SHOWN) {
                        su_section_add(section, make_event(event));
                        continue;
                }
                if (!more) {
                        more = adw_expander_row_new();
                        adw_preferences_row_set_title(ADW_PREFERENCES_ROW(more), _("Earlier"));
                        su_section_add(section, more);
                }
                adw_expander_row_add_row(ADW_EXPANDER_ROW(more), make_event(event));
        }
}
