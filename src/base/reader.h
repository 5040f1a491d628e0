/* A bounded cursor over untrusted bytes.
 *
 * Every read checks the bound. The first read past the end makes the reader fail for good: it then
 * yields zeroes, and su_reader_ok() is false. A parser reads what it wants and asks once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct su_reader {
        const uint8_t *data;
        size_t size;
        size_t position;
        bool failed;
};

void su_reader_init(struct su_reader *reader, const void *data, size_t size);
bool su_reader_ok(const struct su_reader *reader);
size_t su_reader_left(const struct su_reader *reader);

uint8_t su_reader_u8(struct su_reader *reader);
uint16_t su_reader_le16(struct su_reader *reader);
uint32_t su_reader_le32(struct su_reader *reader);
uint64_t su_reader_le64(struct su_reader *reader);

/* The next `size` bytes in place, or NULL when fewer are left. */
const void *su_reader_bytes(struct su_reader *reader, size_t size);
void su_reader_skip(struct su_reader *reader, size_t size);
