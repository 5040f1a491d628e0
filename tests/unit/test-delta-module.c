/* The references of modules whose every reference is known. */
#include "random.h"
#include "sample-elf.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "delta/elf/bytes.h"
#include "delta/elf/module.h"

struct opened {
        struct sample_elf sample;
        struct su_module module;
        struct su_block *blocks;
        uint64_t n;
};

static void open_sample(struct opened *ret, struct sample_elf sample)
{
        ret->sample = sample;
        sample_elf_make(&ret->sample);
        assert_true(su_module_open(ret->sample.data, ret->sample.size, &ret->module, NULL) >= 0);
        ret->n = (ret->sample.size + SU_MODULE_BLOCK - 1) >> SU_MODULE_BLOCK_LOG;
        ret->blocks = calloc(ret->n, sizeof *ret->blocks);
        assert_non_null(ret->blocks);
        for (uint64_t i = 0; i < ret->n; i++) {
                assert_true(su_module_block(&ret->module, i, &ret->blocks[i], NULL) >= 0);
                su_module_fields(&ret->module, &ret->blocks[i]);
        }
}

static void close_sample(struct opened *opened)
{
        for (uint64_t i = 0; i < opened->n; i++)
                su_block_done(&opened->blocks[i]);
        free(opened->blocks);
        su_module_done(&opened->module);
        free(opened->sample.data);
}

static const struct su_reference *find(const struct opened *opened, uint64_t offset)
{
        const struct su_block *block = &opened->blocks[offset >> SU_MODULE_BLOCK_LOG];

        for (size_t i = 0; i < block->n_references; i++)
                if (block->references[i].offset == offset)
                        return &block->references[i];
        return NULL;
}

/* There is a reference of this kind, to a position. */
static void expect(const struct opened *opened, uint64_t offset, enum su_reference_kind kind,
                   uint64_t target)
{
        const struct su_reference *reference = find(opened, offset);

        if (!reference)
                fail_msg("no reference at %#lx, where %s is", (unsigned long)offset,
                         su_reference_name(kind));
        if (reference->kind != kind || reference->target != target)
                fail_msg("at %#lx: %s to %#lx, not %s to %#lx", (unsigned long)offset,
                         su_reference_name(reference->kind), (unsigned long)reference->target,
                         su_reference_name(kind), (unsigned long)target);
}

static uint64_t position(const struct opened *opened, uint64_t address)
{
        uint64_t result = UINT64_MAX;

        assert_true(su_elf_position(&opened->module.elf, address, &result));
        return result;
}

static uint64_t at(const struct opened *opened, enum sample_section section, uint64_t offset)
{
        return opened->sample.offsets[section] + offset;
}

/* A position in a section, through its address: .bss has positions behind the file. */
static uint64_t place(const struct opened *opened, enum sample_section section, uint64_t offset)
{
        return position(opened, opened->sample.addresses[section] + offset);
}

static uint64_t function(const struct opened *opened, size_t i)
{
        return position(opened, sample_elf_function(&opened->sample, i));
}

static uint64_t string(const struct opened *opened, size_t i)
{
        return place(opened, SAMPLE_RODATA,
                     16 + 16 * (opened->sample.ids[i] % (uint64_t)opened->sample.functions));
}

static uint64_t variable(const struct opened *opened, size_t i)
{
        return place(opened, SAMPLE_BSS, 8 * (opened->sample.ids[i] * 5 % 16));
}

/* ---- what both machines have ---- */

