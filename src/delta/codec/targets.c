/* What inserted code calls and loads is mostly what old code did: an address is told bit by bit, by
 * how many old targets lie on either side. */
#include <stdlib.h>

#include "delta/codec/state.h"

#define BLOCKS_MIN 64 /* of a larger module every n-th block is looked at: of so many, */
#define BLOCKS_MAX 512
#define INSERTED_PER_BLOCK 64 /* and one more for so many inserted bytes */

static int compare_addresses(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return x < y ? -1 : x > y;
}

static int class_of(const struct su_codec *codec, const struct su_reference *reference)
{
        switch (reference->kind) {
        case SU_CALL32:
        case SU_BRANCH26:
                return 0;
        case SU_JUMP32:
                return codec->part->old[reference->offset - 1] == 0xe9 ? 1 : -1;
        case SU_PAGE21:
                return 1;
        case SU_RIP32:
                return 2;
        default:
                return -1;
        }
}

static bool add_target(struct su_targets *targets, size_t *capacity, unsigned class,
                       uint32_t address)
{
        if (targets->n[class] == capacity[class]) {
                size_t larger = capacity[class] ? capacity[class] * 2 : 4096;
                uint32_t *moved = realloc(targets->addresses[class], larger * sizeof *moved);

                if (!moved)
                        return false;
                targets->addresses[class] = moved;
                capacity[class] = larger;
        }
        targets->addresses[class][targets->n[class]++] = address;
        return true;
}

static bool add_block(struct su_codec *codec, const struct su_block *block, size_t *capacity)
{
        for (size_t i = 0; i < block->n_references; i++) {
                const struct su_reference *reference = &block->references[i];
                int class = class_of(codec, reference);
                struct su_forecast forecast;

                if (class < 0)
                        continue;
                forecast = su_codec_forecast(codec, reference->kind, reference->target);
                if (reference->kind == SU_PAGE21)
                        forecast.value &= ~UINT64_C(0xfff);
                if (forecast.known && forecast.value <= UINT32_MAX &&
                    !add_target(&codec->targets, capacity, (unsigned)class,
                                (uint32_t)forecast.value))
                        return false;
        }
        return true;
}

static unsigned address_bits(const struct su_elf *shape)
{
        uint64_t highest = 0;

        for (size_t i = 0; i < shape->n_segments; i++)
                if (shape->segments[i].address + shape->segments[i].memory_size > highest)
                        highest = shape->segments[i].address + shape->segments[i].memory_size;
        return highest <= UINT32_MAX ? 64 - (unsigned)__builtin_clzll(highest | 1) : 0;
}

static int list_targets(struct su_codec *codec, struct su_error *err)
{
        uint64_t n = (codec->part->old_size + SU_MODULE_BLOCK - 1) >> SU_MODULE_BLOCK_LOG;
        uint64_t wanted = BLOCKS_MIN + codec->inserted / INSERTED_PER_BLOCK, step;
        size_t capacity[3] = {0};

        wanted = wanted < BLOCKS_MAX ? wanted : BLOCKS_MAX;
        step = (n + wanted - 1) / wanted;
        codec->targets.bits = address_bits(&codec->shape);
        if (codec->targets.bits == 0)
                return 0;
        for (uint64_t i = 0; i < n; i += step) {
                const struct su_block *block = su_codec_block(codec, i << SU_MODULE_BLOCK_LOG);

                if (!block || !add_block(codec, block, capacity))
                        return su_fail_oom(err);
        }
        for (unsigned i = 0; i < 3; i++)
                if (codec->targets.n[i])
                        qsort(codec->targets.addresses[i], codec->targets.n[i], sizeof(uint32_t),
                              compare_addresses);
        return 0;
}

static size_t lower_bound(const uint32_t *addresses, size_t low, size_t high, uint64_t value)
{
        while (low < high) {
                size_t middle = (low + high) / 2;

                if (addresses[middle] < value)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* Two guesses from how many targets the next bit leaves: as odds, and more cautiously. */
static void guess_bit(const struct su_codec *codec, size_t zeros, size_t ones, int guesses[2])
{
        uint64_t total = zeros + ones, p;

        guesses[0] = guesses[1] = 0;
        if (total == 0)
                return;
        p = (100 * (uint64_t)ones + 2) * 4096 / (100 * total + 4);
        p = p < 1 ? 1 : p > 4095 ? 4095 : p;
        guesses[0] = su_model_log_odds(codec->model, (unsigned)p);
        guesses[1] = ((int)p - 2048) / 2;
}

uint64_t su_codec_target(struct su_codec *codec, unsigned class, uint64_t address, uint32_t a,
                         uint32_t b, unsigned low_bits)
{
        const uint32_t *list = codec->targets.addresses[class];
        size_t low = 0, high = codec->targets.n[class];
        uint64_t prefix = 0;

        for (int bit = (int)codec->targets.bits - 1; bit >= (int)low_bits; bit--) {
                size_t middle = lower_bound(list, low, high, (prefix * 2 + 1) << bit);
                size_t zeros = middle - low, ones = high - middle, total = zeros + ones;
                unsigned state = total == 0 ? 0 : zeros == 0 || ones == 0 ? 1 : total < 8 ? 2 : 3;
                uint32_t above =
                        (uint32_t)prefix | UINT32_C(1) << (codec->targets.bits - 1 - (unsigned)bit);
                uint32_t place = class + (unsigned)bit * 8;
                struct su_question question = {
                        .n = 4,
                        .set = SU_SET_TARGETS + class * 128 + state * 32 + (unsigned)bit,
                        .contexts = {su_hash(above, 0x300 + place),
                                     su_hash(su_hash(above, 0x800 + place), a),
                                     su_hash(su_hash(above, 0x1000 + place), b),
                                     su_hash(su_hash(above, 0x1800 + place),
                                             codec->targets.last[class])},
                };
                int guesses[2];
                unsigned one;

                guess_bit(codec, zeros, ones, guesses);
                one = su_model_bit(codec->model, &question, address >> bit & 1, guesses, 2);
                prefix = prefix * 2 + one;
                if (one)
                        low = middle;
                else
                        high = middle;
        }
        prefix <<= low_bits;
        codec->targets.last[class] = (uint32_t)prefix;
        return prefix;
}

int su_codec_prepare_inserts(struct su_codec *codec, struct su_error *err)
{
        if (!codec->part->module)
                return 0;
        su_codec_rehearse(codec);
        return list_targets(codec, err);
}
