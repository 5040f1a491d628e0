/* A repository with a log beside it, to read from: a directory, or a base URL. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/own.h"
#include "transparency/tiles.h"

struct su_place;

/* `where` is an http, https or file URL, or else a directory's path. */
int su_place_open(const char *where, struct su_place **ret, struct su_error *err);
/* The directory behind `dir_fd`, which stays the caller's. */
int su_place_of_directory(int dir_fd, struct su_place **ret, struct su_error *err);
void su_place_free(struct su_place *place);

/* A file by its path in the repository. NOT_FOUND when there is none, TOO_LARGE above `max`. */
int su_place_get(struct su_place *place, const char *path, size_t max, char **ret_data,
                 size_t *ret_size, struct su_error *err);
/* The log's files; lives as long as the place. */
struct su_tiles_reader su_place_tiles(struct su_place *place);

static inline void su_place_free_p(struct su_place **place)
{
        su_place_free(*place);
}
#define su_auto_place su_auto(su_place_free_p)
