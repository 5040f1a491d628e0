/* Text for people that fits one screen: lines are wrapped at its width, lists are cut at its
 * height, and there are colours where a terminal shows them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum su_tone {
        SU_TONE_PLAIN,
        SU_TONE_GOOD,
        SU_TONE_DOUBT,
        SU_TONE_BAD,
};

struct su_screen {
        size_t columns;
        size_t rows;   /* without the one for the prompt */
        size_t used;   /* rows so far */
        size_t indent; /* of what stands beside the label of now */
        bool is_coloured;
};

/* Of the terminal on standard output; 80 by 24 where there is none. Colours are left out where
 * NO_COLOR is set, and on a dumb terminal. */
void su_screen_open(struct su_screen *ret);

void su_screen_headline(struct su_screen *screen, enum su_tone tone, const char *text);
/* "Label:     text", wrapped into at most two lines; without a label it goes on with the one
 * before. */
void su_screen_say(struct su_screen *screen, const char *label, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* "Label:     text" in one line, which is cut where it is too long. */
void su_screen_entry(struct su_screen *screen, const char *label, const char *text);
/* One line, which is cut where it is too long. */
void su_screen_line(struct su_screen *screen, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

size_t su_screen_left(const struct su_screen *screen);
