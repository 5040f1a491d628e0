#include "delta/make/parts_make.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "delta/apply/format.h"
#include "delta/codec/codec.h"
#include "delta/elf/bytes.h"
#include "delta/make/index.h"
#include "delta/make/module_delta.h"
#include "delta/make/modules.h"

#define PACK_MIN 32768 /* inserted bytes in a row that are packed rather than coded */
#define PACK_LEVEL 19
#define PLAIN_MIN_LENGTH 12
#define PLAIN_SPACE_MAX (UINT64_C(1) << 29) /* of a larger space no index is made */

struct encoder {
        const struct su_space *space;
        const uint8_t *target;
        uint64_t target_size;
        struct su_found_modules old, new;
        struct su_suffixes suffixes; /* of the space; made when it is first needed */

        struct su_coder coder;
        struct su_codec *codec;
        struct su_bytes packed;
        uint64_t next_source;
        struct planned *parts;
        size_t n_parts, capacity;
};

/* A part before it is coded. */
struct planned {
        struct su_delta_part part;
        uint64_t offset; /* in the target */
        struct su_operations operations;
        const struct su_found_module *old;
        bool omits_index;
};

static void encoder_done(struct encoder *encoder)
{
        for (size_t i = 0; i < encoder->n_parts; i++)
                su_operations_done(&encoder->parts[i].operations);
        free(encoder->parts);
        su_found_modules_done(&encoder->old);
        su_found_modules_done(&encoder->new);
        su_suffixes_done(&encoder->suffixes);
        su_codec_free(encoder->codec);
        su_coder_done(&encoder->coder);
        su_bytes_done(&encoder->packed);
}

static int add_part(struct encoder *encoder, enum su_delta_part_kind kind, uint64_t offset,
                    uint64_t size, struct planned **ret, struct su_error *err)
{
        if (encoder->n_parts == SU_DELTA_PARTS_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "too many parts for one delta");
        if (encoder->n_parts == encoder->capacity) {
                size_t capacity = encoder->capacity ? encoder->capacity * 2 : 64;
                struct planned *larger = realloc(encoder->parts, capacity * sizeof *larger);

                if (!larger)
                        return su_fail_oom(err);
                encoder->parts = larger;
                encoder->capacity = capacity;
        }
        *ret = &encoder->parts[encoder->n_parts++];
        **ret = (struct planned){.part = {.kind = kind, .size = size}, .offset = offset};
        return 0;
}

/* ---- plain parts ---- */

/* The operations from `next` on, up to one in front of which much is inserted. */
static int add_plain(struct encoder *encoder, uint64_t base, uint64_t start, uint64_t end,
                     const struct su_operations *operations, size_t first, size_t last,
                     struct su_error *err)
{
        struct planned *planned;
        int r;

        if (start == end)
                return 0;
        r = add_part(encoder, SU_PART_PLAIN, base + start, end - start, &planned, err);
        for (size_t i = first; i < last && r >= 0; i++) {
                struct su_operation operation = operations->items[i];

                operation.to -= (uint32_t)start;
                r = su_operations_add(&planned->operations, operation, err);
        }
        return r;
}

static int split_plain(struct encoder *encoder, uint64_t base, uint64_t size,
                       const struct su_operations *operations, struct su_error *err)
{
        uint64_t start = 0, end = 0;
        size_t first = 0;

        for (size_t i = 0; i <= operations->n; i++) {
                uint64_t next = i < operations->n ? operations->items[i].to : size;
                struct planned *packed;
                bool full = i - first == SU_OPERATIONS_MAX;
                int r;

                if (next - end >= PACK_MIN || full) {
                        uint64_t stop = full ? next : end;

                        r = add_plain(encoder, base, start, stop, operations, first, i, err);
                        if (r >= 0 && next > stop)
                                r = add_part(encoder, SU_PART_PACKED, base + stop, next - stop,
                                             &packed, err);
                        if (r < 0)
                                return r;
                        start = next;
                        first = i;
                }
                if (i < operations->n)
                        end = next + operations->items[i].length;
        }
        return add_plain(encoder, base, start, size, operations, first, operations->n, err);
}

static int match_plain(struct encoder *encoder, uint64_t offset, uint64_t size,
                       struct su_operations *ret, struct su_error *err)
{
        struct su_texts texts = {.old = encoder->space->data,
                                 .new = encoder->target + offset,
                                 .old_size = encoder->space->size,
                                 .new_size = size};
        int r = 0;

        if (encoder->space->size == 0 || encoder->space->size > PLAIN_SPACE_MAX)
                return 0;
        if (!encoder->suffixes.order)
                r = su_suffixes_make(encoder->space->data, encoder->space->size, &encoder->suffixes,
                                     err);
        return r < 0 ? r : su_match(&texts, &encoder->suffixes, PLAIN_MIN_LENGTH, ret, err);
}

