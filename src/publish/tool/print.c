#include "publish/tool/print.h"

#include <stdio.h>

int su_print_json(const json_t *document, struct su_error *err)
{
        su_auto_free char *text = NULL;
        size_t size;
        int r;

        if (!document)
                return su_fail_oom(err);
        r = su_json_pretty(document, &text, &size, err);
        if (r >= 0)
                (void)fwrite(text, 1, size, stdout); /* main() sees whether that failed */
        return r;
}
