/* Run every file of a corpus through a fuzz target once: what libFuzzer found stays a test, with
 * any compiler.
 *
 *     replay-NAME CORPUS-DIRECTORY
 */
#include <fcntl.h>
#include <stdbool.h>

#include "base/file.h"
#include "fuzz.h"

#define FILE_SIZE_MAX (1024 * 1024)

static bool replay_file(int dir_fd, const char *name)
{
        su_auto_free char *data = NULL;
        struct su_error err = {0};
        size_t size;

        if (su_file_read(dir_fd, name, FILE_SIZE_MAX, &data, &size, &err) < 0) {
                (void)fprintf(stderr, "%s\n", err.message);
                return false;
        }
        (void)LLVMFuzzerTestOneInput((const uint8_t *)data, size);
        return true;
}

int main(int argc, char **argv)
{
        su_auto_closedir DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
        struct dirent *entry;
        int count = 0;

        if (!dir) {
                (void)fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
                return 2;
        }
        while ((entry = readdir(dir))) {
                if (entry->d_name[0] == '.')
                        continue;
                if (!replay_file(dirfd(dir), entry->d_name))
                        return 1;
                count++;
        }
        if (count == 0) {
                (void)fprintf(stderr, "%s: the corpus is empty\n", argv[1]);
                return 1;
        }
        (void)printf("%d inputs\n", count);
        return 0;
}
