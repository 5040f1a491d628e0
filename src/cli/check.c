#include <stdio.h>

#include "cli/output.h"
#include "cli/verbs.h"
#include "device/offer.h"

static int output_document(const struct su_arguments *arguments, const struct su_engine *engine,
                           const struct su_offer *offer, struct su_error *err)
{
        struct su_fetch_totals totals = su_fetch_totals(engine->fetch);

        return su_output_result(arguments,
                                json_pack("{s:b, s:o, s:b, s:s, s:o, s:I, s:I}", "up_to_date",
                                          offer->decision.course == SU_COURSE_STAY, "level",
                                          su_output_level(&offer->decision.level), "recalled",
                                          offer->recalled, "message", offer->message, "components",
                                          su_output_components(&offer->manifest), "requests",
                                          (json_int_t)totals.requests, "bytes",
                                          (json_int_t)totals.bytes),
                                err);
}

static int print_message(const struct su_engine *engine, const struct su_offer *offer,
                         struct su_error *err)
{
        const bool stays = offer->decision.course == SU_COURSE_STAY;
        su_auto_free char *version = NULL;
        su_auto_free char *message = NULL;
        int r;

        r = su_engine_version(engine, stays ? &offer->present : &offer->decision.level, &version,
                              err);
        if (r >= 0)
                r = su_output_message(offer->message, version, &message, err);
        if (r >= 0)
                (void)puts(message);
        return r;
}

int su_verb_check(const struct su_arguments *arguments, struct su_error *err)
{
        su_auto_engine struct su_engine *engine = NULL;
        su_auto_offer struct su_offer offer = {0};
        int r;

        r = su_engine_open(&arguments->engine, &engine, err);
        if (r >= 0)
                r = su_offer_get(engine, &offer, err);
        if (r >= 0)
                r = output_document(arguments, engine, &offer, err);
        if (r < 0 || arguments->json)
                return r;
        r = print_message(engine, &offer, err);
        if (r >= 0 && offer.decision.course == SU_COURSE_INSTALL)
                su_print_fixes(&offer.manifest, "  ");
        return r;
}
