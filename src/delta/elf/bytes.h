/* Little-endian loads and stores at any alignment. The caller has checked the bounds. */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t su_get16(const uint8_t *from)
{
        uint16_t value;

        memcpy(&value, from, sizeof value);
        return le16toh(value);
}

static inline uint32_t su_get32(const uint8_t *from)
{
        uint32_t value;

        memcpy(&value, from, sizeof value);
        return le32toh(value);
}

static inline uint64_t su_get64(const uint8_t *from)
{
        uint64_t value;

        memcpy(&value, from, sizeof value);
        return le64toh(value);
}

static inline void su_put32(uint8_t *to, uint32_t value)
{
        value = htole32(value);
        memcpy(to, &value, sizeof value);
}

static inline void su_put64(uint8_t *to, uint64_t value)
{
        value = htole64(value);
        memcpy(to, &value, sizeof value);
}

/* The low `bits` of `value`, read as a signed number. */
static inline int64_t su_sign_extend(uint64_t value, unsigned bits)
{
        uint64_t sign = UINT64_C(1) << (bits - 1);

        value &= (sign << 1) - 1;
        return (int64_t)((value ^ sign) - sign);
}

static inline uint64_t su_get32_signed(const uint8_t *from)
{
        return (uint64_t)su_sign_extend(su_get32(from), 32);
}
