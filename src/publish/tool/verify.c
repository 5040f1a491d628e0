/* suture-publish verify: do these inputs give what was released? On any machine, without a
 * workspace. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "image/build.h"
#include "image/seal.h"
#include "publish/checks/checks.h"
#include "publish/draft/content.h"
#include "publish/draft/packages.h"
#include "publish/draft/record.h"
#include "publish/tool/examine.h"
#include "publish/tool/verbs.h"

struct verification {
        const struct su_publish_arguments *arguments;
        struct su_baseline baseline; /* of the tree here */
        struct su_manifest manifest; /* what was released */
        const struct su_component *released;
        struct su_component remade;
        char *directory; /* temporary */
        int directory_fd;
        int tree_fd;
        int fixed_fd;
        int staging_fd;
        struct su_content_counts counts;
};

static void verification_done(struct verification *verification)
{
        su_close_fd(&verification->staging_fd);
        su_close_fd(&verification->fixed_fd);
        su_close_fd(&verification->tree_fd);
        su_close_fd(&verification->directory_fd);
        if (verification->directory)
                (void)su_remove_tree(AT_FDCWD, verification->directory, NULL);
        free(verification->directory);
        su_component_done(&verification->remade);
        su_manifest_done(&verification->manifest);
        su_baseline_done(&verification->baseline);
}

static int check_arguments(const struct su_publish_arguments *arguments, struct su_error *err)
{
        struct su_level level;

        if (!arguments->url || !arguments->root)
                return su_fail(err, SU_ERROR_USAGE,
                               "say with --url where the repository is, and with --root which "
                               "root metadata devices begin with");
        if (!arguments->level || !su_level_parse(arguments->level, &level))
                return su_fail(err, SU_ERROR_USAGE, "say with --level which level to verify");
        if (!arguments->tree || !arguments->component)
                return su_fail(err, SU_ERROR_USAGE,
                               "say with --tree where the baseline's files are, and with "
                               "--component what is to be made again");
        if (!arguments->fixed == (arguments->n_operands == 0))
                return su_fail(err, SU_ERROR_USAGE,
                               "give either .deb files or a fixed tree with --fixed");
        return 0;
}

static int record_tree(struct verification *verification, struct su_error *err)
{
        size_t n_strange;
        int r;

        r = su_dir_open(verification->arguments->tree, &verification->tree_fd, err);
        return r < 0 ? r
                     : su_baseline_record(verification->tree_fd, &verification->baseline,
                                          &n_strange, err);
}

static int find_released(struct verification *verification, struct su_error *err)
{
        const struct su_publish_arguments *arguments = verification->arguments;
        struct su_level level;
        int r;

        (void)su_level_parse(arguments->level, &level);
        r = su_examine_manifest(arguments->root, arguments->url, verification->baseline.name,
                                &level, &verification->manifest, err);
        if (r < 0)
                return r;
        verification->released =
                su_manifest_component(&verification->manifest, arguments->component);
        if (!verification->released)
                return su_fail(err, SU_ERROR_NOT_FOUND, "level (%s) of %s has no component '%s'",
                               level.name, verification->baseline.name, arguments->component);
        if (verification->released->made_for.name[0] == '\0')
                return su_fail(err, SU_ERROR_UNSUPPORTED,
                               "the manifest does not say what the image of '%s' was made with",
                               arguments->component);
        return 0;
}

static int make_directory(struct verification *verification, struct su_error *err)
{
        const char *parent = getenv("TMPDIR");
        su_auto_free char *path = NULL;
        int r;

        r = su_format(&path, err, "%s/suture-verify.XXXXXX", parent ? parent : "/var/tmp");
        if (r < 0)
                return r;
        if (!mkdtemp(path))
                return su_fail_errno(err, errno, "cannot make a temporary directory");
        verification->directory = su_take(path);
        return su_dir_open(verification->directory, &verification->directory_fd, err);
}

static int get_fixed(struct verification *verification, struct su_error *err)
{
        const struct su_publish_arguments *arguments = verification->arguments;
        su_auto_free char *unpacked = NULL;
        int r;

        if (arguments->fixed)
                return su_dir_open(arguments->fixed, &verification->fixed_fd, err);
        r = su_dir_make(verification->directory_fd, "unpacked", 0755, &verification->fixed_fd, err);
        if (r >= 0)
                r = su_format(&unpacked, err, "%s/unpacked", verification->directory);
        return r < 0 ? r
                     : su_packages_unpack(arguments->operands, arguments->n_operands, unpacked,
                                          err);
}

static int stage(struct verification *verification, struct su_error *err)
{
        const struct su_publish_arguments *arguments = verification->arguments;
        struct su_content_source source = {
                .tree_fd = verification->tree_fd,
                .from_packages = !arguments->fixed,
                .only = arguments->only.texts,
                .n_only = arguments->only.n,
        };
        int r;

        r = get_fixed(verification, err);
        if (r >= 0)
                r = su_dir_make(verification->directory_fd, "staging", 0755,
                                &verification->staging_fd, err);
        source.fixed_fd = verification->fixed_fd;
        return r < 0 ? r
                     : su_content_stage(&verification->baseline, &source, verification->staging_fd,
                                        &verification->remade, &verification->counts, err);
}

