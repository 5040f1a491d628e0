#include "device/suspend.h"

#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "device/events.h"
#include "device/fit.h"
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
        bool alive;
        int r;

        r = su_holder_is_alive(holder, &alive, err);
        if (r < 0)
                return r;
        if (alive)
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
        bool alive;
        int r;

        *ret_suspended = false;
        r = su_holder_is_alive(&suspension->holder, &alive, err);
        if (r < 0)
                return r;
        if (!alive) {
                r = su_holder_find(&suspension->holder, err);
                if (r < 0)
                        return r;
                suspension->since = su_now();
                r = su_state_save(engine->state_fd, &engine->state, err);
                /* With nothing to take off, a full disk is no reason to stop who may clear it. */
                if (r < 0 && engine->state.active == 0 && engine->mounted == 0)
                        return 0;
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

/* The history tells of it only when something is not there again. */
static int record(struct su_engine *engine, const struct su_resume *resume, struct su_error *err)
{
        const struct su_restoration *restoration = &resume->restoration;
        const bool some = restoration->restored == SU_RESTORED_PART;
        json_t *more;

        if (restoration->restored == SU_RESTORED_ALL)
                return 0;
        more = json_pack("{s:s, s:s?, s:b, s:o}", "from", restoration->from.level.name, "to",
                         some ? restoration->to.level.name : NULL, "changed", true, "components",
                         su_fits_to_json(&restoration->to));
        return su_event_record(
                engine, su_event_with(su_refresh_event("resume", NULL, &resume->refresh), more),
                err);
}

/* Whether the layers may come back: the holder says so, or has ended and left nobody at work; BUSY
 * when somebody is. */
static int check_resume(const struct su_engine *engine, bool force, struct su_error *err)
{
        bool called_us = force;
        int r = 0;

        if (!force)
                r = su_holder_called_us(&engine->state.suspension.holder, &called_us, err);
        return r < 0 || called_us ? r : su_suspend_check(engine, err);
}

static int bring_back(struct su_engine *engine, struct su_resume *resume, struct su_error *err)
{
        int r;

        su_os_done(&engine->os); /* the package manager may have changed it */
        r = su_os_read(engine->root_fd, &engine->os, err);
        if (r >= 0)
                r = su_restore(engine, &resume->restoration, err);
        if (r < 0)
                return r;
        resume->resumed = SU_RESUMED;
        /* The layers are back: that nobody can say who waits for a restart must not stop a package
         * manager. */
        (void)su_refresh(engine, &resume->restoration.from, &resume->restoration.to,
                         SU_RESTART_LATER, NULL, &resume->refresh, &resume->refresh_error);
        return record(engine, resume, err);
}

int su_resume(struct su_engine *engine, bool force, struct su_resume *resume, struct su_error *err)
{
        int r;

        if (engine->state.suspension.holder.pid == 0)
                return 0;
        r = check_resume(engine, force, &resume->why_not);
        if (resume->why_not.code == SU_ERROR_BUSY) {
                resume->resumed = SU_RESUMED_NOT_YET;
                return 0;
        }
        if (r < 0 && err)
                *err = resume->why_not;
        if (r < 0)
                return r;
        /* Killed between the state and the layers: they were never taken off, or are back already.
         * Or this boot is to go without them. */
        if (engine->mounted > 0 || engine->state.active == 0 || engine->disabled)
                return end_suspension(engine, err);
        return bring_back(engine, resume, err);
}

void su_resume_done(struct su_resume *resume)
{
        su_refresh_done(&resume->refresh);
        su_restoration_done(&resume->restoration);
        *resume = (struct su_resume){0};
}
