#include "support.h"

#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "log-keys.h"
#include "transparency/note.h"

#define DASH "\xe2\x80\x94 "

/* golang.org/x/mod/sumdb/note, note_test.go. */
#define PETER "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define PETER_SECRET "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
#define PETER_TEXT                                                                                 \
        "If you think cryptography is the answer to your problem,\n"                               \
        "then you don't know what your problem is.\n"
#define PETER_LINE                                                                                 \
        DASH "PeterNeumann "                                                                       \
             "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6R" \
             "yyBwJnAM=\n"
#define ENOCH "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"

/* C2SP signed-note, "Verifier keys" and its example. */
#define EXAMPLE "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define EXAMPLE_NOTE                                                                               \
        "This is an example message.\n\n" DASH "example.com/foo "                                  \
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72Iney" \
        "a"                                                                                        \
        "QM=\n"
/* C2SP signed-note, at its top; its key is not given. */
#define ITALIAN                                                                                    \
        "Ognuno sta solo sul cuor della terra\n"                                                   \
        "trafitto da un raggio di sole:\n\n"                                                       \
        "ed \xc3\xa8 subito sera.\n\n" DASH "quasimodo.example/salvatore "                         \
        "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwN" \
        "tIc=\n"

static struct su_note_key *key_of(const char *vkey)
{
        struct su_note_key *key = NULL;
        struct su_error err = {0};

        assert_ok(su_note_key_parse(vkey, strlen(vkey), &key, &err), err);
        return key;
}

static struct su_note *note_of(const char *text)
{
        struct su_note *note = NULL;
        struct su_error err = {0};

        assert_ok(su_note_parse(text, strlen(text), &note, &err), err);
        return note;
}

static void check_refused(const char *data, size_t size, enum su_error_code code, int line)
{
        struct su_note *note = NULL;
        struct su_error err = {0};

        check_fails(su_note_parse(data, size, &note, &err), &err, code, data, __FILE__, line);
        assert_null(note);
}
#define assert_refused(text) check_refused((text), strlen(text), SU_ERROR_FORMAT, __LINE__)

static void test_published_notes(void **state)
{
        su_auto_note_key struct su_note_key *peter = key_of(PETER);
        su_auto_note_key struct su_note_key *example = key_of(EXAMPLE);
        su_auto_note struct su_note *note = note_of(PETER_TEXT "\n" PETER_LINE);
        su_auto_note struct su_note *of_example = note_of(EXAMPLE_NOTE);
        su_auto_note struct su_note *italian = note_of(ITALIAN);
        struct su_error err = {0};

        (void)state;
        assert_string_equal(note->text, PETER_TEXT);
        assert_int_equal(note->text_size, strlen(PETER_TEXT));
        assert_ok(su_note_verify(note, peter, &err), err);
        assert_ok(su_note_verify(of_example, example, &err), err);
        assert_fails_with(su_note_verify(note, example, &err), err, SIGNATURE, "example.com/foo");
        assert_int_equal(italian->n_signatures, 1);
        assert_int_equal(italian->signatures[0].key_id, 0x367ba04b);
        assert_int_equal(italian->signatures[0].size, 64);
        assert_contains(italian->text, "sole:\n\ned \xc3\xa8 subito");
}

static void test_keys(void **state)
{
        static const char *const published[] = {PETER, ENOCH, EXAMPLE};
        struct su_error err = {0};

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(published); i++) {
                su_auto_note_key struct su_note_key *key = key_of(published[i]);
                su_auto_free char *again = NULL;

                assert_int_equal(key->type, SU_NOTE_ED25519);
                assert_ok(su_note_key_format(key, &again, &err), err);
                assert_string_equal(again, published[i]);
        }
}

/* No part of a key is a key, nor is one with another character anywhere. */
static void test_keys_mangled(void **state)
{
        char vkey[] = PETER;
        size_t n = strlen(vkey);
        struct su_note_key *key = NULL;
        struct su_error err = {0};

        (void)state;
        for (size_t begin = 0; begin < n; begin++)
                for (size_t end = begin; end <= n; end++)
                        if (begin > 0 || end < n)
                                assert_fails(
                                        su_note_key_parse(vkey + begin, end - begin, &key, &err),
                                        err, FORMAT);
        for (size_t i = 0; i < n; i++) {
                char kept = vkey[i];

                vkey[i]++;
                assert_true(su_note_key_parse(vkey, n, &key, &err) < 0);
                vkey[i] = ' ';
                assert_fails(su_note_key_parse(vkey, n, &key, &err), err, FORMAT);
                vkey[i] = kept;
        }
        assert_null(key);
}

