/* What an object store answers: a page of a list, and a refusal. What was read is bounded and
 * printable. */
#include "fuzz.h"

#include <string.h>

#include "base/printable.h"
#include "publish/upload/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        su_auto_s3_page struct su_s3_page page = {0};
        struct su_s3_refusal refusal;

        if (su_s3_page_parse((const char *)data, size, &page, NULL) >= 0)
                for (size_t i = 0; i < page.n; i++)
                        fuzz_check(strlen(page.objects[i].key) <= SU_S3_KEY_MAX &&
                                   su_is_printable_ascii(page.objects[i].key));
        su_s3_refusal_parse((const char *)data, size, &refusal);
        fuzz_check(su_is_printable_ascii(refusal.code) || refusal.code[0] == '\0');
        fuzz_check(su_is_printable_ascii(refusal.message) || refusal.message[0] == '\0');
        return 0;
}
