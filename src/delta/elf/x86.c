#include "delta/elf/x86.h"

#include <endian.h>
#include <string.h>

/* The index of immediate_sizes. */
enum size_prefix {
        OPERAND = 1, /* 66 */
        WIDE = 2,    /* REX.W */
};

enum prefix {
        ADDRESS = 4, /* 67 */
        REPNE = 8,   /* F2 */
        REP = 16,    /* F3 */
};

/* How the bytes from the last one of the opcode to the immediate are arranged. */
enum pattern {
        ALONE, /* no more of them */
        BRANCH8,
        BRANCH16,
        CALL32,
        JUMP32,
        MODRM_ALONE,
        MODRM_8, /* a displacement of 8 bits */
        MODRM_32,
        MODRM_RIP,
        SIB_ALONE,   /* but without a base there is a displacement: */
        SIB_NO_BASE, /* must be the next one */
        SIB_8,
        SIB_32,
        XBEGIN16,
        XBEGIN32,
};

/* The first 8 fields of struct su_x86_instruction as one little-endian number, so that all that
 * moves with the opcode's offset can be moved at once. */
#define FIELD(name, value) ((uint64_t)(value) << 8 * offsetof(struct su_x86_instruction, name))

_Static_assert(sizeof(struct su_x86_instruction) == 10, "no field between the first 8");
_Static_assert(offsetof(struct su_x86_instruction, immediate_size) == 7, "the last of the first 8");

struct arrangement {
        uint64_t fields;   /* offsets from the last byte of the opcode */
        uint64_t present;  /* 1 in each offset that is there */
        uint64_t relative; /* enum su_x86_relative */
};

/* Length, offsets of ModRM, SIB and displacement, its size. */
#define ARRANGEMENT(length_, modrm, sib, displacement, size, relative)                             \
        {                                                                                          \
                FIELD(length, length_) | FIELD(modrm_at, modrm) | FIELD(sib_at, sib) |             \
                        FIELD(displacement_at, displacement) | FIELD(displacement_size, size),     \
                        FIELD(length, 1) | FIELD(opcode_at, 1) | FIELD(modrm_at, (modrm) > 0) |    \
                                FIELD(sib_at, (sib) > 0) |                                         \
                                FIELD(displacement_at, (displacement) > 0),                        \
                        relative                                                                   \
        }

static const struct arrangement arrangements[] = {
        [ALONE] = ARRANGEMENT(1, 0, 0, 0, 0, SU_X86_NONE),
        [BRANCH8] = ARRANGEMENT(2, 0, 0, 1, 1, SU_X86_REL8),
        [BRANCH16] = ARRANGEMENT(3, 0, 0, 1, 2, SU_X86_NONE),
        [CALL32] = ARRANGEMENT(5, 0, 0, 1, 4, SU_X86_CALL32),
        [JUMP32] = ARRANGEMENT(5, 0, 0, 1, 4, SU_X86_JUMP32),
        [MODRM_ALONE] = ARRANGEMENT(2, 1, 0, 0, 0, SU_X86_NONE),
        [MODRM_8] = ARRANGEMENT(3, 1, 0, 2, 1, SU_X86_NONE),
        [MODRM_32] = ARRANGEMENT(6, 1, 0, 2, 4, SU_X86_NONE),
        [MODRM_RIP] = ARRANGEMENT(6, 1, 0, 2, 4, SU_X86_RIP),
        [SIB_ALONE] = ARRANGEMENT(3, 1, 2, 0, 0, SU_X86_NONE),
        [SIB_NO_BASE] = ARRANGEMENT(7, 1, 2, 3, 4, SU_X86_NONE),
        [SIB_8] = ARRANGEMENT(4, 1, 2, 3, 1, SU_X86_NONE),
        [SIB_32] = ARRANGEMENT(7, 1, 2, 3, 4, SU_X86_NONE),
        [XBEGIN16] = ARRANGEMENT(4, 1, 0, 2, 2, SU_X86_NONE),
        [XBEGIN32] = ARRANGEMENT(6, 1, 0, 2, 4, SU_X86_JUMP32),
};

