#include "publish/debian/control.h"

#include <string.h>
#include <strings.h>

/* The length of the line at `text`, its newline not counted. */
static size_t line_size(const char *text, size_t size)
{
        const char *newline = memchr(text, '\n', size);

        return newline ? (size_t)(newline - text) : size;
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\r';
}

static bool is_empty(const char *line, size_t size)
{
        for (size_t i = 0; i < size; i++)
                if (!is_blank(line[i]))
                        return false;
        return true;
}

bool su_control_next(const char *text, size_t size, size_t *at, struct su_control *ret)
{
        size_t begin = *at;
        size_t end;
        size_t n = 0;

        while (begin < size && is_empty(text + begin, n = line_size(text + begin, size - begin)))
                begin += n + 1;
        if (begin >= size)
                return false;
        for (end = begin; end < size; end += n + 1) {
                n = line_size(text + end, size - end);
                if (is_empty(text + end, n))
                        break;
        }
        if (end > size)
                end = size;
        *ret = (struct su_control){.text = text + begin, .size = end - begin};
        *at = end;
        return true;
}

const char *su_control_field(const struct su_control *stanza, const char *name, size_t *ret_size)
{
        const size_t name_size = strlen(name);
        size_t n;

        for (size_t at = 0; at < stanza->size; at += n + 1) {
                const char *line = stanza->text + at;
                size_t begin = name_size + 1;

                n = line_size(line, stanza->size - at);
                if (n <= name_size || line[name_size] != ':' ||
                    strncasecmp(line, name, name_size) != 0)
                        continue;
                while (begin < n && is_blank(line[begin]))
                        begin++;
                *ret_size = n - begin;
                while (*ret_size > 0 && is_blank(line[begin + *ret_size - 1]))
                        (*ret_size)--;
                return line + begin;
        }
        return NULL;
}

bool su_control_is(const struct su_control *stanza, const char *name, const char *value)
{
        size_t size;
        const char *text = su_control_field(stanza, name, &size);

        return text && size == strlen(value) && memcmp(text, value, size) == 0;
}
