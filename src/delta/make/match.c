#include "delta/make/match.h"

#include <stdlib.h>
#include <string.h>

/* ---- candidates ---- */

#define STEADY 32  /* a match this long keeps its shift for the next question */
#define OVERLAP 12 /* and is left this much before its end */
#define RECENT 24  /* candidates that are compared with a new one */
#define GIVE_UP_BACK 40
#define GIVE_UP 60

/* New text [start, end), at `shift` from the old text: old = new + shift. */
struct candidate {
        int64_t start, end, shift;
};

struct candidates {
        struct candidate *items;
        size_t n, capacity;
};

static void candidates_done(struct candidates *candidates)
{
        free(candidates->items);
}

struct search {
        const struct su_texts *texts;
        const struct su_suffixes *suffixes;
        size_t min_length;
        struct candidates *found;
        int64_t shift, end; /* of the present one */
};

static bool is_known(const struct candidates *found, int64_t at, int64_t end, int64_t shift,
                     bool begun)
{
        for (size_t i = found->n; i > 0 && i + RECENT > found->n; i--) {
                const struct candidate *other = &found->items[i - 1];

                if (other->shift == shift && other->end >= end && (!begun || other->start <= at))
                        return true;
        }
        return false;
}

/* As far as the texts agree more than they differ, on both sides. */
static struct candidate extend(const struct su_texts *texts, int64_t at, int64_t end, int64_t shift)
{
        struct candidate result = {at, end, shift};
        int score = 0, best = 0;

        for (int64_t i = at; i > 0 && i + shift > 0;) {
                i--;
                score += texts->new[i] == texts->old[i + shift] ? 1 : -3;
                if (score > best) {
                        best = score;
                        result.start = i;
                }
                if (score < best - GIVE_UP_BACK)
                        break;
        }
        score = best = 0;
        for (int64_t i = end;
             i < (int64_t)texts->new_size && i + shift < (int64_t)texts->old_size;) {
                score += texts->new[i] == texts->old[i + shift] ? 1 : -3;
                i++;
                if (score > best) {
                        best = score;
                        result.end = i;
                }
                if (score < best - GIVE_UP)
                        break;
        }
        return result;
}

static int add_candidate(struct search *search, int64_t at, int64_t length, int64_t shift,
                         bool always, struct su_error *err)
{
        struct candidates *found = search->found;
        struct candidate candidate = extend(search->texts, at, at + length, shift);

        if (found->n == found->capacity) {
                size_t capacity = found->capacity ? found->capacity * 2 : 4096;
                struct candidate *larger = realloc(found->items, capacity * sizeof *larger);

                if (!larger)
                        return su_fail_oom(err);
                found->items = larger;
                found->capacity = capacity;
        }
        found->items[found->n++] = candidate;
        if (candidate.end > search->end || always) {
                search->end = candidate.end;
                search->shift = shift;
        }
        return 0;
}

static size_t look_up(const struct search *search, int64_t at, int64_t *ret_shift)
{
        size_t position, length;

        length = su_suffixes_find(search->suffixes, search->texts->new + at,
                                  search->texts->new_size - (size_t)at, at + search->shift,
                                  &position);
        *ret_shift = (int64_t)position - at;
        return length;
}

/* On the present shift the texts go on to agree: leave it just before they cease to. */
static int follow(struct search *search, int64_t *at, int64_t length, struct su_error *err)
{
        int64_t shift;
        size_t found;
        int r = 0;

        *at += length - OVERLAP + 1;
        found = look_up(search, *at, &shift);
        if (found >= search->min_length && shift != search->shift &&
            !is_known(search->found, *at, *at + (int64_t)found, shift, false))
                r = add_candidate(search, *at, (int64_t)found, shift, false, err);
        (*at)++;
        return r;
}

