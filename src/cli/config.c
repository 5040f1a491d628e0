/* The verb config: what holds, and where it was said. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "device/config.h"
#include "device/settings.h"

static json_t *value_to_json(const struct su_config_value *value)
{
        su_auto_free char *origin = NULL;

        if (value->file && su_format(&origin, NULL, "%s:%u", value->file, value->line) < 0)
                return NULL;
        return json_pack("{s:s, s:s?, s:b}", "value", value->text, "origin", origin, "managed",
                         value->managed);
}

static json_t *values_to_json(const struct su_config_values *values)
{
        su_auto_json json_t *array = json_array();

        for (size_t i = 0; i < values->n_values; i++)
                if (json_array_append_new(array, value_to_json(&values->values[i])) < 0)
                        return NULL;
        return su_take(array);
}

static int print_json(const struct su_config *config, struct su_error *err)
{
        json_t *settings = json_array();

        for (size_t i = 0; i < su_n_settings; i++) {
                const struct su_setting *setting = &su_settings[i];

                if (json_array_append_new(settings,
                                          json_pack("{s:s, s:s, s:b, s:o}", "section",
                                                    setting->section, "key", setting->key, "list",
                                                    su_setting_is_list(setting), "values",
                                                    values_to_json(&config->origins[i]))) < 0) {
                        json_decref(settings);
                        return su_fail_oom(err);
                }
        }
        return su_output_json(json_pack("{s:o}", "settings", settings), err);
}

static void print_value(const char *key, const struct su_config_value *value)
{
        int size = printf("%s=%s", key, value->text);

        (void)printf("%*s # ", size < 40 ? 40 - size : 0, "");
        if (value->file)
                (void)printf("%s:%u%s\n", value->file, value->line,
                             value->managed ? ", managed" : "");
        else
                (void)puts("default");
}

static void print_text(const struct su_config *config)
{
        const char *section = "";

        for (size_t i = 0; i < su_n_settings; i++) {
                const struct su_setting *setting = &su_settings[i];
                const struct su_config_values *values = &config->origins[i];

                if (strcmp(section, setting->section) != 0)
                        (void)printf("%s[%s]\n", section[0] ? "\n" : "", setting->section);
                section = setting->section;
                for (size_t j = 0; j < values->n_values; j++)
                        print_value(setting->key, &values->values[j]);
                if (values->n_values == 0)
                        (void)printf("#%s=\n", setting->key);
        }
}

int su_verb_config(const struct su_arguments *arguments, struct su_error *err)
{
        const char *root = arguments->engine.root ? arguments->engine.root : "/";
        su_auto_close int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        su_auto_config struct su_config config = {0};
        int r;

        if (root_fd < 0)
                return su_fail_errno(err, errno, "cannot open '%s'", root);
        r = su_config_load(root_fd, &config, err);
        if (r < 0)
                return r;
        if (arguments->json)
                return print_json(&config, err);
        print_text(&config);
        return 0;
}
