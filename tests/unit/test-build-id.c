#include "support.h"

#include <elf.h>
#include <string.h>

#include "inventory/build_id.h"
#include "inventory/facts.h"

/* The smallest ELF file with a note of another owner before the build-id. */
struct elf {
        Elf64_Ehdr header;
        Elf64_Phdr segments[2];
        struct {
                Elf64_Nhdr head;
                char owner[4];
                uint8_t data[4];
        } other;
        struct {
                Elf64_Nhdr head;
                char owner[4];
                uint8_t data[20];
        } id;
};

static struct elf sample(void)
{
        struct elf elf = {
                .header = {.e_machine = SU_ELF_MACHINE_X86_64,
                           .e_phoff = offsetof(struct elf, segments),
                           .e_phentsize = sizeof(Elf64_Phdr),
                           .e_phnum = 2},
                .segments = {{.p_type = PT_LOAD},
                             {.p_type = PT_NOTE,
                              .p_offset = offsetof(struct elf, other),
                              .p_filesz = sizeof elf.other + sizeof elf.id,
                              .p_align = 4}},
                .other = {{3, 4, NT_GNU_BUILD_ID}, "Go", {9, 9, 9, 9}},
                .id = {{4, 20, NT_GNU_BUILD_ID}, "GNU", {0xaa, 0xbb}},
        };

        memcpy(elf.header.e_ident, ELFMAG, SELFMAG);
        elf.header.e_ident[EI_CLASS] = ELFCLASS64;
        elf.header.e_ident[EI_DATA] = ELFDATA2LSB;
        return elf;
}

/* The size of the build-id that is found: 0 for none. */
static int id_size_of(const void *data, size_t size, uint16_t *ret_machine)
{
        su_auto_close int fd = memory_file_of(data, size);
        struct su_build_id id = {.size = 99};
        struct su_error err = {0};

        assert_ok(su_build_id_read(fd, "file", &id, ret_machine, &err), err);
        return id.size;
}

static void test_found(void **state)
{
        struct elf elf = sample();
        su_auto_close int fd = memory_file_of(&elf, sizeof elf);
        struct su_build_id id;
        uint16_t machine;
        struct su_error err = {0};

        (void)state;
        assert_ok(su_build_id_read(fd, "file", &id, &machine, &err), err);
        assert_int_equal(machine, SU_ELF_MACHINE_X86_64);
        assert_int_equal(id.size, 20);
        assert_int_equal(id.bytes[0], 0xaa);
        assert_ok(su_build_id_read(fd, "file", &id, NULL, &err), err);
}

static void test_what_is_no_elf_file(void **state)
{
        struct elf elf = sample();
        uint16_t machine = 99;

        (void)state;
        assert_int_equal(id_size_of("", 0, &machine), 0);
        assert_int_equal(machine, 0);
        assert_int_equal(id_size_of("#!/bin/sh\n", 10, NULL), 0);
        elf.header.e_ident[EI_CLASS] = ELFCLASSNONE;
        assert_int_equal(id_size_of(&elf, sizeof elf, &machine), 0);
        assert_int_equal(machine, 0);
        elf.header.e_ident[EI_CLASS] = ELFCLASS64;
        elf.header.e_ident[EI_DATA] = ELFDATA2MSB;
        assert_int_equal(id_size_of(&elf, sizeof elf, &machine), 0);
        assert_int_equal(machine, 0);
}

static void test_damaged(void **state)
{
        static const uint64_t offsets[] = {0, sizeof(struct elf), UINT64_MAX, INT64_MAX};
        struct elf elf;

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(offsets); i++) {
                elf = sample();
                elf.segments[1].p_offset = offsets[i];
                assert_int_equal(id_size_of(&elf, sizeof elf, NULL), 0);
                elf = sample();
                elf.header.e_phoff = offsets[i];
                assert_int_equal(id_size_of(&elf, sizeof elf, NULL), 0);
        }
        elf = sample();
        elf.segments[1].p_filesz = 64 * 1024 + 1;
        assert_int_equal(id_size_of(&elf, sizeof elf, NULL), 0);
        elf = sample();
        elf.header.e_phnum = UINT16_MAX;
        assert_int_equal(id_size_of(&elf, sizeof elf, NULL), 0);
        elf = sample();
        elf.header.e_phentsize = 1;
        assert_int_equal(id_size_of(&elf, sizeof elf, NULL), 0);
}

