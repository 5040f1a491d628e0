#include "transparency/lines.h"

#include <string.h>

#include "base/base64.h"

bool su_lines_next(struct su_lines *lines, struct su_slice *ret)
{
        const char *end = lines->left > 0 ? memchr(lines->text, '\n', lines->left) : NULL;
        size_t size;

        if (!end)
                return false;
        size = (size_t)(end - lines->text);
        *ret = (struct su_slice){.text = lines->text, .size = size};
        lines->text += size + 1;
        lines->left -= size + 1;
        return true;
}

bool su_slice_is(struct su_slice span, const char *text)
{
        return span.size == strlen(text) && memcmp(span.text, text, span.size) == 0;
}

bool su_slice_skip(struct su_slice *span, const char *prefix)
{
        size_t size = strlen(prefix);

        if (span->size < size || memcmp(span->text, prefix, size) != 0)
                return false;
        span->text += size;
        span->size -= size;
        return true;
}

bool su_slice_decimal(struct su_slice span, uint64_t max, uint64_t *ret)
{
        uint64_t value = 0;

        if (span.size == 0 || (span.text[0] == '0' && span.size > 1))
                return false;
        for (size_t i = 0; i < span.size; i++) {
                uint64_t digit = (uint64_t)(unsigned char)span.text[i] - '0';

                if (digit > 9 || value > max / 10 || digit > max - value * 10)
                        return false;
                value = value * 10 + digit;
        }
        *ret = value;
        return true;
}

bool su_slice_base64(struct su_slice span, void *ret, size_t size)
{
        size_t n;

        return su_base64_decode(span.text, span.size, ret, size, &n) && n == size;
}

/* How many bytes the character at `text` has, and its code; 0 when it is none (RFC 3629). */
static size_t read_character(const char *text, size_t left, uint32_t *ret_code)
{
        static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
        const unsigned char *bytes = (const unsigned char *)text;
        size_t size = bytes[0] < 0x80 ? 1 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
        uint32_t code = bytes[0] & (size == 1 ? 0x7fU : 0xffU >> (size + 1));

        if (bytes[0] > 0xf4 || (bytes[0] >= 0x80 && bytes[0] < 0xc2) || size > left)
                return 0;
        for (size_t i = 1; i < size; i++) {
                if ((bytes[i] & 0xc0) != 0x80)
                        return 0;
                code = code << 6 | (bytes[i] & 0x3f);
        }
        if (code < smallest[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
                return 0;
        *ret_code = code;
        return size;
}

bool su_text_is_note(const char *text, size_t size)
{
        for (size_t i = 0; i < size;) {
                uint32_t code;
                size_t n = read_character(text + i, size - i, &code);

                if (n == 0 || (code < 0x20 && code != '\n'))
                        return false;
                i += n;
        }
        return true;
}

/* Unicode's property White_Space, of characters from U+0020 on. */
static bool is_space(uint32_t code)
{
        return code == 0x20 || code == 0x85 || code == 0xa0 || code == 0x1680 ||
               (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 ||
               code == 0x202f || code == 0x205f || code == 0x3000;
}

bool su_text_is_key_name(const char *text, size_t size)
{
        if (size == 0)
                return false;
        for (size_t i = 0; i < size;) {
                uint32_t code;
                size_t n = read_character(text + i, size - i, &code);

                if (n == 0 || code < 0x20 || code == '+' || is_space(code))
                        return false;
                i += n;
        }
        return true;
}
