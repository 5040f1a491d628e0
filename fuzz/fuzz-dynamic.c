/* What a damaged or hostile ELF file says of its symbols: it may be refused, and is never believed
 * to be larger than it is. */
#include "publish/checks/dynamic.h"

#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        su_auto_close int fd = fuzz_memory_file(data, size);
        su_auto_dynamic struct su_dynamic elf = SU_DYNAMIC_EMPTY;

        if (su_dynamic_read(&fd, "fuzz", &elf, NULL) < 0)
                return 0;
        for (size_t i = 0; i + 1 < elf.n_exports; i++)
                fuzz_check(strcmp(elf.exports[i].name, elf.exports[i + 1].name) <= 0);
        for (size_t i = 0; i < elf.n_needs; i++)
                fuzz_check(su_dynamic_wants(&elf, &elf.needs[i]));
        for (size_t i = 0; i < elf.n_imports; i++)
                fuzz_check(su_dynamic_takes(&elf, elf.imports[i]));
        for (size_t i = 0; i < elf.n_versions; i++)
                fuzz_check(su_dynamic_defines(&elf, elf.versions[i]));
        return 0;
}
