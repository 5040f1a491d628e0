#include "exposure/oldcode.h"

#include <string.h>

static const struct su_changed_file *find_file(const struct su_manifest *manifest, const char *path,
                                               const struct su_component **ret_component)
{
        for (size_t i = 0; manifest && i < manifest->n_components; i++) {
                const struct su_component *component = &manifest->components[i];

                for (size_t j = 0; j < component->n_files; j++)
                        if (strcmp(component->files[j].path, path) == 0) {
                                *ret_component = component;
                                return &component->files[j];
                        }
        }
        return NULL;
}

/* The two levels that decide what lies on /usr in the end. */
struct change {
        const struct su_manifest *from;
        const struct su_manifest *to;
};

/* What lies at the path of `file` once `to` is on /usr; none that is known where the package
 * manager has put another build. */
static const struct su_build_id *visible_id(const struct change *change,
                                            const struct su_changed_file *file)
{
        static const struct su_build_id unknown = {0};
        const struct su_component *owner;
        const struct su_changed_file *known = find_file(change->to, file->path, &owner);

        if (known)
                return owner->fit == SU_FIT_SUPERSEDED ? &unknown
                       : owner->fit == SU_FIT_MISSING  ? &known->before.build_id
                                                       : &known->after.build_id;
        known = find_file(change->from, file->path, &owner);
        if (known && owner->fit == SU_FIT_SUPERSEDED)
                return &unknown;
        if (known && owner->fit == SU_FIT_FIXED)
                return &known->after.build_id;
        return &file->before.build_id;
}

static bool contains(const struct su_old_code_set *set, const struct su_build_id *id)
{
        for (size_t i = 0; i < set->n_codes; i++)
                if (su_build_id_equal(&set->codes[i].id, id))
                        return true;
        return false;
}

struct sets {
        struct su_old_code_set known;
        struct su_old_code_set visible;
};

static void sets_done(struct sets *sets)
{
        su_old_code_done(&sets->known);
        su_old_code_done(&sets->visible);
}

static int add(struct su_old_code_set *set, const struct su_build_id *id,
               const struct su_component *component, const struct su_changed_file *file,
               struct su_error *err)
{
        const struct su_old_code code = {*id, component->name, file->path, component->notice};

        if (id->size == 0 || contains(set, id))
                return 0;
        return su_old_code_add(set, &code, err);
}

static int collect(const struct su_manifest *manifest, const struct change *change,
                   struct sets *sets, struct su_error *err)
{
        for (size_t i = 0; manifest && i < manifest->n_components; i++) {
                const struct su_component *component = &manifest->components[i];

                for (size_t j = 0; j < component->n_files; j++) {
                        const struct su_changed_file *file = &component->files[j];
                        int r;

                        r = add(&sets->known, &file->before.build_id, component, file, err);
                        if (r >= 0)
                                r = add(&sets->known, &file->after.build_id, component, file, err);
                        if (r >= 0)
                                r = add(&sets->visible, visible_id(change, file), component, file,
                                        err);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

int su_old_code_between(const struct su_manifest *from, const struct su_manifest *to,
                        const struct su_manifest_list *former, struct su_old_code_set *ret,
                        struct su_error *err)
{
        const struct change change = {from, to};
        su_auto_old_code struct su_old_code_set old = {0};
        su_auto(sets_done) struct sets sets = {0};
        int r;

        /* The newer level first: a build that both know is named by it. */
        r = collect(to, &change, &sets, err);
        if (r >= 0)
                r = collect(from, &change, &sets, err);
        for (size_t i = 0; former && i < former->n_manifests && r >= 0; i++)
                r = collect(&former->manifests[i], &change, &sets, err);
        for (size_t i = 0; i < sets.known.n_codes && r >= 0; i++) {
                const struct su_old_code *code = &sets.known.codes[i];

                if (!contains(&sets.visible, &code->id))
                        r = su_old_code_add(&old, code, err);
        }
        if (r < 0)
                return r;
        su_old_code_sort(&old);
        *ret = old;
        old = (struct su_old_code_set){0};
        return 0;
}
