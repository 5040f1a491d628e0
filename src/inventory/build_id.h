/* The GNU build-id of an ELF file: the name of exactly this build.
 *
 * Reads only the ELF header, the program headers and the PT_NOTE segments, with bounded sizes. The
 * file is untrusted. Source: System V gABI chapter 5 (notes), ld(1) --build-id.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define SU_BUILD_ID_MAX 32

struct su_build_id {
        uint8_t size; /* 0: none */
        uint8_t bytes[SU_BUILD_ID_MAX];
};

/* ELF e_machine of what this project supports, as systemd names architectures. */
#define SU_ELF_MACHINE_X86_64 62
#define SU_ELF_MACHINE_AARCH64 183

/* Only a failing read is an error: a file that is no little-endian ELF file, is damaged, or carries
 * no build-id yields size 0. `ret_machine` (may be NULL) is 0 for what is no such ELF file.
 */
int su_build_id_read(int fd, const char *name, struct su_build_id *ret, uint16_t *ret_machine,
                     struct su_error *err);

bool su_build_id_equal(const struct su_build_id *a, const struct su_build_id *b);