/* Their lengths again, to be had sooner. */
static const uint8_t lengths[] = {
        [ALONE] = 1,       [BRANCH8] = 2, [BRANCH16] = 3, [CALL32] = 5,    [JUMP32] = 5,
        [MODRM_ALONE] = 2, [MODRM_8] = 3, [MODRM_32] = 6, [MODRM_RIP] = 6, [SIB_ALONE] = 3,
        [SIB_8] = 4,       [SIB_32] = 7,  [XBEGIN16] = 4, [XBEGIN32] = 6,
};

enum immediate {
        NONE,
        BYTE,
        TWO, /* bytes, whatever the prefixes */
        THREE,
        FOUR,
        WORD, /* 16 bits with the prefix 66, else 32 */
        QUAD, /* the same, and 64 with REX.W */
        EIGHT,
        IMMEDIATES
};

static const uint8_t immediate_sizes[IMMEDIATES][4] = {
        [BYTE] = {1, 1, 1, 1}, [TWO] = {2, 2, 2, 2},  [THREE] = {3, 3, 3, 3}, [FOUR] = {4, 4, 4, 4},
        [WORD] = {4, 2, 4, 4}, [QUAD] = {4, 2, 8, 8}, [EIGHT] = {8, 8, 8, 8},
};

/* What follows an opcode byte, in one number: for ModRM.reg which of its values are defined, as
 * bits, with memory and with a register; without ModRM the pattern; the immediate; and features. */
#define DEFINED(memory, registers) ((memory) | (registers) << 8)
#define PATTERN(pattern) ((pattern) << 16)
#define IMMEDIATE(immediate) ((immediate) << 20)
#define ABSOLUTE (1 << 24)  /* the immediate is an address, of 32 bits with the prefix 67 */
#define REGISTERS (1 << 25) /* ModRM names registers, whatever its mod field says */
#define TEST (1 << 26)      /* only /0 and /1 have the immediate */
#define REGION (1 << 27)    /* /7 is xabort or xbegin */
#define SPECIAL (ABSOLUTE | REGISTERS | TEST | REGION)
#define MODRM (1 << 28) /* the topmost */

#define ALONE_WITH(pattern, immediate)                                                             \
        (DEFINED(0xff, 0xff) | PATTERN(pattern) | IMMEDIATE(immediate))
#define MODRM_WITH(memory, registers, immediate)                                                   \
        (MODRM | DEFINED(memory, registers) | IMMEDIATE(immediate))

