#include "support.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "crypto/private_key.h"

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

static struct su_public_key *known_key(void)
{
        struct su_public_key *key = NULL;
        uint8_t raw[SU_ED25519_PUBLIC_SIZE];
        struct su_error err = {0};

        assert_true(su_hex_decode(PUBLIC, raw, sizeof raw));
        assert_ok(su_public_key_from_ed25519(raw, &key, &err), err);
        return key;
}

static struct su_signature known_signature(void)
{
        struct su_signature signature = {.size = SU_ED25519_SIGNATURE_SIZE};

        assert_true(su_hex_decode(SIGNATURE, signature.bytes, signature.size));
        return signature;
}

static void test_known_signature(void **state)
{
        su_auto_public_key struct su_public_key *key = known_key();
        struct su_signature signature = known_signature();

        (void)state;
        assert_true(su_signature_is_valid(key, "\x72", 1, &signature));
        assert_false(su_signature_is_valid(key, "\x73", 1, &signature));
        assert_false(su_signature_is_valid(key, "\x72\x72", 2, &signature));
        assert_false(su_signature_is_valid(key, "", 0, &signature));
        for (size_t size = 0; size < SU_ED25519_SIGNATURE_SIZE; size++) {
                signature.size = size;
                assert_false(su_signature_is_valid(key, "\x72", 1, &signature));
        }
}

static void assert_no_flipped_bit_is_valid(const struct su_public_key *key,
                                           struct su_signature signature)
{
        for (size_t bit = 0; bit < 8 * signature.size; bit++) {
                signature.bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
                assert_false(su_signature_is_valid(key, "\x72", 1, &signature));
                signature.bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        }
        assert_true(su_signature_is_valid(key, "\x72", 1, &signature));
}

static void test_every_flipped_bit_of_a_signature_fails(void **state)
{
        su_auto_public_key struct su_public_key *key = known_key();

        (void)state;
        assert_no_flipped_bit_is_valid(key, known_signature());
}

