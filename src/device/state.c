#include "device/state.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/printable.h"
#include "base/text.h"

#define STATE_TYPE "suture-state"
#define STATE_VERSION 1
#define STATE_SIZE_MAX (1024 * 1024)

static int read_copy(const json_t *object, const char *name, char **ret, struct su_error *err)
{
        const char *text;
        int r;

        r = su_json_find_string(object, name, &text, err);
        if (r >= 0 && text)
                r = su_strdup(text, ret, err);
        return r;
}

static int read_check(const json_t *document, struct su_check_record *check, struct su_error *err)
{
        json_t *object;
        int r;

        r = su_json_find_object(document, "last_check", &object, err);
        if (r < 0 || !object)
                return r;
        r = su_json_get_integer(object, "at", 0, INT64_MAX, &check->at, err);
        if (r >= 0)
                r = read_copy(object, "outcome", &check->outcome, err);
        if (r >= 0)
                r = read_copy(object, "message", &check->message, err);
        if (r >= 0)
                r = su_level_from_json(object, "level", &check->level, err);
        return r;
}

static int read_changed(const json_t *document, struct su_state *state, struct su_error *err)
{
        const char *boot_id;
        json_t *object;
        int64_t at;
        int r;

        r = su_json_find_object(document, "changed", &object, err);
        if (r < 0 || !object)
                return r;
        r = su_json_get_string(object, "boot_id", &boot_id, err);
        if (r >= 0)
                r = su_json_get_integer(object, "monotonic_us", 0, INT64_MAX, &at, err);
        if (r >= 0)
                r = su_json_get_integer(object, "waiting_since", 0, INT64_MAX,
                                        &state->waiting_since, err);
        if (r >= 0 && json_object_get(object, "restart_after"))
                r = su_json_get_integer(object, "restart_after", 0, INT64_MAX,
                                        &state->restart_after, err);
        if (r < 0)
                return r;
        if (strlen(boot_id) >= SU_BOOT_ID_SIZE)
                return su_fail(err, SU_ERROR_FORMAT, "field 'boot_id' is too long");
        memcpy(state->changed.boot_id, boot_id, strlen(boot_id) + 1);
        state->changed.monotonic_us = (uint64_t)at;
        return 0;
}

static int read_suspension(const json_t *document, struct su_suspension *suspension,
                           struct su_error *err)
{
        struct su_holder *holder = &suspension->holder;
        const char *name;
        json_t *object;
        int64_t started;
        int64_t pid;
        int r;

        r = su_json_find_object(document, "suspended", &object, err);
        if (r < 0 || !object)
                return r;
        r = su_json_get_integer(object, "pid", 1, INT_MAX, &pid, err);
        if (r >= 0)
                r = su_json_get_integer(object, "started", 0, INT64_MAX, &started, err);
        if (r >= 0)
                r = su_json_get_integer(object, "since", 0, INT64_MAX, &suspension->since, err);
        if (r >= 0)
                r = su_json_get_string(object, "name", &name, err);
        if (r < 0)
                return su_fail_prefix(err, r, "suspended");
        holder->pid = (pid_t)pid;
        holder->started = (uint64_t)started;
        (void)snprintf(holder->name, sizeof holder->name, "%.15s", name);
        su_make_printable_ascii(holder->name);
        return 0;
}

static json_t *suspension_to_json(const struct su_suspension *suspension)
{
        const struct su_holder *holder = &suspension->holder;

        if (holder->pid == 0)
                return json_null();
        return json_pack("{s:i, s:I, s:I, s:s}", "pid", (int)holder->pid, "started",
                         (json_int_t)holder->started, "since", (json_int_t)suspension->since,
                         "name", holder->name);
}

