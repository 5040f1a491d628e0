/* suture-publish key: what the keys are, and whose. */
#include <stdint.h>
#include <string.h>

#include "base/own.h"
#include "publish/tool/verbs.h"

static const struct {
        const char *name;
        int (*run)(const struct su_publish_arguments *arguments, struct su_error *err);
        size_t min_operands;
        size_t max_operands;
} verbs[] = {
        {"new", su_verb_key_new, 1, 1},
        {"list", su_verb_key_list, 0, 0},
        {"rotate", su_verb_key_rotate, 1, SIZE_MAX},
        {"revoke", su_verb_key_revoke, 1, 1},
};

int su_verb_key(const struct su_publish_arguments *arguments, struct su_error *err)
{
        struct su_publish_arguments rest = *arguments;

        if (arguments->n_operands == 0)
                return su_fail(err, SU_ERROR_USAGE,
                               "say what to do about keys: new, list, rotate or revoke");
        rest.operands++;
        rest.n_operands--;
        for (size_t i = 0; i < SU_ELEMENTS(verbs); i++) {
                if (strcmp(arguments->operands[0], verbs[i].name) != 0)
                        continue;
                if (rest.n_operands < verbs[i].min_operands ||
                    rest.n_operands > verbs[i].max_operands)
                        return su_fail(err, SU_ERROR_USAGE,
                                       "'key %s' takes other operands: try 'suture-publish --help'",
                                       verbs[i].name);
                return verbs[i].run(&rest, err);
        }
        return su_fail(err, SU_ERROR_USAGE, "unknown verb 'key %s'", arguments->operands[0]);
}
