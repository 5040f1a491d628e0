#include "trust/cache.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

#define SMALL_FILE_MAX 1024

/* The floor is raised in steps: a device that checks every minute need not write as often. */
#define FLOOR_STEP_S 3600

static int file_name(const char *role, char **ret, struct su_error *err)
{
        su_auto_free char *encoded = NULL;
        int r;

        r = su_percent_encode(role, "", &encoded, err);
        if (r < 0)
                return r;
        if (strlen(encoded) + strlen(".json.tmp") > NAME_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "role name '%s' is too long to be stored",
                               role);
        return su_format(ret, err, "%s.json", encoded);
}

int su_cache_read(int dir_fd, const char *role, size_t max, char **ret, size_t *ret_size,
                  struct su_error *err)
{
        su_auto_free char *name = NULL;
        int r;

        r = file_name(role, &name, err);
        return r < 0 ? r : su_file_read(dir_fd, name, max, ret, ret_size, err);
}

int su_cache_write(int dir_fd, const char *role, const char *text, size_t size,
                   struct su_error *err)
{
        su_auto_free char *name = NULL;
        int r;

        r = file_name(role, &name, err);
        return r < 0 ? r : su_file_write(dir_fd, name, text, size, 0644, err);
}

static int drop(int dir_fd, const char *name, struct su_error *err)
{
        if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
                return su_fail_errno(err, errno, "cannot remove '%s'", name);
        return 0;
}

static int drop_what_old_keys_signed(int dir_fd, struct su_error *err)
{
        int r;

        r = drop(dir_fd, "timestamp.etag", err);
        if (r >= 0)
                r = drop(dir_fd, "timestamp.json", err);
        if (r >= 0)
                r = drop(dir_fd, "snapshot.json", err);
        if (r >= 0) /* they may have raised it, too */
                r = drop(dir_fd, "time-floor", err);
        if (r >= 0)
                r = su_sync_parent(dir_fd, "recovery", err);
        if (r >= 0)
                r = drop(dir_fd, "recovery", err);
        return r;
}

static int write_number(int dir_fd, const char *name, int64_t number, struct su_error *err)
{
        su_auto_free char *text = NULL;
        int r;

        r = su_format(&text, err, "%lld\n", (long long)number);
        return r < 0 ? r : su_file_write(dir_fd, name, text, strlen(text), 0644, err);
}

/* 0 when there is no such file, or no number in it. */
static int64_t read_number(int dir_fd, const char *name)
{
        su_auto_free char *text = NULL;
        long long number;
        char *end;
        size_t size;

        if (su_file_read(dir_fd, name, SMALL_FILE_MAX, &text, &size, NULL) < 0)
                return 0;
        errno = 0;
        number = strtoll(text, &end, 10);
        return errno != 0 || end == text || *end != '\n' || number < 0 ? 0 : number;
}

int su_cache_write_root_with_recovery(int dir_fd, const char *text, size_t size, int64_t version,
                                      struct su_error *err)
{
        int r;

        r = write_number(dir_fd, "recovery", version, err);
        if (r >= 0)
                r = su_cache_write(dir_fd, su_role_name(SU_ROLE_ROOT), text, size, err);
        if (r >= 0)
                r = drop_what_old_keys_signed(dir_fd, err);
        return r;
}

int su_cache_settle(int dir_fd, int64_t version, struct su_error *err)
{
        int64_t begun = read_number(dir_fd, "recovery");

        if (begun > 0 && begun <= version)
                return drop_what_old_keys_signed(dir_fd, err);
        if (faccessat(dir_fd, "recovery", F_OK, 0) < 0)
                return 0;
        return drop(dir_fd, "recovery", err);
}

int64_t su_cache_time_floor(int dir_fd)
{
        return read_number(dir_fd, "time-floor");
}

int su_cache_raise_time_floor(int dir_fd, int64_t now, struct su_error *err)
{
        if (now < su_cache_time_floor(dir_fd) + FLOOR_STEP_S)
                return 0;
        return write_number(dir_fd, "time-floor", now, err);
}

int su_cache_etag(int dir_fd, char **ret, struct su_error *err)
{
        char *etag = NULL;
        size_t size;
        int r;

        r = su_file_read(dir_fd, "timestamp.etag", SMALL_FILE_MAX, &etag, &size, err);
        if (r < 0 && r != -ENOENT)
                return r;
        *ret = etag;
        return 0;
}

int su_cache_set_etag(int dir_fd, const char *etag, struct su_error *err)
{
        if (!etag || strlen(etag) >= SMALL_FILE_MAX)
                return drop(dir_fd, "timestamp.etag", err);
        return su_file_write(dir_fd, "timestamp.etag", etag, strlen(etag), 0644, err);
}