static int plan_plain(struct encoder *encoder, uint64_t offset, uint64_t size, struct su_error *err)
{
        su_auto_operations struct su_operations operations = {0};
        int r;

        if (size == 0)
                return 0;
        r = match_plain(encoder, offset, size, &operations, err);
        return r < 0 ? r : split_plain(encoder, offset, size, &operations, err);
}

/* ---- modules ---- */

static const uint8_t *old_bytes(const struct encoder *encoder, const struct su_found_module *old)
{
        return encoder->space->data + encoder->space->offsets[old->source] + old->offset;
}

static bool is_the_same(const struct encoder *encoder, const struct su_found_module *old,
                        const struct su_found_module *new)
{
        return old->size ==
               new->size &&memcmp(old_bytes(encoder, old), encoder->target + new->offset,
                                  new->size) == 0;
}

static bool is_unchanged(const struct encoder *encoder, const struct su_found_module *new)
{
        for (size_t i = 0; i < encoder->old.n; i++)
                if (is_the_same(encoder, &encoder->old.items[i], new))
                        return true;
        return false;
}

/* Two modules that are to be told, the one from the other. */
struct pair {
        struct su_module old, new;
        uint8_t *want; /* the new bytes as they are told, when they differ from the new ones */
        struct su_labelled old_labelled, new_labelled;
};

static void pair_done(struct pair *pair)
{
        su_module_done(&pair->old);
        su_module_done(&pair->new);
        free(pair->want);
}

/* With `omits_index` the new bytes have the old table of .eh_frame_hdr. */
static int pair_open(const struct encoder *encoder, const struct su_found_module *old,
                     uint64_t offset, uint64_t size, bool omits_index, struct pair *ret,
                     struct su_error *err)
{
        const uint8_t *want = encoder->target + offset;
        int r;

        r = su_module_open(old_bytes(encoder, old), old->size, &ret->old, err);
        if (r >= 0 && omits_index) {
                r = su_index_replace(&ret->old.elf, want, size, &ret->want, err);
                want = ret->want;
        }
        if (r >= 0)
                r = su_module_open(want, size, &ret->new, err);
        ret->old_labelled.module = &ret->old;
        ret->new_labelled.module = &ret->new;
        if (r >= 0 && omits_index) {
                su_index_range(&ret->old.elf, &ret->old_labelled.index_start,
                               &ret->old_labelled.index_end);
                su_index_range(&ret->new.elf, &ret->new_labelled.index_start,
                               &ret->new_labelled.index_end);
        }
        return r;
}

/* The decoder looks for the new index where operations take the old one. */
static int finds_index(const struct pair *pair, const struct su_operations *operations, bool *ret,
                       struct su_error *err)
{
        su_auto_projection struct su_projection projection = {0};
        const struct su_span *span;
        bool covered;
        int r = su_projection_make(operations->items, operations->n, &projection, err);

        if (r < 0)
                return r;
        *ret = su_project(&projection, pair->old_labelled.index_start - SU_FRAME_INDEX_HEAD,
                          &covered, &span) == pair->new_labelled.index_start - SU_FRAME_INDEX_HEAD;
        return 0;
}

static int match_module(const struct encoder *encoder, struct planned *planned, bool omits_index,
                        struct su_error *err)
{
        su_auto(pair_done) struct pair pair = {0};
        bool found = true;
        int r;

        r = pair_open(encoder, planned->old, planned->offset, planned->part.size, omits_index,
                      &pair, err);
        planned->operations.n = 0;
        if (r >= 0)
                r = su_module_delta(&pair.old_labelled, &pair.new_labelled, &planned->operations,
                                    err);
        if (r >= 0 && omits_index)
                r = finds_index(&pair, &planned->operations, &found, err);
        planned->omits_index = omits_index && found;
        return r < 0 || found ? r : match_module(encoder, planned, false, err);
}

static int plan_module(struct encoder *encoder, const struct su_found_module *new,
                       const struct su_found_module *old, struct su_error *err)
{
        struct planned *planned;
        int r;

        r = add_part(encoder, SU_PART_MODULE, new->offset, new->size, &planned, err);
        if (r < 0)
                return r;
        planned->old = old;
        planned->part.source = old->source;
        planned->part.source_offset = old->offset;
        planned->part.source_size = old->size;
        r = match_module(encoder, planned,
                         su_index_may_be_omitted(old_bytes(encoder, old), old->size,
                                                 encoder->target + new->offset, new->size),
                         err);
        if (r >= 0 && planned->operations.n > SU_OPERATIONS_MAX)
                return su_fail(err, SU_ERROR_TOO_LARGE, "too many operations for one module");
        return r;
}

/* Changed modules one by one; what lies between them, unchanged modules among it, as plain bytes.
 */
