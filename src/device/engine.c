#include "device/engine.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "device/cmdline.h"
#include "device/evidence.h"
#include "device/generation.h"
#include "layers/layers.h"

#define ROOT_METADATA_MAX 512000
#define LOOK_EVERY_US 500000

static int open_root(struct su_engine *engine, const char *root, struct su_error *err)
{
        engine->root = realpath(root ? root : "/", NULL);
        if (!engine->root && (errno == ENOENT || errno == ENOTDIR))
                return su_fail(err, SU_ERROR_NOT_FOUND, "there is no OS tree '%s'", root);
        if (!engine->root)
                return su_fail_errno(err, errno, "cannot find the OS tree '%s'", root);
        return su_dir_open(engine->root, &engine->root_fd, err);
}

/* Who is patient asks, too: a server that lets somebody wait is not to hold up everybody. */
static int lock_state(struct su_engine *engine, unsigned patience_s, struct su_error *err)
{
        uint64_t give_up = su_monotonic_us() + patience_s * UINT64_C(1000000);
        su_auto_close int asking_fd = -EBADF;
        int r;

        for (;;) {
                r = su_state_lock(engine->state_fd, &engine->lock_fd, err);
                if (r != -EBUSY || su_monotonic_us() >= give_up)
                        return r;
                if (asking_fd < 0)
                        (void)su_state_ask(engine->state_fd, &asking_fd, NULL);
                (void)usleep(50000);
        }
}

static int open_state(struct su_engine *engine, unsigned patience_s, struct su_error *err)
{
        int r;

        if (!engine->read_only) {
                r = su_dir_make(engine->root_fd, &SU_STATE_PATH[1], 0755, &engine->state_fd, err);
                if (r >= 0)
                        r = lock_state(engine, patience_s, err);
                return r;
        }
        r = su_open_in_root(engine->root_fd, SU_STATE_PATH, O_RDONLY | O_DIRECTORY,
                            &engine->state_fd, err);
        return r == -ENOENT ? 0 : r;
}

static int look_at_usr(struct su_engine *engine, struct su_error *err)
{
        int r;

        r = su_layers_mounted(engine->root, SU_USR, &engine->mounted, &engine->conflict);
        if (r >= 0)
                r = su_layers_mounted(engine->root, SU_OPT, &engine->opt_mounted,
                                      &engine->conflict);
        if (r < 0 && engine->conflict.code != SU_ERROR_CONFLICT) {
                if (err)
                        *err = engine->conflict;
                return r;
        }
        return 0;
}

/* Take over what generation `number` stands for. */
static int adopt_generation(struct su_engine *engine, int64_t number, struct su_error *err)
{
        su_auto_generation struct su_generation generation = {0};
        int r = 0;

        if (number > 0)
                r = su_generation_load(engine->state_fd, number, &generation, err);
        return r < 0 ? r
                     : su_state_end(&engine->state, number, &generation.level,
                                    su_take(generation.baseline), err);
}

/* A transition that was begun and not ended: what lies on /usr says whether the swap took place. */
static int settle(struct su_engine *engine, struct su_error *err)
{
        struct su_state *state = &engine->state;
        int r;

        if (state->transition == SU_GENERATION_NONE)
                return 0;
        if (engine->mounted == state->transition) {
                r = adopt_generation(engine, state->transition, err);
                if (r < 0)
                        return r;
        } else {
                su_state_give_up(state);
        }
        /* Where it cannot be saved, whoever opens the state next comes to the same. */
        if (!engine->read_only)
                (void)su_state_save(engine->state_fd, state, NULL);
        return 0;
}

static int load_config(struct su_engine *engine, const struct su_engine_options *options,
                       struct su_error *err)
{
        char *repository;
        int r;

