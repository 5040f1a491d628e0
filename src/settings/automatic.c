#include "settings/automatic.h"

#include <glib/gi18n.h>
#include <string.h>

#include "settings/section.h"
#include "settings/status.h"
#include "settings/words.h"

/* What the switch stands for when it is off: to be told is no harm. */
#define LEVEL_ON "install"
#define LEVEL_OFF "check"

static gboolean on_state_set(GtkSwitch *control, gboolean wanted, gpointer userdata)
{
        const struct su_automatic_rows *rows = userdata;

        if (wanted != gtk_switch_get_state(control))
                rows->turned(rows->userdata, wanted ? LEVEL_ON : LEVEL_OFF);
        return TRUE; /* it is the agent that turns it, or does not */
}

static void init_automatic(struct su_automatic_rows *rows)
{
        rows->automatic = su_row_new(_("Install Automatically"), "");
        rows->automatic_switch = gtk_switch_new();
        gtk_widget_set_valign(rows->automatic_switch, GTK_ALIGN_CENTER);
        (void)g_signal_connect(rows->automatic_switch, "state-set", G_CALLBACK(on_state_set), rows);
        adw_action_row_add_suffix(ADW_ACTION_ROW(rows->automatic), rows->automatic_switch);
        adw_action_row_set_activatable_widget(ADW_ACTION_ROW(rows->automatic),
                                              rows->automatic_switch);
}

static void init_last_check(struct su_automatic_rows *rows)
{
        rows->last_check = su_row_new(_("Last Check"), "");
        rows->check = su_button_new(_("Check _Now"), "win.check", NULL);
        adw_action_row_add_suffix(ADW_ACTION_ROW(rows->last_check), rows->check);
}

void su_automatic_init(struct su_automatic_rows *rows, AdwPreferencesPage *parent)
{
        rows->group = ADW_PREFERENCES_GROUP(adw_preferences_group_new());
        rows->managed =
                su_row_with_icon("system-lock-screen-symbolic", _("Managed by your organisation"),
                                 _("Some settings cannot be changed on this system"));
        init_automatic(rows);
        init_last_check(rows);
        adw_preferences_group_add(rows->group, rows->managed);
        adw_preferences_group_add(rows->group, rows->automatic);
        adw_preferences_group_add(rows->group, rows->last_check);
        adw_preferences_page_add(parent, rows->group);
}

static char *describe_check(const json_t *check)
{
        g_autofree char *when = NULL;

        if (!check)
                return g_strdup(_("Never"));
        when = su_words_time(su_status_text(check, "at"));
        return g_strdup_printf("%s\n%s", when, su_status_text(check, "message"));
}

static bool is_managed(const json_t *status)
{
        const json_t *policy = su_status_part(status, "policy");

        return su_status_truth(su_status_part(status, "automatic"), "managed") ||
               !su_status_truth(policy, "install") || !su_status_truth(policy, "remove");
}

static void turn(struct su_automatic_rows *rows, bool is_on)
{
        GtkSwitch *control = GTK_SWITCH(rows->automatic_switch);

        g_signal_handlers_block_by_func(control, G_CALLBACK(on_state_set), rows);
        gtk_switch_set_active(control, is_on);
        gtk_switch_set_state(control, is_on);
        g_signal_handlers_unblock_by_func(control, G_CALLBACK(on_state_set), rows);
}

void su_automatic_show(struct su_automatic_rows *rows, const json_t *status)
{
        const json_t *automatic = su_status_part(status, "automatic");
        const char *level = su_status_text(automatic, "level");
        g_autofree char *check = describe_check(su_status_part(status, "last_check"));

        gtk_widget_set_visible(rows->managed, is_managed(status));
        adw_action_row_set_subtitle(ADW_ACTION_ROW(rows->automatic), su_words_automatic(level));
        gtk_widget_set_sensitive(rows->automatic_switch, !su_status_truth(automatic, "managed"));
        turn(rows, strcmp(level, LEVEL_ON) == 0);
        adw_action_row_set_subtitle(ADW_ACTION_ROW(rows->last_check), check);
}
