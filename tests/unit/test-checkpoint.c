#include "support.h"

#include <string.h>

#include "base/text.h"
#include "log-keys.h"
#include "transparency/checkpoint.h"
#include "transparency/cosignature.h"

#define DASH "\xe2\x80\x94 "
#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
/* C2SP tlog-checkpoint and tlog-cosignature; the keys are not given. */
#define SOFA "example.com/behind-the-sofa\n20852163\n" ROOT "\n"
#define SOFA_COSIGNED                                                                              \
        SOFA "\n" DASH "example.com/behind-the-sofa "                                              \
             "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xe" \
             "McTOAYQ8=\n" DASH "witness.example.com/w1 "                                          \
             "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo" \
             "0xUe+mbIUBkBIfZ+qnA==\n"

static void check_refused(const char *text, int line)
{
        struct su_checkpoint checkpoint = {0};
        struct su_error err = {0};

        check_fails(su_checkpoint_parse(text, strlen(text), &checkpoint, &err), &err,
                    SU_ERROR_FORMAT, text, __FILE__, line);
        assert_null(checkpoint.origin);
}
#define assert_refused(text) check_refused((text), __LINE__)

static void check_accepted(const char *text, const char *origin, uint64_t size,
                           const char *extensions)
{
        su_auto_checkpoint struct su_checkpoint checkpoint = {0};
        su_auto_free char *again = NULL;
        struct su_error err = {0};

        assert_ok(su_checkpoint_parse(text, strlen(text), &checkpoint, &err), err);
        assert_string_equal(checkpoint.origin, origin);
        assert_true(checkpoint.size == size);
        assert_string_equal(checkpoint.extensions, extensions);
        assert_int_equal(checkpoint.root.bytes[0], 0x0a);
        assert_ok(su_checkpoint_format(checkpoint.origin, checkpoint.size, &checkpoint.root,
                                       checkpoint.extensions, &again, &err),
                  err);
        assert_string_equal(again, text);
}

static void test_accepted(void **state)
{
        (void)state;
        check_accepted(SOFA, "example.com/behind-the-sofa", 20852163, "");
        check_accepted("o\n0\n" ROOT "\n", "o", 0, "");
        check_accepted("an origin + 1\n9223372036854775807\n" ROOT "\n", "an origin + 1", INT64_MAX,
                       "");
        check_accepted("o\n1\n" ROOT "\nmore\n and more\n", "o", 1, "more\n and more\n");
}

static void test_refused(void **state)
{
        (void)state;
        assert_refused("");
        assert_refused("\n");
        assert_refused("o\n");
        assert_refused("o\n1\n");
        assert_refused("o\n1\n" ROOT);
        assert_refused("\n1\n" ROOT "\n");
        assert_refused("o\n\n" ROOT "\n");
        assert_refused("o\n01\n" ROOT "\n");
        assert_refused("o\n00\n" ROOT "\n");
        assert_refused("o\n+1\n" ROOT "\n");
        assert_refused("o\n-1\n" ROOT "\n");
        assert_refused("o\n 1\n" ROOT "\n");
        assert_refused("o\n1 \n" ROOT "\n");
        assert_refused("o\n0x1\n" ROOT "\n");
        assert_refused("o\n1a\n" ROOT "\n");
        assert_refused("o\n9223372036854775808\n" ROOT "\n");
        assert_refused("o\n18446744073709551617\n" ROOT "\n");
        assert_refused("o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n");
        assert_refused("o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n");
        assert_refused("o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jx\n");
        assert_refused("o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2IA\n");
        assert_refused("o\n1\n" ROOT " \n");
        assert_refused("o\n1\n" ROOT "\n\n");
        assert_refused("o\n1\n" ROOT "\nmore\n\nmore\n");
        assert_refused("o\n1\n" ROOT "\nmore");
        assert_refused("o\n1\n" ROOT "\nmo\tre\n");
        assert_refused("o\r\n1\n" ROOT "\n");
        assert_refused("\xff\n1\n" ROOT "\n");
}

