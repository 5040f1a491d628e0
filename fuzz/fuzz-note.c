/* Notes and checkpoints that are accepted are written as they were read, and a signature by a key
 * that did not sign is not valid. */
#include <string.h>

#include "fuzz.h"
#include "transparency/checkpoint.h"
#include "transparency/cosignature.h"
#include "transparency/note.h"

/* golang.org/x/mod/sumdb/note, note_test.go; and the same key as a witness's. */
#define LOG "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define SIGNED                                                                                     \
        "If you think cryptography is the answer to your problem,\nthen you don't know what your " \
        "problem is.\n"

static void check_checkpoint(const char *text, size_t size)
{
        su_auto_checkpoint struct su_checkpoint checkpoint = {0};
        su_auto_free char *again = NULL;

        if (su_checkpoint_parse(text, size, &checkpoint, NULL) < 0)
                return;
        fuzz_check(checkpoint.size <= SU_LOG_SIZE_MAX);
        fuzz_check(su_checkpoint_format(checkpoint.origin, checkpoint.size, &checkpoint.root,
                                        checkpoint.extensions, &again, NULL) >= 0);
        fuzz_check(strlen(again) == size && memcmp(again, text, size) == 0);
}

static void check_signatures(const struct su_note *note)
{
        su_auto_note_key struct su_note_key *log = NULL;
        su_auto_note_key struct su_note_key *witness = NULL;
        bool is_signed;
        int64_t time;

        fuzz_check(su_note_key_parse(LOG, strlen(LOG), &log, NULL) >= 0);
        fuzz_check(su_note_key_new(log->name, SU_NOTE_COSIGNATURE, log->key, &witness, NULL) >= 0);
        if (su_note_check(note, log, &is_signed, NULL) >= 0 && is_signed)
                fuzz_check(strcmp(note->text, SIGNED) == 0);
        if (su_cosignature_check(note, witness, &is_signed, &time, NULL) >= 0)
                fuzz_check(!is_signed);
}

static void check_key(const char *text, size_t size)
{
        su_auto_note_key struct su_note_key *key = NULL;
        su_auto_free char *again = NULL;

        if (su_note_key_parse(text, size, &key, NULL) < 0)
                return;
        fuzz_check(su_note_key_format(key, &again, NULL) >= 0);
        fuzz_check(strlen(again) == size && memcmp(again, text, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = size > 0 ? (const char *)data : "";
        su_auto_note struct su_note *note = NULL;
        su_auto_free char *again = NULL;

        check_key(text, size);
        check_checkpoint(text, size);
        if (su_note_parse(text, size, &note, NULL) < 0)
                return 0;
        fuzz_check(note->n_signatures > 0 && note->n_signatures <= SU_NOTE_SIGNATURES_MAX);
        fuzz_check(su_note_format(note->text, note->lines, &again, NULL) >= 0);
        fuzz_check(strlen(again) == size && memcmp(again, text, size) == 0);
        check_checkpoint(note->text, note->text_size);
        check_signatures(note);
        return 0;
}
