#include "publish/tool/proposal.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "publish/checks/checks.h"
#include "publish/draft/content.h"
#include "publish/draft/packages.h"

/* Below the directory of the packages; goes away at the end. */
struct scratch {
        char *path;
        int parent_fd;
        int fd;
        int unpacked_fd;
        int staging_fd;
};

static void scratch_done(struct scratch *scratch)
{
        su_close_fd(&scratch->unpacked_fd);
        su_close_fd(&scratch->staging_fd);
        su_close_fd(&scratch->fd);
        if (scratch->parent_fd >= 0)
                (void)su_remove_tree(scratch->parent_fd, "scratch", NULL);
        su_close_fd(&scratch->parent_fd);
        free(scratch->path);
}

static int scratch_make(const char *directory, struct scratch *scratch, struct su_error *err)
{
        int r;

        r = su_dir_open(directory, &scratch->parent_fd, err);
        if (r >= 0)
                r = su_remove_tree(scratch->parent_fd, "scratch", err);
        if (r >= 0)
                r = su_dir_make(scratch->parent_fd, "scratch", 0755, &scratch->fd, err);
        if (r >= 0)
                r = su_dir_make(scratch->fd, "unpacked", 0755, &scratch->unpacked_fd, err);
        if (r >= 0)
                r = su_dir_make(scratch->fd, "staging", 0755, &scratch->staging_fd, err);
        return r < 0 ? r : su_format(&scratch->path, err, "%s/scratch", directory);
}

int su_proposal_fetch(const struct su_proposal_work *work, const struct su_update *update,
                      char ***ret_paths, struct su_error *err)
{
        char **paths = calloc(update->n_packages + 1, sizeof *paths);
        int r = paths ? 0 : su_fail_oom(err);

        for (size_t i = 0; i < update->n_packages && r >= 0; i++)
                r = su_apt_fetch(work->apt, update->packages[i].name,
                                 update->packages[i].new_version, update->packages[i].architecture,
                                 &paths[i], err);
        if (r < 0) {
                su_paths_free(paths, update->n_packages);
                return r;
        }
        *ret_paths = paths;
        return 0;
}

void su_paths_free(char **paths, size_t n)
{
        for (size_t i = 0; paths && i < n; i++)
                free(paths[i]);
        free(paths);
}

static int look(const struct su_proposal_work *work, char *const *paths, size_t n,
                struct su_component *component, struct su_findings *findings, struct su_error *err)
{
        su_auto(scratch_done) struct scratch scratch = {
                .parent_fd = -EBADF, .fd = -EBADF, .unpacked_fd = -EBADF, .staging_fd = -EBADF};
        struct su_check_subject subject = {
                .baseline = work->baseline,
                .component = component,
                .tree_fd = work->tree_fd,
        };
        struct su_content_source source = {.tree_fd = work->tree_fd, .from_packages = true};
        su_auto_free char *unpacked = NULL;
        struct su_content_counts counts;
        int r;

        r = scratch_make(work->apt->directory, &scratch, err);
        if (r >= 0)
                r = su_format(&unpacked, err, "%s/unpacked", scratch.path);
        if (r >= 0)
                r = su_packages_unpack(paths, n, unpacked, err);
        if (r >= 0)
                r = su_packages_describe(paths, n, work->tree, unpacked, scratch.path, component,
                                         err);
        source.fixed_fd = subject.fixed_fd = scratch.unpacked_fd;
        subject.staging_fd = scratch.staging_fd;
        if (r >= 0)
                r = su_content_stage(work->baseline, &source, scratch.staging_fd, component,
                                     &counts, err);
        return r < 0 ? r : su_checks_run(&subject, findings, err);
}

static json_t *packages_to_json(const struct su_update *update)
{
        su_auto_json json_t *array = json_array();

        for (size_t i = 0; i < update->n_packages; i++)
                if (json_array_append_new(
                            array, json_pack("{s:s, s:s, s:s}", "name", update->packages[i].name,
                                             "old_version", update->packages[i].old_version,
                                             "new_version", update->packages[i].new_version)) < 0)
                        return NULL;
        return su_take(array);
}

static json_t *fixes_to_json(const struct su_component *component)
{
        su_auto_json json_t *array = json_array();

        for (size_t i = 0; i < component->n_fixes; i++)
                if (json_array_append_new(array,
                                          json_pack("{s:s, s:s?}", "id", component->fixes[i].id,
                                                    "title", component->fixes[i].title)) < 0)
                        return NULL;
        return su_take(array);
}

static json_t *files_to_json(const struct su_component *component)
{
        su_auto_json json_t *array = json_array();

        for (size_t i = 0; i < component->n_files; i++)
                if (json_array_append_new(array, json_string(component->files[i].path)) < 0)
                        return NULL;
        return su_take(array);
}

static json_t *findings_to_json(const struct su_findings *findings)
{
        su_auto_json json_t *array = json_array();

        for (size_t i = 0; i < findings->n; i++)
                if (json_array_append_new(array, json_pack("{s:s, s:s, s:s}", "check",
                                                           su_check_name(findings->list[i].check),
                                                           "path", findings->list[i].path,
                                                           "finding", findings->list[i].text)) < 0)
                        return NULL;
        return su_take(array);
}

int su_proposal_make(const struct su_proposal_work *work, const struct su_update *update,
                     char *const *paths, json_t **ret, struct su_error *err)
{
        su_auto(su_component_done) struct su_component component = {0};
        su_auto_findings struct su_findings findings = {0};
        int r;

        r = look(work, paths, update->n_packages, &component, &findings, err);
        if (r < 0)
                return r;
        *ret = json_pack("{s:s, s:o, s:o, s:o, s:o}", "component", update->source, "packages",
                         packages_to_json(update), "fixes", fixes_to_json(&component), "files",
                         files_to_json(&component), "findings", findings_to_json(&findings));
        return *ret ? 0 : su_fail_oom(err);
}