/* By the level and the time that the image was made with: later levels carry it on. */
static int make_image(struct verification *verification, struct su_error *err)
{
        const struct su_component *released = verification->released;
        su_auto_free char *identity = NULL;
        su_auto_free char *staging = NULL;
        su_auto_free char *path = NULL;
        su_auto_close int fd = -EBADF;
        struct stat st;
        int r;

        r = su_format(&staging, err, "%s/staging", verification->directory);
        if (r >= 0)
                r = su_format(&path, err, "%s/image", verification->directory);
        if (r >= 0)
                r = su_format(&identity, err, "%s/%s/%s", verification->manifest.baseline,
                              released->made_for.name, released->name);
        if (r >= 0)
                r = su_image_build(staging, path, released->made_at, identity,
                                   verification->counts.special, err);
        if (r < 0)
                return r;
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return su_fail_errno(err, errno, "cannot open the image");
        verification->remade.image.size = (uint64_t)st.st_size;
        return su_seal_compute(fd, "the image", &verification->remade.image.seal, err);
}

static const struct su_changed_file *find(const struct su_component *component, const char *path)
{
        for (size_t i = 0; i < component->n_files; i++)
                if (strcmp(component->files[i].path, path) == 0)
                        return &component->files[i];
        return NULL;
}

static bool is_same(const struct su_changed_file *a, const struct su_changed_file *b)
{
        return a && b && a->is_new == b->is_new && a->is_gone == b->is_gone &&
               a->after.size == b->after.size &&
               su_sha256_equal(&a->after.sha256, &b->after.sha256) &&
               su_sha256_equal(&a->before.sha256, &b->before.sha256);
}

static size_t print_differences(const struct su_component *released,
                                const struct su_component *remade)
{
        size_t n = 0;

        for (size_t i = 0; i < released->n_files; i++) {
                const struct su_changed_file *other = find(remade, released->files[i].path);

                if (is_same(&released->files[i], other))
                        continue;
                n++;
                (void)fprintf(stderr, "%s: %s\n", released->files[i].path,
                              other ? "other bytes, here or in the baseline"
                                    : "not in what was made here");
        }
        for (size_t i = 0; i < remade->n_files; i++) {
                if (find(released, remade->files[i].path))
                        continue;
                n++;
                (void)fprintf(stderr, "%s: not in what was released\n", remade->files[i].path);
        }
        return n;
}

/* Each finding that the release does not answer for is news. */
static size_t print_findings(const struct su_findings *findings,
                             const struct su_component *released)
{
        size_t n = 0;

        for (size_t i = 0; i < findings->n; i++) {
                const struct su_finding *finding = &findings->list[i];
                bool answered = false;

                for (size_t j = 0; j < released->n_overrides; j++)
                        answered = answered ||
                                   (strcmp(released->overrides[j].check,
                                           su_check_name(finding->check)) == 0 &&
                                    strcmp(released->overrides[j].path, finding->path) == 0);
                if (answered)
                        continue;
                n++;
                (void)fprintf(stderr, "%s: %s: %s\n", su_check_name(finding->check), finding->path,
                              finding->text);
        }
        return n;
}

static int compare(const struct verification *verification, struct su_error *err)
{
        const struct su_component *released = verification->released;
        const struct su_component *remade = &verification->remade;
        size_t n;

        n = print_differences(released, remade);
        if (n > 0)
                return su_fail(err, SU_ERROR_DIGEST,
                               "what was released is not made of these inputs: %zu file%s, above",
                               n, n == 1 ? "" : "s");
        if (su_sha256_equal(&released->image.seal, &remade->image.seal))
                return 0;
        return su_fail(
                err, SU_ERROR_SEAL,
                "all %zu files are the released ones, but not the image around them: owners, "
                "modes, links, or another version of mkfs.erofs",
                remade->n_files);
}

static int check(const struct verification *verification, struct su_error *err)
{
        const struct su_check_subject subject = {
                .baseline = &verification->baseline,
                .component = &verification->remade,
                .tree_fd = verification->tree_fd,
                .fixed_fd = verification->fixed_fd,
                .staging_fd = verification->staging_fd,
        };
        su_auto_findings struct su_findings findings = {0};
        size_t n;
        int r;

        r = su_checks_run(&subject, &findings, err);
        if (r < 0)
                return r;
        n = print_findings(&findings, verification->released);
        if (n > 0)
                return su_fail(err, SU_ERROR_CONFLICT,
                               "it is made of these inputs, but the checks find %zu thing%s that "
                               "nobody answers for, above",
                               n, n == 1 ? "" : "s");
        return 0;
}

int su_verb_verify(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto(verification_done) struct verification verification = {
                .arguments = arguments,
                .directory_fd = -EBADF,
                .tree_fd = -EBADF,
                .fixed_fd = -EBADF,
                .staging_fd = -EBADF,
        };
        char seal[SU_SHA256_HEX_SIZE];
        int r;

        r = check_arguments(arguments, err);
        if (r >= 0)
                r = record_tree(&verification, err);
        if (r >= 0)
                r = find_released(&verification, err);
        if (r >= 0)
                r = make_directory(&verification, err);
        if (r >= 0)
                r = stage(&verification, err);
        if (r >= 0)
                r = make_image(&verification, err);
        if (r >= 0)
                r = compare(&verification, err);
        if (r >= 0)
                r = check(&verification, err);
        if (r < 0)
                return r;
        su_hex_encode(verification.remade.image.seal.bytes,
                      sizeof verification.remade.image.seal.bytes, seal);
        (void)printf("%s (%s) %s: these inputs give the image that was released.\n  seal %s\n",
                     verification.manifest.baseline, verification.manifest.level.name,
                     verification.released->name, seal);
        return 0;
}
