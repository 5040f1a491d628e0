/* Each key that suture.conf may have: how it is read, and what holds without it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/ini.h"

struct su_config;
struct su_setting_kind;

struct su_setting {
        const char *section;
        const char *key;
        const char *fallback; /* the value without any; "": none */
        const struct su_setting_kind *kind;
        size_t offset;            /* of its field in struct su_config */
        const char *const *words; /* of a choice, NULL at the end */
};

extern const struct su_setting su_settings[];
extern const size_t su_n_settings;

/* CONFIG when there is no such section or key. */
int su_setting_find(const struct su_ini_line *line, size_t *ret_index, struct su_error *err);

/* Each assignment adds a value to those before. */
bool su_setting_is_list(const struct su_setting *setting);
/* Take over a value that is not empty; CONFIG, naming the line, when it is none. */
int su_setting_assign(const struct su_setting *setting, struct su_config *config,
                      const struct su_ini_line *line, struct su_error *err);
/* Forget all values. */
void su_setting_reset(const struct su_setting *setting, struct su_config *config);
