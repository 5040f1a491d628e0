#include "device/suspend.h"

#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "device/fit.h"
#include "device/history.h"
#include "device/store.h"
#include "device/transition.h"
#include "layers/layers.h"

/* dpkg locks its database as long as it works; also one whose apt was killed. */
static bool dpkg_is_at_work(const struct su_engine *engine)
{
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        su_auto_close int fd = -EBADF;

        if (su_open_in_root(engine->root_fd, "/var/lib/dpkg/lock", O_RDONLY, &fd, NULL) < 0 ||
            fcntl(fd, F_GETLK, &lock) < 0)
                return false;
        return lock.l_type != F_UNLCK;
}

int su_suspend_check(const struct su_engine *engine, struct su_error *err)
{
        const struct su_holder *holder = &engine->state.suspension.holder;

        if (su_holder_is_alive(holder))
                return su_fail(err, SU_ERROR_BUSY, "a package manager is at work: %s (process %d)",
                               holder->name, (int)holder->pid);
        if (dpkg_is_at_work(engine))
                return su_fail(err, SU_ERROR_BUSY,
                               "a package manager is at work: it holds /var/lib/dpkg/lock");
        return 0;
}

int su_suspend(struct su_engine *engine, bool *ret_suspended, struct su_error *err)
{
        struct su_suspension *suspension = &engine->state.suspension;
        int r;

        *ret_suspended = false;
        if (!su_holder_is_alive(&suspension->holder)) {
                r = su_holder_find(&suspension->holder, err);
                if (r < 0)
                        return r;
                suspension->since = su_now();
                r = su_state_save(engine->state_fd, &engine->state, err);
                if (r < 0)
                        return r;
        }
        *ret_suspended = engine->state.active > 0;
        r = su_layers_deactivate(engine->root, SU_OPT, NULL, err);
        if (r >= 0)
                r = su_layers_deactivate(engine->root, SU_USR, NULL, err);
        if (r >= 0)
                engine->mounted = engine->opt_mounted = 0;
        return r;
}

static int end_suspension(struct su_engine *engine, struct su_error *err)
{
        engine->state.suspension = (struct su_suspension){0};
        return su_state_save(engine->state_fd, &engine->state, err);
}

static int load_manifests(struct su_engine *engine, struct su_resume *resume, struct su_error *err)
{
        su_auto_generation struct su_generation generation = {0};
        int r;

        r = su_store_load_generation(engine->state_fd, engine->state.active, &generation, err);
        if (r >= 0)
                r = su_store_load_generation_manifest(engine->state_fd, &generation, &resume->from,
                                                      err);
        if (r >= 0)
                r = su_store_load_generation_manifest(engine->state_fd, &generation, &resume->to,
                                                      err);
        return r;
}

/* Another baseline by now: a level of the former one says nothing about it. */
static bool is_of_this_baseline(const struct su_engine *engine, const struct su_manifest *manifest)
{
        return strcmp(manifest->baseline, engine->os.baseline) == 0;
}

static bool has_image(const struct su_engine *engine, const struct su_component *component)
{
        su_auto_close int fd = -EBADF;

        return su_store_open_image(engine->state_fd, &component->image, &fd, NULL) >= 0;
}

/* How the components stand to the base that the package manager left. `ret_changed`: otherwise than
 * before. */
static int find_fits(struct su_engine *engine, struct su_resume *resume, bool *ret_changed,
                     struct su_error *err)
{
        su_auto_close int base_fd = -EBADF;
        int r;

        *ret_changed = false;
        if (!is_of_this_baseline(engine, &resume->to)) {
                for (size_t i = 0; i < resume->to.n_components; i++)
                        resume->to.components[i].fit = SU_FIT_SUPERSEDED;
                return 0;
        }
        r = su_layers_open_base(engine->root, &base_fd, err);
        for (size_t i = 0; i < resume->to.n_components && r >= 0; i++) {
                struct su_component *component = &resume->to.components[i];
                struct su_fit_report report;

                r = su_fit_find(engine->root, base_fd, component, &report, err);
                if (r < 0)
                        return r;
                if (report.fit == SU_FIT_APPLIES && !has_image(engine, component))
                        report.fit = SU_FIT_MISSING;
                *ret_changed |= report.fit != component->fit;
                component->fit = report.fit;
        }
        return r;
}