        r = options->without_config ? su_config_defaults(&engine->config, err)
                                    : su_config_load(engine->root_fd, &engine->config, err);
        if (r < 0 || !options->repository)
                return r;
        r = su_strdup(options->repository, &repository, err);
        if (r < 0)
                return r;
        free(engine->config.repository);
        engine->config.repository = repository;
        return 0;
}

static int load_state(struct su_engine *engine, struct su_error *err)
{
        int r;

        r = su_state_load(engine->state_fd, &engine->state, err);
        if (r >= 0 && engine->os.baseline)
                r = su_knowledge_turn_to(&engine->state.knowledge, engine->os.baseline, err);
        if (r >= 0)
                engine->disabled = su_boot_is_disabled(engine->root_fd);
        return r;
}

int su_engine_open(const struct su_engine_options *options, struct su_engine **ret,
                   struct su_error *err)
{
        su_auto_engine struct su_engine *engine = calloc(1, sizeof *engine);
        int r;

        if (!engine)
                return su_fail_oom(err);
        engine->root_fd = engine->state_fd = engine->lock_fd = engine->trust_fd = -EBADF;
        engine->read_only = options->read_only;
        engine->trusted_root = options->trusted_root;
        engine->fetcher = options->fetcher;
        engine->listener = options->listener;
        if (!options->read_only && geteuid() != 0)
                return su_fail(err, SU_ERROR_PERMISSION, "only root may do this");
        r = open_root(engine, options->root, err);
        if (r >= 0 && !options->without_os)
                r = su_os_read(engine->root_fd, &engine->os, err);
        if (r >= 0)
                r = load_config(engine, options, err);
        if (r >= 0)
                r = open_state(engine, options->patience_s, err);
        if (r >= 0)
                r = load_state(engine, err);
        if (r >= 0)
                r = look_at_usr(engine, err);
        if (r >= 0)
                r = settle(engine, err);
        if (r < 0)
                return r;
        engine->units = strcmp(engine->root, "/") == 0 ? &su_units_systemd : &su_units_none;
        *ret = su_take(engine);
        return 0;
}

void su_engine_free(struct su_engine *engine)
{
        if (!engine)
                return;
        su_policy_free(engine->log_policy);
        su_trust_free(engine->trust);
        su_fetch_free(engine->fetch);
        su_state_done(&engine->state);
        su_config_done(&engine->config);
        su_os_done(&engine->os);
        su_close_fd(&engine->trust_fd);
        su_close_fd(&engine->lock_fd);
        su_close_fd(&engine->state_fd);
        su_close_fd(&engine->root_fd);
        free(engine->root);
        free(engine);
}

/* The root of trust comes with the OS, or from the command line. */
static const char *trusted_root_path(const struct su_engine *engine)
{
        return engine->trusted_root ? engine->trusted_root : engine->config.trusted_root;
}

static int read_trusted_root(struct su_engine *engine, char **ret, size_t *ret_size,
                             struct su_error *err)
{
        const char *path = trusted_root_path(engine);
        su_auto_close int fd = -EBADF;
        int r;

        if (engine->trusted_root) {
                fd = open(path, O_RDONLY | O_CLOEXEC);
                r = fd < 0 ? su_fail_errno(err, errno, "cannot open '%s'", path) : 0;
        } else {
                r = su_open_in_root(engine->root_fd, path, O_RDONLY, &fd, err);
        }
        if (r == -ENOENT)
                return su_fail(err, SU_ERROR_CONFIG,
                               "there is no trusted root at '%s': nothing can be verified without",
                               path);
        if (r < 0)
                return r;
        return su_file_read_fd(fd, path, ROOT_METADATA_MAX, ret, ret_size, err);
}

static int open_trust(struct su_engine *engine, struct su_error *err)
{
        su_auto_free char *root = NULL;
        size_t size;
        int r;

        r = su_dir_make(engine->state_fd, "trust", 0755, &engine->trust_fd, err);
        if (r < 0)
                return r;
        if (faccessat(engine->trust_fd, "root.json", F_OK, 0) < 0) {
                r = read_trusted_root(engine, &root, &size, err);
                if (r < 0)
                        return r;
                r = su_trust_init(engine->trust_fd, root, size, err);
                if (r < 0)
                        return su_fail_prefix(err, r, "trusted root '%s'",
                                              trusted_root_path(engine));
        }
        return su_trust_open(engine->trust_fd, &engine->trust, err);
}