static void expect_tables(const struct opened *opened)
{
        for (unsigned i = 0; i < 3; i++) {
                uint64_t rela = at(opened, SAMPLE_RELA, 24 * i);

                expect(opened, rela, SU_ADDRESS64, place(opened, SAMPLE_DATA, 8 * i));
                expect(opened, rela + 16, SU_ADDRESS64, function(opened, i * 2 + 1));
                expect(opened, at(opened, SAMPLE_DATA, 8 * i), SU_ADDRESS64,
                       function(opened, i * 2 + 1));
        }
        expect(opened, at(opened, SAMPLE_RELA, 72 + 12), SU_INDEX32,
               at(opened, SAMPLE_DYNSYM, 4 * 24));
        expect(opened, at(opened, SAMPLE_RELA_PLT, 12), SU_INDEX32,
               at(opened, SAMPLE_DYNSYM, 4 * 24));
        expect(opened, at(opened, SAMPLE_RELR, 0), SU_ADDRESS64, at(opened, SAMPLE_INIT, 0));
        assert_null(find(opened, at(opened, SAMPLE_RELR, 8)));
        for (unsigned i = 0; i < 2; i++)
                expect(opened, at(opened, SAMPLE_INIT, 8 * i), SU_ADDRESS64,
                       function(opened, i + 2));
        expect(opened, at(opened, SAMPLE_DYNAMIC, 8), SU_ADDRESS64, at(opened, SAMPLE_DYNSYM, 0));
        expect(opened, at(opened, SAMPLE_DYNAMIC, 72), SU_ADDRESS64, at(opened, SAMPLE_INIT, 0));
        assert_null(find(opened, at(opened, SAMPLE_DATA, 24)));
}

static void expect_symbols(const struct opened *opened)
{
        for (unsigned i = 1; i < 4; i++) {
                uint64_t symbol = at(opened, SAMPLE_DYNSYM, 24 * i);

                expect(opened, symbol, SU_STRING32, at(opened, SAMPLE_DYNSTR, 8 * i - 7));
                expect(opened, symbol + 8, SU_ADDRESS64, function(opened, i - 1));
                expect(opened, symbol + 16, SU_SIZE64, function(opened, i));
        }
        assert_null(find(opened, at(opened, SAMPLE_DYNSYM, 4 * 24 + 8))); /* undefined */
        expect(opened, at(opened, SAMPLE_HASH, 4), SU_INDEX32, at(opened, SAMPLE_DYNSYM, 24));
        expect(opened, at(opened, SAMPLE_HASH, 24), SU_INDEX32, at(opened, SAMPLE_DYNSYM, 24));
}

static void expect_frames(const struct opened *opened)
{
        expect(opened, at(opened, SAMPLE_FRAME_INDEX, 4), SU_DISTANCE32,
               at(opened, SAMPLE_FRAMES, 0));
        for (unsigned i = 0; i < opened->sample.n; i++) {
                uint64_t record = at(opened, SAMPLE_FRAMES, 24 + 32 * i);
                uint64_t end = opened->sample.offsets[SAMPLE_TEXT] + opened->sample.starts[i + 1];

                expect(opened, record + 4, SU_CIE32, at(opened, SAMPLE_FRAMES, 0));
                expect(opened, record + 8, SU_DISTANCE32, function(opened, i));
                expect(opened, record + 12, SU_SIZE32, end);
                expect(opened, at(opened, SAMPLE_FRAME_INDEX, 12 + 8 * i), SU_BASED32,
                       function(opened, i));
                expect(opened, at(opened, SAMPLE_FRAME_INDEX, 16 + 8 * i), SU_BASED32, record);
        }
}

static void expect_headers(const struct opened *opened)
{
        uint64_t headers = opened->sample.size - 64 * SAMPLE_SECTIONS;

        expect(opened, 24, SU_ADDRESS64, function(opened, 0));
        expect(opened, 40, SU_OFFSET64, headers);
        expect(opened, 64 + 56 + 8, SU_OFFSET64, at(opened, SAMPLE_PLT, 0));
        expect(opened, 64 + 56 + 16, SU_ADDRESS64, at(opened, SAMPLE_PLT, 0));
        for (unsigned i = SAMPLE_DYNSYM; i < SAMPLE_SECTIONS; i++) {
                expect(opened, headers + 64 * i + 24, SU_OFFSET64, at(opened, i, 0));
                if (i != SAMPLE_NAMES)
                        expect(opened, headers + 64 * i + 16, SU_ADDRESS64, place(opened, i, 0));
        }
}

/* What a field says, read where it stands, is the place that it refers to. */
static void expect_sense(const struct opened *opened)
{
        const struct su_elf *elf = &opened->module.elf;

        for (uint64_t i = 0; i < opened->n; i++)
                for (size_t j = 0; j < opened->blocks[i].n_references; j++) {
                        const struct su_reference *reference = &opened->blocks[i].references[j];
                        uint64_t address = 0, base = 0, value, target;

                        if (su_reference_is_number(reference->kind) ||
                            su_reference_is_offset(reference->kind) ||
                            su_reference_is_end(reference->kind) || reference->kind == SU_INDEX32 ||
                            reference->kind == SU_PAGE21 || reference->kind == SU_LOW12)
                                continue;
                        (void)su_elf_address(elf, reference->offset, &address);
                        (void)su_elf_address(elf, reference->base, &base);
                        value = su_reference_read(elf->data + reference->offset, reference->kind,
                                                  reference->extra, address, base);
                        assert_true(su_elf_position(elf, value, &target));
                        assert_int_equal(target, reference->target);
                }
}

