#include "settings/section.h"

void su_section_init(struct su_section *section, AdwPreferencesPage *parent, const char *title)
{
        section->group = ADW_PREFERENCES_GROUP(adw_preferences_group_new());
        section->rows = g_ptr_array_new();
        section->shown = NULL;
        if (title)
                adw_preferences_group_set_title(section->group, title);
        gtk_widget_set_visible(GTK_WIDGET(section->group), FALSE);
        adw_preferences_page_add(parent, section->group);
}

void su_section_done(struct su_section *section)
{
        g_clear_pointer(&section->rows, g_ptr_array_unref);
        json_decref(section->shown);
        section->shown = NULL;
}

bool su_section_begin(struct su_section *section, json_t *part)
{
        if (section->shown && part && json_equal(section->shown, part)) {
                json_decref(part);
                return false;
        }
        json_decref(section->shown);
        section->shown = part;
        for (guint i = 0; i < section->rows->len; i++)
                adw_preferences_group_remove(section->group, g_ptr_array_index(section->rows, i));
        g_ptr_array_set_size(section->rows, 0);
        gtk_widget_set_visible(GTK_WIDGET(section->group), FALSE);
        return true;
}

void su_section_add(struct su_section *section, GtkWidget *row)
{
        adw_preferences_group_add(section->group, row);
        g_ptr_array_add(section->rows, row);
        gtk_widget_set_visible(GTK_WIDGET(section->group), TRUE);
}

void su_button_set_label(GtkWidget *button, const char *label)
{
        gtk_label_set_text_with_mnemonic(GTK_LABEL(gtk_button_get_child(GTK_BUTTON(button))),
                                         label);
}

GtkWidget *su_button_new(const char *label, const char *action, const char *style)
{
        GtkWidget *button = gtk_button_new();
        GtkWidget *text = gtk_label_new_with_mnemonic(label);

        gtk_label_set_mnemonic_widget(GTK_LABEL(text), button);
        gtk_button_set_child(GTK_BUTTON(button), text);
        gtk_widget_add_css_class(button, "text-button");
        gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
        gtk_actionable_set_action_name(GTK_ACTIONABLE(button), action);
        if (style)
                gtk_widget_add_css_class(button, style);
        return button;
}

GtkWidget *su_row_new(const char *title, const char *subtitle)
{
        GtkWidget *row = adw_action_row_new();

        adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
        adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
        adw_action_row_set_title_lines(ADW_ACTION_ROW(row), 0);
        adw_action_row_set_subtitle_lines(ADW_ACTION_ROW(row), 0);
        adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
        return row;
}

GtkWidget *su_row_with_icon(const char *icon, const char *title, const char *subtitle)
{
        GtkWidget *row = su_row_new(title, subtitle);

        adw_action_row_add_prefix(ADW_ACTION_ROW(row), gtk_image_new_from_icon_name(icon));
        return row;
}
