/* suture-settings: "Background Security Improvements", over the agent's D-Bus interface. */
#include <adwaita.h>
#include <glib/gi18n.h>
#include <locale.h>

#include "settings/window.h"

#define APPLICATION "org.suture.Settings"

static void on_activate(GtkApplication *application, gpointer userdata G_GNUC_UNUSED)
{
        GtkWindow *window = gtk_application_get_active_window(application);

        gtk_window_present(window ? window : su_window_new(ADW_APPLICATION(application)));
}

/* From a notification: its kind. */
static void on_show(GSimpleAction *action G_GNUC_UNUSED, GVariant *parameter, gpointer userdata)
{
        GtkWindow *window;

        g_application_activate(G_APPLICATION(userdata));
        window = gtk_application_get_active_window(userdata);
        su_window_turn_to(window, g_variant_get_string(parameter, NULL));
}

static void on_close(GSimpleAction *action G_GNUC_UNUSED, GVariant *parameter G_GNUC_UNUSED,
                     gpointer userdata)
{
        GtkWindow *window = gtk_application_get_active_window(userdata);

        if (window)
                gtk_window_close(window);
}

int main(int argc, char **argv)
{
        static const GActionEntry actions[] = {
                {.name = "close", .activate = on_close},
                {.name = "show", .activate = on_show, .parameter_type = "s"},
        };
        static const char *const close_keys[] = {"<Control>w", "<Control>q", NULL};
        static const char *const check_keys[] = {"<Control>r", "F5", NULL};
        g_autoptr(AdwApplication) application =
                adw_application_new(APPLICATION, G_APPLICATION_DEFAULT_FLAGS);

        (void)setlocale(LC_ALL, "");
        (void)bindtextdomain(GETTEXT_PACKAGE, SUTURE_LOCALEDIR);
        (void)bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
        (void)textdomain(GETTEXT_PACKAGE);
        g_set_application_name(_("Background Security Improvements"));
        g_action_map_add_action_entries(G_ACTION_MAP(application), actions, G_N_ELEMENTS(actions),
                                        application);
        gtk_application_set_accels_for_action(GTK_APPLICATION(application), "app.close",
                                              close_keys);
        gtk_application_set_accels_for_action(GTK_APPLICATION(application), "win.check",
                                              check_keys);
        (void)g_signal_connect(application, "activate", G_CALLBACK(on_activate), NULL);
        return g_application_run(G_APPLICATION(application), argc, argv);
}
