#include "publish/advisory/config.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/ini.h"
#include "base/printable.h"
#include "base/text.h"

#define CONFIG_SIZE_MAX (64 * 1024)
#define LINE_MAX_SIZE 256
#define URL_MAX_SIZE 1024
#define PREFIX_MAX_SIZE 32
#define ECOSYSTEMS_MAX 4096
#define DEFAULT_PREFIX "SUTURE"

bool su_advisory_is_configured(const struct su_workspace *workspace)
{
        return faccessat(workspace->fd, SU_ADVISORY_CONFIG, F_OK, 0) == 0;
}

static bool is_line(const char *text)
{
        return su_fix_text_is_usable(text, LINE_MAX_SIZE);
}

/* Paths are put behind it: so there is no query and no fragment. */
static bool is_url(const char *text)
{
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789-._~:/@!$&()*+,;=%[]";
        const size_t size = strlen(text);
        const char *host = su_starts_with(text, "https://")  ? text + strlen("https://")
                           : su_starts_with(text, "http://") ? text + strlen("http://")
                                                             : "";

        return host[0] != '\0' && host[0] != '/' && size <= URL_MAX_SIZE &&
               strspn(text, allowed) == size;
}

static bool is_prefix(const char *text)
{
        const size_t size = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

        return size > 0 && size <= PREFIX_MAX_SIZE && !text[size];
}

static bool is_ecosystem(const char *text)
{
        return is_line(text) && su_is_printable_ascii(text);
}

static int set(const struct su_ini_line *line, bool is_right, const char *wanted, char **field,
               struct su_error *err)
{
        if (*field)
                return su_fail_line(err, line, "%s= is there already", line->key);
        if (!is_right)
                return su_fail_line(err, line, "%s= takes %s, not '%s'", line->key, wanted,
                                    line->value);
        return su_strdup(line->value, field, err);
}

static int visit_publisher(struct su_advisory_config *config, const struct su_ini_line *line,
                           struct su_error *err)
{
        int r;

        if (strcmp(line->key, "Name") == 0)
                return set(line, is_line(line->value), "a name", &config->name, err);
        if (strcmp(line->key, "Contact") == 0)
                return set(line, is_line(line->value), "a line of text", &config->contact, err);
        if (strcmp(line->key, "Prefix") == 0)
                return set(line, is_prefix(line->value), "capital letters and digits",
                           &config->prefix, err);
        if (strcmp(line->key, "Url") != 0)
                return su_fail_line(err, line, "unknown key '%s'", line->key);
        r = set(line, is_url(line->value), "an https:// or http:// URL", &config->url, err);
        for (size_t n = r < 0 ? 0 : strlen(config->url); n > 0 && config->url[n - 1] == '/'; n--)
                config->url[n - 1] = '\0';
        return r;
}

static int begin_baseline(struct su_advisory_config *config, const struct su_ini_line *line,
                          struct su_error *err)
{
        struct su_advisory_ecosystem *larger;

        if (!su_name_is_safe(line->section))
                return su_fail_line(err, line, "[%s] is neither [Publisher] nor a baseline",
                                    line->section);
        if (config->n_ecosystems >= ECOSYSTEMS_MAX)
                return su_fail_line(err, line, "more than %d baselines", ECOSYSTEMS_MAX);
        larger = reallocarray(config->ecosystems, config->n_ecosystems + 1, sizeof *larger);
        if (!larger)
                return su_fail_oom(err);
        config->ecosystems = larger;
        larger += config->n_ecosystems++;
        *larger = (struct su_advisory_ecosystem){0};
        return su_strdup(line->section, &larger->baseline, err);
}

static int visit(void *userdata, const struct su_ini_line *line, struct su_error *err)
{
        struct su_advisory_config *config = userdata;

        if (strcmp(line->section, "Publisher") == 0)
                return line->key ? visit_publisher(config, line, err) : 0;
        if (!line->key)
                return begin_baseline(config, line, err);
        if (strcmp(line->key, "Ecosystem") != 0)
                return su_fail_line(err, line, "unknown key '%s'", line->key);
        return set(line, is_ecosystem(line->value), "a package ecosystem, such as Debian:12",
                   &config->ecosystems[config->n_ecosystems - 1].name, err);
}

int su_advisory_config_parse(const char *file, char *text, struct su_advisory_config *ret,
                             struct su_error *err)
{
        su_auto_advisory_config struct su_advisory_config config = {0};
        int r;

        r = su_ini_parse(file, text, visit, &config, err);
        if (r >= 0 && (!config.name || !config.url))
                r = su_fail(err, SU_ERROR_CONFIG, "%s: [Publisher] says no %s=", file,
                            config.name ? "Url" : "Name");
        if (r >= 0 && !config.prefix)
                r = su_strdup(DEFAULT_PREFIX, &config.prefix, err);
        if (r < 0)
                return r;
        *ret = config;
        config = (struct su_advisory_config){0};
        return 0;
}

int su_advisory_config_read(const struct su_workspace *workspace, struct su_advisory_config *ret,
                            struct su_error *err)
{
        su_auto_free char *text = NULL;
        int r;

        r = su_file_read(workspace->fd, SU_ADVISORY_CONFIG, CONFIG_SIZE_MAX, &text, NULL, err);
        if (r == -ENOENT)
                return su_fail(err, SU_ERROR_CONFIG,
                               "there is no " SU_ADVISORY_CONFIG
                               " in the workspace: it says who publishes, and where ([Publisher] "
                               "Name=, Url=)");
        return r < 0 ? r : su_advisory_config_parse(SU_ADVISORY_CONFIG, text, ret, err);
}

void su_advisory_config_done(struct su_advisory_config *config)
{
        for (size_t i = 0; i < config->n_ecosystems; i++) {
                free(config->ecosystems[i].baseline);
                free(config->ecosystems[i].name);
        }
        free(config->ecosystems);
        free(config->name);
        free(config->url);
        free(config->contact);
        free(config->prefix);
        *config = (struct su_advisory_config){0};
}

int su_advisory_ecosystem(const struct su_advisory_config *config, const char *baseline, char **ret,
                          struct su_error *err)
{
        for (size_t i = 0; i < config->n_ecosystems; i++)
                if (strcmp(config->ecosystems[i].baseline, baseline) == 0 &&
                    config->ecosystems[i].name)
                        return su_strdup(config->ecosystems[i].name, ret, err);
        return su_format(ret, err, "Suture:%s", baseline);
}
