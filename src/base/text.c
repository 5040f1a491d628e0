#include "base/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int su_format(char **ret, struct su_error *err, const char *format, ...)
{
        char *text = NULL;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0)
                return su_fail_oom(err);
        *ret = text;
        return 0;
}

int su_strdup(const char *text, char **ret, struct su_error *err)
{
        char *copy = strdup(text);

        if (!copy)
                return su_fail_oom(err);
        *ret = copy;
        return 0;
}

void su_hex_encode(const void *data, size_t size, char *ret)
{
        static const char digits[] = "0123456789abcdef";
        const uint8_t *bytes = data;

        for (size_t i = 0; i < size; i++) {
                ret[2 * i] = digits[bytes[i] >> 4];
                ret[2 * i + 1] = digits[bytes[i] & 15];
        }
        ret[2 * size] = '\0';
}

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return -1;
}

bool su_hex_decode(const char *text, void *ret, size_t size)
{
        uint8_t *bytes = ret;

        if (strlen(text) != 2 * size)
                return false;
        for (size_t i = 0; i < size; i++) {
                int high = hex_digit(text[2 * i]);
                int low = hex_digit(text[2 * i + 1]);

                if (high < 0 || low < 0)
                        return false;
                bytes[i] = (uint8_t)(high << 4 | low);
        }
        return true;
}

int su_percent_encode(const char *text, const char *safe, char **ret, struct su_error *err)
{
        static const char digits[] = "0123456789ABCDEF";
        char *encoded = malloc(3 * strlen(text) + 1);
        char *out = encoded;

        if (!encoded)
                return su_fail_oom(err);
        for (const char *c = text; *c; c++) {
                uint8_t byte = (uint8_t)*c;

                if (byte < 0x80 && (isalnum(byte) || strchr("-._~", byte) || strchr(safe, byte))) {
                        *out++ = *c;
                        continue;
                }
                *out++ = '%';
                *out++ = digits[byte >> 4];
                *out++ = digits[byte & 15];
        }
        *out = '\0';
        *ret = encoded;
        return 0;
}

bool su_starts_with(const char *text, const char *prefix)
{
        return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool su_ends_with(const char *text, const char *suffix)
{
        size_t n = strlen(text);
        size_t m = strlen(suffix);

        return n >= m && memcmp(text + n - m, suffix, m) == 0;
}

static bool component_is_normal(const char *component, size_t size)
{
        if (size == 0 || size > 255)
                return false;
        if (component[0] == '.' && (size == 1 || (size == 2 && component[1] == '.')))
                return false;
        return true;
}

bool su_path_is_normal(const char *path)
{
        const char *component;

        if (path[0] != '/' || strlen(path) > 4095)
                return false;
        for (const char *c = path; *c; c++)
                if ((unsigned char)*c < 0x20 || *c == 0x7f)
                        return false;
        component = path + 1;
        for (;;) {
                size_t size = strcspn(component, "/");

                if (!component_is_normal(component, size))
                        return false;
                if (component[size] == '\0')
                        return true;
                component += size + 1;
        }
}

static bool is_alphanumeric(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool su_name_is_safe(const char *name)
{
        size_t size = strlen(name);

        if (size == 0 || size > 128 || !is_alphanumeric(name[0]))
                return false;
        for (size_t i = 1; i < size; i++)
                if (!is_alphanumeric(name[i]) && !strchr("._+~-", name[i]))
                        return false;
        return true;
}

const char *su_last_line(char *text)
{
        size_t size = strlen(text);
        char *newline;

        while (size > 0 && text[size - 1] == '\n')
                text[--size] = '\0';
        newline = strrchr(text, '\n');
        return newline ? newline + 1 : text;
}

bool su_language_is_valid(const char *text)
{
        const char *c = text + strspn(text, "abcdefghijklmnopqrstuvwxyz");

        if (strlen(text) >= SU_LANGUAGE_SIZE || c - text < 2 || c - text > 3)
                return false;
        if (*c == '_') {
                if (strspn(c + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2)
                        return false;
                c += 3;
        }
        if (*c == '@') {
                if (strspn(c + 1, "abcdefghijklmnopqrstuvwxyz") == 0)
                        return false;
                c += 1 + strspn(c + 1, "abcdefghijklmnopqrstuvwxyz");
        }
        return *c == '\0';
}