static void test_note_sizes(void **state)
{
        static const uint32_t sizes[] = {0, 33, UINT32_MAX, UINT32_MAX - 3};
        struct elf elf;

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(sizes); i++) {
                elf = sample();
                elf.id.head.n_descsz = sizes[i];
                assert_int_equal(id_size_of(&elf, sizeof elf, NULL), 0);
                elf = sample();
                elf.other.head.n_namesz = sizes[i] == 0 ? UINT32_MAX - 1 : sizes[i];
                (void)id_size_of(&elf, sizeof elf, NULL);
        }
        elf = sample();
        elf.id.head.n_descsz = 16;
        assert_int_equal(id_size_of(&elf, sizeof elf, NULL), 16);
}

static void test_every_truncation_is_no_error(void **state)
{
        struct elf elf = sample();

        (void)state;
        for (size_t size = 0; size < sizeof elf; size++)
                assert_int_equal(id_size_of(&elf, size, NULL), 0);
}

static void test_failing_read(void **state)
{
        struct su_build_id id = {.size = 99};
        struct su_error err = {0};

        (void)state;
        assert_fails_with(su_build_id_read(-EBADF, "file", &id, NULL, &err), err, SYSTEM, "'file'");
        assert_int_equal(id.size, 99);
}

static void test_this_program(void **state)
{
        su_auto_fclose FILE *self = fopen("/proc/self/exe", "r");
        struct su_file_facts facts;
        struct su_error err = {0};

        (void)state;
        assert_non_null(self);
        assert_ok(su_file_facts_read(fileno(self), "self", &facts, &err), err);
        assert_int_equal(facts.build_id.size, 20);
        assert_true(facts.size > 1000);
}

static void test_equal(void **state)
{
        struct su_build_id a = {2, {1, 2}};
        struct su_build_id b = {2, {1, 2}};

        (void)state;
        assert_true(su_build_id_equal(&a, &b));
        b.bytes[1] = 3;
        assert_false(su_build_id_equal(&a, &b));
        b = (struct su_build_id){1, {1}};
        assert_false(su_build_id_equal(&a, &b));
}

/* As a library of a second, 32-bit architecture. */
static void test_a_32_bit_file(void **state)
{
        const struct elf of_64bit = sample();
        struct {
                Elf32_Ehdr header;
                Elf32_Phdr segment;
                char notes[sizeof of_64bit.other + sizeof of_64bit.id];
        } elf = {
                .header = {.e_machine = EM_386,
                           .e_phoff = sizeof(Elf32_Ehdr),
                           .e_phentsize = sizeof(Elf32_Phdr),
                           .e_phnum = 1},
                .segment = {.p_type = PT_NOTE,
                            .p_offset = sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr),
                            .p_filesz = sizeof elf.notes,
                            .p_align = 4},
        };
        uint16_t machine;

        (void)state;
        memcpy(elf.header.e_ident, ELFMAG, SELFMAG);
        elf.header.e_ident[EI_CLASS] = ELFCLASS32;
        elf.header.e_ident[EI_DATA] = ELFDATA2LSB;
        memcpy(elf.notes, &of_64bit.other, sizeof of_64bit.other);
        memcpy(elf.notes + sizeof of_64bit.other, &of_64bit.id, sizeof of_64bit.id);
        assert_int_equal(id_size_of(&elf, sizeof elf, &machine), 20);
        assert_int_equal(machine, EM_386);
        elf.header.e_phentsize = sizeof(Elf64_Phdr);
        assert_int_equal(id_size_of(&elf, sizeof elf, NULL), 0);
        assert_int_equal(id_size_of(&elf, sizeof(Elf32_Ehdr) - 1, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_found),
                cmocka_unit_test(test_a_32_bit_file),
                cmocka_unit_test(test_what_is_no_elf_file),
                cmocka_unit_test(test_damaged),
                cmocka_unit_test(test_note_sizes),
                cmocka_unit_test(test_every_truncation_is_no_error),
                cmocka_unit_test(test_failing_read),
                cmocka_unit_test(test_this_program),
                cmocka_unit_test(test_equal),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
