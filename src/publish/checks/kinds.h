/* The checks by name: what a publisher overrides, and what a manifest tells. */
#pragma once

#include <stdbool.h>

/*        code     name        what it asks */
#define SU_CHECK_TABLE(X)                                                                          \
        X(BASELINE, "baseline", "does every file that is replaced belong to the baseline?")        \
        X(PATH, "path", "may an improvement touch this place?")                                    \
        X(RIGHTS, "rights", "does nothing become setuid, or get a capability?")                    \
        X(VERSION, "version", "does no SONAME change, and no symbol version go away?")             \
        X(DATE, "date", "is the fixed file no older than the baseline's?")                         \
        X(ABI, "abi", "does a library still have all that it exported?")                           \
        X(NEEDS, "needs", "has the baseline, or the fix, all that the file is linked with?")       \
        X(GLIBC, "glibc", "do the parts of the C library come together?")                          \
        X(HWCAPS, "hwcaps", "do the builds for newer processors come, too?")                       \
        X(PYTHON, "python", "does a Python module bring its cache?")                               \
        X(SIZE, "size", "has the file a size that can be right?")

enum su_check {
#define SU_CHECK_ENUM(code, name, question) SU_CHECK_##code,
        SU_CHECK_TABLE(SU_CHECK_ENUM)
#undef SU_CHECK_ENUM
};

const char *su_check_name(enum su_check check);
bool su_check_find(const char *name, enum su_check *ret);
