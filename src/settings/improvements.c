#include "settings/improvements.h"

#include <glib/gi18n.h>

#include "settings/status.h"
#include "settings/words.h"

static char *describe_component(const json_t *component)
{
        const size_t n = json_array_size(su_status_part(component, "fixes"));
        const char *fit = su_words_fit(su_status_text(component, "fit"));
        g_autofree char *versions = su_words_versions(component);
        g_autofree char *fixes =
                g_strdup_printf(ngettext("%zu fix", "%zu fixes", (unsigned long)n), n);

        return fit[0] ? g_strdup_printf("%s · %s\n%s", versions, fixes, fit)
                      : g_strdup_printf("%s · %s", versions, fixes);
}

static char *describe_fix(const json_t *fix)
{
        const char *title = su_status_text(fix, "title");
        const char *severity = su_words_severity(su_status_text(fix, "severity"));
        const char *impact = su_status_text(fix, "impact");
        g_autofree char *what = title[0] && severity[0]
                                        ? g_strdup_printf("%s · %s", severity, title)
                                        : g_strdup(title[0] ? title : severity);

        return g_strdup_printf("%s%s%s", what, what[0] && impact[0] ? "\n" : "", impact);
}

/* The whole row leads to what is published about it. */
static void link_to_advisory(GtkWidget *row, const char *id, const char *url)
{
        GtkWidget *link = gtk_link_button_new_with_label(url, _("Advisory"));
        g_autofree char *label = g_strdup_printf(_("Advisory about %s"), id);

        gtk_widget_set_valign(link, GTK_ALIGN_CENTER);
        gtk_widget_set_tooltip_text(link, url);
        gtk_accessible_update_property(GTK_ACCESSIBLE(link), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                       -1);
        adw_action_row_add_suffix(ADW_ACTION_ROW(row), link);
}

static GtkWidget *make_fix(const json_t *fix)
{
        const char *id = su_status_text(fix, "id");
        const char *url = su_status_text(fix, "url");
        g_autofree char *description = describe_fix(fix);
        GtkWidget *row = su_row_new(id, description);

        if (url[0])
                link_to_advisory(row, id, url);
        return row;
}

static GtkWidget *make_component(const json_t *component)
{
        g_autofree char *description = describe_component(component);
        GtkWidget *row = adw_expander_row_new();
        const json_t *fix;
        size_t i;

        adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
        adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), su_status_text(component, "name"));
        adw_expander_row_set_subtitle(ADW_EXPANDER_ROW(row), description);
        json_array_foreach (su_status_part(component, "fixes"), i, fix)
                adw_expander_row_add_row(ADW_EXPANDER_ROW(row), make_fix(fix));
        return row;
}

static void add_components(struct su_section *section, const json_t *components)
{
        const json_t *component;
        size_t i;

        json_array_foreach (components, i, component)
                su_section_add(section, make_component(component));
}

void su_improvements_show_installed(struct su_section *section, const json_t *status)
{
        if (!su_section_begin(section, json_pack("{s:O?, s:O?}", "components",
                                                 json_object_get(status, "components"), "removed",
                                                 json_object_get(status, "removed"))))
                return;
        add_components(section, su_status_part(status, "components"));
        if (section->rows->len == 0)
                su_section_add(section, su_row_new(_("No improvement is installed"), ""));
        if (su_status_text(status, "removed")[0]) {
                g_autofree char *title =
                        g_strdup_printf(_("(%s) was removed"), su_status_text(status, "removed"));

                su_section_add(section,
                               su_row_new(title, _("It is not installed again by itself")));
        }
}

/* "12 (b)", when it was made, how much is to be downloaded, and what it waits for */
static void describe_offer(AdwPreferencesGroup *group, const json_t *status)
{
        const json_t *offer = su_status_part(status, "offer");
        const json_int_t bytes = json_integer_value(json_object_get(offer, "least_bytes"));
        g_autofree char *title =
                g_strdup_printf(_("Available: %s"), su_status_text(offer, "version"));
        g_autofree char *escaped = NULL;
        g_autofree char *when = su_words_time(su_status_text(offer, "created"));
        g_autofree char *size = g_format_size((guint64)bytes);
        g_autoptr(GString) text = g_string_new(NULL);
        const json_t *name;
        size_t i;

        if (su_status_is(status, "staged", su_status_text(offer, "level")))
                g_string_printf(text, _("Released %s, downloaded"), when);
        else
                g_string_printf(text, _("Released %s, at least %s to download"), when, size);
        json_array_foreach (su_status_part(status, "waits"), i, name) {
                g_string_append_c(text, '\n');
                g_string_append_printf(text, _("Waits for %s"),
                                       su_words_condition(json_string_value(name)));
        }
        escaped = g_markup_escape_text(title, -1);
        adw_preferences_group_set_title(group, escaped);
        adw_preferences_group_set_description(group, text->str);
}

void su_improvements_show_offered(struct su_section *section, const json_t *status)
{
        if (!su_section_begin(section, json_pack("{s:O?, s:O?, s:O?}", "offer",
                                                 json_object_get(status, "offer"), "staged",
                                                 json_object_get(status, "staged"), "waits",
                                                 json_object_get(status, "waits"))) ||
            !su_status_has_offer(status))
                return;
        describe_offer(section->group, status);
        add_components(section, su_status_part(su_status_part(status, "offer"), "components"));
}