static void test_format_refused(void **state)
{
        static const struct {
                const char *origin;
                const char *extensions;
                uint64_t size;
        } cases[] = {
                {"", NULL, 1},
                {"o\n1", NULL, 1},
                /* What would read as a whole checkpoint with another root. */
                {"o\n1\n" ROOT, NULL, 1},
                {"o", "no newline", 1},
                {"o", "\n", 1},
                {"o", NULL, SU_LOG_SIZE_MAX + 1},
        };
        struct su_sha256 root = {{0}};
        struct su_error err = {0};
        char *text = NULL;

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(cases); i++)
                assert_fails(su_checkpoint_format(cases[i].origin, cases[i].size, &root,
                                                  cases[i].extensions, &text, &err),
                             err, FORMAT);
        assert_null(text);
}

static struct su_note *note_of(const char *text)
{
        struct su_note *note = NULL;
        struct su_error err = {0};

        assert_ok(su_note_parse(text, strlen(text), &note, &err), err);
        return note;
}

static void test_published_cosignature(void **state)
{
        su_auto_note struct su_note *note = note_of(SOFA_COSIGNED);
        const struct su_note_signature *cosignature = note->signatures + 1;
        uint64_t time = 0;

        (void)state;
        assert_string_equal(note->text, SOFA);
        assert_int_equal(note->n_signatures, 2);
        assert_int_equal(cosignature->key_id, 0x8d66cf3f);
        assert_int_equal(cosignature->size, 72);
        for (size_t i = 0; i < 8; i++)
                time = time << 8 | cosignature->bytes[i];
        assert_int_equal(time, 1679315147);
}

/* The message is what the specification shows, byte by byte. */
static void test_message(void **state)
{
        auto_signer struct signer witness;
        su_auto_free char *line = NULL;
        su_auto_free char *text = NULL;
        su_auto_note struct su_note *note = NULL;
        struct su_signature signature = {.size = 64};
        struct su_error err = {0};
        const char *message = "cosignature/v1\ntime 1679315147\n" SOFA;

        (void)state;
        signer_open(&witness, "witness.example.com/w1", SU_NOTE_COSIGNATURE, 7);
        assert_ok(su_cosignature_make(SOFA, 1679315147, witness.key, witness.private_key, &line,
                                      &err),
                  err);
        assert_ok(su_note_format(SOFA, line, &text, &err), err);
        note = note_of(text);
        memcpy(signature.bytes, note->signatures[0].bytes + 8, 64);
        assert_true(su_signature_is_valid(witness.key->key, message, strlen(message), &signature));
}

static void check_times(const struct signer *witness, const int64_t *times, size_t n,
                        int64_t wanted)
{
        auto_signer struct signer log;
        su_auto_free char *text = NULL;
        su_auto_note struct su_note *note = NULL;
        struct su_error err = {0};
        bool is_signed = false;
        int64_t time = -1;

        signer_open(&log, "example.com/behind-the-sofa", SU_NOTE_ED25519, 1);
        text = signed_note(SOFA, &log);
        for (size_t i = 0; i < n; i++)
                cosign(&text, witness, times[i]);
        note = note_of(text);
        assert_ok(su_cosignature_check(note, witness->key, &is_signed, &time, &err), err);
        assert_int_equal(is_signed, n > 0);
        assert_true(time == wanted);
}

static void test_cosign(void **state)
{
        static const int64_t times[] = {5, 0, 1700000000, 7};
        static const int64_t largest = INT64_MAX;
        auto_signer struct signer witness;

        (void)state;
        signer_open(&witness, "w", SU_NOTE_COSIGNATURE, 7);
        check_times(&witness, times, 0, 0);
        check_times(&witness, times, 1, 5);
        check_times(&witness, times + 1, 1, 0);
        check_times(&witness, times, 4, 1700000000);
        check_times(&witness, &largest, 1, INT64_MAX);
}

static void test_cosign_refused(void **state)
{
        auto_signer struct signer witness;
        auto_signer struct signer other;
        auto_signer struct signer log;
        struct su_error err = {0};
        char *line = NULL;

        (void)state;
        signer_open(&witness, "w", SU_NOTE_COSIGNATURE, 7);
        signer_open(&other, "w", SU_NOTE_COSIGNATURE, 8);
        signer_open(&log, "w", SU_NOTE_ED25519, 7);
        assert_fails(su_cosignature_make("no checkpoint\n", 1, witness.key, witness.private_key,
                                         &line, &err),
                     err, FORMAT);
        assert_fails(su_cosignature_make(SOFA, -1, witness.key, witness.private_key, &line, &err),
                     err, USAGE);
        assert_fails(su_cosignature_make(SOFA, 1, log.key, log.private_key, &line, &err), err,
                     USAGE);
        assert_fails(su_cosignature_make(SOFA, 1, witness.key, other.private_key, &line, &err), err,
                     SIGNATURE);
        assert_null(line);
}

