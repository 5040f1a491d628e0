/* A reference: a field of a module that holds, or is computed from, a place of the same module.
 *
 * Linkers move code and data about; what a reference says changes then although nothing in the
 * program did. Kinds tell how the field's bits and the place relate. Source: Intel SDM volume 2;
 * Arm ARM C4 and C6 (A64 encodings); System V ABI; LSB core, 10.6 (exception frames).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*   kind          width  what the field holds */
#define SU_REFERENCE_TABLE(X)                                                                      \
        X(CALL32, 4) /* x86: distance from the instruction's end */                                \
        X(JUMP32, 4)                                                                               \
        X(RIP32, 4)                                                                                \
        X(REL8, 1)                                                                                 \
        X(ADDRESS64, 8)  /* an address */                                                          \
        X(ADDRESS32, 4)  /* an address, sign-extended */                                           \
        X(OFFSET64, 8)   /* an offset in the file */                                               \
        X(DISTANCE32, 4) /* distance from the field itself */                                      \
        X(CIE32, 4)      /* distance back to a common information entry */                         \
        X(BASED32, 4)    /* distance from a base, signed */                                        \
        X(INDEX32, 4)    /* (place - base) / scale */                                              \
        X(SIZE32, 4)     /* distance from the base to a range's end */                             \
        X(SIZE64, 8)                                                                               \
        X(STRING32, 4)    /* offset in a string table, the base */                                 \
        X(IMMEDIATE32, 4) /* no place: a number that may be a line number */                       \
        X(BRANCH26, 4)    /* AArch64: B, BL */                                                     \
        X(BRANCH19, 4)    /* B.cond, CBZ, CBNZ */                                                  \
        X(BRANCH14, 4)    /* TBZ, TBNZ */                                                          \
        X(PAGE21, 4)      /* ADRP */                                                               \
        X(ADR21, 4)                                                                                \
        X(LITERAL19, 4) /* LDR (literal) */                                                        \
        X(LOW12, 4)     /* the low bits in ADD, LDR, STR; scaled */                                \
        X(MOVE16, 4)    /* MOVZ: a number that may be a line number */

enum su_reference_kind {
#define SU_REFERENCE_ENUM(kind, width) SU_##kind,
        SU_REFERENCE_TABLE(SU_REFERENCE_ENUM)
#undef SU_REFERENCE_ENUM
                SU_REFERENCE_KINDS
};

struct su_reference {
        uint32_t offset; /* of the field */
        uint8_t kind;
        uint8_t extra;   /* x86: bytes from the field to the instruction's end; INDEX32: the scale;
                            LOW12: the shift */
        uint64_t target; /* a position (delta/elf/elf.h); the number itself for IMMEDIATE32, MOVE16
                          */
        uint64_t base;   /* a position, for BASED32, INDEX32, STRING32; else 0 */
};

unsigned su_reference_width(enum su_reference_kind kind);
const char *su_reference_name(enum su_reference_kind kind);

/* The target is the end of a range, one behind its last byte. */
static inline bool su_reference_is_end(enum su_reference_kind kind)
{
        return kind == SU_SIZE32 || kind == SU_SIZE64;
}

static inline bool su_reference_is_number(enum su_reference_kind kind)
{
        return kind == SU_IMMEDIATE32 || kind == SU_MOVE16;
}

/* Value and base are file offsets, not addresses. */
static inline bool su_reference_is_offset(enum su_reference_kind kind)
{
        return kind == SU_OFFSET64 || kind == SU_STRING32;
}

/* The address (offset, number) that the field at `field`, which lies at address `at`, stands for;
 * and the reverse, which changes the kind's own bits of the field alone. PAGE21 and LOW12 stand for
 * the page and for the bits below it. */
uint64_t su_reference_read(const uint8_t *field, enum su_reference_kind kind, unsigned extra,
                           uint64_t at, uint64_t base);
void su_reference_write(uint8_t *field, enum su_reference_kind kind, unsigned extra, uint64_t at,
                        uint64_t base, uint64_t value);

/* Put 32 or so bits of `label` in place of the kind's own bits: what is left is the same in two
 * versions when only places moved. */
void su_reference_mask(uint8_t *field, enum su_reference_kind kind, uint64_t label);
