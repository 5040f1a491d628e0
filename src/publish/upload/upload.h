/* Bring public/ to an object store, in an order in which a device never sees half of something.
 *
 * upload.c says why. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "publish/store/workspace.h"
#include "publish/upload/place.h"

/* What is done to an object of that path, or would be. */
typedef void (*su_upload_told)(void *userdata, const char *verb, const char *path, uint64_t size,
                               const char *cache);

struct su_upload_options {
        size_t parallel;
        bool only_show;
        bool prune; /* remove what public/ does not have any more */
        bool force; /* even what is newer there */
        su_upload_told told;
        void *userdata;
};

struct su_upload_counts {
        size_t sent, same, removed;
        uint64_t bytes;
};

/* The workspace is locked by the caller, so that public/ stays what it is. ROLLBACK when the store
 * has a newer timestamp than public/. */
int su_upload_run(const struct su_workspace *workspace, const struct su_s3_place *place,
                  const struct su_upload_options *options, struct su_upload_counts *ret,
                  struct su_error *err);
