#include "delta/codec/projection.h"

#include <stdlib.h>

struct event {
        uint32_t at;
        uint32_t rank; /* of the operation: 0 is the longest */
        bool ends;
};

static int compare_ranks(const void *a, const void *b)
{
        const struct su_operation *x = a, *y = b;

        if (x->length != y->length)
                return x->length > y->length ? -1 : 1;
        return x->to < y->to ? -1 : x->to > y->to;
}

static int compare_events(const void *a, const void *b)
{
        const struct event *x = a, *y = b;

        if (x->at != y->at)
                return x->at < y->at ? -1 : 1;
        if (x->ends != y->ends)
                return x->ends ? -1 : 1;
        return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* The ranks that are open at a place, the lowest on top. */
struct heap {
        uint32_t *ranks;
        size_t n;
        bool *ended;
};

static void heap_push(struct heap *heap, uint32_t rank)
{
        size_t at = heap->n++;

        while (at > 0 && heap->ranks[(at - 1) / 2] > rank) {
                heap->ranks[at] = heap->ranks[(at - 1) / 2];
                at = (at - 1) / 2;
        }
        heap->ranks[at] = rank;
}

static void heap_pop(struct heap *heap)
{
        uint32_t rank = heap->ranks[--heap->n];
        size_t at = 0;

        for (;;) {
                size_t child = 2 * at + 1;

                if (child >= heap->n)
                        break;
                if (child + 1 < heap->n && heap->ranks[child + 1] < heap->ranks[child])
                        child++;
                if (heap->ranks[child] >= rank)
                        break;
                heap->ranks[at] = heap->ranks[child];
                at = child;
        }
        heap->ranks[at] = rank;
}

static size_t add_span(struct su_span *spans, size_t n, struct su_span span)
{
        if (n > 0 && spans[n - 1].end == span.start && spans[n - 1].shift == span.shift)
                spans[n - 1].end = span.end;
        else
                spans[n++] = span;
        return n;
}

static size_t sweep(const struct su_operation *ranked, const struct event *events, size_t n,
                    struct heap *heap, struct su_span *spans)
{
        size_t n_spans = 0;

        for (size_t i = 0; i < n;) {
                uint32_t at = events[i].at;

                for (; i < n && events[i].at == at; i++) {
                        if (events[i].ends)
                                heap->ended[events[i].rank] = true;
                        else
                                heap_push(heap, events[i].rank);
                }
                while (heap->n > 0 && heap->ended[heap->ranks[0]])
                        heap_pop(heap);
                if (heap->n > 0 && i < n) {
                        const struct su_operation *top = &ranked[heap->ranks[0]];

                        n_spans = add_span(spans, n_spans,
                                           (struct su_span){at, events[i].at,
                                                            (int64_t)top->to - (int64_t)top->from});
                }
        }
        return n_spans;
}

int su_projection_make(const struct su_operation *operations, size_t n, struct su_projection *ret,
                       struct su_error *err)
{
        su_auto_projection struct su_projection projection = {0};
        su_auto_free struct su_operation *ranked = calloc(n + 1, sizeof *ranked);
        su_auto_free struct event *events = calloc(2 * n + 1, sizeof *events);
        su_auto_free uint32_t *ranks = calloc(n + 1, sizeof *ranks);
        su_auto_free bool *ended = calloc(n + 1, sizeof *ended);
        struct heap heap = {.ranks = ranks, .ended = ended};

        projection.spans = calloc(2 * n + 1, sizeof *projection.spans);
        if (!ranked || !events || !ranks || !ended || !projection.spans)
                return su_fail_oom(err);
        for (size_t i = 0; i < n; i++)
                ranked[i] = operations[i];
        qsort(ranked, n, sizeof *ranked, compare_ranks);
        for (uint32_t i = 0; i < n; i++) {
                events[2 * i] = (struct event){ranked[i].from, i, false};
                events[2 * i + 1] = (struct event){ranked[i].from + ranked[i].length, i, true};
        }
        qsort(events, 2 * n, sizeof *events, compare_events);
        projection.n = sweep(ranked, events, 2 * n, &heap, projection.spans);
        *ret = projection;
        projection.spans = NULL;
        return 0;
}

void su_projection_done(struct su_projection *projection)
{
        free(projection->spans);
        *projection = (struct su_projection){0};
}

/* The last span that begins at or before the position, or the first of all. */
static size_t find_span(const struct su_projection *projection, uint64_t position)
{
        const struct su_span *spans = projection->spans;
        size_t low = 0, high = projection->n, last = projection->last;

        if (last < high && spans[last].start <= position &&
            (last + 1 == high || position < spans[last + 1].start))
                return last;
        while (low < high) {
                size_t middle = (low + high) / 2;

                if (spans[middle].start <= position)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low ? low - 1 : 0;
}

uint64_t su_project(struct su_projection *projection, uint64_t position, bool *ret_covered,
                    const struct su_span **ret_span)
{
        const struct su_span *spans = projection->spans;
        size_t at;

        *ret_covered = false;
        *ret_span = NULL;
        if (projection->n == 0)
                return position;
        at = find_span(projection, position);
        *ret_covered = spans[at].start <= position && position < spans[at].end;
        projection->last = at;
        if (!*ret_covered && at + 1 < projection->n && position >= spans[at].end &&
            position - spans[at].end > spans[at + 1].start - position)
                at++;
        *ret_span = &spans[at];
        return position + (uint64_t)spans[at].shift;
}
