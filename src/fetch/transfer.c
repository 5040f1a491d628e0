#include "fetch/transfer.h"

#include <curl/curl.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define CONNECT_TIMEOUT_S 15L
#define STALL_BYTES_PER_S 100L
#define STALL_TIME_S 30L
#define REDIRECTS_MAX 5L

struct su_transfer {
        CURL *curl;
        char *base_url; /* without a trailing slash */
};

/* The request that is being answered. */
struct exchange {
        struct su_transfer *transfer;
        const struct su_request *request;
        const struct su_sink *sink;
        uint64_t received;
        uint64_t offset; /* behind which it goes on; 0 when it begins anew */
        struct curl_slist *headers;
        struct su_error *err; /* filled in by the callback that stops it */
        int result;
};

static long status_of(const struct su_transfer *transfer)
{
        long status = 0;

        (void)curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
        return status;
}

/* A server need not send only a part, and may send another one. */
static int begin(struct exchange *exchange)
{
        const struct su_sink *sink = exchange->sink;
        struct curl_header *header;
        su_auto_free char *wanted = NULL;
        int r;

        if (status_of(exchange->transfer) == 200) {
                exchange->offset = 0;
                return sink->restart(sink->userdata, exchange->err);
        }
        if (status_of(exchange->transfer) != 206)
                return 0; /* a file, of which libcurl reads what it was asked for */
        r = su_format(&wanted, exchange->err, "bytes %llu-", (unsigned long long)exchange->offset);
        if (r < 0)
                return r;
        return curl_easy_header(exchange->transfer->curl, "Content-Range", 0, CURLH_HEADER, -1,
                                &header) == CURLHE_OK &&
                               su_starts_with(header->value, wanted)
                       ? 0
                       : su_fail(exchange->err, SU_ERROR_FORMAT,
                                 "'%s': the server sent another part than it was asked for",
                                 exchange->request->path);
}

static size_t receive(char *data, size_t unit, size_t count, void *userdata)
{
        struct exchange *exchange = userdata;
        const struct su_request *request = exchange->request;
        size_t size = unit * count;

        if (exchange->offset > 0 && exchange->received == 0)
                exchange->result = begin(exchange);
        if (exchange->result < 0)
                return 0;
        if (size > request->max - exchange->offset - exchange->received) {
                exchange->result = su_fail(exchange->err, SU_ERROR_TOO_LARGE,
                                           "'%s' is larger than the %llu bytes allowed",
                                           request->path, (unsigned long long)request->max);
                return 0;
        }
        exchange->result =
                exchange->sink->write(exchange->sink->userdata, data, size, exchange->err);
        if (exchange->result < 0)
                return 0;
        exchange->received += size;
        return size;
}

static int report_progress(void *userdata, curl_off_t total, curl_off_t now, curl_off_t up_total,
                           curl_off_t up_now)
{
        struct exchange *exchange = userdata;
        const struct su_sink *sink = exchange->sink;

        (void)total;
        (void)now;
        (void)up_total;
        (void)up_now;
        if (exchange->result >= 0)
                exchange->result = sink->progress(
                        sink->userdata, exchange->offset + exchange->received, exchange->err);
        return exchange->result < 0;
}

/* A missing file in a directory that is there, or a directory that is not? */
static bool repository_directory_exists(const struct su_transfer *transfer)
{
        return access(transfer->base_url + strlen("file://"), F_OK) == 0;
}

/* Who fetches is not always root. */
static int explain_certificates(const struct exchange *exchange, struct su_error *err)
{
        const struct su_transfer *transfer = exchange->transfer;
        char *path = NULL;

        (void)curl_easy_getinfo(transfer->curl, CURLINFO_CAINFO, &path);
        if (!path || access(path, R_OK) == 0)
                return su_fail(err, SU_ERROR_UNREACHABLE,
                               "cannot reach '%s/%s': the system's certificates are not usable",
                               transfer->base_url, exchange->request->path);
        return su_fail(err, SU_ERROR_UNREACHABLE,
                       "cannot reach '%s/%s': the system's certificates, '%s', cannot be read as "
                       "user %u: %s",
                       transfer->base_url, exchange->request->path, path, (unsigned)geteuid(),
                       strerror(errno));
}

