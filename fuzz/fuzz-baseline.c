/* Whatever is accepted is written in a form that is accepted again, and is then the same. */
#include <string.h>

#include "fuzz.h"
#include "improvement/baseline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        su_auto_baseline struct su_baseline first = {0};
        su_auto_baseline struct su_baseline second = {0};
        su_auto_free char *text = NULL;
        su_auto_free char *again = NULL;
        size_t n;

        if (su_baseline_parse((const char *)data, size, &first, NULL) < 0)
                return 0;
        fuzz_check(su_baseline_write(&first, &text, &n, NULL) >= 0);
        fuzz_check(su_baseline_parse(text, n, &second, NULL) >= 0);
        fuzz_check(su_baseline_write(&second, &again, &n, NULL) >= 0);
        fuzz_check(strcmp(text, again) == 0);
        return 0;
}
