/* Any file may be mapped by a process, so any bytes may be read as ELF: never an error. */
#include "fuzz.h"
#include "inventory/build_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        su_auto_close int fd = fuzz_memory_file(data, size);
        struct su_build_id id;
        uint16_t machine;

        fuzz_check(su_build_id_read(fd, "fuzz", &id, &machine, NULL) >= 0);
        fuzz_check(id.size <= SU_BUILD_ID_MAX);
        return 0;
}
