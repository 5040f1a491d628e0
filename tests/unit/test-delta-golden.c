/* Deltas that were made when the format was settled: they decode as ever.
 * tests/golden/delta/make.sh makes them. */
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/sha256.h"
#include "delta/apply/apply.h"

#define SOURCES_MAX 8

struct golden {
        char *name, *sha256;
        char *sources[SOURCES_MAX];
        size_t n;
};

static int open_golden(const char *name)
{
        char path[512];
        int fd;

        (void)snprintf(path, sizeof path, "%s/%s", GOLDEN_DELTA, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                fail_msg("%s: cannot be opened", path);
        return fd;
}

/* NAME SHA256 OLD... */
static void parse_case(char *line, struct golden *ret)
{
        *ret = (struct golden){0};
        ret->name = strtok(line, " \n");
        ret->sha256 = strtok(NULL, " \n");
        assert_non_null(ret->sha256);
        for (char *source; (source = strtok(NULL, " \n"));) {
                assert_true(ret->n < SOURCES_MAX);
                ret->sources[ret->n++] = source;
        }
}

static void format_sha256(int fd, char ret[SU_SHA256_HEX_SIZE])
{
        struct su_sha256 digest;
        struct su_error err = {0};

        assert_ok(su_sha256_of_fd(fd, "target", &digest, NULL, &err), err);
        for (size_t i = 0; i < SU_SHA256_SIZE; i++)
                (void)snprintf(ret + 2 * i, 3, "%02x", digest.bytes[i]);
}

static void check_case(const struct golden *golden)
{
        int fds[SOURCES_MAX];
        char name[128], hex[SU_SHA256_HEX_SIZE];
        su_auto_close int target_fd = memory_file_of("", 0);
        su_auto_close int patch_fd = -EBADF;
        struct su_error err = {0};

        (void)snprintf(name, sizeof name, "%s.delta", golden->name);
        patch_fd = open_golden(name);
        for (size_t i = 0; i < golden->n; i++)
                fds[i] = open_golden(golden->sources[i]);
        if (su_delta_apply(patch_fd, fds, (const char *const *)golden->sources, golden->n,
                           target_fd, NULL, NULL, &err) < 0)
                fail_msg("%s: %s", golden->name, err.message);
        format_sha256(target_fd, hex);
        if (strcmp(hex, golden->sha256) != 0)
                fail_msg("%s: yields %s, not %s", golden->name, hex, golden->sha256);
        for (size_t i = 0; i < golden->n; i++)
                su_close_fd(&fds[i]);
}

static FILE *open_cases(void)
{
        FILE *cases = fdopen(open_golden("cases"), "r");

        assert_non_null(cases);
        return cases;
}

static void test_each_decodes(void **state)
{
        FILE *cases = open_cases();
        char line[512];
        unsigned n = 0;

        (void)state;
        for (; fgets(line, sizeof line, cases); n++) {
                struct golden golden;

                parse_case(line, &golden);
                check_case(&golden);
        }
        (void)fclose(cases);
        assert_true(n >= 20);
}

static void test_every_method_is_among_them(void **state)
{
        FILE *cases = open_cases();
        unsigned methods[SU_DELTA_METHODS] = {0};
        char line[512], name[128];

        (void)state;
        while (fgets(line, sizeof line, cases)) {
                su_auto_delta_header struct su_delta_header header = {0};
                su_auto_close int patch_fd = -EBADF;
                struct golden golden;
                struct su_error err = {0};

                parse_case(line, &golden);
                (void)snprintf(name, sizeof name, "%s.delta", golden.name);
                patch_fd = open_golden(name);
                assert_ok(su_delta_header_read(patch_fd, &header, &err), err);
                assert_int_equal(header.n_sources, golden.n);
                methods[header.method]++;
        }
        (void)fclose(cases);
        for (unsigned i = 0; i < SU_DELTA_METHODS; i++)
                assert_true(methods[i] > 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_decodes),
                cmocka_unit_test(test_every_method_is_among_them),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
