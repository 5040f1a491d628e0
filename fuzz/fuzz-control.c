/* Indexes of packages: stanzas lie in the text, in their order, and fields in their stanzas. */
#include "publish/debian/control.h"

#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = (const char *)data;
        const char *behind = text;
        struct su_control stanza;
        size_t at = 0;

        while (su_control_next(text, size, &at, &stanza)) {
                const char *value;
                size_t n = 0;

                fuzz_check(at <= size && stanza.size > 0);
                fuzz_check(stanza.text >= behind && stanza.text + stanza.size <= text + size);
                value = su_control_field(&stanza, "Version", &n);
                if (value)
                        fuzz_check(value >= stanza.text && value + n <= stanza.text + stanza.size &&
                                   !memchr(value, '\n', n));
                (void)su_control_is(&stanza, "Package", "x");
                behind = stanza.text + stanza.size;
        }
        return 0;
}
