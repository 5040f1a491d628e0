#include "device/verify.h"

#include <string.h>

#include "base/file.h"
#include "device/image_store.h"
#include "device/review.h"
#include "device/store.h"

/* The level on /usr, else the one that was offered last. */
static void choose_level(const struct su_engine *engine, struct su_verification *verification)
{
        verification->level = su_engine_level(engine);
        verification->installed = verification->level.name[0] != '\0';
        if (!verification->installed)
                verification->level = engine->state.check.level;
}

static void verify_image(const struct su_engine *engine, const struct su_component *component,
                         struct su_verified_image *ret)
{
        su_auto_close int fd = -EBADF;

        ret->component = component;
        (void)su_image_store_read(engine->state_fd, &component->image, &fd, &ret->error);
}

static int verify_images(const struct su_engine *engine, struct su_verification *verification,
                         struct su_error *err)
{
        su_auto_manifest struct su_manifest active = {0};
        const struct su_manifest *manifest = &verification->manifest;
        int r;

        if (!verification->installed)
                return 0;
        r = su_review_active(engine, &active, err);
        if (r < 0)
                return r;
        verification->images = calloc(manifest->n_components + 1, sizeof *verification->images);
        if (!verification->images)
                return su_fail_oom(err);
        for (size_t i = 0; i < manifest->n_components && i < active.n_components; i++)
                if (active.components[i].fit == SU_FIT_APPLIES)
                        verify_image(engine, &manifest->components[i],
                                     &verification->images[verification->n_images++]);
        return 0;
}

static int verify_log(const struct su_engine *engine, const char *text, size_t size,
                      struct su_verification *verification, struct su_error *err)
{
        const char *baseline = verification->manifest.baseline;
        su_auto_free char *proof = NULL;
        int r;

        r = su_evidence_policy(engine->root_fd, engine->config.log_policy,
                               su_config_says(&engine->config, "Source", "LogPolicy"),
                               &verification->policy, err);
        if (r < 0 || !verification->policy)
                return r;
        r = su_store_load_proof(engine->state_fd, baseline, &verification->level, &proof, err);
        if (r < 0 && r != -ENOENT)
                return r;
        (void)su_evidence_of_release(verification->policy, baseline, &verification->level, text,
                                     size, proof, &verification->evidence,
                                     &verification->log_error);
        return 0;
}

int su_verify(const struct su_engine *engine, struct su_verification *ret, struct su_error *err)
{
        su_auto_verification struct su_verification verification = {0};
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        choose_level(engine, &verification);
        if (verification.level.name[0]) {
                r = su_store_read_manifest(engine->state_fd, engine->os.baseline,
                                           &verification.level, &text, &size, err);
                if (r >= 0)
                        r = su_manifest_parse(text, size, &verification.manifest, err);
                if (r >= 0)
                        r = su_sha256_of(text, size, &verification.manifest_sha256, err);
                if (r >= 0)
                        r = verify_images(engine, &verification, err);
                if (r >= 0)
                        r = verify_log(engine, text, size, &verification, err);
                if (r < 0)
                        return r;
        }
        *ret = verification;
        verification = (struct su_verification){0};
        return 0;
}

const struct su_error *su_verification_failure(const struct su_verification *verification)
{
        for (size_t i = 0; i < verification->n_images; i++)
                if (verification->images[i].error.code != SU_OK)
                        return &verification->images[i].error;
        return verification->log_error.code != SU_OK ? &verification->log_error : NULL;
}

void su_verification_done(struct su_verification *verification)
{
        su_evidence_done(&verification->evidence);
        su_policy_free(verification->policy);
        free(verification->images);
        su_manifest_done(&verification->manifest);
        *verification = (struct su_verification){0};
}
