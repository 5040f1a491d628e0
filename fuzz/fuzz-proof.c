/* Nothing but the entry that is in the log is proven to be. The log has 5 entries, "0" to "4", and
 * one checkpoint, which log and witness have signed.
 *
 * The first byte: below 128, a proof follows as it is. From there on, the checkpoint's text and the
 * proof's lines before it follow, and are signed here, which no mutation could: so that hostile
 * trees are reached too. The rest of the byte, modulo 5, is the entry. */
#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "transparency/cosignature.h"
#include "transparency/proof.h"

#define ENTRIES 5
#define ORIGIN "log.example"

/* Made once and kept: making keys takes longer than all the rest. */
struct world {
        struct su_private_key *private_key;
        struct su_note_key *log;
        struct su_note_key *witness;
        struct su_policy *policy; /* of these keys */
        struct su_policy *fixed;  /* of those that the seeds are of */
};

/* `fixed`: the keys of the seeds, which seeds.py makes. */
static const char fixed_policy[] =
        "log log.example+1cc758f9+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c\n"
        "witness w witness.example+3176bd45+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU\n"
        "quorum w\n";

static struct world *world_new(void)
{
        struct world *world = calloc(1, sizeof *world);
        su_auto_public_key struct su_public_key *key = NULL;
        su_auto_free char *log = NULL;
        su_auto_free char *witness = NULL;
        su_auto_free char *policy = NULL;

        fuzz_check(world);
        fuzz_check(su_private_key_generate(SU_KEY_ED25519, &world->private_key, NULL) >= 0);
        fuzz_check(su_private_key_public(world->private_key, &key, NULL) >= 0);
        fuzz_check(su_note_key_new(ORIGIN, SU_NOTE_ED25519, key, &world->log, NULL) >= 0);
        fuzz_check(su_note_key_new("witness", SU_NOTE_COSIGNATURE, key, &world->witness, NULL) >=
                   0);
        fuzz_check(su_note_key_format(world->log, &log, NULL) >= 0);
        fuzz_check(su_note_key_format(world->witness, &witness, NULL) >= 0);
        fuzz_check(su_format(&policy, NULL, "log %s\nwitness w %s\nquorum w\n", log, witness) >= 0);
        fuzz_check(su_policy_parse("p", policy, strlen(policy), &world->policy, NULL) >= 0);
        fuzz_check(su_policy_parse("p", fixed_policy, strlen(fixed_policy), &world->fixed, NULL) >=
                   0);
        return world;
}

static char *sign(const struct world *world, const char *text)
{
        su_auto_free char *line = NULL;
        su_auto_free char *cosignature = NULL;
        su_auto_free char *lines = NULL;
        char *note = NULL;

        if (su_note_sign(text, world->log, world->private_key, &line, NULL) < 0 ||
            su_cosignature_make(text, 5, world->witness, world->private_key, &cosignature, NULL) <
                    0)
                return NULL;
        fuzz_check(su_format(&lines, NULL, "%s%s", line, cosignature) >= 0);
        return su_note_format(text, lines, &note, NULL) < 0 ? NULL : note;
}

/* What is proven must be so by the definition: the root is that of a tree of this size which has
 * the leaf at this index and, elsewhere, what the path says. */
static void check_included(const char *text, size_t size, const struct su_log_head *head,
                           const char *entry)
{
        su_auto_log_proof struct su_log_proof proof = {0};
        struct su_sha256 hash;
        uint64_t begin = 0;
        uint64_t end = head->checkpoint.size;
        bool is_right[SU_TREE_PROOF_MAX];
        size_t n = 0;

        fuzz_check(su_log_proof_parse(text, size, &proof, NULL) >= 0);
        fuzz_check(proof.index < end);
        while (end - begin > 1) {
                uint64_t half = 1;

                while (2 * half < end - begin)
                        half *= 2;
                is_right[n] = proof.index >= begin + half;
                *(is_right[n++] ? &begin : &end) = begin + half;
        }
        fuzz_check(n == proof.path.n);
        fuzz_check(su_tree_hash_leaf(entry, strlen(entry), &hash, NULL) >= 0);
        for (size_t i = 0; i < n; i++)
                fuzz_check((is_right[n - 1 - i]
                                    ? su_tree_hash_node(proof.path.hashes + i, &hash, &hash, NULL)
                                    : su_tree_hash_node(&hash, proof.path.hashes + i, &hash,
                                                        NULL)) >= 0);
        fuzz_check(su_sha256_equal(&hash, &head->checkpoint.root));
}

static void check_proof(const struct su_policy *policy, const char *text, size_t size,
                        const char *entry)
{
        su_auto_log_head struct su_log_head head = {0};
        uint64_t index;

        if (su_log_proof_verify(policy, text, size, entry, strlen(entry), &head, &index, NULL) < 0)
                return;
        fuzz_check(strcmp(head.checkpoint.origin, ORIGIN) == 0);
        fuzz_check(head.n_cosigned == 1 && head.has_time);
        check_included(text, size, &head, entry);
}

/* "CHECKPOINT" NUL "LINES OF THE PROOF", from which a signed proof is put together. */
static void check_signed(const struct world *world, const uint8_t *data, size_t size,
                         const char *entry)
{
        su_auto_free char *text = fuzz_string(data, size);
        size_t used = strlen(text) + 1;
        su_auto_free char *lines = used < size ? fuzz_string(data + used, size - used) : NULL;
        su_auto_free char *note = sign(world, text);
        su_auto_free char *proof = NULL;

        if (!note || !lines)
                return;
        fuzz_check(su_format(&proof, NULL, "c2sp.org/tlog-proof@v1\n%s\n%s", lines, note) >= 0);
        check_proof(world->policy, proof, strlen(proof), entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct world *world;
        char entry[2];

        if (size == 0)
                return 0;
        if (!world)
                world = world_new();
        entry[0] = (char)('0' + data[0] % 128 % ENTRIES);
        entry[1] = '\0';
        if (data[0] < 128)
                check_proof(world->fixed, (const char *)data + 1, size - 1, entry);
        else
                check_signed(world, data + 1, size - 1, entry);
        return 0;
}
