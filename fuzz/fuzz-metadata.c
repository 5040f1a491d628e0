/* TUF metadata before anything about it is trusted. The first byte chooses the role. */
#include "fuzz.h"
#include "trust/metadata.h"

static void read_entries(const struct su_metadata *metadata)
{
        static const char *const names[] = {"snapshot.json", "targets.json"};

        for (size_t i = 0; i < SU_ELEMENTS(names); i++) {
                struct su_meta_entry entry;

                if (su_meta_entry_read(metadata, names[i], &entry, NULL) >= 0)
                        fuzz_check(entry.version >= 1 && entry.length >= 0);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        su_auto_metadata struct su_metadata metadata = {0};
        struct su_root root = {0};
        enum su_role role;

        if (size == 0)
                return 0;
        role = data[0] % SU_ROLES;
        if (su_metadata_parse(role, (const char *)data + 1, size - 1, &metadata, NULL) < 0)
                return 0;
        fuzz_check(metadata.version >= 1 && metadata.signed_part);
        read_entries(&metadata);
        if (role != SU_ROLE_ROOT) {
                root.roles[role].threshold = 1; /* a role without keys never verifies */
                fuzz_check(su_metadata_verify(&metadata, &root, NULL) < 0);
                return 0;
        }
        if (su_root_read(&metadata, &root, NULL) < 0)
                return 0;
        fuzz_check(root.n_keys <= SU_KEYS_MAX);
        for (enum su_role i = 0; i < SU_ROLES; i++)
                fuzz_check(root.roles[i].threshold >= 1 && root.roles[i].n_keys <= SU_KEYS_MAX);
        (void)su_metadata_verify(&metadata, &root, NULL);
        return 0;
}