static int step(struct search *search, int64_t *at, struct su_error *err)
{
        const struct su_texts *texts = search->texts;
        int64_t shift, length;
        size_t found;
        int r = 0;

        if (*at < search->end && *at + search->shift < (int64_t)texts->old_size) {
                size_t left = texts->old_size - (size_t)(*at + search->shift);

                if (left > texts->new_size - (size_t)*at)
                        left = texts->new_size - (size_t)*at;
                length = (int64_t)su_common_length(texts->new + *at,
                                                   texts->old + *at + search->shift, left);
                if (length >= STEADY)
                        return follow(search, at, length, err);
        }
        found = look_up(search, *at, &shift);
        length = (int64_t)found;
        if (found < search->min_length) {
                (*at)++;
                return 0;
        }
        if (!is_known(search->found, *at, *at + length, shift, true)) {
                r = add_candidate(search, *at, length, shift, length >= STEADY, err);
        } else {
                search->shift = shift;
                if (*at + length > search->end)
                        search->end = *at + length;
        }
        *at += length >= STEADY ? length - OVERLAP : 1;
        return r;
}

static int compare_candidates(const void *a, const void *b)
{
        const struct candidate *x = a, *y = b;

        if (x->start != y->start)
                return x->start < y->start ? -1 : 1;
        if (x->end != y->end)
                return x->end > y->end ? -1 : 1;
        return x->shift < y->shift ? -1 : x->shift > y->shift;
}

/* ---- the cheapest way ---- */

/* Costs in 1/16 bit: they stand for what the codec will need, and were found by trial. */
#define COST(bits) ((int64_t)((bits)*16))
#define INSERT COST(4.3)
#define TO_INSERT COST(2)
#define DIFFERENCE COST(10)
#define NEXT_DIFFERENCE COST(6)
#define REFERENCE COST(9)
#define REFERENCE_REST COST(2.5)
#define SAME_SHIFT COST(13)
#define OTHER_SHIFT COST(16)
#define PER_BIT COST(2.1)
#define OTHER_SHIFT_MAX COST(60)
#define NEVER (INT64_C(1) << 60)

#define SLOTS 16          /* shifts at a time; 0 stands for an insertion */
#define STRETCH (1 << 22) /* bytes of new text between two decisions that are never undone */
#define HOME_MIN 200      /* a candidate this long is a home: coming back to its shift is cheap */

struct slot {
        int64_t candidate; /* -1: free */
        int64_t cost;
        unsigned near_difference; /* bytes since a difference, counted down */
};

struct path {
        const struct su_texts *texts;
        struct candidate *candidates;
        size_t n_candidates, next;
        struct slot slots[SLOTS];
        int64_t insert_shift; /* the shift that was left for the insertion */
        int64_t best_cost, best_shift, best_slot;
        int64_t home, home_end;
        int64_t start;            /* of the stretch */
        uint16_t *entered;        /* per byte: the slots that were entered here from the best one */
        int64_t *best_candidates; /* per byte; -1: insertion */
        uint8_t *slot_of;         /* per candidate */
};

static void path_done(struct path *path)
{
        free(path->entered);
        free(path->best_candidates);
        free(path->slot_of);
}

static int64_t shift_cost(const struct path *path, int64_t shift)
{
        int64_t change = shift - path->best_shift, from_home = shift - path->home, cost;

        if (change < 0)
                change = -change;
        if (from_home < 0)
                from_home = -from_home;
        if (path->home != path->best_shift && from_home * 8 < change)
                change = from_home ? from_home * 2 : 1;
        if (change == 0 && path->best_slot == 0)
                return SAME_SHIFT;
        cost = OTHER_SHIFT + (64 - __builtin_clzll((uint64_t)change | 1)) * PER_BIT;
        return cost < OTHER_SHIFT_MAX ? cost : OTHER_SHIFT_MAX;
}

/* A free slot; else the dearest. Never the best one's, even if its candidate has just ended: the
 * new one could not be entered from it. */
static size_t choose_slot(const struct path *path)
{
        size_t dearest = 1;
        int64_t cost = -1;

        for (size_t i = 1; i < SLOTS; i++)
                if (path->slots[i].candidate < 0 && (int64_t)i != path->best_slot)
                        return i;
        for (size_t i = 1; i < SLOTS; i++)
                if ((int64_t)i != path->best_slot && path->slots[i].cost > cost) {
                        cost = path->slots[i].cost;
                        dearest = i;
                }
        return dearest;
}