static void test_every_flipped_bit_of_an_ed25519_key_fails(void **state)
{
        struct su_signature signature = known_signature();
        uint8_t raw[SU_ED25519_PUBLIC_SIZE];

        (void)state;
        assert_true(su_hex_decode(PUBLIC, raw, sizeof raw));
        for (size_t bit = 0; bit < 8 * sizeof raw; bit++) {
                su_auto_public_key struct su_public_key *key = NULL;

                raw[bit / 8] ^= (uint8_t)(1U << (bit % 8));
                if (su_public_key_from_ed25519(raw, &key, NULL) >= 0)
                        assert_false(su_signature_is_valid(key, "\x72", 1, &signature));
                raw[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        }
}

static void test_known_private_key(void **state)
{
        struct scratch *scratch = *state;
        su_auto_private_key struct su_private_key *key = NULL;
        su_auto_public_key struct su_public_key *public_key = NULL;
        su_auto_public_key struct su_public_key *wanted_key = known_key();
        struct su_signature wanted = known_signature();
        struct su_signature signature;
        uint8_t raw[SU_ED25519_PUBLIC_SIZE];
        char hex[2 * sizeof raw + 1];
        struct su_error err = {0};

        write_text(scratch->fd, "key", private_pem);
        assert_ok(su_private_key_load(scratch->fd, "key", NULL, &key, &err), err);
        assert_ok(su_private_key_public(key, &public_key, &err), err);
        assert_true(su_public_key_equal(public_key, wanted_key));
        assert_ok(su_public_key_ed25519(public_key, raw, &err), err);
        su_hex_encode(raw, sizeof raw, hex);
        assert_string_equal(hex, PUBLIC);
        assert_ok(su_sign(key, "\x72", 1, &signature, &err), err);
        assert_int_equal(signature.size, wanted.size);
        assert_memory_equal(signature.bytes, wanted.bytes, wanted.size);
}

static int type_secret(void *userdata, const char *what, char *buffer, size_t size,
                       struct su_error *err)
{
        (void)err;
        assert_string_equal(what, "key");
        (void)snprintf(buffer, size, "%s", (const char *)userdata);
        return 0;
}

static int refuse_to_type(void *userdata, const char *what, char *buffer, size_t size,
                          struct su_error *err)
{
        (void)userdata;
        (void)what;
        (void)buffer;
        (void)size;
        return su_fail(err, SU_ERROR_CANCELLED, "nobody is there");
}

/* Each type, without and with a passphrase: what is saved is what is loaded. */
static void round_trip(int dir_fd, enum su_key_type type, const char *passphrase)
{
        const struct su_passphrase_source source = {type_secret, (void *)passphrase};
        su_auto_private_key struct su_private_key *key = NULL;
        su_auto_private_key struct su_private_key *loaded = NULL;
        su_auto_public_key struct su_public_key *public_key = NULL;
        su_auto_public_key struct su_public_key *loaded_key = NULL;
        su_auto_public_key struct su_public_key *from_pem = NULL;
        su_auto_free char *pem = NULL;
        struct su_signature signature;
        struct su_error err = {0};
        struct stat st;

        assert_ok(su_private_key_generate(type, &key, &err), err);
        assert_ok(su_private_key_save(key, dir_fd, "key", passphrase, &err), err);
        assert_int_equal(fstatat(dir_fd, "key", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_true(su_private_key_save(key, dir_fd, "key", NULL, &err) == -EEXIST);
        assert_ok(su_private_key_load(dir_fd, "key", passphrase ? &source : NULL, &loaded, &err),
                  err);
        assert_ok(su_private_key_public(key, &public_key, &err), err);
        assert_ok(su_private_key_public(loaded, &loaded_key, &err), err);
        assert_true(su_public_key_equal(public_key, loaded_key));
        assert_int_equal(su_public_key_type(loaded_key), type);
        assert_ok(su_public_key_pem(public_key, &pem, &err), err);
        assert_ok(su_public_key_from_pem(pem, strlen(pem), &from_pem, &err), err);
        assert_ok(su_sign(loaded, "\x72", 1, &signature, &err), err);
        assert_true(su_signature_is_valid(from_pem, "\x72", 1, &signature));
        if (type != SU_KEY_RSA_PSS) /* its 3072 bits take too long, one by one */
                assert_no_flipped_bit_is_valid(public_key, signature);
        assert_int_equal(unlinkat(dir_fd, "key", 0), 0);
}

static void test_generate_save_load(void **state)
{
        struct scratch *scratch = *state;

        for (enum su_key_type type = SU_KEY_ED25519; type <= SU_KEY_RSA_PSS; type++) {
                round_trip(scratch->fd, type, NULL);
                round_trip(scratch->fd, type, "correct horse");
        }
}

static void test_keys_differ(void **state)
{
        (void)state;
        for (enum su_key_type type = SU_KEY_ED25519; type <= SU_KEY_RSA_PSS; type++) {
                su_auto_private_key struct su_private_key *one = NULL;
                su_auto_private_key struct su_private_key *other = NULL;
                su_auto_public_key struct su_public_key *one_public = NULL;
                su_auto_public_key struct su_public_key *other_public = NULL;
                struct su_signature signature;
                struct su_error err = {0};

                assert_ok(su_private_key_generate(type, &one, &err), err);
                assert_ok(su_private_key_generate(type, &other, &err), err);
                assert_ok(su_private_key_public(one, &one_public, &err), err);
                assert_ok(su_private_key_public(other, &other_public, &err), err);
                assert_false(su_public_key_equal(one_public, other_public));
                assert_ok(su_sign(one, "text", 4, &signature, &err), err);
                assert_true(su_signature_is_valid(one_public, "text", 4, &signature));
                assert_false(su_signature_is_valid(one_public, "tExt", 4, &signature));
                assert_false(su_signature_is_valid(other_public, "text", 4, &signature));
        }
}

static void test_passphrases(void **state)
{
        struct scratch *scratch = *state;
        const struct su_passphrase_source wrong = {type_secret, (void *)"wrong horse"};
        const struct su_passphrase_source nobody = {refuse_to_type, NULL};
        su_auto_private_key struct su_private_key *key = NULL;
        struct su_private_key *loaded = NULL;
        su_auto_free char *text = NULL;
        struct su_error err = {0};

        assert_ok(su_private_key_generate(SU_KEY_ED25519, &key, &err), err);
        assert_ok(su_private_key_save(key, scratch->fd, "key", "correct horse", &err), err);
        text = read_text(scratch->fd, "key");
        assert_contains(text, "BEGIN ENCRYPTED PRIVATE KEY");
        assert_fails_with(su_private_key_load(scratch->fd, "key", NULL, &loaded, &err), err, CONFIG,
                          "is encrypted");
        assert_fails_with(su_private_key_load(scratch->fd, "key", &wrong, &loaded, &err), err,
                          CONFIG, "is wrong");
        assert_fails_with(su_private_key_load(scratch->fd, "key", &nobody, &loaded, &err), err,
                          CANCELLED, "nobody is there");
        assert_null(loaded);
}

static void test_what_is_no_public_key(void **state)
{
        /* Among them X25519, P-384, and RSA with 1024 bits. */
        static const char *const bad[] = {
                "",
                "rubbish",
                "-----BEGIN PUBLIC KEY-----\n",
                "-----BEGIN PUBLIC KEY-----\n"
                "MCowBQYDK2VuAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=\n"
                "-----END PUBLIC KEY-----\n",
                "-----BEGIN PUBLIC KEY-----\n"
                "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAED8vbaRuSWKglk5Q35vg3dhO3uisEALZw\n"
                "9Wpy8rMpQEBShA0Wuh2T4y2KsXxc5LVX5UkUjV35wAL1S70auZmYkHFhv/ZNw+ni\n"
                "aEJm3QMh+tgn97ZCzCeIEu4WM3WXToNp\n"
                "-----END PUBLIC KEY-----\n",
                "-----BEGIN PUBLIC KEY-----\n"
                "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDsQbY9Td0BCcopGZhlphFsRJvZ\n"
                "umg8VyBb5wNNjtR9O4GUvLdMVogiLJ/aDzsMpa50TfFZFWHjLC6gVAyHUgYGGB2B\n"
                "ErFzaBst7OpVaUq3ADUIUHb74kJpiAXS3aCGFTSCNcOjwMDegqH1cmWXcUbgWdGi\n"
                "sVXPn1JyQMn8W34cqQIDAQAB\n"
                "-----END PUBLIC KEY-----\n",
        };
        struct su_public_key *key = NULL;
        struct su_error err = {0};

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(bad); i++)
                assert_fails(su_public_key_from_pem(bad[i], strlen(bad[i]), &key, &err), err,
                             FORMAT);
        assert_null(key);
        su_public_key_free(NULL);
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
                assert_fails_with(su_private_key_load(scratch->fd, "key", NULL, &key, &err), err,
                                  FORMAT, "'key'");
        }
        assert_true(su_private_key_load(scratch->fd, "missing", NULL, &key, &err) == -ENOENT);
        assert_null(key);
        su_private_key_free(NULL);
}

/* Under these, the signature of zeroes would hold for a quarter of all texts. */
static void test_points_of_small_order(void **state)
{
        static const char *const points[] = {
                "0000000000000000000000000000000000000000000000000000000000000000",
                "0000000000000000000000000000000000000000000000000000000000000080",
                "0100000000000000000000000000000000000000000000000000000000000000",
                "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
                "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        };

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(points); i++) {
                struct su_public_key *key = NULL;
                uint8_t raw[SU_ED25519_PUBLIC_SIZE];
                struct su_error err = {0};

                assert_true(su_hex_decode(points[i], raw, sizeof raw));
                assert_fails(su_public_key_from_ed25519(raw, &key, &err), err, FORMAT);
        }
}

/* One modulus, with the exponents 1, 2, and one of its own length. */
static void test_bad_exponents(void **state)
{
        static const char *const bad[] = {
                "-----BEGIN PUBLIC KEY-----\n"
                "MIIBIDANBgkqhkiG9w0BAQEFAAOCAQ0AMIIBCAKCAQEAs5uDR/HYjUsW5q34IeCc\n"
                "Pz1tL8FN5hDJbhU5wXc/imen1ZpFsa8ws0j2z7zL3yH37ZB8Q21iWozGCeHBNTfy\n"
                "4rQ/6yQkWWZYrmjyzA0OJfN7nGknC1Ao3XHiiQDXCVXSaSG4xW8lFdAwlD6Q2JFB\n"
                "2RNf3oK6vberZq4s5oIOWYfBOERzPg+3igo1dNf3Tps6LKj5s24iITvXB8T/SNJP\n"
                "s8G845X5ct4zYw+Z2+2F7R8xDuz2RXGn2ooMS3YUeDV4Kw2ueKsPSISlHVMZYk6Y\n"
                "+X2um3wSU1rVnqKYheZA251CYStIzfZ360CjtpMqWny3CgLgKGzB6onLkyuBNw3q\n"
                "5wIBAQ==\n"
                "-----END PUBLIC KEY-----\n",
                "-----BEGIN PUBLIC KEY-----\n"
                "MIIBIDANBgkqhkiG9w0BAQEFAAOCAQ0AMIIBCAKCAQEAs5uDR/HYjUsW5q34IeCc\n"
                "Pz1tL8FN5hDJbhU5wXc/imen1ZpFsa8ws0j2z7zL3yH37ZB8Q21iWozGCeHBNTfy\n"
                "4rQ/6yQkWWZYrmjyzA0OJfN7nGknC1Ao3XHiiQDXCVXSaSG4xW8lFdAwlD6Q2JFB\n"
                "2RNf3oK6vberZq4s5oIOWYfBOERzPg+3igo1dNf3Tps6LKj5s24iITvXB8T/SNJP\n"
                "s8G845X5ct4zYw+Z2+2F7R8xDuz2RXGn2ooMS3YUeDV4Kw2ueKsPSISlHVMZYk6Y\n"
                "+X2um3wSU1rVnqKYheZA251CYStIzfZ360CjtpMqWny3CgLgKGzB6onLkyuBNw3q\n"
                "5wIBAg==\n"
                "-----END PUBLIC KEY-----\n",
                "-----BEGIN PUBLIC KEY-----\n"
                "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAQEAs5uDR/HYjUsW5q34IeCc\n"
                "Pz1tL8FN5hDJbhU5wXc/imen1ZpFsa8ws0j2z7zL3yH37ZB8Q21iWozGCeHBNTfy\n"
                "4rQ/6yQkWWZYrmjyzA0OJfN7nGknC1Ao3XHiiQDXCVXSaSG4xW8lFdAwlD6Q2JFB\n"
                "2RNf3oK6vberZq4s5oIOWYfBOERzPg+3igo1dNf3Tps6LKj5s24iITvXB8T/SNJP\n"
                "s8G845X5ct4zYw+Z2+2F7R8xDuz2RXGn2ooMS3YUeDV4Kw2ueKsPSISlHVMZYk6Y\n"
                "+X2um3wSU1rVnqKYheZA251CYStIzfZ360CjtpMqWny3CgLgKGzB6onLkyuBNw3q\n"
                "5wKCAQEAs5uDR/HYjUsW5q34IeCcPz1tL8FN5hDJbhU5wXc/imen1ZpFsa8ws0j2\n"
                "z7zL3yH37ZB8Q21iWozGCeHBNTfy4rQ/6yQkWWZYrmjyzA0OJfN7nGknC1Ao3XHi\n"
                "iQDXCVXSaSG4xW8lFdAwlD6Q2JFB2RNf3oK6vberZq4s5oIOWYfBOERzPg+3igo1\n"
                "dNf3Tps6LKj5s24iITvXB8T/SNJPs8G845X5ct4zYw+Z2+2F7R8xDuz2RXGn2ooM\n"
                "S3YUeDV4Kw2ueKsPSISlHVMZYk6Y+X2um3wSU1rVnqKYheZA251CYStIzfZ360Cj\n"
                "tpMqWny3CgLgKGzB6onLkyuBNw3q5Q==\n"
                "-----END PUBLIC KEY-----\n",
        };
        struct su_public_key *key = NULL;
        struct su_error err = {0};

        (void)state;
        for (size_t i = 0; i < SU_ELEMENTS(bad); i++)
                assert_fails_with(su_public_key_from_pem(bad[i], strlen(bad[i]), &key, &err), err,
                                  FORMAT, "exponent");
        assert_null(key);
}

/* A key for RSA, and the same key for RSA-PSS alone: both together are one signer. */
static void test_one_key_in_two_algorithms(void **state)
{
        static const char *const texts[] = {
                "-----BEGIN PUBLIC KEY-----\n"
                "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAs5uDR/HYjUsW5q34IeCc\n"
                "Pz1tL8FN5hDJbhU5wXc/imen1ZpFsa8ws0j2z7zL3yH37ZB8Q21iWozGCeHBNTfy\n"
                "4rQ/6yQkWWZYrmjyzA0OJfN7nGknC1Ao3XHiiQDXCVXSaSG4xW8lFdAwlD6Q2JFB\n"
                "2RNf3oK6vberZq4s5oIOWYfBOERzPg+3igo1dNf3Tps6LKj5s24iITvXB8T/SNJP\n"
                "s8G845X5ct4zYw+Z2+2F7R8xDuz2RXGn2ooMS3YUeDV4Kw2ueKsPSISlHVMZYk6Y\n"
                "+X2um3wSU1rVnqKYheZA251CYStIzfZ360CjtpMqWny3CgLgKGzB6onLkyuBNw3q\n"
                "5wIDAQAB\n"
                "-----END PUBLIC KEY-----\n",
                "-----BEGIN PUBLIC KEY-----\n"
                "MIIBIDALBgkqhkiG9w0BAQoDggEPADCCAQoCggEBALObg0fx2I1LFuat+CHgnD89\n"
                "bS/BTeYQyW4VOcF3P4pnp9WaRbGvMLNI9s+8y98h9+2QfENtYlqMxgnhwTU38uK0\n"
                "P+skJFlmWK5o8swNDiXze5xpJwtQKN1x4okA1wlV0mkhuMVvJRXQMJQ+kNiRQdkT\n"
                "X96Cur23q2auLOaCDlmHwThEcz4Pt4oKNXTX906bOiyo+bNuIiE71wfE/0jST7PB\n"
                "vOOV+XLeM2MPmdvthe0fMQ7s9kVxp9qKDEt2FHg1eCsNrnirD0iEpR1TGWJOmPl9\n"
                "rpt8ElNa1Z6imIXmQNudQmErSM32d+tAo7aTKlp8twoC4ChsweqJy5MrgTcN6ucC\n"
                "AwEAAQ==\n"
                "-----END PUBLIC KEY-----\n",
        };
        su_auto_public_key struct su_public_key *rsa = NULL;
        su_auto_public_key struct su_public_key *pss = NULL;
        struct su_error err = {0};

        (void)state;
        assert_ok(su_public_key_from_pem(texts[0], strlen(texts[0]), &rsa, &err), err);
        assert_ok(su_public_key_from_pem(texts[1], strlen(texts[1]), &pss, &err), err);
        assert_int_equal(su_public_key_type(rsa), su_public_key_type(pss));
        assert_true(su_public_key_equal(rsa, rsa));
        assert_true(su_public_key_equal(rsa, pss));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_known_signature),
                cmocka_unit_test(test_every_flipped_bit_of_a_signature_fails),
                scratch_test(test_known_private_key),
                cmocka_unit_test(test_every_flipped_bit_of_an_ed25519_key_fails),
                cmocka_unit_test(test_points_of_small_order),
                cmocka_unit_test(test_bad_exponents),
                scratch_test(test_generate_save_load),
                cmocka_unit_test(test_keys_differ),
                cmocka_unit_test(test_one_key_in_two_algorithms),
                scratch_test(test_passphrases),
                cmocka_unit_test(test_what_is_no_public_key),
                scratch_test(test_what_is_no_key),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
