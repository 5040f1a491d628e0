#include "delta/apply/space.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "delta/apply/format.h"

static int measure(const int *fds, const char *const *names, struct su_space *space,
                   struct su_error *err)
{
        uint64_t bytes = 0;

        for (size_t i = 0; i < space->n; i++) {
                struct stat st;

                if (fstat(fds[i], &st) < 0)
                        return su_fail_errno(err, errno, "cannot look at '%s'", names[i]);
                if (!S_ISREG(st.st_mode))
                        return su_fail(err, SU_ERROR_USAGE, "'%s' is no regular file", names[i]);
                if ((uint64_t)st.st_size > SU_DELTA_SOURCE_BYTES_MAX - bytes)
                        return su_fail(err, SU_ERROR_TOO_LARGE,
                                       "the sources are too large for one delta");
                bytes += (uint64_t)st.st_size;
                space->offsets[i] = space->size;
                space->sizes[i] = (uint64_t)st.st_size;
                space->size += (space->sizes[i] + SU_DELTA_SPACE_ALIGNMENT - 1) /
                               SU_DELTA_SPACE_ALIGNMENT * SU_DELTA_SPACE_ALIGNMENT;
        }
        return 0;
}

int su_space_map(const int *fds, const char *const *names, size_t n, struct su_space *ret,
                 struct su_error *err)
{
        su_auto_space struct su_space space = {.n = n};
        void *data;
        int r;

        if (n > SU_DELTA_SOURCES_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "too many sources for one delta");
        space.offsets = calloc(n + 1, sizeof *space.offsets);
        space.sizes = calloc(n + 1, sizeof *space.sizes);
        if (!space.offsets || !space.sizes)
                return su_fail_oom(err);
        r = measure(fds, names, &space, err);
        if (r < 0)
                return r;
        /* A page behind them: eight bytes may be read anywhere. */
        data = mmap(NULL, space.size + SU_DELTA_SPACE_ALIGNMENT, PROT_READ,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (data == MAP_FAILED)
                return su_fail_oom(err);
        space.data = data;
        for (size_t i = 0; i < n; i++)
                if (space.sizes[i] > 0 &&
                    mmap(space.data + space.offsets[i], space.sizes[i], PROT_READ,
                         MAP_PRIVATE | MAP_FIXED, fds[i], 0) == MAP_FAILED)
                        return su_fail_errno(err, errno, "cannot map '%s'", names[i]);
        *ret = space;
        space = (struct su_space){0};
        return 0;
}

void su_space_done(struct su_space *space)
{
        if (space->data)
                (void)munmap(space->data, space->size + SU_DELTA_SPACE_ALIGNMENT);
        free(space->offsets);
        free(space->sizes);
        *space = (struct su_space){0};
}
