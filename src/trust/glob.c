#include "trust/glob.h"

#include <stddef.h>
#include <stdint.h>

/* One character of UTF-8, or one byte where it is none. */
static uint32_t next_character(const char **text)
{
        const unsigned char *bytes = (const unsigned char *)*text;
        unsigned more = bytes[0] >= 0xf0 ? 3 : bytes[0] >= 0xe0 ? 2 : bytes[0] >= 0xc0 ? 1 : 0;
        uint32_t character = more ? bytes[0] & (0x3fU >> more) : bytes[0];

        for (unsigned i = 1; i <= more; i++) {
                if ((bytes[i] & 0xc0) != 0x80) {
                        (*text)++;
                        return bytes[0];
                }
                character = character << 6 | (bytes[i] & 0x3f);
        }
        *text += more + 1;
        return character;
}

/* The set that begins after '[', if it ends at all: whether it has the character. */
static bool match_set(const char **pattern, uint32_t character, bool *ret)
{
        const char *p = *pattern;
        bool negated = *p == '!';
        bool found = false;

        if (negated)
                p++;
        for (bool first = true; first || *p != ']'; first = false) {
                uint32_t low;
                uint32_t high;

                if (*p == '\0')
                        return false;
                low = high = next_character(&p);
                if (p[0] == '-' && p[1] != ']' && p[1] != '\0') {
                        p++;
                        high = next_character(&p);
                }
                found = found || (low <= character && character <= high);
        }
        *pattern = p + 1;
        *ret = found != negated;
        return true;
}

/* Match one character of both and go on; the pattern is not at a '*'. */
static bool match_one(const char **pattern, const char **text)
{
        const char *p = *pattern;
        const char *t = *text;
        uint32_t wanted;
        uint32_t character;
        bool matches;

        if (*p == '\0' || *t == '\0')
                return false;
        character = next_character(&t);
        wanted = next_character(&p);
        if (wanted == '?')
                matches = character != '/';
        else if (wanted != '[' || !match_set(&p, character, &matches))
                matches = wanted == character;
        else
                matches = matches && character != '/';
        if (matches) {
                *pattern = p;
                *text = t;
        }
        return matches;
}

bool su_glob_match(const char *pattern, const char *text)
{
        const char *star = NULL;  /* the pattern after the last '*' */
        const char *taken = NULL; /* the text that it has not taken yet */

        while (*text != '\0' || *pattern != '\0') {
                if (*pattern == '*') {
                        star = ++pattern;
                        taken = text;
                        continue;
                }
                if (match_one(&pattern, &text))
                        continue;
                if (!star || *taken == '\0' || *taken == '/')
                        return false;
                (void)next_character(&taken); /* let it take one more */
                text = taken;
                pattern = star;
        }
        return true;
}
