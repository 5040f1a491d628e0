#include "delta/make/suffixes.h"

#include <divsufsort.h>
#include <stdlib.h>

#include "delta/elf/bytes.h"

#define COMMON_MAX 65536  /* as far as a match is followed at once */
#define COMPARE_MAX 4096  /* as far as two suffixes are told apart */
#define NEIGHBOURS_MAX 64 /* equally long matches that are looked at */
#define NEIGHBOURS_LENGTH 1024

int su_suffixes_make(const uint8_t *text, size_t size, struct su_suffixes *ret,
                     struct su_error *err)
{
        su_auto_suffixes struct su_suffixes suffixes = {.text = text, .size = size};
        size_t at = 0;

        suffixes.order = malloc((size + 1) * sizeof *suffixes.order);
        suffixes.buckets = calloc(65537, sizeof *suffixes.buckets);
        if (!suffixes.order || !suffixes.buckets)
                return su_fail_oom(err);
        if (size > 0 && divsufsort(text, suffixes.order, (saidx_t)size) != 0)
                return su_fail_oom(err);
        for (uint32_t bucket = 0; bucket <= 65536; bucket++) {
                while (at < size) {
                        size_t i = (size_t)suffixes.order[at];
                        uint32_t first = (uint32_t)text[i] << 8 | (i + 1 < size ? text[i + 1] : 0);

                        if (first >= bucket)
                                break;
                        at++;
                }
                suffixes.buckets[bucket] = (uint32_t)at;
        }
        *ret = suffixes;
        suffixes.order = NULL;
        suffixes.buckets = NULL;
        return 0;
}

void su_suffixes_done(struct su_suffixes *suffixes)
{
        free(suffixes->order);
        free(suffixes->buckets);
        *suffixes = (struct su_suffixes){0};
}

static size_t common(const uint8_t *a, const uint8_t *b, size_t from, size_t size)
{
        size_t i = from;

        for (; i + 8 <= size; i += 8) {
                uint64_t differs = su_get64(a + i) ^ su_get64(b + i);

                if (differs)
                        return i + (unsigned)__builtin_ctzll(differs) / 8;
        }
        while (i < size && a[i] == b[i])
                i++;
        return i;
}

size_t su_common_length(const uint8_t *a, const uint8_t *b, size_t size)
{
        return common(a, b, 0, size < COMMON_MAX ? size : COMMON_MAX);
}

static size_t length_at(const struct su_suffixes *suffixes, size_t rank, const uint8_t *pattern,
                        size_t size)
{
        size_t i = (size_t)suffixes->order[rank], left = suffixes->size - i;

        return su_common_length(suffixes->text + i, pattern, left < size ? left : size);
}

/* The last suffix that is not greater than the pattern, within [low, high). */
static size_t bisect(const struct su_suffixes *suffixes, const uint8_t *pattern, size_t size,
                     size_t low, size_t high)
{
        size_t low_common = 0, high_common = 0;

        while (high - low > 1) {
                size_t middle = (low + high) / 2, i = (size_t)suffixes->order[middle];
                size_t left = suffixes->size - i, max = left < size ? left : size, n;

                max = max < COMPARE_MAX ? max : COMPARE_MAX;
                n = common(suffixes->text + i, pattern,
                           low_common < high_common ? low_common : high_common, max);
                if (n == max ? max == COMPARE_MAX || left <= size
                             : suffixes->text[i + n] < pattern[n]) {
                        low = middle;
                        low_common = n;
                } else {
                        high = middle;
                        high_common = n;
                }
        }
        return low;
}

static int64_t distance(int64_t a, int64_t b)
{
        return a < b ? b - a : a - b;
}

struct nearest {
        size_t position;
        int64_t distance;
};

static void look_around(const struct su_suffixes *suffixes, const uint8_t *pattern, size_t length,
                        size_t rank, int step, size_t limit, int64_t wanted,
                        struct nearest *nearest)
{
        for (unsigned i = 0; i < NEIGHBOURS_MAX && rank != limit; i++) {
                int64_t away;

                rank += (size_t)step;
                if (length_at(suffixes, rank, pattern, length) < length)
                        return;
                away = distance(suffixes->order[rank], wanted);
                if (away < nearest->distance)
                        *nearest = (struct nearest){(size_t)suffixes->order[rank], away};
        }
}

size_t su_suffixes_find(const struct su_suffixes *suffixes, const uint8_t *pattern, size_t size,
                        int64_t wanted, size_t *ret_position)
{
        struct nearest nearest;
        size_t low, high, rank, length;
        uint32_t bucket;

        *ret_position = 0;
        if (size < 4)
                return 0;
        bucket = (uint32_t)pattern[0] << 8 | pattern[1];
        low = suffixes->buckets[bucket];
        high = suffixes->buckets[bucket + 1];
        if (low == high)
                return 0;
        rank = bisect(suffixes, pattern, size, low, high);
        length = length_at(suffixes, rank, pattern, size);
        if (rank + 1 < high) {
                size_t other = length_at(suffixes, rank + 1, pattern, size);

                if (other > length) {
                        length = other;
                        rank++;
                }
        }
        nearest = (struct nearest){(size_t)suffixes->order[rank],
                                   distance(suffixes->order[rank], wanted)};
        if (length >= 4 && length < NEIGHBOURS_LENGTH) {
                look_around(suffixes, pattern, length, rank, -1, low, wanted, &nearest);
                look_around(suffixes, pattern, length, rank, 1, high - 1, wanted, &nearest);
        }
        *ret_position = nearest.position;
        return length;
}
