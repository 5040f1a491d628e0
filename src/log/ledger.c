#include "log/ledger.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "log/place.h"
#include "log/witness.h"
#include "transparency/append.h"
#include "transparency/cosignature.h"
#include "transparency/proof.h"
#include "transparency/tiles.h"

#define CHECKPOINT_PATH "log/checkpoint"

static int write_note(int public_fd, const char *note, struct su_error *err)
{
        su_auto_close int fd = -EBADF;
        int r;

        r = su_dir_make(public_fd, "log", 0755, &fd, err);
        return r < 0 ? r : su_file_write(fd, "checkpoint", note, strlen(note), 0644, err);
}

static int sign_checkpoint(uint64_t size, const struct su_sha256 *root,
                           const struct su_note_key *log, const struct su_private_key *key,
                           char **ret, struct su_error *err)
{
        su_auto_free char *text = NULL;
        su_auto_free char *line = NULL;
        int r;

        r = su_checkpoint_format(log->name, size, root, NULL, &text, err);
        if (r >= 0)
                r = su_note_sign(text, log, key, &line, err);
        return r < 0 ? r : su_note_format(text, line, ret, err);
}

int su_ledger_create(int public_fd, const struct su_note_key *log, const struct su_private_key *key,
                     struct su_error *err)
{
        struct su_sha256 root; /* of an empty tree */
        su_auto_free char *note = NULL;
        int r;

        if (faccessat(public_fd, CHECKPOINT_PATH, F_OK, 0) == 0)
                return su_fail(err, SU_ERROR_CONFLICT, "the repository has a log already");
        r = su_sha256_of("", 0, &root, err);
        if (r >= 0)
                r = sign_checkpoint(0, &root, log, key, &note, err);
        return r < 0 ? r : write_note(public_fd, note, err);
}

/* The note's text as a checkpoint, signed by the log itself. */
static int read_note(const char *data, size_t size, const struct su_note_key *log,
                     struct su_checkpoint *ret, struct su_error *err)
{
        su_auto_note struct su_note *note = NULL;
        int r;

        r = su_note_parse(data, size, &note, err);
        if (r >= 0)
                r = su_note_verify(note, log, err);
        return r < 0 ? r : su_checkpoint_parse(note->text, note->text_size, ret, err);
}

int su_ledger_open(int public_fd, const struct su_policy *policy, const struct su_private_key *key,
                   struct su_ledger *ret, struct su_error *err)
{
        su_auto_ledger struct su_ledger ledger = {
                .public_fd = public_fd, .policy = policy, .key = key};
        size_t size;
        int r;

        if (su_policy_n_logs(policy) == 0)
                return su_fail(err, SU_ERROR_CONFIG, "the log policy names no log");
        r = su_file_read(public_fd, CHECKPOINT_PATH, SU_NOTE_SIZE_MAX, &ledger.note, &size, err);
        if (r == -ENOENT)
                return su_fail(err, SU_ERROR_NOT_FOUND, "the repository has no log");
        if (r >= 0)
                r = read_note(ledger.note, size, su_policy_log(policy, 0)->key, &ledger.checkpoint,
                              err);
        if (r < 0)
                return su_fail_prefix(err, r, "log checkpoint");
        *ret = ledger;
        ledger.note = NULL;
        ledger.checkpoint = (struct su_checkpoint){0};
        return 0;
}

void su_ledger_done(struct su_ledger *ledger)
{
        free(ledger->note);
        su_checkpoint_clear(&ledger->checkpoint);
        *ledger = (struct su_ledger){0};
}

static int open_tiles(const struct su_ledger *ledger, struct su_place *place, struct su_tiles **ret,
                      struct su_error *err)
{
        struct su_tiles_reader reader = su_place_tiles(place);

        return su_tiles_open(&reader, ledger->checkpoint.size, &ledger->checkpoint.root, ret, err);
}

struct wanted {
        const char *entry;
        size_t size;
        bool found;
        uint64_t index;
};

static int compare_entry(void *userdata, uint64_t index, const struct su_log_entry *entry,
                         struct su_error *err)
{
        struct wanted *wanted = userdata;

        (void)err;
        if (!wanted->found && entry->size == wanted->size &&
            memcmp(entry->data, wanted->entry, wanted->size) == 0) {
                wanted->found = true;
                wanted->index = index;
        }
        return 0;
}

/* All of the log is read, and checked, before anything is added to it. */
static int find_entry(struct su_ledger *ledger, struct wanted *wanted, struct su_error *err)
{
        su_auto_place struct su_place *place = NULL;
        su_auto_tiles struct su_tiles *tiles = NULL;
        int r;

        r = su_place_of_directory(ledger->public_fd, &place, err);
        if (r >= 0)
                r = open_tiles(ledger, place, &tiles, err);
        return r < 0 ? r : su_tiles_verify_all(tiles, compare_entry, wanted, err);
}

