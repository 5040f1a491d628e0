/* One file per verb. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* An option that may be repeated. */
struct su_texts {
        const char **texts;
        size_t n;
};

struct su_publish_arguments {
        const char *workspace; /* path */
        const char *baseline;  /* name; NULL: the only one */
        const char *tree;      /* the baseline's OS tree */
        const char *sources;   /* path of a sources.list(5); NULL: the tree's */
        const char *fixed;     /* the fixed OS tree */
        const char *component;
        const char *old_version;
        const char *new_version;
        struct su_texts cves;      /* given by hand: ID or ID:SEVERITY */
        const char *advisory;      /* the URL of what is published about a fix, with {id} in it */
        const char *fixes;         /* path of a file with what is known of each fix */
        struct su_texts marks;     /* strings that only the old code has */
        struct su_texts only;      /* patterns of the component's files */
        struct su_texts overrides; /* of checks: CHECK:PATTERN:REASON */
        const char *notice;
        const char *hints;      /* path of a file with restart rules */
        const char *health;     /* the same with health checks */
        struct su_texts groups; /* of machines that come first */
        const char *store;      /* path of the results of jobs; NULL: in the workspace */
        const char *endpoint;   /* URL of an object store */
        const char *region;     /* of it */
        const char *passphrase_file;
        const char *type;             /* of a new key */
        const char *token;            /* the PKCS #11 URI of a key */
        const char *key;              /* path of a private key */
        struct su_texts root_keys;    /* paths of public keys */
        struct su_texts targets_keys; /* the same */
        const char *old;              /* the metadata before that which is to be signed */
        const char *output;
        const char *url;
        const char *root;   /* path of root metadata */
        const char *origin; /* of a log */
        const char *policy; /* path of a log policy */
        const char *state;  /* path of what a witness or an auditor remembers */
        const char *name;   /* of a witness */
        const char *level;
        const char *reason;
        char **operands;
        size_t n_operands;
        int rollout;        /* percent */
        int jobs;           /* processes, or connections, at a time; 0: not said */
        int index;          /* of one job; 0: not said */
        int root_threshold; /* 0: not said */
        int threshold;      /* 0: not said */
        int machines;
        int days;            /* 0: as long as the schedule is */
        int recall_at;       /* percent; 0: never */
        bool fast;           /* larger deltas, sooner */
        bool later;          /* no deltas yet */
        bool slurm;          /* write a batch script */
        bool prune;          /* remove there what is not here */
        bool ask_passphrase; /* for a new key */
        bool add;
        bool discard;
        bool draft; /* what is proposed */
        bool dry_run;
        bool force;
        bool json;
        bool quiet; /* no report: another verb has it */
};

int su_verb_init(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_baseline(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_build(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_from_debian(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_plan(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_run(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_release(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_changes(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_verify(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_simulate(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_rollout(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_floor(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_recall(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_refresh(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_advisories(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_upload(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_show(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_log(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_key(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_check(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_sign(const struct su_publish_arguments *arguments, struct su_error *err);

/* The verbs of "key". */
int su_verb_key_new(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_key_list(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_key_rotate(const struct su_publish_arguments *arguments, struct su_error *err);
int su_verb_key_revoke(const struct su_publish_arguments *arguments, struct su_error *err);
