#include "transparency/cosignature.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "transparency/checkpoint.h"

#define TIME_SIZE 8
#define SIZE (TIME_SIZE + SU_ED25519_SIGNATURE_SIZE)

static int check_type(const struct su_note_key *witness, struct su_error *err)
{
        if (witness->type != SU_NOTE_COSIGNATURE)
                return su_fail(err, SU_ERROR_USAGE, "the key of '%s' does not cosign",
                               witness->name);
        return 0;
}

/* C2SP tlog-cosignature, "Ed25519 signed message". The caller frees. */
static int make_message(const char *text, int64_t time, char **ret, struct su_error *err)
{
        return su_format(ret, err, "cosignature/v1\ntime %" PRId64 "\n%s", time, text);
}

/* As it is written: after 2^63 - 1 seconds there is no time. */
static uint64_t read_time(const struct su_note_signature *signature)
{
        uint64_t time = 0;

        for (size_t i = 0; i < TIME_SIZE; i++)
                time = time << 8 | signature->bytes[i];
        return time;
}

int64_t su_cosignature_time(const struct su_note_signature *signature)
{
        if (signature->size != SIZE || read_time(signature) > INT64_MAX)
                return -1;
        return (int64_t)read_time(signature);
}

static int check_one(const char *text, const struct su_note_signature *signature,
                     const struct su_note_key *witness, int64_t *ret_time, struct su_error *err)
{
        struct su_signature ed25519 = {.size = SU_ED25519_SIGNATURE_SIZE};
        su_auto_free char *message = NULL;
        uint64_t time;
        int r;

        if (signature->size != SIZE)
                return su_fail(err, SU_ERROR_SIGNATURE, "the cosignature by '%s' has a wrong size",
                               witness->name);
        time = read_time(signature);
        if (time > INT64_MAX)
                return su_fail(err, SU_ERROR_SIGNATURE,
                               "the cosignature by '%s' has a time that does not exist",
                               witness->name);
        r = make_message(text, (int64_t)time, &message, err);
        if (r < 0)
                return r;
        memcpy(ed25519.bytes, signature->bytes + TIME_SIZE, SU_ED25519_SIGNATURE_SIZE);
        if (!su_signature_is_valid(witness->key, message, strlen(message), &ed25519))
                return su_fail(err, SU_ERROR_SIGNATURE, "the cosignature by '%s' is wrong",
                               witness->name);
        *ret_time = (int64_t)time;
        return 0;
}

int su_cosignature_check(const struct su_note *note, const struct su_note_key *witness,
                         bool *ret_signed, int64_t *ret_time, struct su_error *err)
{
        bool is_signed = false;
        int64_t latest = 0;
        int r;

        r = check_type(witness, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < note->n_signatures; i++) {
                const struct su_note_signature *signature = note->signatures + i;
                int64_t time;

                if (!su_note_signature_is_by(signature, witness))
                        continue;
                r = check_one(note->text, signature, witness, &time, err);
                if (r < 0)
                        return r;
                if (!is_signed || time > latest)
                        latest = time;
                is_signed = true;
        }
        *ret_signed = is_signed;
        *ret_time = latest;
        return 0;
}

int su_cosignature_make(const char *text, int64_t time, const struct su_note_key *witness,
                        const struct su_private_key *private_key, char **ret_line,
                        struct su_error *err)
{
        su_auto_checkpoint struct su_checkpoint checkpoint = {0};
        su_auto_free char *message = NULL;
        struct su_signature signature;
        uint8_t bytes[SIZE];
        int r;

        r = check_type(witness, err);
        if (r >= 0)
                r = su_checkpoint_parse(text, strlen(text), &checkpoint, err);
        if (r < 0)
                return r;
        if (time < 0)
                return su_fail(err, SU_ERROR_USAGE, "a cosignature cannot be from before 1970");
        r = make_message(text, time, &message, err);
        if (r >= 0)
                r = su_sign(private_key, message, strlen(message), &signature, err);
        if (r < 0)
                return r;
        if (signature.size != SU_ED25519_SIGNATURE_SIZE ||
            !su_signature_is_valid(witness->key, message, strlen(message), &signature))
                return su_fail(err, SU_ERROR_SIGNATURE,
                               "the private key is not the one of the verifier key of '%s'",
                               witness->name);
        for (unsigned i = 0; i < TIME_SIZE; i++)
                bytes[i] = (uint8_t)((uint64_t)time >> (56 - 8 * i));
        memcpy(bytes + TIME_SIZE, signature.bytes, SU_ED25519_SIGNATURE_SIZE);
        return su_note_signature_line(witness, bytes, sizeof bytes, ret_line, err);
}