enum shape {
        NO,             /* nothing: it is no instruction in 64-bit mode */
        EN,             /* unknown: the bytes end before it */
        PR,             /* a legacy prefix */
        RX,             /* a REX prefix */
        ES,             /* leads to another map, or may do */
        PF,             /* depends on the prefixes */
        NO_LAST = 0xff, /* all that have operands are greater */
        OP = ALONE_WITH(ALONE, NONE),
        I1 = ALONE_WITH(ALONE, BYTE),
        I2 = ALONE_WITH(ALONE, TWO),
        I3 = ALONE_WITH(ALONE, THREE), /* enter */
        IZ = ALONE_WITH(ALONE, WORD),
        IV = ALONE_WITH(ALONE, QUAD),
        MO = ALONE_WITH(ALONE, EIGHT) | ABSOLUTE,
        R1 = ALONE_WITH(BRANCH8, NONE),
        RC = ALONE_WITH(CALL32, NONE),
        RJ = ALONE_WITH(JUMP32, NONE),
        RW = ALONE_WITH(BRANCH16, NONE), /* one of both with 66 */
        M_ = MODRM_WITH(0xff, 0xff, NONE),
        M1 = MODRM_WITH(0xff, 0xff, BYTE),
        M2 = MODRM_WITH(0xff, 0xff, TWO),
        M4 = MODRM_WITH(0xff, 0xff, FOUR),
        MZ = MODRM_WITH(0xff, 0xff, WORD),
        MM = MODRM_WITH(0xff, 0x00, NONE),             /* memory only */
        MG = MODRM_WITH(0x00, 0xff, NONE),             /* registers only */
        MC = MODRM_WITH(0xff, 0xff, NONE) | REGISTERS, /* mov of control registers */
        GP = MODRM_WITH(0x01, 0x01, NONE),             /* group 1A: pop */
        G3 = MODRM_WITH(0xff, 0xff, BYTE) | TEST,      /* group 3, 8 bits */
        GT = MODRM_WITH(0xff, 0xff, WORD) | TEST,      /* group 3 */
        G4 = MODRM_WITH(0x03, 0x03, NONE),
        G5 = MODRM_WITH(0x7f, 0x57, NONE),
        G6 = MODRM_WITH(0x3f, 0x3f, NONE),
        G8 = MODRM_WITH(0xf0, 0xf0, BYTE),
        G9 = MODRM_WITH(0xfa, 0xc0, NONE),
        GB = MODRM_WITH(0x01, 0x81, BYTE) | REGION, /* group 11, 8 bits: mov, xabort */
        GX = MODRM_WITH(0x01, 0x81, WORD) | REGION, /* group 11: mov, xbegin */
        GS = MODRM_WITH(0x00, 0x54, BYTE), /* groups 12, 13: shifts of words, doublewords */
        GQ = MODRM_WITH(0x00, 0xcc, BYTE), /* group 14: shifts of quadwords */
};

static const uint32_t one_byte[256] = {
        M_, M_, M_, M_, I1, IZ, NO, NO, M_, M_, M_, M_, I1, IZ, NO, ES, /* 00 */
        M_, M_, M_, M_, I1, IZ, NO, NO, M_, M_, M_, M_, I1, IZ, NO, NO, /* 10 */
        M_, M_, M_, M_, I1, IZ, PR, NO, M_, M_, M_, M_, I1, IZ, PR, NO, /* 20 */
        M_, M_, M_, M_, I1, IZ, PR, NO, M_, M_, M_, M_, I1, IZ, PR, NO, /* 30 */
        RX, RX, RX, RX, RX, RX, RX, RX, RX, RX, RX, RX, RX, RX, RX, RX, /* 40 */
        OP, OP, OP, OP, OP, OP, OP, OP, OP, OP, OP, OP, OP, OP, OP, OP, /* 50 */
        NO, NO, ES, M_, PR, PR, PR, PR, IZ, MZ, I1, M1, OP, OP, OP, OP, /* 60 */
        R1, R1, R1, R1, R1, R1, R1, R1, R1, R1, R1, R1, R1, R1, R1, R1, /* 70 */
        M1, MZ, NO, M1, M_, M_, M_, M_, M_, M_, M_, M_, M_, MM, M_, ES, /* 80 */
        OP, OP, OP, OP, OP, OP, OP, OP, OP, OP, NO, OP, OP, OP, OP, OP, /* 90 */
        MO, MO, MO, MO, OP, OP, OP, OP, I1, IZ, OP, OP, OP, OP, OP, OP, /* A0 */
        I1, I1, I1, I1, I1, I1, I1, I1, IV, IV, IV, IV, IV, IV, IV, IV, /* B0 */
        M1, M1, I2, OP, ES, ES, GB, GX, I3, OP, I2, OP, OP, I1, NO, OP, /* C0 */
        M_, M_, M_, M_, NO, NO, NO, OP, M_, M_, M_, M_, M_, M_, M_, M_, /* D0 */
        R1, R1, R1, R1, I1, I1, I1, I1, RC, RJ, NO, R1, OP, OP, OP, OP, /* E0 */
        PR, OP, PR, PR, OP, OP, G3, GT, OP, OP, OP, OP, OP, OP, G4, G5, /* F0 */
};

