#include "publish/draft/later.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "publish/draft/deltas.h"

static int jobs_file(const char *baseline, const char *component, char **ret, struct su_error *err)
{
        return su_format(ret, err, "drafts/%s/jobs/%s.json", baseline, component);
}

int su_later_image_path(const struct su_workspace *workspace, const char *baseline,
                        const struct su_sha256 *seal, char **ret, struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];

        su_hex_encode(seal->bytes, SU_SHA256_SIZE, hex);
        return su_format(ret, err, "%s/drafts/%s/images/%s", workspace->path, baseline, hex);
}

int su_later_keep_image(const struct su_workspace *workspace, const char *baseline, int scratch_fd,
                        const char *image, const struct su_sha256 *seal, struct su_error *err)
{
        char hex[SU_SHA256_HEX_SIZE];
        su_auto_free char *directory = NULL;
        su_auto_close int fd = -EBADF;
        int r;

        su_hex_encode(seal->bytes, SU_SHA256_SIZE, hex);
        r = su_format(&directory, err, "drafts/%s/images", baseline);
        if (r >= 0)
                r = su_dir_make(workspace->fd, directory, 0755, &fd, err);
        if (r < 0)
                return r;
        if (renameat(scratch_fd, image, fd, hex) < 0)
                return su_fail_errno(err, errno, "cannot keep the new image");
        return su_sync_parent(fd, hex, err);
}

int su_later_put(const struct su_workspace *workspace, const char *baseline, const char *component,
                 const struct su_job_list *jobs, struct su_error *err)
{
        su_auto_free char *directory = NULL;
        su_auto_free char *name = NULL;
        su_auto_close int fd = -EBADF;
        int r;

        r = su_format(&directory, err, "drafts/%s/jobs", baseline);
        if (r >= 0)
                r = su_dir_make(workspace->fd, directory, 0755, &fd, err);
        if (r >= 0)
                r = su_format(&name, err, "%s.json", component);
        return r < 0 ? r : su_job_list_write(jobs, fd, name, err);
}

static int adopt(const struct su_workspace *workspace, const char *baseline,
                 struct su_component *component, int store_fd, struct su_error *err)
{
        su_auto_job_list struct su_job_list jobs = {0};
        su_auto_close int draft_fd = -EBADF;
        su_auto_close int objects_fd = -EBADF;
        su_auto_free char *name = NULL;
        size_t missing = 0;
        int r;

        r = jobs_file(baseline, component->name, &name, err);
        if (r >= 0)
                r = su_job_list_read(workspace->fd, name, &jobs, err);
        if (r >= 0)
                r = su_workspace_draft_dir(workspace, baseline, &draft_fd, err);
        if (r >= 0)
                r = su_dir_make(draft_fd, "objects", 0755, &objects_fd, err);
        if (r < 0)
                return r;
        r = su_deltas_adopt(component, &jobs, store_fd, objects_fd, &missing, err);
        if (r == -ENOENT && missing > 0)
                return su_fail(err, SU_ERROR_CONFLICT,
                               "%zu of %zu deltas of component '%s' are still to be made: "
                               "'suture-publish plan' and 'suture-publish run' make them",
                               missing, jobs.n, component->name);
        return r;
}

int su_later_adopt(const struct su_workspace *workspace, struct su_manifest *manifest, int store_fd,
                   struct su_error *err)
{
        bool is_changed = false;

        for (size_t i = 0; i < manifest->n_components; i++) {
                struct su_component *component = &manifest->components[i];
                int r;

                if (component->n_deltas > 0)
                        continue;
                r = adopt(workspace, manifest->baseline, component, store_fd, err);
                if (r < 0)
                        return r;
                is_changed = true;
        }
        return is_changed ? su_workspace_save_draft(workspace, manifest, err) : 0;
}

static int visit_component(const struct su_workspace *workspace, const char *baseline,
                           const char *component, su_later_visit visit, void *userdata,
                           struct su_error *err)
{
        su_auto_job_list struct su_job_list jobs = {0};
        su_auto_free char *name = NULL;
        int r;

        r = jobs_file(baseline, component, &name, err);
        if (r >= 0)
                r = su_job_list_read(workspace->fd, name, &jobs, err);
        for (size_t i = 0; i < jobs.n && r >= 0; i++)
                r = visit(userdata, baseline, component, &jobs.each[i], err);
        return r;
}

/* Those that wait: a component that was built again with its deltas waits for nothing. */
static int visit_draft(const struct su_workspace *workspace, const char *baseline,
                       su_later_visit visit, void *userdata, struct su_error *err)
{
        su_auto_manifest struct su_manifest manifest = {0};
        int r;

        r = su_workspace_load_draft(workspace, baseline, &manifest, err);
        if (r == -ENOENT)
                return 0;
        for (size_t i = 0; i < manifest.n_components && r >= 0; i++)
                if (manifest.components[i].n_deltas == 0)
                        r = visit_component(workspace, baseline, manifest.components[i].name, visit,
                                            userdata, err);
        return r;
}

static int is_visible(const struct dirent *entry)
{
        return entry->d_name[0] != '.';
}

int su_later_each(const struct su_workspace *workspace, su_later_visit visit, void *userdata,
                  struct su_error *err)
{
        struct dirent **entries = NULL;
        int n = scandirat(workspace->fd, "drafts", &entries, is_visible, alphasort);
        int r = 0;

        if (n < 0)
                return errno == ENOENT ? 0 : su_fail_errno(err, errno, "cannot list 'drafts'");
        for (int i = 0; i < n; i++) {
                if (r >= 0)
                        r = visit_draft(workspace, entries[i]->d_name, visit, userdata, err);
                free(entries[i]);
        }
        free(entries);
        return r;
}
