#include "exposure/owner.h"

void su_owner_done(struct su_owner *owner)
{
        free(owner->unit);
        free(owner->user_unit);
        free(owner->session);
        *owner = (struct su_owner){0};
}
