/* What an object store answers: XML, of which this understands as much as it needs. Every byte is a
 * stranger's: what is read is bounded, and what is kept is printable. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"

/* The longest key that a store may have. */
#define SU_S3_KEY_MAX 1024
/* Of a page with a thousand keys, each written out. */
#define SU_S3_ANSWER_MAX (8 * 1024 * 1024)
#define SU_S3_REFUSAL_MAX 512

struct su_s3_object {
        char *key; /* ASCII: '?' stands for every other character */
        uint64_t size;
};

/* A page of ListObjectsV2. */
struct su_s3_page {
        struct su_s3_object *objects;
        size_t n;
        char *next; /* what to ask the next page with; NULL: this is the last */
};

/* FORMAT when it is no such page. */
int su_s3_page_parse(const char *text, size_t size, struct su_s3_page *ret, struct su_error *err);
void su_s3_page_done(struct su_s3_page *page);
#define su_auto_s3_page su_auto(su_s3_page_done)

/* What a store says when it refuses: code and message. Both are empty when it says nothing. */
struct su_s3_refusal {
        char code[64];
        char message[SU_S3_REFUSAL_MAX];
};

void su_s3_refusal_parse(const char *text, size_t size, struct su_s3_refusal *ret);