static const uint32_t after_0f[256] = {
        G6, M_, M_, M_, NO, OP, OP, OP, OP, OP, NO, OP, NO, M_, OP, M1, /* 00 */
        M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, /* 10 */
        MC, MC, MC, MC, NO, NO, NO, NO, M_, M_, M_, M_, M_, M_, M_, M_, /* 20 */
        OP, OP, OP, OP, OP, OP, NO, OP, ES, NO, ES, NO, NO, NO, NO, NO, /* 30 */
        M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, /* 40 */
        M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, /* 50 */
        M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, /* 60 */
        M1, GS, GS, GQ, M_, M_, M_, OP, PF, M_, NO, NO, M_, M_, M_, M_, /* 70 */
        RJ, RJ, RJ, RJ, RJ, RJ, RJ, RJ, RJ, RJ, RJ, RJ, RJ, RJ, RJ, RJ, /* 80 */
        M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, /* 90 */
        OP, OP, OP, M_, M1, M_, MG, MG, OP, OP, OP, M_, M1, M_, M_, M_, /* A0 */
        M_, M_, MM, M_, MM, MM, M_, M_, PF, M_, G8, M_, M_, M_, M_, M_, /* B0 */
        M_, M_, M1, MM, M1, M1, M1, G9, OP, OP, OP, OP, OP, OP, OP, OP, /* C0 */
        M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, /* D0 */
        M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, /* E0 */
        M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, /* F0 */
};

/* The map 0F of VEX and of EVEX in one: neither gives a meaning of another shape to an opcode. */
static const uint32_t vex_0f[256] = {
        NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, /* 00 */
        M_, M_, M_, M_, M_, M_, M_, M_, NO, NO, NO, NO, NO, NO, NO, NO, /* 10 */
        NO, NO, NO, NO, NO, NO, NO, NO, M_, M_, M_, M_, M_, M_, M_, M_, /* 20 */
        NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, /* 30 */
        NO, M_, M_, NO, M_, M_, M_, M_, NO, NO, M_, M_, NO, NO, NO, NO, /* 40 */
        M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, /* 50 */
        M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, /* 60 */
        M1, M1, M1, M1, M_, M_, M_, OP, M_, M_, M_, M_, M_, M_, M_, M_, /* 70 */
        NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, /* 80 */
        M_, M_, M_, M_, NO, NO, NO, NO, M_, M_, NO, NO, NO, NO, NO, NO, /* 90 */
        NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, M_, NO, /* A0 */
        NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, /* B0 */
        NO, NO, M1, NO, M1, M1, M1, NO, NO, NO, NO, NO, NO, NO, NO, NO, /* C0 */
        M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, /* D0 */
        M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, /* E0 */
        M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, M_, NO, /* F0 */
};

/* The maps whose opcodes all have one shape. */
static const uint32_t vex_maps[32] = {[2] = M_, [3] = M1};
static const uint32_t evex_maps[16] = {[2] = M_, [3] = M1, [5] = M_, [6] = M_};
static const uint32_t xop_maps[32] = {[8] = M1, [9] = M_, [10] = M4};

/* The pattern by ModRM: its mod field, reg and rm. */
#define EIGHT_TIMES(...)                                                                           \
        __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, \
                __VA_ARGS__
#define ALL_BUT(pattern, rm4, rm5)                                                                 \
        EIGHT_TIMES(pattern, pattern, pattern, pattern, rm4, rm5, pattern, pattern)
static const uint8_t patterns[256] = {
        ALL_BUT(MODRM_ALONE, SIB_ALONE, MODRM_RIP),
        ALL_BUT(MODRM_8, SIB_8, MODRM_8),
        ALL_BUT(MODRM_32, SIB_32, MODRM_32),
        ALL_BUT(MODRM_ALONE, MODRM_ALONE, MODRM_ALONE),
};

/* The bytes that may be looked at, and the prefixes among them. */
struct window {
        const uint8_t *code;
        unsigned size; /* at most SU_X86_LENGTH_MAX */
        unsigned prefixes;
};

