#include "settings/plan.h"

#include <glib/gi18n.h>

#include "settings/status.h"

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

void su_plan_show(struct su_section *section, const json_t *status)
{
        const json_t *action;
        size_t i;

        if (!su_section_begin(section,
                              json_pack("{s:O?, s:b}", "plan", json_object_get(status, "plan"),
                                        "offer", su_status_has_offer(status))))
                return;
        adw_preferences_group_set_title(section->group, title_of(status));
        json_array_foreach (su_status_part(status, "plan"), i, action)
                su_section_add(section,
                               su_row_with_icon(icon_of(action), su_status_text(action, "advice"),
                                                su_status_text(action, "reason")));
}

char *su_plan_list(const json_t *status)
{
        g_autoptr(GString) text = g_string_new(NULL);
        const json_t *action;
        size_t i;

        json_array_foreach (su_status_part(status, "plan"), i, action)
                g_string_append_printf(text, "%s• %s", i > 0 ? "\n" : "",
                                       su_status_text(action, "advice"));
        return text->len > 0 ? g_strdup(text->str) : NULL;
}
