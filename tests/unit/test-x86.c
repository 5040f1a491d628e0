#include "support.h"

#include <stdio.h>
#include <string.h>

#include "delta/elf/x86.h"

struct example {
        const char *hex; /* the whole instruction */
        uint8_t map, opcode_at, modrm_at, sib_at;
        uint8_t displacement_at, displacement_size, immediate_at, immediate_size;
        uint8_t relative;
};

static const struct example examples[] = {
        /* the one-byte map */
        {.hex = "90"},
        {.hex = "c3"},
        {.hex = "f4"},
        {.hex = "cc"},
        {.hex = "f1"},
        {.hex = "9b"},
        {.hex = "55"},
        {"04 12", .immediate_at = 1, .immediate_size = 1},
        {"05 12 34 56 78", .immediate_at = 1, .immediate_size = 4},
        {"6a 12", .immediate_at = 1, .immediate_size = 1},
        {"68 12 34 56 78", .immediate_at = 1, .immediate_size = 4},
        {"c2 12 34", .immediate_at = 1, .immediate_size = 2},
        {"ca 12 34", .immediate_at = 1, .immediate_size = 2},
        {"cd 80", .immediate_at = 1, .immediate_size = 1},
        {"e4 12", .immediate_at = 1, .immediate_size = 1},
        {"c8 12 34 05", .immediate_at = 1, .immediate_size = 3},
        {"b0 12", .immediate_at = 1, .immediate_size = 1},
        {"b8 12 34 56 78", .immediate_at = 1, .immediate_size = 4},
        {"01 c8", .modrm_at = 1},
        {"63 d0", .modrm_at = 1},
        {"8c d8", .modrm_at = 1},
        {"8f c0", .modrm_at = 1},
        {"8f 45 08", .modrm_at = 1, .displacement_at = 2, .displacement_size = 1},
        {"6b c0 12", .modrm_at = 1, .immediate_at = 2, .immediate_size = 1},
        {"69 c0 12 34 56 78", .modrm_at = 1, .immediate_at = 2, .immediate_size = 4},
        {"81 c0 12 34 56 78", .modrm_at = 1, .immediate_at = 2, .immediate_size = 4},
        {"83 c0 12", .modrm_at = 1, .immediate_at = 2, .immediate_size = 1},
        {"c1 e0 12", .modrm_at = 1, .immediate_at = 2, .immediate_size = 1},
        {"c6 00 12", .modrm_at = 1, .immediate_at = 2, .immediate_size = 1},
        {"c7 00 12 34 56 78", .modrm_at = 1, .immediate_at = 2, .immediate_size = 4},
        {"d8 c1", .modrm_at = 1},
        {"d9 7d fe", .modrm_at = 1, .displacement_at = 2, .displacement_size = 1},
        {"fe c0", .modrm_at = 1},
        {"ff d0", .modrm_at = 1},
        {"ff 25 12 34 56 78", .modrm_at = 1, .displacement_at = 2, .displacement_size = 4,
         .relative = SU_X86_RIP},

        /* group 3: only test has an immediate */
        {"f6 c0 12", .modrm_at = 1, .immediate_at = 2, .immediate_size = 1},
        {"f6 c8 12", .modrm_at = 1, .immediate_at = 2, .immediate_size = 1},
        {"f6 d0", .modrm_at = 1},
        {"f7 c0 12 34 56 78", .modrm_at = 1, .immediate_at = 2, .immediate_size = 4},
        {"f7 c8 12 34 56 78", .modrm_at = 1, .immediate_at = 2, .immediate_size = 4},
        {"f7 d8", .modrm_at = 1},
        {"f7 7d 08", .modrm_at = 1, .displacement_at = 2, .displacement_size = 1},
        {"66 f7 c0 12 34", .opcode_at = 1, .modrm_at = 2, .immediate_at = 3, .immediate_size = 2},

        /* addresses */
        {"8b 00", .modrm_at = 1},
        {"8b 40 12", .modrm_at = 1, .displacement_at = 2, .displacement_size = 1},
        {"8b 80 12 34 56 78", .modrm_at = 1, .displacement_at = 2, .displacement_size = 4},
        {"8b 05 12 34 56 78", .modrm_at = 1, .displacement_at = 2, .displacement_size = 4,
         .relative = SU_X86_RIP},
        {"8b 04 24", .modrm_at = 1, .sib_at = 2},
        {"8b 44 24 12", .modrm_at = 1, .sib_at = 2, .displacement_at = 3, .displacement_size = 1},
        {"8b 84 24 12 34 56 78", .modrm_at = 1, .sib_at = 2, .displacement_at = 3,
         .displacement_size = 4},
        {"8b 04 25 12 34 56 78", .modrm_at = 1, .sib_at = 2, .displacement_at = 3,
         .displacement_size = 4},
        {"8b 44 25 12", .modrm_at = 1, .sib_at = 2, .displacement_at = 3, .displacement_size = 1},
        {"8b c4", .modrm_at = 1},
        {"8b c5", .modrm_at = 1},
        {"c7 05 12 34 56 78 01 00 00 00", .modrm_at = 1, .displacement_at = 2,
         .displacement_size = 4, .immediate_at = 6, .immediate_size = 4, .relative = SU_X86_RIP},
        {"48 c7 84 24 12 34 56 78 01 00 00 00", .opcode_at = 1, .modrm_at = 2, .sib_at = 3,
         .displacement_at = 4, .displacement_size = 4, .immediate_at = 8, .immediate_size = 4},
        {"41 80 7c 24 10 05", .opcode_at = 1, .modrm_at = 2, .sib_at = 3, .displacement_at = 4,
         .displacement_size = 1, .immediate_at = 5, .immediate_size = 1},
        {"43 8b 44 25 00", .opcode_at = 1, .modrm_at = 2, .sib_at = 3, .displacement_at = 4,
         .displacement_size = 1}, /* REX.B does not make a base of r13 none */
        {"43 8b 04 25 12 34 56 78", .opcode_at = 1, .modrm_at = 2, .sib_at = 3,
         .displacement_at = 4, .displacement_size = 4},
        {"67 8d 04 12", .opcode_at = 1, .modrm_at = 2, .sib_at = 3},
        {"67 8b 40 12", .opcode_at = 1, .modrm_at = 2, .displacement_at = 3,
         .displacement_size = 1}, /* not the 16-bit addresses of 32-bit code */

        /* branches */
        {"eb 12", .displacement_at = 1, .displacement_size = 1, .relative = SU_X86_REL8},
        {"74 12", .displacement_at = 1, .displacement_size = 1, .relative = SU_X86_REL8},
        {"e3 12", .displacement_at = 1, .displacement_size = 1, .relative = SU_X86_REL8},
        {"3e 74 12", .opcode_at = 1, .displacement_at = 2, .displacement_size = 1,
         .relative = SU_X86_REL8},
        {"66 eb 12", .opcode_at = 1, .displacement_at = 2, .displacement_size = 1,
         .relative = SU_X86_REL8},
        {"e8 12 34 56 78", .displacement_at = 1, .displacement_size = 4, .relative = SU_X86_CALL32},
        {"e9 12 34 56 78", .displacement_at = 1, .displacement_size = 4, .relative = SU_X86_JUMP32},
        {"0f 84 12 34 56 78", .map = 1, .opcode_at = 1, .displacement_at = 2,
         .displacement_size = 4, .relative = SU_X86_JUMP32},
        {"f2 e9 12 34 56 78", .opcode_at = 1, .displacement_at = 2, .displacement_size = 4,
         .relative = SU_X86_JUMP32},
        {"67 e8 12 34 56 78", .opcode_at = 1, .displacement_at = 2, .displacement_size = 4,
         .relative = SU_X86_CALL32},
        {"66 66 48 e8 12 34 56 78", .opcode_at = 3, .displacement_at = 4, .displacement_size = 4,
         .relative = SU_X86_CALL32},
        {"66 e8 12 34", .opcode_at = 1, .displacement_at = 2, .displacement_size = 2},
        {"66 e9 12 34", .opcode_at = 1, .displacement_at = 2, .displacement_size = 2},
        {"66 0f 84 12 34", .map = 1, .opcode_at = 2, .displacement_at = 3, .displacement_size = 2},
        {"c7 f8 12 34 56 78", .modrm_at = 1, .displacement_at = 2, .displacement_size = 4,
         .relative = SU_X86_JUMP32},
        {"66 c7 f8 12 34", .opcode_at = 1, .modrm_at = 2, .displacement_at = 3,
         .displacement_size = 2},
        {"c6 f8 12", .modrm_at = 1, .immediate_at = 2, .immediate_size = 1},

        /* sizes by prefixes; only the REX before the opcode counts */
        {"66 05 12 34", .opcode_at = 1, .immediate_at = 2, .immediate_size = 2},
        {"66 48 05 12 34 56 78", .opcode_at = 2, .immediate_at = 3, .immediate_size = 4},
        {"48 66 05 12 34", .opcode_at = 2, .immediate_at = 3, .immediate_size = 2},
        {"48 40 b8 12 34 56 78", .opcode_at = 2, .immediate_at = 3, .immediate_size = 4},
        {"66 b8 12 34", .opcode_at = 1, .immediate_at = 2, .immediate_size = 2},
        {"41 b8 12 34 56 78", .opcode_at = 1, .immediate_at = 2, .immediate_size = 4},
        {"48 b8 01 02 03 04 05 06 07 08", .opcode_at = 1, .immediate_at = 2, .immediate_size = 8},
        {"66 48 b8 01 02 03 04 05 06 07 08", .opcode_at = 2, .immediate_at = 3,
         .immediate_size = 8},
        {"48 66 b8 12 34", .opcode_at = 2, .immediate_at = 3, .immediate_size = 2},
        {"66 81 c0 12 34", .opcode_at = 1, .modrm_at = 2, .immediate_at = 3, .immediate_size = 2},
        {"66 c7 40 08 12 34", .opcode_at = 1, .modrm_at = 2, .displacement_at = 3,
         .displacement_size = 1, .immediate_at = 4, .immediate_size = 2},
        {"66 ca 12 34", .opcode_at = 1, .immediate_at = 2, .immediate_size = 2},
        {"a1 01 02 03 04 05 06 07 08", .immediate_at = 1, .immediate_size = 8},
        {"48 a3 01 02 03 04 05 06 07 08", .opcode_at = 1, .immediate_at = 2, .immediate_size = 8},
        {"66 a1 01 02 03 04 05 06 07 08", .opcode_at = 1, .immediate_at = 2, .immediate_size = 8},
        {"67 a0 01 02 03 04", .opcode_at = 1, .immediate_at = 2, .immediate_size = 4},
        {"a9 12 34 56 78", .immediate_at = 1, .immediate_size = 4},
        {"f3 c3", .opcode_at = 1},
        {"f3 90", .opcode_at = 1},
        {"f3 48 ab", .opcode_at = 2},
        {"f0 0f b1 0f", .map = 1, .opcode_at = 2, .modrm_at = 3},
        {"64 48 8b 04 25 28 00 00 00", .opcode_at = 2, .modrm_at = 3, .sib_at = 4,
         .displacement_at = 5, .displacement_size = 4},
        {"66 2e 0f 1f 84 00 00 00 00 00", .map = 1, .opcode_at = 3, .modrm_at = 4, .sib_at = 5,
         .displacement_at = 6, .displacement_size = 4},
        {"66 66 66 66 66 66 2e 0f 1f 84 00 00 00 00 00", .map = 1, .opcode_at = 8, .modrm_at = 9,
         .sib_at = 10, .displacement_at = 11, .displacement_size = 4},
        {"66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", .opcode_at = 14},

        /* 0F */
        {"0f 05", .map = 1, .opcode_at = 1},
        {"0f 0b", .map = 1, .opcode_at = 1},
        {"0f a2", .map = 1, .opcode_at = 1},
        {"0f c8", .map = 1, .opcode_at = 1},
        {"0f 77", .map = 1, .opcode_at = 1},
        {"0f 01 d0", .map = 1, .opcode_at = 1, .modrm_at = 2},
        {"f3 0f 1e fa", .map = 1, .opcode_at = 2, .modrm_at = 3}, /* endbr64 */
        {"0f 18 00", .map = 1, .opcode_at = 1, .modrm_at = 2},
        {"0f 10 05 12 34 56 78", .map = 1, .opcode_at = 1, .modrm_at = 2, .displacement_at = 3,
         .displacement_size = 4, .relative = SU_X86_RIP},
        {"f2 48 0f 2a c0", .map = 1, .opcode_at = 3, .modrm_at = 4},
        {"0f 20 c0", .map = 1, .opcode_at = 1, .modrm_at = 2},
        {"0f 22 04", .map = 1, .opcode_at = 1, .modrm_at = 2}, /* always registers */
        {"0f 23 45", .map = 1, .opcode_at = 1, .modrm_at = 2},
        {"0f 45 c1", .map = 1, .opcode_at = 1, .modrm_at = 2},
        {"66 0f 70 c0 4e", .map = 1, .opcode_at = 2, .modrm_at = 3, .immediate_at = 4,
         .immediate_size = 1},
        {"66 0f 73 f8 08", .map = 1, .opcode_at = 2, .modrm_at = 3, .immediate_at = 4,
         .immediate_size = 1},
        {"0f 78 c0", .map = 1, .opcode_at = 1, .modrm_at = 2},
        {"66 0f 78 c0 01 02", .map = 1, .opcode_at = 2, .modrm_at = 3, .immediate_at = 4,
         .immediate_size = 2},
        {"f2 0f 78 c1 01 02", .map = 1, .opcode_at = 2, .modrm_at = 3, .immediate_at = 4,
         .immediate_size = 2},
        {"66 0f 79 c1", .map = 1, .opcode_at = 2, .modrm_at = 3},
        {"0f 94 c0", .map = 1, .opcode_at = 1, .modrm_at = 2},
        {"0f a4 c0 05", .map = 1, .opcode_at = 1, .modrm_at = 2, .immediate_at = 3,
         .immediate_size = 1},
        {"0f ae f0", .map = 1, .opcode_at = 1, .modrm_at = 2},
        {"0f b6 c0", .map = 1, .opcode_at = 1, .modrm_at = 2},
        {"f3 0f b8 c0", .map = 1, .opcode_at = 2, .modrm_at = 3}, /* popcnt */
        {"f3 48 0f b8 c0", .map = 1, .opcode_at = 3, .modrm_at = 4},
        {"0f b9 c0", .map = 1, .opcode_at = 1, .modrm_at = 2}, /* ud1 */
        {"0f b9 40 02", .map = 1, .opcode_at = 1, .modrm_at = 2, .displacement_at = 3,
         .displacement_size = 1},
        {"0f ff c0", .map = 1, .opcode_at = 1, .modrm_at = 2}, /* ud0 */
        {"0f ba e0 05", .map = 1, .opcode_at = 1, .modrm_at = 2, .immediate_at = 3,
         .immediate_size = 1},
        {"0f c2 c1 01", .map = 1, .opcode_at = 1, .modrm_at = 2, .immediate_at = 3,
         .immediate_size = 1},
        {"0f c7 0f", .map = 1, .opcode_at = 1, .modrm_at = 2},
        {"0f c7 f0", .map = 1, .opcode_at = 1, .modrm_at = 2},
        {"0f 0f c1 9e", .map = 1, .opcode_at = 1, .modrm_at = 2, .immediate_at = 3,
         .immediate_size = 1}, /* 3DNow!: the operation comes last */
        {"0f 0f 44 24 08 9e", .map = 1, .opcode_at = 1, .modrm_at = 2, .sib_at = 3,
         .displacement_at = 4, .displacement_size = 1, .immediate_at = 5, .immediate_size = 1},

        /* 0F38 and 0F3A */
        {"66 0f 38 00 c1", .map = 2, .opcode_at = 3, .modrm_at = 4},
        {"f2 48 0f 38 f1 c0", .map = 2, .opcode_at = 4, .modrm_at = 5},
        {"66 0f 38 dc 05 12 34 56 78", .map = 2, .opcode_at = 3, .modrm_at = 4,
         .displacement_at = 5, .displacement_size = 4, .relative = SU_X86_RIP},
        {"66 0f 3a 0f c1 08", .map = 3, .opcode_at = 3, .modrm_at = 4, .immediate_at = 5,
         .immediate_size = 1},
        {"66 48 0f 3a 22 c0 01", .map = 3, .opcode_at = 4, .modrm_at = 5, .immediate_at = 6,
         .immediate_size = 1},

        /* VEX */
        {"c5 f8 77", .map = 1, .opcode_at = 2},
        {"c5 f8 10 00", .map = 1, .opcode_at = 2, .modrm_at = 3},
        {"c5 fd 6f 05 12 34 56 78", .map = 1, .opcode_at = 2, .modrm_at = 3, .displacement_at = 4,
         .displacement_size = 4, .relative = SU_X86_RIP},
        {"c5 f9 70 c0 4e", .map = 1, .opcode_at = 2, .modrm_at = 3, .immediate_at = 4,
         .immediate_size = 1},
        {"c5 f9 73 f8 08", .map = 1, .opcode_at = 2, .modrm_at = 3, .immediate_at = 4,
         .immediate_size = 1},
        {"c5 f8 c6 c1 01", .map = 1, .opcode_at = 2, .modrm_at = 3, .immediate_at = 4,
         .immediate_size = 1},
        {"c5 f8 92 c8", .map = 1, .opcode_at = 2, .modrm_at = 3},
        {"c4 c1 7a 6f 04 24", .map = 1, .opcode_at = 3, .modrm_at = 4, .sib_at = 5},
        {"c4 e2 7d 18 05 12 34 56 78", .map = 2, .opcode_at = 3, .modrm_at = 4,
         .displacement_at = 5, .displacement_size = 4, .relative = SU_X86_RIP},
        {"c4 e2 fb f7 c0", .map = 2, .opcode_at = 3, .modrm_at = 4},
        {"c4 e2 69 90 04 05 12 34 56 78", .map = 2, .opcode_at = 3, .modrm_at = 4, .sib_at = 5,
         .displacement_at = 6, .displacement_size = 4}, /* an index of vectors */
        {"c4 e3 7d 39 c1 01", .map = 3, .opcode_at = 3, .modrm_at = 4, .immediate_at = 5,
         .immediate_size = 1},
        {"c4 e3 f9 48 c1 20", .map = 3, .opcode_at = 3, .modrm_at = 4, .immediate_at = 5,
         .immediate_size = 1},
        {"c4 e3 fb f0 c0 05", .map = 3, .opcode_at = 3, .modrm_at = 4, .immediate_at = 5,
         .immediate_size = 1},

        /* EVEX */
        {"62 f1 7c 48 10 00", .map = 1, .opcode_at = 4, .modrm_at = 5},
        {"62 f1 7c 48 11 40 01", .map = 1, .opcode_at = 4, .modrm_at = 5, .displacement_at = 6,
         .displacement_size = 1}, /* scaled, but one byte */
        {"62 f1 7d 48 72 e0 05", .map = 1, .opcode_at = 4, .modrm_at = 5, .immediate_at = 6,
         .immediate_size = 1},
        {"62 f1 7d 48 6f 05 12 34 56 78", .map = 1, .opcode_at = 4, .modrm_at = 5,
         .displacement_at = 6, .displacement_size = 4, .relative = SU_X86_RIP},
        {"62 f2 7d 48 58 c0", .map = 2, .opcode_at = 4, .modrm_at = 5},
        {"62 f3 75 48 25 c2 ff", .map = 3, .opcode_at = 4, .modrm_at = 5, .immediate_at = 6,
         .immediate_size = 1},
        {"62 f3 75 40 3f 84 24 12 34 56 78 00", .map = 3, .opcode_at = 4, .modrm_at = 5,
         .sib_at = 6, .displacement_at = 7, .displacement_size = 4, .immediate_at = 11,
         .immediate_size = 1},
        {"62 f5 7c 48 58 c0", .map = 5, .opcode_at = 4, .modrm_at = 5},
        {"62 f6 7d 48 98 c0", .map = 6, .opcode_at = 4, .modrm_at = 5},
        {"2e 67 62 f1 7c 48 10 00", .map = 1, .opcode_at = 6, .modrm_at = 7},

        /* XOP */
        {"8f e8 78 c0 c1 05", .map = 8, .opcode_at = 3, .modrm_at = 4, .immediate_at = 5,
         .immediate_size = 1},
        {"8f e9 78 81 c1", .map = 9, .opcode_at = 3, .modrm_at = 4},
        {"8f ea 78 10 c1 12 34 56 78", .map = 10, .opcode_at = 3, .modrm_at = 4, .immediate_at = 5,
         .immediate_size = 4},
};

