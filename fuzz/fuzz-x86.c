/* The lengths of x86-64 instructions: a sweep over the bytes. */
#include "delta/elf/x86.h"

#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

static bool is_part_of(const struct su_x86_instruction *part,
                       const struct su_x86_instruction *whole)
{
        const uint8_t *fields = (const uint8_t *)part, *final = (const uint8_t *)whole;

        for (size_t i = 0; i < sizeof *part; i++)
                if (fields[i] != 0 && fields[i] != final[i])
                        return false;
        return true;
}

/* The parts follow each other without a gap, up to the end. */
static void check_places(const struct su_x86_instruction *x)
{
        uint8_t at = x->opcode_at + 1;

        if (x->modrm_at != 0)
                fuzz_check(x->modrm_at == at++);
        if (x->sib_at != 0)
                fuzz_check(x->modrm_at != 0 && x->sib_at == at++);
        fuzz_check((x->displacement_at != 0) == (x->displacement_size != 0));
        if (x->displacement_at != 0)
                fuzz_check(x->displacement_at == at);
        at += x->displacement_size;
        fuzz_check((x->immediate_at != 0) == (x->immediate_size != 0));
        if (x->immediate_at != 0)
                fuzz_check(x->immediate_at == at);
        fuzz_check(x->length == at + x->immediate_size);
        fuzz_check(x->immediate_size <= 8 && x->displacement_size <= 4);
        fuzz_check(x->map <= 10 && x->relative <= SU_X86_RIP);
        switch (x->relative) {
        case SU_X86_NONE:
                break;
        case SU_X86_REL8:
                fuzz_check(x->displacement_size == 1 && x->modrm_at == 0);
                break;
        default:
                fuzz_check(x->displacement_size == 4);
        }
}

/* From memory of exactly this size, so that the sanitizer sees a read beyond. */
static int decode_copy(const uint8_t *data, size_t size, struct su_x86_instruction *ret)
{
        su_auto_free uint8_t *copy = malloc(size > 0 ? size : 1);

        fuzz_check(copy);
        memcpy(copy, data, size);
        return su_x86_decode(copy, size, ret);
}

static void check_prefixes(const uint8_t *data, size_t size, int length,
                           const struct su_x86_instruction *whole)
{
        struct su_x86_instruction part, less = {0};
        size_t known = 0;

        for (; known < size && (length <= 0 || known < (size_t)length); known++) {
                int r = decode_copy(data, known, &part);

                fuzz_check(r == -1 || (r == 0 && length == 0));
                if (r == -1)
                        fuzz_check(is_part_of(&less, &part));
                if (length != 0)
                        fuzz_check(is_part_of(&part, whole));
                less = part;
        }
        if (length > 0) {
                fuzz_check(decode_copy(data, known, &part) == length);
                fuzz_check(memcmp(&part, whole, sizeof part) == 0);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct su_x86_instruction none;
        struct su_x86_instruction x;
        int length;

        for (size_t at = 0; at<size; at += length> 0 ? (size_t)length : 1) {
                size_t left = size - at < 20 ? size - at : 20;

                length = su_x86_decode(data + at, size - at, &x);
                fuzz_check(length >= -1 && length <= SU_X86_LENGTH_MAX);
                fuzz_check(length <= 0 || (size_t)length <= size - at);
                if (length == 0)
                        fuzz_check(memcmp(&x, &none, sizeof x) == 0);
                if (length > 0)
                        fuzz_check(x.length == length);
                if (x.length != 0)
                        check_places(&x);
                check_prefixes(data + at, left, length, &x);
        }
        return 0;
}
