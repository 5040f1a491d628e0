#include "device/config.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/ini.h"
#include "base/text.h"

#define CONFIG_SIZE_MAX (64 * 1024)
/* systemd's default interval in which too many starts are a crash loop. */
#define WATCH_TIME 10
#define WATCH_TIME_MAX 3600

static int assign_source(struct su_config *config, const struct su_ini_line *line,
                         struct su_error *err)
{
        bool is_path = true;
        char **field;

        if (strcmp(line->key, "Repository") == 0) {
                field = &config->repository;
                is_path = false;
        } else if (strcmp(line->key, "TrustedRoot") == 0) {
                field = &config->trusted_root;
        } else if (strcmp(line->key, "LogPolicy") == 0) {
                field = &config->log_policy;
                config->log_policy_given = true;
        } else {
                return su_fail_line(err, line, "unknown key '%s' in [Source]", line->key);
        }
        if (is_path && !su_path_is_normal(line->value))
                return su_fail_line(err, line, "%s= is not an absolute path: '%s'", line->key,
                                    line->value);
        free(*field);
        *field = NULL;
        return su_strdup(line->value, field, err);
}

static int add_window(struct su_restart_policy *policy, const struct su_ini_line *line,
                      struct su_error *err)
{
        if (policy->n_windows == SU_WINDOWS_MAX)
                return su_fail_line(err, line, "more than %d windows", SU_WINDOWS_MAX);
        if (!su_window_parse(line->value, &policy->windows[policy->n_windows]))
                return su_fail_line(err, line,
                                    "Window= is not like 'Sat,Sun 02:00-05:00' or '02:00-05:00': "
                                    "'%s'",
                                    line->value);
        policy->n_windows++;
        return 0;
}

static int assign_restart(struct su_config *config, const struct su_ini_line *line,
                          struct su_error *err)
{
        struct su_restart_policy *policy = &config->restart;

        if (strcmp(line->key, "Window") == 0)
                return add_window(policy, line, err);
        if (strcmp(line->key, "Deadline") == 0)
                return su_duration_parse(line->value, &policy->deadline)
                               ? 0
                               : su_fail_line(err, line,
                                              "Deadline= is not like '12h' or '3d': '%s'",
                                              line->value);
        if (strcmp(line->key, "AfterDeadline") != 0)
                return su_fail_line(err, line, "unknown key '%s' in [Restart]", line->key);
        policy->restart_overdue = strcmp(line->value, "restart") == 0;
        if (!policy->restart_overdue && strcmp(line->value, "announce") != 0)
                return su_fail_line(err, line, "AfterDeadline= is announce or restart: '%s'",
                                    line->value);
        return 0;
}

static int assign_automatic(struct su_config *config, const struct su_ini_line *line,
                            struct su_error *err)
{
        static const char *const levels[] = {
                [SU_AUTOMATIC_OFF] = "off",
                [SU_AUTOMATIC_CHECK] = "check",
                [SU_AUTOMATIC_DOWNLOAD] = "download",
                [SU_AUTOMATIC_INSTALL] = "install",
        };

        if (strcmp(line->key, "Level") != 0)
                return su_fail_line(err, line, "unknown key '%s' in [Automatic]", line->key);
        for (size_t i = 0; i < SU_ELEMENTS(levels); i++)
                if (strcmp(line->value, levels[i]) == 0) {
                        config->automatic = (enum su_automatic)i;
                        return 0;
                }
        return su_fail_line(err, line, "Level= is off, check, download or install: '%s'",
                            line->value);
}

static int assign_recall(struct su_config *config, const struct su_ini_line *line,
                         struct su_error *err)
{
        if (strcmp(line->key, "Act") != 0)
                return su_fail_line(err, line, "unknown key '%s' in [Recall]", line->key);
        config->recall_asks = strcmp(line->value, "ask") == 0;
        if (!config->recall_asks && strcmp(line->value, "at-once") != 0)
                return su_fail_line(err, line, "Act= is at-once or ask: '%s'", line->value);
        return 0;
}

static int assign_watch(struct su_config *config, const struct su_ini_line *line,
                        struct su_error *err)
{
        if (strcmp(line->key, "Time") != 0)
                return su_fail_line(err, line, "unknown key '%s' in [Watch]", line->key);
        if (!su_duration_parse(line->value, &config->watch_time) ||
            config->watch_time > WATCH_TIME_MAX)
                return su_fail_line(err, line, "Time= is not like '10s', and at most an hour: '%s'",
                                    line->value);
        return 0;
}

static int visit(void *userdata, const struct su_ini_line *line, struct su_error *err)
{
        static const struct {
                const char *name;
                int (*assign)(struct su_config *config, const struct su_ini_line *line,
                              struct su_error *err);
        } sections[] = {
                {"Source", assign_source},       {"Restart", assign_restart},
                {"Automatic", assign_automatic}, {"Recall", assign_recall},
                {"Watch", assign_watch},
        };

        for (size_t i = 0; i < SU_ELEMENTS(sections); i++)
                if (strcmp(line->section, sections[i].name) == 0)
                        return line->key ? sections[i].assign(userdata, line, err) : 0;
        return su_fail_line(err, line, "unknown section [%s]", line->section);
}

int su_config_load(int root_fd, struct su_config *ret, struct su_error *err)
{
        su_auto_config struct su_config config = {
                .automatic = SU_AUTOMATIC_INSTALL,
                .watch_time = WATCH_TIME,
        };
        su_auto_close int fd = -EBADF;
        su_auto_free char *text = NULL;
        int r;

        r = su_strdup(SU_TRUSTED_ROOT_PATH, &config.trusted_root, err);
        if (r >= 0)
                r = su_strdup(SU_LOG_POLICY_PATH, &config.log_policy, err);
        if (r < 0)
                return r;
        r = su_open_in_root(root_fd, SU_CONFIG_PATH, O_RDONLY, &fd, err);
        if (r < 0 && r != -ENOENT)
                return r;
        if (r >= 0) {
                r = su_file_read_fd(fd, SU_CONFIG_PATH, CONFIG_SIZE_MAX, &text, NULL, err);
                if (r >= 0)
                        r = su_ini_parse(SU_CONFIG_PATH, text, visit, &config, err);
                if (r < 0)
                        return r;
        }
        *ret = config;
        config = (struct su_config){0};
        return 0;
}

void su_config_done(struct su_config *config)
{
        free(config->repository);
        free(config->trusted_root);
        free(config->log_policy);
        *config = (struct su_config){0};
}
