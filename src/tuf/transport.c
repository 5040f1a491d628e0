#include "tuf/transport.h"

static struct su_fetch *choose(const struct su_tuf_repository *repository,
                               enum su_repository_part part)
{
        return part == SU_PART_METADATA ? repository->metadata : repository->targets;
}

static int get(void *userdata, enum su_repository_part part, const char *name, size_t max,
               char **ret_data, size_t *ret_size, struct su_error *err)
{
        return su_fetch_to_memory(choose(userdata, part), name, max, ret_data, ret_size, err);
}

static int get_to_fd(void *userdata, enum su_repository_part part, const char *name, uint64_t size,
                     int fd, struct su_error *err)
{
        return su_fetch_to_fd(choose(userdata, part), name, size, fd, err);
}

int su_tuf_repository_open(const char *metadata_url, const char *targets_url,
                           struct su_tuf_repository *ret, struct su_error *err)
{
        su_auto_fetch struct su_fetch *metadata = NULL;
        su_auto_fetch struct su_fetch *targets = NULL;
        int r;

        r = su_fetch_new(metadata_url, &metadata, err);
        if (r >= 0 && targets_url)
                r = su_fetch_new(targets_url, &targets, err);
        if (r < 0)
                return r;
        *ret = (struct su_tuf_repository){su_take(metadata), su_take(targets)};
        return 0;
}

void su_tuf_repository_done(struct su_tuf_repository *repository)
{
        su_fetch_free(repository->metadata);
        su_fetch_free(repository->targets);
        *repository = (struct su_tuf_repository){0};
}

struct su_transport su_tuf_transport(struct su_tuf_repository *repository)
{
        return (struct su_transport){.get = get, .get_to_fd = get_to_fd, .userdata = repository};
}
