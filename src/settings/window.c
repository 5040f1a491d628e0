#include "settings/window.h"

#include <glib/gi18n.h>
#include <string.h>

#include "settings/agent.h"
#include "settings/automatic.h"
#include "settings/dialogs.h"
#include "settings/header.h"
#include "settings/history.h"
#include "settings/improvements.h"
#include "settings/plan.h"
#include "settings/section.h"
#include "settings/status.h"

#define WIDTH 720
#define HEIGHT 800
#define WIDTH_MIN 320
#define HEIGHT_MIN 294

/* What fills the window: until the first answer, with one, and without. */
enum page { PAGE_WAIT, PAGE_STATUS, PAGE_TROUBLE };

struct window {
        GtkWindow *window;
        GtkWidget *pages[3];
        AdwStatusPage *trouble;
        AdwToastOverlay *toasts;
        struct su_agent *agent;
        struct su_header header;
        struct su_section attention;
        struct su_automatic_rows automatic;
        struct su_section offered;
        struct su_section plan;
        struct su_section elsewhere;
        struct su_section installed;
        GtkWidget *remove;
        struct su_section history;
        char *wanted; /* the kind of what is to be shown first; NULL: none is */
};

/* ---- what is shown ---- */

static void show_attention(struct su_section *section, const json_t *status)
{
        json_t *items = json_object_get(status, "attention");
        const json_t *item;
        size_t i;

        if (!su_section_begin(section, json_incref(items)))
                return;
        json_array_foreach (items, i, item)
                su_section_add(section, su_row_with_icon("dialog-warning-symbolic",
                                                         su_status_text(item, "message"), ""));
}

static void enable(const struct window *window, const char *name, bool is_enabled)
{
        GAction *action = g_action_map_lookup_action(G_ACTION_MAP(window->window), name);

        g_simple_action_set_enabled(G_SIMPLE_ACTION(action), is_enabled);
}

static void enable_actions(const struct window *window, const json_t *status, bool is_idle)
{
        const json_t *policy = su_status_part(status, "policy");
        const bool may_install = su_status_truth(policy, "install");
        const bool has_level = su_status_text(status, "level")[0] != '\0';

        enable(window, "check", is_idle);
        enable(window, "install", is_idle && (su_status_leaves_recalled(status) || may_install));
        enable(window, "restart-now", is_idle);
        enable(window, "restart-tonight", is_idle);
        enable(window, "remove", is_idle && has_level && su_status_truth(policy, "remove"));
        gtk_widget_set_visible(window->remove, has_level);
}

static void show_status(struct window *window, const json_t *status)
{
        const struct su_shown_job *job = su_agent_job(window->agent);

        su_header_show(&window->header, status, job);
        show_attention(&window->attention, status);
        su_automatic_show(&window->automatic, status);
        su_improvements_show_offered(&window->offered, status);
        su_plan_show(&window->plan, status);
        su_plan_show_elsewhere(&window->elsewhere, status);
        su_improvements_show_installed(&window->installed, status);
        su_history_show(&window->history, status);
        enable_actions(window, status, job == NULL);
        enable(window, "cancel", job && !job->is_cancelled);
}

/* The first row gets the keyboard's focus, and the page is moved to where that is. */
static bool go_to(const struct su_section *section)
{
        if (section->rows->len == 0)
                return false;
        return gtk_widget_grab_focus(g_ptr_array_index(section->rows, 0));
}

static void go_to_wanted(struct window *window)
{
        const bool restarts = g_strcmp0(window->wanted, "restart") == 0 ||
                              g_strcmp0(window->wanted, "overdue") == 0;

        if (!window->wanted)
                return;
        if (!restarts || !go_to(&window->plan))
                (void)go_to(&window->attention);
        g_clear_pointer(&window->wanted, g_free);
}

static void turn_to(const struct window *window, enum page page)
{
        for (size_t i = 0; i < G_N_ELEMENTS(window->pages); i++)
                gtk_widget_set_visible(window->pages[i], i == page);
}

static void show(void *userdata)
{
        struct window *window = userdata;
        const json_t *status = su_agent_status(window->agent);
        const char *trouble = su_agent_trouble(window->agent);

        if (status) {
                show_status(window, status);
                turn_to(window, PAGE_STATUS);
                go_to_wanted(window);
        } else if (trouble) {
                g_autofree char *text = g_markup_escape_text(trouble, -1);

                adw_status_page_set_description(window->trouble, text);
                turn_to(window, PAGE_TROUBLE);
        }
}

