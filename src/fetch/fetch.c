#include "fetch/fetch.h"

#include <curl/curl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#define CONNECT_TIMEOUT_S 15L
#define STALL_BYTES_PER_S 100L
#define STALL_TIME_S 30L
#define REDIRECTS_MAX 5L
/* Nobody waits longer for what fits into memory, however steadily it trickles in. */
#define MEMORY_TIME_S 600L
/* And for a file as long as it would take at this rate, besides. */
#define SLOWEST_BYTES_PER_S 8192

struct su_fetch {
        CURL *curl;
        char *base_url; /* without a trailing slash */
        struct su_fetch_totals totals;
        su_fetch_progress progress;
        void *userdata;
};

/* Where the bytes of the present transfer go. */
struct transfer {
        struct su_fetch *fetch;
        const char *path;
        FILE *memory; /* or */
        int fd;
        uint64_t max;
        uint64_t received;
        struct su_error *err; /* filled in by the callback that stops a transfer */
        int result;
};

static size_t receive(char *data, size_t unit, size_t count, void *userdata)
{
        struct transfer *transfer = userdata;
        size_t size = unit * count;

        if (size > transfer->max - transfer->received) {
                transfer->result = su_fail(transfer->err, SU_ERROR_TOO_LARGE,
                                           "'%s' is larger than the %llu bytes allowed",
                                           transfer->path, (unsigned long long)transfer->max);
                return 0;
        }
        if (transfer->memory) {
                if (fwrite(data, 1, size, transfer->memory) != size)
                        transfer->result = su_fail_oom(transfer->err);
        } else {
                transfer->result =
                        su_write_all(transfer->fd, data, size, transfer->path, transfer->err);
        }
        if (transfer->result < 0)
                return 0;
        transfer->received += size;
        return size;
}

static int report_progress(void *userdata, curl_off_t total, curl_off_t now, curl_off_t up_total,
                           curl_off_t up_now)
{
        struct transfer *transfer = userdata;
        struct su_fetch *fetch = transfer->fetch;

        (void)total;
        (void)now;
        (void)up_total;
        (void)up_now;
        if (!fetch->progress || transfer->result < 0)
                return transfer->result < 0;
        transfer->result = fetch->progress(fetch->userdata, transfer->received, transfer->err);
        return transfer->result < 0;
}

/* A missing file in a directory that is there, or a directory that is not? */
static bool repository_directory_exists(const struct su_fetch *fetch)
{
        return access(fetch->base_url + strlen("file://"), F_OK) == 0;
}

static int explain(const struct transfer *transfer, CURLcode code, struct su_error *err)
{
        const struct su_fetch *fetch = transfer->fetch;
        long status = 0;

        (void)curl_easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE, &status);
        switch (code) {
        case CURLE_PARTIAL_FILE:
        case CURLE_RECV_ERROR:
        case CURLE_GOT_NOTHING:
                return su_fail(err, SU_ERROR_TRUNCATED, "'%s/%s' broke off after %llu bytes: %s",
                               fetch->base_url, transfer->path,
                               (unsigned long long)transfer->received, curl_easy_strerror(code));
        case CURLE_HTTP_RETURNED_ERROR:
                if (status == 404 || status == 410)
                        return su_fail(err, SU_ERROR_NOT_FOUND, "the repository %s has no '%s'",
                                       fetch->base_url, transfer->path);
                return su_fail(err, SU_ERROR_UNREACHABLE, "'%s/%s': the server answered %ld",
                               fetch->base_url, transfer->path, status);
        case CURLE_FILE_COULDNT_READ_FILE:
                if (repository_directory_exists(fetch))
                        return su_fail(err, SU_ERROR_NOT_FOUND, "the repository %s has no '%s'",
                                       fetch->base_url, transfer->path);
                return su_fail(err, SU_ERROR_UNREACHABLE, "there is no repository at %s",
                               fetch->base_url);
        default:
                return su_fail(err, SU_ERROR_UNREACHABLE, "cannot reach '%s/%s': %s",
                               fetch->base_url, transfer->path, curl_easy_strerror(code));
        }
}

static int perform(struct transfer *transfer, struct su_error *err)
{
        struct su_fetch *fetch = transfer->fetch;
        su_auto_free char *url = NULL;
        CURLcode code;
        int r;

        r = su_format(&url, err, "%s/%s", fetch->base_url, transfer->path);
        if (r < 0)
                return r;
        code = curl_easy_setopt(fetch->curl, CURLOPT_URL, url);
        if (code == CURLE_OK)
                code = curl_easy_setopt(fetch->curl, CURLOPT_WRITEDATA, transfer);
        if (code == CURLE_OK)
                code = curl_easy_setopt(fetch->curl, CURLOPT_XFERINFODATA, transfer);
        if (code == CURLE_OK)
                code = curl_easy_perform(fetch->curl);
        fetch->totals.requests++;
        fetch->totals.bytes += transfer->received;
        if (transfer->result < 0)
                return transfer->result;
        if (code != CURLE_OK)
                return explain(transfer, code, err);
        return 0;
}

