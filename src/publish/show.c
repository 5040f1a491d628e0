/* suture-publish show: what the repository holds. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "publish/repository.h"
#include "publish/verbs.h"

/* "NAME/channel.json" -> NAME */
static char *channel_baseline(const char *path)
{
        const char *slash = strchr(path, '/');

        if (!slash || strcmp(slash, "/channel.json") != 0)
                return NULL;
        return strndup(path, (size_t)(slash - path));
}

static int show_roles(const struct su_workspace *workspace, json_t *document, bool json,
                      struct su_error *err)
{
        json_t *roles = json_object();

        if (json_object_set_new(document, "metadata", roles) < 0)
                return su_fail_oom(err);
        for (enum su_role role = 0; role < SU_ROLES; role++) {
                su_auto_metadata struct su_metadata metadata = {0};
                const char *expires;
                int r;

                r = su_repository_metadata(workspace, role, &metadata, err);
                if (r < 0)
                        return r;
                expires = json_string_value(json_object_get(metadata.signed_part, "expires"));
                if (json_object_set_new(roles, su_role_name(role),
                                        json_pack("{s:I, s:s}", "version",
                                                  (json_int_t)metadata.version, "expires",
                                                  expires)) < 0)
                        return su_fail_oom(err);
                if (!json)
                        (void)printf("%-10s version %lld, expires %s\n", su_role_name(role),
                                     (long long)metadata.version, expires);
        }
        return 0;
}

static void print_level(const struct su_channel *channel, const struct su_channel_level *level,
                        const struct su_manifest *manifest)
{
        (void)printf("  (%s)%s%s%s", level->level.name,
                     su_level_compare(&level->level, &channel->current) == 0 ? " current" : "",
                     level->recall_reason ? " recalled: " : "",
                     level->recall_reason ? level->recall_reason : "");
        for (size_t i = 0; i < level->n_rollout; i++)
                (void)printf(" %d %%", level->rollout[i].percent);
        (void)printf("\n");
        for (size_t i = 0; i < manifest->n_components; i++) {
                const struct su_component *component = &manifest->components[i];

                (void)printf("      %s %s: %zu files, image %llu bytes, smallest delta ",
                             component->name, component->new_version, component->n_files,
                             (unsigned long long)component->image.size);
                uint64_t smallest = UINT64_MAX;

                for (size_t j = 0; j < component->n_deltas; j++)
                        if (component->deltas[j].object.size < smallest)
                                smallest = component->deltas[j].object.size;
                (void)printf("%llu bytes, fixes", (unsigned long long)smallest);
                for (size_t j = 0; j < component->n_fixes; j++)
                        (void)printf(" %s", component->fixes[j].id);
                (void)printf("\n");
        }
}

/* The JSON of show holds the signed documents themselves: they say it all. */
static int show_level(const struct su_workspace *workspace, const struct su_channel *channel,
                      const struct su_channel_level *level, json_t *manifests, bool json,
                      struct su_error *err)
{
        su_auto_manifest struct su_manifest manifest = {0};
        su_auto_free char *text = NULL;
        json_t *document = NULL;
        size_t size;
        int r;

        r = su_repository_manifest(workspace, channel->baseline, &level->level, &manifest, err);
        if (r >= 0)
                r = su_manifest_write(&manifest, &text, &size, err);
        if (r >= 0)
                r = su_json_parse(text, size, &document, err);
        if (r < 0)
                return r;
        if (json_object_set_new(manifests, level->level.name, document) < 0)
                return su_fail_oom(err);
        if (!json)
                print_level(channel, level, &manifest);
        return 0;
}

static int show_baseline(const struct su_workspace *workspace, const char *baseline,
                         json_t *baselines, bool json, struct su_error *err)
{
        su_auto_channel struct su_channel channel = {0};
        su_auto_json json_t *manifests = json_object();
        su_auto_free char *text = NULL;
        json_t *document = NULL;
        size_t size;
        int r;

        r = su_repository_channel(workspace, baseline, &channel, err);
        if (r >= 0)
                r = su_channel_write(&channel, &text, &size, err);
        if (r >= 0)
                r = su_json_parse(text, size, &document, err);
        if (r < 0)
                return r;
        if (json_object_set_new(
                    baselines, baseline,
                    json_pack("{s:o, s:O}", "channel", document, "manifests", manifests)) < 0)
                return su_fail_oom(err);
        if (!json)
                (void)printf("%s\n", baseline);
        for (size_t i = 0; i < channel.n_levels && r >= 0; i++)
                r = show_level(workspace, &channel, &channel.levels[i], manifests, json, err);
        return r;
}

static int show_baselines(const struct su_workspace *workspace, json_t *document, bool json,
                          struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {0};
        json_t *baselines = json_object();
        const char *path;
        json_t *targets;
        json_t *target;
        int r;

        if (json_object_set_new(document, "baselines", baselines) < 0)
                return su_fail_oom(err);
        r = su_repository_metadata(workspace, SU_ROLE_TARGETS, &metadata, err);
        if (r >= 0)
                r = su_json_get_object(metadata.signed_part, "targets", &targets, err);
        if (r < 0)
                return r;
        json_object_foreach (targets, path, target) {
                su_auto_free char *baseline = channel_baseline(path);

                r = baseline ? show_baseline(workspace, baseline, baselines, json, err) : 0;
                if (r < 0)
                        return r;
        }
        if (!json && json_object_size(baselines) == 0)
                (void)puts("Nothing is released yet.");
        return 0;
}

int su_verb_show(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_workspace struct su_workspace workspace = {.fd = -EBADF};
        su_auto_json json_t *document = json_object();
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        r = su_workspace_open(arguments->workspace, SU_WORKSPACE_READ, &workspace, err);
        if (r >= 0)
                r = show_roles(&workspace, document, arguments->json, err);
        if (r >= 0)
                r = show_baselines(&workspace, document, arguments->json, err);
        if (r < 0 || !arguments->json)
                return r;
        r = su_json_pretty(document, &text, &size, err);
        if (r >= 0)
                (void)fputs(text, stdout);
        return r;
}