static void expect_common(const struct opened *opened)
{
        expect_tables(opened);
        expect_symbols(opened);
        expect_frames(opened);
        expect_headers(opened);
        expect_sense(opened);
}

/* ---- code ---- */

static void expect_x86(const struct opened *opened, size_t i)
{
        uint64_t start = at(opened, SAMPLE_TEXT, opened->sample.starts[i]);
        const struct su_block *block = &opened->blocks[start >> SU_MODULE_BLOCK_LOG];
        uint64_t rest = start + 38;

        expect(opened, start + 7, SU_RIP32,
               i == 0 ? at(opened, SAMPLE_RODATA, 0) : string(opened, i));
        expect(opened, start + 12, SU_IMMEDIATE32, 40 + 13 * opened->sample.ids[i]);
        expect(opened, start + 17, SU_CALL32, function(opened, i * 7 + 3));
        expect(opened, start + 24, SU_REL8, start + 31);
        expect(opened, start + 27, SU_RIP32, variable(opened, i));
        expect(opened, start + 34, SU_RIP32, at(opened, SAMPLE_GOT, 16));
        while (opened->sample.data[rest] == 0x48)
                rest += 4;
        expect(opened, rest + 1, SU_CALL32, at(opened, SAMPLE_PLT, 16 * (i % 2)));
        expect(opened, rest + 7, SU_JUMP32, start);
        assert_int_equal(block->fields[start - block->start], SU_FIELD_OPCODE | SU_FIELD_START);
        if (start + 14 < block->end) {
                assert_int_equal(block->fields[start + 1 - block->start],
                                 SU_FIELD_PREFIX | SU_FIELD_START);
                assert_int_equal(block->fields[start + 3 - block->start], SU_FIELD_MODRM);
                assert_int_equal(block->fields[start + 7 - block->start], SU_FIELD_DISPLACEMENT32);
                assert_int_equal(block->fields[start + 13 - block->start], SU_FIELD_IMMEDIATE32);
        }
}

static void expect_a64(const struct opened *opened, size_t i)
{
        uint64_t start = at(opened, SAMPLE_TEXT, opened->sample.starts[i]), rest = start + 40;

        expect(opened, start + 4, SU_PAGE21, string(opened, i));
        expect(opened, start + 8, SU_LOW12, string(opened, i));
        expect(opened, start + 12, SU_MOVE16, 40 + 13 * opened->sample.ids[i]);
        expect(opened, start + 16, SU_BRANCH26, function(opened, i * 7 + 3));
        expect(opened, start + 20, SU_BRANCH19, start + 32);
        expect(opened, start + 24, SU_PAGE21, variable(opened, i));
        expect(opened, start + 28, SU_LOW12, variable(opened, i));
        expect(opened, start + 32, SU_BRANCH14, start + 48);
        expect(opened, start + 36, SU_LITERAL19, at(opened, SAMPLE_TEXT, 0));
        while (opened->sample.data[rest + 3] == 0x11)
                rest += 4;
        expect(opened, rest, SU_BRANCH26, at(opened, SAMPLE_PLT, 16 * (i % 2)));
        expect(opened, rest + 4, SU_ADR21, rest + 4 + 8);
        expect(opened, rest + 8, SU_BRANCH19, start);
}

static void test_x86(void **state)
{
        struct opened opened;

        (void)state;
        open_sample(&opened, (struct sample_elf){.machine = EM_X86_64, .functions = 30});
        expect_common(&opened);
        for (size_t i = 0; i < opened.sample.n; i++)
                expect_x86(&opened, i);
        for (unsigned i = 0; i < 4; i++) /* the jump table */
                expect(&opened, at(&opened, SAMPLE_RODATA, 4 * i), SU_BASED32,
                       function(&opened, i) + 4);
        expect(&opened, at(&opened, SAMPLE_PLT, 2), SU_RIP32, at(&opened, SAMPLE_GOT, 0));
        expect(&opened, at(&opened, SAMPLE_PLT, 16 + 7), SU_INDEX32,
               at(&opened, SAMPLE_RELA_PLT, 24));
        expect(&opened, at(&opened, SAMPLE_PLT, 12), SU_JUMP32, at(&opened, SAMPLE_PLT, 0));
        close_sample(&opened);
}

