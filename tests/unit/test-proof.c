#include "support.h"

#include <string.h>

#include "base/text.h"
#include "log-grow.h"
#include "log-keys.h"
#include "transparency/cosignature.h"
#include "transparency/proof.h"

#define ORIGIN "log.example/improvements"
#define SIZE 300
#define INDEX 124
#define H "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define HEADER "c2sp.org/tlog-proof@v1\n"

/* A log of SIZE entries, with its keys, and a policy by which two of three witnesses are needed. */
struct world {
        struct signer log;
        struct signer witnesses[3];
        struct signer stranger; /* a witness that the policy does not know */
        struct log_files files;
        uint64_t size;
        struct su_sha256 root;
        char *checkpoint; /* the text */
        char *proof;      /* with two cosignatures */
        uint8_t entry[64];
        size_t entry_size;
        struct su_policy *policy;
};

static struct su_policy *parse_policy(const char *text)
{
        struct su_policy *policy = NULL;
        struct su_error err = {0};

        assert_ok(su_policy_parse("policy", text, strlen(text), &policy, &err), err);
        return policy;
}

/* A proof of entry `index` with this signed checkpoint. The caller frees. */
static char *make_proof(struct world *world, uint64_t index, const char *note)
{
        struct su_tiles_reader reader = log_files_reader(&world->files);
        su_auto_tiles struct su_tiles *tiles = NULL;
        struct su_tree_proof path;
        struct su_error err = {0};
        char *text = NULL;

        assert_ok(su_tiles_open(&reader, world->size, &world->root, &tiles, &err), err);
        assert_ok(su_tiles_prove_inclusion(tiles, index, &path, NULL, &err), err);
        assert_ok(su_log_proof_format(index, &path, note, NULL, 0, &text, &err), err);
        return text;
}

static int setup(void **state)
{
        struct world *world = calloc(1, sizeof *world);
        su_auto_free char *policy = NULL;
        su_auto_free char *note = NULL;
        struct su_error err = {0};

        assert_non_null(world);
        signer_open(&world->log, ORIGIN, SU_NOTE_ED25519, 1);
        signer_open(world->witnesses, "a.example", SU_NOTE_COSIGNATURE, 2);
        signer_open(world->witnesses + 1, "b.example", SU_NOTE_COSIGNATURE, 3);
        signer_open(world->witnesses + 2, "c.example", SU_NOTE_COSIGNATURE, 4);
        signer_open(&world->stranger, "stranger.example", SU_NOTE_COSIGNATURE, 5);
        log_files_grow(&world->files, &world->size, &world->root, SIZE);
        world->entry_size = log_entry(INDEX, world->entry).size;
        assert_ok(su_checkpoint_format(ORIGIN, SIZE, &world->root, NULL, &world->checkpoint, &err),
                  err);
        note = signed_note(world->checkpoint, &world->log);
        cosign(&note, world->witnesses + 2, 2000);
        cosign(&note, world->witnesses, 1000);
        world->proof = make_proof(world, INDEX, note);
        assert_ok(su_format(&policy, &err,
                            "log %s\nwitness a %s\nwitness b %s\nwitness c %s\n"
                            "group two 2 a b c\nquorum two\n",
                            world->log.vkey, world->witnesses[0].vkey, world->witnesses[1].vkey,
                            world->witnesses[2].vkey),
                  err);
        world->policy = parse_policy(policy);
        *state = world;
        return 0;
}

static int teardown(void **state)
{
        struct world *world = *state;

        signer_close(&world->log);
        for (size_t i = 0; i < 3; i++)
                signer_close(world->witnesses + i);
        signer_close(&world->stranger);
        log_files_clear(&world->files);
        free(world->checkpoint);
        free(world->proof);
        su_policy_free(world->policy);
        free(world);
        return 0;
}

static int verify(struct world *world, const char *proof, struct su_error *err)
{
        su_auto_log_head struct su_log_head head = {0};
        uint64_t index;

        *err = (struct su_error){0};
        return su_log_proof_verify(world->policy, proof, strlen(proof), world->entry,
                                   world->entry_size, &head, &index, err);
}

