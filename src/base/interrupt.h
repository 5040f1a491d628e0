/* SIGINT and SIGTERM ask a program to stop where it can do so cleanly. */
#pragma once

#include <stdbool.h>

/* From here on the two signals end nothing; they are remembered. Programs that are run get them as
 * ever. */
void su_interrupt_catch(void);
bool su_interrupted(void);
