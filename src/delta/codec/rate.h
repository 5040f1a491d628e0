/* How fast a probability follows what it sees: by one part in so many, more the longer it has
 * watched. */
#pragma once

#include <stdint.h>

#define SU_RATES 47

static inline unsigned su_rate(unsigned n)
{
        static const uint16_t parts[SU_RATES] = {
                2,  3,  4,  5,   6,   7,   8,   9,   10,  11,  12,  13,  14,  15,  16, 18,
                20, 22, 24, 26,  28,  30,  32,  36,  40,  44,  48,  52,  56,  60,  64, 72,
                80, 88, 96, 104, 112, 120, 128, 144, 160, 176, 192, 208, 224, 240, 256};

        return parts[n];
}

static inline void su_rate_learn(uint16_t *probability, unsigned n, unsigned bit)
{
        unsigned parts = su_rate(n);

        if (bit)
                *probability = (uint16_t)(*probability + (65535 - *probability) / parts);
        else
                *probability = (uint16_t)(*probability - *probability / parts);
}
