#include "base/printable.h"

#include <stdint.h>

static bool is_printable_ascii(char c)
{
        return c >= 0x20 && c <= 0x7e;
}

bool su_is_printable_ascii(const char *text)
{
        while (is_printable_ascii(*text))
                text++;
        return *text == '\0';
}

void su_make_printable_ascii(char *text)
{
        for (char *c = text; *c; c++)
                if (!is_printable_ascii(*c))
                        *c = '?';
}

size_t su_printable_size(const char *text)
{
        const unsigned char *bytes = (const unsigned char *)text;
        size_t size = bytes[0] < 0x80 ? 1 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
        uint32_t code = bytes[0] & (size == 1 ? 0x7fU : 0xffU >> (size + 1));
        static const uint32_t smallest[] = {0x20, 0xa0, 0x800, 0x10000};

        if (bytes[0] > 0xf4 || (bytes[0] >= 0x80 && bytes[0] < 0xc2))
                return 0;
        for (size_t i = 1; i < size; i++) {
                if ((bytes[i] & 0xc0) != 0x80)
                        return 0;
                code = code << 6 | (bytes[i] & 0x3f);
        }
        if (code < smallest[size - 1] || code == 0x7f || code > 0x10ffff ||
            (code >= 0xd800 && code <= 0xdfff))
                return 0;
        return size;
}

bool su_is_printable(const char *text)
{
        while (*text) {
                size_t size = su_printable_size(text);

                if (size == 0)
                        return false;
                text += size;
        }
        return true;
}

void su_make_printable(char *text)
{
        while (*text) {
                size_t size = su_printable_size(text);

                if (size == 0) {
                        *text = '?';
                        size = 1;
                }
                text += size;
        }
}
