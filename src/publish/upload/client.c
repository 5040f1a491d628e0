#include "publish/upload/client.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "publish/upload/answer.h"

#define CONNECT_TIMEOUT_S 15L
#define STALL_BYTES_PER_S 100L
#define STALL_TIME_S 30L
/* 0.2 s before the second one, twice as long before each of the next: six seconds in all. */
#define TRIES_MAX 6
#define BACK_OFF_US UINT64_C(200000)
#define WAIT_MS 100
/* What one PUT may have, by the protocol. */
#define PUT_SIZE_MAX (UINT64_C(5) << 30)

struct su_s3 {
        const struct su_s3_place *place;
        CURLM *multi;
};

/* A request on its way, through all its tries. */
struct exchange {
        CURL *curl;
        const struct su_s3 *s3;
        const struct su_s3_request *request; /* NULL: nothing is on its way here */
        struct curl_slist *headers;
        char *url;
        int fd;
        uint64_t size;
        uint64_t position; /* of what is sent */
        char *body;
        size_t body_size;
        FILE *memory;
        uint64_t received;
        int tries;
        bool is_running;
        uint64_t not_before; /* monotonic */
};

static void close_memory(struct exchange *exchange)
{
        if (exchange->memory)
                (void)fclose(exchange->memory);
        exchange->memory = NULL;
}

/* The connection stays, for the next request. */
static void exchange_reset(struct exchange *exchange)
{
        close_memory(exchange);
        curl_slist_free_all(exchange->headers);
        su_close_fd(&exchange->fd);
        free(exchange->url);
        free(exchange->body);
        *exchange = (struct exchange){.curl = exchange->curl, .s3 = exchange->s3, .fd = -EBADF};
}

static size_t receive(char *data, size_t unit, size_t count, void *userdata)
{
        struct exchange *exchange = userdata;
        size_t size = unit * count;

        exchange->received += size;
        if (exchange->received > SU_S3_ANSWER_MAX)
                return 0;
        return fwrite(data, 1, size, exchange->memory);
}

static size_t send_some(char *data, size_t unit, size_t count, void *userdata)
{
        struct exchange *exchange = userdata;
        size_t size;

        if (su_read_at(exchange->fd, data, unit * count, exchange->position, "file", &size, NULL) <
            0)
                return CURL_READFUNC_ABORT;
        exchange->position += size;
        return size;
}

static int go_back(void *userdata, curl_off_t offset, int origin)
{
        struct exchange *exchange = userdata;

        if (origin != SEEK_SET)
                return CURL_SEEKFUNC_CANTSEEK;
        exchange->position = (uint64_t)offset;
        return CURL_SEEKFUNC_OK;
}

__attribute__((format(printf, 3, 4))) static int add_header(struct exchange *exchange,
                                                            struct su_error *err,
                                                            const char *format, ...)
{
        su_auto_free char *header = NULL;
        struct curl_slist *longer;
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vasprintf(&header, format, arguments);
        va_end(arguments);
        longer = n < 0 ? NULL : curl_slist_append(exchange->headers, header);
        if (!longer)
                return su_fail_oom(err);
        exchange->headers = longer;
        return 0;
}