/* Each changed bit, of time or signature, and each other text makes it wrong. */
static void test_wrong(void **state)
{
        auto_signer struct signer witness;
        su_auto_free char *line = NULL;
        su_auto_free char *good = NULL;
        su_auto_note struct su_note *note = NULL;
        struct su_error err = {0};
        bool is_signed;
        int64_t time;

        (void)state;
        signer_open(&witness, "w", SU_NOTE_COSIGNATURE, 7);
        assert_ok(su_cosignature_make(SOFA, 1000, witness.key, witness.private_key, &line, &err),
                  err);
        assert_ok(su_note_format(SOFA, line, &good, &err), err);
        note = note_of(good);
        for (size_t bit = 0; bit < 8 * 72; bit++) {
                su_auto_free char *wrong_line = NULL;
                su_auto_free char *wrong = NULL;
                su_auto_note struct su_note *of_wrong = NULL;
                uint8_t bytes[72];

                memcpy(bytes, note->signatures[0].bytes, sizeof bytes);
                bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_ok(
                        su_note_signature_line(witness.key, bytes, sizeof bytes, &wrong_line, &err),
                        err);
                assert_ok(su_note_add(good, strlen(good), wrong_line, strlen(wrong_line), &wrong,
                                      &err),
                          err);
                of_wrong = note_of(wrong);
                assert_fails(su_cosignature_check(of_wrong, witness.key, &is_signed, &time, &err),
                             err, SIGNATURE);
                if (bit == 7) /* 2^63 */
                        assert_contains(err.message, "a time that does not exist");
        }
        note->text[0] = 'E';
        assert_fails(su_cosignature_check(note, witness.key, &is_signed, &time, &err), err,
                     SIGNATURE);
        note->text[0] = 'e';
        note->signatures[0].size = 64;
        assert_fails_with(su_cosignature_check(note, witness.key, &is_signed, &time, &err), err,
                          SIGNATURE, "size");
}

/* A time above 2^63 - 1 is refused even when it is what was signed. */
static void test_time_too_large(void **state)
{
        auto_signer struct signer witness;
        struct su_signature signature;
        su_auto_free char *line = NULL;
        su_auto_free char *text = NULL;
        su_auto_note struct su_note *note = NULL;
        struct su_error err = {0};
        uint8_t bytes[72] = {0x80};
        const char *message = "cosignature/v1\ntime 9223372036854775808\n" SOFA;
        bool is_signed;
        int64_t time;

        (void)state;
        signer_open(&witness, "w", SU_NOTE_COSIGNATURE, 7);
        assert_ok(su_sign(witness.private_key, message, strlen(message), &signature, &err), err);
        memcpy(bytes + 8, signature.bytes, 64);
        assert_ok(su_note_signature_line(witness.key, bytes, sizeof bytes, &line, &err), err);
        assert_ok(su_note_format(SOFA, line, &text, &err), err);
        note = note_of(text);
        assert_fails(su_cosignature_check(note, witness.key, &is_signed, &time, &err), err,
                     SIGNATURE);
}

/* A log's signature of the same key is no cosignature, nor the other way round. */
static void test_types_apart(void **state)
{
        auto_signer struct signer witness;
        auto_signer struct signer log;
        su_auto_free char *text = NULL;
        su_auto_note struct su_note *note = NULL;
        struct su_error err = {0};
        bool is_signed = true;
        int64_t time;

        (void)state;
        signer_open(&witness, "w", SU_NOTE_COSIGNATURE, 7);
        signer_open(&log, "w", SU_NOTE_ED25519, 7);
        text = signed_note(SOFA, &log);
        note = note_of(text);
        assert_ok(su_cosignature_check(note, witness.key, &is_signed, &time, &err), err);
        assert_false(is_signed);
        assert_fails(su_cosignature_check(note, log.key, &is_signed, &time, &err), err, USAGE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_accepted),       cmocka_unit_test(test_refused),
                cmocka_unit_test(test_format_refused), cmocka_unit_test(test_published_cosignature),
                cmocka_unit_test(test_message),        cmocka_unit_test(test_cosign),
                cmocka_unit_test(test_cosign_refused), cmocka_unit_test(test_wrong),
                cmocka_unit_test(test_time_too_large), cmocka_unit_test(test_types_apart),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
