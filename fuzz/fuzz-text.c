/* The small parsers and cleaners of text. */
#include "base/printable.h"
#include "base/text.h"

#include <string.h>

#include "base/clock.h"
#include "fuzz.h"

static void check_time(const char *text)
{
        char again[SU_TIME_TEXT_SIZE];
        int64_t when;

        if (!su_time_parse(text, &when))
                return;
        su_time_format(when, again);
        fuzz_check(strcmp(text, again) == 0);
}

static void check_hex(const char *text)
{
        uint8_t bytes[32];
        char again[2 * sizeof bytes + 1];
        size_t size = strlen(text) / 2;

        if (size > sizeof bytes || !su_hex_decode(text, bytes, size))
                return;
        su_hex_encode(bytes, size, again);
        fuzz_check(strcmp(text, again) == 0);
}

static void check_names(const char *text)
{
        if (su_name_is_safe(text))
                fuzz_check(!strchr(text, '/') && strcmp(text, "..") != 0 && text[0] != '-');
        if (su_path_is_normal(text))
                fuzz_check(text[0] == '/' && !strstr(text, "//") && !strstr(text, "/../") &&
                           !su_ends_with(text, "/") && !su_ends_with(text, "/.."));
}

static void check_cleaning(char *text)
{
        su_auto_free char *twice = NULL;
        size_t size = strlen(text);

        su_make_printable(text);
        fuzz_check(strlen(text) == size);
        fuzz_check(su_strdup(text, &twice, NULL) >= 0);
        su_make_printable(twice);
        fuzz_check(strcmp(text, twice) == 0);
        su_make_printable_ascii(text);
        for (size_t i = 0; i < size; i++)
                fuzz_check(text[i] >= 0x20 && text[i] <= 0x7e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        su_auto_free char *text = fuzz_string(data, size);

        check_time(text);
        check_hex(text);
        check_names(text);
        check_cleaning(text);
        return 0;
}
