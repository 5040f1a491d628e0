#include "fetch/fetch.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "fetch/remote.h"
#include "fetch/request.h"
#include "fetch/transfer.h"

struct su_fetch {
        struct su_transfer *transfer; /* or */
        struct su_remote *remote;
        struct su_fetch_totals totals;
        su_fetch_progress progress;
        void *userdata;
};

/* Where the bytes of the present request go. Whoever brings them is not trusted with their number.
 */
struct collecting {
        struct su_fetch *fetch;
        const struct su_request *request;
        FILE *memory; /* or */
        int fd;
        uint64_t collected; /* with what was here before */
};

static int collect(void *userdata, const void *data, size_t size, struct su_error *err)
{
        struct collecting *to = userdata;

        if (size > to->request->max - to->collected)
                return su_fail(err, SU_ERROR_TOO_LARGE,
                               "'%s' is larger than the %llu bytes allowed", to->request->path,
                               (unsigned long long)to->request->max);
        to->collected += size;
        if (!to->memory)
                return su_write_all(to->fd, data, size, to->request->path, err);
        return fwrite(data, 1, size, to->memory) == size ? 0 : su_fail_oom(err);
}

static int collect_anew(void *userdata, struct su_error *err)
{
        struct collecting *to = userdata;

        to->collected = 0;
        if (to->memory || ftruncate(to->fd, 0) < 0 || lseek(to->fd, 0, SEEK_SET) < 0)
                return su_fail_errno(err, to->memory ? EINVAL : errno, "cannot begin '%s' anew",
                                     to->request->path);
        return 0;
}

static int tell(void *userdata, uint64_t done, struct su_error *err)
{
        const struct collecting *to = userdata;
        const struct su_fetch *fetch = to->fetch;

        return fetch->progress ? fetch->progress(fetch->userdata, done, err) : 0;
}

static int perform(struct collecting *to, struct su_result *ret, struct su_error *err)
{
        const struct su_sink sink = {collect, collect_anew, tell, to};
        struct su_fetch *fetch = to->fetch;
        int r;

        r = fetch->remote ? su_remote_run(fetch->remote, to->request, &sink, ret, err)
                          : su_transfer_run(fetch->transfer, to->request, &sink, ret, err);
        fetch->totals.requests++;
        fetch->totals.bytes += ret->received;
        return r;
}

static bool is_file(const char *url)
{
        return su_starts_with(url, "file:///");
}

int su_fetch_new_with(const struct su_fetch_options *options, struct su_fetch **ret,
                      struct su_error *err)
{
        const char *url = options->base_url;
        su_auto_fetch struct su_fetch *fetch = calloc(1, sizeof *fetch);
        int r;

        if (!fetch)
                return su_fail_oom(err);
        if (!su_starts_with(url, "http://") && !su_starts_with(url, "https://") && !is_file(url))
                return su_fail(err, SU_ERROR_CONFIG,
                               "repository '%s' is not an http://, https:// or file:/// URL", url);
        /* A directory speaks no protocol, and may be one that only we can read. */
        if (options->is_confined && !is_file(url))
                r = su_remote_new(options, &fetch->remote, err);
        else
                r = su_transfer_new(options, &fetch->transfer, err);
        if (r < 0)
                return r;
        *ret = su_take(fetch);
        return 0;
}

int su_fetch_new(const char *base_url, struct su_fetch **ret, struct su_error *err)
{
        return su_fetch_new_with(&(struct su_fetch_options){.base_url = base_url}, ret, err);
}

void su_fetch_free(struct su_fetch *fetch)
{
        if (!fetch)
                return;
        su_transfer_free(fetch->transfer);
        su_remote_free(fetch->remote);
        free(fetch);
}

void su_fetch_rest(struct su_fetch *fetch)
{
        if (fetch && fetch->remote)
                su_remote_rest(fetch->remote);
}

void su_fetch_set_progress(struct su_fetch *fetch, su_fetch_progress progress, void *userdata)
{
        fetch->progress = progress;
        fetch->userdata = userdata;
}

struct su_fetch_totals su_fetch_totals(const struct su_fetch *fetch)
{
        return fetch->totals;
}

static int perform_to_memory(struct su_fetch *fetch, const struct su_request *request,
                             char **ret_data, size_t *ret_size, struct su_result *ret,
                             struct su_error *err)
{
        struct collecting to = {.fetch = fetch, .request = request, .fd = -EBADF};
        su_auto_free char *data = NULL;
        size_t size = 0;
        int r;

        to.memory = open_memstream(&data, &size);
        if (!to.memory)
                return su_fail_oom(err);
        r = perform(&to, ret, err);
        if (fclose(to.memory) != 0 && r >= 0) {
                su_free_p(&ret->etag);
                r = su_fail_oom(err);
        }
        if (r < 0)
                return r;
        *ret_data = su_take(data);
        *ret_size = size;
        return 0;
}

int su_fetch_to_memory(struct su_fetch *fetch, const char *path, size_t max, char **ret_data,
                       size_t *ret_size, struct su_error *err)
{
        const struct su_request request = {.path = path, .max = max};
        struct su_result result;
        int r;

        r = perform_to_memory(fetch, &request, ret_data, ret_size, &result, err);
        if (r >= 0)
                free(result.etag);
        return r;
}

int su_fetch_if_changed(struct su_fetch *fetch, const char *path, size_t max, const char *etag,
                        struct su_fetch_answer *ret, struct su_error *err)
{
        const struct su_request request = {
                .path = path,
                .max = max,
                .etag = etag && su_is_entity_tag(etag) ? etag : NULL,
        };
        struct su_fetch_answer answer = {0};
        struct su_result result;
        int r;

        r = perform_to_memory(fetch, &request, &answer.data, &answer.size, &result, err);
        if (r < 0)
                return r;
        if (result.status == 304)
                su_free_p(&answer.data);
        answer.etag = result.etag;
        *ret = answer;
        return 0;
}

int su_fetch_post(struct su_fetch *fetch, const char *path, const void *body, size_t size,
                  size_t max, struct su_fetch_reply *ret, struct su_error *err)
{
        const struct su_request request = {
                .path = path, .max = max, .body = body, .body_size = size};
        struct su_fetch_reply reply = {0};
        struct su_result result;
        int r;

        r = perform_to_memory(fetch, &request, &reply.data, &reply.size, &result, err);
        if (r < 0)
                return r;
        free(result.etag);
        reply.status = result.status;
        *ret = reply;
        return 0;
}

int su_fetch_to_fd(struct su_fetch *fetch, const char *path, uint64_t size, int fd,
                   struct su_error *err)
{
        return su_fetch_rest_to_fd(fetch, path, size, 0, fd, err);
}

int su_fetch_rest_to_fd(struct su_fetch *fetch, const char *path, uint64_t size, uint64_t offset,
                        int fd, struct su_error *err)
{
        const struct su_request request = {
                .path = path, .max = size, .offset = offset, .is_exact = true};
        struct collecting to = {.fetch = fetch, .request = &request, .fd = fd, .collected = offset};
        struct su_result result;
        int r;

        r = perform(&to, &result, err);
        if (r < 0)
                return r;
        free(result.etag);
        return to.collected == size
                       ? 0
                       : su_fail(err, SU_ERROR_TRUNCATED, "'%s' ends after %llu of %llu bytes",
                                 path, (unsigned long long)to.collected, (unsigned long long)size);
}
