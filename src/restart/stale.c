#include "restart/stale.h"

#include <string.h>

#include "base/text.h"

/* What of a file two levels must agree upon to be the same for a reader. */
static const struct su_file_facts *facts_at(const struct su_manifest *manifest,
                                            const struct su_changed_file *file)
{
        for (size_t i = 0; manifest && i < manifest->n_components; i++) {
                const struct su_component *component = &manifest->components[i];

                for (size_t j = 0; j < component->n_files; j++)
                        if (strcmp(component->files[j].path, file->path) == 0)
                                return &component->files[j].after;
        }
        return &file->before;
}

static bool is_replaced(const struct su_manifest *from, const struct su_manifest *to,
                        const struct su_changed_file *file)
{
        const struct su_file_facts *old = facts_at(from, file);
        const struct su_file_facts *new = facts_at(to, file);

        return old->size != new->size || !su_sha256_equal(&old->sha256, &new->sha256);
}

/* The first file that `rule` reads and that is replaced. */
static const struct su_changed_file *find_replaced(const struct su_manifest *in,
                                                   const struct su_manifest *from,
                                                   const struct su_manifest *to,
                                                   const struct su_rule *rule,
                                                   const struct su_component **ret_component)
{
        for (size_t i = 0; in && i < in->n_components; i++)
                for (size_t j = 0; j < in->components[i].n_files; j++) {
                        const struct su_changed_file *file = &in->components[i].files[j];

                        if (!su_rule_reads(rule, file->path) || !is_replaced(from, to, file))
                                continue;
                        *ret_component = &in->components[i];
                        return file;
                }
        return NULL;
}

static bool has_unit(const struct su_stale *stale, const char *unit)
{
        for (size_t i = 0; i < stale->n_units; i++)
                if (strcmp(stale->units[i].unit, unit) == 0)
                        return true;
        return false;
}

static int append(struct su_stale *stale, const char *name, const struct su_component *component,
                  const struct su_changed_file *file, struct su_error *err)
{
        struct su_stale_unit *unit = reallocarray(stale->units, stale->n_units + 1, sizeof *unit);
        int r;

        if (!unit)
                return su_fail_oom(err);
        stale->units = unit;
        unit += stale->n_units++;
        *unit = (struct su_stale_unit){0};
        r = su_strdup(name, &unit->unit, err);
        if (r >= 0)
                r = su_strdup(component->name, &unit->component, err);
        if (r >= 0)
                r = su_strdup(file->path, &unit->path, err);
        return r;
}

static int is_older(const struct su_units *units, const char *unit, const struct su_moment *changed,
                    const struct su_moment *now, bool *ret, struct su_error *err)
{
        uint64_t since;
        int r;

        r = units->active_since(units->userdata, unit, &since, err);
        if (r < 0)
                return r;
        *ret = since > 0 && (!changed || su_moment_is_after(changed, now, since));
        return 0;
}

int su_stale_find(const struct su_manifest *from, const struct su_manifest *to,
                  const struct su_rules *rules, const struct su_units *units,
                  const struct su_moment *changed, struct su_stale *ret, struct su_error *err)
{
        su_auto_stale struct su_stale stale = {0};
        struct su_moment now;
        int r;

        r = su_moment_now(&now, err);
        for (size_t i = 0; i < rules->n_rules && r >= 0; i++) {
                const struct su_rule *rule = &rules->rules[i];
                const struct su_component *component;
                const struct su_changed_file *file;
                bool older = false;

                file = find_replaced(to, from, to, rule, &component);
                if (!file)
                        file = find_replaced(from, from, to, rule, &component);
                if (!file || has_unit(&stale, rule->unit))
                        continue;
                r = is_older(units, rule->unit, changed, &now, &older, err);
                if (r >= 0 && older)
                        r = append(&stale, rule->unit, component, file, err);
        }
        if (r < 0)
                return r;
        *ret = stale;
        stale = (struct su_stale){0};
        return 0;
}

void su_stale_done(struct su_stale *stale)
{
        for (size_t i = 0; i < stale->n_units; i++) {
                free(stale->units[i].unit);
                free(stale->units[i].component);
                free(stale->units[i].path);
        }
        free(stale->units);
        *stale = (struct su_stale){0};
}
