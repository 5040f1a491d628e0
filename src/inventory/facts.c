#include "inventory/facts.h"

int su_file_facts_read(int fd, const char *name, struct su_file_facts *ret, struct su_error *err)
{
        struct su_file_facts facts;
        int r;

        r = su_sha256_of_fd(fd, name, &facts.sha256, &facts.size, err);
        if (r >= 0)
                r = su_build_id_read(fd, name, &facts.build_id, NULL, err);
        if (r >= 0)
                *ret = facts;
        return r;
}