static void show_failure(void *userdata, const char *message)
{
        const struct window *window = userdata;
        g_autofree char *text = g_markup_escape_text(message, -1);
        AdwToast *toast = adw_toast_new(text);

        adw_toast_set_priority(toast, ADW_TOAST_PRIORITY_HIGH);
        adw_toast_set_timeout(toast, 0); /* stays until it was read */
        adw_toast_overlay_add_toast(window->toasts, toast);
}

/* ---- what is done ---- */

static GVariant *restart_when(const char *when)
{
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        if (when)
                g_variant_builder_add(&builder, "{sv}", "restart", g_variant_new_string(when));
        return g_variant_builder_end(&builder);
}

static void on_turned(void *userdata, const char *level)
{
        const struct window *window = userdata;

        su_agent_set_automatic(window->agent, level);
}

static void on_check(GSimpleAction *action G_GNUC_UNUSED, GVariant *parameter G_GNUC_UNUSED,
                     gpointer userdata)
{
        const struct window *window = userdata;

        su_agent_begin(window->agent, "Check", NULL);
}

static void install(void *userdata, const char *when)
{
        const struct window *window = userdata;

        su_agent_begin(window->agent, "Install", restart_when(when));
}

static void on_install(GSimpleAction *action G_GNUC_UNUSED, GVariant *parameter G_GNUC_UNUSED,
                       gpointer userdata)
{
        struct window *window = userdata;

        su_dialog_ask_install(window->window, su_agent_status(window->agent), install, window);
}

static void on_restart_now(GSimpleAction *action G_GNUC_UNUSED, GVariant *parameter G_GNUC_UNUSED,
                           gpointer userdata)
{
        const struct window *window = userdata;

        su_agent_begin(window->agent, "Restart", restart_when(NULL));
}

static void on_restart_tonight(GSimpleAction *action G_GNUC_UNUSED,
                               GVariant *parameter G_GNUC_UNUSED, gpointer userdata)
{
        const struct window *window = userdata;

        su_agent_begin(window->agent, "Restart", restart_when("tonight"));
}

static void remove_level(void *userdata, const char *response G_GNUC_UNUSED)
{
        const struct window *window = userdata;

        su_agent_begin(window->agent, "Remove", restart_when("now"));
}

static void on_remove(GSimpleAction *action G_GNUC_UNUSED, GVariant *parameter G_GNUC_UNUSED,
                      gpointer userdata)
{
        struct window *window = userdata;

        su_dialog_ask_removal(window->window, su_agent_status(window->agent), remove_level, window);
}

static void on_cancel(GSimpleAction *action G_GNUC_UNUSED, GVariant *parameter G_GNUC_UNUSED,
                      gpointer userdata)
{
        const struct window *window = userdata;

        su_agent_cancel(window->agent);
}

static void on_again(GSimpleAction *action G_GNUC_UNUSED, GVariant *parameter G_GNUC_UNUSED,
                     gpointer userdata)
{
        const struct window *window = userdata;

        su_agent_refresh(window->agent);
}

static void add_actions(struct window *window)
{
        static const GActionEntry entries[] = {
                {.name = "check", .activate = on_check},
                {.name = "install", .activate = on_install},
                {.name = "restart-now", .activate = on_restart_now},
                {.name = "restart-tonight", .activate = on_restart_tonight},
                {.name = "remove", .activate = on_remove},
                {.name = "cancel", .activate = on_cancel},
                {.name = "again", .activate = on_again},
        };

        g_action_map_add_action_entries(G_ACTION_MAP(window->window), entries,
                                        G_N_ELEMENTS(entries), window);
}

/* ---- how it is put together ---- */

