/* suture-publish show: what the repository holds. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "publish/store/repository.h"
#include "publish/tool/print.h"
#include "publish/tool/session.h"
#include "publish/tool/verbs.h"
#include "publish/tool/waiting.h"

static int show_role(const struct su_workspace *workspace, const char *role, json_t *roles,
                     bool json, struct su_error *err)
{
        su_auto_metadata struct su_metadata metadata = {0};
        const char *expires;
        int r;

        r = su_repository_metadata(workspace, SU_PUBLISHED, role, &metadata, err);
        if (r < 0)
                return r;
        expires = json_string_value(json_object_get(metadata.signed_part, "expires"));
        if (json_object_set_new(roles, role,
                                json_pack("{s:I, s:s}", "version", (json_int_t)metadata.version,
                                          "expires", expires)) < 0)
                return su_fail_oom(err);
        if (!json)
                (void)printf("%-10s version %lld, expires %s\n", role, (long long)metadata.version,
                             expires);
        return 0;
}

static void print_level(const struct su_channel *channel, const struct su_channel_level *level,
                        const struct su_manifest *manifest)
{
        (void)printf("  (%s)%s%s%s%s", level->level.name,
                     su_level_compare(&level->level, &channel->current) == 0 ? " current" : "",
                     su_level_compare(&level->level, &channel->floor) == 0 ? " floor" : "",
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

        r = su_repository_manifest(workspace, SU_PUBLISHED, channel->baseline, &level->level,
                                   &manifest, err);
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

        r = su_repository_channel(workspace, SU_PUBLISHED, baseline, &channel, err);
        if (r == -ENOENT) { /* nothing is released for it yet */
                if (!json)
                        (void)printf("%s\n  nothing is released yet\n", baseline);
                return 0;
        }
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

static int show_baselines(const struct su_workspace *workspace,
                          const struct su_delegations *delegations, json_t *document, bool json,
                          struct su_error *err)
{
        json_t *baselines = json_object();
        int r = 0;

        if (json_object_set_new(document, "baselines", baselines) < 0)
                return su_fail_oom(err);
        for (size_t i = 0; i < delegations->n_roles && r >= 0; i++)
                r = show_baseline(workspace, delegations->roles[i].name, baselines, json, err);
        return r;
}

static int show_roles(const struct su_workspace *workspace,
                      const struct su_delegations *delegations, json_t *document, bool json,
                      struct su_error *err)
{
        json_t *roles = json_object();
        int r = 0;

        if (json_object_set_new(document, "metadata", roles) < 0)
                return su_fail_oom(err);
        for (enum su_role role = 0; role < SU_ROLES && r >= 0; role++)
                r = show_role(workspace, su_role_name(role), roles, json, err);
        for (size_t i = 0; i < delegations->n_roles && r >= 0; i++)
                r = show_role(workspace, delegations->roles[i].name, roles, json, err);
        return r;
}

static int show_published(const struct su_workspace *workspace, json_t *document, bool json,
                          struct su_error *err)
{
        su_auto_delegations struct su_delegations delegations = {0};
        su_auto_metadata struct su_metadata targets = {0};
        int r;

        r = su_repository_metadata(workspace, SU_PUBLISHED, "targets", &targets, err);
        if (r == -ENOENT) {
                if (!json)
                        (void)puts("Nothing is published yet.");
                return 0;
        }
        if (r >= 0)
                r = su_delegations_read(&targets, &delegations, err);
        if (r >= 0)
                r = show_roles(workspace, &delegations, document, json, err);
        if (r >= 0)
                r = show_baselines(workspace, &delegations, document, json, err);
        return r;
}

/* What will be published when it is signed. */
static int show_staged(const struct su_publisher *publisher, json_t *document, bool json,
                       struct su_error *err)
{
        json_t *waiting;
        int r;

        if (!json)
                return su_waiting_print(publisher, err);
        r = su_waiting_json(publisher, &waiting, err);
        if (r < 0)
                return r;
        return json_object_set_new(document, "staged", waiting) < 0 ? su_fail_oom(err) : 0;
}

int su_verb_show(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_json json_t *document = json_object();
        int r;

        r = su_publisher_open(arguments, SU_WORKSPACE_READ, &publisher, err);
        if (r >= 0)
                r = show_published(&publisher.workspace, document, arguments->json, err);
        if (r >= 0)
                r = show_staged(&publisher, document, arguments->json, err);
        if (r < 0 || !arguments->json)
                return r;
        return su_print_json(document, err);
}
