/* What others wrote, put into pages, feeds and documents where it can do nothing: a title is what a
 * changelog says, and no markup. What cannot be seen, or turns the direction of what follows, and
 * what is no UTF-8 becomes U+FFFD; line breaks become blanks. */
#pragma once

#include <stdio.h>

#include "base/error.h"
#include "base/own.h"
#include "json/json.h"

/* Text to write into, which grows. */
struct su_pad {
        FILE *out;
        char *text;
        size_t size;
};

int su_pad_open(struct su_pad *pad, struct su_error *err);
/* Its text, with a NUL behind it; whatever could not be written is a failure of this. */
int su_pad_take(struct su_pad *pad, char **ret_text, size_t *ret_size, struct su_error *err);
void su_pad_done(struct su_pad *pad);
#define su_auto_pad su_auto(su_pad_done)

/* Into HTML or XML: between tags, or into a value in double quotes. */
void su_put_escaped(FILE *out, const char *text);
/* Into the text of CommonMark: nothing of it is markup. */
void su_put_markdown(FILE *out, const char *text);
/* As it is, but for the above. */
int su_plain_text(const char *text, char **ret, struct su_error *err);
/* The same as a JSON string; NULL: memory ran out. */
json_t *su_plain_string(const char *text);
/* Make it a field; nothing when `text` is NULL. -1: memory ran out. */
int su_set_plain(json_t *object, const char *name, const char *text);
