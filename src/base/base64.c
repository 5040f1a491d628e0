#include "base/base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void su_base64_encode(const void *data, size_t size, char *ret)
{
        const uint8_t *bytes = data;

        for (size_t i = 0; i < size; i += 3) {
                size_t n = size - i < 3 ? size - i : 3;
                uint32_t group = (uint32_t)bytes[i] << 16;

                if (n > 1)
                        group |= (uint32_t)bytes[i + 1] << 8;
                if (n > 2)
                        group |= bytes[i + 2];
                *ret++ = alphabet[group >> 18];
                *ret++ = alphabet[group >> 12 & 63];
                *ret++ = n > 1 ? alphabet[group >> 6 & 63] : '=';
                *ret++ = n > 2 ? alphabet[group & 63] : '=';
        }
        *ret = '\0';
}

/* 0 to 63, or 64 for what is no digit. */
static uint32_t digit(char c)
{
        if (c >= 'A' && c <= 'Z')
                return (uint32_t)(c - 'A');
        if (c >= 'a' && c <= 'z')
                return (uint32_t)(c - 'a') + 26;
        if (c >= '0' && c <= '9')
                return (uint32_t)(c - '0') + 52;
        if (c == '+')
                return 62;
        return c == '/' ? 63 : 64;
}

/* Four characters, of which the last `padding` are '='. */
static bool decode_group(const char *text, size_t padding, uint32_t *ret)
{
        uint32_t group = 0;

        for (size_t i = 0; i < 4; i++) {
                uint32_t value = i < 4 - padding ? digit(text[i]) : 0;

                if (value > 63)
                        return false;
                group = group << 6 | value;
        }
        *ret = group;
        return (group & ((1U << 8 * padding) - 1)) == 0;
}

bool su_base64_decode(const char *text, size_t length, void *ret, size_t max, size_t *ret_size)
{
        uint8_t *bytes = ret;
        size_t padding = 0;
        size_t size;

        if (length % 4 != 0)
                return false;
        while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
                padding++;
        size = length / 4 * 3 - padding;
        if (size > max)
                return false;
        for (size_t i = 0, filled = 0; i < length; i += 4) {
                uint32_t group;

                if (!decode_group(text + i, i + 4 == length ? padding : 0, &group))
                        return false;
                for (unsigned shift = 16; shift <= 16 && filled < size; shift -= 8)
                        bytes[filled++] = (uint8_t)(group >> shift);
        }
        *ret_size = size;
        return true;
}
