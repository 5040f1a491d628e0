/* The body of a delta in parts: coded bytes; or their length, those, and a zstd frame of what is
 * better packed than coded. */
#include <stdlib.h>
#include <string.h>

#include "delta/apply/decode.h"
#include "delta/codec/codec.h"
#include "delta/elf/bytes.h"

#define PIECE 65536
#define BUDGET_PER_BYTE 12 /* decisions: a byte that is told alone takes nine or so */
#define BUDGET_MIN (1 << 20)
#define ANALYSIS_PER_DECISION 16 /* bytes */

struct decoder {
        const struct su_delta_job *job;
        struct su_coder coder;
        struct su_codec *codec;
        struct su_unpacker *unpacker;
        uint64_t next_source;
        uint64_t part_start; /* in the target */
};

static void decoder_done(struct decoder *decoder)
{
        su_codec_free(decoder->codec);
        su_unpacker_free(decoder->unpacker);
        su_coder_done(&decoder->coder);
}

static int write_settled(void *userdata, const uint8_t *data, size_t size, struct su_error *err)
{
        struct decoder *decoder = userdata;

        return su_delta_sink_write(decoder->job->sink, data, size, err);
}

static bool tell(void *userdata, uint64_t done)
{
        struct decoder *decoder = userdata;
        struct su_delta_sink *sink = decoder->job->sink;

        return sink->progress &&
               sink->progress(sink->userdata, decoder->part_start + done, sink->expected);
}

static int decode_plain(struct decoder *decoder, const struct su_delta_part *part,
                        struct su_error *err)
{
        const struct su_space *space = decoder->job->space;

        return su_codec_part(
                decoder->codec,
                &(struct su_part){.old = space->data, .old_size = space->size, .size = part->size},
                err);
}

static int decode_module(struct decoder *decoder, const struct su_delta_part *part,
                         struct su_error *err)
{
        const struct su_space *space = decoder->job->space;
        su_auto_module struct su_module module = {0};
        const uint8_t *old;
        int r;

        if (part->source >= space->n || part->source_offset > space->sizes[part->source] ||
            part->source_size > space->sizes[part->source] - part->source_offset)
                return su_fail(err, SU_ERROR_DELTA,
                               "the delta is damaged: a module lies outside its source");
        old = space->data + space->offsets[part->source] + part->source_offset;
        decoder->next_source = part->source + 1;
        decoder->coder.decisions += part->source_size / ANALYSIS_PER_DECISION;
        if (decoder->coder.decisions >= decoder->coder.budget)
                return su_fail(err, SU_ERROR_DELTA,
                               "the delta is damaged: it asks for more work than is allowed");
        r = su_module_open(old, part->source_size, &module, err);
        if (r < 0)
                return r;
        return su_codec_part(decoder->codec,
                             &(struct su_part){.old = old,
                                               .old_size = part->source_size,
                                               .module = &module,
                                               .size = part->size},
                             err);
}

static int decode_packed(struct decoder *decoder, const struct su_delta_part *part,
                         struct su_error *err)
{
        su_auto_free uint8_t *piece = malloc(PIECE);
        uint64_t left = part->size;

        if (!piece)
                return su_fail_oom(err);
        if (!decoder->unpacker)
                return su_fail(err, SU_ERROR_DELTA, "the delta is damaged: it has no packed bytes");
        while (left > 0) {
                size_t n = 0;
                int r = su_unpacker_read(decoder->unpacker, piece, left < PIECE ? left : PIECE, &n,
                                         err);

                if (r >= 0 && n == 0)
                        return su_fail(err, SU_ERROR_DELTA, "the delta ends too early");
                if (r >= 0)
                        r = su_delta_sink_write(decoder->job->sink, piece, n, err);
                if (r < 0)
                        return r;
                left -= n;
        }
        return 0;
}

static int decode_part(struct decoder *decoder, struct su_error *err)
{
        const struct su_delta_job *job = decoder->job;
        uint64_t left = job->sink->expected - job->sink->written;
        struct su_delta_part part = {0};

        decoder->coder.stream = SU_STREAM_HEADER;
        decoder->part_start = job->sink->written;
        su_delta_part_code(su_codec_model(decoder->codec), &part, left, job->space->sizes,
                           job->space->n, decoder->next_source);
        if (decoder->coder.failed || part.kind >= SU_PART_KINDS || part.size > left)
                return su_fail(err, SU_ERROR_DELTA, "the delta is damaged: a part makes no sense");
        if (job->account)
                job->account->parts[part.kind]++;
        switch (part.kind) {
        case SU_PART_PLAIN:
                return decode_plain(decoder, &part, err);
        case SU_PART_MODULE:
                return decode_module(decoder, &part, err);
        default:
                return decode_packed(decoder, &part, err);
        }
}

static int begin(struct decoder *decoder, struct su_error *err)
{
        const struct su_delta_job *job = decoder->job;
        struct su_codec_sink sink = {.write = write_settled, .progress = tell, .userdata = decoder};
        uint64_t budget =
                BUDGET_MIN + BUDGET_PER_BYTE * job->header->target_size + job->space->size;
        const uint8_t *coded = job->body;
        size_t size = job->body_size, packed = 0;

        if (job->header->method == SU_DELTA_PACKED) {
                int r;

                if (size < 4 || su_get32(job->body) > size - 4)
                        return su_fail(err, SU_ERROR_DELTA, "the delta ends too early");
                coded += 4;
                size = su_get32(job->body);
                packed = job->body_size - 4 - size;
                r = su_unpacker_new(coded + size, packed, SU_DELTA_PACKED_WINDOW_LOG, NULL, 0,
                                    &decoder->unpacker, err);
                if (r < 0)
                        return r;
        }
        su_coder_decode(&decoder->coder, coded, size, budget);
        if (job->account)
                job->account->packed = packed;
        return su_codec_new(&decoder->coder, &sink, &decoder->codec, err);
}

static void settle_account(const struct decoder *decoder)
{
        struct su_delta_account *account = decoder->job->account;

        if (!account)
                return;
        account->decisions = decoder->coder.decisions;
        memcpy(account->costs, decoder->coder.cost, sizeof account->costs);
}

int su_delta_decode_parts(const struct su_delta_job *job, struct su_error *err)
{
        su_auto(decoder_done) struct decoder decoder = {.job = job};
        uint64_t n;
        int r;

        r = begin(&decoder, err);
        if (r < 0)
                return r;
        n = su_delta_parts_code(su_codec_model(decoder.codec), 0);
        if (decoder.coder.failed || n > SU_DELTA_PARTS_MAX)
                return su_fail(err, SU_ERROR_DELTA, "the delta is damaged: too many parts");
        for (uint64_t i = 0; i < n; i++) {
                r = decode_part(&decoder, err);
                if (r < 0)
                        return r;
        }
        settle_account(&decoder);
        if (!su_coder_is_at_end(&decoder.coder))
                return su_fail(err, SU_ERROR_DELTA, "bytes follow the end of the delta");
        return decoder.unpacker ? su_unpacker_finish(decoder.unpacker, err) : 0;
}