static void open_candidate(struct path *path, size_t number, int64_t at)
{
        struct candidate *candidate = &path->candidates[number];
        size_t slot;

        for (size_t i = 1; i < SLOTS; i++) {
                struct candidate *other;

                if (path->slots[i].candidate < 0)
                        continue;
                other = &path->candidates[path->slots[i].candidate];
                if (other->shift == candidate->shift) {
                        if (other->end < candidate->end)
                                other->end = candidate->end;
                        return;
                }
        }
        slot = choose_slot(path);
        if (candidate->end - candidate->start >= HOME_MIN &&
            (candidate->end > path->home_end || at > path->home_end)) {
                path->home = candidate->shift;
                path->home_end = candidate->end;
        }
        path->slots[slot] = (struct slot){.candidate = (int64_t)number, .cost = NEVER};
        path->slot_of[number] = (uint8_t)slot;
}

static int64_t byte_cost(const struct path *path, struct slot *slot, int64_t at, int64_t old)
{
        const struct su_texts *texts = path->texts;
        int64_t cost;

        if (texts->new[at] == texts->old[old]) {
                if (slot->near_difference)
                        slot->near_difference--;
                return 0;
        }
        if (texts->old_references && texts->old_references[old])
                return texts->old_references[old] == 1 ? REFERENCE : REFERENCE_REST;
        cost = slot->near_difference ? NEXT_DIFFERENCE : DIFFERENCE;
        slot->near_difference = 4;
        return cost;
}

struct best {
        int64_t cost, shift, slot;
};

static uint16_t advance_insert(struct path *path, int64_t at, struct best *best)
{
        uint16_t entered = 0;
        int64_t cost = path->slots[0].cost;

        if (path->best_slot != 0 && path->best_cost + TO_INSERT < cost) {
                cost = path->best_cost + TO_INSERT;
                path->insert_shift = path->best_shift;
                entered = 1;
        }
        path->slots[0].cost = cost + (path->texts->new_costs ? path->texts->new_costs[at] : INSERT);
        *best = (struct best){path->slots[0].cost, path->insert_shift, 0};
        return entered;
}

static uint16_t advance_slots(struct path *path, int64_t at, struct best *best)
{
        uint16_t entered = 0;

        for (size_t i = 1; i < SLOTS; i++) {
                struct slot *slot = &path->slots[i];
                const struct candidate *candidate;
                int64_t enter;

                if (slot->candidate < 0)
                        continue;
                candidate = &path->candidates[slot->candidate];
                enter = path->best_cost + shift_cost(path, candidate->shift);
                if ((int64_t)i != path->best_slot && enter < slot->cost) {
                        slot->cost = enter;
                        slot->near_difference = 0;
                        entered |= (uint16_t)(1U << i);
                }
                slot->cost += byte_cost(path, slot, at, at + candidate->shift);
                if (slot->cost < best->cost)
                        *best = (struct best){slot->cost, candidate->shift, (int64_t)i};
        }
        return entered;
}

static void advance(struct path *path, int64_t at)
{
        uint16_t entered;
        struct best best;

        for (; path->next < path->n_candidates && path->candidates[path->next].start <= at;
             path->next++)
                if (path->candidates[path->next].end > at)
                        open_candidate(path, path->next, at);
        entered = advance_insert(path, at, &best);
        entered |= advance_slots(path, at, &best);
        path->entered[at - path->start] = entered;
        path->best_candidates[at - path->start] = best.slot ? path->slots[best.slot].candidate : -1;
        path->best_cost = best.cost;
        path->best_shift = best.shift;
        path->best_slot = best.slot;
        for (size_t i = 1; i < SLOTS; i++)
                if (path->slots[i].candidate >= 0 &&
                    path->candidates[path->slots[i].candidate].end <= at + 1)
                        path->slots[i].candidate = -1;
}

/* Back from the end of a stretch to where each operation was entered. In reverse order. */
static int trace_back(const struct path *path, int64_t end, struct su_operations *ret,
                      struct su_error *err)
{
        int64_t at = end - 1, until = end;
        int64_t candidate = path->best_candidates[at - path->start];

