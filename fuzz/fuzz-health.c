/* Health checks: the drop-ins of a system, and the publisher's. */
#include "improvement/health.h"

#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        su_auto_free char *text = fuzz_string(data, size);
        su_auto_health struct su_health health = {0};
        su_auto_health struct su_health again = {0};
        su_auto_json json_t *document = NULL;

        if (su_health_parse("fuzz", text, &health, NULL) < 0)
                return 0;
        document = json_pack("{s:o}", "health", su_health_to_json(&health));
        fuzz_check(document);
        fuzz_check(su_health_from_json(document, "health", &again, NULL) >= 0);
        fuzz_check(again.n_checks == health.n_checks);
        for (size_t i = 0; i < again.n_checks; i++)
                fuzz_check(strcmp(again.checks[i].command, health.checks[i].command) == 0);
        return 0;
}