static int read_boots(const json_t *document, struct su_boot_count *boots, struct su_error *err)
{
        const char *counted;
        json_t *object;
        int r;

        r = su_json_find_object(document, "boots", &object, err);
        if (r < 0 || !object)
                return r;
        r = su_json_get_integer(object, "tries", 0, INT64_MAX, &boots->tries, err);
        if (r >= 0)
                r = su_json_get_string(object, "counted", &counted, err);
        if (r < 0)
                return su_fail_prefix(err, r, "boots");
        if (strlen(counted) >= SU_BOOT_ID_SIZE)
                return su_fail(err, SU_ERROR_FORMAT, "field 'counted' is too long");
        memcpy(boots->counted, counted, strlen(counted) + 1);
        return 0;
}

/* Those with a module of their own. */
static int read_parts(const json_t *document, struct su_state *state, struct su_error *err)
{
        json_t *object;
        int r;

        r = su_json_find_object(document, "watched", &object, err);
        if (r >= 0 && object)
                r = su_watched_from_json(object, &state->watched, err);
        if (r >= 0)
                r = su_json_find_object(document, "knowledge", &object, err);
        if (r >= 0 && object)
                r = su_knowledge_from_json(object, &state->knowledge, err);
        return r;
}

static int read_state(const json_t *document, struct su_state *state, struct su_error *err)
{
        int r;

        r = su_json_expect_type(document, STATE_TYPE, STATE_VERSION, err);
        if (r >= 0)
                r = su_json_get_integer(document, "newest", 0, INT64_MAX, &state->newest, err);
        if (r >= 0)
                r = su_json_get_integer(document, "active", 0, INT64_MAX, &state->active, err);
        if (r >= 0)
                r = su_json_get_integer(document, "previous", 0, INT64_MAX, &state->previous, err);
        if (r >= 0)
                r = su_json_get_integer(document, "transition", SU_GENERATION_NONE, INT64_MAX,
                                        &state->transition, err);
        if (r >= 0)
                r = su_level_from_json(document, "level", &state->level, err);
        if (r >= 0)
                r = read_copy(document, "baseline", &state->baseline, err);
        if (r >= 0 && json_object_get(document, "retired"))
                r = su_json_get_integer(document, "retired", 0, INT64_MAX, &state->retired, err);
        if (r >= 0)
                r = read_changed(document, state, err);
        if (r >= 0)
                r = read_suspension(document, &state->suspension, err);
        if (r >= 0)
                r = read_boots(document, &state->boots, err);
        if (r >= 0)
                r = read_parts(document, state, err);
        if (r >= 0)
                r = read_check(document, &state->check, err);
        state->waits = su_conditions_from_json(json_object_get(document, "waits"));
        return r;
}

int su_state_load(int state_fd, struct su_state *ret, struct su_error *err)
{
        su_auto_state struct su_state state = {.transition = SU_GENERATION_NONE};
        su_auto_json json_t *document = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r = -ENOENT;

        if (state_fd >= 0)
                r = su_file_read(state_fd, "state.json", STATE_SIZE_MAX, &text, &size, err);
        if (r < 0 && r != -ENOENT)
                return r;
        if (r >= 0) {
                r = su_json_parse(text, size, &document, err);
                if (r >= 0)
                        r = read_state(document, &state, err);
                if (r < 0)
                        return su_fail_prefix(err, r, "%s/state.json", SU_STATE_PATH);
        }
        *ret = state;
        state = (struct su_state){0};
        return 0;
}

static const char *level_or_null(const struct su_level *level)
{
        return level->name[0] ? level->name : NULL;
}

int su_state_save(int state_fd, const struct su_state *state, struct su_error *err)
{
        su_auto_json json_t *document = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        document = json_pack(
                "{s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:s?, s:s?, s:{s:s, s:I, s:I, s:I}, s:o, s:o, "
                "s:{s:I, s:s}, s:o, s:o, s:{s:I, s:s?, s:s?, s:s?}}",
                "type", STATE_TYPE, "version", STATE_VERSION, "newest", (json_int_t)state->newest,
                "active", (json_int_t)state->active, "previous", (json_int_t)state->previous,
                "retired", (json_int_t)state->retired, "transition", (json_int_t)state->transition,
                "level", level_or_null(&state->level), "baseline", state->baseline, "changed",
                "boot_id", state->changed.boot_id, "monotonic_us",
                (json_int_t)state->changed.monotonic_us, "waiting_since",
                (json_int_t)state->waiting_since, "restart_after", (json_int_t)state->restart_after,
                "suspended", suspension_to_json(&state->suspension), "watched",
                su_watched_to_json(&state->watched), "boots", "tries",
                (json_int_t)state->boots.tries, "counted", state->boots.counted, "knowledge",
                su_knowledge_to_json(&state->knowledge), "waits",
                su_conditions_to_json(state->waits), "last_check", "at",
                (json_int_t)state->check.at, "outcome", state->check.outcome, "message",
                state->check.message, "level", level_or_null(&state->check.level));
        if (!document)
                return su_fail_oom(err);
        r = su_json_pretty(document, &text, &size, err);
        if (r < 0)
                return r;
        return su_file_write(state_fd, "state.json", text, size, 0644, err);
}

