#include "cli/motd.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/attention.h"
#include "cli/language.h"

/* Not written beside its place: whatever lies there is shown, what a kill left half done, too. */
#define WRITTEN_IN "run/suture"
#define SHOWN_IN "run/motd.d"

static int remove_message(int root_fd, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        int r;

        r = su_open_in_root(root_fd, SHOWN_IN, O_RDONLY | O_DIRECTORY, &fd, NULL);
        if (r == -ENOENT)
                return 0;
        if (r < 0 || (unlinkat(fd, "suture", 0) < 0 && errno != ENOENT))
                return su_fail_errno(err, r < 0 ? r : errno, "cannot remove /%s/suture", SHOWN_IN);
        return 0;
}

static int show_message(int root_fd, const char *text, struct su_error *err)
{
        su_auto_close int written_fd = -EBADF;
        su_auto_close int shown_fd = -EBADF;
        int r;

        r = su_dir_make(root_fd, WRITTEN_IN, 0755, &written_fd, err);
        if (r >= 0)
                r = su_dir_make(root_fd, SHOWN_IN, 0755, &shown_fd, err);
        if (r >= 0)
                r = su_file_write(written_fd, "motd", text, strlen(text), 0644, err);
        if (r < 0)
                return r;
        if (renameat(written_fd, "motd", shown_fd, "suture") < 0)
                return su_fail_errno(err, errno, "cannot replace /%s/suture", SHOWN_IN);
        return 0;
}

static int write_message(int root_fd, const struct su_attentions *attentions, struct su_error *err)
{
        su_auto_free char *text = NULL;
        int r;

        if (attentions->n_items == 0)
                return remove_message(root_fd, err);
        r = su_strdup("Background security improvements:\n", &text, err);
        for (size_t i = 0; i < attentions->n_items && r >= 0; i++) {
                su_auto_free char *before = su_take(text);

                r = su_format(&text, err, "%s  %s\n", before, attentions->items[i].message);
        }
        return r < 0 ? r : show_message(root_fd, text, err);
}

/* A slip in the configuration is no reason to be silent. */
static int open_engine(const struct su_engine_options *options, struct su_engine **ret)
{
        struct su_engine_options own = *options;
        struct su_error failure = {0};
        int r;

        own.listener = NULL;
        r = su_engine_open(&own, ret, &failure);
        if (r >= 0 || failure.code != SU_ERROR_CONFIG)
                return r;
        own.without_config = true;
        return su_engine_open(&own, ret, NULL);
}

void su_motd_update(const struct su_engine_options *options, bool boots)
{
        su_auto_engine struct su_engine *engine = NULL;
        su_auto_report struct su_report report = {0};
        su_auto_attentions struct su_attentions attentions = {0};

        /* Whoever logs in next reads it, and that may be anybody. */
        su_language_end();
        if (open_engine(options, &engine) < 0)
                return;
        /* The look takes its time, and when it was taken last nobody ran old code. */
        if (su_report_make(engine, !boots && engine->state.waiting_since > 0, &report, NULL) < 0 ||
            su_attention_find(&report, &attentions, NULL) < 0)
                return;
        (void)write_message(engine->root_fd, &attentions, NULL);
}
