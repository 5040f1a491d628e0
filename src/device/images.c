#include "device/images.h"

#include "device/download.h"
#include "device/fit.h"
#include "device/image_store.h"
#include "device/rebuild.h"
#include "device/transition.h"

/* What the package manager has replaced since is left out; any other file that is not the expected
 * one is the device's trouble, and refused. */
static int find_fit(struct su_task *task, int base_fd, struct su_component *component,
                    struct su_error *err)
{
        struct su_fit_report report;
        int r;

        r = su_fit_find(task->engine->root, base_fd, component, &report, err);
        if (r < 0)
                return r;
        component->fit = report.fit;
        if (report.fit != SU_FIT_SUPERSEDED || report.by_package)
                return 0;
        if (err)
                *err = report.why;
        return -report.why.errnum;
}

/* What a component's image still needs; nothing when it is in the store already. */
static int plan_image(struct su_task *task, int base_fd, struct su_component *component,
                      struct su_choice *choice, struct su_error *err)
{
        struct su_engine *engine = task->engine;
        su_auto_close int image_fd = -EBADF;
        int r;

        r = find_fit(task, base_fd, component, err);
        if (r < 0)
                return r;
        choice->component = component;
        if (component->fit != SU_FIT_APPLIES)
                return 0;
        /* Each byte: one that the kernel refuses is made anew. */
        if (su_image_store_read(engine->state_fd, &component->image, &image_fd, NULL) >= 0)
                return 0;
        r = su_choice_find(engine->state_fd, base_fd, choice, err);
        if (r < 0)
                return r;
        task->change->download_bytes += choice->delta->object.size;
        task->change->image_bytes += component->image.size;
        return 0;
}

int su_images_plan(struct su_task *task, int base_fd, struct su_error *err)
{
        struct su_change *change = task->change;
        struct su_manifest *manifest = &change->to;
        int r = 0;

        change->choices = calloc(manifest->n_components + 1, sizeof *change->choices);
        if (!change->choices)
                return su_fail_oom(err);
        for (size_t i = 0; i < manifest->n_components && r >= 0; i++)
                r = plan_image(task, base_fd, &manifest->components[i],
                               &change->choices[change->n_choices++], err);
        if (r >= 0 && su_manifest_count_applying(manifest) == 0)
                r = su_fail(err, SU_ERROR_NOT_OFFERED,
                            "level (%s) has nothing for this system: the package manager has newer "
                            "files of all that it fixes",
                            manifest->level.name);
        if (r >= 0)
                r = su_rebuild_check_space(task->engine->state_fd, change->download_bytes,
                                           change->image_bytes, err);
        return r;
}

static int make_image(struct su_task *task, int base_fd, const struct su_choice *choice,
                      struct su_error *err)
{
        const struct su_rebuild_watch watch = {su_task_tell_rebuild, task};
        struct su_engine *engine = task->engine;
        su_auto_close int patch_fd = -EBADF;
        int r;

        su_task_begin_step(task, "download");
        task->expected = choice->delta->object.size;
        r = su_download_fetch(engine->state_fd, engine->fetch, &choice->delta->object, &patch_fd,
                              err);
        if (r < 0)
                return r;
        su_task_begin_step(task, "rebuild image");
        return su_rebuild_image(engine->state_fd, base_fd, choice, patch_fd, &watch, err);
}

/* A source has changed since the delta was chosen: the next one does not need it. */
static int choose_again(struct su_task *task, int base_fd, struct su_choice *choice,
                        const struct su_error *why, struct su_error *err)
{
        int state_fd = task->engine->state_fd;
        int r;

        r = su_download_forget(state_fd, &choice->delta->object, err);
        if (r >= 0)
                r = su_choice_find_next(state_fd, base_fd, choice, why, err);
        if (r < 0)
                return r;
        task->change->download_bytes += choice->delta->object.size;
        return su_rebuild_check_space(state_fd, choice->delta->object.size,
                                      choice->component->image.size, err);
}

int su_images_make(struct su_task *task, int base_fd, struct su_error *err)
{
        struct su_change *change = task->change;

        for (size_t i = 0; i < change->n_choices; i++) {
                struct su_choice *choice = &change->choices[i];
                struct su_error why = {0};
                int r = 0;

                while (choice->delta && (r = make_image(task, base_fd, choice, &why)) < 0) {
                        if (why.code == SU_ERROR_BASELINE)
                                r = choose_again(task, base_fd, choice, &why, err);
                        else if (err)
                                *err = why;
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}
