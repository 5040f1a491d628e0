/* TUF metadata before anything about it is trusted. The first byte chooses the role. */
#include "fuzz.h"
#include "trust/delegations.h"
#include "trust/meta.h"
#include "trust/root.h"

static void read_entries(const struct su_metadata *metadata)
{
        static const char *const names[] = {"snapshot.json", "targets.json"};

        for (size_t i = 0; i < SU_ELEMENTS(names); i++) {
                struct su_meta_entry entry;

                if (su_meta_entry_read(metadata, names[i], &entry, NULL) >= 0)
                        fuzz_check(entry.version >= 1 && entry.length >= 0);
        }
}

static void read_delegations(const struct su_metadata *metadata)
{
        su_auto_delegations struct su_delegations delegations = {0};
        const struct su_delegation *delegation;
        size_t position = 0;

        if (su_delegations_read(metadata, &delegations, NULL) < 0)
                return;
        for (;;) {
                su_auto_free char *name = NULL;
                int r;

                r = su_delegations_next(&delegations, "debian-12-x86-64/a/manifest.json", &position,
                                        &delegation, &name, NULL);
                if (r <= 0)
                        return;
                fuzz_check(name && delegation->signers.threshold >= 1);
                fuzz_check(su_metadata_verify(metadata, name, &delegations.keys,
                                              &delegation->signers, NULL) <= 0);
        }
}

static void read_root(const struct su_metadata *metadata)
{
        su_auto_root struct su_root root = {0};

        if (su_root_read(metadata, &root, NULL) < 0)
                return;
        fuzz_check(root.keys.n_keys <= SU_KEYS_MAX);
        for (enum su_role i = 0; i < SU_ROLES; i++)
                fuzz_check(root.signers[i].threshold >= 1 && root.signers[i].n_ids <= SU_KEYS_MAX);
        (void)su_root_verify(&root, metadata, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        su_auto_metadata struct su_metadata metadata = {0};
        enum su_role role;

        if (size == 0)
                return 0;
        role = data[0] % SU_ROLES;
        if (su_metadata_parse(role, "", (const char *)data + 1, size - 1, &metadata, NULL) < 0)
                return 0;
        fuzz_check(metadata.version >= 1 && metadata.signed_part);
        read_entries(&metadata);
        if (role == SU_ROLE_ROOT)
                read_root(&metadata);
        else
                read_delegations(&metadata);
        return 0;
}