/* No more than these bytes are needed to know it. */
static const char *const no_instructions[] = {
        "06",
        "07",
        "0e",
        "16",
        "17",
        "1e",
        "1f",
        "27",
        "2f",
        "37",
        "3f",
        "60",
        "61",
        "82",
        "9a",
        "ce",
        "d4",
        "d5",
        "d6",
        "ea",
        /* groups */
        "8f 20",
        "8d c0",
        "c6 08",
        "c6 f9",
        "c7 c8",
        "c7 f9",
        "c7 38",
        "fe d0",
        "ff d8",
        "ff f8",
        "0f 00 f0",
        "0f 71 c0",
        "0f 71 10",
        "0f 73 e0",
        "0f ba c0",
        "0f c7 c8",
        "0f c3 c0",
        /* 0F */
        "0f 04",
        "0f 0a",
        "0f 0c",
        "0f 24",
        "0f 36",
        "0f 39",
        "0f 3b",
        "0f 3f",
        "0f 7a",
        "0f b8",
        "66 0f b8",
        "f3 0f 78",
        /* VEX, EVEX and XOP: maps and opcodes that are none */
        "c4 e0",
        "c4 e4",
        "c4 e5",
        "c5 f8 00",
        "c5 f8 80",
        "62 f0",
        "62 f4",
        "62 f7",
        "62 f9",
        "62 f1 78",
        "62 f1 7c 48 77",
        "8f eb",
        "8f ff",
        /* behind prefixes */
        "66 06",
        "48 06",
        "66 48 82",
        /* too long */
        "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66",
        "2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e e8",
        "66 66 66 66 66 66 66 66 66 66 66 66 66 66 89",
        "2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 8b 44",
        "2e 2e 2e 2e 48 c7 84 24 12 34 56 78 01 00 00 00",
};

