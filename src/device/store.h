/* What is kept below the state directory: images by seal, manifests by baseline and level,
 * generations by number. Everything is complete and durable once it has its name. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "crypto/sha256.h"
#include "improvement/manifest.h"

/* How a component of the level stood to the base when the generation was made. */
struct su_generation_part {
        char *component;
        enum su_fit fit;
};

/* The set of layers that are, or were, active together: those of the level's manifest that applied,
 * in the manifest's order. */
struct su_generation {
        int64_t number;
        char *baseline;
        struct su_level level;
        int64_t created;
        struct su_generation_part *parts; /* a component that is not named applies */
        size_t n_parts;
};

/* Its parts are those of `manifest`, whose level it is. */
int su_store_save_generation(int state_fd, int64_t number, const struct su_manifest *manifest,
                             struct su_error *err);
int su_store_load_generation(int state_fd, int64_t number, struct su_generation *ret,
                             struct su_error *err);
void su_generation_done(struct su_generation *generation);
#define su_auto_generation su_auto(su_generation_done)

/* `text` was verified by the trust client. Loading gives -ENOENT when it is not there. */
int su_store_save_manifest(int state_fd, const char *baseline, const struct su_level *level,
                           const char *text, size_t size, struct su_error *err);
int su_store_load_manifest(int state_fd, const char *baseline, const struct su_level *level,
                           struct su_manifest *ret, struct su_error *err);

/* The manifest's own bytes; the caller frees. */
int su_store_read_manifest(int state_fd, const char *baseline, const struct su_level *level,
                           char **ret_text, size_t *ret_size, struct su_error *err);

/* The proof that the release of a level is logged, as it came with the channel. */
int su_store_save_proof(int state_fd, const char *baseline, const struct su_level *level,
                        const char *proof, struct su_error *err);
int su_store_load_proof(int state_fd, const char *baseline, const struct su_level *level,
                        char **ret, struct su_error *err);

/* The manifest of a generation's level, with the fit of each component. */
int su_store_load_generation_manifest(int state_fd, const struct su_generation *generation,
                                      struct su_manifest *ret, struct su_error *err);

/* All manifests of a baseline that are stored: also those of former levels, whose code may still
 * run. */
int su_store_load_manifests(int state_fd, const char *baseline, struct su_manifest_list *ret,
                            struct su_error *err);

/* The newest level of a baseline whose manifest is stored; "" for none. */
int su_store_newest_level(int state_fd, const char *baseline, struct su_level *ret,
                          struct su_error *err);

/* Open an image that gives the bytes of its seal or none: where the kernel enforces the seal, that
 * is known without reading them; elsewhere it is verified over the open descriptor. NOT_FOUND when
 * it is not there, SEAL when it is damaged. */
int su_store_open_image(int state_fd, const struct su_image_ref *image, int *ret_fd,
                        struct su_error *err);
/* The same, but each byte is read from the disk and found good: for who looks again, and for who
 * maps the image, whom damage that the kernel finds would kill (SIGBUS). */
int su_store_read_image(int state_fd, const struct su_image_ref *image, int *ret_fd,
                        struct su_error *err);
/* Does the kernel enforce the seal of that image of the store? */
bool su_store_is_enforced(int state_fd, const struct su_image_ref *image);
/* The directory of the images, made when needed, and an image's name in it. */
int su_store_image_dir(int state_fd, int *ret_fd, struct su_error *err);
int su_store_image_name(const struct su_image_ref *image, char **ret, struct su_error *err);

/* What is stored of a generation and a level is named, in a directory for each; and is a name such
 * a one? */
int su_store_generation_name(int64_t number, char **ret, struct su_error *err);
int su_store_manifest_name(const char *baseline, const struct su_level *level, char **ret,
                           struct su_error *err);
int su_store_proof_name(const char *baseline, const struct su_level *level, char **ret,
                        struct su_error *err);
bool su_store_parse_manifest_name(const char *name, char **ret_baseline,
                                  struct su_level *ret_level);
bool su_store_parse_proof_name(const char *name, char **ret_baseline, struct su_level *ret_level);
bool su_store_parse_image_name(const char *name, struct su_sha256 *ret);
