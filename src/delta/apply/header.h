/* The head of a delta: what it is made from, what it makes. */
#pragma once

#include "base/error.h"
#include "base/own.h"
#include "crypto/sha256.h"
#include "delta/apply/format.h"

struct su_delta_header {
        enum su_delta_method method;
        uint64_t target_size;
        struct su_sha256 target;
        uint64_t *source_sizes;
        size_t n_sources;
        uint8_t source_check[SU_DELTA_SOURCE_CHECK_SIZE]; /* of all sources; without any: zeros */
        uint8_t (*name_checks)[SU_DELTA_NAME_CHECK_SIZE]; /* of each, when there are several */
        size_t size;                                      /* of the head: the body follows */
};

/* DELTA when the head is malformed or asks for more than the limits allow. */
int su_delta_header_parse(const uint8_t *data, size_t size, struct su_delta_header *ret,
                          struct su_error *err);
void su_delta_header_done(struct su_delta_header *header);
#define su_auto_delta_header su_auto(su_delta_header_done)

/* Room for `n_sources` in the header. */
int su_delta_header_new(size_t n_sources, struct su_delta_header *ret, struct su_error *err);
/* *ret is the caller's. */
int su_delta_header_format(const struct su_delta_header *header, uint8_t **ret, size_t *ret_size,
                           struct su_error *err);

/* What source_check is, from the digests of all sources. */
int su_delta_source_check(const struct su_sha256 *digests, size_t n,
                          uint8_t ret[SU_DELTA_SOURCE_CHECK_SIZE], struct su_error *err);
