#include "device/review.h"

#include <string.h>

#include "device/generation.h"
#include "device/store.h"

static int load_generation_manifest(const struct su_engine *engine, int64_t number,
                                    struct su_manifest *ret, struct su_error *err)
{
        su_auto_generation struct su_generation generation = {0};
        int r;

        if (number == 0)
                return 0;
        r = su_generation_load(engine->state_fd, number, &generation, err);
        if (r < 0)
                return r;
        /* What another baseline ran says nothing about this one. */
        if (strcmp(generation.baseline, engine->os.baseline) != 0)
                return 0;
        return su_generation_load_manifest(engine->state_fd, &generation, ret, err);
}

int su_review_active(const struct su_engine *engine, struct su_manifest *ret, struct su_error *err)
{
        return load_generation_manifest(engine, engine->mounted, ret, err);
}

int su_review_present(const struct su_engine *engine, struct su_manifest *ret_from,
                      struct su_manifest *ret_to, struct su_error *err)
{
        int r;

        r = load_generation_manifest(engine, engine->state.previous, ret_from, err);
        if (r < 0 || engine->mounted > 0 || engine->state.active > 0)
                return r < 0 ? r : su_review_active(engine, ret_to, err);
        /* Nothing applies any more: what the base has instead is known all the same. */
        return load_generation_manifest(engine, engine->state.retired, ret_to, err);
}

int su_review_offered(const struct su_engine *engine, struct su_manifest *ret, struct su_error *err)
{
        const struct su_level present = su_engine_level(engine);
        const struct su_level *offered = &engine->state.check.level;
        int r;

        if (!offered->name[0] || su_level_compare(offered, &present) <= 0)
                return 0;
        r = su_store_load_manifest(engine->state_fd, engine->os.baseline, offered, ret, err);
        return r == -ENOENT ? 0 : r; /* the check was made for another baseline */
}

static int choose(const struct su_engine *engine, struct su_review *review, struct su_error *err)
{
        struct su_level present = su_engine_level(engine);
        int r;

        r = su_review_offered(engine, &review->to, err);
        if (r < 0)
                return r;
        if (review->to.baseline) {
                review->level = review->to.level;
                return su_review_active(engine, &review->from, err);
        }
        review->level = present.name[0] ? present : engine->state.knowledge.removed;
        review->installed = present.name[0] != '\0';
        return su_review_present(engine, &review->from, &review->to, err);
}

/* An offer: everything that runs now was started before it. */
static bool is_to_come(const struct su_engine *engine, const struct su_review *review)
{
        struct su_level present = su_engine_level(engine);

        return review->to.baseline && su_level_compare(&review->level, &present) != 0;
}

int su_review_make(const struct su_engine *engine, struct su_review *ret, struct su_error *err)
{
        su_auto_review struct su_review review = {0};
        int r;

        if (geteuid() != 0)
                return su_fail(err, SU_ERROR_PERMISSION,
                               "only root can look into every process; an incomplete answer would "
                               "be a wrong one");
        r = choose(engine, &review, err);
        if (r >= 0)
                r = su_survey_make(engine, review.from.baseline ? &review.from : NULL,
                                   review.to.baseline ? &review.to : NULL,
                                   is_to_come(engine, &review) ? NULL : &engine->state.changed,
                                   &review.survey, err);
        if (r < 0)
                return r;
        *ret = review;
        review = (struct su_review){0};
        return 0;
}

void su_review_done(struct su_review *review)
{
        su_survey_done(&review->survey);
        su_manifest_done(&review->from);
        su_manifest_done(&review->to);
        *review = (struct su_review){0};
}
