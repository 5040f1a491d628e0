/* suture-publish from-debian: what Debian's security suites fix of a baseline, proposed or drafted.
 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "inventory/os.h"
#include "publish/store/repository.h"
#include "publish/tool/print.h"
#include "publish/tool/proposal.h"
#include "publish/tool/session.h"
#include "publish/tool/verbs.h"

struct watch {
        const struct su_publish_arguments *arguments;
        struct su_baseline baseline;
        struct su_manifest present; /* the draft, or else what is offered */
        char *directory;            /* apt's, below the workspace */
        int tree_fd;
        struct su_apt apt;
        struct su_updates updates;
        json_t *proposals;
};

static void watch_done(struct watch *watch)
{
        json_decref(watch->proposals);
        su_updates_done(&watch->updates);
        su_apt_done(&watch->apt);
        su_close_fd(&watch->tree_fd);
        su_manifest_done(&watch->present);
        su_baseline_done(&watch->baseline);
        free(watch->directory);
}

/* What the next draft would begin with. */
static int read_present(const struct su_workspace *workspace, struct watch *watch,
                        struct su_error *err)
{
        su_auto_channel struct su_channel channel = {0};
        const char *baseline = watch->baseline.name;
        int r;

        r = su_workspace_load_draft(workspace, baseline, &watch->present, err);
        if (r != -ENOENT)
                return r;
        r = su_repository_channel(workspace, SU_NEWEST, baseline, &channel, err);
        if (r == -ENOENT || (r >= 0 && channel.current.name[0] == '\0'))
                return 0;
        return r < 0 ? r
                     : su_repository_manifest(workspace, SU_NEWEST, baseline, &channel.current,
                                              &watch->present, err);
}

static int make_directory(const struct su_workspace *workspace, struct watch *watch,
                          struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        su_auto_free char *path = NULL;
        int r;

        r = su_format(&path, err, "apt/%s", watch->baseline.name);
        if (r >= 0)
                r = su_dir_make(workspace->fd, path, 0755, &fd, err);
        return r < 0 ? r : su_format(&watch->directory, err, "%s/%s", workspace->path, path);
}

/* Nobody else is kept from the workspace while packages come from afar. */
static int read_workspace(struct watch *watch, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_free char *name = NULL;
        int r;

        r = su_publisher_open(watch->arguments, SU_WORKSPACE_CHANGE, &publisher, err);
        if (r >= 0)
                r = su_workspace_choose_baseline(&publisher.workspace, watch->arguments->baseline,
                                                 &name, err);
        if (r >= 0)
                r = su_workspace_load_baseline(&publisher.workspace, name, &watch->baseline, err);
        if (r >= 0)
                r = read_present(&publisher.workspace, watch, err);
        return r < 0 ? r : make_directory(&publisher.workspace, watch, err);
}

static int check_tree(struct watch *watch, struct su_error *err)
{
        su_auto_os struct su_os os = {0};
        int r;

        r = su_dir_open(watch->arguments->tree, &watch->tree_fd, err);
        if (r >= 0)
                r = su_os_read(watch->tree_fd, &os, err);
        if (r >= 0 && strcmp(os.baseline, watch->baseline.name) != 0)
                return su_fail(err, SU_ERROR_BASELINE, "the tree '%s' is %s, not %s",
                               watch->arguments->tree, os.baseline, watch->baseline.name);
        return r;
}

static int read_suites(struct watch *watch, char **ret, size_t *ret_size, struct su_error *err)
{
        const struct su_publish_arguments *arguments = watch->arguments;
        su_auto_free char *all = NULL;
        size_t size = 0;

        for (size_t i = 0; i < arguments->n_operands; i++) {
                su_auto_free char *text = NULL;
                size_t text_size;
                char *larger;
                int r;

                r = su_apt_packages(&watch->apt, arguments->operands[i], &text, &text_size, err);
                if (r < 0)
                        return r;
                larger = realloc(all, size + text_size + 1);
                if (!larger)
                        return su_fail_oom(err);
                all = larger;
                memcpy(all + size, text, text_size);
                size += text_size;
        }
        *ret = su_take(all);
        *ret_size = size;
        return 0;
}

static int find_updates(struct watch *watch, struct su_error *err)
{
        const struct su_publish_arguments *arguments = watch->arguments;
        su_auto_free char *architecture = NULL;
        su_auto_free char *index = NULL;
        size_t size;
        int r;

        r = su_updates_architecture(arguments->tree, &architecture, err);
        if (r >= 0)
                r = su_apt_open(watch->directory, arguments->tree, arguments->sources, architecture,
                                &watch->apt, err);
        if (r >= 0)
                r = su_apt_update(&watch->apt, err);
        if (r >= 0)
                r = read_suites(watch, &index, &size, err);
        return r < 0 ? r : su_updates_find(arguments->tree, index, size, &watch->updates, err);
}

/* A component of the same source and version is there, or drafted, already. */
static bool is_present(const struct watch *watch, const struct su_update *update)
{
        const struct su_component *component =
                su_manifest_component(&watch->present, update->source);

        return component && strcmp(component->new_version, update->packages[0].new_version) == 0;
}

