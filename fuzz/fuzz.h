/* What all fuzz targets share. A target is one function; replay.c or libFuzzer drives it.
 *
 * Each target parses hostile bytes and, where it accepts them, checks a property that must hold for
 * whatever is accepted. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process, so that libFuzzer keeps the input. */
void fuzz_check_failed(const char *what, const char *file, int line) __attribute__((noreturn));
#define fuzz_check(condition)                                                                      \
        do {                                                                                       \
                if (!(condition))                                                                  \
                        fuzz_check_failed(#condition, __FILE__, __LINE__);                         \
        } while (0)

/* The bytes as a string, cut at the first NUL. The caller frees. */
char *fuzz_string(const uint8_t *data, size_t size);

/* A memory file with these bytes. */
int fuzz_memory_file(const void *data, size_t size);
