/* Ownership: who frees what is visible in the declaration.
 *
 * `su_auto_x` variables release themselves at the end of their scope; `su_take_x` hands the thing
 * on, leaving the empty value behind. Descriptors start at -EBADF.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void su_close_fd(int *fd)
{
        if (*fd >= 0) {
                int saved = errno;

                (void)close(*fd);
                errno = saved;
                *fd = -EBADF;
        }
}

static inline int su_take_fd(int *fd)
{
        int taken = *fd;

        *fd = -EBADF;
        return taken;
}

static inline void su_free_p(void *p)
{
        void **pointer = p;

        free(*pointer);
        *pointer = NULL;
}

static inline void *su_take_p(void *p)
{
        void **pointer = p;
        void *taken = *pointer;

        *pointer = NULL;
        return taken;
}

static inline void su_fclose_p(FILE **f)
{
        if (*f) {
                (void)fclose(*f);
                *f = NULL;
        }
}

static inline void su_closedir_p(DIR **d)
{
        if (*d) {
                (void)closedir(*d);
                *d = NULL;
        }
}

#define su_auto(function) __attribute__((cleanup(function)))
#define su_auto_close su_auto(su_close_fd)
#define su_auto_free su_auto(su_free_p)
#define su_auto_fclose su_auto(su_fclose_p)
#define su_auto_closedir su_auto(su_closedir_p)

/* Take over a pointer with its type: `*ret = su_take(x);` */
#define su_take(p) ((__typeof__(p))su_take_p(&(p)))

#define SU_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