static size_t from_hex(const char *hex, uint8_t bytes[32])
{
        size_t size = 0;
        char *end;

        for (; *hex; hex = end)
                bytes[size++] = (uint8_t)strtoul(hex, &end, 16);
        return size;
}

/* From memory of exactly this size, so that the sanitizer sees a read beyond. */
static int decode(const uint8_t *bytes, size_t size, struct su_x86_instruction *ret)
{
        su_auto_free uint8_t *copy = malloc(size > 0 ? size : 1);

        assert_non_null(copy);
        memcpy(copy, bytes, size);
        memset(ret, 0xee, sizeof *ret);
        return su_x86_decode(copy, size, ret);
}

static void assert_same(const struct su_x86_instruction *a, const struct su_x86_instruction *b)
{
        assert_memory_equal(a, b, sizeof *a);
}

static void assert_none(const struct su_x86_instruction *instruction)
{
        static const struct su_x86_instruction none;

        assert_same(instruction, &none);
}

/* Each field of `part` is 0 or as in `whole`. */
static void assert_part_of(const struct su_x86_instruction *part,
                           const struct su_x86_instruction *whole)
{
        const uint8_t *fields = (const uint8_t *)part, *final = (const uint8_t *)whole;

        for (size_t i = 0; i < sizeof *part; i++)
                assert_true(fields[i] == 0 || fields[i] == final[i]);
}

