/* Whatever is accepted has a canonical form, and survives being written and read again. */
#include <string.h>

#include "fuzz.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        su_auto_json json_t *value = NULL;
        su_auto_json json_t *again = NULL;
        su_auto_free char *canonical = NULL;
        su_auto_free char *compact = NULL;
        su_auto_free char *pretty = NULL;
        su_auto_free char *canonical_again = NULL;
        size_t canonical_size;
        size_t n;

        if (su_json_parse((const char *)data, size, &value, NULL) < 0)
                return 0;
        fuzz_check(su_json_canonical(value, &canonical, &canonical_size, NULL) >= 0);
        fuzz_check(su_json_pretty(value, &pretty, &n, NULL) >= 0);
        fuzz_check(su_json_compact(value, &compact, &n, NULL) >= 0);
        fuzz_check(su_json_parse(compact, n, &again, NULL) >= 0);
        fuzz_check(json_equal(value, again));
        fuzz_check(su_json_canonical(again, &canonical_again, &n, NULL) >= 0);
        fuzz_check(n == canonical_size && memcmp(canonical, canonical_again, n) == 0);
        return 0;
}
