/* What identifies a regular file of an OS tree. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "crypto/sha256.h"
#include "inventory/build_id.h"

struct su_file_facts {
        uint64_t size;
        struct su_sha256 sha256;
        struct su_build_id build_id; /* size 0: not an ELF file, or one without */
};

int su_file_facts_read(int fd, const char *name, struct su_file_facts *ret, struct su_error *err);