static void test_examples(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
                const struct example *e = &examples[i];
                uint8_t bytes[32] = {0};
                int length = (int)from_hex(e->hex, bytes);
                struct su_x86_instruction found, again;
                struct su_x86_instruction wanted = {
                        .length = (uint8_t)length,
                        .opcode_at = e->opcode_at,
                        .modrm_at = e->modrm_at,
                        .sib_at = e->sib_at,
                        .displacement_at = e->displacement_at,
                        .displacement_size = e->displacement_size,
                        .immediate_at = e->immediate_at,
                        .immediate_size = e->immediate_size,
                        .map = e->map,
                        .relative = e->relative,
                };

                if (decode(bytes, (size_t)length, &found) != length ||
                    memcmp(&found, &wanted, sizeof found) != 0)
                        fail_msg("%s", e->hex);
                assert_int_equal(decode(bytes, sizeof bytes, &again), length);
                assert_same(&again, &found);
        }
}

static void test_truncated_examples(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
                struct su_x86_instruction whole, part, less = {0};
                uint8_t bytes[32];
                size_t length = from_hex(examples[i].hex, bytes);

                decode(bytes, length, &whole);
                for (size_t size = 0; size < length; size++) {
                        if (decode(bytes, size, &part) != -1)
                                fail_msg("%s, %zu bytes", examples[i].hex, size);
                        assert_part_of(&part, &whole);
                        assert_part_of(&less, &part);
                        less = part;
                }
        }
}

