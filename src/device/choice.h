/* Which delta makes an image here, and why no smaller one does. */
#pragma once

#include "base/error.h"
#include "base/own.h"
#include "improvement/manifest.h"

/* A delta that does not suit this device. */
struct su_passed_delta {
        const struct su_delta_ref *delta;
        struct su_error why;
};

struct su_choice {
        const struct su_component *component;
        const struct su_delta_ref *delta; /* NULL: the image is not to be made */
        struct su_passed_delta *passed;   /* those before it, the smallest first */
        size_t n_passed;
};

/* Choose the smallest delta whose sources are here: files of the base, images of the store. With
 * one chosen already, that one is passed over because of `why`, and the next is found. BASELINE
 * when none is left: then `choice->delta` stays what it was. */
int su_choice_find(int state_fd, int base_fd, struct su_choice *choice, struct su_error *err);
int su_choice_find_next(int state_fd, int base_fd, struct su_choice *choice,
                        const struct su_error *why, struct su_error *err);
void su_choice_done(struct su_choice *choice);

/* Open a source, not more than that. BASELINE when it is not here. */
int su_choice_open_source(int state_fd, int base_fd, const struct su_delta_source_ref *source,
                          int *ret_fd, struct su_error *err);

/* What a delta is made from: "image", "files" or "nothing". */
const char *su_delta_made_from(const struct su_delta_ref *delta);
