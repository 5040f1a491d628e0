/* Restart rules: the drop-ins of a system, and the publisher's hints. */
#include "improvement/rule.h"

#include <string.h>

#include "fuzz.h"

/* What can be read can be written, and is the same when it is read again. */
static void check_round_trip(const struct su_rules *rules)
{
        su_auto_json json_t *document = json_pack("{s:o}", "hints", su_rules_to_json(rules));
        su_auto_rules struct su_rules again = {0};

        fuzz_check(document);
        fuzz_check(su_rules_from_json(document, "hints", &again, NULL) >= 0);
        fuzz_check(again.n_rules == rules->n_rules);
        for (size_t i = 0; i < again.n_rules; i++) {
                fuzz_check(strcmp(again.rules[i].unit, rules->rules[i].unit) == 0);
                fuzz_check(again.rules[i].action == rules->rules[i].action);
                fuzz_check(again.rules[i].n_data == rules->rules[i].n_data);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        su_auto_free char *text = fuzz_string(data, size);
        su_auto_rules struct su_rules rules = {0};

        if (su_rules_parse("fuzz", text, &rules, NULL) >= 0)
                check_round_trip(&rules);
        (void)su_rules_action(&rules, "web.service");
        return 0;
}
