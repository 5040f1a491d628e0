#include "sandbox/account.h"

#include <pwd.h>
#include <string.h>

#include "base/own.h"

#define PASSWD_PATH "/etc/passwd"
#define NOBODY 65534

static bool is_worker(const struct passwd *entry)
{
        return strcmp(entry->pw_name, SU_WORKER_USER) == 0 && entry->pw_uid != 0 &&
               entry->pw_gid != 0;
}

int su_account_find(struct su_account *ret, struct su_error *err)
{
        su_auto_fclose FILE *file = fopen(PASSWD_PATH, "re");
        const struct passwd *entry;

        *ret = (struct su_account){NOBODY, NOBODY};
        if (!file && errno == ENOENT)
                return 0;
        if (!file)
                return su_fail_errno(err, errno, "cannot open '" PASSWD_PATH "'");
        for (;;) {
                errno = 0;
                entry = fgetpwent(file);
                if (!entry)
                        break;
                if (is_worker(entry)) {
                        *ret = (struct su_account){entry->pw_uid, entry->pw_gid};
                        return 0;
                }
        }
        return errno == 0 || errno == ENOENT
                       ? 0
                       : su_fail_errno(err, errno, "cannot read '" PASSWD_PATH "'");
}
