#include "log/place.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "fetch/fetch.h"

struct su_place {
        struct su_fetch *fetch; /* or */
        int dir_fd;
        bool owns_dir;
};

int su_place_of_directory(int dir_fd, struct su_place **ret, struct su_error *err)
{
        struct su_place *place = calloc(1, sizeof *place);

        if (!place)
                return su_fail_oom(err);
        place->dir_fd = dir_fd;
        *ret = place;
        return 0;
}

int su_place_open(const char *where, struct su_place **ret, struct su_error *err)
{
        su_auto_place struct su_place *place = NULL;
        int r;

        r = su_place_of_directory(-EBADF, &place, err);
        if (r < 0)
                return r;
        place->owns_dir = true;
        r = strstr(where, "://") ? su_fetch_new(where, &place->fetch, err)
                                 : su_dir_open(where, &place->dir_fd, err);
        if (r < 0)
                return r;
        *ret = su_take(place);
        return 0;
}

void su_place_free(struct su_place *place)
{
        if (!place)
                return;
        su_fetch_free(place->fetch);
        if (place->owns_dir)
                su_close_fd(&place->dir_fd);
        free(place);
}

int su_place_get(struct su_place *place, const char *path, size_t max, char **ret_data,
                 size_t *ret_size, struct su_error *err)
{
        int r;

        if (place->fetch)
                return su_fetch_to_memory(place->fetch, path, max, ret_data, ret_size, err);
        r = su_file_read(place->dir_fd, path, max, ret_data, ret_size, err);
        if (r == -ENOENT)
                return su_fail(err, SU_ERROR_NOT_FOUND, "the repository has no '%s'", path);
        return r;
}

static int get_tile(void *userdata, const char *path, size_t max, char **ret_data, size_t *ret_size,
                    struct su_error *err)
{
        su_auto_free char *full = NULL;
        int r;

        r = su_format(&full, err, "log/%s", path);
        return r < 0 ? r : su_place_get(userdata, full, max, ret_data, ret_size, err);
}

struct su_tiles_reader su_place_tiles(struct su_place *place)
{
        return (struct su_tiles_reader){get_tile, place};
}
