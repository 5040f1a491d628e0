/* su_auto_* of what libsystemd hands out. */
#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "base/own.h"

static inline void su_event_p(sd_event **event)
{
        *event = sd_event_unref(*event);
}
static inline void su_event_source_p(sd_event_source **source)
{
        *source = sd_event_source_disable_unref(*source);
}
static inline void su_bus_p(sd_bus **bus)
{
        *bus = sd_bus_flush_close_unref(*bus);
}
static inline void su_bus_message_p(sd_bus_message **message)
{
        *message = sd_bus_message_unref(*message);
}
static inline void su_bus_slot_p(sd_bus_slot **slot)
{
        *slot = sd_bus_slot_unref(*slot);
}

#define su_auto_event su_auto(su_event_p)
#define su_auto_event_source su_auto(su_event_source_p)
#define su_auto_bus su_auto(su_bus_p)
#define su_auto_bus_message su_auto(su_bus_message_p)
#define su_auto_bus_slot su_auto(su_bus_slot_p)
