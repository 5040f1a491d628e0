/* The verb automatic: what is done by itself. */
#include <fcntl.h>
#include <stdio.h>

#include "base/translate.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "device/config.h"

static int set(int root_fd, const char *name, struct su_error *err)
{
        enum su_automatic automatic;

        if (!su_automatic_from_name(name, &automatic))
                return su_fail(err, SU_ERROR_USAGE, "'%s' is not off, check, download or install",
                               name);
        if (geteuid() != 0)
                return su_fail(err, SU_ERROR_PERMISSION, "only root may do this");
        return su_config_set_automatic(root_fd, automatic, err);
}

static void print_text(enum su_automatic automatic)
{
        static const char *const texts[] = {
                [SU_AUTOMATIC_OFF] = N_("Nothing is done by itself."),
                [SU_AUTOMATIC_CHECK] = N_("Improvements are looked for; a person installs them."),
                [SU_AUTOMATIC_DOWNLOAD] =
                        N_("Improvements are made ready; a person installs them."),
                [SU_AUTOMATIC_INSTALL] = N_("Improvements are installed by themselves."),
        };

        (void)puts(_(texts[automatic]));
}

int su_verb_automatic(const struct su_arguments *arguments, struct su_error *err)
{
        const char *root = arguments->engine.root ? arguments->engine.root : "/";
        su_auto_close int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        su_auto_config struct su_config config = {0};
        int r = 0;

        if (root_fd < 0)
                return su_fail_errno(err, errno, "cannot open '%s'", root);
        if (arguments->operand)
                r = set(root_fd, arguments->operand, err);
        if (r >= 0)
                r = su_config_load(root_fd, &config, err);
        if (r >= 0)
                r = su_output_result(
                        arguments,
                        json_pack("{s:s}", "automatic", su_automatic_name(config.automatic)), err);
        if (r >= 0 && !arguments->json)
                print_text(config.automatic);
        return r;
}
