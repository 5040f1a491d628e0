/* What a publisher says in public: the entries of the transparency log, one for each level that is
 * released or recalled. docs/FORMATS.md.
 *
 * An entry is canonical JSON, so that everybody who knows what it says knows its bytes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "crypto/sha256.h"
#include "improvement/level.h"

enum su_statement_kind { SU_STATEMENT_RELEASE, SU_STATEMENT_RECALL };

struct su_statement {
        enum su_statement_kind kind;
        char *baseline;
        struct su_level level;
        struct su_sha256 manifest; /* of a release: the whole manifest, as it is published */
        uint64_t manifest_size;
        char *reason; /* of a recall */
};

/* The entry for the manifest in `manifest`, `size` bytes. */
int su_statement_of_release(const char *baseline, const struct su_level *level,
                            const char *manifest, size_t size, char **ret, size_t *ret_size,
                            struct su_error *err);
int su_statement_of_recall(const char *baseline, const struct su_level *level, const char *reason,
                           char **ret, size_t *ret_size, struct su_error *err);

/* FORMAT when it is no entry, or not in its one form. */
int su_statement_parse(const char *text, size_t size, struct su_statement *ret,
                       struct su_error *err);
void su_statement_done(struct su_statement *statement);
#define su_auto_statement su_auto(su_statement_done)
