#include "daemon/look.h"

#include <sys/inotify.h>

#include "base/paths.h"
#include "daemon/run.h"

struct su_look {
        sd_event *event;
        const char *const *program;
        su_look_listener listener;
        void *userdata;
        struct su_run *run;
        bool again; /* something has changed since `run` began */
        json_t *document;
        sd_event_source *watch;
};

static void watch_state(struct su_look *look);

static void on_finished(void *userdata, const struct su_outcome *outcome)
{
        struct su_look *look = userdata;
        su_auto_json json_t *before = look->document;

        look->document = json_incref(outcome->result);
        su_run_free(su_take(look->run));
        look->listener(look->userdata, before, look->document);
        if (look->again)
                su_look_again(look);
}

static int begin(struct su_look *look, struct su_error *err)
{
        static const char *const arguments[] = {"status", "--json", NULL};
        const struct su_run_listener listener = {NULL, on_finished, look};

        watch_state(look);
        look->again = false;
        return su_run_start(look->event, look->program, arguments, "", &listener, &look->run, err);
}

void su_look_again(struct su_look *look)
{
        if (look->run)
                look->again = true;
        else
                (void)begin(look, NULL);
}

static int on_written(sd_event_source *source, const struct inotify_event *event, void *userdata)
{
        (void)source;
        (void)event;
        su_look_again(userdata);
        return 0;
}

/* The directory comes into being with the first check. */
static void watch_state(struct su_look *look)
{
        if (!look->watch)
                (void)sd_event_add_inotify(look->event, &look->watch, SU_STATE_PATH, IN_MOVED_TO,
                                           on_written, look);
}

int su_look_new(sd_event *event, const char *const *program, su_look_listener listener,
                void *userdata, struct su_look **ret, struct su_error *err)
{
        struct su_look *look = calloc(1, sizeof *look);
        int r;

        if (!look)
                return su_fail_oom(err);
        look->event = event;
        look->program = program;
        look->listener = listener;
        look->userdata = userdata;
        r = begin(look, err);
        if (r < 0) {
                su_look_free(look);
                return r;
        }
        *ret = look;
        return 0;
}

const json_t *su_look_document(const struct su_look *look)
{
        return look->document;
}

bool su_look_is_busy(const struct su_look *look)
{
        return look->run != NULL;
}

void su_look_free(struct su_look *look)
{
        if (!look)
                return;
        su_run_free(look->run);
        sd_event_source_disable_unref(look->watch);
        json_decref(look->document);
        free(look);
}
