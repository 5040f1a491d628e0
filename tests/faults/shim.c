/* Preloaded into suture: makes an allocation fail, or its reads and writes short or interrupted.
 *
 *     FAULT_COUNTS=FILE     where it counts, three numbers of 64 bits: allocations, what was
 *                           struck, and reads and writes
 *     FAULT_CALLER=WHOSE    program or jansson: whose allocations count
 *     FAULT_ALLOCATION=N    the N-th of them fails
 *     FAULT_TRANSFER=HOW    one: each read and write of more than a byte moves one byte less;
 *                           half: half of it; interrupted: every other one fails with EINTR
 *
 * Only calls from the program itself and from libjansson count, whose failures the program answers
 * for; what jansson asks for while it parses comes by way of the program. What curl, OpenSSL, zstd,
 * libfsverity, libsystemd and the loader do for themselves is theirs. Of the C library, what
 * allocates on behalf of its caller counts with the caller: strdup, vasprintf, realpath, opendir
 * and the like. What libc needs for itself (stdio's buffers, qsort, the loader) does not count. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <search.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#define CODE_MAX 8

static struct {
        struct {
                uintptr_t begin;
                uintptr_t end;
        } code[CODE_MAX];
        size_t n_code;
        bool is_for_jansson;
        uint64_t wanted;
        enum { WHOLE, ONE_LESS, HALF, INTERRUPTED } transfer;
        struct {
                uint64_t allocations;
                uint64_t struck;
                uint64_t transfers;
        } * counts; /* shared with children */
} shim;

