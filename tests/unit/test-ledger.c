#include "support.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "log/audit.h"
#include "log/ledger.h"
#include "transparency/cosignature.h"

#define ORIGIN "example.org/log"
#define NOW 1780272000

/* A publisher with a log, and two witnesses, both of whom are wanted. */
struct world {
        struct scratch *scratch;
        struct su_private_key *log_key;
        struct su_private_key *witness_keys[2];
        struct su_note_key *log;
        struct su_note_key *witnesses[2];
        struct su_policy *policy;
};

static struct su_note_key *vkey(const char *name, enum su_note_type type,
                                const struct su_private_key *key)
{
        su_auto_public_key struct su_public_key *public_key = NULL;
        struct su_note_key *ret = NULL;
        struct su_error err = {0};

        assert_ok(su_private_key_public(key, &public_key, &err), err);
        assert_ok(su_note_key_new(name, type, public_key, &ret, &err), err);
        return ret;
}

static struct su_policy *make_policy(const struct world *world)
{
        su_auto_free char *log = NULL;
        su_auto_free char *one = NULL;
        su_auto_free char *two = NULL;
        su_auto_free char *text = NULL;
        struct su_policy *policy = NULL;
        struct su_error err = {0};

        assert_ok(su_note_key_format(world->log, &log, &err), err);
        assert_ok(su_note_key_format(world->witnesses[0], &one, &err), err);
        assert_ok(su_note_key_format(world->witnesses[1], &two, &err), err);
        assert_ok(su_format(&text, &err,
                            "log %s\nwitness one %s\nwitness two %s\ngroup both 2 one two\n"
                            "quorum both\n",
                            log, one, two),
                  err);
        assert_ok(su_policy_parse("policy", text, strlen(text), &policy, &err), err);
        return policy;
}

static int setup(void **state)
{
        struct world *world = calloc(1, sizeof *world);
        void *scratch = NULL;
        struct su_error err = {0};

        assert_non_null(world);
        if (scratch_setup(&scratch) < 0)
                return -1;
        world->scratch = scratch;
        assert_ok(su_private_key_generate(SU_KEY_ED25519, &world->log_key, &err), err);
        world->log = vkey(ORIGIN, SU_NOTE_ED25519, world->log_key);
        for (size_t i = 0; i < SU_ELEMENTS(world->witnesses); i++) {
                assert_ok(su_private_key_generate(SU_KEY_ED25519, &world->witness_keys[i], &err),
                          err);
                world->witnesses[i] = vkey(i == 0 ? "example.net/one" : "example.com/two",
                                           SU_NOTE_COSIGNATURE, world->witness_keys[i]);
        }
        world->policy = make_policy(world);
        assert_ok(su_ledger_create(world->scratch->fd, world->log, world->log_key, &err), err);
        *state = world;
        return 0;
}

static int teardown(void **state)
{
        struct world *world = *state;
        void *scratch = world->scratch;

        su_policy_free(world->policy);
        su_note_key_free(world->log);
        su_private_key_free(world->log_key);
        for (size_t i = 0; i < SU_ELEMENTS(world->witnesses); i++) {
                su_note_key_free(world->witnesses[i]);
                su_private_key_free(world->witness_keys[i]);
        }
        free(world);
        return scratch_teardown(&scratch);
}

static uint64_t append(struct world *world, const char *entry)
{
        su_auto_ledger struct su_ledger ledger = {0};
        struct su_error err = {0};
        uint64_t index = UINT64_MAX;

        assert_ok(su_ledger_open(world->scratch->fd, world->policy, world->log_key, &ledger, &err),
                  err);
        assert_ok(su_ledger_append(&ledger, entry, strlen(entry), &index, &err), err);
        return index;
}

/* As `log cosign` and `log add` do it; `*seen` is what the witness remembers. */
static int cosign(struct world *world, size_t witness, char **seen, struct su_error *err)
{
        su_auto_ledger struct su_ledger ledger = {0};
        su_auto_place struct su_place *place = NULL;
        su_auto_free char *note = NULL;
        su_auto_free char *text = NULL;
        su_auto_free char *line = NULL;
        int r;

        assert_int_equal(su_place_of_directory(world->scratch->fd, &place, NULL), 0);
        r = su_audit_for_witness(place, world->policy, *seen, &note, &text, err);
        if (r < 0)
                return r;
        assert_int_equal(su_cosignature_make(text, NOW, world->witnesses[witness],
                                             world->witness_keys[witness], &line, NULL),
                         0);
        free(*seen);
        *seen = su_take(note);
        assert_int_equal(su_ledger_open(world->scratch->fd, world->policy, NULL, &ledger, NULL), 0);
        return su_ledger_add_cosignatures(&ledger, line, strlen(line), err);
}

