#include "device/config.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

#define CONFIG_SIZE_MAX (64 * 1024)

static char *strip(char *text)
{
        size_t size;

        text += strspn(text, " \t\r");
        size = strlen(text);
        while (size > 0 && strchr(" \t\r", text[size - 1]))
                text[--size] = '\0';
        return text;
}

static int assign(struct su_config *config, const char *key, const char *value, unsigned line,
                  struct su_error *err)
{
        char **field;

        if (strcmp(key, "Repository") == 0)
                field = &config->repository;
        else if (strcmp(key, "TrustedRoot") == 0)
                field = &config->trusted_root;
        else
                return su_fail(err, SU_ERROR_CONFIG, "%s:%u: unknown key '%s' in [Source]",
                               SU_CONFIG_PATH, line, key);
        if (field == &config->trusted_root && !su_path_is_normal(value))
                return su_fail(err, SU_ERROR_CONFIG, "%s:%u: %s= is not an absolute path: '%s'",
                               SU_CONFIG_PATH, line, key, value);
        free(*field);
        *field = NULL;
        return su_strdup(value, field, err);
}

static int read_line(struct su_config *config, char *text, unsigned line, bool *in_source,
                     struct su_error *err)
{
        char *equals;

        text = strip(text);
        if (text[0] == '\0' || text[0] == '#' || text[0] == ';')
                return 0;
        if (text[0] == '[') {
                if (strcmp(text, "[Source]") != 0)
                        return su_fail(err, SU_ERROR_CONFIG, "%s:%u: unknown section %s",
                                       SU_CONFIG_PATH, line, text);
                *in_source = true;
                return 0;
        }
        equals = strchr(text, '=');
        if (!equals || !*in_source)
                return su_fail(err, SU_ERROR_CONFIG, "%s:%u: neither a section nor KEY=VALUE: '%s'",
                               SU_CONFIG_PATH, line, text);
        *equals = '\0';
        return assign(config, strip(text), strip(equals + 1), line, err);
}

static int parse(char *text, struct su_config *config, struct su_error *err)
{
        bool in_source = false;
        unsigned line = 0;

        while (text) {
                char *end = strchr(text, '\n');
                int r;

                if (end)
                        *end = '\0';
                r = read_line(config, text, ++line, &in_source, err);
                if (r < 0)
                        return r;
                text = end ? end + 1 : NULL;
        }
        return 0;
}

int su_config_load(int root_fd, struct su_config *ret, struct su_error *err)
{
        su_auto_config struct su_config config = {0};
        su_auto_close int fd = -EBADF;
        su_auto_free char *text = NULL;
        int r;

        r = su_strdup(SU_TRUSTED_ROOT_PATH, &config.trusted_root, err);
        if (r < 0)
                return r;
        r = su_open_in_root(root_fd, SU_CONFIG_PATH, O_RDONLY, &fd, err);
        if (r < 0 && r != -ENOENT)
                return r;
        if (r >= 0) {
                r = su_file_read_fd(fd, SU_CONFIG_PATH, CONFIG_SIZE_MAX, &text, NULL, err);
                if (r >= 0)
                        r = parse(text, &config, err);
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
        *config = (struct su_config){0};
}
