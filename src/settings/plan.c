#include "settings/plan.h"

#include <glib/gi18n.h>

#include "settings/status.h"
#include "settings/words.h"

static const char *icon_of(const json_t *action)
{
        return su_status_is(action, "action", "restart") ||
                               su_status_is(action, "action", "reload") ||
                               su_status_is(action, "action", "reexecute")
                       ? "view-refresh-symbolic"
                       : "dialog-information-symbolic";
}

static const char *title_of(const json_t *status)
{
        return su_status_has_offer(status) ? _("What Installing It Takes")
                                           : _("Still Running Old Code");
}

/* Until when it waits. */
static void describe(AdwPreferencesGroup *group, const json_t *status)
{
        const char *opens = su_status_text(su_status_part(status, "waiting"), "opens");
        g_autofree char *when = su_words_time(opens);
        g_autofree char *text = g_strdup_printf(_("Restarted at %s"), when);

        adw_preferences_group_set_description(
                group, opens[0] && !su_status_has_offer(status) ? text : NULL);
}

static json_t *depends_on(const json_t *status)
{
        return json_pack("{s:O?, s:O?, s:b}", "plan", json_object_get(status, "plan"), "waiting",
                         json_object_get(status, "waiting"), "offer", su_status_has_offer(status));
}

static void add_actions(struct su_section *section, const json_t *status, bool elsewhere)
{
        const json_t *action;
        size_t i;

        json_array_foreach (su_status_part(status, "plan"), i, action)
                if (su_status_is_elsewhere(action) == elsewhere)
                        su_section_add(section, su_row_with_icon(icon_of(action),
                                                                 su_status_text(action, "advice"),
                                                                 su_status_text(action, "reason")));
}

void su_plan_show(struct su_section *section, const json_t *status)
{
        if (!su_section_begin(section, depends_on(status)))
                return;
        adw_preferences_group_set_title(section->group, title_of(status));
        describe(section->group, status);
        add_actions(section, status, false);
}

void su_plan_show_elsewhere(struct su_section *section, const json_t *status)
{
        if (su_section_begin(section, depends_on(status)))
                add_actions(section, status, true);
}

char *su_plan_list(const json_t *status)
{
        g_autoptr(GString) text = g_string_new(NULL);
        const json_t *action;
        size_t i;

        json_array_foreach (su_status_part(status, "plan"), i, action)
                if (!su_status_is_elsewhere(action))
                        g_string_append_printf(text, "%s• %s", text->len > 0 ? "\n" : "",
                                               su_status_text(action, "advice"));
        return text->len > 0 ? g_strdup(text->str) : NULL;
}