/* What the bytes settle is known, and nothing else. */
static void test_what_is_known_early(void **state)
{
        static const struct {
                const char *hex;
                struct su_x86_instruction known;
        } cases[] = {
                {"", {0}},
                {"66", {0}},
                {"48", {0}},
                {"0f", {0}},
                {"8f", {0}},
                {"e8", {5, 0, 0, 0, 1, 4, 0, 0, 0, SU_X86_CALL32}},
                {"0f 85 12", {6, 1, 0, 0, 2, 4, 0, 0, 1, SU_X86_JUMP32}},
                {"eb", {2, 0, 0, 0, 1, 1, 0, 0, 0, SU_X86_REL8}},
                {"66 b8", {4, 1, 0, 0, 0, 0, 2, 2, 0, 0}},
                {"48 b8 01", {10, 1, 0, 0, 0, 0, 2, 8, 0, 0}},
                {"c8 01", {4, 0, 0, 0, 0, 0, 1, 3, 0, 0}},
                {"a0", {9, 0, 0, 0, 0, 0, 1, 8, 0, 0}},
                {"48 8b", {0, 1, 2, 0, 0, 0, 0, 0, 0, 0}},
                {"8b 05", {6, 0, 1, 0, 2, 4, 0, 0, 0, SU_X86_RIP}},
                {"8b 04", {0, 0, 1, 2, 0, 0, 0, 0, 0, 0}},
                {"8b 44", {4, 0, 1, 2, 3, 1, 0, 0, 0, 0}},
                {"8b 84 24", {7, 0, 1, 2, 3, 4, 0, 0, 0, 0}},
                {"8b 04 25", {7, 0, 1, 2, 3, 4, 0, 0, 0, 0}},
                {"81", {0, 0, 1, 0, 0, 0, 0, 4, 0, 0}},
                {"81 04", {0, 0, 1, 2, 0, 0, 0, 4, 0, 0}},
                {"81 04 24", {7, 0, 1, 2, 0, 0, 3, 4, 0, 0}},
                {"81 05 12", {10, 0, 1, 0, 2, 4, 6, 4, 0, SU_X86_RIP}},
                {"f7", {0, 0, 1, 0, 0, 0, 0, 0, 0, 0}}, /* an immediate? */
                {"f7 05", {10, 0, 1, 0, 2, 4, 6, 4, 0, SU_X86_RIP}},
                {"f7 04", {0, 0, 1, 2, 0, 0, 0, 4, 0, 0}},
                {"c7", {0, 0, 1, 0, 0, 0, 0, 0, 0, 0}}, /* an immediate or a branch? */
                {"c7 f8", {6, 0, 1, 0, 2, 4, 0, 0, 0, SU_X86_JUMP32}},
                {"0f 38", {0, 2, 0, 0, 0, 0, 0, 0, 2, 0}},
                {"0f 3a 0f", {0, 2, 3, 0, 0, 0, 0, 1, 3, 0}},
                {"c5", {0, 2, 0, 0, 0, 0, 0, 0, 1, 0}},
                {"c4", {0, 3, 0, 0, 0, 0, 0, 0, 0, 0}},
                {"c4 e2", {0, 3, 0, 0, 0, 0, 0, 0, 2, 0}},
                {"c4 e3 f9 48", {0, 3, 4, 0, 0, 0, 0, 1, 3, 0}},
                {"62", {0, 4, 0, 0, 0, 0, 0, 0, 0, 0}},
                {"62 f2", {0, 4, 0, 0, 0, 0, 0, 0, 2, 0}},
                {"62 f2 7d", {0, 4, 0, 0, 0, 0, 0, 0, 2, 0}},
                {"62 f2 7d 48 58", {0, 4, 5, 0, 0, 0, 0, 0, 2, 0}},
                {"8f ea", {0, 3, 0, 0, 0, 0, 0, 0, 10, 0}},
                {"8f ea 78 10", {0, 3, 4, 0, 0, 0, 0, 4, 10, 0}},
                {"8f 44", {4, 0, 1, 2, 3, 1, 0, 0, 0, 0}},
        };

        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                struct su_x86_instruction found;
                uint8_t bytes[32];

                if (decode(bytes, from_hex(cases[i].hex, bytes), &found) != -1 ||
                    memcmp(&found, &cases[i].known, sizeof found) != 0)
                        fail_msg("'%s'", cases[i].hex);
        }
}

