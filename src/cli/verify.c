#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "device/verify.h"

static const char *failure_or_null(const struct su_error *error)
{
        return error->code == SU_OK ? NULL : error->message;
}

static json_t *images_to_json(const struct su_verification *verification)
{
        su_auto_json json_t *images = json_array();

        for (size_t i = 0; i < verification->n_images; i++) {
                const struct su_verified_image *image = &verification->images[i];
                char seal[SU_SHA256_HEX_SIZE];

                su_hex_encode(image->component->image.seal.bytes, SU_SHA256_SIZE, seal);
                if (json_array_append_new(images,
                                          json_pack("{s:s, s:s, s:s?}", "component",
                                                    image->component->name, "seal", seal, "problem",
                                                    failure_or_null(&image->error))) < 0)
                        return NULL;
        }
        return su_take(images);
}

static json_t *witnesses_to_json(const struct su_verification *verification)
{
        su_auto_json json_t *witnesses = json_array();

        for (size_t i = 0; i < su_policy_n_witnesses(verification->policy); i++) {
                const struct su_policy_vote *vote = &verification->evidence.head.votes[i];
                char at[SU_TIME_TEXT_SIZE];

                if (!vote->cosigned)
                        continue;
                su_time_format(vote->time, at);
                if (json_array_append_new(
                            witnesses, json_pack("{s:s, s:s}", "name",
                                                 su_policy_witness(verification->policy, i)->name,
                                                 "at", at)) < 0)
                        return NULL;
        }
        return su_take(witnesses);
}

static json_t *log_to_json(const struct su_verification *verification)
{
        const struct su_checkpoint *checkpoint = &verification->evidence.head.checkpoint;

        if (!verification->policy)
                return json_null();
        if (verification->log_error.code != SU_OK)
                return json_pack("{s:b, s:s}", "proven", false, "problem",
                                 verification->log_error.message);
        return json_pack("{s:b, s:s, s:I, s:I, s:o}", "proven", true, "origin", checkpoint->origin,
                         "index", (json_int_t)verification->evidence.index, "size",
                         (json_int_t)checkpoint->size, "witnesses",
                         witnesses_to_json(verification));
}

static int print_json(const struct su_verification *verification, struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];

        su_hex_encode(verification->manifest_sha256.bytes, SU_SHA256_SIZE, hex);
        return su_output_json(json_pack("{s:o, s:b, s:s?, s:o, s:o}", "level",
                                        su_output_level(&verification->level), "installed",
                                        verification->installed, "manifest_sha256",
                                        verification->level.name[0] ? hex : NULL, "images",
                                        images_to_json(verification), "log",
                                        log_to_json(verification)),
                              err);
}

static void print_log(const struct su_verification *verification)
{
        const struct su_checkpoint *checkpoint = &verification->evidence.head.checkpoint;

        if (!verification->policy) {
                (void)puts("  log       this system has no log policy: nothing has to be logged");
                return;
        }
        if (verification->log_error.code != SU_OK) {
                (void)printf("  log       NOT PROVEN: %s\n", verification->log_error.message);
                return;
        }
        (void)printf("  log       entry %llu of %llu in %s\n",
                     (unsigned long long)verification->evidence.index,
                     (unsigned long long)checkpoint->size, checkpoint->origin);
        for (size_t i = 0; i < su_policy_n_witnesses(verification->policy); i++) {
                const struct su_policy_vote *vote = &verification->evidence.head.votes[i];
                char at[SU_TIME_TEXT_SIZE];

                if (!vote->cosigned)
                        continue;
                su_time_format(vote->time, at);
                (void)printf("            seen by %s at %s\n",
                             su_policy_witness(verification->policy, i)->name, at);
        }
}

static int print_text(const struct su_engine *engine, const struct su_verification *verification,
                      struct su_error *err)
{
        su_auto_free char *version = NULL;
        char hex[SU_SHA256_HEX_SIZE];
        int r;

        if (!verification->level.name[0]) {
                (void)puts("No improvement is installed or offered: there is nothing to verify.");
                return 0;
        }
        r = su_engine_version(engine, &verification->level, &version, err);
        if (r < 0)
                return r;
        su_hex_encode(verification->manifest_sha256.bytes, SU_SHA256_SIZE, hex);
        (void)printf("%s, %s\n  manifest  SHA-256 %s\n", version,
                     verification->installed ? "installed" : "offered", hex);
        for (size_t i = 0; i < verification->n_images; i++) {
                const struct su_verified_image *image = &verification->images[i];

                (void)printf("  image     %s %s\n", image->component->name,
                             image->error.code == SU_OK ? "is as sealed" : image->error.message);
        }
        print_log(verification);
        return 0;
}

int su_verb_verify(const struct su_arguments *arguments, struct su_error *err)
{
        su_auto_engine struct su_engine *engine = NULL;
        su_auto_verification struct su_verification verification = {0};
        const struct su_error *failure;
        int r;

        r = su_engine_open(&arguments->engine, &engine, err);
        if (r >= 0)
                r = su_verify(engine, &verification, err);
        if (r >= 0)
                r = arguments->json ? print_json(&verification, err)
                                    : print_text(engine, &verification, err);
        if (r < 0)
                return r;
        failure = su_verification_failure(&verification);
        return failure ? su_error_exit_status(failure->code) : 0;
}
