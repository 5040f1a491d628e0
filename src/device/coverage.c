#include "device/coverage.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/printable.h"
#include "base/process.h"
#include "base/text.h"
#include "inventory/build_id.h"
#include "inventory/tree.h"

#define PIECE_SIZE (1024 * 1024)
#define PROGRAM_SIZE_MAX (UINT64_C(4) << 30)

static const char *const flatpak_trees[] = {"/var/lib/flatpak/runtime", "/var/lib/flatpak/app"};

static const char *const container_trees[] = {
        "/var/lib/machines",
        "/var/lib/portables",
        "/var/lib/lxc",
        "/var/lib/docker/overlay2",
        "/var/lib/containers/storage/overlay",
        "/snap",
};

/* Where programs lie that may have the code in themselves. */
static const char *const program_trees[] = {"/usr", "/opt", "/var/lib/flatpak/app"};

const char *su_gap_kind_name(enum su_gap_kind kind)
{
        static const char *const names[] = {
                [SU_GAP_FLATPAK] = "flatpak", [SU_GAP_CONTAINER] = "container",
                [SU_GAP_STATIC] = "static",   [SU_GAP_INITRD] = "initrd",
                [SU_GAP_UNKNOWN] = "unknown",
        };

        return names[kind];
}

struct search {
        const struct su_engine *engine;
        const struct su_manifest *manifest;
        enum su_gap_kind kind;
        struct su_coverage coverage;
};

static int add_gap(struct search *search, enum su_gap_kind kind, const char *path,
                   const struct su_component *component, bool is_old, const char *what,
                   struct su_error *err)
{
        struct su_coverage *coverage = &search->coverage;
        struct su_gap *gap = reallocarray(coverage->gaps, coverage->n_gaps + 1, sizeof *gap);
        int r;

        if (!gap)
                return su_fail_oom(err);
        coverage->gaps = gap;
        gap += coverage->n_gaps++;
        *gap = (struct su_gap){.kind = kind, .is_old = is_old};
        r = su_strdup(path, &gap->path, err);
        if (r >= 0)
                su_make_printable(gap->path);
        if (r >= 0 && component)
                r = su_strdup(component->name, &gap->component, err);
        if (r >= 0)
                r = su_strdup(what, &gap->what, err);
        return r;
}

