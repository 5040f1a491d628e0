#include "device/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "device/config.h"

#define WATCH_TIME_MAX 3600
/* Slower ones run into the time that a request may take. */
#define RATE_MIN (16 * 1024)

struct su_setting_kind {
        bool is_list;
        size_t size; /* of the field, which is zero without a value */
        int (*assign)(const struct su_setting *setting, void *field, const struct su_ini_line *line,
                      struct su_error *err);
};

static int assign_text(const struct su_setting *setting, void *field,
                       const struct su_ini_line *line, struct su_error *err)
{
        (void)setting;
        return su_strdup(line->value, field, err);
}

static int assign_path(const struct su_setting *setting, void *field,
                       const struct su_ini_line *line, struct su_error *err)
{
        if (!su_path_is_normal(line->value))
                return su_fail_line(err, line, "%s= is not an absolute path: '%s'", line->key,
                                    line->value);
        return assign_text(setting, field, line, err);
}

static int assign_duration(const struct su_setting *setting, void *field,
                           const struct su_ini_line *line, struct su_error *err)
{
        (void)setting;
        return su_duration_parse(line->value, field)
                       ? 0
                       : su_fail_line(err, line, "%s= is not like '12h' or '3d': '%s'", line->key,
                                      line->value);
}

static int assign_watch_time(const struct su_setting *setting, void *field,
                             const struct su_ini_line *line, struct su_error *err)
{
        int64_t *seconds = field;

        (void)setting;
        return su_duration_parse(line->value, seconds) && *seconds <= WATCH_TIME_MAX
                       ? 0
                       : su_fail_line(err, line, "%s= is not like '10s', and at most an hour: '%s'",
                                      line->key, line->value);
}

static int assign_percent(const struct su_setting *setting, void *field,
                          const struct su_ini_line *line, struct su_error *err)
{
        int64_t *ret = field;
        char *end;
        long value;

        (void)setting;
        errno = 0;
        value = strtol(line->value, &end, 10);
        if (end == line->value || (strcmp(end, "") != 0 && strcmp(end, "%") != 0) || errno != 0 ||
            value < 0 || value > 100)
                return su_fail_line(err, line, "%s= is not like '20%%': '%s'", line->key,
                                    line->value);
        *ret = value;
        return 0;
}

/* "2026-12-24", which begins at midnight UTC, or "2026-12-24T18:00:00Z". */
static int assign_moment(const struct su_setting *setting, void *field,
                         const struct su_ini_line *line, struct su_error *err)
{
        char whole[SU_TIME_TEXT_SIZE];

        (void)setting;
        (void)snprintf(whole, sizeof whole, "%.10sT00:00:00Z", line->value);
        return su_time_parse(strlen(line->value) == strlen("2026-12-24") ? whole : line->value,
                             field)
                       ? 0
                       : su_fail_line(err, line,
                                      "%s= is not like '2026-12-24' or '2026-12-24T18:00:00Z': "
                                      "'%s'",
                                      line->key, line->value);
}

static int assign_level(const struct su_setting *setting, void *field,
                        const struct su_ini_line *line, struct su_error *err)
{
        (void)setting;
        return su_level_parse(line->value, field)
                       ? 0
                       : su_fail_line(err, line, "%s= is not a level, like 'b': '%s'", line->key,
                                      line->value);
}

/* "500K", "2M"; 0: as fast as it goes. */
static bool parse_rate(const char *text, uint64_t *ret)
{
        static const char suffixes[] = "KMG";
        const char *suffix;
        char *end;
        uint64_t rate;

        if (text[0] < '0' || text[0] > '9')
                return false;
        errno = 0;
        rate = strtoull(text, &end, 10);
        suffix = *end ? strchr(suffixes, *end) : NULL;
        if (errno != 0 || (*end && (!suffix || end[1])))
                return false;
        for (const char *step = suffixes; suffix && step <= suffix; step++)
                if (__builtin_mul_overflow(rate, UINT64_C(1024), &rate))
                        return false;
        *ret = rate;
        return rate <= INT64_MAX;
}

static int assign_rate(const struct su_setting *setting, void *field,
                       const struct su_ini_line *line, struct su_error *err)
{
        uint64_t *rate = field;

        (void)setting;
        return parse_rate(line->value, rate) && (*rate == 0 || *rate >= RATE_MIN)
                       ? 0
                       : su_fail_line(err, line,
                                      "%s= is not like '500K' or '2M' bytes a second, at least "
                                      "16K, or 0: '%s'",
                                      line->key, line->value);
}

