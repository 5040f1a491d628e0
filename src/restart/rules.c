#include "restart/rules.h"

#include "base/dropins.h"
#include "base/text.h"

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

static int parse_dropin(void *userdata, const char *path, char *text, struct su_error *err)
{
        return su_rules_parse(path, text, userdata, err);
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
                r = su_dropins_read(root_fd, "restart.d", parse_dropin, &rules, err);
        if (r < 0)
                return r;
        *ret = rules;
        rules = (struct su_rules){0};
        return 0;
}
