#include "device/offer.h"

#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "device/documents.h"
#include "device/events.h"
#include "device/evidence.h"
#include "device/fallback.h"
#include "device/store.h"
#include "improvement/channel.h"

#define MACHINE_ID_MAX 64

/* The same OS build for another architecture: then that is the true reason. */
static int explain_no_channel(struct su_engine *engine, struct su_error *err)
{
        static const char *const architectures[] = {"x86-64", "arm64"};
        const struct su_os *os = &engine->os;
        int stem = (int)(strlen(os->baseline) - strlen(os->architecture));

        for (size_t i = 0; i < SU_ELEMENTS(architectures); i++) {
                su_auto_free char *path = NULL;
                struct su_target target;
                int r;

                r = su_format(&path, err, "%.*s%s/channel.json", stem, os->baseline,
                              architectures[i]);
                if (r < 0)
                        return r;
                if (su_trust_find(engine->trust, path, &target, NULL) > 0)
                        return su_fail(err, SU_ERROR_ARCHITECTURE,
                                       "the repository serves this OS for %s; this system is %s",
                                       architectures[i], os->architecture);
        }
        return su_fail(err, SU_ERROR_NOT_OFFERED,
                       "the repository has no improvements for baseline %s", os->baseline);
}

static int get_channel(struct su_engine *engine, struct su_channel *ret, struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        struct su_target target;
        size_t size;
        int r;

        r = su_channel_target(engine->os.baseline, &path, err);
        if (r < 0)
                return r;
        r = su_trust_find(engine->trust, path, &target, err);
        if (r == 0)
                return explain_no_channel(engine, err);
        if (r < 0)
                return r;
        r = su_document_get(engine, path, "channel.json", SU_CHANNEL_SIZE_MAX, &text, &size, err);
        if (r >= 0)
                r = su_channel_parse(text, size, ret, err);
        if (r < 0)
                return r;
        if (strcmp(ret->baseline, engine->os.baseline) != 0)
                return su_fail(err, SU_ERROR_FORMAT, "channel '%s' is for baseline %s", path,
                               ret->baseline);
        return engine->log_policy ? su_evidence_of_recalls(engine->log_policy, ret, err) : 0;
}

/* A tree that never booted has no machine id yet: it takes part as if it had an empty one. */
static int read_machine_id(struct su_engine *engine, char **ret, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        int r;

        r = su_open_in_root(engine->root_fd, "/etc/machine-id", O_RDONLY, &fd, err);
        if (r == -ENOENT)
                return su_strdup("", ret, err);
        if (r < 0)
                return r;
        return su_file_read_fd(fd, "/etc/machine-id", MACHINE_ID_MAX, ret, NULL, err);
}

static int find_position(struct su_engine *engine, const struct su_channel *channel, int *ret,
                         struct su_error *err)
{
        su_auto_free char *machine_id = NULL;
        int r;

        r = read_machine_id(engine, &machine_id, err);
        return r < 0 ? r
                     : su_rollout_position(machine_id, engine->os.baseline, &channel->current, ret,
                                           err);
}

/* Images are read for that: only when the level on /usr has to be left. */
static int find_fallback(struct su_engine *engine, const struct su_level *present,
                         struct su_level *ret, struct su_error *err)
{
        su_auto_manifest struct su_manifest manifest = {0};
        int r = 0;

        if (su_refusals_find(&engine->state.knowledge.recalls, present))
                r = su_fallback_find(engine, present, &manifest, err);
        if (r >= 0)
                *ret = manifest.level;
        return r;
}

static int decide(struct su_engine *engine, const struct su_channel *channel,
                  struct su_decision *ret, struct su_error *err)
{
        struct su_situation situation = {
                .channel = channel,
                .knowledge = &engine->state.knowledge,
                .policy = &engine->config.policy,
                .present = su_engine_level(engine),
                .now = su_now(),
        };
        int r;

        r = find_position(engine, channel, &situation.position, err);
        if (r >= 0)
                r = find_fallback(engine, &situation.present, &situation.fallback, err);
        return r < 0 ? r : su_decide(&situation, ret, err);
}

