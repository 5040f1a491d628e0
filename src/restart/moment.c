#include "restart/moment.h"

#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"

int su_moment_now(struct su_moment *ret, struct su_error *err)
{
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &text, &size, err);
        if (r < 0)
                return r;
        text[strcspn(text, "\n")] = '\0';
        if (strlen(text) != SU_BOOT_ID_SIZE - 1)
                return su_fail(err, SU_ERROR_SYSTEM, "the kernel's boot id is malformed");
        memcpy(ret->boot_id, text, SU_BOOT_ID_SIZE);
        ret->monotonic_us = su_monotonic_us();
        return 0;
}

bool su_moment_is_after(const struct su_moment *moment, const struct su_moment *now,
                        uint64_t monotonic_us)
{
        return strcmp(moment->boot_id, now->boot_id) == 0 && monotonic_us < moment->monotonic_us;
}
