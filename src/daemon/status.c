#include "daemon/status.h"

#include <string.h>

#include "base/own.h"

/* A field of an object in an object, or of the document itself. */
struct property {
        const char *name;
        int (*append)(sd_bus_message *reply, const json_t *value);
        const char *field;
        const char *subfield; /* NULL: none */
};

static int append_text(sd_bus_message *reply, const json_t *value)
{
        return sd_bus_message_append(reply, "s",
                                     json_is_string(value) ? json_string_value(value) : "");
}

static int append_truth(sd_bus_message *reply, const json_t *value)
{
        return sd_bus_message_append(reply, "b", json_is_true(value));
}

/* Those on whom the level has an effect: what runs elsewhere stays as it is. */
static int append_reached(sd_bus_message *reply, const json_t *value)
{
        const json_t *process;
        uint32_t n = 0;
        size_t i;

        json_array_foreach (value, i, process)
                if (json_is_false(json_object_get(process, "elsewhere")))
                        n++;
        return sd_bus_message_append(reply, "u", n);
}

static const char *text_of(const json_t *object, const char *name)
{
        const char *text = json_string_value(json_object_get(object, name));

        return text ? text : "";
}

static int append_check(sd_bus_message *reply, const json_t *value)
{
        return sd_bus_message_append(reply, "(ssss)", text_of(value, "at"),
                                     text_of(value, "outcome"), text_of(value, "message"),
                                     text_of(value, "level"));
}

static int append_texts(sd_bus_message *reply, const json_t *value)
{
        const json_t *text;
        size_t i;
        int r = sd_bus_message_open_container(reply, 'a', "s");

        json_array_foreach (value, i, text)
                if (r >= 0)
                        r = append_text(reply, text);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_attention(sd_bus_message *reply, const json_t *value)
{
        const json_t *item;
        size_t i;
        int r = sd_bus_message_open_container(reply, 'a', "(ss)");

        json_array_foreach (value, i, item)
                if (r >= 0)
                        r = sd_bus_message_append(reply, "(ss)", text_of(item, "kind"),
                                                  text_of(item, "message"));
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static const struct property properties[] = {
        {"Baseline", append_text, "baseline", "name"},
        {"OperatingSystem", append_text, "baseline", "os"},
        {"Version", append_text, "version", NULL},
        {"Level", append_text, "level", NULL},
        {"State", append_text, "state", NULL},
        {"Staged", append_text, "staged", NULL},
        {"Automatic", append_text, "automatic", "level"},
        {"AutomaticManaged", append_truth, "automatic", "managed"},
        {"LastCheck", append_check, "last_check", NULL},
        {"Exposed", append_reached, "exposed", NULL},
        {"ExposureKnown", append_truth, "exposure_known", NULL},
        {"Needs", append_text, "needs", NULL},
        {"Waits", append_texts, "waits", NULL},
        {"Attention", append_attention, "attention", NULL},
        {"Repository", append_text, "repository", NULL},
};
_Static_assert(SU_ELEMENTS(properties) <= SU_STATUS_PROPERTIES_MAX, "there is room for all");

static const json_t *value_of(const struct property *property, const json_t *document)
{
        const json_t *value = json_object_get(document, property->field);

        return property->subfield ? json_object_get(value, property->subfield) : value;
}

int su_status_append(const json_t *document, const char *property, sd_bus_message *reply)
{
        for (size_t i = 0; i < SU_ELEMENTS(properties); i++)
                if (strcmp(properties[i].name, property) == 0)
                        return properties[i].append(reply, value_of(&properties[i], document));
        return -ENOENT;
}

void su_status_compare(const json_t *before, const json_t *after,
                       const char *ret[SU_STATUS_PROPERTIES_MAX + 1])
{
        size_t n = 0;

        for (size_t i = 0; i < SU_ELEMENTS(properties); i++) {
                const json_t *a = value_of(&properties[i], before);
                const json_t *b = value_of(&properties[i], after);

                if (a != b && !json_equal(a, b))
                        ret[n++] = properties[i].name;
        }
        ret[n] = NULL;
}
