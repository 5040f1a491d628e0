/* What all unit tests share: cmocka, errors that say what they were, scratch directories. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/own.h"

/* `call` must succeed; `err` is the struct su_error that it was given. */
#define assert_ok(call, err) check_ok((call), &(err), #call, __FILE__, __LINE__)
/* `call` must fail with SU_ERROR_`wanted`, its errno, and a message. */
#define assert_fails(call, err, wanted)                                                            \
        check_fails((call), &(err), SU_ERROR_##wanted, #call, __FILE__, __LINE__)
/* The same, and the message must contain `part`. */
#define assert_fails_with(call, err, wanted, part)                                                 \
        do {                                                                                       \
                assert_fails(call, err, wanted);                                                   \
                check_contains((err).message, (part), __FILE__, __LINE__);                         \
        } while (0)
#define assert_contains(text, part) check_contains((text), (part), __FILE__, __LINE__)

void check_ok(int r, const struct su_error *err, const char *call, const char *file, int line);
void check_fails(int r, struct su_error *err, enum su_error_code wanted, const char *call,
                 const char *file, int line);
void check_contains(const char *text, const char *part, const char *file, int line);

/* A scratch directory on a real file system; as a fixture `*state` points to it. */
struct scratch {
        char path[64];
        int fd;
};
int scratch_setup(void **state);
int scratch_teardown(void **state);
#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

/* A memory file with these bytes, positioned at its start. */
int memory_file_of(const void *data, size_t size);
int memory_file_of_text(const char *text);

/* `name` may have directories in front; they are made. */
void write_file(int dir_fd, const char *name, const void *data, size_t size);
void write_text(int dir_fd, const char *name, const char *text);
/* The caller frees. */
char *read_text(int dir_fd, const char *name);

/* Reproducible bytes that do not compress. */
void fill_noise(void *data, size_t size, uint32_t seed);

/* Say why, then skip the test that is running. */
void skip_because(const char *reason);
void skip_unless_root(void);