static void cosign_both(struct world *world)
{
        su_auto_free char *one = NULL;
        su_auto_free char *two = NULL;
        struct su_error err = {0};

        assert_ok(cosign(world, 0, &one, &err), err);
        assert_ok(cosign(world, 1, &two, &err), err);
}

static int prove(struct world *world, uint64_t index, const char *entry, struct su_error *err)
{
        su_auto_ledger struct su_ledger ledger = {0};
        su_auto_free char *proof = NULL;

        assert_int_equal(su_ledger_open(world->scratch->fd, world->policy, NULL, &ledger, NULL), 0);
        return su_ledger_prove(&ledger, index, entry, strlen(entry), &proof, err);
}

static void test_append_and_prove(void **state)
{
        struct world *world = *state;
        char entry[32];
        struct su_error err = {0};

        for (unsigned i = 0; i < 300; i++) {
                (void)snprintf(entry, sizeof entry, "entry %u", i);
                assert_int_equal(append(world, entry), i);
        }
        assert_int_equal(append(world, "entry 7"), 7); /* is there already */
        assert_fails(prove(world, 7, "entry 7", &err), err, NOT_LOGGED);
        cosign_both(world);
        for (unsigned i = 0; i < 300; i += 13) {
                (void)snprintf(entry, sizeof entry, "entry %u", i);
                assert_ok(prove(world, i, entry, &err), err);
        }
        assert_fails(prove(world, 7, "entry 8", &err), err, NOT_LOGGED);
        assert_fails(prove(world, 300, "entry 7", &err), err, USAGE);
}

static void test_one_witness_is_not_two(void **state)
{
        struct world *world = *state;
        su_auto_free char *seen = NULL;
        struct su_error err = {0};

        (void)append(world, "entry");
        assert_ok(cosign(world, 0, &seen, &err), err);
        assert_fails(cosign(world, 0, &seen, &err), err, SIGNATURE); /* says nothing new */
        assert_fails(prove(world, 0, "entry", &err), err, NOT_LOGGED);
}

/* A witness that answers with all that fits, by keys that nobody knows and by its own over and
 * over, keeps no other from cosigning. */
static void test_a_witness_that_talks(void **state)
{
        struct world *world = *state;
        su_auto_private_key struct su_private_key *stranger_key = NULL;
        su_auto_note_key struct su_note_key *stranger = NULL;
        su_auto_ledger struct su_ledger ledger = {0};
        su_auto_note struct su_note *note = NULL;
        su_auto_free char *lines = NULL;
        su_auto_free char *seen = NULL;
        struct su_error err = {0};

        (void)append(world, "entry");
        assert_ok(su_private_key_generate(SU_KEY_ED25519, &stranger_key, &err), err);
        stranger = vkey("example.org/stranger", SU_NOTE_COSIGNATURE, stranger_key);
        assert_ok(su_ledger_open(world->scratch->fd, world->policy, NULL, &ledger, &err), err);
        assert_ok(su_note_parse(ledger.note, strlen(ledger.note), &note, &err), err);
        assert_ok(su_strdup("", &lines, &err), err);
        for (int i = 0; i < 60; i++) {
                bool own = i % 2 == 0;
                su_auto_free char *before = su_take(lines);
                su_auto_free char *line = NULL;

                assert_ok(su_cosignature_make(
                                  note->text, NOW + i, own ? world->witnesses[0] : stranger,
                                  own ? world->witness_keys[0] : stranger_key, &line, &err),
                          err);
                assert_ok(su_format(&lines, &err, "%s%s", before, line), err);
        }
        assert_ok(su_ledger_add_cosignatures(&ledger, lines, strlen(lines), &err), err);
        assert_null(strstr(ledger.note, "stranger"));
        su_note_free(note);
        note = NULL;
        assert_ok(su_note_parse(ledger.note, strlen(ledger.note), &note, &err), err);
        assert_int_equal(note->n_signatures, 2);
        assert_int_equal(su_cosignature_time(&note->signatures[1]), NOW + 58);
        assert_ok(cosign(world, 1, &seen, &err), err);
        assert_ok(prove(world, 0, "entry", &err), err);
}

static void test_a_witness_remembers(void **state)
{
        struct world *world = *state;
        su_auto_free char *seen = NULL;
        su_auto_free char *old = NULL;
        struct su_error err = {0};

        (void)append(world, "one");
        old = read_text(world->scratch->fd, "log/checkpoint");
        (void)append(world, "two");
        assert_ok(cosign(world, 0, &seen, &err), err);
        (void)append(world, "three");
        assert_ok(cosign(world, 0, &seen, &err), err);
        /* The log says what it said before: the witness has seen more. */
        write_text(world->scratch->fd, "log/checkpoint", old);
        assert_fails(cosign(world, 0, &seen, &err), err, ROLLBACK);
}

