/* suture-publish baseline: record an OS tree. */
#include <stdio.h>

#include "base/file.h"
#include "improvement/baseline.h"
#include "publish/draft/record.h"
#include "publish/signing/compose.h"
#include "publish/tool/session.h"
#include "publish/tool/verbs.h"
#include "publish/tool/waiting.h"

/* Its targets are delegated to a key of its own, which is made unless there is one of its name. */
static int delegate(struct su_publisher *publisher, const char *name, struct su_error *err)
{
        su_auto_key_choice struct su_key_choice choice = {.threshold = 1};
        su_auto_json json_t *targets = NULL;
        struct su_key *key = su_keyring_named(&publisher->keyring, name);
        int r = 0;

        if (!key)
                r = su_keyring_make(&publisher->keyring, name, SU_KEY_ED25519, true, &key, err);
        if (r >= 0)
                r = su_key_choice_add(&choice, key, err);
        if (r >= 0)
                r = su_staging_next(&publisher->workspace, "targets", &targets, err);
        if (r >= 0)
                r = su_compose_delegate(targets, name, &choice, err);
        return r < 0 ? r : su_staging_put(publisher, "targets", targets, SU_SIGN_STRICT, err);
}

/* A baseline that is recorded again stays what it is for devices. */
static int enter(struct su_publisher *publisher, const char *name, struct su_error *err)
{
        su_auto_published struct su_published published = {0};
        su_auto_authority struct su_authority present = {0};
        int r;

        r = su_authority_read(&publisher->workspace, SU_NEWEST, name, &present, err);
        if (r != -ENOENT)
                return r;
        r = su_staging_begin(&publisher->workspace, err);
        if (r >= 0)
                r = delegate(publisher, name, err);
        if (r >= 0)
                r = su_waiting_finish(publisher, false, &published, err);
        return r;
}

static void report(const struct su_baseline *baseline, size_t n_strange)
{
        (void)printf("Recorded baseline %s (%s): %zu files below /usr and /opt.\n", baseline->name,
                     baseline->os_name, baseline->n_files);
        if (n_strange > 0)
                (void)printf("%zu files have names that no manifest can carry; they cannot be "
                             "fixed by an improvement.\n",
                             n_strange);
}

int su_verb_baseline(const struct su_publish_arguments *arguments, struct su_error *err)
{
        su_auto_publisher struct su_publisher publisher = SU_PUBLISHER_EMPTY;
        su_auto_baseline struct su_baseline baseline = {0};
        su_auto_close int tree_fd = -EBADF;
        size_t n_strange = 0;
        int r;

        if (!arguments->tree)
                return su_fail(err, SU_ERROR_USAGE, "say which OS tree with --tree");
        r = su_publisher_open(arguments, SU_WORKSPACE_CHANGE, &publisher, err);
        if (r >= 0)
                r = su_dir_open(arguments->tree, &tree_fd, err);
        if (r >= 0)
                r = su_baseline_record(tree_fd, &baseline, &n_strange, err);
        if (r >= 0)
                r = su_workspace_save_baseline(&publisher.workspace, &baseline, err);
        if (r >= 0)
                r = enter(&publisher, baseline.name, err);
        if (r < 0)
                return r;
        report(&baseline, n_strange);
        return su_waiting_print(&publisher, err);
}