static int watch_fetch(void *userdata, uint64_t done, struct su_error *err)
{
        struct su_engine *engine = userdata;
        uint64_t now = su_monotonic_us();

        if (now >= engine->looked_us + LOOK_EVERY_US) {
                engine->looked_us = now;
                if (su_state_is_asked_for(engine->state_fd))
                        return su_fail(err, SU_ERROR_BUSY,
                                       "a package manager wants to work on this system");
        }
        return engine->fetch_progress ? engine->fetch_progress(engine->fetch_userdata, done, err)
                                      : 0;
}

int su_engine_connect(struct su_engine *engine, struct su_error *err)
{
        const struct su_fetch_options options = {
                .base_url = engine->config.repository,
                .proxy = engine->config.proxy,
                .max_rate = engine->config.max_rate,
                .is_confined = true,
                .socket_path = engine->fetcher,
        };
        int r;

        if (!engine->config.repository)
                return su_fail(err, SU_ERROR_CONFIG,
                               "no repository is configured: set Repository= in the section "
                               "[Source] of /etc/suture/suture.conf, or give --repository");
        r = su_fetch_new_with(&options, &engine->fetch, err);
        if (r < 0)
                return r;
        su_fetch_set_progress(engine->fetch, watch_fetch, engine);
        r = su_evidence_policy(engine->root_fd, engine->config.log_policy,
                               su_config_says(&engine->config, "Source", "LogPolicy"),
                               &engine->log_policy, err);
        return r < 0 ? r : open_trust(engine, err);
}

static int part_path(enum su_repository_part part, const char *name, char **ret,
                     struct su_error *err)
{
        return su_format(ret, err, "%s/%s", part == SU_PART_METADATA ? "metadata" : "targets",
                         name);
}

static int transport_get(void *userdata, enum su_repository_part part, const char *name, size_t max,
                         char **ret_data, size_t *ret_size, struct su_error *err)
{
        su_auto_free char *path = NULL;
        int r;

        r = part_path(part, name, &path, err);
        return r < 0 ? r : su_fetch_to_memory(userdata, path, max, ret_data, ret_size, err);
}

static int transport_get_if_changed(void *userdata, enum su_repository_part part, const char *name,
                                    size_t max, const char *etag, struct su_transport_answer *ret,
                                    struct su_error *err)
{
        su_auto_free char *path = NULL;
        struct su_fetch_answer answer;
        int r;

        r = part_path(part, name, &path, err);
        if (r >= 0)
                r = su_fetch_if_changed(userdata, path, max, etag, &answer, err);
        if (r < 0)
                return r;
        *ret = (struct su_transport_answer){answer.data, answer.size, answer.etag};
        return 0;
}

struct su_transport su_engine_transport(struct su_engine *engine)
{
        return (struct su_transport){.get = transport_get,
                                     .get_if_changed = transport_get_if_changed,
                                     .userdata = engine->fetch};
}

int su_engine_version(const struct su_engine *engine, const struct su_level *level, char **ret,
                      struct su_error *err)
{
        const char *version = engine->os.version;

        if (!level->name[0])
                return su_strdup(version, ret, err);
        return su_format(ret, err, "%s%s(%s)", version, version[0] ? " " : "", level->name);
}

struct su_level su_engine_level(const struct su_engine *engine)
{
        const struct su_state *state = &engine->state;

        if (state->active == 0 || engine->mounted != state->active || !state->baseline ||
            strcmp(state->baseline, engine->os.baseline) != 0)
                return (struct su_level){0};
        return state->level;
}
