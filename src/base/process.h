/* Run another program: no shell, a fixed argument list, its own message when it fails. */
#pragma once

#include <stddef.h>

#include "base/error.h"

#define SU_PROCESS_OUTPUT_MAX (64 * 1024 * 1024)

/* Run argv[0] from PATH and wait. With `ret_output` its standard output is returned as a string (at
 * most SU_PROCESS_OUTPUT_MAX bytes), else discarded. A non-zero end is an error that carries the
 * last line that the program wrote to standard error. */
int su_process_run(const char *const argv[], char **ret_output, size_t *ret_size,
                   struct su_error *err);

/* The same for a program whose exit status says something: it is not an error. Only a program that
 * did not end by itself is. */
int su_process_ask(const char *const argv[], char **ret_output, int *ret_status,
                   struct su_error *err);
