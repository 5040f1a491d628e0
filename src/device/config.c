#include "device/config.h"

#include <string.h>

#include "base/dropins.h"
#include "base/file.h"
#include "base/text.h"
#include "device/settings.h"

struct reading {
        struct su_config *config;
        bool managed;
};

static void values_done(struct su_config_values *values)
{
        for (size_t i = 0; i < values->n_values; i++) {
                free(values->values[i].text);
                free(values->values[i].file);
        }
        free(values->values);
        *values = (struct su_config_values){0};
}

static int remember(struct su_config_values *values, const struct su_ini_line *line, bool managed,
                    struct su_error *err)
{
        struct su_config_value *larger =
                reallocarray(values->values, values->n_values + 1, sizeof *larger);
        struct su_config_value *value;
        int r;

        if (!larger)
                return su_fail_oom(err);
        values->values = larger;
        value = &larger[values->n_values++];
        *value = (struct su_config_value){.line = line->number, .managed = managed};
        r = su_strdup(line->value, &value->text, err);
        return r < 0 || !line->file ? r : su_strdup(line->file, &value->file, err);
}

static int set(struct su_config *config, size_t index, const struct su_ini_line *line, bool managed,
               struct su_error *err)
{
        const struct su_setting *setting = &su_settings[index];
        int r;

        r = su_setting_assign(setting, config, line, err);
        return r < 0 ? r : remember(&config->origins[index], line, managed, err);
}

/* What was said before is taken back; the fallback's line has no file. */
static int reset(struct su_config *config, size_t index, struct su_error *err)
{
        const struct su_setting *setting = &su_settings[index];
        const struct su_ini_line line = {
                .section = setting->section,
                .key = setting->key,
                .value = setting->fallback,
        };

        su_setting_reset(setting, config);
        values_done(&config->origins[index]);
        return setting->fallback[0] ? set(config, index, &line, false, err) : 0;
}

static bool is_only_fallback(const struct su_config_values *values)
{
        return values->n_values == 1 && !values->values[0].file;
}

static int visit_line(void *userdata, const struct su_ini_line *line, struct su_error *err)
{
        const struct reading *reading = userdata;
        struct su_config *config = reading->config;
        size_t index = 0;
        int r;

        r = su_setting_find(line, &index, err);
        if (r < 0 || !line->key)
                return r;
        if (!line->value[0])
                return reset(config, index, err);
        if (!su_setting_is_list(&su_settings[index]) || is_only_fallback(&config->origins[index])) {
                su_setting_reset(&su_settings[index], config);
                values_done(&config->origins[index]);
        }
        return set(config, index, line, reading->managed, err);
}

static int visit_file(void *userdata, const char *path, char *text, struct su_error *err)
{
        return su_ini_parse(path, text, visit_line, userdata, err);
}

static int read_all(int root_fd, struct su_config *config, struct su_error *err)
{
        static const struct {
                const char *name;
                const char *directory;
                bool managed;
        } files[] = {
                {"suture.conf", "suture.conf.d", false},
                {"managed.conf", "managed.conf.d", true},
        };
        int r = 0;

        for (size_t i = 0; i < SU_ELEMENTS(files) && r >= 0; i++) {
                struct reading reading = {config, files[i].managed};

                r = su_dropins_read_main(root_fd, files[i].name, visit_file, &reading, err);
                if (r >= 0)
                        r = su_dropins_read(root_fd, files[i].directory, visit_file, &reading, err);
        }
        return r;
}

int su_config_defaults(struct su_config *ret, struct su_error *err)
{
        su_auto_config struct su_config config = {
                .origins = calloc(su_n_settings, sizeof *config.origins),
        };
        int r = 0;

        if (!config.origins)
                return su_fail_oom(err);
        for (size_t i = 0; i < su_n_settings && r >= 0; i++)
                r = reset(&config, i, err);
        if (r < 0)
                return r;
        *ret = config;
        config = (struct su_config){0};
        return 0;
}

const struct su_config_value *su_config_find(const struct su_config *config, const char *section,
                                             const char *key)
{
        const struct su_ini_line line = {.section = section, .key = key};
        const struct su_config_values *values;
        size_t index;

        if (su_setting_find(&line, &index, NULL) < 0)
                return NULL;
        values = &config->origins[index];
        return values->n_values > 0 ? &values->values[values->n_values - 1] : NULL;
}

bool su_config_says(const struct su_config *config, const char *section, const char *key)
{
        const struct su_config_value *value = su_config_find(config, section, key);

        return value && value->file;
}

int su_config_load(int root_fd, struct su_config *ret, struct su_error *err)
{
        su_auto_config struct su_config config = {0};
        int r;

        r = su_config_defaults(&config, err);
        if (r >= 0)
                r = read_all(root_fd, &config, err);
        if (r < 0)
                return r;
        *ret = config;
        config = (struct su_config){0};
        return 0;
}

const char *const su_automatic_words[] = {"off", "check", "download", "install", NULL};

const char *su_automatic_name(enum su_automatic automatic)
{
        return su_automatic_words[automatic];
}

bool su_automatic_from_name(const char *name, enum su_automatic *ret)
{
        for (unsigned i = 0; su_automatic_words[i]; i++)
                if (strcmp(su_automatic_words[i], name) == 0) {
                        *ret = (enum su_automatic)i;
                        return true;
                }
        return false;
}

static int check_not_managed(int root_fd, struct su_error *err)
{
        su_auto_config struct su_config config = {0};
        const struct su_config_value *value;
        int r;

        r = su_config_load(root_fd, &config, err);
        if (r < 0)
                return r;
        value = su_config_find(&config, "Automatic", "Level");
        if (value && value->managed)
                return su_fail(err, SU_ERROR_MANAGED,
                               "the organisation that manages this system decides this (%s:%u)",
                               value->file, value->line);
        return 0;
}

static int check_effect(int root_fd, enum su_automatic automatic, struct su_error *err)
{
        su_auto_config struct su_config config = {0};
        const struct su_config_value *value;
        int r;

        r = su_config_load(root_fd, &config, err);
        if (r < 0 || config.automatic == automatic)
                return r;
        value = su_config_find(&config, "Automatic", "Level");
        return su_fail(err, SU_ERROR_CONFIG, "it has no effect: %s:%u says something else",
                       value && value->file ? value->file : "a file", value ? value->line : 0);
}

int su_config_set_automatic(int root_fd, enum su_automatic automatic, struct su_error *err)
{
        su_auto_close int directory_fd = -EBADF;
        su_auto_free char *text = NULL;
        int r;

        r = check_not_managed(root_fd, err);
        if (r >= 0)
                r = su_format(&text, err,
                              "# Written by 'suture automatic'.\n[Automatic]\nLevel=%s\n",
                              su_automatic_name(automatic));
        if (r >= 0)
                r = su_dir_make(root_fd, "etc/suture/suture.conf.d", 0755, &directory_fd, err);
        if (r >= 0)
                r = su_file_write(directory_fd, "50-automatic.conf", text, strlen(text), 0644, err);
        return r < 0 ? r : check_effect(root_fd, automatic, err);
}

void su_config_done(struct su_config *config)
{
        free(config->repository);
        free(config->trusted_root);
        free(config->log_policy);
        free(config->proxy);
        for (size_t i = 0; config->origins && i < su_n_settings; i++)
                values_done(&config->origins[i]);
        free(config->origins);
        *config = (struct su_config){0};
}
