#include "delta/tool/sources.h"

#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static void fts_close_p(FTS **tree)
{
        if (*tree)
                (void)fts_close(*tree);
}

static int add(struct su_sources *sources, const char *path, struct su_error *err)
{
        if (sources->n == sources->capacity) {
                size_t capacity = sources->capacity ? sources->capacity * 2 : 16;
                int *fds = realloc(sources->fds, capacity * sizeof *fds);
                char **names;

                if (!fds)
                        return su_fail_oom(err);
                sources->fds = fds;
                names = realloc(sources->names, capacity * sizeof *names);
                if (!names)
                        return su_fail_oom(err);
                sources->names = names;
                sources->capacity = capacity;
        }
        sources->fds[sources->n] = open(path, O_RDONLY | O_CLOEXEC);
        if (sources->fds[sources->n] < 0)
                return su_fail_errno(err, errno, "cannot open '%s'", path);
        sources->names[sources->n] = NULL;
        return su_strdup(path, &sources->names[sources->n++], err);
}

static int compare_names(const FTSENT **a, const FTSENT **b)
{
        return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int add_below(struct su_sources *sources, char *path, struct su_error *err)
{
        char *const roots[] = {path, NULL};
        su_auto(fts_close_p) FTS *tree =
                fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, compare_names);
        FTSENT *entry;

        if (!tree)
                return su_fail_errno(err, errno, "cannot look below '%s'", path);
        while ((entry = fts_read(tree))) {
                int r = 0;

                if (entry->fts_info == FTS_F)
                        r = add(sources, entry->fts_path, err);
                else if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
                         entry->fts_info == FTS_NS)
                        return su_fail_errno(err, entry->fts_errno, "cannot read '%s'",
                                             entry->fts_path);
                if (r < 0)
                        return r;
        }
        return 0;
}

int su_sources_open(char *const *paths, size_t n, struct su_sources *ret, struct su_error *err)
{
        su_auto_sources struct su_sources sources = {0};

        for (size_t i = 0; i < n; i++) {
                int r = add_below(&sources, paths[i], err);

                if (r < 0)
                        return r;
        }
        *ret = sources;
        sources = (struct su_sources){0};
        return 0;
}

void su_sources_done(struct su_sources *sources)
{
        for (size_t i = 0; i < sources->n; i++) {
                su_close_fd(&sources->fds[i]);
                free(sources->names[i]);
        }
        free(sources->fds);
        free(sources->names);
        *sources = (struct su_sources){0};
}
