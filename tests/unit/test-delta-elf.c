/* References, the shape of modules, and hostile headers. */
#include "random.h"
#include "sample-elf.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "delta/elf/bytes.h"
#include "delta/elf/module.h"

/* ---- references ---- */

struct field {
        enum su_reference_kind kind;
        unsigned extra;
        uint64_t at, base;
};

static uint64_t signed_bits(uint64_t *seed, unsigned bits)
{
        return (uint64_t)su_sign_extend(random_next(seed), bits);
}

/* A value that the field can hold. */
static uint64_t random_value(const struct field *field, uint64_t *seed)
{
        uint64_t word = random_next(seed) >> 32;

        switch (field->kind) {
        case SU_CALL32:
        case SU_JUMP32:
        case SU_RIP32:
                return field->at + field->extra + signed_bits(seed, 32);
        case SU_REL8:
                return field->at + 1 + signed_bits(seed, 8);
        case SU_ADDRESS32:
                return signed_bits(seed, 32);
        case SU_DISTANCE32:
                return field->at + signed_bits(seed, 32);
        case SU_CIE32:
                return field->at - word;
        case SU_BASED32:
                return field->base + signed_bits(seed, 32);
        case SU_INDEX32:
                return field->base + word * field->extra;
        case SU_SIZE32:
        case SU_STRING32:
                return field->base + word;
        case SU_IMMEDIATE32:
                return word;
        case SU_BRANCH26:
                return field->at + signed_bits(seed, 26) * 4;
        case SU_BRANCH19:
        case SU_LITERAL19:
                return field->at + signed_bits(seed, 19) * 4;
        case SU_BRANCH14:
                return field->at + signed_bits(seed, 14) * 4;
        case SU_PAGE21:
                return (field->at & ~UINT64_C(0xfff)) + signed_bits(seed, 21) * 4096;
        case SU_ADR21:
                return field->at + signed_bits(seed, 21);
        case SU_LOW12:
                return (word & 0xfff) >> field->extra << field->extra;
        case SU_MOVE16:
                return word & 0xffff;
        default:
                return random_next(seed);
        }
}

static struct field random_field(enum su_reference_kind kind, uint64_t *seed)
{
        struct field field = {.kind = kind, .at = random_wide(seed), .base = random_wide(seed)};

        if (kind == SU_INDEX32)
                field.extra = (unsigned)(1 + random_below(seed, 64));
        else if (kind == SU_LOW12)
                field.extra = (unsigned)random_below(seed, 5);
        else
                field.extra = (unsigned)random_below(seed, 12);
        return field;
}

static uint64_t read_field(const struct field *field, const uint8_t *bytes)
{
        return su_reference_read(bytes, field->kind, field->extra, field->at, field->base);
}

static void write_field(const struct field *field, uint8_t *bytes, uint64_t value)
{
        su_reference_write(bytes, field->kind, field->extra, field->at, field->base, value);
}

static void check_field(const struct field *field, uint64_t *seed)
{
        uint8_t before[16], after[16];
        uint64_t value = random_value(field, seed), label = random_next(seed);
        unsigned width = su_reference_width(field->kind);

        fill_noise(before, sizeof before, (uint32_t)random_next(seed));
        memcpy(after, before, sizeof after);
        write_field(field, after, value);
        if (read_field(field, after) != value)
                fail_msg("%s: %#lx is read as %#lx", su_reference_name(field->kind),
                         (unsigned long)value, (unsigned long)read_field(field, after));
        assert_memory_equal(after + width, before + width, sizeof after - width);
        write_field(field, after, value); /* the same bits again */
        assert_int_equal(read_field(field, after), value);
        su_reference_mask(after, field->kind, label); /* no other bits have changed */
        su_reference_mask(before, field->kind, label);
        assert_memory_equal(after, before, sizeof after);
}

static void test_references(void **state)
{
        uint64_t seed = 1;

        (void)state;
        for (unsigned kind = 0; kind < SU_REFERENCE_KINDS; kind++) {
                assert_in_range(su_reference_width(kind), 1, 8);
                assert_true(strlen(su_reference_name(kind)) > 3);
                for (unsigned i = 0; i < 3000; i++) {
                        struct field field = random_field(kind, &seed);

                        check_field(&field, &seed);
                }
        }
}

