#include "delta/elf/reference.h"

#include "delta/elf/bytes.h"

unsigned su_reference_width(enum su_reference_kind kind)
{
        static const uint8_t widths[] = {
#define SU_REFERENCE_WIDTH(kind, width) [SU_##kind] = (width),
                SU_REFERENCE_TABLE(SU_REFERENCE_WIDTH)
#undef SU_REFERENCE_WIDTH
        };

        return widths[kind];
}

const char *su_reference_name(enum su_reference_kind kind)
{
        static const char *const names[] = {
#define SU_REFERENCE_NAME(kind, width) [SU_##kind] = #kind,
                SU_REFERENCE_TABLE(SU_REFERENCE_NAME)
#undef SU_REFERENCE_NAME
        };

        return names[kind];
}

/* ADR and ADRP: the two low bits of the immediate stand apart. */
static uint64_t split_immediate(uint32_t word)
{
        return (uint64_t)su_sign_extend(((word >> 5 & 0x7ffff) << 2) | (word >> 29 & 3), 21);
}

static uint32_t put_split_immediate(uint32_t word, uint64_t value)
{
        word &= ~((UINT32_C(0x7ffff) << 5) | (UINT32_C(3) << 29));
        return word | ((uint32_t)(value >> 2) & 0x7ffff) << 5 | ((uint32_t)value & 3) << 29;
}

static uint32_t put_bits(uint32_t word, unsigned at, unsigned bits, uint64_t value)
{
        uint32_t mask = (UINT32_C(1) << bits) - 1;

        return (word & ~(mask << at)) | ((uint32_t)value & mask) << at;
}

static uint64_t branch_distance(uint32_t word, unsigned at, unsigned bits)
{
        return (uint64_t)su_sign_extend(word >> at, bits) << 2;
}

uint64_t su_reference_read(const uint8_t *field, enum su_reference_kind kind, unsigned extra,
                           uint64_t at, uint64_t base)
{
        switch (kind) {
        case SU_CALL32:
        case SU_JUMP32:
        case SU_RIP32:
                return at + extra + su_get32_signed(field);
        case SU_REL8:
                return at + 1 + (uint64_t)su_sign_extend(field[0], 8);
        case SU_ADDRESS64:
        case SU_OFFSET64:
                return su_get64(field);
        case SU_ADDRESS32:
                return su_get32_signed(field);
        case SU_DISTANCE32:
                return at + su_get32_signed(field);
        case SU_CIE32:
                return at - su_get32(field);
        case SU_BASED32:
                return base + su_get32_signed(field);
        case SU_INDEX32:
                return base + (uint64_t)su_get32(field) * extra;
        case SU_SIZE32:
        case SU_STRING32:
                return base + su_get32(field);
        case SU_SIZE64:
                return base + su_get64(field);
        case SU_IMMEDIATE32:
                return su_get32(field);
        case SU_BRANCH26:
                return at + branch_distance(su_get32(field), 0, 26);
        case SU_BRANCH19:
        case SU_LITERAL19:
                return at + branch_distance(su_get32(field), 5, 19);
        case SU_BRANCH14:
                return at + branch_distance(su_get32(field), 5, 14);
        case SU_PAGE21:
                return (at & ~UINT64_C(0xfff)) + (split_immediate(su_get32(field)) << 12);
        case SU_ADR21:
                return at + split_immediate(su_get32(field));
        case SU_LOW12:
                return (uint64_t)(su_get32(field) >> 10 & 0xfff) << extra;
        case SU_MOVE16:
                return su_get32(field) >> 5 & 0xffff;
        default:
                return 0;
        }
}

static uint32_t word_with(uint32_t word, enum su_reference_kind kind, unsigned extra, uint64_t at,
                          uint64_t value)
{
        switch (kind) {
        case SU_BRANCH26:
                return put_bits(word, 0, 26, (value - at) >> 2);
        case SU_BRANCH19:
        case SU_LITERAL19:
                return put_bits(word, 5, 19, (value - at) >> 2);
        case SU_BRANCH14:
                return put_bits(word, 5, 14, (value - at) >> 2);
        case SU_PAGE21:
                return put_split_immediate(word, (value >> 12) - (at >> 12));
        case SU_ADR21:
                return put_split_immediate(word, value - at);
        case SU_LOW12:
                return put_bits(word, 10, 12, (value & 0xfff) >> extra);
        default:
                return put_bits(word, 5, 16, value);
        }
}

void su_reference_write(uint8_t *field, enum su_reference_kind kind, unsigned extra, uint64_t at,
                        uint64_t base, uint64_t value)
{
        switch (kind) {
        case SU_CALL32:
        case SU_JUMP32:
        case SU_RIP32:
                su_put32(field, (uint32_t)(value - at - extra));
                return;
        case SU_REL8:
                field[0] = (uint8_t)(value - at - 1);
                return;
        case SU_ADDRESS64:
        case SU_OFFSET64:
                su_put64(field, value);
                return;
        case SU_ADDRESS32:
        case SU_IMMEDIATE32:
                su_put32(field, (uint32_t)value);
                return;
        case SU_DISTANCE32:
                su_put32(field, (uint32_t)(value - at));
                return;
        case SU_CIE32:
                su_put32(field, (uint32_t)(at - value));
                return;
        case SU_BASED32:
        case SU_SIZE32:
        case SU_STRING32:
                su_put32(field, (uint32_t)(value - base));
                return;
        case SU_INDEX32:
                su_put32(field, (uint32_t)((value - base) / (extra ? extra : 1)));
                return;
        case SU_SIZE64:
                su_put64(field, value - base);
                return;
        default:
                su_put32(field, word_with(su_get32(field), kind, extra, at, value));
        }
}

void su_reference_mask(uint8_t *field, enum su_reference_kind kind, uint64_t label)
{
        uint32_t word = kind == SU_REL8 ? 0 : su_get32(field);

        switch (kind) {
        case SU_REL8:
                field[0] = (uint8_t)label;
                return;
        case SU_ADDRESS64:
        case SU_OFFSET64:
        case SU_SIZE64:
                su_put64(field, label);
                return;
        case SU_BRANCH26:
                su_put32(field, put_bits(word, 0, 26, label));
                return;
        case SU_BRANCH19:
        case SU_LITERAL19:
                su_put32(field, put_bits(word, 5, 19, label));
                return;
        case SU_BRANCH14:
                su_put32(field, put_bits(word, 5, 14, label));
                return;
        case SU_PAGE21:
        case SU_ADR21:
                su_put32(field, put_split_immediate(word, label));
                return;
        case SU_LOW12:
                su_put32(field, put_bits(word, 10, 12, label));
                return;
        case SU_MOVE16:
                su_put32(field, put_bits(word, 5, 16, label));
                return;
        default:
                su_put32(field, (uint32_t)label);
        }
}
