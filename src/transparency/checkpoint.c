#include "transparency/checkpoint.h"

#include <inttypes.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "transparency/lines.h"

void su_checkpoint_clear(struct su_checkpoint *checkpoint)
{
        free(checkpoint->origin);
        free(checkpoint->extensions);
        *checkpoint = (struct su_checkpoint){0};
}

static struct su_checkpoint take_checkpoint(struct su_checkpoint *checkpoint)
{
        struct su_checkpoint taken = *checkpoint;

        *checkpoint = (struct su_checkpoint){0};
        return taken;
}

static int duplicate(struct su_slice span, char **ret, struct su_error *err)
{
        *ret = strndup(span.text, span.size);
        return *ret ? 0 : su_fail_oom(err);
}

static int check_extensions(struct su_lines lines, struct su_error *err)
{
        struct su_slice line;

        while (su_lines_next(&lines, &line))
                if (line.size == 0)
                        return su_fail(err, SU_ERROR_FORMAT, "the checkpoint has an empty line");
        if (lines.left > 0)
                return su_fail(err, SU_ERROR_FORMAT, "the checkpoint does not end with a newline");
        return 0;
}

int su_checkpoint_parse(const char *text, size_t size, struct su_checkpoint *ret,
                        struct su_error *err)
{
        struct su_lines lines = {.text = text, .left = size};
        su_auto_checkpoint struct su_checkpoint parsed = {0};
        struct su_slice origin;
        struct su_slice line;
        int r;

        if (!su_text_is_note(text, size))
                return su_fail(err, SU_ERROR_FORMAT,
                               "the checkpoint is not UTF-8, or has control characters");
        if (!su_lines_next(&lines, &origin) || origin.size == 0)
                return su_fail(err, SU_ERROR_FORMAT, "the checkpoint has no origin");
        if (!su_lines_next(&lines, &line) || !su_slice_decimal(line, SU_LOG_SIZE_MAX, &parsed.size))
                return su_fail(err, SU_ERROR_FORMAT, "the checkpoint's size is no number");
        if (!su_lines_next(&lines, &line) ||
            !su_slice_base64(line, parsed.root.bytes, sizeof parsed.root.bytes))
                return su_fail(err, SU_ERROR_FORMAT,
                               "the checkpoint's root is no SHA-256 in Base 64");
        r = check_extensions(lines, err);
        if (r >= 0)
                r = duplicate(origin, &parsed.origin, err);
        if (r >= 0)
                r = duplicate((struct su_slice){lines.text, lines.left}, &parsed.extensions, err);
        if (r < 0)
                return r;
        *ret = take_checkpoint(&parsed);
        return 0;
}

int su_checkpoint_format(const char *origin, uint64_t size, const struct su_sha256 *root,
                         const char *extensions, char **ret, struct su_error *err)
{
        su_auto_checkpoint struct su_checkpoint again = {0};
        char base64[SU_BASE64_SIZE(SU_SHA256_SIZE) + 1];
        su_auto_free char *text = NULL;
        int r;

        su_base64_encode(root->bytes, sizeof root->bytes, base64);
        r = su_format(&text, err, "%s\n%" PRIu64 "\n%s\n%s", origin, size, base64,
                      extensions ? extensions : "");
        if (r >= 0)
                r = su_checkpoint_parse(text, strlen(text), &again, err);
        if (r < 0)
                return r;
        if (strcmp(again.origin, origin) != 0)
                return su_fail(err, SU_ERROR_FORMAT, "the origin has more than one line");
        *ret = su_take(text);
        return 0;
}
