/* A client that never stops asking: is a TLS service there all the time?
 *
 *   tls-client URL SECONDS|0 OUT.tsv       0: until SIGTERM or SIGINT
 *
 * Every request makes a new connection with a full handshake, started every 5 ms
 * or as soon as the one before is done. The certificate is not verified: what is
 * measured is whether and when the service answers. One line for each request:
 *
 *   start (CLOCK_REALTIME, us) TAB duration (us) TAB ok|fail TAB error, or nothing
 *
 * A request that is under way when the signal comes is not counted.
 */
#define _POSIX_C_SOURCE 200809L

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
        PERIOD_US = 5000,
        CONNECT_TIMEOUT_MS = 2000,
        TOTAL_TIMEOUT_MS = 5000,
};

struct totals {
        uint64_t requests;
        uint64_t failed;
        int64_t longest_us;
};

static volatile sig_atomic_t stop_requested;

static void on_signal(int signum)
{
        (void)signum;
        stop_requested = 1;
}

static int64_t now_us(clockid_t clock)
{
        struct timespec ts;

        if (clock_gettime(clock, &ts) < 0)
                abort();
        return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Cut short by a signal, which is what we want. */
static void sleep_until_us(int64_t monotonic_us)
{
        struct timespec ts = {
                .tv_sec = (time_t)(monotonic_us / 1000000),
                .tv_nsec = (long)(monotonic_us % 1000000) * 1000,
        };

        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static size_t discard_body(char *data, size_t size, size_t count, void *userdata)
{
        (void)data;
        (void)userdata;
        return size * count;
}

/* Ends the request in hand soon after a signal, even against a silent server. */
static int check_stop(void *userdata, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
                      curl_off_t ulnow)
{
        (void)userdata;
        (void)dltotal;
        (void)dlnow;
        (void)ultotal;
        (void)ulnow;
        return stop_requested;
}

static CURLcode configure(CURL *curl, const char *url, char *error)
{
        CURLcode code = CURLE_OK;

#define SET(option, value)                                                                         \
        do {                                                                                       \
                if (code == CURLE_OK)                                                              \
                        code = curl_easy_setopt(curl, option, value);                              \
        } while (0)
        SET(CURLOPT_URL, url);
        SET(CURLOPT_ERRORBUFFER, error);
        SET(CURLOPT_WRITEFUNCTION, discard_body);
        SET(CURLOPT_XFERINFOFUNCTION, check_stop);
        SET(CURLOPT_NOPROGRESS, 0L);
        SET(CURLOPT_NOSIGNAL, 1L);
        SET(CURLOPT_PROXY, "");
        SET(CURLOPT_FAILONERROR, 1L);
        SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
        SET(CURLOPT_TIMEOUT_MS, (long)TOTAL_TIMEOUT_MS);
        SET(CURLOPT_FRESH_CONNECT, 1L);
        SET(CURLOPT_FORBID_REUSE, 1L);
        SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
        SET(CURLOPT_SSL_VERIFYPEER, 0L);
        SET(CURLOPT_SSL_VERIFYHOST, 0L);
        /* Reading the system's certificates would cost more than the handshake. */
        SET(CURLOPT_CAINFO, NULL);
        SET(CURLOPT_CAPATH, NULL);
#undef SET
        return code;
}

/* False when a line cannot be written. */
static bool record(FILE *out, int64_t start_us, int64_t duration_us, CURLcode code,
                   const char *error)
{
        const char *text = "";

        if (code != CURLE_OK)
                text = error[0] != '\0' ? error : curl_easy_strerror(code);
        return fprintf(out, "%" PRId64 "\t%" PRId64 "\t%s\t%s\n", start_us, duration_us,
                       code == CURLE_OK ? "ok" : "fail", text) >= 0 &&
               fflush(out) == 0;
}

static bool run(CURL *curl, char *error, FILE *out, int64_t seconds, struct totals *totals)
{
        int64_t begin = now_us(CLOCK_MONOTONIC);
        int64_t end = seconds > 0 ? begin + seconds * 1000000 : INT64_MAX;

        while (!stop_requested && begin < end) {
                int64_t start_us = now_us(CLOCK_REALTIME), duration_us, now;
                CURLcode code;

                error[0] = '\0';
                code = curl_easy_perform(curl);
                now = now_us(CLOCK_MONOTONIC);
                duration_us = now - begin;
                if (code == CURLE_ABORTED_BY_CALLBACK)
                        break;
                if (!record(out, start_us, duration_us, code, error))
                        return false;

                totals->requests++;
                if (code != CURLE_OK)
                        totals->failed++;
                if (duration_us > totals->longest_us)
                        totals->longest_us = duration_us;

                if (duration_us < PERIOD_US && !stop_requested)
                        sleep_until_us(begin + PERIOD_US);
                begin = now_us(CLOCK_MONOTONIC);
        }
        return true;
}

static bool parse_seconds(const char *text, int64_t *ret)
{
        char *rest;
        long value;

        errno = 0;
        value = strtol(text, &rest, 10);
        if (errno != 0 || rest == text || *rest != '\0' || value < 0 || value > 86400)
                return false;
        *ret = value;
        return true;
}

int main(int argc, char *argv[])
{
        struct sigaction action = {.sa_handler = on_signal};
        struct totals totals = {0};
        char error[CURL_ERROR_SIZE];
        int64_t seconds;
        bool written;
        CURLcode code;
        CURL *curl;
        FILE *out;

        if (argc != 4 || !parse_seconds(argv[2], &seconds)) {
                fprintf(stderr,
                        "usage: tls-client URL SECONDS|0 OUT.tsv (0: until SIGTERM or SIGINT)\n");
                return 2;
        }
        if (sigaction(SIGTERM, &action, NULL) < 0 || sigaction(SIGINT, &action, NULL) < 0) {
                perror("tls-client: sigaction");
                return 1;
        }
        out = fopen(argv[3], "we");
        if (!out) {
                fprintf(stderr, "tls-client: cannot write '%s': %s\n", argv[3], strerror(errno));
                return 1;
        }
        curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
        if (!curl) {
                fprintf(stderr, "tls-client: cannot start libcurl\n");
                return 1;
        }
        code = configure(curl, argv[1], error);
        if (code != CURLE_OK) {
                fprintf(stderr, "tls-client: %s\n", curl_easy_strerror(code));
                return 1;
        }

        written = run(curl, error, out, seconds, &totals);
        curl_easy_cleanup(curl);
        curl_global_cleanup();
        if (fclose(out) != 0 || !written) {
                fprintf(stderr, "tls-client: cannot write '%s'\n", argv[3]);
                return 1;
        }
        printf("requests %" PRIu64 " failed %" PRIu64 " longest_us %" PRId64 "\n", totals.requests,
               totals.failed, totals.longest_us);
        return 0;
}