static void test_keys_refused(void **state)
{
        struct su_note_key *key = NULL;
        struct su_error err = {0};
        char long_name[SU_KEY_NAME_MAX + 80];
        su_auto_note_key struct su_note_key *peter = key_of(PETER);
        su_auto_note_key struct su_note_key *longest = NULL;

        (void)state;
        /* Go's: a key of a wrong size, and one of another type; both with the id that fits. */
#define WRONG_SIZE "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=="
#define OTHER_TYPE "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
        assert_fails(su_note_key_parse(WRONG_SIZE, strlen(WRONG_SIZE), &key, &err), err, FORMAT);
        assert_fails_with(su_note_key_parse(OTHER_TYPE, strlen(OTHER_TYPE), &key, &err), err,
                          UNSUPPORTED, "0x65");
        assert_fails_with(su_note_key_parse(PETER "AAAA", strlen(PETER) + 4, &key, &err), err,
                          FORMAT, "an Ed25519 key has 32 bytes, not 35");
        assert_fails_with(su_note_key_parse(PETER, strlen(PETER) - 4, &key, &err), err, FORMAT,
                          "an Ed25519 key has 32 bytes, not 29");
        memset(long_name, 'n', sizeof long_name);
        long_name[SU_KEY_NAME_MAX] = '\0';
        assert_ok(su_note_key_new(long_name, SU_NOTE_ED25519, peter->key, &longest, &err), err);
        long_name[SU_KEY_NAME_MAX] = 'n';
        long_name[SU_KEY_NAME_MAX + 1] = '\0';
        assert_fails(su_note_key_new(long_name, SU_NOTE_ED25519, peter->key, &key, &err), err,
                     FORMAT);
        assert_fails(su_note_key_new("", SU_NOTE_ED25519, peter->key, &key, &err), err, FORMAT);
        assert_fails(su_note_key_new("a b", SU_NOTE_ED25519, peter->key, &key, &err), err, FORMAT);
        assert_fails(su_note_key_new("a\nb", SU_NOTE_ED25519, peter->key, &key, &err), err, FORMAT);
        assert_null(key);
}

/* Name and type go into the id, so that a key may serve two purposes. */
static void test_key_ids_differ(void **state)
{
        auto_signer struct signer log;
        auto_signer struct signer witness;
        auto_signer struct signer other;

        (void)state;
        signer_open(&log, "one", SU_NOTE_ED25519, 1);
        signer_open(&witness, "one", SU_NOTE_COSIGNATURE, 1);
        signer_open(&other, "two", SU_NOTE_ED25519, 1);
        assert_true(su_public_key_equal(log.key->key, witness.key->key));
        assert_int_not_equal(log.key->id, witness.key->id);
        assert_int_not_equal(log.key->id, other.key->id);
}

static void test_sign(void **state)
{
        su_auto_note_key struct su_note_key *peter = key_of(PETER);
        su_auto_private_key struct su_private_key *secret = NULL;
        auto_signer struct signer other;
        su_auto_free char *line = NULL;
        su_auto_free char *note = NULL;
        char *none = NULL;
        struct su_error err = {0};
        uint8_t bytes[33];
        size_t size;

        (void)state;
        assert_true(
                su_base64_decode(PETER_SECRET, strlen(PETER_SECRET), bytes, sizeof bytes, &size));
        secret = private_key_of(bytes + 1);
        assert_ok(su_note_sign(PETER_TEXT, peter, secret, &line, &err), err);
        assert_string_equal(line, PETER_LINE);
        assert_ok(su_note_format(PETER_TEXT, line, &note, &err), err);
        assert_string_equal(note, PETER_TEXT "\n" PETER_LINE);

        signer_open(&other, "PeterNeumann", SU_NOTE_ED25519, 2);
        assert_fails(su_note_sign(PETER_TEXT, peter, other.private_key, &none, &err), err,
                     SIGNATURE);
        signer_close(&other);
        signer_open(&other, "PeterNeumann", SU_NOTE_COSIGNATURE, 2);
        assert_fails(su_note_sign(PETER_TEXT, other.key, other.private_key, &none, &err), err,
                     USAGE);
        assert_null(none);
}

