#include "delta/elf/x86.h"

#include <stdbool.h>

/* What follows an opcode byte. */
enum kind {
        NO, /* nothing: it is no instruction in 64-bit mode */
        PR, /* a legacy prefix */
        RX, /* a REX prefix */
        ES, /* leads to another map, or may do */
        PF, /* depends on the prefixes */
        OP, /* an opcode alone */
        I1, /* an immediate of 8 bits */
        I2, /* of 16 bits */
        I3, /* enter: of 16 and of 8 bits */
        IZ, /* of 16 or 32 bits */
        IV, /* of 16, 32 or 64 bits */
        MO, /* an absolute address */
        R1, /* a branch of 8 bits */
        RC, /* a call of 32 bits */
        RJ, /* a jump of 32 bits */
        M_, /* ModRM */
        M1, /* ModRM and an immediate of 8 bits */
        M2, /* ModRM and two of 8 bits */
        M4, /* ModRM and one of 32 bits */
        MZ, /* ModRM and one of 16 or 32 bits */
        MM, /* ModRM, memory only */
        MG, /* ModRM, registers only */
        MC, /* ModRM that names registers, whatever its mod field says */
        GP, /* group 1A: pop */
        G3, /* group 3, 8 bits: test has an immediate */
        GT, /* group 3 */
        G4, /* group 4 */
        G5, /* group 5 */
        G6, /* group 6 */
        G8, /* group 8 */
        G9, /* group 9 */
        GB, /* group 11, 8 bits: mov, xabort */
        GX, /* group 11: mov, xbegin */
        GS, /* groups 12 and 13: shifts of words and doublewords */
        GQ, /* group 14: shifts of quadwords */
        KINDS
};

enum feature {
        MODRM = 1,
        RELATIVE = 2, /* the immediate is a branch's displacement */
        ABSOLUTE = 4, /* the immediate is an address, of 32 bits with the prefix 67 */
        TEST = 8,     /* only /0 and /1 have the immediate */
        REGION = 16,  /* /7 is xabort or xbegin */
};

/* The index of shape.immediate. */
enum size_prefix {
        OPERAND = 1, /* 66 */
        WIDE = 2,    /* REX.W */
};

enum prefix {
        ADDRESS = 4, /* 67 */
        REPNE = 8,   /* F2 */
        REP = 16,    /* F3 */
};

struct shape {
        uint8_t features;
        uint8_t memory; /* which values of ModRM.reg are defined with a memory operand, as bits */
        uint8_t registers;    /* and with a register */
        uint8_t mod;          /* what to assume set in ModRM */
        uint8_t immediate[4]; /* its size, by enum size_prefix */
};

static const struct shape shapes[KINDS] = {
        [OP] = {0, 0, 0, 0, {0, 0, 0, 0}},
        [I1] = {0, 0, 0, 0, {1, 1, 1, 1}},
        [I2] = {0, 0, 0, 0, {2, 2, 2, 2}},
        [I3] = {0, 0, 0, 0, {3, 3, 3, 3}},
        [IZ] = {0, 0, 0, 0, {4, 2, 4, 4}},
        [IV] = {0, 0, 0, 0, {4, 2, 8, 8}},
        [MO] = {ABSOLUTE, 0, 0, 0, {8, 8, 8, 8}},
        [R1] = {RELATIVE, 0, 0, 0, {1, 1, 1, 1}},
        [RC] = {RELATIVE, 0, 0, 0, {4, 2, 4, 4}},
        [RJ] = {RELATIVE, 0, 0, 0, {4, 2, 4, 4}},
        [M_] = {MODRM, 0xff, 0xff, 0, {0, 0, 0, 0}},
        [M1] = {MODRM, 0xff, 0xff, 0, {1, 1, 1, 1}},
        [M2] = {MODRM, 0xff, 0xff, 0, {2, 2, 2, 2}},
        [M4] = {MODRM, 0xff, 0xff, 0, {4, 4, 4, 4}},
        [MZ] = {MODRM, 0xff, 0xff, 0, {4, 2, 4, 4}},
        [MM] = {MODRM, 0xff, 0x00, 0, {0, 0, 0, 0}},
        [MG] = {MODRM, 0x00, 0xff, 0, {0, 0, 0, 0}},
        [MC] = {MODRM, 0x00, 0xff, 0xc0, {0, 0, 0, 0}},
        [GP] = {MODRM, 0x01, 0x01, 0, {0, 0, 0, 0}},
        [G3] = {MODRM | TEST, 0xff, 0xff, 0, {1, 1, 1, 1}},
        [GT] = {MODRM | TEST, 0xff, 0xff, 0, {4, 2, 4, 4}},
        [G4] = {MODRM, 0x03, 0x03, 0, {0, 0, 0, 0}},
        [G5] = {MODRM, 0x7f, 0x57, 0, {0, 0, 0, 0}},
        [G6] = {MODRM, 0x3f, 0x3f, 0, {0, 0, 0, 0}},
        [G8] = {MODRM, 0xf0, 0xf0, 0, {1, 1, 1, 1}},
        [G9] = {MODRM, 0xfa, 0xc0, 0, {0, 0, 0, 0}},
        [GB] = {MODRM | REGION, 0x01, 0x81, 0, {1, 1, 1, 1}},
        [GX] = {MODRM | REGION, 0x01, 0x81, 0, {4, 2, 4, 4}},
        [GS] = {MODRM, 0x00, 0x54, 0, {1, 1, 1, 1}},
        [GQ] = {MODRM, 0x00, 0xcc, 0, {1, 1, 1, 1}},
};