/* Its digest goes with it, signed: what arrives is what was read, or is refused. */
static int open_file(struct exchange *exchange, struct su_sha256 *ret, struct su_error *err)
{
        const struct su_s3_request *request = exchange->request;
        int r;

        exchange->fd = openat(request->dir_fd, request->file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (exchange->fd < 0)
                return su_fail_errno(err, errno, "cannot open '%s'", request->file);
        r = su_sha256_of_fd(exchange->fd, request->file, ret, &exchange->size, err);
        if (r < 0)
                return r;
        if (request->digest && !su_sha256_equal(request->digest, ret))
                return su_fail(err, SU_ERROR_DIGEST,
                               "'%s' is damaged: its digest is not its name's", request->file);
        if (exchange->size > PUT_SIZE_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "'%s' is too large for an object store",
                               request->file);
        return 0;
}

/* Some versions of libcurl sign each of them, even one that is only there to leave out what libcurl
 * would send ("Expect:"): so there is none of those. The digest is not left to them either, as some
 * would take it of nothing. */
static int add_headers(struct exchange *exchange, struct su_error *err)
{
        const struct su_s3_request *request = exchange->request;
        const char *token = exchange->s3->place->token;
        char hex[SU_SHA256_HEX_SIZE];
        struct su_sha256 digest;
        int r;

        r = request->method == SU_S3_PUT ? open_file(exchange, &digest, err)
                                         : su_sha256_of("", 0, &digest, err);
        if (r < 0)
                return r;
        su_hex_encode(digest.bytes, sizeof digest.bytes, hex);
        r = add_header(exchange, err, "x-amz-content-sha256: %s", hex);
        if (r >= 0 && token)
                r = add_header(exchange, err, "x-amz-security-token: %s", token);
        if (r >= 0 && request->method == SU_S3_PUT) {
                r = add_header(exchange, err, "Content-Type: %s", request->type);
                if (r >= 0)
                        r = add_header(exchange, err, "Cache-Control: %s", request->cache);
        }
        return r;
}

static int find_url(struct exchange *exchange, struct su_error *err)
{
        const struct su_s3_place *place = exchange->s3->place;
        const struct su_s3_request *request = exchange->request;
        su_auto_free char *key = NULL;
        su_auto_free char *encoded = NULL;
        int r;

        r = request->path ? su_format(&key, err, "%s%s", place->prefix, request->path)
                          : su_strdup("", &key, err);
        if (r >= 0)
                r = su_percent_encode(key, "/", &encoded, err);
        if (r >= 0)
                r = su_format(&exchange->url, err, "%s/%s%s%s", place->url, encoded,
                              request->query ? "?" : "", request->query ? request->query : "");
        return r;
}

static CURLcode set_method(struct exchange *exchange)
{
        CURL *curl = exchange->curl;
        CURLcode code = CURLE_OK;

        switch (exchange->request->method) {
        case SU_S3_GET:
                break;
        case SU_S3_DELETE:
                return curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "DELETE");
        case SU_S3_PUT:
                code = curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
                if (code == CURLE_OK)
                        code = curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
                                                (curl_off_t)exchange->size);
                break;
        }
        return code;
}