/* What stands in a note cannot move between text and signatures. */
static void test_format_refused(void **state)
{
        struct su_error err = {0};
        char *note = NULL;

        (void)state;
        assert_fails(su_note_format("no newline", PETER_LINE, &note, &err), err, FORMAT);
        assert_fails(su_note_format("", PETER_LINE, &note, &err), err, FORMAT);
        assert_fails(su_note_format("text\n", "", &note, &err), err, FORMAT);
        assert_fails(su_note_format("text\n", "\n" PETER_LINE, &note, &err), err, FORMAT);
        assert_fails(su_note_format("text\n", "more\n\n" PETER_LINE, &note, &err), err, FORMAT);
        assert_fails(su_note_format("text\n", PETER_LINE "\n", &note, &err), err, FORMAT);
        assert_fails(su_note_format("te\txt\n", PETER_LINE, &note, &err), err, FORMAT);
        assert_null(note);
}

static void test_malformed(void **state)
{
        (void)state;
        assert_refused("");
        assert_refused("\n");
        assert_refused("\n\n");
        assert_refused("text\n");
        assert_refused("text\n\n");
        assert_refused(PETER_LINE);
        assert_refused("\n" PETER_LINE);
        assert_refused("text\n" PETER_LINE);
        assert_refused("text\n\n" PETER_LINE "\n");
        assert_refused("text\n\n" PETER_LINE "text\n");
        assert_refused("text\n\n- PeterNeumann AAAAAAAA\n");
        assert_refused("text\n\n" DASH "PeterNeumann AAAAAAAA"); /* no newline */
        assert_refused("text\n\n" DASH "PeterNeumann AAAAAAAA\r\n");
        assert_refused("text\n\n" DASH "PeterNeumann AAAAAA==\n"); /* an id without signature */
        assert_refused("text\n\n" DASH "PeterNeumann \n");
        assert_refused("text\n\n" DASH "PeterNeumann\n");
        assert_refused("text\n\n" DASH "\n");
        assert_refused("text\n\n" DASH " AAAAAAAA\n");
        assert_refused("text\n\n" DASH "a  AAAAAAAA\n");
        assert_refused("text\n\n" DASH "a AAAAAAAA \n");
        assert_refused("text\n\n" DASH "a b AAAAAAAA\n");
        assert_refused("text\n\n" DASH "a+b AAAAAAAA\n");
        assert_refused("text\n\n" DASH "a\xc2\xa0"
                       "b AAAAAAAA\n"); /* U+00A0 */
        assert_refused("text\n\n" DASH "a\xc2\x85"
                       "b AAAAAAAA\n"); /* U+0085 */
        assert_refused("text\n\n" DASH "a\xe1\x9a\x80"
                       "b AAAAAAAA\n"); /* U+1680 */
        assert_refused("text\n\n" DASH "a\xe2\x80\x83"
                       "b AAAAAAAA\n"); /* U+2003 */
        assert_refused("text\n\n" DASH "a\xe2\x80\xa8"
                       "b AAAAAAAA\n"); /* U+2028 */
        assert_refused("text\n\n" DASH "a\xe3\x80\x80"
                       "b AAAAAAAA\n"); /* U+3000 */
        assert_refused("text\n\n\xe2\x80\x94"
                       "a AAAAAAAA\n");
        assert_refused("text\n\n" DASH "a AAAAAAA=\n" DASH "a AAAAAAB=\n");
        assert_refused("te\txt\n\n" DASH "a AAAAAAAA\n");
        assert_refused("te\rxt\n\n" DASH "a AAAAAAAA\n");
        assert_refused("te\x1bxt\n\n" DASH "a AAAAAAAA\n");
        assert_refused("te\xffxt\n\n" DASH "a AAAAAAAA\n");
        assert_refused("te\xc0\x80xt\n\n" DASH "a AAAAAAAA\n");     /* overlong */
        assert_refused("te\xe0\x80\x80xt\n\n" DASH "a AAAAAAAA\n"); /* overlong */
        assert_refused("te\xe0\x81\x81xt\n\n" DASH "a AAAAAAAA\n"); /* overlong 'A' */
        assert_refused("te\xf0\x80\x81\x81xt\n\n" DASH "a AAAAAAAA\n");
        assert_refused("te\xed\xa0\x80xt\n\n" DASH "a AAAAAAAA\n"); /* a surrogate */
        assert_refused("te\xf4\x90\x80\x80xt\n\n" DASH "a AAAAAAAA\n");
        assert_refused("text\n\n" DASH "a AAAAAAAA\n\xe2\x80");
        check_refused("te\0xt\n\n" DASH "a AAAAAAAA\n", 8 + 5 + 11, SU_ERROR_FORMAT, __LINE__);
}

