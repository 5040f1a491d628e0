#include "layers/mountinfo.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

#define MOUNTINFO_SIZE_MAX (16 * 1024 * 1024)

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

static char *next_field(char **state)
{
        char *field = strtok_r(NULL, " ", state);

        if (field)
                unescape(field);
        return field;
}

/* One line, split in place: "36 35 98:0 /root /point options [optional...] - type source super". */
static bool split(char *text, struct su_mount *ret)
{
        char *state = NULL;
        const char *id = strtok_r(text, " ", &state);
        const char *parent = next_field(&state);
        const char *field;

        if (!id || !parent || sscanf(id, "%" SCNu64, &ret->id) != 1 ||
            sscanf(parent, "%" SCNu64, &ret->parent) != 1)
                return false;
        ret->device = next_field(&state);
        ret->root = next_field(&state);
        ret->path = next_field(&state);
        do
                field = strtok_r(NULL, " ", &state);
        while (field && strcmp(field, "-") != 0);
        ret->type = next_field(&state);
        ret->source = next_field(&state);
        return ret->path && ret->type && ret->source;
}

static int append(struct su_mount_table *table, const struct su_mount *mount, struct su_error *err)
{
        struct su_mount *larger =
                reallocarray(table->mounts, table->n_mounts + 1, sizeof *table->mounts);

        if (!larger)
                return su_fail_oom(err);
        table->mounts = larger;
        table->mounts[table->n_mounts++] = *mount;
        return 0;
}

static int read_table(int dir_fd, const char *name, struct su_mount_table *ret,
                      struct su_error *err)
{
        su_auto_mount_table struct su_mount_table table = {0};
        char *state = NULL;
        int r;

        r = su_file_read(dir_fd, name, MOUNTINFO_SIZE_MAX, &table.text, NULL, err);
        if (r < 0)
                return r;
        for (char *text = strtok_r(table.text, "\n", &state); text;
             text = strtok_r(NULL, "\n", &state)) {
                struct su_mount mount;

                if (!split(text, &mount))
                        continue;
                r = append(&table, &mount, err);
                if (r < 0)
                        return r;
        }
        *ret = table;
        table = (struct su_mount_table){0};
        return 0;
}

int su_mount_table_read(int process_fd, struct su_mount_table *ret, struct su_error *err)
{
        return read_table(process_fd, "mountinfo", ret, err);
}

int su_mount_table_read_self(struct su_mount_table *ret, struct su_error *err)
{
        return read_table(AT_FDCWD, "/proc/self/mountinfo", ret, err);
}

void su_mount_table_done(struct su_mount_table *table)
{
        free(table->mounts);
        free(table->text);
        *table = (struct su_mount_table){0};
}

const struct su_mount *su_mount_find(const struct su_mount_table *table, uint64_t id)
{
        for (size_t i = 0; i < table->n_mounts; i++)
                if (table->mounts[i].id == id)
                        return &table->mounts[i];
        return NULL;
}

int su_mount_of_path(const struct su_mount_table *table, const char *path,
                     const struct su_mount **ret, struct su_error *err)
{
        struct statx stx;

        if (statx(AT_FDCWD, path, 0, STATX_MNT_ID, &stx) < 0)
                return su_fail_errno(err, errno, "cannot look at '%s'", path);
        *ret = su_mount_find(table, stx.stx_mnt_id);
        return 0;
}

bool su_path_is_below(const char *path, const char *below)
{
        size_t size = strlen(below);

        if (size > 0 && below[size - 1] == '/')
                size--;
        return strncmp(path, below, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

bool su_mount_is_below(const struct su_mount_table *table, const struct su_mount *mount,
                       uint64_t ancestor)
{
        for (size_t i = 0; mount && i < table->n_mounts; i++) {
                if (mount->parent == ancestor)
                        return true;
                mount = su_mount_find(table, mount->parent);
        }
        return false;
}
