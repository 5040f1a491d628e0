#include "daemon/reply.h"

#include "base/bus_names.h"
#include "base/own.h"
#include "base/text.h"

int su_reply_error(sd_bus_message *call, const char *name, const char *message)
{
        su_auto_free char *full = NULL;

        if (su_format(&full, NULL, SU_BUS_ERROR_PREFIX "%s", name) < 0)
                return -ENOMEM;
        return sd_bus_reply_method_errorf(call, full, "%s", message);
}

int su_reply_failure(sd_bus_message *call, const struct su_error *error)
{
        return su_reply_error(call, su_error_name(error->code), error->message);
}