static int put_tile(void *userdata, const char *path, const void *data, size_t size,
                    struct su_error *err)
{
        const struct su_ledger *ledger = userdata;
        su_auto_close int fd = -EBADF;
        su_auto_free char *directory = NULL;
        const char *slash = strrchr(path, '/');
        int r;

        r = su_format(&directory, err, "log/%.*s", (int)(slash - path), path);
        if (r >= 0)
                r = su_dir_make(ledger->public_fd, directory, 0755, &fd, err);
        return r < 0 ? r : su_file_write(fd, slash + 1, data, size, 0644, err);
}

static int adopt_note(struct su_ledger *ledger, char **note, struct su_error *err)
{
        struct su_checkpoint checkpoint = {0};
        int r;

        r = read_note(*note, strlen(*note), su_policy_log(ledger->policy, 0)->key, &checkpoint,
                      err);
        if (r >= 0)
                r = write_note(ledger->public_fd, *note, err);
        if (r < 0) {
                su_checkpoint_clear(&checkpoint);
                return r;
        }
        su_checkpoint_clear(&ledger->checkpoint);
        ledger->checkpoint = checkpoint;
        free(ledger->note);
        ledger->note = su_take(*note);
        return 0;
}

static int grow(struct su_ledger *ledger, const struct su_log_entry *entry, struct su_error *err)
{
        const struct su_tiles_writer writer = {put_tile, ledger};
        const struct su_checkpoint *present = &ledger->checkpoint;
        su_auto_place struct su_place *place = NULL;
        su_auto_free char *note = NULL;
        struct su_tiles_reader reader;
        struct su_sha256 root;
        int r;

        r = su_place_of_directory(ledger->public_fd, &place, err);
        if (r < 0)
                return r;
        reader = su_place_tiles(place);
        r = su_tiles_append(&reader, &writer, present->size, &present->root, entry, 1, &root, err);
        if (r >= 0)
                r = sign_checkpoint(present->size + 1, &root, su_policy_log(ledger->policy, 0)->key,
                                    ledger->key, &note, err);
        return r < 0 ? r : adopt_note(ledger, &note, err);
}

int su_ledger_append(struct su_ledger *ledger, const char *entry, size_t size, uint64_t *ret_index,
                     struct su_error *err)
{
        struct wanted wanted = {.entry = entry, .size = size};
        int r;

        r = find_entry(ledger, &wanted, err);
        if (r < 0)
                return su_fail_prefix(err, r, "log");
        if (!wanted.found) {
                wanted.index = ledger->checkpoint.size;
                r = grow(ledger, &(struct su_log_entry){entry, size}, err);
                if (r < 0)
                        return su_fail_prefix(err, r, "log");
        }
        *ret_index = wanted.index;
        return 0;
}

/* What the lines say of the ledger's checkpoint. */
static int parse_lines(const struct su_note *present, const char *lines, size_t size,
                       struct su_note **ret, struct su_error *err)
{
        su_auto_free char *copy = NULL;
        su_auto_free char *data = NULL;
        int r;

        if (memchr(lines, '\0', size))
                return su_fail(err, SU_ERROR_FORMAT, "the signature lines have a NUL in them");
        r = su_format(&copy, err, "%.*s", (int)size, lines);
        if (r >= 0)
                r = su_note_format(present->text, copy, &data, err);
        return r < 0 ? r : su_note_parse(data, strlen(data), ret, err);
}

/* The line of the witness's latest cosignature, of that `time`. */
static int line_of(const struct su_note *note, const struct su_note_key *witness, int64_t time,
                   char **ret, struct su_error *err)
{
        for (size_t i = 0; i < note->n_signatures; i++) {
                const struct su_note_signature *signature = note->signatures + i;

                if (su_note_signature_is_by(signature, witness) &&
                    su_cosignature_time(signature) == time)
                        return su_note_signature_line(witness, signature->bytes, signature->size,
                                                      ret, err);
        }
        return su_fail(err, SU_ERROR_SIGNATURE, "'%s' has not cosigned", witness->name);
}

/* One line of each witness of the policy that had not cosigned before, and nothing else: a witness
 * must not leave the others no room. A wrong cosignature by any of them is an error. */
