#include "base/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t interrupted;

static void remember(int signal)
{
        (void)signal;
        interrupted = 1;
}

void su_interrupt_catch(void)
{
        const struct sigaction action = {.sa_handler = remember, .sa_flags = SA_RESTART};

        (void)sigaction(SIGINT, &action, NULL);
        (void)sigaction(SIGTERM, &action, NULL);
}

bool su_interrupted(void)
{
        return interrupted != 0;
}
