#include "log/witness.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "fetch/fetch.h"

#define ANSWER_SIZE_MAX (64 * 1024)

/* "old SIZE", the proof a hash a line, an empty line, the checkpoint. */
static void write_lines(FILE *out, uint64_t old_size, const struct su_tree_proof *proof,
                        const char *note)
{
        (void)fprintf(out, "old %" PRIu64 "\n", old_size);
        for (size_t i = 0; i < proof->n; i++) {
                char hash[SU_BASE64_SIZE(SU_SHA256_SIZE) + 1];

                su_base64_encode(proof->hashes[i].bytes, SU_SHA256_SIZE, hash);
                (void)fprintf(out, "%s\n", hash);
        }
        (void)fprintf(out, "\n%s", note);
}

static int write_request(struct su_tiles *tiles, uint64_t old_size, const char *note, char **ret,
                         size_t *ret_size, struct su_error *err)
{
        struct su_tree_proof proof = {0};
        su_auto_free char *text = NULL;
        FILE *out;
        int r;

        r = su_tiles_prove_consistency(tiles, old_size, NULL, &proof, err);
        if (r < 0)
                return r;
        out = open_memstream(&text, ret_size);
        if (!out)
                return su_fail_oom(err);
        write_lines(out, old_size, &proof, note);
        if (fclose(out) != 0)
                return su_fail_oom(err);
        *ret = su_take(text);
        return 0;
}

static int ask(struct su_fetch *fetch, struct su_tiles *tiles, uint64_t old_size, const char *note,
               struct su_fetch_reply *ret, struct su_error *err)
{
        su_auto_free char *request = NULL;
        size_t size;
        int r;

        r = write_request(tiles, old_size, note, &request, &size, err);
        return r < 0 ? r
                     : su_fetch_post(fetch, "add-checkpoint", request, size, ANSWER_SIZE_MAX, ret,
                                     err);
}

/* The size that the witness saw last, when it says that it is not the one that we said. */
static bool read_size(const struct su_fetch_reply *reply, uint64_t size, uint64_t *ret)
{
        char *end;

        if (reply->status != 409 || reply->size == 0 || reply->data[0] < '0' ||
            reply->data[0] > '9')
                return false;
        errno = 0;
        *ret = strtoull(reply->data, &end, 10);
        return errno == 0 && strcmp(end, "\n") == 0 && *ret <= size;
}

static void reply_done(struct su_fetch_reply *reply)
{
        free(reply->data);
}

int su_witness_ask(const char *url, struct su_tiles *tiles, uint64_t size, const char *note,
                   char **ret_lines, size_t *ret_size, struct su_error *err)
{
        su_auto(reply_done) struct su_fetch_reply first = {0};
        su_auto(reply_done) struct su_fetch_reply second = {0};
        su_auto_fetch struct su_fetch *fetch = NULL;
        struct su_fetch_reply *reply = &first;
        uint64_t old_size;
        int r;

        r = su_fetch_new(url, &fetch, err);
        if (r >= 0)
                r = ask(fetch, tiles, 0, note, &first, err);
        if (r >= 0 && read_size(&first, size, &old_size)) {
                reply = &second;
                r = ask(fetch, tiles, old_size, note, &second, err);
        }
        if (r < 0)
                return r;
        if (reply->status != 200)
                return su_fail(err, SU_ERROR_UNREACHABLE, "'%s' does not cosign: it answered %ld",
                               url, reply->status);
        *ret_size = reply->size;
        *ret_lines = su_take(reply->data);
        return 0;
}
