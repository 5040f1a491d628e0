#include "restart/rules.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

#define DROPIN_SIZE_MAX (64 * 1024)

/* Restarting one of these ends sessions or takes the system's nerves away. */
static const struct {
        const char *unit;
        enum su_rule_action action;
} built_in[] = {
        {"dbus.service", SU_RULE_REBOOT},
        {"dbus-broker.service", SU_RULE_REBOOT},
        {"systemd-logind.service", SU_RULE_REBOOT},
        {"display-manager.service", SU_RULE_REBOOT},
        {"gdm*.service", SU_RULE_REBOOT},
        {"lightdm.service", SU_RULE_REBOOT},
        {"sddm.service", SU_RULE_REBOOT},
        {"greetd.service", SU_RULE_REBOOT},
        {"lxdm.service", SU_RULE_REBOOT},
        {"xdm.service", SU_RULE_REBOOT},
        {"wdm.service", SU_RULE_REBOOT},
        {"slim.service", SU_RULE_REBOOT},
        {"nodm.service", SU_RULE_REBOOT},
        {"ly.service", SU_RULE_REBOOT},
        {"user@*.service", SU_RULE_WAIT},
        {"getty@*.service", SU_RULE_WAIT},
        {"serial-getty@*.service", SU_RULE_WAIT},
        {"console-getty.service", SU_RULE_WAIT},
        {"container-getty@*.service", SU_RULE_WAIT},
        {"libvirtd.service", SU_RULE_WAIT},
        {"docker.service", SU_RULE_WAIT},
        {"containerd.service", SU_RULE_WAIT},
        {"crio.service", SU_RULE_WAIT},
        {"systemd-nspawn@*.service", SU_RULE_WAIT},
};

static const char *const directories[] = {"/usr/lib/suture/restart.d", "/etc/suture/restart.d"};

static int add_hint(struct su_rules *rules, const struct su_rule *hint, struct su_error *err)
{
        struct su_rule *rule;
        int r;

        r = su_rules_append(rules, hint->unit, hint->action, err);
        if (r < 0)
                return r;
        rule = &rules->rules[rules->n_rules - 1];
        rule->data = calloc(hint->n_data + 1, sizeof *rule->data);
        if (!rule->data)
                return su_fail_oom(err);
        for (size_t i = 0; i < hint->n_data; i++) {
                r = su_strdup(hint->data[i], &rule->data[i], err);
                if (r < 0)
                        return r;
                rule->n_data++;
        }
        return 0;
}

static int add_hints(struct su_rules *rules, const struct su_manifest *manifest,
                     struct su_error *err)
{
        for (size_t i = 0; manifest && i < manifest->n_components; i++) {
                const struct su_rules *hints = &manifest->components[i].hints;

                for (size_t j = 0; j < hints->n_rules; j++) {
                        int r = add_hint(rules, &hints->rules[j], err);

                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static int add_built_in(struct su_rules *rules, struct su_error *err)
{
        for (size_t i = 0; i < SU_ELEMENTS(built_in); i++) {
                int r = su_rules_append(rules, built_in[i].unit, built_in[i].action, err);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* The names of all drop-ins, each once. */
struct names {
        char **names;
        size_t n;
};

static void names_done(struct names *names)
{
        for (size_t i = 0; i < names->n; i++)
                free(names->names[i]);
        free(names->names);
}

static int add_name(struct names *names, const char *name, struct su_error *err)
{
        char **larger;
        int r;

        for (size_t i = 0; i < names->n; i++)
                if (strcmp(names->names[i], name) == 0)
                        return 0;
        larger = reallocarray(names->names, names->n + 1, sizeof *larger);
        if (!larger)
                return su_fail_oom(err);
        names->names = larger;
        r = su_strdup(name, &larger[names->n], err);
        if (r >= 0)
                names->n++;
        return r;
}

static int list(int root_fd, const char *path, struct names *names, struct su_error *err)
{
        su_auto_closedir DIR *dir = NULL;
        struct dirent *entry;
        int fd;
        int r;

        r = su_open_in_root(root_fd, path, O_RDONLY | O_DIRECTORY, &fd, err);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        dir = fdopendir(fd);
        if (!dir) {
                (void)close(fd);
                return su_fail_errno(err, errno, "cannot list '%s'", path);
        }
        while ((entry = readdir(dir))) {
                if (entry->d_name[0] == '.' || !su_ends_with(entry->d_name, ".conf"))
                        continue;
                r = add_name(names, entry->d_name, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Of two of one name, the administrator's. */
static int add_dropin(int root_fd, const char *name, struct su_rules *rules, struct su_error *err)
{
        for (size_t i = SU_ELEMENTS(directories); i-- > 0;) {
                su_auto_close int fd = -EBADF;
                su_auto_free char *path = NULL;
                su_auto_free char *text = NULL;
                int r;

                r = su_format(&path, err, "%s/%s", directories[i], name);
                if (r >= 0)
                        r = su_open_in_root(root_fd, path, O_RDONLY, &fd, err);
                if (r == -ENOENT)
                        continue;
                if (r >= 0)
                        r = su_file_read_fd(fd, path, DROPIN_SIZE_MAX, &text, NULL, err);
                return r < 0 ? r : su_rules_parse(path, text, rules, err);
        }
        return 0;
}

static int add_dropins(int root_fd, struct su_rules *rules, struct su_error *err)
{
        su_auto(names_done) struct names names = {0};
        int r = 0;

        for (size_t i = 0; i < SU_ELEMENTS(directories) && r >= 0; i++)
                r = list(root_fd, directories[i], &names, err);
        if (names.n > 0)
                qsort(names.names, names.n, sizeof *names.names, compare_names);
        for (size_t i = 0; i < names.n && r >= 0; i++)
                r = add_dropin(root_fd, names.names[i], rules, err);
        return r;
}

int su_restart_rules_load(int root_fd, const struct su_manifest *from, const struct su_manifest *to,
                          struct su_rules *ret, struct su_error *err)
{
        su_auto_rules struct su_rules rules = {0};
        int r;

        r = add_hints(&rules, from, err);
        if (r >= 0)
                r = add_hints(&rules, to, err);
        if (r >= 0)
                r = add_built_in(&rules, err);
        if (r >= 0)
                r = add_dropins(root_fd, &rules, err);
        if (r < 0)
                return r;
        *ret = rules;
        rules = (struct su_rules){0};
        return 0;
}