/* As libcurl knows them; what the rest of it means is libcurl's to say. */
static int assign_proxy(const struct su_setting *setting, void *field,
                        const struct su_ini_line *line, struct su_error *err)
{
        static const char *const schemes[] = {"http://",    "https://",  "socks4://",
                                              "socks4a://", "socks5://", "socks5h://"};

        for (size_t i = 0; i < SU_ELEMENTS(schemes); i++)
                if (su_starts_with(line->value, schemes[i]) && line->value[strlen(schemes[i])])
                        return assign_text(setting, field, line, err);
        return su_fail_line(err, line, "%s= is not like 'http://proxy.example:3128': '%s'",
                            line->key, line->value);
}

static int refuse_choice(const struct su_setting *setting, const struct su_ini_line *line,
                         struct su_error *err)
{
        su_auto_free char *which = NULL;
        int r;

        r = su_strdup(setting->words[0], &which, err);
        for (size_t i = 1; setting->words[i] && r >= 0; i++) {
                su_auto_free char *before = su_take(which);

                r = su_format(&which, err, "%s%s%s", before, setting->words[i + 1] ? ", " : " or ",
                              setting->words[i]);
        }
        return r < 0 ? r
                     : su_fail_line(err, line, "%s= is %s: '%s'", line->key, which, line->value);
}

static int find_choice(const struct su_setting *setting, const struct su_ini_line *line,
                       unsigned *ret, struct su_error *err)
{
        for (unsigned i = 0; setting->words[i]; i++)
                if (strcmp(line->value, setting->words[i]) == 0) {
                        *ret = i;
                        return 0;
                }
        return refuse_choice(setting, line, err);
}

static int assign_choice(const struct su_setting *setting, void *field,
                         const struct su_ini_line *line, struct su_error *err)
{
        return find_choice(setting, line, field, err);
}

/* The second word is true. */
static int assign_truth(const struct su_setting *setting, void *field,
                        const struct su_ini_line *line, struct su_error *err)
{
        unsigned which = 0;
        int r;

        r = find_choice(setting, line, &which, err);
        if (r >= 0)
                *(bool *)field = which == 1;
        return r;
}

static int add_window(const struct su_setting *setting, void *field, const struct su_ini_line *line,
                      struct su_error *err)
{
        struct su_windows *windows = field;

        (void)setting;
        if (windows->n_windows == SU_WINDOWS_MAX)
                return su_fail_line(err, line, "more than %d windows", SU_WINDOWS_MAX);
        if (!su_window_parse(line->value, &windows->windows[windows->n_windows]))
                return su_fail_line(err, line,
                                    "%s= is not like 'Sat,Sun 02:00-05:00' or '02:00-05:00': '%s'",
                                    line->key, line->value);
        windows->n_windows++;
        return 0;
}

static int add_skip(const struct su_setting *setting, void *field, const struct su_ini_line *line,
                    struct su_error *err)
{
        struct su_skips *skips = field;
        int r;

        if (skips->n_levels == SU_SKIPS_MAX)
                return su_fail_line(err, line, "more than %d levels to skip", SU_SKIPS_MAX);
        r = assign_level(setting, &skips->levels[skips->n_levels], line, err);
        if (r >= 0)
                skips->n_levels++;
        return r;
}

static int add_group(const struct su_setting *setting, void *field, const struct su_ini_line *line,
                     struct su_error *err)
{
        struct su_groups *groups = field;

        (void)setting;
        if (groups->n_names == SU_GROUPS_MAX)
                return su_fail_line(err, line, "more than %d groups", SU_GROUPS_MAX);
        if (!su_group_is_name(line->value))
                return su_fail_line(err, line,
                                    "%s= is not a name of lower-case letters, digits and '-': '%s'",
                                    line->key, line->value);
        memcpy(groups->names[groups->n_names++], line->value, strlen(line->value) + 1);
        return 0;
}

static const struct su_setting_kind text = {false, sizeof(char *), assign_text},
                                    path = {false, sizeof(char *), assign_path},
                                    proxy = {false, sizeof(char *), assign_proxy},
                                    rate = {false, sizeof(uint64_t), assign_rate},
                                    duration = {false, sizeof(int64_t), assign_duration},
                                    moment = {false, sizeof(int64_t), assign_moment},
                                    watch_time = {false, sizeof(int64_t), assign_watch_time},
                                    percent = {false, sizeof(int64_t), assign_percent},
                                    level = {false, sizeof(struct su_level), assign_level},
                                    choice = {false, sizeof(unsigned), assign_choice},
                                    truth = {false, sizeof(bool), assign_truth},
                                    windows = {true, sizeof(struct su_windows), add_window},
                                    skips = {true, sizeof(struct su_skips), add_skip},
                                    groups = {true, sizeof(struct su_groups), add_group};

