/* A TUF repository in memory, signed by keys made for the test, and the transport that serves it.
 * A test changes what `roles` says and publishes again, or tampers with a file. */
#pragma once

#include "support.h"
#include "trust/client.h"
#include "trust/metadata.h"
#include "trust/sign.h"
#include "json/json.h"

#define REPOSITORY_NOW 1780272000 /* 2026-06-01T00:00:00Z */
#define REPOSITORY_TARGET "debian-12/channel.json"
#define REPOSITORY_TEXT "what the target says"

enum repository_key {
        KEY_ROOT,
        KEY_TIMESTAMP,
        KEY_SNAPSHOT,
        KEY_TARGETS,
        KEY_SECOND,
        KEY_STRANGER,
        N_KEYS,
};

#define BIT(key) (1U << (key))

struct repository_role {
        int64_t version;
        const char *expires;
        unsigned trusted; /* keys that the root names for the role */
        int threshold;
        unsigned signers; /* keys that sign */
};

struct repository_file {
        char *path;
        char *text;
        size_t size;
};

struct repository {
        struct su_private_key *keys[N_KEYS];
        struct repository_role roles[SU_ROLES];
        bool with_hashes; /* of snapshot and targets, in what vouches for them */
        struct repository_file files[64];
        size_t n_files;
        unsigned n_requests;
};

/* A healthy one at version 1 of everything, published. */
struct repository *repository_new(void);
void repository_free(struct repository *repository);

/* Sign all four roles as `roles` says; files of earlier versions stay. */
void repository_publish(struct repository *repository);
json_t *repository_root(const struct repository *repository); /* the "signed" part */
char *repository_sign(struct repository *repository, json_t *signed_part, unsigned signers);

struct repository_file *repository_file(struct repository *repository, const char *path);
void repository_put(struct repository *repository, const char *path, const char *text);
/* Where the target's bytes lie. */
struct repository_file *repository_target(struct repository *repository);

struct su_transport repository_transport(struct repository *repository);
