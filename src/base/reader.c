#include "base/reader.h"

void su_reader_init(struct su_reader *reader, const void *data, size_t size)
{
        *reader = (struct su_reader){.data = data, .size = size};
}

bool su_reader_ok(const struct su_reader *reader)
{
        return !reader->failed;
}

size_t su_reader_left(const struct su_reader *reader)
{
        return reader->failed ? 0 : reader->size - reader->position;
}

const void *su_reader_bytes(struct su_reader *reader, size_t size)
{
        const uint8_t *bytes;

        if (size > su_reader_left(reader)) {
                reader->failed = true;
                return NULL;
        }
        bytes = reader->data + reader->position;
        reader->position += size;
        return bytes;
}

void su_reader_skip(struct su_reader *reader, size_t size)
{
        (void)su_reader_bytes(reader, size);
}

static uint64_t read_little_endian(struct su_reader *reader, size_t width)
{
        const uint8_t *bytes = su_reader_bytes(reader, width);
        uint64_t value = 0;

        if (!bytes)
                return 0;
        for (size_t i = width; i > 0; i--)
                value = value << 8 | bytes[i - 1];
        return value;
}

uint8_t su_reader_u8(struct su_reader *reader)
{
        return (uint8_t)read_little_endian(reader, 1);
}

uint16_t su_reader_le16(struct su_reader *reader)
{
        return (uint16_t)read_little_endian(reader, 2);
}

uint32_t su_reader_le32(struct su_reader *reader)
{
        return (uint32_t)read_little_endian(reader, 4);
}

uint64_t su_reader_le64(struct su_reader *reader)
{
        return read_little_endian(reader, 8);
}