static int check_manifest(const struct su_engine *engine, const struct su_offer *offer,
                          struct su_error *err)
{
        const struct su_manifest *manifest = &offer->manifest;

        if (strcmp(manifest->architecture, engine->os.architecture) != 0)
                return su_fail(err, SU_ERROR_ARCHITECTURE,
                               "level (%s) is for %s; this system is %s",
                               offer->decision.level.name, manifest->architecture,
                               engine->os.architecture);
        if (strcmp(manifest->baseline, engine->os.baseline) != 0)
                return su_fail(err, SU_ERROR_BASELINE,
                               "level (%s) is for baseline %s; this system is %s",
                               offer->decision.level.name, manifest->baseline, engine->os.baseline);
        if (su_level_compare(&manifest->level, &offer->decision.level) != 0)
                return su_fail(err, SU_ERROR_FORMAT, "the manifest of level (%s) is of level (%s)",
                               offer->decision.level.name, manifest->level.name);
        return 0;
}

/* Kept for `suture verify`, also where no policy wants it yet. */
static int keep_proof(struct su_engine *engine, const struct su_channel *channel,
                      const struct su_offer *offer, const char *manifest, size_t size,
                      struct su_error *err)
{
        const char *proof = su_channel_find(channel, &offer->decision.level)->proof;
        su_auto_evidence struct su_evidence evidence = {0};
        int r = 0;

        if (engine->log_policy)
                r = su_evidence_of_release(engine->log_policy, engine->os.baseline,
                                           &offer->decision.level, manifest, size, proof, &evidence,
                                           err);
        if (r < 0 || !proof)
                return r;
        return su_store_save_proof(engine->state_fd, engine->os.baseline, &offer->decision.level,
                                   proof, err);
}

static int get_manifest(struct su_engine *engine, const struct su_channel *channel,
                        struct su_offer *offer, struct su_error *err)
{
        su_auto_free char *path = NULL;
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_manifest_target(engine->os.baseline, &offer->decision.level, &path, err);
        if (r >= 0)
                r = su_document_get(engine, path, "manifest.json", SU_MANIFEST_SIZE_MAX, &text,
                                    &size, err);
        if (r >= 0)
                r = su_manifest_parse(text, size, &offer->manifest, err);
        if (r >= 0)
                r = check_manifest(engine, offer, err);
        if (r >= 0)
                r = keep_proof(engine, channel, offer, text, size, err);
        if (r < 0)
                return r;
        return su_store_save_manifest(engine->state_fd, engine->os.baseline, &offer->decision.level,
                                      text, size, err);
}

static int describe_recall(const char *version, struct su_offer *offer, struct su_error *err)
{
        const struct su_decision *decision = &offer->decision;

        return su_format(&offer->message, err, "level (%s) was recalled: %s; %s%s",
                         offer->present.name, decision->recall_reason, version,
                         decision->course == SU_COURSE_GO_BACK ? " is what this system goes back to"
                                                               : " takes its place");
}

static int describe(struct su_engine *engine, struct su_offer *offer, struct su_error *err)
{
        static const char *const holds[] = {
                [SU_HOLD_NONE] = "",
                [SU_HOLD_REMOVED] = "; it, or a newer one, was removed here: it waits for a person",
                [SU_HOLD_QUARANTINED] = "; it failed here, and is not installed again by itself",
        };
        const bool stays = offer->decision.course == SU_COURSE_STAY;
        su_auto_free char *version = NULL;
        int r;

        r = su_engine_version(engine, stays ? &offer->present : &offer->decision.level, &version,
                              err);
        if (r < 0)
                return r;
        if (offer->decision.recall_reason)
                return describe_recall(version, offer, err);
        return su_format(&offer->message, err, "%s is %s%s", version,
                         stays ? "installed; nothing newer is offered" : "offered",
                         holds[offer->decision.hold]);
}

/* The level on /usr was recalled, and that is news. */
static void tell_recall(const struct su_engine *engine, const struct su_level *level)
{
        const struct su_refused *recall = su_refusals_find(&engine->state.knowledge.recalls, level);

        if (recall)
                su_event_tell(engine, su_event_with(su_event_make("recall", NULL),
                                                    json_pack("{s:s, s:s, s:b}", "from",
                                                              level->name, "reason", recall->reason,
                                                              "asks", engine->config.recall_asks)));
}