static void test_accepted(void **state)
{
        su_auto_note struct su_note *empty_line = note_of("\n\n" DASH "a AAAAAAA=\n");
        su_auto_note struct su_note *lines = note_of("\n\n\n" DASH "a AAAAAAAA\n");
        su_auto_note struct su_note *unicode =
                note_of("\x7f \xf0\x9f\x98\x80\n\n" DASH "\xc3\xa9/\xf0\x9f\x98\x80 AAAAAAAA\n");
        su_auto_note struct su_note *within =
                note_of("a\n\n" DASH "a AAAAAAAA\n\n" DASH "b AAAAAAAA\n");

        (void)state;
        assert_string_equal(empty_line->text, "\n");
        assert_string_equal(lines->text, "\n\n");
        assert_int_equal(unicode->signatures[0].name_size, 7);
        assert_int_equal(within->n_signatures, 1);
        assert_int_equal(within->signatures[0].name[0], 'b');
}

/* `n` signatures by nobody in particular; the caller frees. */
static char *note_with(size_t n)
{
        char *note = strdup("text\n\n");

        for (size_t i = 0; i < n; i++) {
                struct su_error err = {0};
                char *more = NULL;

                assert_ok(su_format(&more, &err, "%s" DASH "w%zu AAAAAAAA\n", note, i), err);
                free(note);
                note = more;
        }
        return note;
}

static void test_limits(void **state)
{
        su_auto_free char *most = note_with(SU_NOTE_SIGNATURES_MAX);
        su_auto_free char *more = note_with(SU_NOTE_SIGNATURES_MAX + 1);
        su_auto_note struct su_note *note = note_of(most);
        su_auto_note struct su_note *largest = NULL;
        su_auto_free char *big = malloc(SU_NOTE_SIZE_MAX + 1);
        const char *end = "\n\n" DASH "a AAAAAAAA\n";
        struct su_error err = {0};

        (void)state;
        assert_int_equal(note->n_signatures, SU_NOTE_SIGNATURES_MAX);
        check_refused(more, strlen(more), SU_ERROR_TOO_LARGE, __LINE__);
        assert_non_null(big);
        memset(big, 'a', SU_NOTE_SIZE_MAX + 1);
        memcpy(big + SU_NOTE_SIZE_MAX - strlen(end), end, strlen(end));
        assert_ok(su_note_parse(big, SU_NOTE_SIZE_MAX, &largest, &err), err);
        memset(big, 'a', SU_NOTE_SIZE_MAX + 1);
        memcpy(big + SU_NOTE_SIZE_MAX + 1 - strlen(end), end, strlen(end));
        check_refused(big, SU_NOTE_SIZE_MAX + 1, SU_ERROR_TOO_LARGE, __LINE__);
}

/* Signatures of unknown keys and types say nothing, even with the name or the id of a known one. */
static void test_unknown_ignored(void **state)
{
        auto_signer struct signer log;
        auto_signer struct signer same_name;
        auto_signer struct signer witness;
        struct su_error err = {0};
        bool is_signed = true;

        (void)state;
        signer_open(&log, "log", SU_NOTE_ED25519, 1);
        signer_open(&same_name, "log", SU_NOTE_ED25519, 2);
        signer_open(&witness, "log", SU_NOTE_COSIGNATURE, 1);
        {
                su_auto_free char *text = signed_note("text\n", &same_name);
                su_auto_note struct su_note *note = note_of(text);

                assert_ok(su_note_check(note, log.key, &is_signed, &err), err);
                assert_false(is_signed);
                assert_fails(su_note_verify(note, log.key, &err), err, SIGNATURE);
                assert_ok(su_note_verify(note, same_name.key, &err), err);
                assert_fails(su_note_verify(note, witness.key, &err), err, USAGE);
        }
        { /* the id of the log, another name, and the other way round */
                su_auto_free char *line = NULL;
                su_auto_free char *text = NULL;
                su_auto_note struct su_note *note = NULL;
                struct su_note_key renamed = *log.key;
                char name[] = "l0g";
                uint8_t nonsense[64] = {1};

                renamed.name = name;
                assert_ok(su_note_signature_line(&renamed, nonsense, 64, &line, &err), err);
                assert_ok(su_note_format("text\n", line, &text, &err), err);
                note = note_of(text);
                assert_ok(su_note_check(note, log.key, &is_signed, &err), err);
                assert_false(is_signed);
        }
}

