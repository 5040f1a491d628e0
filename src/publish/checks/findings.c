#include "publish/checks/findings.h"

#include <stdarg.h>
#include <string.h>

#include "base/printable.h"
#include "base/text.h"

static const char *const names[] = {
#define SU_CHECK_NAME(code, name, question) [SU_CHECK_##code] = (name),
        SU_CHECK_TABLE(SU_CHECK_NAME)
#undef SU_CHECK_NAME
};

const char *su_check_name(enum su_check check)
{
        return names[check];
}

bool su_check_find(const char *name, enum su_check *ret)
{
        for (size_t i = 0; i < SU_ELEMENTS(names); i++)
                if (strcmp(names[i], name) == 0) {
                        *ret = (enum su_check)i;
                        return true;
                }
        return false;
}

int su_findings_add(struct su_findings *findings, enum su_check check, const char *path,
                    struct su_error *err, const char *format, ...)
{
        struct su_finding *larger =
                reallocarray(findings->list, findings->n + 1, sizeof *findings->list);
        struct su_finding *finding;
        va_list arguments;
        int n;

        if (!larger)
                return su_fail_oom(err);
        findings->list = larger;
        finding = &larger[findings->n++];
        *finding = (struct su_finding){.check = check, .path = strdup(path)};
        va_start(arguments, format);
        n = vasprintf(&finding->text, format, arguments);
        va_end(arguments);
        if (n < 0)
                finding->text = NULL;
        if (!finding->path || !finding->text)
                return su_fail_oom(err);
        su_make_printable_ascii(finding->text); /* it may quote what is in a file */
        return 0;
}

void su_findings_done(struct su_findings *findings)
{
        for (size_t i = 0; i < findings->n; i++) {
                free(findings->list[i].path);
                free(findings->list[i].text);
        }
        free(findings->list);
        *findings = (struct su_findings){0};
}
