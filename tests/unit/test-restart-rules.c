#include "support.h"

#include <fcntl.h>

#include "restart/rules.h"

static enum su_rule_action action_of(struct scratch *scratch, const struct su_manifest *hints,
                                     const char *unit)
{
        su_auto_rules struct su_rules rules = {0};
        struct su_error err = {0};

        assert_ok(su_restart_rules_load(scratch->fd, NULL, hints, &rules, &err), err);
        return su_rules_action(&rules, unit);
}

static void test_never_by_itself(void **state)
{
        static const struct {
                const char *unit;
                enum su_rule_action action;
        } cases[] = {
                {"dbus.service", SU_RULE_REBOOT},
                {"dbus-broker.service", SU_RULE_REBOOT},
                {"systemd-logind.service", SU_RULE_REBOOT},
                {"display-manager.service", SU_RULE_REBOOT},
                {"gdm3.service", SU_RULE_REBOOT},
                {"lightdm.service", SU_RULE_REBOOT},
                {"sddm.service", SU_RULE_REBOOT},
                {"greetd.service", SU_RULE_REBOOT},
                {"user@1000.service", SU_RULE_WAIT},
                {"getty@tty1.service", SU_RULE_WAIT},
                {"container-getty@1.service", SU_RULE_WAIT},
                {"libvirtd.service", SU_RULE_WAIT},
                {"docker.service", SU_RULE_WAIT},
                {"systemd-nspawn@web.service", SU_RULE_WAIT},
                {"nginx.service", SU_RULE_UNSET},
        };

        for (size_t i = 0; i < SU_ELEMENTS(cases); i++)
                assert_int_equal(action_of(*state, NULL, cases[i].unit), cases[i].action);
}

/* Hints < built in < vendor < administrator; of two files of one name the administrator's holds. */
static void test_who_has_the_last_word(void **state)
{
        struct scratch *scratch = *state;
        struct su_component component = {0};
        const struct su_manifest hints = {.components = &component, .n_components = 1};
        struct su_error err = {0};

        assert_ok(su_rules_append(&component.hints, "*.service", SU_RULE_RELOAD, &err), err);
        assert_int_equal(action_of(scratch, &hints, "nginx.service"), SU_RULE_RELOAD);
        assert_int_equal(action_of(scratch, &hints, "dbus.service"), SU_RULE_REBOOT);
        write_text(scratch->fd, "usr/lib/suture/restart.d/50-a.conf",
                   "[nginx.service]\nAction=wait\n[dbus.service]\nAction=restart\n");
        write_text(scratch->fd, "usr/lib/suture/restart.d/notes.txt", "no rules");
        assert_int_equal(action_of(scratch, &hints, "nginx.service"), SU_RULE_WAIT);
        assert_int_equal(action_of(scratch, &hints, "dbus.service"), SU_RULE_RESTART);
        write_text(scratch->fd, "etc/suture/restart.d/10-b.conf",
                   "[nginx.service]\nAction=reboot\n");
        assert_int_equal(action_of(scratch, &hints, "nginx.service"), SU_RULE_WAIT);
        write_text(scratch->fd, "etc/suture/restart.d/50-a.conf", "");
        assert_int_equal(action_of(scratch, &hints, "nginx.service"), SU_RULE_REBOOT);
        assert_int_equal(action_of(scratch, &hints, "dbus.service"), SU_RULE_REBOOT);
        su_rules_done(&component.hints);
}

static void test_a_malformed_file_is_named(void **state)
{
        struct scratch *scratch = *state;
        su_auto_rules struct su_rules rules = {0};
        struct su_error err = {0};

        write_text(scratch->fd, "etc/suture/restart.d/x.conf", "[a.service]\nAction=explode\n");
        assert_fails_with(su_restart_rules_load(scratch->fd, NULL, NULL, &rules, &err), err, CONFIG,
                          "/etc/suture/restart.d/x.conf:2");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                scratch_test(test_never_by_itself),
                scratch_test(test_who_has_the_last_word),
                scratch_test(test_a_malformed_file_is_named),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
