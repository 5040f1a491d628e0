#include "base/ini.h"

#include <string.h>

#define BLANKS " \t\r"

static char *strip(char *text)
{
        size_t size;

        text += strspn(text, BLANKS);
        size = strlen(text);
        while (size > 0 && strchr(BLANKS, text[size - 1]))
                text[--size] = '\0';
        return text;
}

static int read_section(char *text, struct su_ini_line *line, su_ini_visit visit, void *userdata,
                        struct su_error *err)
{
        size_t size = strlen(text);

        if (size < 3 || text[size - 1] != ']')
                return su_fail_line(err, line, "'%s' is no section", text);
        text[size - 1] = '\0';
        line->section = text + 1;
        line->key = line->value = NULL;
        return visit(userdata, line, err);
}

static int read_assignment(char *text, struct su_ini_line *line, su_ini_visit visit, void *userdata,
                           struct su_error *err)
{
        char *equals = strchr(text, '=');

        if (!equals || equals == text || !line->section)
                return su_fail_line(err, line, "neither a section nor KEY=VALUE: '%s'", text);
        *equals = '\0';
        line->key = strip(text);
        line->value = strip(equals + 1);
        return visit(userdata, line, err);
}

int su_ini_parse(const char *file, char *text, su_ini_visit visit, void *userdata,
                 struct su_error *err)
{
        struct su_ini_line line = {.file = file};

        while (text) {
                char *end = strchr(text, '\n');
                int r = 0;

                if (end)
                        *end = '\0';
                text = strip(text);
                line.number++;
                if (text[0] == '[')
                        r = read_section(text, &line, visit, userdata, err);
                else if (text[0] != '\0' && text[0] != '#' && text[0] != ';')
                        r = read_assignment(text, &line, visit, userdata, err);
                if (r < 0)
                        return r;
                text = end ? end + 1 : NULL;
        }
        return 0;
}