static void test_no_instructions(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof no_instructions / sizeof *no_instructions; i++) {
                struct su_x86_instruction found;
                uint8_t bytes[32] = {0};
                size_t size = from_hex(no_instructions[i], bytes);

                if (decode(bytes, size, &found) != 0)
                        fail_msg("%s", no_instructions[i]);
                assert_none(&found);
                assert_int_equal(decode(bytes, sizeof bytes, &found), 0);
                assert_none(&found);
        }
}

/* Near the end of the memory and far from it, with more bytes and with less, the answers agree. */
static void check_noise(const uint8_t *bytes, size_t size)
{
        struct su_x86_instruction whole, part, less = {0};
        int length = decode(bytes, size, &whole);

        assert_in_range(length + 1, 0, SU_X86_LENGTH_MAX + 1);
        assert_true(length <= (int)size);
        if (length > 0)
                assert_int_equal(whole.length, length);
        if (length == 0)
                assert_none(&whole);
        for (size_t known = 0; known < size && known <= SU_X86_LENGTH_MAX; known++) {
                int r = decode(bytes, known, &part);

                if (length > 0 && known >= (size_t)length) {
                        assert_int_equal(r, length);
                        assert_same(&part, &whole);
                        continue;
                }
                assert_true(r == -1 || (r == 0 && length == 0));
                if (r == -1)
                        assert_part_of(&less, &part);
                if (length != 0)
                        assert_part_of(&part, &whole);
                less = part;
        }
}