struct opcode {
        uint32_t shape; /* enum shape */
        uint16_t at;    /* offset of its last byte */
        uint16_t map;
};

static const struct opcode no_opcode = {.shape = NO};
static const struct opcode unknown_opcode = {.shape = EN};

static unsigned shape_by_prefixes(uint8_t opcode, unsigned prefixes)
{
        if (opcode == 0xb8) /* popcnt, or Itanium's jmpe */
                return prefixes & REP ? M_ : NO;
        /* 78: vmread, or extrq and insertq with two immediates */
        if (prefixes & REP)
                return NO;
        return prefixes & (REPNE | OPERAND) ? M2 : M_;
}

/* 0F; `at` is the offset behind it, as in all of these. */
static struct opcode find_in_0f(struct window window, unsigned at)
{
        uint8_t byte;
        unsigned shape;

        if (at >= window.size)
                return unknown_opcode;
        byte = window.code[at];
        shape = after_0f[byte];
        if (shape == PF)
                shape = shape_by_prefixes(byte, window.prefixes);
        if (shape != ES)
                return (struct opcode){shape, (uint16_t)at, 1};
        shape = at + 1 >= window.size ? EN : byte == 0x38 ? M_ : M1;
        return (struct opcode){shape, (uint16_t)(at + 1), byte == 0x38 ? 2 : 3};
}

/* Behind a VEX, EVEX or XOP prefix; `at` is the opcode's. `shape` is what all opcodes of the map
 * have, NO for the map 0F. */
static struct opcode find_in_vector(struct window window, unsigned at, unsigned shape, unsigned map)
{
        if (at >= window.size)
                shape = EN;
        else if (map == 1)
                shape = vex_0f[window.code[at]];
        return (struct opcode){shape, (uint16_t)at, (uint16_t)map};
}

/* VEX or XOP of three bytes. */
static struct opcode find_in_three_bytes(struct window window, unsigned at, const uint32_t maps[32])
{
        unsigned map;

        if (at >= window.size)
                return (struct opcode){EN, (uint16_t)(at + 2), 0};
        map = window.code[at] & 0x1f;
        if (maps[map] == NO && map != 1)
                return no_opcode;
        return find_in_vector(window, at + 2, maps[map], map);
}

static struct opcode find_in_evex(struct window window, unsigned at)
{
        struct opcode opcode;
        unsigned map;

        if (at >= window.size)
                return (struct opcode){EN, (uint16_t)(at + 3), 0};
        map = window.code[at] & 0xf;
        if (evex_maps[map] == NO && map != 1)
                return no_opcode;
        if (at + 1 < window.size && !(window.code[at + 1] & 4)) /* this bit is always set */
                return no_opcode;
        opcode = find_in_vector(window, at + 3, evex_maps[map], map);
        if (opcode.shape == OP) /* vzeroupper */
                return no_opcode;
        return opcode;
}

/* 8F: XOP, where it cannot be pop. */
static struct opcode find_in_xop(struct window window, unsigned at)
{
        if (at >= window.size)
                return unknown_opcode;
        if ((window.code[at] & 0x1f) >= 8)
                return find_in_three_bytes(window, at, xop_maps);
        return (struct opcode){GP, (uint16_t)(at - 1), 0};
}

static struct opcode find_behind_escape(struct window window, unsigned at)
{
        switch (window.code[at]) {
        case 0x0f:
                return find_in_0f(window, at + 1);
        case 0x62:
                return find_in_evex(window, at + 1);
        case 0x8f:
                return find_in_xop(window, at + 1);
        case 0xc4:
                return find_in_three_bytes(window, at + 1, vex_maps);
        default: /* C5 */
                return find_in_vector(window, at + 2, NO, 1);
        }
}

static unsigned prefix_of(uint8_t byte)
{
        switch (byte) {
        case 0x66:
                return OPERAND;
        case 0x67:
                return ADDRESS;
        case 0xf2:
                return REPNE;
        case 0xf3:
                return REP;
        default:
                return 0;
        }
}

