#include "support.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "crypto/signature.h"

/* RFC 8032, section 7.1, test 2: the message is the byte 0x72. */
#define PUBLIC "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define SIGNATURE                                                                                  \
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"                         \
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
/* Its private key, in PKCS #8. */
static const char private_pem[] =
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n"
        "-----END PRIVATE KEY-----\n";

static void known(struct su_public_key *key, struct su_signature *signature)
{
        assert_true(su_hex_decode(PUBLIC, key->bytes, sizeof key->bytes));
        assert_true(su_hex_decode(SIGNATURE, signature->bytes, sizeof signature->bytes));
}

static void test_known_signature(void **state)
{
        struct su_public_key key;
        struct su_signature signature;

        (void)state;
        known(&key, &signature);
        assert_true(su_signature_is_valid(&key, "\x72", 1, &signature));
        assert_false(su_signature_is_valid(&key, "\x73", 1, &signature));
        assert_false(su_signature_is_valid(&key, "\x72\x72", 2, &signature));
        assert_false(su_signature_is_valid(&key, "", 0, &signature));
}

static void test_every_flipped_bit_of_a_signature_fails(void **state)
{
        struct su_public_key key;
        struct su_signature signature;

        (void)state;
        known(&key, &signature);
        for (size_t bit = 0; bit < 8 * sizeof signature.bytes; bit++) {
                signature.bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
                assert_false(su_signature_is_valid(&key, "\x72", 1, &signature));
                signature.bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        }
        for (size_t bit = 0; bit < 8 * sizeof key.bytes; bit++) {
                key.bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
                assert_false(su_signature_is_valid(&key, "\x72", 1, &signature));
                key.bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        }
}

static void test_known_private_key(void **state)
{
        struct scratch *scratch = *state;
        su_auto_private_key struct su_private_key *key = NULL;
        struct su_public_key public_key;
        struct su_public_key wanted_key;
        struct su_signature signature;
        struct su_signature wanted;
        struct su_error err = {0};

        known(&wanted_key, &wanted);
        write_text(scratch->fd, "key", private_pem);
        assert_ok(su_private_key_load(scratch->fd, "key", &key, &err), err);
        assert_ok(su_private_key_public(key, &public_key, &err), err);
        assert_memory_equal(public_key.bytes, wanted_key.bytes, sizeof wanted_key.bytes);
        assert_ok(su_sign(key, "\x72", 1, &signature, &err), err);
        assert_memory_equal(signature.bytes, wanted.bytes, sizeof wanted.bytes);
}

static void test_generate_save_load(void **state)
{
        struct scratch *scratch = *state;
        su_auto_private_key struct su_private_key *key = NULL;
        su_auto_private_key struct su_private_key *loaded = NULL;
        struct su_public_key public_key;
        struct su_public_key loaded_key;
        struct su_signature signature;
        struct su_error err = {0};
        struct stat st;

        assert_ok(su_private_key_generate(&key, &err), err);
        assert_ok(su_private_key_save(key, scratch->fd, "key", &err), err);
        assert_int_equal(fstatat(scratch->fd, "key", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_ok(su_private_key_load(scratch->fd, "key", &loaded, &err), err);
        assert_ok(su_private_key_public(key, &public_key, &err), err);
        assert_ok(su_private_key_public(loaded, &loaded_key, &err), err);
        assert_memory_equal(public_key.bytes, loaded_key.bytes, sizeof public_key.bytes);
        assert_ok(su_sign(loaded, "text", 4, &signature, &err), err);
        assert_true(su_signature_is_valid(&public_key, "text", 4, &signature));
        assert_true(su_private_key_save(key, scratch->fd, "key", &err) == -EEXIST);
}

static void test_what_is_no_key(void **state)
{
        struct scratch *scratch = *state;
        /* An X25519 key: PKCS #8 of another algorithm. */
        static const char x25519[] =
                "-----BEGIN PRIVATE KEY-----\n"
                "MC4CAQAwBQYDK2VuBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n"
                "-----END PRIVATE KEY-----\n";
        const char *const bad[] = {"", "rubbish", "-----BEGIN PRIVATE KEY-----\n", x25519};
        struct su_private_key *key = NULL;
        struct su_error err = {0};

        for (size_t i = 0; i < SU_ELEMENTS(bad); i++) {
                write_text(scratch->fd, "key", bad[i]);
                assert_fails_with(su_private_key_load(scratch->fd, "key", &key, &err), err, FORMAT,
                                  "'key'");
        }
        assert_true(su_private_key_load(scratch->fd, "missing", &key, &err) == -ENOENT);
        assert_null(key);
        su_private_key_free(NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_known_signature),
                cmocka_unit_test(test_every_flipped_bit_of_a_signature_fails),
                scratch_test(test_known_private_key),
                scratch_test(test_generate_save_load),
                scratch_test(test_what_is_no_key),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
