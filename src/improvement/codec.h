/* How the small things that all documents share look in JSON. Private to this room. */
#pragma once

#include "base/error.h"
#include "inventory/facts.h"
#include "json/json.h"

/* {"size", "sha256", "build_id"} ; build_id is null where there is none. */
int su_facts_from_json(const json_t *object, struct su_file_facts *ret, struct su_error *err);
json_t *su_facts_to_json(const struct su_file_facts *facts);

/* A field that is a normal absolute path below /usr or /opt. */
int su_json_get_os_path(const json_t *object, const char *name, const char **ret,
                        struct su_error *err);
int su_json_get_safe_name(const json_t *object, const char *name, const char **ret,
                          struct su_error *err);

/* An array of objects into an array of structs: `read` fills in one element of `size` bytes. */
typedef int (*su_element_read)(const json_t *object, void *ret, struct su_error *err);
int su_json_read_elements(const json_t *object, const char *name, size_t max, size_t size,
                          su_element_read read, void *ret_elements, size_t *ret_n,
                          struct su_error *err);
