/* Where Suture keeps things in an OS tree. */
#pragma once

#define SU_STATE_PATH "/var/lib/suture"
