#include "publish/checks/abidiff.h"

#include <string.h>

#include "base/process.h"
#include "base/text.h"
#include "inventory/build_id.h"
#include "publish/checks/parts.h"

/* libabigail's exit status, abidiff(1): a sum of these. */
#define ABIDIFF_FAILED (1 | 2)
#define ABIDIFF_CHANGED (4 | 8)

static bool has_debug_file(int root_fd, int elf_fd, const char *name)
{
        char hex[2 * SU_BUILD_ID_MAX + 1];
        su_auto_free char *path = NULL;
        struct su_build_id id;

        if (su_build_id_read(elf_fd, name, &id, NULL, NULL) < 0 || id.size < 2)
                return false;
        su_hex_encode(id.bytes, id.size, hex);
        return su_format(&path, NULL, "/usr/lib/debug/.build-id/%.2s/%s.debug", hex, hex + 2) >=
                       0 &&
               su_check_exists(root_fd, path);
}

static bool is_known(int root_fd, const struct su_dynamic *elf, const char *name)
{
        return elf->has_debug_info || has_debug_file(root_fd, elf->fd, name);
}

/* A program that we run sees our descriptors below /proc. */
static int path_below(int fd, const char *path, char **ret, struct su_error *err)
{
        return su_format(ret, err, "/proc/%d/fd/%d%s", (int)getpid(), fd, path);
}

static bool is_installed(void)
{
        const char *const argv[] = {"abidiff", "--version", NULL};

        return su_process_run(argv, NULL, NULL, NULL) >= 0;
}

static int run(const struct su_check_subject *subject, const char *path_before,
               const char *path_after, char **ret_report, int *ret_status, struct su_error *err)
{
        su_auto_free char *before = NULL;
        su_auto_free char *after = NULL;
        su_auto_free char *debug_before = NULL;
        su_auto_free char *debug_after = NULL;
        int r;

        r = path_below(subject->tree_fd, path_before, &before, err);
        if (r >= 0)
                r = path_below(subject->staging_fd, path_after, &after, err);
        if (r >= 0)
                r = path_below(subject->tree_fd, "/usr/lib/debug", &debug_before, err);
        if (r >= 0)
                r = path_below(subject->fixed_fd, "/usr/lib/debug", &debug_after, err);
        if (r < 0)
                return r;
        const char *const argv[] = {"abidiff",
                                    "--no-added-syms",
                                    "--debug-info-dir1",
                                    debug_before,
                                    "--debug-info-dir2",
                                    debug_after,
                                    before,
                                    after,
                                    NULL};
        return su_process_ask(argv, ret_report, ret_status, err);
}

int su_abidiff(const struct su_check_subject *subject, const char *path_before,
               const char *path_after, const struct su_dynamic *before,
               const struct su_dynamic *after, struct su_findings *findings, struct su_error *err)
{
        su_auto_free char *report = NULL;
        int status = 0;
        int r;

        if (!is_known(subject->tree_fd, before, path_before) ||
            !is_known(subject->fixed_fd, after, path_after))
                return 0;
        if (!is_installed())
                return su_findings_add(findings, SU_CHECK_ABI, path_after, err,
                                       "there is debug information of both builds, and no abidiff "
                                       "here that could compare their types: install "
                                       "abigail-tools");
        r = run(subject, path_before, path_after, &report, &status, err);
        if (r < 0)
                return r;
        if (status & ABIDIFF_FAILED)
                return su_fail(err, SU_ERROR_SYSTEM, "abidiff cannot compare the builds of '%s'",
                               path_after);
        if (!(status & ABIDIFF_CHANGED))
                return 0;
        report[strcspn(report, "\n")] = '\0';
        return su_findings_add(findings, SU_CHECK_ABI, path_after, err,
                               "abidiff finds that types of its interface changed: %s", report);
}