static void test_a64(void **state)
{
        struct opened opened;

        (void)state;
        open_sample(&opened, (struct sample_elf){.machine = EM_AARCH64, .functions = 30});
        expect_common(&opened);
        for (size_t i = 0; i < opened.sample.n; i++)
                expect_a64(&opened, i);
        expect(&opened, at(&opened, SAMPLE_PLT, 0), SU_PAGE21, at(&opened, SAMPLE_GOT, 0));
        expect(&opened, at(&opened, SAMPLE_PLT, 4), SU_LOW12, at(&opened, SAMPLE_GOT, 0));
        close_sample(&opened);
}

/* ---- blocks ---- */

static void check_same(const struct su_block *a, const struct su_block *b)
{
        assert_int_equal(a->start, b->start);
        assert_int_equal(a->end, b->end);
        assert_int_equal(a->n_references, b->n_references);
        for (size_t i = 0; i < a->n_references; i++) {
                assert_int_equal(a->references[i].offset, b->references[i].offset);
                assert_int_equal(a->references[i].kind, b->references[i].kind);
                assert_int_equal(a->references[i].target, b->references[i].target);
                assert_int_equal(a->references[i].base, b->references[i].base);
        }
        assert_memory_equal(a->fields, b->fields, sizeof a->fields);
}

static void check_order(const struct opened *opened, struct su_block *again)
{
        uint64_t seed = 7;

        for (unsigned i = 0; i < 50; i++) {
                uint64_t number = random_below(&seed, opened->n);

                assert_true(su_module_block(&opened->module, number, again, NULL) >= 0);
                su_module_fields(&opened->module, again);
                check_same(again, &opened->blocks[number]);
        }
        for (uint64_t i = 0; i < opened->n; i++) {
                uint64_t end = opened->blocks[i].start;

                for (size_t j = 0; j < opened->blocks[i].n_references; j++) {
                        const struct su_reference *reference = &opened->blocks[i].references[j];

                        assert_true(reference->offset >= end);
                        end = reference->offset + su_reference_width(reference->kind);
                        assert_true(reference->offset < opened->blocks[i].end);
                }
        }
}

/* Code and frames go over the ends of blocks, and nothing is lost there. */
static void test_large_modules(void **state)
{
        su_auto_block struct su_block again = {0};

        (void)state;
        for (unsigned version = 0; version < 2; version++) {
                struct opened opened;

                open_sample(&opened,
                            (struct sample_elf){.machine = version ? EM_AARCH64 : EM_X86_64,
                                                .functions = SAMPLE_FUNCTIONS_MAX});
                assert_true(opened.n >= 3);
                check_order(&opened, &again);
                expect_frames(&opened);
                expect_sense(&opened);
                for (size_t i = 0; i < opened.sample.n; i++)
                        (version ? expect_a64 : expect_x86)(&opened, i);
                close_sample(&opened);
        }
}

static void test_fixed_addresses(void **state)
{
        struct opened opened;

        (void)state;
        open_sample(&opened,
                    (struct sample_elf){.machine = EM_X86_64, .functions = 10, .fixed = true});
        expect_x86(&opened, 2);
        expect_sense(&opened);
        close_sample(&opened);
}

/* Without section headers what is executable is code, and the rest has nothing that is known. */
static void test_bare(void **state)
{
        struct opened opened;

        (void)state;
        open_sample(&opened,
                    (struct sample_elf){.machine = EM_AARCH64, .functions = 10, .bare = true});
        for (size_t i = 0; i < opened.sample.n; i++)
                expect_a64(&opened, i);
        assert_null(find(&opened, at(&opened, SAMPLE_RELA, 0)));
        close_sample(&opened);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_x86),           cmocka_unit_test(test_a64),
                cmocka_unit_test(test_large_modules), cmocka_unit_test(test_fixed_addresses),
                cmocka_unit_test(test_bare),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
