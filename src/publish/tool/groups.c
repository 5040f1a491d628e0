#include "publish/tool/groups.h"

#include <stdlib.h>

#include "base/text.h"

int su_groups_check(const struct su_texts *names, struct su_error *err)
{
        if (names->n > SU_GROUPS_MAX)
                return su_fail(err, SU_ERROR_USAGE, "more than %d groups", SU_GROUPS_MAX);
        for (size_t i = 0; i < names->n; i++)
                if (!su_group_is_name(names->texts[i]))
                        return su_fail(err, SU_ERROR_USAGE,
                                       "'%s' is not a name of lower-case letters, digits and '-'",
                                       names->texts[i]);
        return 0;
}

int su_groups_copy(const struct su_texts *names, struct su_channel_level *level,
                   struct su_error *err)
{
        char **groups = calloc(names->n + 1, sizeof *groups);
        int r = 0;

        if (!groups)
                return su_fail_oom(err);
        for (size_t i = 0; i < level->n_groups; i++)
                free(level->groups[i]);
        free(level->groups);
        level->groups = groups;
        level->n_groups = 0;
        for (size_t i = 0; i < names->n && r >= 0; i++) {
                r = su_strdup(names->texts[i], &groups[i], err);
                if (r >= 0)
                        level->n_groups++;
        }
        return r;
}