static int verify_note(struct world *world, const char *note, struct su_error *err)
{
        su_auto_free char *proof = make_proof(world, INDEX, note);

        return verify(world, proof, err);
}

static void test_logged(void **state)
{
        struct world *world = *state;
        su_auto_log_head struct su_log_head head = {0};
        struct su_error err = {0};
        uint64_t index = 0;

        assert_ok(su_log_proof_verify(world->policy, world->proof, strlen(world->proof),
                                      world->entry, world->entry_size, &head, &index, &err),
                  err);
        assert_int_equal(index, INDEX);
        assert_string_equal(head.checkpoint.origin, ORIGIN);
        assert_int_equal(head.checkpoint.size, SIZE);
        assert_memory_equal(&head.checkpoint.root, &world->root, sizeof world->root);
        assert_int_equal(head.log, 0);
        assert_int_equal(head.n_cosigned, 2);
        assert_true(head.votes[0].cosigned);
        assert_int_equal(head.votes[0].time, 1000);
        assert_false(head.votes[1].cosigned);
        assert_true(head.votes[2].cosigned);
        assert_int_equal(head.votes[2].time, 2000);
        assert_true(head.has_time);
        assert_int_equal(head.time, 1000);
}

/* Each entry by its own proof, and by no other. */
static void test_each_entry(void **state)
{
        struct world *world = *state;
        su_auto_free char *note = signed_note(world->checkpoint, &world->log);
        struct su_error err = {0};

        cosign(&note, world->witnesses, 1);
        cosign(&note, world->witnesses + 1, 2);
        for (uint64_t i = 0; i < SIZE; i += 7) {
                su_auto_free char *proof = make_proof(world, i, note);

                world->entry_size = log_entry(i, world->entry).size;
                assert_ok(verify(world, proof, &err), err);
                world->entry_size = log_entry(i + 1, world->entry).size;
                assert_fails(verify(world, proof, &err), err, NOT_LOGGED);
                assert_fails(verify(world, world->proof, &err), err, NOT_LOGGED);
        }
}

static void test_other_entry(void **state)
{
        struct world *world = *state;
        struct su_error err = {0};

        world->entry[world->entry_size - 1] ^= 1;
        assert_fails(verify(world, world->proof, &err), err, NOT_LOGGED);
        world->entry[world->entry_size - 1] ^= 1;
        world->entry_size--;
        assert_fails(verify(world, world->proof, &err), err, NOT_LOGGED);
        world->entry_size += 2;
        assert_fails(verify(world, world->proof, &err), err, NOT_LOGGED);
}

/* No byte of a proof can be another one. */
static void test_every_byte(void **state)
{
        struct world *world = *state;
        size_t size = strlen(world->proof);
        struct su_error err = {0};

        for (size_t i = 0; i < size; i++)
                for (unsigned bit = 0; bit < 8; bit += 3) {
                        world->proof[i] = (char)(world->proof[i] ^ (1 << bit));
                        if (world->proof[i] && verify(world, world->proof, &err) >= 0)
                                fail_msg("byte %zu does not matter: %s", i, world->proof + i);
                        world->proof[i] = (char)(world->proof[i] ^ (1 << bit));
                }
        assert_ok(verify(world, world->proof, &err), err);
}

static void test_cut(void **state)
{
        struct world *world = *state;
        size_t size = strlen(world->proof);
        su_auto_log_head struct su_log_head head = {0};
        uint64_t index;

        for (size_t i = 0; i < size; i++)
                assert_true(su_log_proof_verify(world->policy, world->proof, i, world->entry,
                                                world->entry_size, &head, &index, NULL) < 0);
        assert_null(head.checkpoint.origin);
}

static void test_index_swapped(void **state)
{
        struct world *world = *state;
        struct su_error err = {0};
        char *digits = strstr(world->proof, "index 124");

        memcpy(digits + 6, "142", 3);
        assert_fails(verify(world, world->proof, &err), err, NOT_LOGGED);
        memcpy(digits + 6, "300", 3);
        assert_fails(verify(world, world->proof, &err), err, NOT_LOGGED);
        memcpy(digits + 6, "024", 3);
        assert_fails(verify(world, world->proof, &err), err, FORMAT);
}