/* A known key's signature must be right, each of them. */
static void test_wrong_signature(void **state)
{
        auto_signer struct signer log;
        su_auto_free char *good = NULL;
        struct su_error err = {0};

        (void)state;
        signer_open(&log, "log", SU_NOTE_ED25519, 1);
        good = signed_note("text\n", &log);
        for (size_t bit = 0; bit < 8 * 64; bit += 7) {
                su_auto_note struct su_note *note = note_of(good);
                uint8_t bytes[64];
                su_auto_free char *line = NULL;
                su_auto_free char *both = NULL;
                su_auto_note struct su_note *with_both = NULL;

                memcpy(bytes, note->signatures[0].bytes, sizeof bytes);
                bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_ok(su_note_signature_line(log.key, bytes, sizeof bytes, &line, &err), err);
                assert_ok(su_note_add(good, strlen(good), line, strlen(line), &both, &err), err);
                with_both = note_of(both);
                assert_int_equal(with_both->n_signatures, 2);
                assert_fails_with(su_note_verify(with_both, log.key, &err), err, SIGNATURE,
                                  "'log' is wrong");
        }
        { /* twice the same, a shorter one, and another text */
                su_auto_note struct su_note *note = note_of(good);
                su_auto_free char *line = NULL;
                su_auto_free char *twice = NULL;
                su_auto_free char *cut = NULL;
                su_auto_note struct su_note *of_twice = NULL;
                su_auto_note struct su_note *of_cut = NULL;

                assert_ok(su_note_add(good, strlen(good), note->lines, strlen(note->lines), &twice,
                                      &err),
                          err);
                of_twice = note_of(twice);
                assert_ok(su_note_verify(of_twice, log.key, &err), err);
                assert_ok(
                        su_note_signature_line(log.key, note->signatures[0].bytes, 63, &line, &err),
                        err);
                assert_ok(su_note_format("text\n", line, &cut, &err), err);
                of_cut = note_of(cut);
                assert_fails(su_note_verify(of_cut, log.key, &err), err, SIGNATURE);
                note->text[0] = 'T';
                assert_fails(su_note_verify(note, log.key, &err), err, SIGNATURE);
        }
}

static void test_add_refused(void **state)
{
        su_auto_free char *full = note_with(SU_NOTE_SIGNATURES_MAX);
        const char *note = "text\n\n" DASH "a AAAAAAAA\n";
        struct su_error err = {0};
        char *more = NULL;

        (void)state;
        assert_fails(su_note_add(full, strlen(full), PETER_LINE, strlen(PETER_LINE), &more, &err),
                     err, TOO_LARGE);
        assert_fails(su_note_add(note, strlen(note), "\n" PETER_LINE, strlen(PETER_LINE) + 1, &more,
                                 &err),
                     err, FORMAT);
        assert_fails(
                su_note_add(note, strlen(note), PETER_LINE, strlen(PETER_LINE) + 1, &more, &err),
                err, FORMAT); /* with its NUL */
        assert_fails(
                su_note_add(note, strlen(note), PETER_LINE, strlen(PETER_LINE) - 1, &more, &err),
                err, FORMAT);
        assert_null(more);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_published_notes), cmocka_unit_test(test_keys),
                cmocka_unit_test(test_keys_mangled),    cmocka_unit_test(test_keys_refused),
                cmocka_unit_test(test_key_ids_differ),  cmocka_unit_test(test_sign),
                cmocka_unit_test(test_format_refused),  cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_accepted),        cmocka_unit_test(test_limits),
                cmocka_unit_test(test_unknown_ignored), cmocka_unit_test(test_wrong_signature),
                cmocka_unit_test(test_add_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
