#include "settings/header.h"

#include <glib/gi18n.h>
#include <string.h>

#include "settings/section.h"
#include "settings/status.h"
#include "settings/words.h"

#define ICON_SIZE 64

static GtkWidget *make_label(const char *style)
{
        GtkWidget *label = gtk_label_new(NULL);

        gtk_label_set_wrap(GTK_LABEL(label), TRUE);
        gtk_label_set_justify(GTK_LABEL(label), GTK_JUSTIFY_CENTER);
        if (style)
                gtk_widget_add_css_class(label, style);
        return label;
}

static GtkWidget *make_pill(const char *label, const char *action, const char *style)
{
        GtkWidget *button = su_button_new(label, action, "pill");

        if (style)
                gtk_widget_add_css_class(button, style);
        return button;
}

/* The button gets the keyboard's focus, and not the flow box's child around it. */
static void add_button(const struct su_header *header, GtkWidget *button)
{
        gtk_flow_box_insert(GTK_FLOW_BOX(header->buttons), button, -1);
        gtk_widget_set_focusable(gtk_widget_get_parent(button), FALSE);
}

static void init_buttons(struct su_header *header)
{
        header->install = make_pill(_("_Install…"), "win.install", "suggested-action");
        header->restart_now = make_pill(_("_Restart Now"), "win.restart-now", "suggested-action");
        header->restart_tonight = make_pill(_("Restart _Tonight"), "win.restart-tonight", NULL);
        /* One below the other where there is little room. */
        header->buttons = gtk_flow_box_new();
        gtk_flow_box_set_selection_mode(GTK_FLOW_BOX(header->buttons), GTK_SELECTION_NONE);
        gtk_flow_box_set_column_spacing(GTK_FLOW_BOX(header->buttons), 12);
        gtk_flow_box_set_max_children_per_line(GTK_FLOW_BOX(header->buttons), 2);
        gtk_widget_set_halign(header->buttons, GTK_ALIGN_CENTER);
        add_button(header, header->install);
        add_button(header, header->restart_now);
        add_button(header, header->restart_tonight);
}

static void init_progress(struct su_header *header)
{
        header->step = make_label(NULL);
        header->bar = gtk_progress_bar_new();
        gtk_accessible_update_relation(GTK_ACCESSIBLE(header->bar),
                                       GTK_ACCESSIBLE_RELATION_LABELLED_BY, header->step, NULL, -1);
        header->cancel = make_pill(_("_Cancel"), "win.cancel", NULL);
        gtk_widget_set_halign(header->cancel, GTK_ALIGN_CENTER);
        header->progress = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
        gtk_box_append(GTK_BOX(header->progress), header->step);
        gtk_box_append(GTK_BOX(header->progress), header->bar);
        gtk_box_append(GTK_BOX(header->progress), header->cancel);
}

void su_header_init(struct su_header *header, AdwPreferencesPage *parent)
{
        GtkWidget *group = adw_preferences_group_new();
        GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);

        header->icon = gtk_image_new();
        gtk_image_set_pixel_size(GTK_IMAGE(header->icon), ICON_SIZE);
        gtk_accessible_update_property(GTK_ACCESSIBLE(header->icon), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                       "", -1);
        header->version = make_label("title-1");
        header->os = make_label("dim-label");
        header->sentence = make_label(NULL);
        header->reason = make_label("dim-label");
        init_buttons(header);
        init_progress(header);
        gtk_box_append(GTK_BOX(box), header->icon);
        gtk_box_append(GTK_BOX(box), header->version);
        gtk_box_append(GTK_BOX(box), header->os);
        gtk_box_append(GTK_BOX(box), header->sentence);
        gtk_box_append(GTK_BOX(box), header->buttons);
        gtk_box_append(GTK_BOX(box), header->reason);
        gtk_box_append(GTK_BOX(box), header->progress);
        adw_preferences_group_add(ADW_PREFERENCES_GROUP(group), box);
        adw_preferences_page_add(parent, ADW_PREFERENCES_GROUP(group));
}

static void show_tone(const struct su_header *header, const char *tone)
{
        static const struct {
                const char *tone;
                const char *icon;
                const char *style;
        } looks[] = {
                {"good", "security-high-symbolic", "success"},
                {"plain", "security-medium-symbolic", "dim-label"},
                {"doubt", "security-medium-symbolic", "warning"},
                {"bad", "security-low-symbolic", "error"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(looks); i++) {
                gtk_widget_remove_css_class(header->icon, looks[i].style);
                if (strcmp(looks[i].tone, tone) == 0)
                        gtk_image_set_from_icon_name(GTK_IMAGE(header->icon), looks[i].icon);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(looks); i++)
                if (strcmp(looks[i].tone, tone) == 0)
                        gtk_widget_add_css_class(header->icon, looks[i].style);
}

/* Only those that lead somewhere. A flow box has put a child of its own around each. */
static void place(GtkWidget *button, bool is_wanted)
{
        gtk_widget_set_visible(gtk_widget_get_parent(button), is_wanted);
}

static void show_buttons(const struct su_header *header, const json_t *status, bool is_idle)
{
        const bool leaves = su_status_leaves_recalled(status);
        const bool installs = su_status_has_offer(status) || leaves;
        const bool restarts = su_status_awaits_restarts(status);

        su_button_set_label(header->install, leaves && !su_status_has_offer(status)
                                                     ? _("_Go Back…")
                                                     : _("_Install…"));
        place(header->install, installs);
        place(header->restart_now, restarts);
        place(header->restart_tonight, restarts);
        gtk_widget_set_visible(header->buttons, is_idle && (installs || restarts));
}

/* What the administrator does not allow is said where it is missed. */
static const char *find_reason(const json_t *status)
{
        const json_t *policy = su_status_part(status, "policy");

        if (su_status_has_offer(status) && !su_status_truth(policy, "install"))
                return _("Your organisation does not allow improvements to be installed here.");
        return "";
}

static void show_progress(const struct su_header *header, const struct su_shown_job *job)
{
        gtk_widget_set_visible(header->progress, job != NULL);
        if (!job)
                return;
        gtk_label_set_text(GTK_LABEL(header->step),
                           job->is_cancelled ? _("Cancelling…") : su_words_step(job->step));
        if (job->total > 0)
                gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(header->bar),
                                              (double)job->done / (double)job->total);
        else
                gtk_progress_bar_pulse(GTK_PROGRESS_BAR(header->bar));
}

void su_header_show(struct su_header *header, const json_t *status, const struct su_shown_job *job)
{
        const json_t *verdict = su_status_part(status, "verdict");
        const json_t *baseline = su_status_part(status, "baseline");
        const char *reason = find_reason(status);
        /* Translators: of the system, like "Version 12 (a)". */
        g_autofree char *version =
                g_strdup_printf(_("Version %s"), su_status_text(status, "version"));

        show_tone(header, su_status_text(verdict, "tone"));
        gtk_label_set_text(GTK_LABEL(header->version), version);
        gtk_label_set_text(GTK_LABEL(header->os), su_status_text(baseline, "os"));
        gtk_label_set_text(GTK_LABEL(header->sentence), su_status_text(verdict, "sentence"));
        gtk_label_set_text(GTK_LABEL(header->reason), reason);
        gtk_widget_set_visible(header->reason, reason[0] != '\0');
        show_buttons(header, status, job == NULL);
        show_progress(header, job);
}
