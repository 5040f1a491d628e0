/* suture-publish build: a component of the next level, drafted. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "image/build.h"
#include "image/seal.h"
#include "inventory/os.h"
#include "publish/checks/checks.h"
#include "publish/checks/overrides.h"
#include "publish/draft/content.h"
#include "publish/draft/deltas.h"
#include "publish/draft/later.h"
#include "publish/draft/material.h"
#include "publish/draft/packages.h"
#include "publish/draft/results.h"
#include "publish/draft/run.h"
#include "publish/signing/publisher.h"
#include "publish/store/repository.h"
#include "publish/tool/describe.h"
#include "publish/tool/session.h"
#include "publish/tool/verbs.h"

/* Everything a build needs at hand. `scratch` is below the draft and goes away at the end. */
struct build {
        const struct su_publish_arguments *arguments;
        struct su_publisher publisher;
        struct su_baseline baseline;
        struct su_manifest manifest;   /* the draft */
        struct su_component component; /* the one being built */
        struct su_content_counts counts;
        struct su_job_list jobs; /* its deltas */
        int tree_fd;
        int draft_fd;
        int scratch_fd;
        char *draft_path; /* in the workspace */
        char *scratch;    /* path */
};

static void build_done(struct build *build)
{
        if (build->draft_fd >= 0)
                (void)su_remove_tree(build->draft_fd, "scratch", NULL);
        if (build->draft_path) /* only when it is empty: nothing was drafted */
                (void)unlinkat(build->publisher.workspace.fd, build->draft_path, AT_REMOVEDIR);
        su_job_list_done(&build->jobs);
        su_component_done(&build->component);
        su_manifest_done(&build->manifest);
        su_baseline_done(&build->baseline);
        su_close_fd(&build->scratch_fd);
        su_close_fd(&build->draft_fd);
        su_close_fd(&build->tree_fd);
        su_publisher_done(&build->publisher);
        free(build->draft_path);
        free(build->scratch);
}

static int check_arguments(const struct su_publish_arguments *arguments, struct su_error *err)
{
        if (!arguments->tree)
                return su_fail(err, SU_ERROR_USAGE,
                               "say with --tree where the baseline's files are");
        if (!arguments->component || !su_name_is_safe(arguments->component))
                return su_fail(err, SU_ERROR_USAGE, "name the component with --component");
        if (!arguments->fixed == (arguments->n_operands == 0))
                return su_fail(err, SU_ERROR_USAGE,
                               "give either .deb files or a fixed tree with --fixed");
        if (arguments->fixed && !arguments->new_version)
                return su_fail(err, SU_ERROR_USAGE,
                               "say with --new-version what version the fixed tree brings");
        return 0;
}

static int open_baseline(struct build *build, struct su_error *err)
{
        const struct su_publish_arguments *arguments = build->arguments;
        su_auto_free char *only = NULL;
        su_auto_os struct su_os os = {0};
        int r = 0;

        if (!arguments->baseline)
                r = su_workspace_only_baseline(&build->publisher.workspace, &only, err);
        if (r >= 0)
                r = su_workspace_load_baseline(&build->publisher.workspace,
                                               only ? only : arguments->baseline, &build->baseline,
                                               err);
        if (r >= 0)
                r = su_dir_open(arguments->tree, &build->tree_fd, err);
        if (r >= 0)
                r = su_os_read(build->tree_fd, &os, err);
        if (r < 0)
                return r;
        if (strcmp(os.baseline, build->baseline.name) != 0)
                return su_fail(err, SU_ERROR_BASELINE, "the tree '%s' is %s, not %s",
                               arguments->tree, os.baseline, build->baseline.name);
        return 0;
}

static int open_scratch(struct build *build, struct su_error *err)
{
        int r;

        r = su_workspace_draft_dir(&build->publisher.workspace, build->baseline.name,
                                   &build->draft_fd, err);
        if (r >= 0)
                r = su_remove_tree(build->draft_fd, "scratch", err);
        if (r >= 0)
                r = su_dir_make(build->draft_fd, "scratch", 0755, &build->scratch_fd, err);
        if (r >= 0)
                r = su_format(&build->draft_path, err, "drafts/%s", build->baseline.name);
        if (r >= 0)
                r = su_format(&build->scratch, err, "%s/%s/scratch",
                              build->publisher.workspace.path, build->draft_path);
        return r;
}

