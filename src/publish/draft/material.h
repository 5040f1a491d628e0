/* Poor material for deltas: what is compressed already. */
#pragma once

/* By the first bytes of the file: "xz", "gzip" and the like; NULL when it is nothing of that kind.
 */
const char *su_compression_of(int fd);