static int configure(CURL *curl)
{
        CURLcode code = CURLE_OK;

#define SET(option, value)                                                                         \
        if (code == CURLE_OK)                                                                      \
        code = curl_easy_setopt(curl, option, value)
        SET(CURLOPT_PROTOCOLS_STR, "http,https,file");
        SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
        SET(CURLOPT_FOLLOWLOCATION, 1L);
        SET(CURLOPT_MAXREDIRS, REDIRECTS_MAX);
        SET(CURLOPT_FAILONERROR, 1L);
        SET(CURLOPT_NOSIGNAL, 1L);
        SET(CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
        SET(CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_PER_S);
        SET(CURLOPT_LOW_SPEED_TIME, STALL_TIME_S);
        SET(CURLOPT_USERAGENT, "suture");
        SET(CURLOPT_WRITEFUNCTION, receive);
        SET(CURLOPT_XFERINFOFUNCTION, report_progress);
        SET(CURLOPT_NOPROGRESS, 0L);
        SET(CURLOPT_PATH_AS_IS, 1L);
#undef SET
        return code == CURLE_OK ? 0 : -EIO;
}

int su_fetch_new(const char *base_url, struct su_fetch **ret, struct su_error *err)
{
        su_auto_fetch struct su_fetch *fetch = calloc(1, sizeof *fetch);
        size_t size;
        int r;

        if (!fetch)
                return su_fail_oom(err);
        if (!su_starts_with(base_url, "http://") && !su_starts_with(base_url, "https://") &&
            !su_starts_with(base_url, "file:///"))
                return su_fail(err, SU_ERROR_CONFIG,
                               "repository '%s' is not an http://, https:// or file:/// URL",
                               base_url);
        r = su_strdup(base_url, &fetch->base_url, err);
        if (r < 0)
                return r;
        for (size = strlen(fetch->base_url); size > 0 && fetch->base_url[size - 1] == '/'; size--)
                fetch->base_url[size - 1] = '\0';
        fetch->curl = curl_easy_init();
        if (!fetch->curl || configure(fetch->curl) < 0)
                return su_fail(err, SU_ERROR_SYSTEM, "cannot set up libcurl");
        *ret = su_take(fetch);
        return 0;
}

void su_fetch_free(struct su_fetch *fetch)
{
        if (!fetch)
                return;
        curl_easy_cleanup(fetch->curl);
        free(fetch->base_url);
        free(fetch);
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

static int perform_to_memory(struct transfer *transfer, char **ret_data, size_t *ret_size,
                             struct su_error *err)
{
        su_auto_free char *data = NULL;
        size_t size = 0;
        int r;

        transfer->memory = open_memstream(&data, &size);
        if (!transfer->memory)
                return su_fail_oom(err);
        (void)curl_easy_setopt(transfer->fetch->curl, CURLOPT_TIMEOUT, MEMORY_TIME_S);
        r = perform(transfer, err);
        (void)curl_easy_setopt(transfer->fetch->curl, CURLOPT_TIMEOUT, 0L);
        if (fclose(transfer->memory) != 0 && r >= 0)
                r = su_fail_oom(err);
        if (r < 0)
                return r;
        *ret_data = su_take(data);
        *ret_size = size;
        return 0;
}

/* 200, or 0 of file://; "not modified" is no answer to a question that had no condition. */
static int check_status(const struct transfer *transfer, struct su_error *err)
{
        long status = 0;

        (void)curl_easy_getinfo(transfer->fetch->curl, CURLINFO_RESPONSE_CODE, &status);
        return status == 200 || status == 0 ? 0 : explain(transfer, CURLE_HTTP_RETURNED_ERROR, err);
}

int su_fetch_to_memory(struct su_fetch *fetch, const char *path, size_t max, char **ret_data,
                       size_t *ret_size, struct su_error *err)
{
        struct transfer transfer = {
                .fetch = fetch, .path = path, .fd = -EBADF, .max = max, .err = err};
        su_auto_free char *data = NULL;
        size_t size;
        int r;

        r = perform_to_memory(&transfer, &data, &size, err);
        if (r >= 0)
                r = check_status(&transfer, err);
        if (r < 0)
                return r;
        *ret_size = size;
        *ret_data = su_take(data);
        return 0;
}

/* One entity tag (RFC 9110, section 8.8.3), of ASCII. Anything else would be another question: '*',
 * or a list of tags, may hold for whatever the server has from now on. */
static bool is_entity_tag(const char *text)
{
        const char *c = su_starts_with(text, "W/") ? text + 2 : text;

        if (*c++ != '"')
                return false;
        while (*c > 0x20 && *c < 0x7f && *c != '"')
                c++;
        return c[0] == '"' && c[1] == '\0';
}

/* The ETag of the answer that came last; NULL when it had none that can be asked for, or memory is
 * short: then the next question is not conditional. */
static char *last_etag(struct su_fetch *fetch)
{
        struct curl_header *header;

        if (curl_easy_header(fetch->curl, "ETag", 0, CURLH_HEADER, -1, &header) != CURLHE_OK ||
            !is_entity_tag(header->value))
                return NULL;
        return strdup(header->value);
}

static int ask_if_changed(struct su_fetch *fetch, const char *path, size_t max, const char *etag,
                          struct su_fetch_answer *ret, struct su_error *err)
{
        struct transfer transfer = {
                .fetch = fetch, .path = path, .fd = -EBADF, .max = max, .err = err};
        struct curl_slist *headers = NULL;
        su_auto_free char *condition = NULL;
        long status = 0;
        int r;

        r = su_format(&condition, err, "If-None-Match: %s", etag);
        if (r < 0)
                return r;
        headers = curl_slist_append(NULL, condition);
        if (!headers)
                return su_fail_oom(err);
        (void)curl_easy_setopt(fetch->curl, CURLOPT_HTTPHEADER, headers);
        r = perform_to_memory(&transfer, &ret->data, &ret->size, err);
        (void)curl_easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE, &status);
        (void)curl_easy_setopt(fetch->curl, CURLOPT_HTTPHEADER, NULL);
        curl_slist_free_all(headers);
        if (r >= 0 && status == 304)
                su_free_p(&ret->data);
        return r;
}

int su_fetch_if_changed(struct su_fetch *fetch, const char *path, size_t max, const char *etag,
                        struct su_fetch_answer *ret, struct su_error *err)
{
        struct su_fetch_answer answer = {0};
        int r;

        if (etag && is_entity_tag(etag))
                r = ask_if_changed(fetch, path, max, etag, &answer, err);
        else
                r = su_fetch_to_memory(fetch, path, max, &answer.data, &answer.size, err);
        if (r < 0)
                return r;
        answer.etag = last_etag(fetch);
        *ret = answer;
        return 0;
}

int su_fetch_post(struct su_fetch *fetch, const char *path, const void *body, size_t size,
                  size_t max, struct su_fetch_reply *ret, struct su_error *err)
{
        struct transfer transfer = {
                .fetch = fetch, .path = path, .fd = -EBADF, .max = max, .err = err};
        struct su_fetch_reply reply = {0};
        int r;

        (void)curl_easy_setopt(fetch->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
        (void)curl_easy_setopt(fetch->curl, CURLOPT_POSTFIELDS, body);
        (void)curl_easy_setopt(fetch->curl, CURLOPT_FAILONERROR, 0L);
        r = perform_to_memory(&transfer, &reply.data, &reply.size, err);
        (void)curl_easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE, &reply.status);
        (void)curl_easy_setopt(fetch->curl, CURLOPT_FAILONERROR, 1L);
        (void)curl_easy_setopt(fetch->curl, CURLOPT_HTTPGET, 1L);
        if (r < 0)
                return r;
        *ret = reply;
        return 0;
}

int su_fetch_to_fd(struct su_fetch *fetch, const char *path, uint64_t size, int fd,
                   struct su_error *err)
{
        struct transfer transfer = {
                .fetch = fetch, .path = path, .fd = fd, .max = size, .err = err};
        int r;

        (void)curl_easy_setopt(fetch->curl, CURLOPT_TIMEOUT,
                               MEMORY_TIME_S + (long)(size / SLOWEST_BYTES_PER_S));
        r = perform(&transfer, err);
        (void)curl_easy_setopt(fetch->curl, CURLOPT_TIMEOUT, 0L);
        if (r >= 0)
                r = check_status(&transfer, err);
        if (r < 0)
                return r;
        if (transfer.received < size)
                return su_fail(err, SU_ERROR_TRUNCATED, "'%s/%s' ends after %llu of %llu bytes",
                               fetch->base_url, path, (unsigned long long)transfer.received,
                               (unsigned long long)size);
        return 0;
}
