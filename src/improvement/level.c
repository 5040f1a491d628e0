#include "improvement/level.h"

#include <string.h>

static bool is_letter(char c)
{
        return c >= 'a' && c <= 'z';
}

bool su_level_parse(const char *text, struct su_level *ret)
{
        size_t size = strlen(text);

        if (size == 0 || size >= SU_LEVEL_SIZE || !is_letter(text[0]) ||
            (size == 2 && !is_letter(text[1])))
                return false;
        *ret = (struct su_level){0};
        memcpy(ret->name, text, size);
        return true;
}

int su_level_from_json(const json_t *object, const char *name, struct su_level *ret,
                       struct su_error *err)
{
        struct su_level level = {0};
        const char *text;
        int r;

        r = su_json_find_string(object, name, &text, err);
        if (r < 0)
                return r;
        if (text && !su_level_parse(text, &level))
                return su_fail(err, SU_ERROR_FORMAT, "field '%s' is not a level", name);
        *ret = level;
        return 0;
}

int su_level_compare(const struct su_level *a, const struct su_level *b)
{
        size_t a_size = strlen(a->name);
        size_t b_size = strlen(b->name);

        if (a_size != b_size)
                return a_size < b_size ? -1 : 1;
        return strcmp(a->name, b->name);
}

bool su_level_next(const struct su_level *level, struct su_level *ret)
{
        size_t size = strlen(level->name);
        struct su_level next = *level;

        for (size_t i = size; i > 0; i--) {
                if (next.name[i - 1] != 'z') {
                        next.name[i - 1]++;
                        *ret = next;
                        return true;
                }
                next.name[i - 1] = 'a';
        }
        if (size + 1 >= SU_LEVEL_SIZE)
                return false;
        next.name[size] = 'a';
        next.name[size + 1] = '\0';
        *ret = next;
        return true;
}