/* SOURCE_DATE_EPOCH makes a build reproducible (reproducible-builds.org). */
static int build_time(int64_t *ret, struct su_error *err)
{
        const char *text = getenv("SOURCE_DATE_EPOCH");
        char *end;

        if (!text) {
                *ret = su_now();
                return 0;
        }
        errno = 0;
        *ret = strtoll(text, &end, 10);
        if (errno != 0 || *end != '\0' || end == text || *ret < 0)
                return su_fail(err, SU_ERROR_USAGE, "SOURCE_DATE_EPOCH is no time: '%s'", text);
        return 0;
}

/* A new draft begins with what is published: levels are cumulative. */
static int begin_draft(struct build *build, struct su_error *err)
{
        su_auto_channel struct su_channel channel = {0};
        struct su_manifest *manifest = &build->manifest;
        const char *baseline = build->baseline.name;
        struct su_level newest = {0};
        int r;

        r = su_repository_channel(&build->publisher.workspace, SU_NEWEST, baseline, &channel, err);
        if (r < 0 && r != -ENOENT)
                return r;
        for (size_t i = 0; i < channel.n_levels; i++)
                if (su_level_compare(&channel.levels[i].level, &newest) > 0)
                        newest = channel.levels[i].level;
        if (channel.current.name[0]) {
                r = su_repository_manifest(&build->publisher.workspace, SU_NEWEST, baseline,
                                           &channel.current, manifest, err);
                if (r < 0)
                        return r;
        } else {
                r = su_strdup(baseline, &manifest->baseline, err);
                if (r >= 0)
                        r = su_strdup(build->baseline.architecture, &manifest->architecture, err);
                if (r < 0)
                        return r;
        }
        if (!su_level_next(&newest, &manifest->level))
                return su_fail(err, SU_ERROR_CONFLICT, "there is no level after (%s)", newest.name);
        return 0;
}

static int open_draft(struct build *build, struct su_error *err)
{
        int r;

        if (su_repository_has_staged_level(&build->publisher.workspace, build->baseline.name))
                return su_fail(err, SU_ERROR_CONFLICT,
                               "a level of %s waits for signatures: sign it or discard it before "
                               "the next is drafted",
                               build->baseline.name);
        r = su_workspace_load_draft(&build->publisher.workspace, build->baseline.name,
                                    &build->manifest, err);
        if (r == -ENOENT)
                r = begin_draft(build, err);
        if (r >= 0)
                r = build_time(&build->manifest.created, err);
        return r;
}

/* The directory with the fixed files. */
static int get_fixed(struct build *build, int *ret_fd, struct su_error *err)
{
        const struct su_publish_arguments *arguments = build->arguments;
        su_auto_close int unpacked_fd = -EBADF;
        su_auto_free char *unpacked = NULL;
        int r;

        if (arguments->fixed)
                return su_dir_open(arguments->fixed, ret_fd, err);
        r = su_dir_make(build->scratch_fd, "unpacked", 0755, &unpacked_fd, err);
        if (r >= 0)
                r = su_format(&unpacked, err, "%s/unpacked", build->scratch);
        if (r >= 0)
                r = su_packages_unpack(arguments->operands, arguments->n_operands, unpacked, err);
        if (r >= 0)
                r = su_packages_describe(arguments->operands, arguments->n_operands,
                                         arguments->tree, unpacked, build->scratch,
                                         &build->component, err);
        if (r >= 0)
                *ret_fd = su_take_fd(&unpacked_fd);
        return r;
}

static int stage_content(struct build *build, int fixed_fd, int staging_fd, struct su_error *err)
{
        const struct su_content_source source = {
                .tree_fd = build->tree_fd,
                .fixed_fd = fixed_fd,
                .from_packages = !build->arguments->fixed,
                .only = build->arguments->only.texts,
                .n_only = build->arguments->only.n,
        };

        return su_content_stage(&build->baseline, &source, staging_fd, &build->component,
                                &build->counts, err);
}

