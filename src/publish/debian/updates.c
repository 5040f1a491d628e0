#include "publish/debian/updates.h"

#include <string.h>

#include "base/process.h"
#include "base/text.h"
#include "publish/debian/control.h"

/* A package of the tree; all point into one text. */
struct installed {
        const char *name;
        const char *architecture;
        const char *version;
        char *newest; /* of the suite; NULL: not newer, or not there */
        char *source;
};

struct tree {
        char *text;
        struct installed *packages; /* by name and architecture */
        size_t n;
};

static void tree_done(struct tree *tree)
{
        for (size_t i = 0; i < tree->n; i++) {
                free(tree->packages[i].newest);
                free(tree->packages[i].source);
        }
        free(tree->packages);
        free(tree->text);
}

static int compare_installed(const void *a, const void *b)
{
        const struct installed *x = a;
        const struct installed *y = b;
        const int order = strcmp(x->name, y->name);

        return order != 0 ? order : strcmp(x->architecture, y->architecture);
}

/* "NAME ARCHITECTURE VERSION STATUS" */
static bool parse_installed(char *line, struct installed *ret)
{
        char *rest = NULL;
        const char *status;

        *ret = (struct installed){
                .name = strtok_r(line, " ", &rest),
                .architecture = strtok_r(NULL, " ", &rest),
                .version = strtok_r(NULL, " ", &rest),
        };
        status = strtok_r(NULL, " ", &rest);
        return status && status[0] != '\0' && status[1] == 'i';
}

static int query(const char *root, const char *format, char **ret, struct su_error *err)
{
        su_auto_free char *option = NULL;
        int r;

        r = su_format(&option, err, "--admindir=%s/var/lib/dpkg", root);
        if (r < 0)
                return r;
        const char *const argv[] = {"dpkg-query", option, "-W", "-f", format, NULL};
        r = su_process_run(argv, ret, NULL, err);
        return r < 0 ? su_fail_prefix(err, r, "the packages of '%s'", root) : 0;
}

static int read_tree(const char *root, struct tree *tree, struct su_error *err)
{
        char *rest = NULL;
        size_t lines = 1;
        int r;

        r = query(root, "${Package} ${Architecture} ${Version} ${db:Status-Abbrev}\n", &tree->text,
                  err);
        if (r < 0)
                return r;
        for (const char *c = tree->text; *c; c++)
                lines += *c == '\n';
        tree->packages = calloc(lines, sizeof *tree->packages);
        if (!tree->packages)
                return su_fail_oom(err);
        for (char *line = strtok_r(tree->text, "\n", &rest); line;
             line = strtok_r(NULL, "\n", &rest))
                tree->n += parse_installed(line, &tree->packages[tree->n]);
        if (tree->n > 0)
                qsort(tree->packages, tree->n, sizeof *tree->packages, compare_installed);
        return 0;
}

/* The architecture that dpkg itself has there. */
int su_updates_architecture(const char *tree_path, char **ret, struct su_error *err)
{
        su_auto(tree_done) struct tree tree = {0};
        int r = read_tree(tree_path, &tree, err);

        for (size_t i = 0; i < tree.n && r >= 0; i++)
                if (strcmp(tree.packages[i].name, "dpkg") == 0)
                        return su_strdup(tree.packages[i].architecture, ret, err);
        return r < 0 ? r
                     : su_fail(err, SU_ERROR_BASELINE,
                               "'%s' is no tree of Debian packages: it has "
                               "no dpkg",
                               tree_path);
}

static int copy(const char *text, size_t size, char **ret)
{
        free(*ret);
        *ret = strndup(text, size);
        return *ret ? 0 : -ENOMEM;
}

static bool is_newer(const char *version, const char *than)
{
        const char *const argv[] = {"dpkg", "--compare-versions", version, "gt", than, NULL};

        return strcmp(version, than) != 0 && su_process_run(argv, NULL, NULL, NULL) >= 0;
}

/* Without a Source field the source has the package's name; "name (version)" is one of another
 * version. */
static int take_source(const struct su_control *stanza, struct installed *package,
                       struct su_error *err)
{
        size_t size;
        const char *source = su_control_field(stanza, "Source", &size);

        if (!source)
                return copy(package->name, strlen(package->name), &package->source) < 0
                               ? su_fail_oom(err)
                               : 0;
        for (size_t i = 0; i < size; i++)
                if (source[i] == ' ')
                        size = i;
        return copy(source, size, &package->source) < 0 ? su_fail_oom(err) : 0;
}