void su_state_begin(struct su_state *state, int64_t generation, const struct su_level *removed)
{
        state->transition = generation;
        if (removed)
                state->knowledge.removed = *removed;
}

/* What waited, and what was known of boots, was about another /usr. */
static void begin_anew(struct su_state *state)
{
        state->waiting_since = 0;
        state->restart_after = 0;
        state->waits = 0;
        state->suspension = (struct su_suspension){0};
        /* This boot says nothing about it: it began with something else. */
        state->boots.tries = 0;
        memcpy(state->boots.counted, state->changed.boot_id, sizeof state->boots.counted);
}

int su_state_end(struct su_state *state, int64_t generation, const struct su_level *level,
                 char *baseline, struct su_error *err)
{
        struct su_knowledge *knowledge = &state->knowledge;
        int r;

        free(state->baseline);
        state->baseline = baseline;
        state->previous = state->active;
        state->active = generation;
        state->transition = SU_GENERATION_NONE;
        state->level = *level;
        if (generation > 0) {
                state->retired = 0;
                knowledge->removed = (struct su_level){0};
                if (su_level_compare(&knowledge->staged, level) <= 0)
                        knowledge->staged = (struct su_level){0};
        }
        r = su_moment_now(&state->changed, err);
        begin_anew(state);
        return r;
}

/* While something is active, nothing counts as removed. */
void su_state_give_up(struct su_state *state)
{
        if (state->transition == 0 && state->active > 0)
                state->knowledge.removed = (struct su_level){0};
        state->transition = SU_GENERATION_NONE;
}

void su_state_done(struct su_state *state)
{
        su_watched_done(&state->watched);
        su_knowledge_done(&state->knowledge);
        free(state->baseline);
        free(state->check.outcome);
        free(state->check.message);
        *state = (struct su_state){0};
}

int su_state_lock(int state_fd, int *ret_fd, struct su_error *err)
{
        su_auto_close int fd = openat(state_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        /* A boot has to do with a disk that cannot be written any more. */
        if (fd < 0 && errno == EROFS) {
                fd = openat(state_fd, "lock", O_RDONLY | O_CLOEXEC);
                errno = EROFS; /* also where there is none */
        }
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open %s/lock", SU_STATE_PATH);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if (errno == EWOULDBLOCK)
                        return su_fail(err, SU_ERROR_BUSY,
                                       "another instance of suture is at work: it holds %s/lock",
                                       SU_STATE_PATH);
                return su_fail_errno(err, errno, "cannot lock %s/lock", SU_STATE_PATH);
        }
        *ret_fd = su_take_fd(&fd);
        return 0;
}

#define ASK_PATH "lock.asked"

int su_state_ask(int state_fd, int *ret_fd, struct su_error *err)
{
        su_auto_close int fd = openat(state_fd, ASK_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        /* Several may ask at once; none of them can wait for another. */
        if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) < 0)
                return su_fail_errno(err, errno, "cannot lock %s/%s", SU_STATE_PATH, ASK_PATH);
        *ret_fd = su_take_fd(&fd);
        return 0;
}

bool su_state_is_asked_for(int state_fd)
{
        su_auto_close int fd = openat(state_fd, ASK_PATH, O_RDWR | O_CLOEXEC);

        return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}