/* Skips the prefixes, and adds them to the window. */
static inline struct opcode find_opcode(struct window *window)
{
        unsigned at = 0;

        while (at < window->size) {
                unsigned byte = window->code[at];
                unsigned is_rex = byte >> 4 == 4;
                unsigned shape;

                at += is_rex; /* without a branch: nobody could predict it */
                if (at >= window->size)
                        break;
                window->prefixes &= ~(unsigned)WIDE; /* a REX prefix further ahead is void */
                window->prefixes |= (byte >> 3 & is_rex) * WIDE;
                shape = one_byte[window->code[at]];
                if (shape == ES)
                        return find_behind_escape(*window, at);
                if (shape != PR && shape != RX)
                        return (struct opcode){shape, (uint16_t)at, 0};
                if (shape == PR)
                        window->prefixes |= prefix_of(window->code[at++]);
        }
        return unknown_opcode;
}

static int no_instruction(struct su_x86_instruction *ret)
{
        *ret = (struct su_x86_instruction){0};
        return 0;
}

static inline void set_fields(struct su_x86_instruction *ret, uint64_t fields)
{
        fields = htole64(fields);
        memcpy(ret, &fields, sizeof fields);
}

/* These fields are known, and the next byte lies beyond the end. */
static int incomplete(struct window window, uint64_t fields, struct su_x86_instruction *ret)
{
        if (window.size == SU_X86_LENGTH_MAX)
                return no_instruction(ret);
        set_fields(ret, fields);
        return -1;
}

/* An instruction's bytes behind its opcode, 0 where the window ends. */
struct operands {
        unsigned modrm;
        unsigned modrm_pattern; /* patterns[modrm] */
        unsigned sib;
};

/* The opcode is at offset `at`, and the rest as in `pattern`, which is final but for SIB_ALONE. */
static inline __attribute__((always_inline)) int place(struct window window, unsigned at,
                                                       unsigned pattern, unsigned sib,
                                                       unsigned immediate,
                                                       struct su_x86_instruction *ret)
{
        unsigned no_base = (pattern == SIB_ALONE) & ((sib & 7) == 5);
        unsigned before = at + lengths[pattern] + 4 * no_base;
        unsigned length = before + immediate;
        const struct arrangement *arrangement = &arrangements[pattern + no_base];
        uint64_t fields = arrangement->fields + at * arrangement->present;

        if (pattern == SIB_ALONE && at + 2 >= window.size)
                return incomplete(
                        window, (fields & ~FIELD(length, 0xff)) | FIELD(immediate_size, immediate),
                        ret);
        if (length > SU_X86_LENGTH_MAX)
                return no_instruction(ret);
        fields += immediate * (FIELD(length, 1) | FIELD(immediate_size, 1));
        fields |= FIELD(immediate_at, before & -(unsigned)(immediate != 0));
        set_fields(ret, fields);
        ret->relative = (uint8_t)arrangement->relative;
        return length <= window.size ? (int)length : -1;
}

static int place_special(struct window window, struct opcode opcode, struct operands operands,
                         unsigned immediate, struct su_x86_instruction *ret)
{
        unsigned pattern = operands.modrm_pattern;
        unsigned reg = operands.modrm >> 3 & 7;

        switch (opcode.shape & SPECIAL) {
        case ABSOLUTE:
                pattern = ALONE;
                immediate = window.prefixes & ADDRESS ? 4 : 8;
                break;
        case REGISTERS:
                pattern = MODRM_ALONE;
                break;
        case TEST:
                immediate = reg > 1 ? 0 : immediate;
                break;
        default: /* REGION */
                if (reg != 7)
                        break;
                if (operands.modrm != 0xf8)
                        return no_instruction(ret);
                if (opcode.shape == GB)
                        break;
                pattern = immediate == 2 ? XBEGIN16 : XBEGIN32;
                immediate = 0;
        }
        return place(window, opcode.at, pattern, operands.sib, immediate, ret);
}

