/* What verbs print for programs. */
#pragma once

#include "json/json.h"

/* `document` stays the caller's; NULL: there was no memory for it. */
int su_print_json(const json_t *document, struct su_error *err);