static int put_back(struct su_engine *engine, struct su_resume *resume, struct su_error *err)
{
        int64_t generation;
        bool changed;
        int r;

        r = find_fits(engine, resume, &changed, err);
        if (r < 0)
                return r;
        if (su_manifest_count_applying(&resume->to) == 0) {
                resume->resumed = SU_RESUMED_BASELINE;
                return su_transition_retire(engine, &resume->to, err);
        }
        resume->resumed = changed ? SU_RESUMED_PART : SU_RESUMED_ALL;
        if (changed)
                return su_transition_to(engine, NULL, &resume->to, &generation, NULL, err);
        r = su_transition_restore(engine, &resume->to, engine->state.active, err);
        /* What was started meanwhile has read the bare base. */
        if (r >= 0)
                r = su_moment_now(&engine->state.changed, err);
        return r < 0 ? r : end_suspension(engine, err);
}

static json_t *fits_to_json(const struct su_manifest *manifest)
{
        su_auto_json json_t *fits = json_object();

        for (size_t i = 0; i < manifest->n_components; i++)
                if (json_object_set_new(fits, manifest->components[i].name,
                                        json_string(su_fit_name(manifest->components[i].fit))) < 0)
                        return NULL;
        return su_take(fits);
}

/* The history tells of it only when something is not there again. */
static int record(struct su_engine *engine, const struct su_resume *resume, struct su_error *err)
{
        json_t *event;

        if (resume->resumed != SU_RESUMED_PART && resume->resumed != SU_RESUMED_BASELINE)
                return 0;
        event = su_refresh_event("resume", NULL, &resume->refresh);
        if (event &&
            json_object_update_new(
                    event,
                    json_pack("{s:s, s:s?, s:b, s:o}", "from", resume->from.level.name, "to",
                              resume->resumed == SU_RESUMED_PART ? resume->to.level.name : NULL,
                              "changed", true, "components", fits_to_json(&resume->to))) < 0) {
                json_decref(event);
                event = NULL;
        }
        return su_history_append(engine->state_fd, event, err);
}

/* Whether the layers may come back: the holder says so, or has ended and left nobody at work. */
static bool may_resume(const struct su_engine *engine, bool force, struct su_error *ret_why_not)
{
        return force || su_holder_called_us(&engine->state.suspension.holder) ||
               su_suspend_check(engine, ret_why_not) >= 0;
}

static int bring_back(struct su_engine *engine, struct su_resume *resume, struct su_error *err)
{
        int r;

        su_os_done(&engine->os); /* the package manager may have changed it */
        r = su_os_read(engine->root_fd, &engine->os, err);
        if (r >= 0)
                r = load_manifests(engine, resume, err);
        if (r >= 0)
                r = put_back(engine, resume, err);
        if (r < 0)
                return r;
        /* The layers are back: that nobody can say who waits for a restart must not stop a package
         * manager. */
        (void)su_refresh(engine, &resume->from, &resume->to, SU_RESTART_LATER, &resume->refresh,
                         &resume->refresh_error);
        return record(engine, resume, err);
}

int su_resume(struct su_engine *engine, bool force, struct su_resume *resume, struct su_error *err)
{
        if (engine->state.suspension.holder.pid == 0)
                return 0;
        if (!may_resume(engine, force, &resume->why_not)) {
                resume->resumed = SU_RESUMED_NOT_YET;
                return 0;
        }
        /* Killed between the state and the layers: they were never taken off, or are back already.
         */
        if (engine->mounted > 0 || engine->state.active == 0)
                return end_suspension(engine, err);
        return bring_back(engine, resume, err);
}

void su_resume_done(struct su_resume *resume)
{
        su_refresh_done(&resume->refresh);
        su_manifest_done(&resume->from);
        su_manifest_done(&resume->to);
        *resume = (struct su_resume){0};
}