static void test_quorum(void **state)
{
        struct world *world = *state;
        su_auto_free char *note = signed_note(world->checkpoint, &world->log);
        struct su_error err = {0};

        assert_fails_with(verify_note(world, note, &err), err, NOT_LOGGED, "0 of the 3 witnesses");
        cosign(&note, world->witnesses + 1, 1000);
        cosign(&note, world->witnesses + 1, 2000);
        cosign(&note, &world->stranger, 3000);
        assert_fails_with(verify_note(world, note, &err), err, NOT_LOGGED,
                          "1 of the 3 witnesses that are trusted here have cosigned the checkpoint "
                          "of '" ORIGIN "', which is not the quorum 'two'");
        cosign(&note, world->witnesses, 1);
        assert_ok(verify_note(world, note, &err), err);
        cosign(&note, world->witnesses + 2, 1);
        assert_ok(verify_note(world, note, &err), err);
}

/* Cosignatures of another checkpoint, of the same log even, do not count: they are wrong. */
static void test_replayed_cosignature(void **state)
{
        struct world *world = *state;
        su_auto_free char *old_text = NULL;
        su_auto_free char *old_line = NULL;
        su_auto_free char *note = signed_note(world->checkpoint, &world->log);
        su_auto_free char *mixed = NULL;
        struct su_error err = {0};

        assert_ok(su_checkpoint_format(ORIGIN, SIZE - 1, &world->root, NULL, &old_text, &err), err);
        assert_ok(su_cosignature_make(old_text, 1, world->witnesses[1].key,
                                      world->witnesses[1].private_key, &old_line, &err),
                  err);
        cosign(&note, world->witnesses, 1);
        cosign(&note, world->witnesses + 2, 1);
        assert_ok(su_note_add(note, strlen(note), old_line, strlen(old_line), &mixed, &err), err);
        assert_ok(verify_note(world, note, &err), err);
        assert_fails_with(verify_note(world, mixed, &err), err, SIGNATURE, "b.example");
}

static void test_not_signed_by_log(void **state)
{
        struct world *world = *state;
        su_auto_free char *note = NULL;
        su_auto_free char *other = NULL;
        auto_signer struct signer impostor;
        auto_signer struct signer same_name;
        struct su_error err = {0};

        signer_open(&impostor, "impostor", SU_NOTE_ED25519, 1); /* the same key, another name */
        signer_open(&same_name, ORIGIN, SU_NOTE_ED25519, 9);
        note = signed_note(world->checkpoint, &impostor);
        cosign(&note, world->witnesses, 1);
        cosign(&note, world->witnesses + 1, 1);
        assert_fails_with(verify_note(world, note, &err), err, SIGNATURE,
                          "not signed by its log '" ORIGIN "'");
        other = signed_note(world->checkpoint, &same_name);
        cosign(&other, world->witnesses, 1);
        cosign(&other, world->witnesses + 1, 1);
        assert_fails_with(verify_note(world, other, &err), err, SIGNATURE, "not signed by its log");
}

/* A log of the policy may not speak for another one. */
static void test_origin(void **state)
{
        struct world *world = *state;
        su_auto_free char *text = NULL;
        su_auto_free char *note = NULL;
        su_auto_free char *policy = NULL;
        su_auto_policy struct su_policy *both = NULL;
        auto_signer struct signer other;
        su_auto_log_head struct su_log_head head = {0};
        struct su_error err = {0};

        signer_open(&other, "other.example", SU_NOTE_ED25519, 9);
        assert_ok(su_checkpoint_format("other.example", SIZE, &world->root, NULL, &text, &err),
                  err);
        note = signed_note(text, &world->log);
        assert_fails_with(verify_note(world, note, &err), err, SIGNATURE,
                          "'other.example' is no log that is trusted here");
        assert_ok(su_format(&policy, &err, "log %s\nlog %s\nquorum none\n", world->log.vkey,
                            other.vkey),
                  err);
        both = parse_policy(policy);
        assert_fails_with(su_log_head_verify(both, note, strlen(note), &head, &err), err, SIGNATURE,
                          "not signed by its log 'other.example'");
        free(note);
        note = signed_note(text, &other);
        assert_ok(su_log_head_verify(both, note, strlen(note), &head, &err), err);
        assert_int_equal(head.log, 1);
        assert_false(head.has_time);
        { /* and a wrong signature by the other log is wrong nevertheless */
                su_auto_free char *line = NULL;
                su_auto_free char *mixed = NULL;
                uint8_t zeros[64] = {0};

                assert_ok(su_note_signature_line(world->log.key, zeros, 64, &line, &err), err);
                assert_ok(su_note_add(note, strlen(note), line, strlen(line), &mixed, &err), err);
                assert_fails_with(su_log_head_verify(both, mixed, strlen(mixed), &head, &err), err,
                                  SIGNATURE, ORIGIN "' is wrong");
        }
}

