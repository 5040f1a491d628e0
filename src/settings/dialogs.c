#include "settings/dialogs.h"

#include <glib/gi18n.h>
#include <string.h>

#include "settings/plan.h"
#include "settings/status.h"

#define CANCEL "cancel"

struct question {
        su_dialog_then then;
        void *userdata;
};

static void on_response(AdwMessageDialog *dialog G_GNUC_UNUSED, const char *response,
                        gpointer userdata)
{
        const struct question *question = userdata;

        if (strcmp(response, CANCEL) != 0)
                question->then(question->userdata, response);
}

static void free_question(gpointer data, GClosure *closure G_GNUC_UNUSED)
{
        g_free(data);
}

static AdwMessageDialog *make_dialog(GtkWindow *parent, const char *heading, const char *body,
                                     su_dialog_then then, void *userdata)
{
        AdwMessageDialog *dialog =
                ADW_MESSAGE_DIALOG(adw_message_dialog_new(parent, heading, body));
        struct question *question = g_new(struct question, 1);

        *question = (struct question){then, userdata};
        (void)g_signal_connect_data(dialog, "response", G_CALLBACK(on_response), question,
                                    free_question, 0);
        adw_message_dialog_add_response(dialog, CANCEL, _("Cancel"));
        adw_message_dialog_set_close_response(dialog, CANCEL);
        return dialog;
}

static char *describe_installation(const json_t *status)
{
        g_autofree char *list = su_plan_list(status);

        if (!json_object_get(status, "plan") || json_is_null(json_object_get(status, "plan")))
                return g_strdup(_("What has to be restarted is not known."));
        return list ? g_strdup_printf(_("To end the use of old code:\n%s"), list)
                    : g_strdup(_("Nothing has to be restarted."));
}

void su_dialog_ask_install(GtkWindow *parent, const json_t *status, su_dialog_then then,
                           void *userdata)
{
        const json_t *offer = su_status_part(status, "offer");
        g_autofree char *heading =
                offer ? g_strdup_printf(_("Install %s?"), su_status_text(offer, "version"))
                      : g_strdup_printf(_("Go back from (%s)?"), su_status_text(status, "level"));
        g_autofree char *body = describe_installation(status);
        AdwMessageDialog *dialog = make_dialog(parent, heading, body, then, userdata);

        if (su_status_restarts_something(status)) {
                adw_message_dialog_add_responses(dialog, "tonight", _("Install, Restart Tonight"),
                                                 "now", _("Install, Restart Now"), NULL);
        } else {
                adw_message_dialog_add_response(dialog, "now", offer ? _("Install") : _("Go Back"));
        }
        adw_message_dialog_set_response_appearance(dialog, "now", ADW_RESPONSE_SUGGESTED);
        adw_message_dialog_set_default_response(dialog, "now");
        gtk_window_present(GTK_WINDOW(dialog));
}

static size_t count_fixes(const json_t *status)
{
        const json_t *component;
        size_t n = 0;
        size_t i;

        json_array_foreach (su_status_part(status, "components"), i, component)
                n += json_array_size(su_status_part(component, "fixes"));
        return n;
}

void su_dialog_ask_removal(GtkWindow *parent, const json_t *status, su_dialog_then then,
                           void *userdata)
{
        const size_t n = count_fixes(status);
        g_autofree char *heading =
                g_strdup_printf(_("Remove (%s)?"), su_status_text(status, "level"));
        g_autofree char *body = g_strdup_printf(
                ngettext("%zu vulnerability will be open again. What uses the fixed code is "
                         "restarted, and this improvement is not installed again by itself.",
                         "%zu vulnerabilities will be open again. What uses the fixed code is "
                         "restarted, and this improvement is not installed again by itself.",
                         (unsigned long)n),
                n);
        AdwMessageDialog *dialog = make_dialog(parent, heading, body, then, userdata);

        adw_message_dialog_add_response(dialog, "remove", _("Remove"));
        adw_message_dialog_set_response_appearance(dialog, "remove", ADW_RESPONSE_DESTRUCTIVE);
        gtk_window_present(GTK_WINDOW(dialog));
}
