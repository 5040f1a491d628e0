#include "device/cmdline.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"

#define CMDLINE_SIZE_MAX 65536
#define KEY "suture.disable"

/* As systemd reads a truth value. */
static bool is_false(const char *value, size_t size)
{
        static const char *const words[] = {"0", "no", "n", "false", "f", "off"};

        for (size_t i = 0; i < SU_ELEMENTS(words); i++)
                if (strlen(words[i]) == size && strncmp(value, words[i], size) == 0)
                        return true;
        return false;
}

bool su_cmdline_disables(const char *text)
{
        const size_t key_size = strlen(KEY);
        bool disabled = false;

        while (*text) {
                size_t size = strcspn(text, " \t\n");

                if (size >= key_size && strncmp(text, KEY, key_size) == 0) {
                        if (size == key_size)
                                disabled = true;
                        else if (text[key_size] == '=')
                                disabled = !is_false(text + key_size + 1, size - key_size - 1);
                }
                text += size;
                text += strspn(text, " \t\n");
        }
        return disabled;
}

bool su_boot_is_disabled(int root_fd)
{
        su_auto_close int fd = -EBADF;
        su_auto_free char *text = NULL;

        if (su_open_in_root(root_fd, "/proc/cmdline", O_RDONLY, &fd, NULL) < 0 ||
            su_file_read_fd(fd, "/proc/cmdline", CMDLINE_SIZE_MAX, &text, NULL, NULL) < 0)
                return false;
        return su_cmdline_disables(text);
}