static const char *const after_deadline[] = {"announce", "restart", NULL};
static const char *const metered[] = {"wait", "ignore", NULL};
static const char *const in_use[] = {"ignore", "wait", NULL};
static const char *const act[] = {"at-once", "ask", NULL};
static const char *const allow[] = {"yes", "no", NULL}; /* kept is what is forbidden */

#define FIELD(name) offsetof(struct su_config, name)

const struct su_setting su_settings[] = {
        {"Source", "Repository", "", &text, FIELD(repository), NULL},
        {"Source", "TrustedRoot", SU_TRUSTED_ROOT_PATH, &path, FIELD(trusted_root), NULL},
        {"Source", "LogPolicy", SU_LOG_POLICY_PATH, &path, FIELD(log_policy), NULL},
        {"Source", "Group", "", &groups, FIELD(policy.groups), NULL},
        {"Network", "MaxRate", "", &rate, FIELD(max_rate), NULL},
        {"Network", "Proxy", "", &proxy, FIELD(proxy), NULL},
        {"Restart", "Window", "", &windows, FIELD(restart.windows), NULL},
        {"Restart", "Deadline", "", &duration, FIELD(restart.deadline), NULL},
        {"Restart", "AfterDeadline", "announce", &truth, FIELD(restart.restart_overdue),
         after_deadline},
        {"Automatic", "Level", "install", &choice, FIELD(automatic), su_automatic_words},
        {"Automatic", "Metered", "wait", &truth, FIELD(conditions.ignores_metered), metered},
        {"Automatic", "Battery", "20%", &percent, FIELD(conditions.battery_min), NULL},
        {"Automatic", "InUse", "ignore", &truth, FIELD(conditions.waits_for_idle), in_use},
        {"Automatic", "Window", "", &windows, FIELD(conditions.windows), NULL},
        {"Recall", "Act", "at-once", &truth, FIELD(recall_asks), act},
        /* systemd's default interval in which too many starts are a crash loop. */
        {"Watch", "Time", "10s", &watch_time, FIELD(watch_time), NULL},
        {"Policy", "AllowInstall", "yes", &truth, FIELD(policy.forbids_install), allow},
        {"Policy", "AllowRemoval", "yes", &truth, FIELD(policy.forbids_removal), allow},
        {"Policy", "Defer", "", &duration, FIELD(policy.defer), NULL},
        {"Policy", "Enforce", "", &duration, FIELD(policy.enforce), NULL},
        {"Policy", "EnforceFrom", "", &moment, FIELD(policy.enforce_from), NULL},
        {"Policy", "Pin", "", &level, FIELD(policy.pin), NULL},
        {"Policy", "Skip", "", &skips, FIELD(policy.skips), NULL},
};
const size_t su_n_settings = SU_ELEMENTS(su_settings);

int su_setting_find(const struct su_ini_line *line, size_t *ret_index, struct su_error *err)
{
        bool section_is_known = false;

        for (size_t i = 0; i < su_n_settings; i++) {
                if (strcmp(line->section, su_settings[i].section) != 0)
                        continue;
                section_is_known = true;
                if (line->key && strcmp(line->key, su_settings[i].key) == 0) {
                        *ret_index = i;
                        return 0;
                }
        }
        if (!section_is_known)
                return su_fail_line(err, line, "unknown section [%s]", line->section);
        return line->key ? su_fail_line(err, line, "unknown key '%s' in [%s]", line->key,
                                        line->section)
                         : 0;
}

static void *field_of(const struct su_setting *setting, struct su_config *config)
{
        return (char *)config + setting->offset;
}

bool su_setting_is_list(const struct su_setting *setting)
{
        return setting->kind->is_list;
}

int su_setting_assign(const struct su_setting *setting, struct su_config *config,
                      const struct su_ini_line *line, struct su_error *err)
{
        return setting->kind->assign(setting, field_of(setting, config), line, err);
}

void su_setting_reset(const struct su_setting *setting, struct su_config *config)
{
        void *field = field_of(setting, config);

        if (setting->kind == &text || setting->kind == &path || setting->kind == &proxy)
                free(*(char **)field);
        memset(field, 0, setting->kind->size);
}
