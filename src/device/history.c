#include "device/history.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "device/state.h"

#define HISTORY_SIZE_MAX (16 * 1024 * 1024) /* what is read: the newest part */

int su_history_append(int state_fd, json_t *event, struct su_error *err)
{
        su_auto_json json_t *owned = event;
        su_auto_close int fd = -EBADF;
        su_auto_free char *text = NULL;
        su_auto_free char *line = NULL;
        size_t size;
        int r;

        if (!owned)
                return su_fail_oom(err);
        r = su_json_compact(owned, &text, &size, err);
        if (r >= 0)
                /* The newline comes first as well: it ends a line that a power cut tore. */
                r = su_format(&line, err, "\n%s\n", text);
        if (r < 0)
                return r;
        fd = openat(state_fd, "history", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0)
                return su_fail_errno(err, errno, "cannot open %s/history", SU_STATE_PATH);
        r = su_write_all(fd, line, strlen(line), "history", err);
        if (r < 0)
                return r;
        if (fsync(fd) < 0)
                return su_fail_errno(err, errno, "cannot sync %s/history", SU_STATE_PATH);
        return 0;
}

/* Of a longer history the oldest lines are left out. `ret_text` is NULL where there is none. */
static int read_newest(int state_fd, char **ret_text, size_t *ret_size, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        su_auto_free char *text = NULL;
        struct stat st;
        uint64_t begin;
        size_t size;
        int r;

        if (state_fd >= 0)
                fd = openat(state_fd, "history", O_RDONLY | O_CLOEXEC);
        if (fd < 0 && (state_fd < 0 || errno == ENOENT))
                return 0;
        if (fd < 0 || fstat(fd, &st) < 0)
                return su_fail_errno(err, errno, "cannot open %s/history", SU_STATE_PATH);
        begin = st.st_size > HISTORY_SIZE_MAX ? (uint64_t)st.st_size - HISTORY_SIZE_MAX : 0;
        size = (size_t)((uint64_t)st.st_size - begin);
        text = malloc(size + 1);
        if (!text)
                return su_fail_oom(err);
        r = su_read_at(fd, text, size, begin, "history", ret_size, err);
        if (r < 0)
                return r;
        text[*ret_size] = '\0';
        *ret_text = su_take(text);
        return 0;
}

int su_history_read(int state_fd, json_t **ret_array, struct su_error *err)
{
        su_auto_json json_t *events = json_array();
        su_auto_free char *text = NULL;
        char *state = NULL;
        size_t size = 0;
        int r;

        if (!events)
                return su_fail_oom(err);
        r = read_newest(state_fd, &text, &size, err);
        if (r < 0)
                return r;
        /* A power cut may leave zeros where a line was to be: they end it, not the history. */
        for (size_t i = 0; i < size; i++)
                if (text[i] == '\0')
                        text[i] = '\n';
        for (char *line = text ? strtok_r(text, "\n", &state) : NULL; line;
             line = strtok_r(NULL, "\n", &state)) {
                json_t *event;

                if (su_json_parse(line, strlen(line), &event, NULL) < 0)
                        continue;
                if (json_array_append_new(events, event) < 0)
                        return su_fail_oom(err);
        }
        *ret_array = su_take(events);
        return 0;
}