static CURLcode configure(struct exchange *exchange, const char *provider)
{
        const struct su_s3_place *place = exchange->s3->place;
        CURL *curl = exchange->curl;
        CURLcode code = CURLE_OK;

        curl_easy_reset(curl);
#define SET(option, value)                                                                         \
        if (code == CURLE_OK)                                                                      \
        code = curl_easy_setopt(curl, option, value)
        SET(CURLOPT_URL, exchange->url);
        SET(CURLOPT_PROTOCOLS_STR, "http,https");
        SET(CURLOPT_NOSIGNAL, 1L);
        SET(CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
        SET(CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_PER_S);
        SET(CURLOPT_LOW_SPEED_TIME, STALL_TIME_S);
        SET(CURLOPT_USERAGENT, "suture-publish");
        SET(CURLOPT_PATH_AS_IS, 1L);
        SET(CURLOPT_AWS_SIGV4, provider);
        SET(CURLOPT_USERNAME, place->key_id);
        SET(CURLOPT_PASSWORD, place->secret);
        SET(CURLOPT_HTTPHEADER, exchange->headers);
        SET(CURLOPT_WRITEFUNCTION, receive);
        SET(CURLOPT_WRITEDATA, exchange);
        SET(CURLOPT_READFUNCTION, send_some);
        SET(CURLOPT_READDATA, exchange);
        SET(CURLOPT_SEEKFUNCTION, go_back);
        SET(CURLOPT_SEEKDATA, exchange);
        SET(CURLOPT_PRIVATE, exchange);
#undef SET
        return code == CURLE_OK ? set_method(exchange) : code;
}

/* Signed anew at each try: a signature is good for some minutes. */
static int start(struct exchange *exchange, struct su_error *err)
{
        su_auto_free char *provider = NULL;
        int r;

        close_memory(exchange);
        su_free_p(&exchange->body);
        exchange->memory = open_memstream(&exchange->body, &exchange->body_size);
        if (!exchange->memory)
                return su_fail_oom(err);
        exchange->received = 0;
        exchange->position = 0;
        exchange->tries++;
        r = su_format(&provider, err, "aws:amz:%s:s3", exchange->s3->place->region);
        if (r < 0)
                return r;
        if (configure(exchange, provider) != CURLE_OK ||
            curl_multi_add_handle(exchange->s3->multi, exchange->curl) != CURLM_OK)
                return su_fail(err, SU_ERROR_SYSTEM, "cannot set up libcurl");
        exchange->is_running = true;
        return 0;
}

static int begin(struct exchange *exchange, const struct su_s3_request *request,
                 struct su_error *err)
{
        int r;

        exchange_reset(exchange);
        exchange->request = request;
        r = find_url(exchange, err);
        if (r >= 0)
                r = add_headers(exchange, err);
        return r < 0 ? r : start(exchange, err);
}

static bool is_passing(CURLcode code, long status, const struct su_s3_refusal *refusal)
{
        switch (code) {
        case CURLE_OK:
                return status >= 500 || status == 429 || strcmp(refusal->code, "SlowDown") == 0 ||
                       strcmp(refusal->code, "RequestTimeout") == 0;
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_GOT_NOTHING:
        case CURLE_PARTIAL_FILE:
        case CURLE_OPERATION_TIMEDOUT:
                return true;
        default:
                return false;
        }
}

static int explain(const struct exchange *exchange, CURLcode code, long status,
                   const struct su_s3_refusal *refusal, struct su_error *err)
{
        const struct su_s3_place *place = exchange->s3->place;
        const char *path = exchange->request->path ? exchange->request->path : "";
        enum su_error_code why = status == 401 || status == 403   ? SU_ERROR_PERMISSION
                                 : status == 404                  ? SU_ERROR_NOT_FOUND
                                 : status >= 300 && status <= 499 ? SU_ERROR_CONFIG
                                                                  : SU_ERROR_UNREACHABLE;

        if (code == CURLE_WRITE_ERROR)
                return su_fail(err, SU_ERROR_TOO_LARGE, "s3://%s/%s%s: the answer is too large",
                               place->bucket, place->prefix, path);
        if (code != CURLE_OK)
                return su_fail(err, SU_ERROR_UNREACHABLE, "cannot reach '%s' (%d tries): %s",
                               exchange->url, exchange->tries, curl_easy_strerror(code));
        return su_fail(err, why, "s3://%s/%s%s: the server answered %ld%s%s%s%s%s", place->bucket,
                       place->prefix, path, status, refusal->code[0] ? ": " : "", refusal->code,
                       refusal->message[0] ? ": " : "", refusal->message,
                       exchange->tries > 1 ? ", again and again" : "");
}

/* 0: it is done; 1: it is tried again. */
static int finish(struct exchange *exchange, CURLcode code, struct su_error *err)
{
        struct su_s3_refusal refusal = {0};
        long status = 0;
        bool is_missing;

        (void)curl_multi_remove_handle(exchange->s3->multi, exchange->curl);
        exchange->is_running = false;
        (void)curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
        close_memory(exchange);
        if (!exchange->body)
                return su_fail_oom(err);
        if (code == CURLE_OK && status >= 200 && status <= 299)
                return 0;
        su_s3_refusal_parse(exchange->body, exchange->body_size, &refusal);
        is_missing = code == CURLE_OK && status == 404 && exchange->request->path &&
                     exchange->request->method != SU_S3_PUT &&
                     strcmp(refusal.code, "NoSuchBucket") != 0;
        if (is_missing) {
                su_free_p(&exchange->body);
                return 0;
        }
        if (!is_passing(code, status, &refusal) || exchange->tries >= TRIES_MAX)
                return explain(exchange, code, status, &refusal, err);
        exchange->not_before = su_monotonic_us() + (BACK_OFF_US << (exchange->tries - 1));
        return 1;
}

struct batch {
        struct su_s3 *s3;
        const struct su_s3_request *requests;
        size_t n, next, n_done;
        struct exchange *exchanges;
        size_t parallel;
};

static void batch_done(struct batch *batch)
{
        for (size_t i = 0; batch->exchanges && i < batch->parallel; i++) {
                struct exchange *exchange = &batch->exchanges[i];

                if (!exchange->curl)
                        continue;
                if (exchange->is_running)
                        (void)curl_multi_remove_handle(batch->s3->multi, exchange->curl);
                exchange_reset(exchange);
                curl_easy_cleanup(exchange->curl);
        }
        free(batch->exchanges);
}

/* Begin what can begin now. */
static int advance(struct batch *batch, struct su_error *err)
{
        for (size_t i = 0; i < batch->parallel; i++) {
                struct exchange *exchange = &batch->exchanges[i];
                int r = 0;

                if (exchange->is_running)
                        continue;
                if (exchange->request && su_monotonic_us() >= exchange->not_before)
                        r = start(exchange, err);
                else if (!exchange->request && batch->next < batch->n)
                        r = begin(exchange, &batch->requests[batch->next++], err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int collect(struct batch *batch, struct su_s3_reply *ret, struct su_error *err)
{
        CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(batch->s3->multi, &left))) {
                struct exchange *exchange = NULL;
                CURLcode code = message->data.result;
                int r;

                if (message->msg != CURLMSG_DONE)
                        continue;
                (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
                r = finish(exchange, code, err);
                if (r < 0)
                        return r;
                if (r > 0)
                        continue;
                if (ret)
                        *ret = (struct su_s3_reply){su_take(exchange->body), exchange->body_size};
                exchange_reset(exchange);
                batch->n_done++;
        }
        return 0;
}

static int run(struct batch *batch, struct su_s3_reply *ret, struct su_error *err)
{
        for (size_t i = 0; i < batch->parallel; i++) {
                batch->exchanges[i] =
                        (struct exchange){.curl = curl_easy_init(), .s3 = batch->s3, .fd = -EBADF};
                if (!batch->exchanges[i].curl)
                        return su_fail_oom(err);
        }
        while (batch->n_done < batch->n) {
                int running;
                int r;

                if (su_interrupted())
                        return su_fail(err, SU_ERROR_CANCELLED,
                                       "cancelled: what is there is consistent");
                r = advance(batch, err);
                if (r < 0)
                        return r;
                if (curl_multi_perform(batch->s3->multi, &running) != CURLM_OK ||
                    curl_multi_poll(batch->s3->multi, NULL, 0, WAIT_MS, NULL) != CURLM_OK)
                        return su_fail(err, SU_ERROR_SYSTEM, "libcurl does not work");
                r = collect(batch, ret, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int su_s3_ask_all(struct su_s3 *s3, const struct su_s3_request *requests, size_t n, size_t parallel,
                  struct su_error *err)
{
        su_auto(batch_done) struct batch batch = {
                .s3 = s3,
                .requests = requests,
                .n = n,
                .parallel = parallel,
                .exchanges = calloc(parallel, sizeof *batch.exchanges),
        };

        return batch.exchanges ? run(&batch, NULL, err) : su_fail_oom(err);
}

int su_s3_ask(struct su_s3 *s3, const struct su_s3_request *request, struct su_s3_reply *ret,
              struct su_error *err)
{
        su_auto(batch_done) struct batch batch = {
                .s3 = s3,
                .requests = request,
                .n = 1,
                .parallel = 1,
                .exchanges = calloc(1, sizeof *batch.exchanges),
        };

        return batch.exchanges ? run(&batch, ret, err) : su_fail_oom(err);
}

int su_s3_new(const struct su_s3_place *place, struct su_s3 **ret, struct su_error *err)
{
        su_auto_s3 struct su_s3 *s3 = calloc(1, sizeof *s3);

        if (!s3)
                return su_fail_oom(err);
        s3->place = place;
        s3->multi = curl_multi_init();
        if (!s3->multi)
                return su_fail(err, SU_ERROR_SYSTEM, "cannot set up libcurl");
        *ret = su_take(s3);
        return 0;
}

void su_s3_free(struct su_s3 *s3)
{
        if (!s3)
                return;
        (void)curl_multi_cleanup(s3->multi);
        free(s3);
}
