#include "device/fallback.h"

#include "device/restore.h"
#include "device/store.h"
#include "device/transition.h"

static bool is_refused(const struct su_knowledge *knowledge, const struct su_level *level)
{
        return su_refusals_find(&knowledge->recalls, level) ||
               su_refusals_find(&knowledge->quarantine, level);
}

/* The newest of the list that is below `level` and was not looked at yet. */
static struct su_manifest *newest_below(const struct su_manifest_list *list,
                                        const struct su_level *level)
{
        struct su_manifest *newest = NULL;

        for (size_t i = 0; i < list->n_manifests; i++) {
                struct su_manifest *manifest = &list->manifests[i];

                if (su_level_compare(&manifest->level, level) < 0 &&
                    (!newest || su_level_compare(&manifest->level, &newest->level) > 0))
                        newest = manifest;
        }
        return newest;
}

/* With less than all of it, it would be less than it seems. */
static bool is_whole(const struct su_manifest *manifest)
{
        for (size_t i = 0; i < manifest->n_components; i++)
                if (manifest->components[i].fit == SU_FIT_MISSING)
                        return false;
        return su_manifest_count_applying(manifest) > 0;
}

static int find(struct su_engine *engine, const struct su_manifest_list *list,
                const struct su_level *level, struct su_manifest *ret, struct su_error *err)
{
        struct su_level below = *level;
        struct su_manifest *manifest;

        while ((manifest = newest_below(list, &below))) {
                bool changed;
                int r = 0;

                below = manifest->level;
                if (is_refused(&engine->state.knowledge, &manifest->level))
                        continue;
                r = su_find_fits(engine, manifest, true, &changed, err);
                if (r < 0)
                        return r;
                if (is_whole(manifest)) {
                        *ret = *manifest;
                        *manifest = (struct su_manifest){0};
                        return 0;
                }
        }
        return 0;
}

int su_fallback_find(struct su_engine *engine, const struct su_level *level,
                     struct su_manifest *ret, struct su_error *err)
{
        struct su_manifest_list list = {0};
        int r;

        r = su_store_load_manifests(engine->state_fd, engine->os.baseline, true, &list, err);
        if (r >= 0)
                r = find(engine, &list, level, ret, err);
        su_manifest_list_done(&list);
        return r;
}