static void test_known_fields(void **state)
{
        static const struct {
                const char *bytes;
                struct field field;
                uint64_t value;
        } cases[] = {
                {"\xfb\xff\xff\xff", {SU_CALL32, 4, 0x1001, 0}, 0x1000},
                {"\x10\0\0\0", {SU_RIP32, 8, 0x2000, 0}, 0x2018},
                {"\xfe", {SU_REL8, 0, 0x1001, 0}, 0x1000},
                {"\0\0\0\x80", {SU_ADDRESS32, 0, 0, 0}, UINT64_C(0xffffffff80000000)},
                {"\x14\0\0\0", {SU_CIE32, 0, 0x114, 0}, 0x100},
                {"\x03\0\0\0", {SU_INDEX32, 24, 0, 0x200}, 0x248},
                {"\xff\xff\xff\x97", {SU_BRANCH26, 0, 0x1000, 0}, 0xffc},
                {"\x40\0\0\xb4", {SU_BRANCH19, 0, 0x1000, 0}, 0x1008},
                {"\x40\0\0\x36", {SU_BRANCH14, 0, 0x1000, 0}, 0x1008},
                {"\0\0\0\xb0", {SU_PAGE21, 0, 0x1234, 0}, 0x2000},
                {"\x04\x01\0\x30", {SU_ADR21, 0, 0x1000, 0}, 0x1021},
                {"\x40\x0c\x40\xf9", {SU_LOW12, 3, 0, 0}, 24},
                {"\x41\x05\x80\x52", {SU_MOVE16, 0, 0, 0}, 42},
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++)
                assert_int_equal(read_field(&cases[i].field, (const uint8_t *)cases[i].bytes),
                                 cases[i].value);
}

/* ---- shape ---- */

static void test_shape(void **state)
{
        (void)state;
        for (unsigned i = 0; i < 4; i++) {
                struct sample_elf sample = {
                        .machine = i % 2 ? EM_X86_64 : EM_AARCH64, .functions = 20, .fixed = i / 2};
                su_auto_elf struct su_elf elf = {0};

                sample_elf_make(&sample);
                assert_true(su_elf_parse(sample.data, sample.size, &elf));
                assert_int_equal(elf.machine, sample.machine);
                assert_int_equal(elf.fixed, sample.fixed);
                assert_int_equal(elf.n_segments, 3);
                assert_int_equal(elf.n_sections, SAMPLE_SECTIONS - 2); /* the first, and .bss */
                assert_int_equal(elf.zero_size, 256);
                assert_int_equal(elf.dynsym->offset, sample.offsets[SAMPLE_DYNSYM]);
                assert_int_equal(elf.dynstr->offset, sample.offsets[SAMPLE_DYNSTR]);
                assert_int_equal(elf.rela_plt->offset, sample.offsets[SAMPLE_RELA_PLT]);
                assert_int_equal(su_elf_extent(sample.data, sample.size), sample.size);
                assert_int_equal(su_elf_extent(sample.data, sample.size - 1),
                                 sample.offsets[SAMPLE_BSS]);
                assert_true(su_elf_is_code(&elf, sample_elf_function(&sample, 3)));
                assert_false(su_elf_is_code(&elf, sample.addresses[SAMPLE_DATA]));
                free(sample.data);
        }
}

static void test_positions(void **state)
{
        struct sample_elf sample = {.machine = EM_X86_64, .functions = 6, .fixed = true};
        su_auto_elf struct su_elf elf = {0};
        uint64_t address, position;

        (void)state;
        sample_elf_make(&sample);
        assert_true(su_elf_parse(sample.data, sample.size, &elf));
        for (uint64_t i = 0; i < sample.offsets[SAMPLE_BSS]; i++) {
                if (!su_elf_address(&elf, i, &address))
                        continue;
                assert_true(su_elf_position(&elf, address, &position));
                assert_int_equal(position, i);
        }
        for (uint64_t i = 0; i <= 256; i++) {
                assert_true(su_elf_address(&elf, elf.size + i, &address));
                assert_int_equal(address, sample.addresses[SAMPLE_BSS] + i);
                assert_true(su_elf_position(&elf, address, &position));
                assert_int_equal(position, elf.size + i);
        }
        assert_false(su_elf_address(&elf, elf.size + 257, &address));
        assert_false(su_elf_position(&elf, sample.addresses[SAMPLE_BSS] + 257, &position));
        assert_false(su_elf_position(&elf, 0, &position));
        assert_false(su_elf_position(&elf, UINT64_MAX, &position));
        for (size_t i = 0; i < elf.n_sections; i++) {
                const struct su_elf_section *section = &elf.sections[i];

                assert_int_equal(su_elf_section_at(&elf, section->offset), i);
                assert_int_equal(su_elf_section_at(&elf, section->offset + section->size - 1), i);
                assert_int_equal(su_elf_section_at(&elf, section->offset + section->size), i + 1);
        }
        free(sample.data);
}

