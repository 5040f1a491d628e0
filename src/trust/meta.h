/* What metadata says of another file: its version, length and digests (specification sections 4.4
 * to 4.6). */
#pragma once

#include "crypto/sha512.h"
#include "trust/metadata.h"

/* Those that are known here; at least one. */
struct su_hashes {
        bool has_sha256;
        bool has_sha512;
        struct su_sha256 sha256;
        struct su_sha512 sha512;
};

/* UNSUPPORTED when no algorithm among them is known here. */
int su_hashes_read(const json_t *object, struct su_hashes *ret, struct su_error *err);
/* DIGEST, naming `what`, unless all agree. */
int su_hashes_check(const struct su_hashes *hashes, const char *what, const void *data, size_t size,
                    struct su_error *err);
int su_hashes_check_fd(const struct su_hashes *hashes, const char *what, int fd,
                       struct su_error *err);

/* An entry of "meta". Length and hashes are optional there. */
struct su_meta_entry {
        int64_t version;
        bool has_length;
        int64_t length;
        bool has_hashes;
        struct su_hashes hashes;
};

/* The entry for `name` ("snapshot.json", "targets.json") of a timestamp or snapshot; NOT_FOUND when
 * there is none. */
int su_meta_entry_read(const struct su_metadata *metadata, const char *name,
                       struct su_meta_entry *ret, struct su_error *err);
/* FORMAT unless every entry is well-formed, and that for `name` is among them: what is stored must
 * not stand in the way of what comes after it. */
int su_meta_check_all(const struct su_metadata *metadata, const char *name, struct su_error *err);
/* TRUNCATED or DIGEST, naming `what`, when the bytes are not those that the entry is for. */
int su_meta_entry_check(const struct su_meta_entry *entry, const char *what, const void *data,
                        size_t size, struct su_error *err);

/* Nothing that `old` lists has gone back, or has gone (section 5.5.5): ROLLBACK. */
int su_meta_check_rollback(const struct su_metadata *old, const struct su_metadata *new,
                           struct su_error *err);