/* The same key signs another history, as large as the first. */
static void test_a_fork(void **state)
{
        struct world *world = *state;
        su_auto_free char *seen = NULL;
        struct su_error err = {0};

        (void)append(world, "for all");
        assert_ok(cosign(world, 0, &seen, &err), err);
        assert_ok(su_remove_tree(world->scratch->fd, "log", &err), err);
        assert_ok(su_ledger_create(world->scratch->fd, world->log, world->log_key, &err), err);
        (void)append(world, "for one");
        (void)append(world, "and one more");
        assert_fails(cosign(world, 0, &seen, &err), err, ROLLBACK);
}

static void test_create_twice(void **state)
{
        struct world *world = *state;
        struct su_error err = {0};

        assert_fails(su_ledger_create(world->scratch->fd, world->log, world->log_key, &err), err,
                     CONFLICT);
}

static void test_damaged_files(void **state)
{
        struct world *world = *state;
        static const char *const paths[] = {"log/tile/0/000.p/3", "log/tile/entries/000.p/3"};
        struct su_error err = {0};

        (void)append(world, "one");
        (void)append(world, "two");
        (void)append(world, "three");
        for (size_t i = 0; i < SU_ELEMENTS(paths); i++) {
                su_auto_ledger struct su_ledger ledger = {0};
                su_auto_free char *good = NULL;
                su_auto_free char *bad = NULL;
                uint64_t index;
                size_t size;

                assert_ok(su_file_read(world->scratch->fd, paths[i], 1000, &good, &size, &err),
                          err);
                bad = malloc(size);
                assert_non_null(bad);
                memcpy(bad, good, size);
                bad[size - 1] ^= 1;
                assert_ok(su_file_write(world->scratch->fd, paths[i], bad, size, 0644, &err), err);
                assert_ok(su_ledger_open(world->scratch->fd, world->policy, world->log_key, &ledger,
                                         &err),
                          err);
                assert_fails(su_ledger_append(&ledger, "four", 4, &index, &err), err, DIGEST);
                assert_ok(su_file_write(world->scratch->fd, paths[i], bad, size - 1, 0644, &err),
                          err);
                assert_true(su_ledger_append(&ledger, "four", 4, &index, &err) < 0);
                assert_ok(su_file_write(world->scratch->fd, paths[i], good, size, 0644, &err), err);
        }
        assert_int_equal(append(world, "four"), 3);
}

static int audit(struct world *world, struct su_audit *ret, struct su_error *err)
{
        su_auto_place struct su_place *place = NULL;

        assert_int_equal(su_place_of_directory(world->scratch->fd, &place, NULL), 0);
        return su_audit_make(place, world->policy, NULL, ret, err);
}

/* Entries that mean nothing, and a release whose manifest nobody can see. */
static void test_audit(void **state)
{
        struct world *world = *state;
        su_auto_audit struct su_audit result = {0};
        struct su_error err = {0};

        (void)append(world, "rubbish");
        (void)append(world,
                     "{\"baseline\":\"d\",\"level\":\"a\",\"reason\":\"r\",\"type\":\"suture-"
                     "recall\",\"version\":1}");
        (void)append(world,
                     "{\"baseline\":\"d\",\"level\":\"a\",\"manifest\":{\"sha256\":\"ba7816bf8f01cf"
                     "ea414140de5dae2223b00361a396177a9cb410ff61f20015ad\",\"size\":3},\"type\":"
                     "\"suture-release\",\"version\":1}");
        assert_fails(audit(world, &result, &err), err, NOT_LOGGED); /* nobody has cosigned */
        cosign_both(world);
        assert_ok(audit(world, &result, &err), err);
        assert_int_equal(result.head.n_cosigned, 2);
        assert_int_equal(result.n_releases, 1);
        assert_int_equal(result.n_recalls, 1);
        assert_int_equal(result.n_findings, 2);
        assert_int_equal(result.findings[0].index, 0);
        assert_int_equal(result.findings[1].index, 2);
        assert_contains(result.findings[1].message, "targets/d/a/ba7816bf");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_append_and_prove),
                TEST(test_one_witness_is_not_two),
                TEST(test_a_witness_that_talks),
                TEST(test_a_witness_remembers),
                TEST(test_a_fork),
                TEST(test_create_twice),
                TEST(test_damaged_files),
                TEST(test_audit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