static int learn(struct su_engine *engine, const struct su_channel *channel,
                 const struct su_level *present, struct su_error *err)
{
        struct su_knowledge *knowledge = &engine->state.knowledge;
        const bool known = su_refusals_find(&knowledge->recalls, present);
        int r;

        r = su_knowledge_learn(knowledge, channel, err);
        if (r >= 0 && !known)
                tell_recall(engine, present);
        return r;
}

static int ask(struct su_engine *engine, struct su_offer *offer, struct su_error *err)
{
        struct su_transport transport;
        su_auto_channel struct su_channel channel = {0};
        int r;

        offer->present = su_engine_level(engine);
        r = su_engine_connect(engine, err);
        if (r < 0)
                return r;
        transport = su_engine_transport(engine);
        r = su_trust_refresh_if_changed(engine->trust, &transport, su_now(), err);
        if (r >= 0)
                r = get_channel(engine, &channel, err);
        if (r >= 0)
                r = learn(engine, &channel, &offer->present, err);
        if (r >= 0)
                r = decide(engine, &channel, &offer->decision, err);
        if (r >= 0 && offer->decision.course != SU_COURSE_GO_BACK)
                r = get_manifest(engine, &channel, offer, err);
        if (r >= 0)
                r = describe(engine, offer, err);
        offer->recalled = offer->decision.recall_reason != NULL;
        offer->decision.recall_reason = NULL; /* it goes with the channel */
        return r;
}

/* Whether the repository itself said that nothing is on offer here; anything else that goes wrong
 * leaves what it offered before as the best that is known. */
static bool withdraws_offer(const struct su_error *failure)
{
        return failure->code == SU_ERROR_NOT_OFFERED;
}

static const char *outcome_name(const struct su_offer *offer)
{
        static const char *const names[] = {
                [SU_COURSE_STAY] = "UpToDate",
                [SU_COURSE_INSTALL] = "Offered",
                [SU_COURSE_GO_BACK] = "Recalled",
        };

        return names[offer->decision.course];
}

/* What it says to go back to is no offer: nobody is exposed for want of it. */
static struct su_level offered_level(const struct su_offer *offer)
{
        return offer->decision.course == SU_COURSE_GO_BACK ? (struct su_level){0}
                                                           : offer->decision.level;
}

/* The outcome of the check, for status; the check's own error comes before one of remembering it.
 */
static int remember(struct su_engine *engine, const struct su_offer *offer,
                    const struct su_error *failure, struct su_error *err)
{
        struct su_check_record *check = &engine->state.check;
        struct su_level level = check->level;
        int r;

        if (!failure)
                level = offered_level(offer);
        else if (withdraws_offer(failure))
                level = (struct su_level){0};
        if (failure && withdraws_offer(failure))
                engine->state.waits = 0;
        free(check->outcome);
        free(check->message);
        *check = (struct su_check_record){.at = su_now(), .level = level};
        r = su_strdup(failure ? su_error_name(failure->code) : outcome_name(offer), &check->outcome,
                      err);
        if (r >= 0)
                r = su_strdup(failure ? failure->message : offer->message, &check->message, err);
        if (r >= 0)
                r = su_state_save(engine->state_fd, &engine->state, err);
        return r;
}

int su_offer_get(struct su_engine *engine, struct su_offer *ret, struct su_error *err)
{
        su_auto_offer struct su_offer offer = {0};
        struct su_error failure = {0};
        int r;

        r = ask(engine, &offer, &failure);
        if (r < 0) {
                if (failure.code != SU_ERROR_CANCELLED) /* the repository had no say in that */
                        (void)remember(engine, NULL, &failure, NULL);
                su_event_tell(engine, su_event_make("check", &failure));
                if (err)
                        *err = failure;
                return r;
        }
        r = remember(engine, &offer, NULL, err);
        if (r < 0)
                return r;
        *ret = offer;
        offer = (struct su_offer){0};
        return 0;
}

void su_offer_done(struct su_offer *offer)
{
        su_manifest_done(&offer->manifest);
        free(offer->message);
        *offer = (struct su_offer){0};
}