/* A log that changes its key is in the policy with both for a while. */
static void test_two_keys_of_a_log(void **state)
{
        struct world *world = *state;
        su_auto_free char *policy = NULL;
        su_auto_policy struct su_policy *both = NULL;
        su_auto_free char *note = NULL;
        auto_signer struct signer next;
        su_auto_log_head struct su_log_head head = {0};
        struct su_error err = {0};

        signer_open(&next, ORIGIN, SU_NOTE_ED25519, 9);
        assert_ok(su_format(&policy, &err, "log %s\nlog %s\nquorum none\n", world->log.vkey,
                            next.vkey),
                  err);
        both = parse_policy(policy);
        note = signed_note(world->checkpoint, &next);
        assert_ok(su_log_head_verify(both, note, strlen(note), &head, &err), err);
        assert_int_equal(head.log, 1);
}

/* What is signed, but no checkpoint. */
static void test_no_checkpoint(void **state)
{
        struct world *world = *state;
        su_auto_free char *note = signed_note(ORIGIN "\n300\nroot\n", &world->log);
        su_auto_log_head struct su_log_head head = {0};
        struct su_error err = {0};

        assert_fails(su_log_head_verify(world->policy, note, strlen(note), &head, &err), err,
                     FORMAT);
        assert_null(head.checkpoint.origin);
}

/* Signatures of types that are not known here are passed over: this one of ML-DSA-44 has the size
 * of such, and neither a name nor an id that is known. */
static void test_unknown_type(void **state)
{
        struct world *world = *state;
        su_auto_free char *note = signed_note(world->checkpoint, &world->log);
        su_auto_free char *line = NULL;
        su_auto_free char *mixed = NULL;
        struct su_note_key key = *world->witnesses[0].key;
        static const uint8_t bytes[8 + 2420] = {1};
        struct su_error err = {0};

        cosign(&note, world->witnesses, 1);
        cosign(&note, world->witnesses + 1, 1);
        key.id ^= 1;
        assert_ok(su_note_signature_line(&key, bytes, sizeof bytes, &line, &err), err);
        assert_ok(su_note_add(note, strlen(note), line, strlen(line), &mixed, &err), err);
        assert_ok(verify_note(world, mixed, &err), err);
}

static void check_parse(const char *text, enum su_error_code code, int line)
{
        su_auto_log_proof struct su_log_proof proof = {0};
        struct su_error err = {0};

        check_fails(su_log_proof_parse(text, strlen(text), &proof, &err), &err, code, text,
                    __FILE__, line);
        assert_null(proof.checkpoint);
}
#define assert_malformed(text) check_parse((text), SU_ERROR_FORMAT, __LINE__)

