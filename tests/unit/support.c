#include "support.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "base/file.h"

void check_ok(int r, const struct su_error *err, const char *call, const char *file, int line)
{
        if (r >= 0)
                return;
        print_error("%s: %d, %s: %s\n", call, r, su_error_name(err->code), err->message);
        _fail(file, line);
}

void check_fails(int r, struct su_error *err, enum su_error_code wanted, const char *call,
                 const char *file, int line)
{
        bool good = r < 0 && err->code == wanted && err->errnum == -r && err->message[0] != '\0';

        if (!good) {
                print_error("%s: %d, %s: %s; expected %s\n", call, r, su_error_name(err->code),
                            err->message, su_error_name(wanted));
                _fail(file, line);
        }
}

void check_contains(const char *text, const char *part, const char *file, int line)
{
        if (strstr(text, part))
                return;
        print_error("'%s' is not in '%s'\n", part, text);
        _fail(file, line);
}

int scratch_setup(void **state)
{
        struct scratch *scratch = calloc(1, sizeof *scratch);

        if (!scratch)
                return -1;
        *state = scratch;
        scratch->fd = -EBADF;
        (void)snprintf(scratch->path, sizeof scratch->path, "/var/tmp/suture-unit.XXXXXX");
        if (!mkdtemp(scratch->path))
                return -1;
        return su_dir_open(scratch->path, &scratch->fd, NULL);
}

int scratch_teardown(void **state)
{
        struct scratch *scratch = *state;
        int r;

        if (!scratch)
                return 0;
        su_close_fd(&scratch->fd);
        r = su_remove_tree(AT_FDCWD, scratch->path, NULL);
        free(scratch);
        return r;
}

int memory_file_of(const void *data, size_t size)
{
        int fd = memfd_create("suture-unit", MFD_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(su_write_all(fd, data, size, "memory file", NULL), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        return fd;
}

int memory_file_of_text(const char *text)
{
        return memory_file_of(text, strlen(text));
}

void write_file(int dir_fd, const char *name, const void *data, size_t size)
{
        su_auto_close int parent_fd = -EBADF;
        const char *slash = strrchr(name, '/');
        char parent[256];

        (void)snprintf(parent, sizeof parent, "./%.*s", slash ? (int)(slash - name) : 0, name);
        assert_int_equal(su_dir_make(dir_fd, parent, 0755, &parent_fd, NULL), 0);
        assert_int_equal(su_file_write(dir_fd, name, data, size, 0644, NULL), 0);
}

void write_text(int dir_fd, const char *name, const char *text)
{
        write_file(dir_fd, name, text, strlen(text));
}

char *read_text(int dir_fd, const char *name)
{
        char *text = NULL;

        assert_int_equal(su_file_read(dir_fd, name, 1 << 24, &text, NULL, NULL), 0);
        return text;
}

void fill_noise(void *data, size_t size, uint32_t seed)
{
        uint8_t *bytes = data;
        uint32_t x = seed * 2654435761U + 1;

        for (size_t i = 0; i < size; i++) {
                x ^= x << 13;
                x ^= x >> 17;
                x ^= x << 5;
                bytes[i] = (uint8_t)(x >> 24);
        }
}

void skip_because(const char *reason)
{
        print_message("skip: %s\n", reason);
        skip();
}

void skip_unless_root(void)
{
        if (geteuid() != 0)
                skip_because("needs root");
}