static const uint8_t one_byte[256] = {
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

static const uint8_t after_0f[256] = {
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
static const uint8_t vex_0f[256] = {
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
static const uint8_t vex_maps[32] = {[2] = M_, [3] = M1};
static const uint8_t evex_maps[16] = {[2] = M_, [3] = M1, [5] = M_, [6] = M_};
static const uint8_t xop_maps[32] = {[8] = M1, [9] = M_, [10] = M4};

/* What follows ModRM, by its mod and rm fields: a SIB byte, and this many bytes of displacement. */
#define SIB 8
#define RIP 16
static const uint8_t layouts[32] = {
        0, 0, 0, 0, SIB,     4 | RIP, 0, 0, /* no displacement, unless SIB asks for it */
        1, 1, 1, 1, SIB | 1, 1,       1, 1, /* 8 bits */
        4, 4, 4, 4, SIB | 4, 4,       4, 4, /* 32 bits */
        0, 0, 0, 0, 0,       0,       0, 0, /* a register */
};

struct decoder {
        const uint8_t *code;
        unsigned size; /* at most SU_X86_LENGTH_MAX */
        unsigned at;   /* the next byte to look at */
        unsigned prefixes;
        struct su_x86_instruction *ret;
};

static int no_instruction(const struct decoder *decoder)
{
        *decoder->ret = (struct su_x86_instruction){0};
        return 0;
}

/* The next byte lies beyond the end. */
static int incomplete(const struct decoder *decoder)
{
        return decoder->size < SU_X86_LENGTH_MAX ? -1 : no_instruction(decoder);
}

/* `end` is the offset of the byte behind the instruction. */
static inline int complete(const struct decoder *decoder, unsigned end)
{
        if (end > SU_X86_LENGTH_MAX)
                return no_instruction(decoder);
        decoder->ret->length = (uint8_t)end;
        return end <= decoder->size ? (int)end : -1;
}

static inline int decode_alone(const struct decoder *decoder, unsigned kind)
{
        const struct shape *shape = &shapes[kind];
        struct su_x86_instruction *ret = decoder->ret;
        unsigned size = shape->immediate[decoder->prefixes & (OPERAND | WIDE)];

        if (size == 0)
                return complete(decoder, decoder->at);
        if (shape->features & RELATIVE) {
                ret->displacement_at = (uint8_t)decoder->at;
                ret->displacement_size = (uint8_t)size;
                if (size != 2)
                        ret->relative = kind == R1   ? SU_X86_REL8
                                        : kind == RC ? SU_X86_CALL32
                                                     : SU_X86_JUMP32;
                return complete(decoder, decoder->at + size);
        }
        if ((shape->features & ABSOLUTE) && (decoder->prefixes & ADDRESS))
                size = 4;
        ret->immediate_at = (uint8_t)decoder->at;
        ret->immediate_size = (uint8_t)size;
        return complete(decoder, decoder->at + size);
}

/* /7 of group 11 is one instruction without a register, and xbegin's operand a branch. */
static int decode_region(const struct decoder *decoder, unsigned modrm, unsigned kind)
{
        struct su_x86_instruction *ret = decoder->ret;
        unsigned size = shapes[kind].immediate[decoder->prefixes & (OPERAND | WIDE)];

        if (modrm != 0xf8)
                return no_instruction(decoder);
        if (kind == GB) {
                ret->immediate_at = (uint8_t)decoder->at;
                ret->immediate_size = (uint8_t)size;
        } else {
                ret->displacement_at = (uint8_t)decoder->at;
                ret->displacement_size = (uint8_t)size;
                ret->relative = size == 4 ? SU_X86_JUMP32 : SU_X86_NONE;
        }
        return complete(decoder, decoder->at + size);
}

/* SIB, displacement and immediate, of which `layout` and `immediate` say what is there. */
static inline int decode_address(const struct decoder *decoder, unsigned layout, unsigned immediate)
{
        struct su_x86_instruction *ret = decoder->ret;
        unsigned displacement = layout & 7;
        unsigned at = decoder->at;

        ret->immediate_size = (uint8_t)immediate;
        if (layout & SIB) {
                ret->sib_at = (uint8_t)at;
                if (displacement == 0) {
                        if (at >= decoder->size)
                                return incomplete(decoder);
                        displacement = (decoder->code[at] & 7) == 5 ? 4 : 0;
                }
                at++;
        }
        ret->displacement_at = (uint8_t)(displacement ? at : 0);
        ret->displacement_size = (uint8_t)displacement;
        ret->relative = layout & RIP ? SU_X86_RIP : SU_X86_NONE;
        at += displacement;
        ret->immediate_at = (uint8_t)(immediate ? at : 0);
        return complete(decoder, at + immediate);
}

static inline int decode_modrm(struct decoder *decoder, unsigned kind)
{
        const struct shape *shape = &shapes[kind];
        unsigned immediate = shape->immediate[decoder->prefixes & (OPERAND | WIDE)];
        unsigned modrm, defined, reg;

        decoder->ret->modrm_at = (uint8_t)decoder->at;
        if (decoder->at >= decoder->size) {
                if (!(shape->features & (TEST | REGION)))
                        decoder->ret->immediate_size = (uint8_t)immediate;
                return incomplete(decoder);
        }
        modrm = decoder->code[decoder->at++] | shape->mod;
        reg = modrm >> 3 & 7;
        defined = modrm < 0xc0 ? shape->memory : shape->registers;
        if (!(defined >> reg & 1))
                return no_instruction(decoder);
        if ((shape->features & TEST) && reg > 1)
                immediate = 0;
        if ((shape->features & REGION) && reg == 7)
                return decode_region(decoder, modrm, kind);
        return decode_address(decoder, layouts[(modrm >> 3 & 0x18) | (modrm & 7)], immediate);
}

/* Everything behind the opcode; decoder->at is its last byte. */
static inline int decode_operands(struct decoder *decoder, unsigned kind, unsigned map)
{
        if (kind == NO)
                return no_instruction(decoder);
        decoder->ret->map = (uint8_t)map;
        decoder->ret->opcode_at = (uint8_t)decoder->at++;
        if (shapes[kind].features & MODRM)
                return decode_modrm(decoder, kind);
        return decode_alone(decoder, kind);
}

static unsigned kind_by_prefixes(const struct decoder *decoder, uint8_t opcode)
{
        if (opcode == 0xb8) /* popcnt, or Itanium's jmpe */
                return decoder->prefixes & REP ? M_ : NO;
        /* 78: vmread, or extrq and insertq with two immediates */
        if (decoder->prefixes & REP)
                return NO;
        return decoder->prefixes & (REPNE | OPERAND) ? M2 : M_;
}

/* decoder->at is the byte behind 0F. */
static int decode_0f(struct decoder *decoder)
{
        uint8_t opcode;
        unsigned kind;

        if (decoder->at >= decoder->size)
                return incomplete(decoder);
        opcode = decoder->code[decoder->at];
        kind = after_0f[opcode];
        if (kind == PF)
                kind = kind_by_prefixes(decoder, opcode);
        if (kind != ES)
                return decode_operands(decoder, kind, 1);
        decoder->at++;
        if (decoder->at < decoder->size)
                return decode_operands(decoder, opcode == 0x38 ? M_ : M1, opcode == 0x38 ? 2 : 3);
        decoder->ret->map = opcode == 0x38 ? 2 : 3;
        decoder->ret->opcode_at = (uint8_t)decoder->at;
        return incomplete(decoder);
}

/* An opcode behind a VEX, EVEX or XOP prefix; decoder->at is that byte. `kind` is what all of the
 * map have, NO for the map 0F. */
static int decode_vector(struct decoder *decoder, unsigned kind, unsigned map, bool evex)
{
        decoder->ret->map = (uint8_t)map;
        decoder->ret->opcode_at = (uint8_t)decoder->at;
        if (decoder->at >= decoder->size)
                return incomplete(decoder);
        decoder->prefixes = 0; /* they have no say in the sizes of these maps */
        if (map == 1)
                kind = vex_0f[decoder->code[decoder->at]];
        if (evex && kind == OP) /* vzeroupper */
                kind = NO;
        return decode_operands(decoder, kind, map);
}

/* C4 or 8F; decoder->at is the byte behind it. */
static int decode_three_bytes(struct decoder *decoder, const uint8_t maps[32])
{
        unsigned map;

        decoder->ret->opcode_at = (uint8_t)(decoder->at + 2);
        if (decoder->at >= decoder->size)
                return incomplete(decoder);
        map = decoder->code[decoder->at] & 0x1f;
        if (maps[map] == NO && map != 1)
                return no_instruction(decoder);
        decoder->at += 2;
        return decode_vector(decoder, maps[map], map, false);
}

/* 62; decoder->at is the byte behind it. */
static int decode_evex(struct decoder *decoder)
{
        unsigned left = decoder->size - decoder->at;
        const uint8_t *payload = decoder->code + decoder->at;
        unsigned map;

        decoder->ret->opcode_at = (uint8_t)(decoder->at + 3);
        if (left == 0)
                return incomplete(decoder);
        map = payload[0] & 0xf;
        if (evex_maps[map] == NO && map != 1)
                return no_instruction(decoder);
        if (left > 1 && !(payload[1] & 4)) /* the bit that is always set */
                return no_instruction(decoder);
        decoder->at += 3;
        return decode_vector(decoder, evex_maps[map], map, true);
}

/* 8F: XOP, where it cannot be pop. decoder->at is the byte behind it. */
static int decode_xop(struct decoder *decoder)
{
        if (decoder->at >= decoder->size)
                return incomplete(decoder);
        if ((decoder->code[decoder->at] & 0x1f) >= 8)
                return decode_three_bytes(decoder, xop_maps);
        decoder->at--;
        return decode_operands(decoder, GP, 0);
}

static int decode_escape(struct decoder *decoder)
{
        switch (decoder->code[decoder->at++]) {
        case 0x0f:
                return decode_0f(decoder);
        case 0x62:
                return decode_evex(decoder);
        case 0x8f:
                return decode_xop(decoder);
        case 0xc4:
                return decode_three_bytes(decoder, vex_maps);
        default: /* C5 */
                decoder->at++;
                return decode_vector(decoder, NO, 1, false);
        }
}

static inline unsigned prefix_of(uint8_t byte)
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

int su_x86_decode(const uint8_t *code, size_t size, struct su_x86_instruction *ret)
{
        struct decoder decoder = {
                .code = code,
                .size = (unsigned)(size < SU_X86_LENGTH_MAX ? size : SU_X86_LENGTH_MAX),
                .ret = ret,
        };

        *ret = (struct su_x86_instruction){0};
        while (decoder.at < decoder.size) {
                unsigned kind = one_byte[code[decoder.at]];

                if (kind == PR) {
                        decoder.prefixes &= ~(unsigned)WIDE; /* a REX prefix before it is void */
                        decoder.prefixes |= prefix_of(code[decoder.at++]);
                } else if (kind == RX) {
                        decoder.prefixes &= ~(unsigned)WIDE;
                        decoder.prefixes |= code[decoder.at++] & 8 ? WIDE : 0;
                } else if (kind == ES) {
                        return decode_escape(&decoder);
                } else {
                        return decode_operands(&decoder, kind, 0);
                }
        }
        return incomplete(&decoder);
}
