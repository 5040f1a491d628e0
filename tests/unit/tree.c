#include "tree.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#include "image/build.h"

void tree_enter_namespace(void)
{
        skip_unless_root();
        assert_int_equal(unshare(CLONE_NEWNS), 0);
        assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
}

void tree_write(struct scratch *scratch, const char *prefix, char letter)
{
        const char text[] = {letter, '\0'};

        for (int i = 0; i < TREE_FILES; i++) {
                char name[64];

                (void)snprintf(name, sizeof name, "%s/usr/lib/file%d", prefix, i);
                write_text(scratch->fd, name, text);
        }
}

int tree_image(struct scratch *scratch, char letter)
{
        struct su_error err = {0};
        char prefix[16];
        char tree[96];
        char path[96];
        int fd;

        (void)snprintf(prefix, sizeof prefix, "tree-%c", letter);
        (void)snprintf(tree, sizeof tree, "%s/tree-%c", scratch->path, letter);
        (void)snprintf(path, sizeof path, "%s/%c.erofs", scratch->path, letter);
        tree_write(scratch, prefix, letter);
        assert_ok(su_image_build(tree, path, 1, path, false, &err), err);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        return fd;
}

char tree_letter(const struct scratch *scratch, const char *prefix, int n)
{
        su_auto_close int fd = -EBADF;
        char path[128];
        char letter = '-';

        (void)snprintf(path, sizeof path, "%s/%s/usr/lib/file%d", scratch->path, prefix, n);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || read(fd, &letter, 1) != 1)
                return '-';
        return letter;
}