static int plan(struct encoder *encoder, struct su_error *err)
{
        uint64_t at = 0;
        int r;

        for (size_t i = 0; i < encoder->space->n; i++) {
                r = su_modules_find(encoder->space->data + encoder->space->offsets[i],
                                    encoder->space->sizes[i], i, &encoder->old, err);
                if (r < 0)
                        return r;
        }
        r = su_modules_find(encoder->target, encoder->target_size, 0, &encoder->new, err);
        for (size_t i = 0; i < encoder->new.n &&r >= 0; i++) {
                const struct su_found_module *new = &encoder->new.items[i];
                const struct su_found_module *old = su_modules_match(&encoder->old, new);

                if (!old || is_unchanged(encoder, new))
                        continue;
                r = plan_plain(encoder, at, new->offset - at, err);
                if (r >= 0)
                        r = plan_module(encoder, new, old, err);
                at = new->offset + new->size;
        }
        return r < 0 ? r : plan_plain(encoder, at, encoder->target_size - at, err);
}

/* ---- coding ---- */

static int discard(void *userdata, const uint8_t *data, size_t size, struct su_error *err)
{
        (void)userdata;
        (void)data;
        (void)size;
        (void)err;
        return 0;
}

static int code_module(struct encoder *encoder, const struct planned *planned, struct su_error *err)
{
        su_auto(pair_done) struct pair pair = {0};
        int r;

        r = pair_open(encoder, planned->old, planned->offset, planned->part.size,
                      planned->omits_index, &pair, err);
        if (r < 0)
                return r;
        encoder->next_source = planned->part.source + 1;
        return su_codec_part(encoder->codec,
                             &(struct su_part){.old = pair.old.elf.data,
                                               .old_size = pair.old.elf.size,
                                               .module = &pair.old,
                                               .size = planned->part.size,
                                               .want = pair.new.elf.data,
                                               .shape = &pair.new.elf,
                                               .omits_index = planned->omits_index,
                                               .operations = planned->operations.items,
                                               .n_operations = planned->operations.n},
                             err);
}

static int code_part(struct encoder *encoder, struct planned *planned, struct su_error *err)
{
        const uint8_t *want = encoder->target + planned->offset;

        encoder->coder.stream = SU_STREAM_HEADER;
        su_delta_part_code(su_codec_model(encoder->codec), &planned->part,
                           encoder->target_size - planned->offset, encoder->space->sizes,
                           encoder->space->n, encoder->next_source);
        switch (planned->part.kind) {
        case SU_PART_MODULE:
                return code_module(encoder, planned, err);
        case SU_PART_PACKED:
                return su_bytes_add(&encoder->packed, want, planned->part.size, err);
        default:
                return su_codec_part(encoder->codec,
                                     &(struct su_part){.old = encoder->space->data,
                                                       .old_size = encoder->space->size,
                                                       .size = planned->part.size,
                                                       .want = want,
                                                       .operations = planned->operations.items,
                                                       .n_operations = planned->operations.n},
                                     err);
        }
}

static int code_parts(struct encoder *encoder, struct su_error *err)
{
        struct su_codec_sink sink = {.write = discard};
        int r;

        su_coder_encode(&encoder->coder);
        r = su_codec_new(&encoder->coder, &sink, &encoder->codec, err);
        if (r < 0)
                return r;
        (void)su_delta_parts_code(su_codec_model(encoder->codec), encoder->n_parts);
        for (size_t i = 0; i < encoder->n_parts && r >= 0; i++)
                r = code_part(encoder, &encoder->parts[i], err);
        su_coder_finish(&encoder->coder);
        if (r >= 0 && encoder->coder.failed)
                return su_fail_oom(err);
        return r;
}

int su_parts_make(const struct su_space *space, const uint8_t *target, uint64_t target_size,
                  enum su_delta_method *ret_method, struct su_bytes *ret, struct su_error *err)
{
        su_auto(encoder_done) struct encoder encoder = {
                .space = space, .target = target, .target_size = target_size};
        uint8_t length[4];
        int r;

        r = plan(&encoder, err);
        if (r >= 0)
                r = code_parts(&encoder, err);
        if (r < 0)
                return r;
        *ret_method = encoder.packed.size ? SU_DELTA_PACKED : SU_DELTA_PARTS;
        su_put32(length, (uint32_t)encoder.coder.output_size);
        if (encoder.packed.size)
                r = su_bytes_add(ret, length, sizeof length, err);
        if (r >= 0)
                r = su_bytes_add(ret, encoder.coder.output, encoder.coder.output_size, err);
        if (r >= 0 && encoder.packed.size > 0)
                r = su_pack(encoder.packed.data, encoder.packed.size, NULL, 0, PACK_LEVEL,
                            SU_DELTA_PACKED_WINDOW_LOG, ret, err);
        return r;
}