static void test_what_is_no_module(void **state)
{
        struct sample_elf sample = {.machine = EM_X86_64, .functions = 6};
        static const struct {
                size_t at;
                uint8_t value;
        } changes[] = {{0, 'x'}, {4, 1}, {5, 2}, {18, EM_386}, {19, 1}};
        su_auto_module struct su_module empty = {0};
        struct su_elf elf;

        (void)state;
        sample_elf_make(&sample);
        for (size_t i = 0; i < SU_ELEMENTS(changes); i++) {
                su_auto_module struct su_module module = {0};
                su_auto_block struct su_block block = {0};
                uint8_t before = sample.data[changes[i].at];

                sample.data[changes[i].at] = changes[i].value;
                assert_false(su_elf_parse(sample.data, sample.size, &elf));
                assert_int_equal(su_elf_extent(sample.data, sample.size), 0);
                assert_true(su_module_open(sample.data, sample.size, &module, NULL) >= 0);
                assert_true(su_module_block(&module, 0, &block, NULL) >= 0);
                assert_int_equal(block.n_references, 0);
                sample.data[changes[i].at] = before;
        }
        assert_false(su_elf_parse(sample.data, 63, &elf));
        assert_true(su_module_open(NULL, 0, &empty, NULL) >= 0);
        free(sample.data);
}

/* ---- hostile headers ---- */

static void check_module(const uint8_t *data, size_t size, struct su_block *block)
{
        su_auto_module struct su_module module = {0};
        uint64_t n = (size + SU_MODULE_BLOCK - 1) >> SU_MODULE_BLOCK_LOG;

        assert_true(su_elf_extent(data, size) <= size);
        assert_true(su_module_open(data, size, &module, NULL) >= 0);
        for (uint64_t i = 0; i < n; i++) {
                uint64_t end = 0;

                assert_true(su_module_block(&module, i, block, NULL) >= 0);
                for (size_t j = 0; j < block->n_references; j++) {
                        const struct su_reference *reference = &block->references[j];

                        assert_true(reference->offset >= end);
                        end = reference->offset + su_reference_width(reference->kind);
                        assert_true(end <= size);
                }
        }
}

static void check_changes(struct sample_elf *sample, size_t start, size_t end,
                          struct su_block *block)
{
        const uint64_t values[] = {0,
                                   1,
                                   sample->size - 1,
                                   sample->size,
                                   sample->size + 1,
                                   UINT32_MAX,
                                   INT64_MAX,
                                   UINT64_MAX,
                                   UINT64_MAX - sample->size};

        for (size_t at = start; at + 8 <= end; at += 4)
                for (size_t i = 0; i < SU_ELEMENTS(values); i++) {
                        uint64_t before = su_get64(sample->data + at);

                        su_put64(sample->data + at, values[i]);
                        check_module(sample->data, sample->size, block);
                        su_put64(sample->data + at, before);
                }
}

/* Every field of every header, of relocations, frames and tables takes every value that may hurt.
 */
static void test_hostile_fields(void **state)
{
        su_auto_block struct su_block block = {0};

        (void)state;
        for (unsigned i = 0; i < 4; i++) {
                struct sample_elf sample = {
                        .machine = i % 2 ? EM_X86_64 : EM_AARCH64, .functions = 4, .bare = i / 2};

                sample_elf_make(&sample);
                check_changes(&sample, 16, sample.offsets[SAMPLE_RODATA], &block);
                check_changes(&sample, sample.offsets[SAMPLE_FRAME_INDEX],
                              sample.offsets[SAMPLE_PLT], &block);
                check_changes(&sample, sample.offsets[SAMPLE_NAMES], sample.size, &block);
                free(sample.data);
        }
}

static void test_truncations(void **state)
{
        struct sample_elf sample = {.machine = EM_AARCH64, .functions = 4};
        su_auto_block struct su_block block = {0};

        (void)state;
        sample_elf_make(&sample);
        for (size_t size = 0; size < sample.size; size++) {
                uint8_t *cut = malloc(size + 1);

                assert_non_null(cut);
                memcpy(cut, sample.data, size);
                cut = realloc(cut, size ? size : 1); /* nothing behind it */
                assert_non_null(cut);
                check_module(cut, size, &block);
                free(cut);
        }
        free(sample.data);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_references),
                cmocka_unit_test(test_known_fields),
                cmocka_unit_test(test_shape),
                cmocka_unit_test(test_positions),
                cmocka_unit_test(test_what_is_no_module),
                cmocka_unit_test(test_hostile_fields),
                cmocka_unit_test(test_truncations),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
