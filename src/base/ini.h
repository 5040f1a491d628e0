/* Files of sections and KEY=VALUE lines, as systemd's: '#' and ';' begin comments, blanks around
 * are dropped, a key may come again. */
#pragma once

#include "base/error.h"

struct su_ini_line {
        const char *file; /* for messages */
        unsigned number;
        const char *section;
        const char *key;   /* NULL: the section begins here */
        const char *value; /* without blanks around it; may be "" */
};

/* Refuse the line with `return su_fail_line(err, line, "...")`. */
typedef int (*su_ini_visit)(void *userdata, const struct su_ini_line *line, struct su_error *err);

/* CONFIG, naming file and line, when it is malformed. `text` is changed. */
int su_ini_parse(const char *file, char *text, su_ini_visit visit, void *userdata,
                 struct su_error *err);

#define su_fail_line(err, line, format, ...)                                                       \
        su_fail((err), SU_ERROR_CONFIG, "%s:%u: " format, (line)->file,                            \
                (line)->number __VA_OPT__(, ) __VA_ARGS__)
