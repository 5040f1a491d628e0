/* The files that a device reads for itself. The first byte chooses: state, history, suture.conf. */
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "device/config.h"
#include "device/history.h"
#include "device/state.h"
#include "fuzz.h"

static char scratch_path[] = "/tmp/suture-fuzz.XXXXXX";

static void remove_scratch(void)
{
        (void)su_remove_tree(AT_FDCWD, scratch_path, NULL);
}

/* One directory for all inputs: it is the state directory, and the root of a tree. */
static int scratch_fd(void)
{
        static int fd = -EBADF;
        su_auto_close int etc_fd = -EBADF;

        if (fd >= 0)
                return fd;
        fuzz_check(mkdtemp(scratch_path));
        fuzz_check(atexit(remove_scratch) == 0);
        fuzz_check(su_dir_open(scratch_path, &fd, NULL) >= 0);
        fuzz_check(su_dir_make(fd, "etc/suture", 0700, &etc_fd, NULL) >= 0);
        return fd;
}

static void put(int dir_fd, const char *name, const void *data, size_t size)
{
        su_auto_close int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        fuzz_check(fd >= 0);
        fuzz_check(su_write_all(fd, data, size, name, NULL) >= 0);
}

static void check_state(int dir_fd)
{
        su_auto_state struct su_state first = {0};
        su_auto_state struct su_state second = {0};

        if (su_state_load(dir_fd, &first, NULL) < 0)
                return;
        fuzz_check(su_state_save(dir_fd, &first, NULL) >= 0);
        fuzz_check(su_state_load(dir_fd, &second, NULL) >= 0);
        fuzz_check(first.active == second.active && first.transition == second.transition);
        fuzz_check(su_level_compare(&first.level, &second.level) == 0);
}

/* Whatever is in it, one more event can be appended and read. */
static void check_history(int dir_fd)
{
        su_auto_json json_t *before = NULL;
        su_auto_json json_t *after = NULL;

        fuzz_check(su_history_read(dir_fd, &before, NULL) >= 0);
        fuzz_check(su_history_append(dir_fd, json_pack("{s:i}", "n", 1), NULL) >= 0);
        fuzz_check(su_history_read(dir_fd, &after, NULL) >= 0);
        fuzz_check(json_array_size(after) == json_array_size(before) + 1);
}

static void check_config(int root_fd)
{
        su_auto_config struct su_config config = {0};

        if (su_config_load(root_fd, &config, NULL) >= 0)
                fuzz_check(config.trusted_root && config.trusted_root[0] == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        int fd = scratch_fd();

        if (size == 0)
                return 0;
        switch (data[0] % 3) {
        case 0:
                put(fd, "state.json", data + 1, size - 1);
                check_state(fd);
                break;
        case 1:
                put(fd, "history", data + 1, size - 1);
                check_history(fd);
                break;
        default:
                put(fd, "etc/suture/suture.conf", data + 1, size - 1);
                check_config(fd);
        }
        return 0;
}
