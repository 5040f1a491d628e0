#include "edit.h"

#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "json/json.h"

static json_t *step(json_t *value, const char *name)
{
        json_t *child = json_is_array(value) ? json_array_get(value, (size_t)atoi(name))
                                             : json_object_get(value, name);

        if (!child)
                fail_msg("no '%s' in the document", name);
        return child;
}

/* The object that holds the last part of `path`, and that part. */
static json_t *find_parent(json_t *document, const char *path, char ret_name[64])
{
        char copy[256];
        char *state = NULL;
        char *part;

        (void)snprintf(copy, sizeof copy, "%s", path);
        part = strtok_r(copy, "/", &state);
        for (;;) {
                char *next = strtok_r(NULL, "/", &state);

                (void)snprintf(ret_name, 64, "%s", part);
                if (!next)
                        return document;
                document = step(document, part);
                part = next;
        }
}

static char *dump(json_t *document)
{
        char *text = json_dumps(document, 0);

        assert_non_null(text);
        return text;
}

char *json_without(const char *text, const char *path)
{
        su_auto_json json_t *document = json_loads(text, 0, NULL);
        char name[64];

        assert_non_null(document);
        assert_int_equal(json_object_del(find_parent(document, path, name), name), 0);
        return dump(document);
}

char *json_with(const char *text, const char *path, const char *value)
{
        su_auto_json json_t *document = json_loads(text, 0, NULL);
        json_t *parsed = json_loads(value, JSON_DECODE_ANY, NULL);
        json_t *parent;
        char name[64];

        assert_non_null(document);
        assert_non_null(parsed);
        parent = find_parent(document, path, name);
        if (json_is_array(parent))
                assert_int_equal(json_array_set_new(parent, (size_t)atoi(name), parsed), 0);
        else
                assert_int_equal(json_object_set_new(parent, name, parsed), 0);
        return dump(document);
}
