/* A hostile delta over fixed sources. What it yields is what it declared, or it fails. */
#include <string.h>
#include <sys/stat.h>

#include "delta/apply/apply.h"
#include "fuzz.h"

#define FIRST "The quick brown fox jumps over the lazy dog, again and again and again.\n"
#define SECOND "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz\n"

static void check_target(int patch_fd, int target_fd)
{
        su_auto_delta_header struct su_delta_header header = {0};
        struct su_sha256 digest;
        struct stat st;

        fuzz_check(su_delta_header_read(patch_fd, &header, NULL) >= 0);
        fuzz_check(fstat(target_fd, &st) == 0 && (uint64_t)st.st_size == header.target_size);
        fuzz_check(su_sha256_of_fd(target_fd, "target", &digest, NULL, NULL) >= 0);
        fuzz_check(su_sha256_equal(&digest, &header.target));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char *const names[] = {"first", "second"};
        su_auto_close int first_fd = fuzz_memory_file(FIRST, strlen(FIRST));
        su_auto_close int second_fd = fuzz_memory_file(SECOND, strlen(SECOND));
        su_auto_close int patch_fd = fuzz_memory_file(data, size);
        const int sources[] = {first_fd, second_fd};

        for (size_t n_sources = 0; n_sources <= 2; n_sources++) {
                su_auto_close int target_fd = fuzz_memory_file("", 0);

                if (su_delta_apply(patch_fd, sources, names, n_sources, target_fd, NULL, NULL,
                                   NULL) >= 0)
                        check_target(patch_fd, target_fd);
        }
        return 0;
}
