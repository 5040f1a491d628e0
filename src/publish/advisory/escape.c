#include "publish/advisory/escape.h"

#include <string.h>

#include "base/printable.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

int su_pad_open(struct su_pad *pad, struct su_error *err)
{
        *pad = (struct su_pad){0};
        pad->out = open_memstream(&pad->text, &pad->size);
        return pad->out ? 0 : su_fail_oom(err);
}

int su_pad_take(struct su_pad *pad, char **ret_text, size_t *ret_size, struct su_error *err)
{
        const bool failed = ferror(pad->out) != 0;
        const int closed = fclose(pad->out);

        pad->out = NULL;
        if (failed || closed != 0)
                return su_fail_oom(err);
        *ret_size = pad->size;
        *ret_text = su_take(pad->text);
        return 0;
}

void su_pad_done(struct su_pad *pad)
{
        su_fclose_p(&pad->out);
        free(pad->text);
        *pad = (struct su_pad){0};
}

/* The bytes of the character at `text` when it can be shown as it is, else 0. Not: marks and
 * overrides of direction (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069), other
 * invisible ones (U+200B, U+2028, U+2029, U+2060 to U+2065, U+206A to U+206F, U+FEFF), and U+FFFE
 * and U+FFFF, which are no characters of XML. The joiners between them (U+200C, U+200D) belong to
 * the scripts that need them. */
static size_t visible_size(const char *text)
{
        const unsigned char *bytes = (const unsigned char *)text;
        const size_t size = su_printable_size(text);

        if (size == 2 && bytes[0] == 0xd8 && bytes[1] == 0x9c)
                return 0;
        if (size != 3)
                return size;
        if (bytes[0] == 0xe2 && bytes[1] == 0x80 &&
            (bytes[2] == 0x8b || bytes[2] == 0x8e || bytes[2] == 0x8f ||
             (bytes[2] >= 0xa8 && bytes[2] <= 0xae)))
                return 0;
        if (bytes[0] == 0xe2 && bytes[1] == 0x81 && bytes[2] >= 0xa0 && bytes[2] <= 0xaf)
                return 0;
        if (bytes[0] == 0xef &&
            ((bytes[1] == 0xbb && bytes[2] == 0xbf) || (bytes[1] == 0xbf && bytes[2] >= 0xbe)))
                return 0;
        return size;
}

typedef void (*put_character)(FILE *out, const char *text, size_t size);

static void put_all(FILE *out, const char *text, put_character put)
{
        while (*text) {
                const size_t size = visible_size(text);

                if (size > 0)
                        put(out, text, size);
                else if (strchr("\t\n\r", *text))
                        put(out, " ", 1);
                else
                        put(out, REPLACEMENT, strlen(REPLACEMENT));
                text += size > 0 ? size : 1;
                while (size == 0 && ((unsigned char)*text & 0xc0) == 0x80)
                        text++; /* the rest of it */
        }
}

static void put_plain(FILE *out, const char *text, size_t size)
{
        (void)fwrite(text, 1, size, out);
}

static void put_escaped(FILE *out, const char *text, size_t size)
{
        switch (*text) {
        case '&':
                (void)fputs("&amp;", out);
                break;
        case '<':
                (void)fputs("&lt;", out);
                break;
        case '>':
                (void)fputs("&gt;", out);
                break;
        case '"':
                (void)fputs("&quot;", out);
                break;
        case '\'':
                (void)fputs("&#39;", out);
                break;
        default:
                put_plain(out, text, size);
        }
}

/* Any ASCII punctuation may have a backslash in front; these have a meaning without. */
static void put_markdown(FILE *out, const char *text, size_t size)
{
        if (strchr("\\`*_{}[]<>()#!|&~", *text))
                (void)fputc('\\', out);
        put_plain(out, text, size);
}

void su_put_escaped(FILE *out, const char *text)
{
        put_all(out, text, put_escaped);
}

void su_put_markdown(FILE *out, const char *text)
{
        put_all(out, text, put_markdown);
}

int su_plain_text(const char *text, char **ret, struct su_error *err)
{
        su_auto_pad struct su_pad pad = {0};
        size_t size;
        int r;

        r = su_pad_open(&pad, err);
        if (r < 0)
                return r;
        put_all(pad.out, text, put_plain);
        return su_pad_take(&pad, ret, &size, err);
}

json_t *su_plain_string(const char *text)
{
        su_auto_free char *plain = NULL;

        return su_plain_text(text, &plain, NULL) < 0 ? NULL : json_string(plain);
}

int su_set_plain(json_t *object, const char *name, const char *text)
{
        return text ? json_object_set_new(object, name, su_plain_string(text)) : 0;
}