static inline __attribute__((always_inline)) int decode_operands(struct window window,
                                                                 struct opcode opcode,
                                                                 struct operands operands,
                                                                 struct su_x86_instruction *ret)
{
        unsigned shape = opcode.shape;
        unsigned immediate = immediate_sizes[shape >> 20 & 0xf][window.prefixes & (OPERAND | WIDE)];
        unsigned pattern = (operands.modrm_pattern & -(shape / MODRM)) | (shape >> 16 & 0xf);

        ret->map = (uint8_t)opcode.map;
        ret->relative = SU_X86_NONE;
        if (!(shape >> ((operands.modrm >= 0xc0) * 8 + (operands.modrm >> 3 & 7)) & 1))
                return no_instruction(ret);
        if (shape & SPECIAL)
                return place_special(window, opcode, operands, immediate, ret);
        return place(window, opcode.at, pattern, operands.sib, immediate, ret);
}

/* All that there may be. */
static __attribute__((noinline)) int decode_any(const uint8_t *code, size_t size,
                                                struct su_x86_instruction *ret)
{
        struct window window = {
                .code = code,
                .size = (unsigned)(size < SU_X86_LENGTH_MAX ? size : SU_X86_LENGTH_MAX),
        };
        struct opcode opcode = find_opcode(&window);
        struct operands operands = {0};
        unsigned at = opcode.at;
        unsigned immediate;

        if ((opcode.shape == RC || opcode.shape == RJ) &&
            (window.prefixes & (OPERAND | WIDE)) == OPERAND)
                opcode.shape = RW;
        if (opcode.shape == EN || (opcode.shape >= MODRM && at + 1 >= window.size)) {
                immediate = immediate_sizes[opcode.shape >> 20 & 0xf]
                                           [window.prefixes & (OPERAND | WIDE)];
                ret->map = (uint8_t)opcode.map;
                ret->relative = SU_X86_NONE;
                return incomplete(
                        window,
                        FIELD(opcode_at, at) | FIELD(modrm_at, opcode.shape >= MODRM ? at + 1 : 0) |
                                FIELD(immediate_size, opcode.shape & SPECIAL ? 0 : immediate),
                        ret);
        }
        operands.modrm = at + 1 < window.size ? code[at + 1] : 0;
        operands.modrm_pattern = patterns[operands.modrm];
        operands.sib = at + 2 < window.size ? code[at + 2] : 0;
        return decode_operands(window, opcode, operands, ret);
}

static inline unsigned choose(unsigned which, unsigned zero, unsigned one)
{
        return zero ^ ((zero ^ one) & -which);
}

/* Here is most of the code: no prefix but REX, the map of one byte, and not near the end. A
 * processor cannot predict much of it, so there is hardly a branch; and as the next instruction
 * waits for the length, the tables are asked for both cases, with REX and without, before it is
 * known which it is. */
int su_x86_decode(const uint8_t *code, size_t size, struct su_x86_instruction *ret)
{
        struct window window = {.code = code, .size = SU_X86_LENGTH_MAX};
        struct opcode opcode = {0};
        struct operands operands;
        unsigned is_rex;

        if (size < SU_X86_LENGTH_MAX)
                return decode_any(code, size, ret);
        is_rex = code[0] >> 4 == 4;
        opcode.at = (uint16_t)is_rex;
        opcode.shape = choose(is_rex, one_byte[code[0]], one_byte[code[1]]);
        if (opcode.shape <= NO_LAST)
                return decode_any(code, size, ret);
        window.prefixes = (code[0] >> 3 & is_rex) * WIDE;
        operands.modrm = choose(is_rex, code[1], code[2]);
        operands.modrm_pattern = choose(is_rex, patterns[code[1]], patterns[code[2]]);
        operands.sib = choose(is_rex, code[2], code[3]);
        return decode_operands(window, opcode, operands, ret);
}