static int explain(const struct exchange *exchange, CURLcode code, struct su_error *err)
{
        const struct su_transfer *transfer = exchange->transfer;
        const char *path = exchange->request->path;
        long status = status_of(transfer);

        switch (code) {
        case CURLE_PARTIAL_FILE:
        case CURLE_RECV_ERROR:
        case CURLE_GOT_NOTHING:
                return su_fail(err, SU_ERROR_TRUNCATED, "'%s/%s' broke off after %llu bytes: %s",
                               transfer->base_url, path,
                               (unsigned long long)(exchange->offset + exchange->received),
                               curl_easy_strerror(code));
        case CURLE_HTTP_RETURNED_ERROR:
                if (status == 416)
                        return su_fail(err, SU_ERROR_FORMAT,
                                       "'%s/%s': there is less of it than is here already",
                                       transfer->base_url, path);
                if (status == 404 || status == 410)
                        return su_fail(err, SU_ERROR_NOT_FOUND, "the repository %s has no '%s'",
                                       transfer->base_url, path);
                return su_fail(err, SU_ERROR_UNREACHABLE, "'%s/%s': the server answered %ld",
                               transfer->base_url, path, status);
        case CURLE_FILE_COULDNT_READ_FILE:
                if (repository_directory_exists(transfer))
                        return su_fail(err, SU_ERROR_NOT_FOUND, "the repository %s has no '%s'",
                                       transfer->base_url, path);
                return su_fail(err, SU_ERROR_UNREACHABLE, "there is no repository at %s",
                               transfer->base_url);
        case CURLE_SSL_CACERT_BADFILE:
                return explain_certificates(exchange, err);
        default:
                return su_fail(err, SU_ERROR_UNREACHABLE, "cannot reach '%s/%s': %s",
                               transfer->base_url, path, curl_easy_strerror(code));
        }
}

static int set_header(struct exchange *exchange, struct su_error *err)
{
        su_auto_free char *condition = NULL;
        int r;

        r = su_format(&condition, err, "If-None-Match: %s", exchange->request->etag);
        if (r < 0)
                return r;
        exchange->headers = curl_slist_append(NULL, condition);
        if (!exchange->headers)
                return su_fail_oom(err);
        (void)curl_easy_setopt(exchange->transfer->curl, CURLOPT_HTTPHEADER, exchange->headers);
        return 0;
}

/* "N-"; libcurl copies it. */
static CURLcode set_range(const struct exchange *exchange)
{
        char range[32];

        if (exchange->offset == 0)
                return CURLE_OK;
        (void)snprintf(range, sizeof range, "%llu-", (unsigned long long)exchange->offset);
        return curl_easy_setopt(exchange->transfer->curl, CURLOPT_RANGE, range);
}

static int prepare(struct exchange *exchange, struct su_error *err)
{
        const struct su_request *request = exchange->request;
        CURL *curl = exchange->transfer->curl;
        su_auto_free char *url = NULL;
        CURLcode code;
        int r;

        r = su_format(&url, err, "%s/%s", exchange->transfer->base_url, request->path);
        if (r >= 0 && request->etag)
                r = set_header(exchange, err);
        if (r < 0)
                return r;
        code = curl_easy_setopt(curl, CURLOPT_URL, url);
        if (code == CURLE_OK)
                code = curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
        if (code == CURLE_OK)
                code = curl_easy_setopt(curl, CURLOPT_XFERINFODATA, exchange);
        if (code == CURLE_OK)
                code = curl_easy_setopt(curl, CURLOPT_TIMEOUT,
                                        (long)su_request_time_max_s(request));
        if (code == CURLE_OK)
                code = set_range(exchange);
        if (code == CURLE_OK && request->body) {
                (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                                       (curl_off_t)request->body_size);
                (void)curl_easy_setopt(curl, CURLOPT_FAILONERROR, 0L);
                code = curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
        }
        return code == CURLE_OK ? 0 : explain(exchange, code, err);
}

