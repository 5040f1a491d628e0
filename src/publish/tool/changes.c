/* suture-publish changes: file by file, what a level changes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "publish/store/repository.h"
#include "publish/tool/session.h"
#include "publish/tool/verbs.h"

static int load_level(const struct su_workspace *workspace, const char *baseline, const char *named,
                      struct su_manifest *ret, struct su_error *err)
{
        su_auto_channel struct su_channel channel = {0};
        struct su_level level;
        int r;

        if (named && !su_level_parse(named, &level))
                return su_fail(err, SU_ERROR_USAGE, "'%s' is not a level", named);
        if (!named) {
                r = su_repository_channel(workspace, SU_NEWEST, baseline, &channel, err);
                if (r < 0)
                        return r;
                if (channel.current.name[0] == '\0')
                        return su_fail(err, SU_ERROR_NOT_FOUND,
                                       "nothing is drafted or offered for %s", baseline);
                level = channel.current;
        }
        return su_repository_manifest(workspace, SU_NEWEST, baseline, &level, ret, err);
}

/* The draft, unless a level is named; without one what is offered. */
static int load(const struct su_publish_arguments *arguments, struct su_manifest *ret,
                struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_free char *baseline = NULL;
        int r;

        r = su_publisher_open(arguments, SU_WORKSPACE_READ, &publisher, err);
        if (r >= 0)
                r = su_workspace_choose_baseline(&publisher.workspace, arguments->baseline,
                                                 &baseline, err);
        if (r < 0)
                return r;
        if (!arguments->level) {
                r = su_workspace_load_draft(&publisher.workspace, baseline, ret, err);
                if (r != -ENOENT)
                        return r;
        }
        return load_level(&publisher.workspace, baseline, arguments->level, ret, err);
}

static void print_facts(const char *which, const struct su_file_facts *facts)
{
        char digest[SU_SHA256_HEX_SIZE];
        char build_id[2 * SU_BUILD_ID_MAX + 1];

        su_hex_encode(facts->sha256.bytes, sizeof facts->sha256.bytes, digest);
        su_hex_encode(facts->build_id.bytes, facts->build_id.size, build_id);
        (void)printf("      %s %10" PRIu64 " bytes  sha256 %s%s%s\n", which, facts->size, digest,
                     facts->build_id.size > 0 ? "  build-id " : "", build_id);
}

static void print_file(const struct su_changed_file *file)
{
        (void)printf("    %s  %s\n",
                     file->is_new    ? "new    "
                     : file->is_gone ? "former "
                                     : "changed",
                     file->path);
        if (!file->is_new)
                print_facts("before", &file->before);
        if (!file->is_gone)
                print_facts("after ", &file->after);
}

static void print_component(const struct su_component *component)
{
        (void)printf("  %s %s -> %s\n", component->name,
                     component->old_version ? component->old_version : "?", component->new_version);
        for (size_t i = 0; i < component->n_fixes; i++)
                (void)printf("    fixes    %s%s%s\n", component->fixes[i].id,
                             component->fixes[i].title ? "  " : "",
                             component->fixes[i].title ? component->fixes[i].title : "");
        for (size_t i = 0; i < component->n_overrides; i++)
                (void)printf("    override %s: %s: %s, as %s\n", component->overrides[i].check,
                             component->overrides[i].path, component->overrides[i].finding,
                             component->overrides[i].reason);
        for (size_t i = 0; i < component->n_files; i++)
                print_file(&component->files[i]);
}

int su_verb_changes(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_manifest struct su_manifest manifest = {0};
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = load(arguments, &manifest, err);
        if (r >= 0 && arguments->json) {
                r = su_manifest_write(&manifest, &text, &size, err);
                if (r >= 0)
                        (void)puts(text);
                return r;
        }
        if (r < 0)
                return r;
        (void)printf("%s level (%s)\n", manifest.baseline, manifest.level.name);
        for (size_t i = 0; i < manifest.n_components; i++)
                print_component(&manifest.components[i]);
        return 0;
}