        for (; at >= path->start; at--) {
                size_t slot = candidate < 0 ? 0 : path->slot_of[candidate];
                int r;

                if (!(path->entered[at - path->start] >> slot & 1) && at > path->start)
                        continue;
                if (candidate >= 0) {
                        int64_t from = at + path->candidates[candidate].shift;

                        r = su_operations_add(ret,
                                              (struct su_operation){(uint32_t)at, (uint32_t)from,
                                                                    (uint32_t)(until - at)},
                                              err);
                        if (r < 0)
                                return r;
                }
                until = at;
                if (at > path->start)
                        candidate = path->best_candidates[at - 1 - path->start];
        }
        return 0;
}

/* After a decision that is final only the best slot goes on. */
static void restart(struct path *path, int64_t at)
{
        path->start = at;
        for (size_t i = 0; i < SLOTS; i++)
                path->slots[i].cost = (int64_t)i == path->best_slot ? 0 : NEVER;
        path->best_cost = 0;
}

static void reverse(struct su_operation *items, size_t n)
{
        for (size_t i = 0; i < n / 2; i++) {
                struct su_operation item = items[i];

                items[i] = items[n - 1 - i];
                items[n - 1 - i] = item;
        }
}

/* Neighbours of one shift are one. */
static void merge(struct su_operations *operations)
{
        size_t n = 0;

        for (size_t i = 0; i < operations->n; i++) {
                struct su_operation *last = n ? &operations->items[n - 1] : NULL;
                struct su_operation item = operations->items[i];

                if (last && last->to + last->length == item.to &&
                    last->from + last->length == item.from)
                        last->length += item.length;
                else
                        operations->items[n++] = item;
        }
        operations->n = n;
}

static int find_path(struct path *path, struct su_operations *ret, struct su_error *err)
{
        int64_t size = (int64_t)path->texts->new_size;
        int64_t stretch = size < STRETCH ? size : STRETCH;
        int r = 0;

        path->entered = calloc((size_t)stretch + 1, sizeof *path->entered);
        path->best_candidates = calloc((size_t)stretch + 1, sizeof *path->best_candidates);
        path->slot_of = calloc(path->n_candidates + 1, 1);
        if (!path->entered || !path->best_candidates || !path->slot_of)
                return su_fail_oom(err);
        for (size_t i = 1; i < SLOTS; i++)
                path->slots[i].candidate = -1;
        for (int64_t at = 0; at < size; at++) {
                size_t before = ret->n;

                advance(path, at);
                if (at + 1 < size && at + 1 - path->start < STRETCH)
                        continue;
                r = trace_back(path, at + 1, ret, err);
                if (r < 0)
                        return r;
                if (ret->n > before)
                        reverse(ret->items + before, ret->n - before);
                restart(path, at + 1);
        }
        merge(ret);
        return 0;
}

int su_match(const struct su_texts *texts, const struct su_suffixes *suffixes, size_t min_length,
             struct su_operations *ret, struct su_error *err)
{
        su_auto(candidates_done) struct candidates found = {0};
        su_auto(path_done) struct path path = {.texts = texts};
        struct search search = {
                .texts = texts, .suffixes = suffixes, .min_length = min_length, .found = &found};
        int64_t at = 0;

        while (at < (int64_t)texts->new_size) {
                int r = step(&search, &at, err);

                if (r < 0)
                        return r;
        }
        if (found.n)
                qsort(found.items, found.n, sizeof *found.items, compare_candidates);
        path.candidates = found.items;
        path.n_candidates = found.n;
        return find_path(&path, ret, err);
}

void su_operations_done(struct su_operations *operations)
{
        free(operations->items);
        *operations = (struct su_operations){0};
}

int su_operations_add(struct su_operations *operations, struct su_operation operation,
                      struct su_error *err)
{
        if (operations->n == operations->capacity) {
                size_t capacity = operations->capacity ? operations->capacity * 2 : 1024;
                struct su_operation *larger = realloc(operations->items, capacity * sizeof *larger);

                if (!larger)
                        return su_fail_oom(err);
                operations->items = larger;
                operations->capacity = capacity;
        }
        operations->items[operations->n++] = operation;
        return 0;
}