static int look_at(struct tree *tree, const struct su_control *stanza, struct su_error *err)
{
        su_auto_free char *name = NULL;
        su_auto_free char *architecture = NULL;
        su_auto_free char *version = NULL;
        struct installed *package;
        struct installed wanted;
        size_t sizes[3];
        const char *fields[] = {su_control_field(stanza, "Package", &sizes[0]),
                                su_control_field(stanza, "Architecture", &sizes[1]),
                                su_control_field(stanza, "Version", &sizes[2])};

        if (!fields[0] || !fields[1] || !fields[2] || tree->n == 0)
                return 0;
        if (copy(fields[0], sizes[0], &name) < 0 || copy(fields[1], sizes[1], &architecture) < 0 ||
            copy(fields[2], sizes[2], &version) < 0)
                return su_fail_oom(err);
        wanted = (struct installed){.name = name, .architecture = architecture};
        package = bsearch(&wanted, tree->packages, tree->n, sizeof *tree->packages,
                          compare_installed);
        if (!package || !is_newer(version, package->newest ? package->newest : package->version))
                return 0;
        free(package->newest);
        package->newest = su_take(version);
        return take_source(stanza, package, err);
}

static struct su_update *find_update(struct su_updates *updates, const char *source)
{
        for (size_t i = 0; i < updates->n; i++)
                if (strcmp(updates->list[i].source, source) == 0)
                        return &updates->list[i];
        return NULL;
}

static int add_update(struct su_updates *updates, const char *source, struct su_update **ret,
                      struct su_error *err)
{
        struct su_update *larger =
                reallocarray(updates->list, updates->n + 1, sizeof *updates->list);
        int r;

        if (!larger)
                return su_fail_oom(err);
        updates->list = larger;
        larger[updates->n] = (struct su_update){0};
        r = su_strdup(source, &larger[updates->n].source, err);
        if (r >= 0)
                *ret = &larger[updates->n++];
        return r;
}

static int add_package(struct su_updates *updates, const struct installed *package,
                       struct su_error *err)
{
        struct su_update *update = find_update(updates, package->source);
        struct su_update_package *larger;
        struct su_update_package *added;
        int r = 0;

        if (!update)
                r = add_update(updates, package->source, &update, err);
        if (r < 0)
                return r;
        larger = reallocarray(update->packages, update->n_packages + 1, sizeof *larger);
        if (!larger)
                return su_fail_oom(err);
        update->packages = larger;
        added = &larger[update->n_packages++];
        *added = (struct su_update_package){0};
        r = su_strdup(package->name, &added->name, err);
        if (r >= 0)
                r = su_strdup(package->architecture, &added->architecture, err);
        if (r >= 0)
                r = su_strdup(package->version, &added->old_version, err);
        return r < 0 ? r : su_strdup(package->newest, &added->new_version, err);
}

static int compare_updates(const void *a, const void *b)
{
        return strcmp(((const struct su_update *)a)->source, ((const struct su_update *)b)->source);
}

int su_updates_find(const char *tree_path, const char *index, size_t size, struct su_updates *ret,
                    struct su_error *err)
{
        su_auto_updates struct su_updates updates = {0};
        su_auto(tree_done) struct tree tree = {0};
        struct su_control stanza;
        size_t at = 0;
        int r;

        r = read_tree(tree_path, &tree, err);
        while (r >= 0 && su_control_next(index, size, &at, &stanza))
                r = look_at(&tree, &stanza, err);
        for (size_t i = 0; i < tree.n && r >= 0; i++)
                if (tree.packages[i].newest)
                        r = add_package(&updates, &tree.packages[i], err);
        if (r < 0)
                return r;
        if (updates.n > 0)
                qsort(updates.list, updates.n, sizeof *updates.list, compare_updates);
        *ret = updates;
        updates = (struct su_updates){0};
        return 0;
}

static void update_done(struct su_update *update)
{
        for (size_t i = 0; i < update->n_packages; i++) {
                free(update->packages[i].name);
                free(update->packages[i].architecture);
                free(update->packages[i].old_version);
                free(update->packages[i].new_version);
        }
        free(update->packages);
        free(update->source);
}

void su_updates_done(struct su_updates *updates)
{
        for (size_t i = 0; i < updates->n; i++)
                update_done(&updates->list[i]);
        free(updates->list);
        *updates = (struct su_updates){0};
}