static void print_findings(const struct su_findings *findings)
{
        for (size_t i = 0; i < findings->n; i++)
                if (!findings->list[i].reason)
                        (void)fprintf(stderr, "%s: %s: %s\n",
                                      su_check_name(findings->list[i].check),
                                      findings->list[i].path, findings->list[i].text);
}

static size_t count_open(const struct su_findings *findings)
{
        size_t n = 0;

        for (size_t i = 0; i < findings->n; i++)
                n += findings->list[i].reason == NULL;
        return n;
}

/* All that is found is said at once; what the publisher answers for goes into the manifest. */
static int check_content(struct build *build, int fixed_fd, int staging_fd, struct su_error *err)
{
        const struct su_check_subject subject = {
                .baseline = &build->baseline,
                .component = &build->component,
                .tree_fd = build->tree_fd,
                .fixed_fd = fixed_fd,
                .staging_fd = staging_fd,
        };
        su_auto_findings struct su_findings findings = {0};
        size_t n_open;
        int r;

        r = su_checks_run(&subject, &findings, err);
        if (r >= 0)
                r = su_overrides_apply(build->arguments->overrides.texts,
                                       build->arguments->overrides.n, &findings, err);
        if (r < 0)
                return r;
        n_open = count_open(&findings);
        if (n_open > 0) {
                print_findings(&findings);
                return su_fail(err, SU_ERROR_CONFLICT,
                               "nothing is drafted: the checks found %zu thing%s, above; what is "
                               "right all the same takes --override=CHECK:PATTERN:REASON",
                               n_open, n_open == 1 ? "" : "s");
        }
        return su_overrides_record(&findings, &build->component, err);
}