static void test_noise(void **state)
{
        static uint8_t noise[1 << 16];

        (void)state;
        fill_noise(noise, sizeof noise, 1);
        for (size_t i = 0; i + 20 <= sizeof noise; i++)
                check_noise(noise + i, i % 20 + 1);
}

/* Noise behind each beginning that leads somewhere. */
static void test_noise_behind_prefixes(void **state)
{
        static const char *const beginnings[] = {
                "66",    "48",       "0f",       "66 0f", "0f 38",    "0f 3a",
                "c5 f8", "c4 e2 79", "62 f1 7c", "8f e8", "67 f3 4f", "66 66 66 66 66 66"};
        static uint8_t noise[1 << 14];

        (void)state;
        fill_noise(noise, sizeof noise, 2);
        for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
                for (size_t at = 0; at + 16 <= sizeof noise; at += 7) {
                        uint8_t bytes[32];
                        size_t size = from_hex(beginnings[i], bytes);

                        memcpy(bytes + size, noise + at, 16);
                        check_noise(bytes, size + at % 17);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_examples),
                cmocka_unit_test(test_truncated_examples),
                cmocka_unit_test(test_what_is_known_early),
                cmocka_unit_test(test_no_instructions),
                cmocka_unit_test(test_noise),
                cmocka_unit_test(test_noise_behind_prefixes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