static const char *base_name(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

static bool has_code(const struct su_changed_file *file)
{
        return (file->is_gone ? &file->before : &file->after)->build_id.size > 0;
}

/* A file of the improvement that has code and goes by that name. */
static const struct su_changed_file *find_by_name(const struct su_manifest *manifest,
                                                  const char *name,
                                                  const struct su_component **ret_component)
{
        for (size_t i = 0; i < manifest->n_components; i++)
                for (size_t j = 0; j < manifest->components[i].n_files; j++) {
                        const struct su_changed_file *file = &manifest->components[i].files[j];

                        if (!has_code(file) || strcmp(base_name(file->path), name) != 0)
                                continue;
                        *ret_component = &manifest->components[i];
                        return file;
                }
        return NULL;
}

/* A copy: the fixed build is none that would be missing anything. */
static int judge_copy(struct search *search, const struct su_tree_entry *entry,
                      const struct su_component *component, const struct su_changed_file *file,
                      struct su_error *err)
{
        su_auto_close int fd =
                openat(entry->dir_fd, entry->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        struct su_build_id id;
        bool is_old;
        int r;

        if (fd < 0)
                return 0;
        r = su_build_id_read(fd, entry->path, &id, NULL, NULL);
        if (r < 0)
                return 0; /* it cannot be read: nobody runs it */
        if (su_build_id_equal(&id, &file->after.build_id))
                return r;
        is_old = file->before.build_id.size > 0 && su_build_id_equal(&id, &file->before.build_id);
        return add_gap(search, search->kind, entry->path, component, is_old,
                       is_old ? "a copy of the build that is replaced"
                              : "another build of it: whether it has the fix is not known here",
                       err);
}

static int visit_copy(void *userdata, const struct su_tree_entry *entry, struct su_error *err)
{
        struct search *search = userdata;
        const struct su_component *component;
        const struct su_changed_file *file;

        if (!S_ISREG(entry->st.st_mode))
                return 0;
        search->coverage.n_files++;
        file = find_by_name(search->manifest, entry->name, &component);
        return file ? judge_copy(search, entry, component, file, err) : 0;
}

static int find_copies(struct search *search, enum su_gap_kind kind, const char *const *trees,
                       size_t n_trees, struct su_error *err)
{
        int r = 0;

        search->kind = kind;
        for (size_t i = 0; i < n_trees && r >= 0; i++)
                r = su_tree_walk(search->engine->root_fd, trees[i], trees[i], SU_TREE_READABLE,
                                 visit_copy, search, err);
        return r;
}

static bool has_path(const struct su_manifest *manifest, const char *path)
{
        for (size_t i = 0; i < manifest->n_components; i++)
                for (size_t j = 0; j < manifest->components[i].n_files; j++)
                        if (strcmp(manifest->components[i].files[j].path, path) == 0)
                                return true;
        return false;
}

static const struct su_component *find_mark(const struct su_manifest *manifest, const void *data,
                                            size_t size)
{
        for (size_t i = 0; i < manifest->n_components; i++) {
                const struct su_component *component = &manifest->components[i];

                for (size_t j = 0; j < component->n_marks; j++)
                        if (memmem(data, size, component->marks[j], strlen(component->marks[j])))
                                return component;
        }
        return NULL;
}

/* Piece by piece, each beginning with the end of the one before: a mark may lie across. What cannot
 * be read ends the file. */
static int find_mark_in_file(const struct su_manifest *manifest, int fd,
                             const struct su_component **ret, struct su_error *err)
{
        su_auto_free char *piece = malloc(PIECE_SIZE);
        size_t kept = 0;
        uint64_t offset = 0;

        *ret = NULL;
        if (!piece)
                return su_fail_oom(err);
        while (!*ret && offset < PROGRAM_SIZE_MAX) {
                ssize_t n = pread(fd, piece + kept, PIECE_SIZE - kept, (off_t)offset);
                size_t size;

                if (n <= 0)
                        break;
                offset += (uint64_t)n;
                size = kept + (size_t)n;
                *ret = find_mark(manifest, piece, size);
                kept = size < SU_MARK_MAX ? size : SU_MARK_MAX;
                memmove(piece, piece + size - kept, kept);
        }
        return 0;
}

/* Only programs and libraries can have code in themselves. */
static int visit_program(void *userdata, const struct su_tree_entry *entry, struct su_error *err)
{
        static const char magic[] = "\177ELF";
        struct search *search = userdata;
        const struct su_component *component;
        su_auto_close int fd = -EBADF;
        char begin[4];
        int r;

        if (!S_ISREG(entry->st.st_mode) || entry->st.st_size < 64 ||
            has_path(search->manifest, entry->path))
                return 0;
        fd = openat(entry->dir_fd, entry->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || pread(fd, begin, sizeof begin, 0) != (ssize_t)sizeof begin ||
            memcmp(begin, magic, sizeof begin) != 0)
                return 0;
        search->coverage.n_files++;
        r = find_mark_in_file(search->manifest, fd, &component, err);
        if (r >= 0 && component)
                r = add_gap(search, SU_GAP_STATIC, entry->path, component, true,
                            "has the old code in itself", err);
        if (r >= 0 && (uint64_t)entry->st.st_size > PROGRAM_SIZE_MAX)
                r = add_gap(search, SU_GAP_UNKNOWN, entry->path, NULL, false,
                            "only the beginning was looked into: it is very large", err);
        return r;
}

static bool has_marks(const struct su_manifest *manifest)
{
        for (size_t i = 0; i < manifest->n_components; i++)
                if (manifest->components[i].n_marks > 0)
                        return true;
        return false;
}

static int find_programs(struct search *search, struct su_error *err)
{
        int r = 0;

        if (!has_marks(search->manifest))
                return add_gap(search, SU_GAP_UNKNOWN, "/usr", NULL, false,
                               "programs that have the code in themselves are not looked for: the "
                               "publisher gave no marks of it",
                               err);
        for (size_t i = 0; i < SU_ELEMENTS(program_trees) && r >= 0; i++)
                r = su_tree_walk(search->engine->root_fd, program_trees[i], program_trees[i],
                                 SU_TREE_READABLE, visit_program, search, err);
        return r;
}

/* The names that the distribution's own tool lists. */
static int list_initrd(const char *path, char **ret)
{
        const char *const debian[] = {"lsinitramfs", path, NULL};
        const char *const dracut[] = {"lsinitrd", path, NULL};

        if (su_process_run(debian, ret, NULL, NULL) >= 0)
                return 0;
        return su_process_run(dracut, ret, NULL, NULL);
}

static int judge_initrd(struct search *search, const char *path, char *names, struct su_error *err)
{
        char *state = NULL;

        for (char *line = strtok_r(names, "\n", &state); line;
             line = strtok_r(NULL, "\n", &state)) {
                const struct su_component *component;
                int r;

                line[strcspn(line, " ")] = '\0';
                if (!find_by_name(search->manifest, base_name(line), &component))
                        continue;
                r = add_gap(search, SU_GAP_INITRD, path, component, false,
                            "has a copy, which is used until the root is mounted: a full update "
                            "renews it",
                            err);
                return r;
        }
        return 0;
}

static int visit_boot(void *userdata, const struct su_tree_entry *entry, struct su_error *err)
{
        struct search *search = userdata;
        su_auto_free char *names = NULL;
        su_auto_free char *path = NULL;
        int r;

        if (S_ISDIR(entry->st.st_mode))
                return SU_TREE_SKIP;
        if (!S_ISREG(entry->st.st_mode) || !su_starts_with(entry->name, "initr"))
                return 0;
        r = su_format(&path, err, "%s%s",
                      strcmp(search->engine->root, "/") == 0 ? "" : search->engine->root,
                      entry->path);
        if (r < 0)
                return r;
        search->coverage.n_files++;
        if (list_initrd(path, &names) < 0)
                return add_gap(search, SU_GAP_UNKNOWN, entry->path, NULL, false,
                               "what is in it cannot be told: neither lsinitramfs nor lsinitrd "
                               "reads it",
                               err);
        return judge_initrd(search, entry->path, names, err);
}

int su_coverage_find(const struct su_engine *engine, const struct su_manifest *manifest,
                     struct su_coverage *ret, struct su_error *err)
{
        struct search search = {.engine = engine, .manifest = manifest};
        int r;

        r = find_copies(&search, SU_GAP_FLATPAK, flatpak_trees, SU_ELEMENTS(flatpak_trees), err);
        if (r >= 0)
                r = find_copies(&search, SU_GAP_CONTAINER, container_trees,
                                SU_ELEMENTS(container_trees), err);
        if (r >= 0)
                r = find_programs(&search, err);
        if (r >= 0)
                r = su_tree_walk(engine->root_fd, "/boot", "/boot", SU_TREE_READABLE, visit_boot,
                                 &search, err);
        if (r < 0) {
                su_coverage_done(&search.coverage);
                return r;
        }
        *ret = search.coverage;
        return 0;
}

void su_coverage_done(struct su_coverage *coverage)
{
        for (size_t i = 0; i < coverage->n_gaps; i++) {
                free(coverage->gaps[i].path);
                free(coverage->gaps[i].component);
                free(coverage->gaps[i].what);
        }
        free(coverage->gaps);
        *coverage = (struct su_coverage){0};
}