static bool is_wanted(const struct watch *watch, const struct su_update *update)
{
        const char *only = watch->arguments->component;

        return !only || strcmp(only, update->source) == 0;
}

static int draft(const struct watch *watch, const struct su_update *update, char **paths,
                 struct su_error *err)
{
        struct su_publish_arguments arguments = *watch->arguments;

        arguments.component = update->source;
        arguments.operands = paths;
        arguments.n_operands = update->n_packages;
        arguments.quiet = arguments.json;
        return su_verb_build(&arguments, err);
}

static int propose(struct watch *watch, const struct su_update *update, struct su_error *err)
{
        const struct su_proposal_work work = {
                .apt = &watch->apt,
                .baseline = &watch->baseline,
                .tree = watch->arguments->tree,
                .tree_fd = watch->tree_fd,
        };
        su_auto_json json_t *proposal = NULL;
        char **paths = NULL;
        int r;

        r = su_proposal_fetch(&work, update, &paths, err);
        if (r >= 0)
                r = su_proposal_make(&work, update, paths, &proposal, err);
        if (r >= 0 && watch->arguments->draft)
                r = draft(watch, update, paths, err);
        su_paths_free(paths, update->n_packages);
        if (r < 0)
                return r;
        return json_array_append(watch->proposals, proposal) < 0 ? su_fail_oom(err) : 0;
}

/* One that cannot be made is told with its reason, and keeps nobody from the others. */
static int propose_or_tell(struct watch *watch, const struct su_update *update,
                           size_t *ret_n_failed, struct su_error *err)
{
        struct su_error why = {0};

        if (propose(watch, update, &why) >= 0)
                return 0;
        (*ret_n_failed)++;
        return json_array_append_new(watch->proposals,
                                     json_pack("{s:s, s:s}", "component", update->source, "error",
                                               why.message)) < 0
                       ? su_fail_oom(err)
                       : 0;
}

static const char *text_of(const json_t *object, const char *name)
{
        const char *text = json_string_value(json_object_get(object, name));

        return text ? text : "";
}

static void print_proposal(const json_t *proposal)
{
        const json_t *files = json_object_get(proposal, "files");
        const json_t *element;
        size_t i;

        (void)printf("%s\n", text_of(proposal, "component"));
        json_array_foreach (json_object_get(proposal, "packages"), i, element)
                (void)printf("  package   %s %s -> %s\n", text_of(element, "name"),
                             text_of(element, "old_version"), text_of(element, "new_version"));
        json_array_foreach (json_object_get(proposal, "fixes"), i, element)
                (void)printf("  fixes     %s  %s\n", text_of(element, "id"),
                             text_of(element, "title"));
        json_array_foreach (files, i, element)
                (void)printf("  file      %s\n", json_string_value(element));
        json_array_foreach (json_object_get(proposal, "findings"), i, element)
                (void)printf("  finding   %s: %s: %s\n", text_of(element, "check"),
                             text_of(element, "path"), text_of(element, "finding"));
        if (json_object_get(proposal, "error"))
                (void)printf("  no improvement: %s\n", text_of(proposal, "error"));
}

static int print(const struct watch *watch, size_t n_present, struct su_error *err)
{
        su_auto_json json_t *document = NULL;
        const json_t *proposal;
        size_t i;

        if (!watch->arguments->json) {
                json_array_foreach (watch->proposals, i, proposal)
                        print_proposal(proposal);
                (void)printf("%zu update%s of %s, %zu more in the level or the draft already.\n",
                             json_array_size(watch->proposals),
                             json_array_size(watch->proposals) == 1 ? "" : "s",
                             watch->baseline.name, n_present);
                return 0;
        }
        document = json_pack("{s:s, s:O}", "baseline", watch->baseline.name, "proposals",
                             watch->proposals);
        return su_print_json(document, err);
}

static int run(struct watch *watch, struct su_error *err)
{
        size_t n_present = 0;
        size_t n_failed = 0;
        int r;

        r = read_workspace(watch, err);
        if (r >= 0)
                r = check_tree(watch, err);
        if (r >= 0)
                r = find_updates(watch, err);
        for (size_t i = 0; r >= 0 && i < watch->updates.n; i++) {
                if (!is_wanted(watch, &watch->updates.list[i]))
                        continue;
                if (is_present(watch, &watch->updates.list[i]))
                        n_present++;
                else
                        r = propose_or_tell(watch, &watch->updates.list[i], &n_failed, err);
        }
        if (r >= 0)
                r = print(watch, n_present, err);
        if (r >= 0 && watch->arguments->draft && n_failed > 0)
                return su_fail(err, SU_ERROR_CONFLICT, "%zu of %zu updates could not be drafted",
                               n_failed, json_array_size(watch->proposals));
        return r;
}

int su_verb_from_debian(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto(watch_done) struct watch watch = {
                .arguments = arguments, .tree_fd = -EBADF, .proposals = json_array()};

        if (!arguments->tree)
                return su_fail(err, SU_ERROR_USAGE,
                               "say with --tree where the baseline's files are");
        if (arguments->n_operands == 0)
                return su_fail(err, SU_ERROR_USAGE,
                               "name the suites to look at, for instance bookworm-security");
        if (!watch.proposals)
                return su_fail_oom(err);
        return run(&watch, err);
}