static void test_malformed(void **state)
{
        (void)state;
        assert_malformed("");
        assert_malformed("c2sp.org/tlog-proof@v1");
        assert_malformed(HEADER);
        assert_malformed("c2sp.org/tlog-proof@v2\nindex 0\n\nx");
        assert_malformed(" " HEADER "index 0\n\nx");
        assert_malformed("c2sp.org/tlog-proof@v1\r\nindex 0\n\nx");
        assert_malformed("\n" HEADER "index 0\n\nx");
        assert_malformed(HEADER "\nindex 0\n\nx");
        assert_malformed(HEADER "index\n\nx");
        assert_malformed(HEADER "index \n\nx");
        assert_malformed(HEADER "index 00\n\nx");
        assert_malformed(HEADER "index 01\n\nx");
        assert_malformed(HEADER "index -1\n\nx");
        assert_malformed(HEADER "index 1 \n\nx");
        assert_malformed(HEADER "index  1\n\nx");
        assert_malformed(HEADER "index 9223372036854775808\n\nx");
        assert_malformed(HEADER "index 0");
        assert_malformed(HEADER "index 0\n");
        assert_malformed(HEADER "index 0\n" H);
        assert_malformed(HEADER "index 0\n" H "x\n\nx");
        assert_malformed(HEADER "index 0\nAAAA\n\nx");
        assert_malformed(HEADER "index 0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n\nx");
        assert_malformed(HEADER "index 0\n " H "\nx");
        assert_malformed(HEADER "index 0\nextra AAAA\n\nx");
        assert_malformed(HEADER "extra AAA\nindex 0\n\nx");
        assert_malformed(HEADER "extra\nindex 0\n\nx");
        assert_malformed(HEADER "extra AAAA\nextra AAAA\nindex 0\n\nx");
        assert_malformed(HEADER "extra AAAA\n");
}

static void test_parse(void **state)
{
        su_auto_log_proof struct su_log_proof proof = {0};
        su_auto_free char *again = NULL;
        struct su_error err = {0};
        const char *text = HEADER "extra Zm9v\nindex 9223372036854775807\n" H H "\n\nthe rest";

        (void)state;
        assert_ok(su_log_proof_parse(text, strlen(text), &proof, &err), err);
        assert_true(proof.index == INT64_MAX);
        assert_int_equal(proof.path.n, 2);
        assert_int_equal(proof.extra_size, 3);
        assert_memory_equal(proof.extra, "foo", 3);
        assert_string_equal(proof.checkpoint, "\nthe rest");
        assert_ok(su_log_proof_format(proof.index, &proof.path, proof.checkpoint, proof.extra,
                                      proof.extra_size, &again, &err),
                  err);
        assert_string_equal(again, text);
        su_log_proof_clear(&proof);
        text = HEADER "extra \nindex 0\n\n";
        assert_ok(su_log_proof_parse(text, strlen(text), &proof, &err), err);
        assert_non_null(proof.extra);
        assert_int_equal(proof.extra_size, 0);
        assert_int_equal(proof.checkpoint_size, 0);
}

static void test_limits(void **state)
{
        struct su_tree_proof path = {.n = 63};
        su_auto_log_proof struct su_log_proof proof = {0};
        su_auto_free char *text = NULL;
        su_auto_free char *big = malloc(SU_LOG_PROOF_SIZE_MAX + 1);
        char *none = NULL;
        struct su_error err = {0};
        static const char with_nul[] = HEADER "index 0\n\na\0b";

        (void)state;
        assert_ok(su_log_proof_format(0, &path, "x", NULL, 0, &text, &err), err);
        path.n = 64;
        assert_fails(su_log_proof_format(0, &path, "x", NULL, 0, &none, &err), err, FORMAT);
        assert_fails(su_log_proof_parse(with_nul, sizeof with_nul - 1, &proof, &err), err, FORMAT);
        assert_non_null(big);
        memset(big, 'x', SU_LOG_PROOF_SIZE_MAX + 1);
        memcpy(big, HEADER "index 0\n\n", strlen(HEADER) + 9);
        assert_ok(su_log_proof_parse(big, SU_LOG_PROOF_SIZE_MAX, &proof, &err), err);
        su_log_proof_clear(&proof);
        assert_fails(su_log_proof_parse(big, SU_LOG_PROOF_SIZE_MAX + 1, &proof, &err), err,
                     TOO_LARGE);
        assert_null(none);
}

int main(void)
{
#define world_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
                world_test(test_logged),
                world_test(test_each_entry),
                world_test(test_other_entry),
                world_test(test_every_byte),
                world_test(test_cut),
                world_test(test_index_swapped),
                world_test(test_quorum),
                world_test(test_replayed_cosignature),
                world_test(test_not_signed_by_log),
                world_test(test_origin),
                world_test(test_two_keys_of_a_log),
                world_test(test_no_checkpoint),
                world_test(test_unknown_type),
                cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_limits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