/* The functions that these stand in for. Casting by way of a union, as dlsym(3) wants it. */
#define REAL(name)                                                                                 \
        ({                                                                                         \
                static union {                                                                     \
                        void *pointer;                                                             \
                        __typeof__(&name) function;                                                \
                } real;                                                                            \
                if (!real.pointer)                                                                 \
                        real.pointer = dlsym(RTLD_NEXT, #name);                                    \
                real.function;                                                                     \
        })

static int note_code(struct dl_phdr_info *info, size_t size, void *userdata)
{
        (void)size;
        (void)userdata;
        if (shim.is_for_jansson ? !strstr(info->dlpi_name, "/libjansson.")
                                : info->dlpi_name[0] != '\0')
                return 0;
        for (size_t i = 0; i < info->dlpi_phnum && shim.n_code < CODE_MAX; i++) {
                const ElfW(Phdr) *part = &info->dlpi_phdr[i];

                if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
                        continue;
                shim.code[shim.n_code].begin = info->dlpi_addr + part->p_vaddr;
                shim.code[shim.n_code].end = info->dlpi_addr + part->p_vaddr + part->p_memsz;
                shim.n_code++;
        }
        return 0;
}

static void choose_transfer(const char *how)
{
        if (how && strcmp(how, "one") == 0)
                shim.transfer = ONE_LESS;
        else if (how && strcmp(how, "half") == 0)
                shim.transfer = HALF;
        else if (how && strcmp(how, "interrupted") == 0)
                shim.transfer = INTERRUPTED;
}

/* Programs that suture starts are left alone. */
__attribute__((constructor)) static void set_up(void)
{
        const char *path = getenv("FAULT_COUNTS");
        const char *wanted = getenv("FAULT_ALLOCATION");
        const char *caller = getenv("FAULT_CALLER");
        int fd;

        if (!path || strcmp(program_invocation_short_name, "suture") != 0)
                return;
        fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                _exit(125);
        shim.counts = mmap(NULL, sizeof *shim.counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        (void)close(fd);
        if (shim.counts == MAP_FAILED)
                _exit(125);
        shim.wanted = wanted ? strtoull(wanted, NULL, 10) : 0;
        shim.is_for_jansson = caller && strcmp(caller, "jansson") == 0;
        choose_transfer(getenv("FAULT_TRANSFER"));
        (void)dl_iterate_phdr(note_code, NULL);
}

static bool is_ours(const void *caller)
{
        for (size_t i = 0; i < shim.n_code; i++)
                if ((uintptr_t)caller >= shim.code[i].begin && (uintptr_t)caller < shim.code[i].end)
                        return true;
        return false;
}

static bool is_out_of_memory(const void *caller)
{
        if (!is_ours(caller) || ++shim.counts->allocations != shim.wanted)
                return false;
        shim.counts->struck++;
        errno = ENOMEM;
        return true;
}

#define CALLER __builtin_return_address(0)

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size)
{
        return is_out_of_memory(CALLER) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
        return is_out_of_memory(CALLER) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
        return is_out_of_memory(CALLER) ? NULL : __libc_realloc(memory, size);
}

void *reallocarray(void *memory, size_t n, size_t size)
{
        size_t bytes;

        if (__builtin_mul_overflow(n, size, &bytes)) {
                errno = ENOMEM;
                return NULL;
        }
        return is_out_of_memory(CALLER) ? NULL : __libc_realloc(memory, bytes);
}

char *strdup(const char *text)
{
        return is_out_of_memory(CALLER) ? NULL : REAL(strdup)(text);
}

char *strndup(const char *text, size_t size)
{
        return is_out_of_memory(CALLER) ? NULL : REAL(strndup)(text, size);
}

int vasprintf(char **ret, const char *format, va_list arguments)
{
        return is_out_of_memory(CALLER) ? -1 : REAL(vasprintf)(ret, format, arguments);
}

/* What vasprintf() is in a fortified program. */
extern int __vasprintf_chk(char **ret, int flag, const char *format, va_list arguments);
int __vasprintf_chk(char **ret, int flag, const char *format, va_list arguments)
{
        return is_out_of_memory(CALLER) ? -1 : REAL(__vasprintf_chk)(ret, flag, format, arguments);
}

char *realpath(const char *path, char *resolved)
{
        return is_out_of_memory(CALLER) ? NULL : REAL(realpath)(path, resolved);
}

DIR *opendir(const char *path)
{
        return is_out_of_memory(CALLER) ? NULL : REAL(opendir)(path);
}

DIR *fdopendir(int fd)
{
        return is_out_of_memory(CALLER) ? NULL : REAL(fdopendir)(fd);
}

FILE *fdopen(int fd, const char *mode)
{
        return is_out_of_memory(CALLER) ? NULL : REAL(fdopen)(fd, mode);
}

FILE *open_memstream(char **ret, size_t *ret_size)
{
        return is_out_of_memory(CALLER) ? NULL : REAL(open_memstream)(ret, ret_size);
}

int scandirat(int dir_fd, const char *path, struct dirent ***ret,
              int (*filter)(const struct dirent *entry),
              int (*compare)(const struct dirent **a, const struct dirent **b))
{
        return is_out_of_memory(CALLER) ? -1 : REAL(scandirat)(dir_fd, path, ret, filter, compare);
}

void *tsearch(const void *key, void **root, int (*compare)(const void *a, const void *b))
{
        return is_out_of_memory(CALLER) ? NULL : REAL(tsearch)(key, root, compare);
}

/* How much of `size` may be moved; false: the call is interrupted instead. */
static bool find_part(const void *caller, size_t *size)
{
        if (shim.transfer == WHOLE || !is_ours(caller))
                return true;
        shim.counts->transfers++;
        if (shim.transfer == INTERRUPTED && shim.counts->transfers % 2 == 1) {
                shim.counts->struck++;
                errno = EINTR;
                return false;
        }
        if (shim.transfer == INTERRUPTED || *size < 2)
                return true;
        shim.counts->struck++;
        *size = shim.transfer == HALF ? *size / 2 : *size - 1;
        return true;
}

ssize_t read(int fd, void *data, size_t size)
{
        return find_part(CALLER, &size) ? REAL(read)(fd, data, size) : -1;
}

ssize_t write(int fd, const void *data, size_t size)
{
        return find_part(CALLER, &size) ? REAL(write)(fd, data, size) : -1;
}

ssize_t pread64(int fd, void *data, size_t size, off64_t offset)
{
        return find_part(CALLER, &size) ? REAL(pread64)(fd, data, size, offset) : -1;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
        return find_part(CALLER, &size) ? REAL(pwrite64)(fd, data, size, offset) : -1;
}