static void clean_up(struct exchange *exchange)
{
        CURL *curl = exchange->transfer->curl;

        (void)curl_easy_setopt(curl, CURLOPT_RANGE, NULL);
        (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
        curl_slist_free_all(exchange->headers);
        if (!exchange->request->body)
                return;
        (void)curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
        (void)curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
}

/* 200, or 0 of file://; a part only when one was asked for, and "not modified" only when it was
 * asked whether it is. */
static int check_answer(const struct exchange *exchange, struct su_error *err)
{
        const struct su_request *request = exchange->request;
        long status = status_of(exchange->transfer);

        if (request->body)
                return 0;
        if (status != 200 && status != 0 && !(status == 304 && request->etag) &&
            !(status == 206 && exchange->offset > 0))
                return explain(exchange, CURLE_HTTP_RETURNED_ERROR, err);
        if (request->is_exact && exchange->offset + exchange->received < request->max)
                return su_fail(err, SU_ERROR_TRUNCATED, "'%s/%s' ends after %llu of %llu bytes",
                               exchange->transfer->base_url, request->path,
                               (unsigned long long)(exchange->offset + exchange->received),
                               (unsigned long long)request->max);
        return 0;
}

/* NULL when there is none, or memory is short: then the next question is not conditional. */
static char *last_etag(struct su_transfer *transfer)
{
        struct curl_header *header;

        if (curl_easy_header(transfer->curl, "ETag", 0, CURLH_HEADER, -1, &header) != CURLHE_OK ||
            !su_is_entity_tag(header->value))
                return NULL;
        return strdup(header->value);
}

int su_transfer_run(struct su_transfer *transfer, const struct su_request *request,
                    const struct su_sink *sink, struct su_result *ret, struct su_error *err)
{
        struct exchange exchange = {.transfer = transfer,
                                    .request = request,
                                    .sink = sink,
                                    .offset = request->offset,
                                    .err = err};
        CURLcode code = CURLE_OK;
        int r;

        *ret = (struct su_result){0};
        r = prepare(&exchange, err);
        if (r >= 0) {
                code = curl_easy_perform(transfer->curl);
                r = exchange.result < 0 ? exchange.result
                    : code != CURLE_OK  ? explain(&exchange, code, err)
                                        : check_answer(&exchange, err);
        }
        ret->received = exchange.received;
        if (r >= 0) {
                ret->status = status_of(transfer);
                ret->etag = last_etag(transfer);
        }
        clean_up(&exchange);
        return r;
}

/* libcurl reads up to a hundred times before it looks how fast it was: then that is a second or
 * two, and not all at once. */
static long buffer_size(uint64_t max_rate)
{
        const uint64_t size = max_rate / 64;

        if (max_rate == 0 || size > CURL_MAX_WRITE_SIZE)
                return CURL_MAX_WRITE_SIZE;
        return size < 1024 ? 1024 : (long)size;
}

static int configure(CURL *curl, const struct su_fetch_options *options)
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
        SET(CURLOPT_BUFFERSIZE, buffer_size(options->max_rate));
        SET(CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)options->max_rate);
        SET(CURLOPT_PROXY, options->proxy);
#undef SET
        return code == CURLE_OK ? 0 : -EIO;
}

int su_transfer_new(const struct su_fetch_options *options, struct su_transfer **ret,
                    struct su_error *err)
{
        su_auto_transfer struct su_transfer *transfer = calloc(1, sizeof *transfer);
        int r;

        if (!transfer)
                return su_fail_oom(err);
        r = su_strdup(options->base_url, &transfer->base_url, err);
        if (r < 0)
                return r;
        for (size_t size = strlen(transfer->base_url);
             size > 0 && transfer->base_url[size - 1] == '/'; size--)
                transfer->base_url[size - 1] = '\0';
        transfer->curl = curl_easy_init();
        if (!transfer->curl || configure(transfer->curl, options) < 0)
                return su_fail(err, SU_ERROR_SYSTEM, "cannot set up libcurl");
        *ret = su_take(transfer);
        return 0;
}

void su_transfer_free(struct su_transfer *transfer)
{
        if (!transfer)
                return;
        curl_easy_cleanup(transfer->curl);
        free(transfer->base_url);
        free(transfer);
}
