#include "support.h"

#include <elf.h>
#include <string.h>

#include "inventory/build_id.h"
#include "inventory/os.h"

static void write_program(int root_fd, const char *path, uint16_t machine)
{
        Elf64_Ehdr header = {.e_machine = machine};

        memcpy(header.e_ident, ELFMAG, SELFMAG);
        header.e_ident[EI_CLASS] = ELFCLASS64;
        header.e_ident[EI_DATA] = ELFDATA2LSB;
        write_file(root_fd, path, &header, sizeof header);
}

static void test_values(void **state)
{
        static const char text[] = "# a comment\nA=plain\nB=\"two words\"\nC='single $x'\n"
                                   "D=\"esc \\\"q\\\" \\$x \\\\\"\nE=\nF=first\nAA=no\nF=last \r\n"
                                   "G=\"open\nH=no newline";
        static const char *const cases[][2] = {
                {"A", "plain"}, {"B", "two words"}, {"C", "single $x"}, {"D", "esc \"q\" $x \\"},
                {"E", ""},      {"F", "last"},      {"G", "\"open"},    {"H", "no newline"},
        };
        char *missing = (char *)"x";
        struct su_error err = {0};

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++) {
                su_auto_free char *value = NULL;

                assert_ok(su_os_release_value(text, cases[i][0], &value, &err), err);
                assert_non_null(value);
                assert_string_equal(value, cases[i][1]);
        }
        assert_ok(su_os_release_value(text, "Z", &missing, &err), err);
        assert_null(missing);
}

static void test_read(void **state)
{
        struct scratch *scratch = *state;
        su_auto_os struct su_os os = {0};
        struct su_error err = {0};

        write_text(scratch->fd, "usr/lib/os-release", "ID=wrong\n");
        write_text(scratch->fd, "etc/os-release",
                   "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n");
        write_program(scratch->fd, "usr/bin/true", SU_ELF_MACHINE_X86_64);
        assert_ok(su_os_read(scratch->fd, &os, &err), err);
        assert_string_equal(os.id, "debian");
        assert_string_equal(os.name, "Debian 12");
        assert_string_equal(os.version, "12");
        assert_string_equal(os.architecture, "x86-64");
        assert_string_equal(os.baseline, "debian-12-x86-64");
        assert_null(os.image_version);
}

static void assert_baseline(struct scratch *scratch, const char *text, const char *wanted,
                            const char *version)
{
        su_auto_os struct su_os os = {0};
        struct su_error err = {0};

        write_text(scratch->fd, "usr/lib/os-release", text);
        assert_ok(su_os_read(scratch->fd, &os, &err), err);
        assert_string_equal(os.baseline, wanted);
        assert_string_equal(os.version, version);
}

static void test_baseline_names(void **state)
{
        struct scratch *scratch = *state;

        write_program(scratch->fd, "usr/bin/sh", SU_ELF_MACHINE_AARCH64);
        assert_baseline(scratch, "", "linux-arm64", "");
        assert_baseline(scratch, "ID=arch\n", "arch-arm64", "");
        assert_baseline(scratch, "ID=os\nBUILD_ID=7\n", "os-7-arm64", "7");
        assert_baseline(scratch, "ID=os\nVERSION_ID=1\nBUILD_ID=7\nIMAGE_VERSION=2026.1\n",
                        "os-1-2026.1-arm64", "2026.1");
}

static void test_what_is_no_os(void **state)
{
        struct scratch *scratch = *state;
        struct su_os os = {.id = (char *)"untouched"};
        struct su_error err = {0};

        assert_fails_with(su_os_read(scratch->fd, &os, &err), err, BASELINE, "os-release");
        write_text(scratch->fd, "etc/os-release", "ID=debian\nVERSION_ID=12\n");
        assert_fails_with(su_os_read(scratch->fd, &os, &err), err, ARCHITECTURE, "/usr/bin/true");
        write_text(scratch->fd, "usr/bin/true", "#!/bin/sh\n");
        assert_fails(su_os_read(scratch->fd, &os, &err), err, ARCHITECTURE);
        write_program(scratch->fd, "usr/bin/true", 243);
        assert_fails_with(su_os_read(scratch->fd, &os, &err), err, ARCHITECTURE, "243");
        write_program(scratch->fd, "usr/bin/true", SU_ELF_MACHINE_X86_64);
        write_text(scratch->fd, "etc/os-release", "ID=../up\nVERSION_ID=12\n");
        assert_fails_with(su_os_read(scratch->fd, &os, &err), err, BASELINE, "'../up-12-x86-64'");
        assert_string_equal(os.id, "untouched");
        assert_true(su_os_read(scratch->fd, &os, NULL) < 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                scratch_test(test_read),
                scratch_test(test_baseline_names),
                scratch_test(test_what_is_no_os),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
