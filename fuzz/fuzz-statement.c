/* Entries of a log that anybody may have written. */
#include "fuzz.h"
#include "improvement/statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        su_auto_statement struct su_statement statement = {0};

        if (su_statement_parse((const char *)data, size, &statement, NULL) < 0)
                return 0;
        fuzz_check(statement.baseline && statement.level.name[0]);
        fuzz_check((statement.kind == SU_STATEMENT_RECALL) == (statement.reason != NULL));
        return 0;
}