static int make_image(struct build *build, int *ret_image_fd, struct su_error *err)
{
        struct su_component *component = &build->component;
        su_auto_free char *staging = NULL;
        su_auto_free char *path = NULL;
        su_auto_free char *identity = NULL;
        su_auto_close int fd = -EBADF;
        struct stat st;
        int r;

        r = su_format(&staging, err, "%s/staging", build->scratch);
        if (r >= 0)
                r = su_format(&path, err, "%s/image", build->scratch);
        if (r >= 0)
                r = su_format(&identity, err, "%s/%s/%s", build->manifest.baseline,
                              build->manifest.level.name, component->name);
        if (r >= 0)
                r = su_image_build(staging, path, build->manifest.created, identity,
                                   build->counts.special, err);
        if (r < 0)
                return r;
        fd = openat(build->scratch_fd, "image", O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return su_fail_errno(err, errno, "cannot open the new image");
        component->image.size = (uint64_t)st.st_size;
        component->made_for = build->manifest.level;
        component->made_at = build->manifest.created;
        r = su_seal_compute(fd, component->name, &component->image.seal, err);
        if (r >= 0)
                *ret_image_fd = su_take_fd(&fd);
        return r;
}

static int make_deltas(struct build *build, struct su_error *err)
{
        const struct su_publish_arguments *arguments = build->arguments;
        su_auto_close int store_fd = -EBADF;
        su_auto_close int objects_fd = -EBADF;
        size_t missing;
        int r;

        r = su_results_open(build->publisher.workspace.path, arguments->store, &store_fd, err);
        if (r >= 0)
                r = su_jobs_run(&build->jobs, store_fd,
                                arguments->jobs > 0 ? (size_t)arguments->jobs : 1, NULL, NULL, err);
        if (r >= 0)
                r = su_dir_make(build->scratch_fd, "objects", 0755, &objects_fd, err);
        if (r >= 0)
                r = su_deltas_adopt(&build->component, &build->jobs, store_fd, objects_fd, &missing,
                                    err);
        return r;
}

static int plan_deltas(struct build *build, int image_fd, struct su_error *err)
{
        const struct su_workspace *workspace = &build->publisher.workspace;
        const struct su_publish_arguments *arguments = build->arguments;
        su_auto_free char *tree = realpath(arguments->tree, NULL);
        su_auto_free char *image = NULL;
        struct su_delta_work work = {
                .workspace = workspace,
                .baseline = build->baseline.name,
                .tree = tree,
                .image_fd = image_fd,
                .fast = arguments->fast,
                .component = &build->component,
        };
        int r;

        if (!tree)
                return su_fail_errno(err, errno, "cannot find '%s'", arguments->tree);
        if (arguments->later)
                r = su_later_image_path(workspace, build->baseline.name,
                                        &build->component.image.seal, &image, err);
        else
                r = su_format(&image, err, "%s/image", build->scratch);
        work.image = image;
        if (r >= 0)
                r = su_deltas_plan(&work, &build->jobs, err);
        return r < 0 || arguments->later ? r : make_deltas(build, err);
}

/* No file belongs to two components: which one would be seen is nobody's intention. */
static int check_overlap(const struct build *build, struct su_error *err)
{
        const struct su_component *component = &build->component;

        for (size_t i = 0; i < build->manifest.n_components; i++) {
                const struct su_component *other = &build->manifest.components[i];

                if (strcmp(other->name, component->name) == 0)
                        continue;
                for (size_t j = 0; j < other->n_files; j++)
                        for (size_t k = 0; k < component->n_files; k++)
                                if (strcmp(other->files[j].path, component->files[k].path) == 0)
                                        return su_fail(err, SU_ERROR_CONFLICT,
                                                       "'%s' is in component '%s' already",
                                                       other->files[j].path, other->name);
        }
        return 0;
}

/* The image before the jobs that name it, and both before the draft that waits for them. */
static int put_off(const struct build *build, struct su_error *err)
{
        const struct su_component *component = &build->component;
        int r;

        r = su_later_keep_image(&build->publisher.workspace, build->baseline.name,
                                build->scratch_fd, "image", &component->image.seal, err);
        if (r < 0)
                return r;
        return su_later_put(&build->publisher.workspace, build->baseline.name, component->name,
                            &build->jobs, err);
}

static int adopt_component(struct build *build, struct su_error *err)
{
        struct su_manifest *manifest = &build->manifest;
        struct su_component *place = NULL;
        int r;

        r = check_overlap(build, err);
        if (r >= 0)
                r = build->arguments->later ? put_off(build, err)
                                            : su_deltas_keep(build->scratch_fd, build->draft_fd,
                                                             &build->component, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < manifest->n_components; i++)
                if (strcmp(manifest->components[i].name, build->component.name) == 0)
                        place = &manifest->components[i];
        if (!place) {
                struct su_component *larger = reallocarray(
                        manifest->components, manifest->n_components + 1, sizeof *larger);

                if (!larger)
                        return su_fail_oom(err);
                manifest->components = larger;
                place = &manifest->components[manifest->n_components++];
                *place = (struct su_component){0};
        }
        su_component_done(place);
        *place = build->component;
        build->component = (struct su_component){0};
        return su_workspace_save_draft(&build->publisher.workspace, manifest, err);
}

static void report_delta(const struct su_delta_ref *delta)
{
        size_t n_files = 0;

        for (size_t i = 0; i < delta->n_sources; i++)
                n_files += delta->sources[i].path != NULL;
        (void)printf("  delta     %llu bytes from ", (unsigned long long)delta->object.size);
        if (n_files < delta->n_sources)
                (void)printf("the image of an earlier level and ");
        (void)printf("%zu files\n", n_files);
}

/* Nothing is wrong with it; but who packs the component may be able to leave the compression out.
 */
static void report_poor_material(const struct build *build, const struct su_component *component)
{
        su_auto_close int staging_fd =
                openat(build->scratch_fd, "staging", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        for (size_t i = 0; staging_fd >= 0 && i < component->n_files; i++) {
                const char *path = component->files[i].path + 1;
                su_auto_close int fd = -EBADF;
                const char *compression;

                if (!component->files[i].is_gone)
                        fd = openat(staging_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
                compression = fd >= 0 ? su_compression_of(fd) : NULL;
                if (compression)
                        (void)printf("  %s: compressed (%s): its delta is as large as itself\n",
                                     path, compression);
        }
}

static void report(const struct build *build)
{
        const struct su_component *component =
                su_manifest_component(&build->manifest, build->arguments->component);
        const struct su_content_counts *counts = &build->counts;

        (void)printf("Drafted %s level (%s): component %s %s -> %s\n", build->manifest.baseline,
                     build->manifest.level.name, component->name,
                     component->old_version ? component->old_version : "?", component->new_version);
        (void)printf(
                "  files     %zu changed, %zu added (%zu in the place of a former version), %zu "
                "links; left out: %zu unchanged, %zu documentation, %zu outside /usr and /opt, %zu "
                "of "
                "other components\n",
                counts->changed, counts->added, counts->gone, counts->links, counts->unchanged,
                counts->documentation, counts->outside, counts->others);
        (void)printf("  image     %llu bytes\n", (unsigned long long)component->image.size);
        for (size_t i = 0; i < component->n_deltas; i++)
                report_delta(&component->deltas[i]);
        if (component->n_deltas == 0)
                (void)printf("  deltas    %zu are still to be made: 'suture-publish plan' and "
                             "'suture-publish run' make them\n",
                             build->jobs.n);
        report_poor_material(build, component);
        for (size_t i = 0; i < component->n_overrides; i++)
                (void)printf("  override  %s: %s: %s\n            as %s\n",
                             component->overrides[i].check, component->overrides[i].path,
                             component->overrides[i].finding, component->overrides[i].reason);
        for (size_t i = 0; i < component->n_fixes; i++)
                (void)printf("  fixes     %s%s%s\n", component->fixes[i].id,
                             component->fixes[i].title ? "  " : "",
                             component->fixes[i].title ? component->fixes[i].title : "");
}

/* Asked between the long parts, and for the last time before the draft changes. */
static int check_wanted(struct su_error *err)
{
        return su_interrupted() ? su_fail(err, SU_ERROR_CANCELLED, "cancelled: nothing is drafted")
                                : 0;
}

static int run(struct build *build, struct su_error *err)
{
        su_auto_close int fixed_fd = -EBADF;
        su_auto_close int staging_fd = -EBADF;
        su_auto_close int image_fd = -EBADF;
        int r;

        r = su_publisher_open(build->arguments, SU_WORKSPACE_CHANGE, &build->publisher, err);
        if (r >= 0)
                r = open_baseline(build, err);
        if (r >= 0)
                r = open_scratch(build, err);
        if (r >= 0)
                r = open_draft(build, err);
        if (r >= 0)
                r = get_fixed(build, &fixed_fd, err);
        if (r >= 0)
                r = su_describe(build->arguments, &build->component, err);
        if (r >= 0)
                r = su_dir_make(build->scratch_fd, "staging", 0755, &staging_fd, err);
        if (r >= 0)
                r = check_wanted(err);
        if (r >= 0)
                r = stage_content(build, fixed_fd, staging_fd, err);
        if (r >= 0)
                r = check_content(build, fixed_fd, staging_fd, err);
        if (r >= 0)
                r = check_wanted(err);
        if (r >= 0)
                r = make_image(build, &image_fd, err);
        if (r >= 0)
                r = check_wanted(err);
        if (r >= 0)
                r = plan_deltas(build, image_fd, err);
        if (r >= 0)
                r = check_wanted(err);
        if (r >= 0)
                r = adopt_component(build, err);
        return r;
}

int su_verb_build(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto(build_done) struct build build = {
                .arguments = arguments,
                .publisher = SU_PUBLISHER_EMPTY,
                .tree_fd = -EBADF,
                .draft_fd = -EBADF,
                .scratch_fd = -EBADF,
        };
        int r;

        r = check_arguments(arguments, err);
        if (r < 0)
                return r;
        su_interrupt_catch();
        r = run(&build, err);
        if (r < 0) /* whatever went wrong then: programs that were run are interrupted, too */
                return su_interrupted() ? check_wanted(err) : r;
        if (!arguments->quiet)
                report(&build);
        return 0;
}
