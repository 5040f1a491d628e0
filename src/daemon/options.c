#include "daemon/options.h"

#include <string.h>

#include "base/own.h"

struct option {
        const char *kind;
        const char *name;
        char type; /* as on the bus; l: a string that is a language */
        const char *argument;
};

static const struct option options[] = {
        {"install", "restart", 's', "--restart="},
        {"install", "force", 'b', "--force"},
        {"install", "download-only", 'b', "--download-only"},
        {"remove", "restart", 's', "--restart="},
        {"restart", "restart", 's', "--restart="},
        {"restart", "if-due", 'b', "--if-due"},
        {"install", "language", 'l', NULL},
        {"remove", "language", 'l', NULL},
        {"restart", "language", 'l', NULL},
};

static const struct option *find(const char *kind, const char *name)
{
        for (size_t i = 0; i < SU_ELEMENTS(options); i++)
                if (strcmp(options[i].kind, kind) == 0 && strcmp(options[i].name, name) == 0)
                        return &options[i];
        return NULL;
}

static int fail_type(const struct option *option, struct su_error *err)
{
        return su_fail(err, SU_ERROR_USAGE, "option '%s' is %s", option->name,
                       option->type == 'b' ? "a boolean" : "a string");
}

static int set_language(const char *text, struct su_order *order, struct su_error *err)
{
        if (!su_language_is_valid(text))
                return su_fail(err, SU_ERROR_USAGE, "a language is like 'de' or 'pt_BR'");
        (void)snprintf(order->language, sizeof order->language, "%s", text);
        return 0;
}

int su_options_read_language(sd_bus_message *call, struct su_order *order, struct su_error *err)
{
        const char *text;

        if (sd_bus_message_read(call, "s", &text) < 0)
                return su_fail(err, SU_ERROR_USAGE, "the argument is malformed");
        return set_language(text, order, err);
}

static int read_value(sd_bus_message *call, const struct option *option, struct su_order *order,
                      struct su_error *err)
{
        const char *text;
        int truth;

        if (option->type == 'l')
                return sd_bus_message_read(call, "v", "s", &text) < 0
                               ? fail_type(option, err)
                               : set_language(text, order, err);
        if (option->type == 's')
                return sd_bus_message_read(call, "v", "s", &text) < 0
                               ? fail_type(option, err)
                               : su_order_add(order, err, "%s%s", option->argument, text);
        if (sd_bus_message_read(call, "v", "b", &truth) < 0)
                return fail_type(option, err);
        return truth ? su_order_add(order, err, "%s", option->argument) : 0;
}

static int read_option(sd_bus_message *call, struct su_order *order, struct su_error *err)
{
        const struct option *option;
        const char *name;

        if (sd_bus_message_read(call, "s", &name) < 0)
                return su_fail(err, SU_ERROR_USAGE, "the options are malformed");
        option = find(order->kind, name);
        if (!option)
                return su_fail(err, SU_ERROR_USAGE, "'%s' has no option '%s'", order->kind, name);
        return read_value(call, option, order, err);
}

static int read_operand(sd_bus_message *call, struct su_order *order, struct su_error *err)
{
        const char *text;

        if (sd_bus_message_read(call, "s", &text) < 0 || !text[0] || text[0] == '-')
                return su_fail(err, SU_ERROR_USAGE, "the argument is malformed");
        return su_order_add(order, err, "%s", text);
}

static int read_options(sd_bus_message *call, struct su_order *order, struct su_error *err)
{
        int r = sd_bus_message_enter_container(call, 'a', "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(call, 'e', "sv")) > 0) {
                r = read_option(call, order, err);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(call);
        }
        return r < 0 ? su_fail(err, SU_ERROR_USAGE, "the options are malformed") : 0;
}

int su_options_read(sd_bus_message *call, struct su_order *order, struct su_error *err)
{
        const char *signature = sd_bus_message_get_signature(call, 1);

        if (strcmp(signature, "a{sv}") == 0)
                return read_options(call, order, err);
        return strcmp(signature, "s") == 0 ? read_operand(call, order, err) : 0;
}