static GtkWidget *make_page(struct window *window)
{
        AdwPreferencesPage *page = ADW_PREFERENCES_PAGE(adw_preferences_page_new());

        su_header_init(&window->header, page);
        su_section_init(&window->attention, page, _("Needs You"));
        su_section_init(&window->offered, page, NULL);
        su_section_init(&window->plan, page, NULL);
        window->automatic.turned = on_turned;
        window->automatic.userdata = window;
        su_automatic_init(&window->automatic, page);
        su_section_init(&window->installed, page, _("Installed"));
        window->remove = su_button_new(_("_Remove…"), "win.remove", "destructive-action");
        adw_preferences_group_set_header_suffix(window->installed.group, window->remove);
        su_section_init(&window->elsewhere, page, _("Not Reached by Improvements"));
        su_section_init(&window->history, page, _("History"));
        return GTK_WIDGET(page);
}

static GtkWidget *make_trouble(struct window *window)
{
        GtkWidget *page = adw_status_page_new();
        GtkWidget *again = su_button_new(_("_Try Again"), "win.again", "pill");

        window->trouble = ADW_STATUS_PAGE(page);
        adw_status_page_set_icon_name(window->trouble, "dialog-error-symbolic");
        adw_status_page_set_title(window->trouble, _("The Agent Does Not Answer"));
        gtk_widget_set_halign(again, GTK_ALIGN_CENTER);
        adw_status_page_set_child(window->trouble, again);
        return page;
}

static GtkWidget *make_spinner(void)
{
        GtkWidget *spinner = gtk_spinner_new();

        gtk_spinner_start(GTK_SPINNER(spinner));
        gtk_widget_set_size_request(spinner, 48, 48);
        gtk_widget_set_halign(spinner, GTK_ALIGN_CENTER);
        gtk_widget_set_valign(spinner, GTK_ALIGN_CENTER);
        gtk_accessible_update_property(GTK_ACCESSIBLE(spinner), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                       _("Asking the agent"), -1);
        return spinner;
}

static void make_content(struct window *window)
{
        GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
        GtkWidget *bar = adw_header_bar_new();
        GtkWidget *pages = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
        GtkWidget *toasts = adw_toast_overlay_new();

        window->pages[PAGE_WAIT] = make_spinner();
        window->pages[PAGE_STATUS] = make_page(window);
        window->pages[PAGE_TROUBLE] = make_trouble(window);
        for (size_t i = 0; i < G_N_ELEMENTS(window->pages); i++) {
                gtk_widget_set_vexpand(window->pages[i], TRUE);
                gtk_box_append(GTK_BOX(pages), window->pages[i]);
        }
        turn_to(window, PAGE_WAIT);
        window->toasts = ADW_TOAST_OVERLAY(toasts);
        gtk_widget_set_vexpand(toasts, TRUE);
        adw_toast_overlay_set_child(window->toasts, pages);
        adw_header_bar_set_title_widget(ADW_HEADER_BAR(bar),
                                        adw_window_title_new(_("Background Security Improvements"),
                                                             _("Privacy & Security")));
        gtk_box_append(GTK_BOX(box), bar);
        gtk_box_append(GTK_BOX(box), toasts);
        adw_application_window_set_content(ADW_APPLICATION_WINDOW(window->window), box);
}

static void on_destroyed(gpointer userdata)
{
        struct window *window = userdata;

        su_agent_free(window->agent);
        su_section_done(&window->attention);
        su_section_done(&window->offered);
        su_section_done(&window->plan);
        su_section_done(&window->elsewhere);
        su_section_done(&window->installed);
        su_section_done(&window->history);
        g_free(window->wanted);
        g_free(window);
}

GtkWindow *su_window_new(AdwApplication *application)
{
        struct window *window = g_new0(struct window, 1);
        const struct su_agent_listener listener = {show, show_failure, window};

        window->window = GTK_WINDOW(adw_application_window_new(GTK_APPLICATION(application)));
        gtk_window_set_title(window->window, _("Background Security Improvements"));
        gtk_window_set_default_size(window->window, WIDTH, HEIGHT);
        gtk_widget_set_size_request(GTK_WIDGET(window->window), WIDTH_MIN, HEIGHT_MIN);
        add_actions(window);
        make_content(window);
        window->agent = su_agent_new(&listener);
        g_object_set_data_full(G_OBJECT(window->window), "suture", window, on_destroyed);
        return window->window;
}

void su_window_turn_to(GtkWindow *gtk_window, const char *kind)
{
        struct window *window = g_object_get_data(G_OBJECT(gtk_window), "suture");

        g_free(window->wanted);
        window->wanted = g_strdup(kind);
        if (su_agent_status(window->agent))
                go_to_wanted(window);
}
