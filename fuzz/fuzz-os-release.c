#include <string.h>

#include "fuzz.h"
#include "inventory/os.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char *const names[] = {"ID", "VERSION_ID", "IMAGE_VERSION", "BUILD_ID",
                                            "PRETTY_NAME"};
        su_auto_free char *text = fuzz_string(data, size);

        for (size_t i = 0; i < SU_ELEMENTS(names); i++) {
                su_auto_free char *value = NULL;

                fuzz_check(su_os_release_value(text, names[i], &value, NULL) >= 0);
                if (value)
                        fuzz_check(strlen(value) < strlen(text) && !strchr(value, '\n'));
        }
        return 0;
}
