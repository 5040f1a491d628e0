#include "device/mountinfo.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"

#define MOUNTINFO_SIZE_MAX (16 * 1024 * 1024)

/* One line, split in place: "36 35 98:0 /root /point options [optional...] - type source super". */
struct line {
        uint64_t id;
        char *path;
        char *type;
        char *source;
};

/* Octal escapes stand for blanks, tabs, newlines and backslashes. */
static void unescape(char *text)
{
        char *to = text;

        for (char *from = text; *from; to++) {
                unsigned value;

                if (from[0] == '\\' && sscanf(from + 1, "%3o", &value) == 1) {
                        *to = (char)value;
                        from += 4;
                } else {
                        *to = *from++;
                }
        }
        *to = '\0';
}

static bool split(char *text, struct line *ret)
{
        char *state = NULL;
        char *field = strtok_r(text, " ", &state);

        if (!field || sscanf(field, "%" SCNu64, &ret->id) != 1)
                return false;
        for (int i = 0; i < 3; i++)
                (void)strtok_r(NULL, " ", &state);
        ret->path = strtok_r(NULL, " ", &state);
        do
                field = strtok_r(NULL, " ", &state);
        while (field && strcmp(field, "-") != 0);
        ret->type = strtok_r(NULL, " ", &state);
        ret->source = strtok_r(NULL, " ", &state);
        if (!ret->path || !ret->type || !ret->source)
                return false;
        unescape(ret->path);
        unescape(ret->source);
        return true;
}

static int read_table(char **ret, struct su_error *err)
{
        return su_file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_SIZE_MAX, ret, NULL, err);
}

static int copy_line(const struct line *line, struct su_mount *ret, struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *type = NULL;
        su_auto_free char *source = NULL;
        int r;

        r = su_strdup(line->path, &path, err);
        if (r >= 0)
                r = su_strdup(line->type, &type, err);
        if (r >= 0)
                r = su_strdup(line->source, &source, err);
        if (r < 0)
                return r;
        *ret = (struct su_mount){su_take(path), su_take(type), su_take(source)};
        return 0;
}

int su_mount_of_path(const char *path, struct su_mount *ret, struct su_error *err)
{
        su_auto_free char *table = NULL;
        char *state = NULL;
        struct statx stx;
        int r;

        if (statx(AT_FDCWD, path, 0, STATX_MNT_ID, &stx) < 0)
                return su_fail_errno(err, errno, "cannot look at '%s'", path);
        r = read_table(&table, err);
        if (r < 0)
                return r;
        for (char *text = strtok_r(table, "\n", &state); text;
             text = strtok_r(NULL, "\n", &state)) {
                struct line line;

                if (split(text, &line) && line.id == stx.stx_mnt_id)
                        return copy_line(&line, ret, err);
        }
        return su_fail(err, SU_ERROR_SYSTEM, "'%s' is on no mount of this namespace", path);
}

void su_mount_done(struct su_mount *mount)
{
        free(mount->path);
        free(mount->type);
        free(mount->source);
        *mount = (struct su_mount){0};
}

int su_mount_find_below(const char *path, char **ret, struct su_error *err)
{
        su_auto_free char *table = NULL;
        su_auto_free char *found = NULL;
        size_t size = strlen(path);
        char *state = NULL;
        int r;

        r = read_table(&table, err);
        if (r < 0)
                return r;
        for (char *text = strtok_r(table, "\n", &state); text && !found;
             text = strtok_r(NULL, "\n", &state)) {
                struct line line;

                if (!split(text, &line) || strncmp(line.path, path, size) != 0 ||
                    line.path[size] != '/')
                        continue;
                r = su_strdup(line.path, &found, err);
                if (r < 0)
                        return r;
        }
        *ret = su_take(found);
        return 0;
}
