#include "transparency/proof.h"

#include <inttypes.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "transparency/lines.h"

#define HEADER "c2sp.org/tlog-proof@v1"
#define PATH_MAX_HASHES 63 /* of SU_LOG_SIZE_MAX entries */

void su_log_proof_clear(struct su_log_proof *proof)
{
        free(proof->checkpoint);
        free(proof->extra);
        *proof = (struct su_log_proof){0};
}

static struct su_log_proof take_proof(struct su_log_proof *proof)
{
        struct su_log_proof taken = *proof;

        *proof = (struct su_log_proof){0};
        return taken;
}

static int parse_extra(struct su_slice base64, struct su_log_proof *proof, struct su_error *err)
{
        proof->extra = malloc(base64.size + 1);
        if (!proof->extra)
                return su_fail_oom(err);
        if (!su_base64_decode(base64.text, base64.size, proof->extra, base64.size,
                              &proof->extra_size))
                return su_fail(err, SU_ERROR_FORMAT, "the proof's extra data is not in Base 64");
        return 0;
}

/* Up to the empty line. */
static int parse_path(struct su_lines *lines, struct su_tree_proof *path, struct su_error *err)
{
        struct su_slice line;

        for (;;) {
                if (!su_lines_next(lines, &line))
                        return su_fail(err, SU_ERROR_FORMAT, "the proof has no checkpoint");
                if (line.size == 0)
                        return 0;
                if (path->n == PATH_MAX_HASHES)
                        return su_fail(err, SU_ERROR_FORMAT, "no proof has more than %d hashes",
                                       PATH_MAX_HASHES);
                if (!su_slice_base64(line, path->hashes[path->n].bytes, SU_SHA256_SIZE))
                        return su_fail(err, SU_ERROR_FORMAT,
                                       "hash %zu of the proof is no SHA-256 in Base 64",
                                       path->n + 1);
                path->n++;
        }
}

int su_log_proof_parse(const char *text, size_t size, struct su_log_proof *ret,
                       struct su_error *err)
{
        su_auto_log_proof struct su_log_proof proof = {0};
        struct su_lines lines = {.text = text, .left = size};
        struct su_slice line;
        bool more;
        int r = 0;

        if (size > SU_LOG_PROOF_SIZE_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "a proof has at most %d bytes",
                               SU_LOG_PROOF_SIZE_MAX);
        if (!su_lines_next(&lines, &line) || !su_slice_is(line, HEADER))
                return su_fail(err, SU_ERROR_FORMAT, "a proof begins with the line '" HEADER "'");
        more = su_lines_next(&lines, &line);
        if (more && su_slice_skip(&line, "extra ")) {
                r = parse_extra(line, &proof, err);
                more = su_lines_next(&lines, &line);
        }
        if (r < 0)
                return r;
        if (!more || !su_slice_skip(&line, "index ") ||
            !su_slice_decimal(line, SU_LOG_SIZE_MAX, &proof.index))
                return su_fail(err, SU_ERROR_FORMAT, "the proof has no index");
        r = parse_path(&lines, &proof.path, err);
        if (r < 0)
                return r;
        if (lines.left > 0 && memchr(lines.text, '\0', lines.left))
                return su_fail(err, SU_ERROR_FORMAT, "the proof's checkpoint has a NUL");
        proof.checkpoint_size = lines.left;
        proof.checkpoint = strndup(lines.text, lines.left);
        if (!proof.checkpoint)
                return su_fail_oom(err);
        *ret = take_proof(&proof);
        return 0;
}

/* "extra BASE64" with its newline, or nothing. */
static int format_extra(const void *extra, size_t size, char **ret, struct su_error *err)
{
        su_auto_free char *base64 = NULL;

        if (!extra)
                return su_strdup("", ret, err);
        base64 = malloc(SU_BASE64_SIZE(size) + 1);
        if (!base64)
                return su_fail_oom(err);
        su_base64_encode(extra, size, base64);
        return su_format(ret, err, "extra %s\n", base64);
}

int su_log_proof_format(uint64_t index, const struct su_tree_proof *path, const char *checkpoint,
                        const void *extra, size_t extra_size, char **ret, struct su_error *err)
{
        char hashes[SU_TREE_PROOF_MAX * (SU_BASE64_SIZE(SU_SHA256_SIZE) + 1) + 1] = "";
        char *end = hashes;
        su_auto_log_proof struct su_log_proof again = {0};
        su_auto_free char *extra_line = NULL;
        su_auto_free char *text = NULL;
        int r;

        for (size_t i = 0; i < path->n && i < SU_TREE_PROOF_MAX; i++) {
                su_base64_encode(path->hashes[i].bytes, SU_SHA256_SIZE, end);
                end += SU_BASE64_SIZE(SU_SHA256_SIZE);
                *end++ = '\n';
                *end = '\0';
        }
        r = format_extra(extra, extra_size, &extra_line, err);
        if (r >= 0)
                r = su_format(&text, err, HEADER "\n%sindex %" PRIu64 "\n%s\n%s", extra_line, index,
                              hashes, checkpoint);
        if (r >= 0)
                r = su_log_proof_parse(text, strlen(text), &again, err);
        if (r < 0)
                return r;
        *ret = su_take(text);
        return 0;
}

int su_log_proof_verify(const struct su_policy *policy, const char *text, size_t size,
                        const void *entry, size_t entry_size, struct su_log_head *ret_head,
                        uint64_t *ret_index, struct su_error *err)
{
        su_auto_log_proof struct su_log_proof proof = {0};
        su_auto_log_head struct su_log_head head = {0};
        struct su_sha256 leaf;
        int r;

        r = su_log_proof_parse(text, size, &proof, err);
        if (r >= 0)
                r = su_log_head_verify(policy, proof.checkpoint, proof.checkpoint_size, &head, err);
        if (r >= 0)
                r = su_tree_hash_leaf(entry, entry_size, &leaf, err);
        if (r >= 0)
                r = su_tree_verify_inclusion(&leaf, proof.index, head.checkpoint.size,
                                             &head.checkpoint.root, &proof.path, err);
        if (r < 0)
                return r;
        *ret_head = head;
        head = (struct su_log_head){0};
        *ret_index = proof.index;
        return 0;
}
