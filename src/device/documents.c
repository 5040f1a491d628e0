#include "device/documents.h"

#include "base/file.h"

/* What is kept is trusted no more than what would be fetched. */
static int read_kept(int dir_fd, const char *name, const struct su_target *target, char **ret_text,
                     size_t *ret_size, struct su_error *err)
{
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_file_read(dir_fd, name, (size_t)target->size, &text, &size, err);
        if (r >= 0)
                r = su_hashes_check(&target->hashes, name, text, size, err);
        if (r < 0)
                return r;
        *ret_text = su_take(text);
        *ret_size = size;
        return 0;
}

int su_document_get(struct su_engine *engine, const char *path, const char *name, size_t max,
                    char **ret_text, size_t *ret_size, struct su_error *err)
{
        su_auto_close int dir_fd = -EBADF;
        su_auto_free char *text = NULL;
        struct su_target target;
        size_t size;
        int r;

        r = su_trust_find(engine->trust, path, &target, err);
        if (r == 0)
                return su_fail(err, SU_ERROR_NOT_FOUND, "the repository signs no '%s'", path);
        if (r > 0)
                r = su_dir_make(engine->state_fd, "documents", 0755, &dir_fd, err);
        if (r < 0)
                return r;
        if (target.size <= max && read_kept(dir_fd, name, &target, ret_text, ret_size, NULL) >= 0)
                return 0;
        r = su_trust_get(engine->trust, path, max, &text, &size, err);
        if (r >= 0)
                r = su_file_write(dir_fd, name, text, size, 0644, err);
        if (r < 0)
                return r;
        *ret_text = su_take(text);
        *ret_size = size;
        return 0;
}
