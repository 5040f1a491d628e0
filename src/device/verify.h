/* Look again, without any request, at all that a level stands on: its manifest, its images' seals,
 * and the proof that it is publicly logged. */
#pragma once

#include "base/error.h"
#include "base/own.h"
#include "device/engine.h"
#include "device/evidence.h"
#include "improvement/manifest.h"

struct su_verified_image {
        const struct su_component *component; /* the manifest's */
        struct su_error error;                /* code SU_OK: there, and as sealed */
};

struct su_verification {
        struct su_level level; /* "": none is installed or offered */
        bool installed;        /* else it is only offered */
        struct su_manifest manifest;
        struct su_sha256 manifest_sha256;
        struct su_verified_image *images; /* of an installed level: those that apply */
        size_t n_images;
        struct su_policy *policy;  /* NULL: the device has none */
        struct su_error log_error; /* with a policy; code SU_OK: proven by `evidence` */
        struct su_evidence evidence;
};

/* What does not hold stands in `ret`; an error means that it could not be looked at. */
int su_verify(const struct su_engine *engine, struct su_verification *ret, struct su_error *err);
/* The first of what does not hold, or NULL. */
const struct su_error *su_verification_failure(const struct su_verification *verification);
void su_verification_done(struct su_verification *verification);
#define su_auto_verification su_auto(su_verification_done)
