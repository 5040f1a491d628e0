/* Logs of known entries, in memory. */
#pragma once

#include "log-files.h"

/* Entry `index` of the logs that tests make: 0 to 40 bytes. */
struct su_log_entry log_entry(uint64_t index, uint8_t buffer[64]);
/* Append `n` such entries from `*size` on, and bring `*size` and `*root` up to date. */
void log_files_grow(struct log_files *files, uint64_t *size, struct su_sha256 *root, size_t n);
