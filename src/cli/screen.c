#include "cli/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/own.h"

#define COLUMNS 80
#define COLUMNS_MIN 40
#define ROWS 24
#define INDENT 12   /* or more, where a label is longer in the language that is spoken */
#define LINES_MAX 2 /* that a text may take */

static bool wants_colours(void)
{
        const char *no_color = getenv("NO_COLOR");
        const char *term = getenv("TERM");

        return (!no_color || !no_color[0]) && term && term[0] && strcmp(term, "dumb") != 0;
}

void su_screen_open(struct su_screen *ret)
{
        struct winsize size = {0};

        *ret = (struct su_screen){.columns = COLUMNS, .rows = ROWS - 1, .indent = INDENT};
        if (!isatty(STDOUT_FILENO))
                return;
        ret->is_coloured = wants_colours();
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
                return;
        if (size.ws_col > 0)
                ret->columns = size.ws_col > COLUMNS_MIN ? size.ws_col : COLUMNS_MIN;
        if (size.ws_row > ROWS)
                ret->rows = size.ws_row - 1U;
}

/* Bytes of `text` that fill at most so many columns; one for each character of UTF-8. */
static size_t measure(const char *text, size_t columns)
{
        size_t size = 0;

        for (; text[size]; size++) {
                if (((unsigned char)text[size] & 0xc0) == 0x80)
                        continue;
                if (columns-- == 0)
                        break;
        }
        return size;
}

static size_t count_columns(const char *text)
{
        size_t columns = 0;

        for (; *text; text++)
                columns += ((unsigned char)*text & 0xc0) != 0x80;
        return columns;
}

/* "Label:     ", or as many blanks as go with the one before; the columns that it takes. */
static size_t print_label(struct su_screen *screen, const char *label)
{
        size_t columns;

        if (!label) {
                (void)printf("%*s", (int)screen->indent, "");
                return screen->indent;
        }
        columns = count_columns(label) + 1;
        screen->indent = columns < INDENT ? INDENT : columns + 1;
        if (screen->indent > COLUMNS_MIN / 2)
                screen->indent = COLUMNS_MIN / 2;
        (void)printf("%s:%*s", label,
                     columns < screen->indent ? (int)(screen->indent - columns) : 1, "");
        return screen->indent;
}

/* As much of `text` as fits into a line, up to the last blank if there is one. */
static size_t measure_words(const char *text, size_t columns)
{
        const size_t size = measure(text, columns);
        size_t words = size;

        if (text[size] == '\0' || text[size] == ' ')
                return size;
        while (words > 0 && text[words - 1] != ' ')
                words--;
        return words > 0 ? words : size;
}

static void print_cut(const char *text, size_t columns)
{
        const size_t size = measure(text, columns);

        if (text[size])
                (void)printf("%.*s...", (int)measure(text, columns - 3), text);
        else
                (void)fputs(text, stdout);
}

static void print_wrapped(struct su_screen *screen, const char *text, size_t indent)
{
        const size_t columns = screen->columns - indent;

        for (unsigned i = 1; i < LINES_MAX && text[measure(text, columns)]; i++) {
                size_t size = measure_words(text, columns);

                size_t shown = size;

                while (shown > 0 && text[shown - 1] == ' ')
                        shown--;
                (void)printf("%.*s\n%*s", (int)shown, text, (int)indent, "");
                text += size;
                text += strspn(text, " ");
                screen->used++;
        }
        print_cut(text, columns);
        screen->used++;
}

void su_screen_headline(struct su_screen *screen, enum su_tone tone, const char *text)
{
        static const char *const colours[] = {
                [SU_TONE_PLAIN] = "\033[1m",
                [SU_TONE_GOOD] = "\033[1;32m",
                [SU_TONE_DOUBT] = "\033[1;33m",
                [SU_TONE_BAD] = "\033[1;31m",
        };

        if (screen->is_coloured)
                (void)fputs(colours[tone], stdout);
        print_wrapped(screen, text, 0);
        (void)puts(screen->is_coloured ? "\033[0m" : "");
}

void su_screen_say(struct su_screen *screen, const char *label, const char *format, ...)
{
        su_auto_free char *text = NULL;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0)
                return;
        print_wrapped(screen, text, print_label(screen, label));
        (void)puts("");
}

void su_screen_entry(struct su_screen *screen, const char *label, const char *text)
{
        print_cut(text, screen->columns - print_label(screen, label));
        (void)puts("");
        screen->used++;
}

void su_screen_line(struct su_screen *screen, const char *format, ...)
{
        su_auto_free char *text = NULL;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&text, format, ap);
        va_end(ap);
        if (n < 0)
                return;
        print_cut(text, screen->columns);
        (void)puts("");
        screen->used++;
}

size_t su_screen_left(const struct su_screen *screen)
{
        return screen->used < screen->rows ? screen->rows - screen->used : 0;
}