static int choose_lines(const struct su_ledger *ledger, const struct su_note *present,
                        const struct su_note *answer, char **ret, struct su_error *err)
{
        su_auto_free char *chosen = NULL;
        int r;

        r = su_strdup("", &chosen, err);
        for (size_t i = 0; i < su_policy_n_witnesses(ledger->policy) && r >= 0; i++) {
                const struct su_note_key *key = su_policy_witness(ledger->policy, i)->key;
                su_auto_free char *before = NULL;
                su_auto_free char *line = NULL;
                bool had_cosigned = false;
                bool cosigned = false;
                int64_t time;

                r = su_cosignature_check(present, key, &had_cosigned, &time, err);
                if (r >= 0)
                        r = su_cosignature_check(answer, key, &cosigned, &time, err);
                if (r < 0 || had_cosigned || !cosigned)
                        continue;
                r = line_of(answer, key, time, &line, err);
                if (r < 0)
                        continue;
                before = su_take(chosen);
                r = su_format(&chosen, err, "%s%s", before, line);
        }
        if (r < 0)
                return r;
        if (!chosen[0])
                return su_fail(err, SU_ERROR_SIGNATURE,
                               "no witness of the log policy has cosigned this checkpoint there "
                               "that had not before");
        *ret = su_take(chosen);
        return 0;
}

int su_ledger_add_cosignatures(struct su_ledger *ledger, const char *lines, size_t size,
                               struct su_error *err)
{
        su_auto_note struct su_note *present = NULL;
        su_auto_note struct su_note *answer = NULL;
        su_auto_free char *chosen = NULL;
        su_auto_free char *note = NULL;
        int r;

        if (size > SU_NOTE_SIZE_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE,
                               "cosignatures: there are more than %d bytes", SU_NOTE_SIZE_MAX);
        r = su_note_parse(ledger->note, strlen(ledger->note), &present, err);
        if (r >= 0)
                r = parse_lines(present, lines, size, &answer, err);
        if (r >= 0)
                r = choose_lines(ledger, present, answer, &chosen, err);
        if (r >= 0)
                r = su_note_add(ledger->note, strlen(ledger->note), chosen, strlen(chosen), &note,
                                err);
        return r < 0 ? su_fail_prefix(err, r, "cosignatures") : adopt_note(ledger, &note, err);
}

static int has_cosigned(const struct su_ledger *ledger, const struct su_policy_witness *witness,
                        bool *ret, struct su_error *err)
{
        su_auto_note struct su_note *note = NULL;
        int64_t time;
        int r;

        r = su_note_parse(ledger->note, strlen(ledger->note), &note, err);
        return r < 0 ? r : su_cosignature_check(note, witness->key, ret, &time, err);
}

static int ask_witness(struct su_ledger *ledger, const struct su_policy_witness *witness,
                       struct su_error *err)
{
        su_auto_place struct su_place *place = NULL;
        su_auto_tiles struct su_tiles *tiles = NULL;
        su_auto_free char *lines = NULL;
        size_t size;
        int r;

        r = su_place_of_directory(ledger->public_fd, &place, err);
        if (r >= 0)
                r = open_tiles(ledger, place, &tiles, err);
        if (r >= 0)
                r = su_witness_ask(witness->url, tiles, ledger->checkpoint.size, ledger->note,
                                   &lines, &size, err);
        return r < 0 ? r : su_ledger_add_cosignatures(ledger, lines, size, err);
}

int su_ledger_ask_witnesses(struct su_ledger *ledger, su_witness_failed failed, void *userdata,
                            struct su_error *err)
{
        for (size_t i = 0; i < su_policy_n_witnesses(ledger->policy); i++) {
                const struct su_policy_witness *witness = su_policy_witness(ledger->policy, i);
                struct su_error here = {0};
                bool cosigned;
                int r;

                r = has_cosigned(ledger, witness, &cosigned, err);
                if (r < 0)
                        return r;
                if (!cosigned && witness->url && ask_witness(ledger, witness, &here) < 0)
                        failed(userdata, witness->name, &here);
        }
        return 0;
}

int su_ledger_prove(struct su_ledger *ledger, uint64_t index, const char *entry, size_t size,
                    char **ret, struct su_error *err)
{
        struct su_tree_proof path = {0};
        su_auto_log_head struct su_log_head head = {0};
        su_auto_place struct su_place *place = NULL;
        su_auto_tiles struct su_tiles *tiles = NULL;
        su_auto_free char *text = NULL;
        uint64_t proven;
        int r;

        r = su_place_of_directory(ledger->public_fd, &place, err);
        if (r >= 0)
                r = open_tiles(ledger, place, &tiles, err);
        if (r >= 0)
                r = su_tiles_prove_inclusion(tiles, index, &path, NULL, err);
        if (r >= 0)
                r = su_log_proof_format(index, &path, ledger->note, NULL, 0, &text, err);
        if (r >= 0) /* as a device will */
                r = su_log_proof_verify(ledger->policy, text, strlen(text), entry, size, &head,
                                        &proven, err);
        if (r < 0)
                return r;
        *ret = su_take(text);
        return 0;
}
