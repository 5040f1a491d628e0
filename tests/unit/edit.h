/* Change one field of a JSON document, for tests of what parsers refuse. Paths look like
 * "components/0/image/seal". */
#pragma once

/* Fresh texts that the caller frees. `value` is JSON. */
char *json_without(const char *text, const char *path);
char *json_with(const char *text, const char *path, const char *value);
