/* How long an x86-64 instruction is, and which of its bytes are what.
 *
 * Decodes one instruction in 64-bit mode, as far as a sweep over code needs it: where prefixes,
 * opcode, ModRM, SIB, displacement and immediate lie, not what they do. All offsets and sizes are
 * in bytes, offsets from the instruction's first one. Holds no memory and no state.
 *
 * Both the encoder and the decoder of a delta run this over the same bytes, so its answers are part
 * of the format: for given bytes they must never change, not even where they could be improved.
 *
 * What counts as an instruction: every defined opcode of the maps one-byte, 0F and VEX 0F with a
 * ModRM byte that fits its group. The maps 0F38, 0F3A, VEX, EVEX and XOP beyond 0F have one shape
 * for all opcodes, and any opcode in them counts. Where processors or their manuals differ, it is
 * as objdump says: a near branch with a 66 prefix and no REX.W takes 16 bits, 0F FF has a ModRM
 * byte, legacy prefixes before VEX are skipped. REX2 and EVEX map 4 (APX) are unknown.
 *
 * Source: Intel SDM volume 2 chapter 2 and appendix A; AMD APM volume 3 chapter 1 and appendix A,
 * volume 6 (XOP).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SU_X86_LENGTH_MAX 15

/* What the displacement is relative to: always the end of the instruction. */
enum su_x86_relative {
        SU_X86_NONE,   /* no code address; or one of 16 bits, which compilers do not write */
        SU_X86_REL8,   /* short jmp, jcc, loop, jrcxz */
        SU_X86_CALL32, /* call */
        SU_X86_JUMP32, /* jmp and jcc; xbegin */
        SU_X86_RIP,    /* a memory operand */
};

struct su_x86_instruction {
        uint8_t length;            /* of the whole instruction, 1..15; 0 while it is not known */
        uint8_t opcode_at;         /* offset of the last opcode byte; 3DNow!: of the second 0F */
        uint8_t modrm_at;          /* offset, or 0: there is none */
        uint8_t sib_at;            /* offset, or 0 */
        uint8_t displacement_at;   /* offset, or 0; a branch's relative operand is one, too */
        uint8_t displacement_size; /* 0, 1, 2 or 4; moffs count as immediate instead */
        uint8_t immediate_at;      /* offset, or 0 */
        uint8_t immediate_size;    /* the sum of all immediates: 0..8 */
        uint8_t map;               /* 0 one-byte, 1 0F, 2 0F38, 3 0F3A, 5 and 6 EVEX, 8..10 XOP */
        uint8_t relative;          /* enum su_x86_relative */
};

/* Returns the length (1..15); 0 when the bytes are no instruction: then all fields are 0; -1 when
 * `size` bytes end inside it. Then every field that these bytes settle has its value already: an
 * offset is known as soon as the bytes before it say that the field is there, even where it lies
 * beyond `size`; what is not settled is 0. With more bytes a value that is not 0 never changes,
 * unless they turn out to be no instruction. Reads at most the first `size` bytes, and 15. */
int su_x86_decode(const uint8_t *code, size_t size, struct su_x86_instruction *ret);
