/* test_approx_search.c: the approximate residual search finds what one query at a time finds:
 * candidates in the order of space, or along the curve, evaluated in batches until the
 * patience or the budget ends. Own points, some of them, predecessors, foreign queries;
 * from v and from quantized v; every instruction set, 1 to 3 threads. After a host that left by a
 * long jump, too. The record of a search tells what less patient searches find. */
#include "check.h"
#include "core/residual_approx/approx_search.h"
#include "core/simd/euclid.h"
#include "host.h"
#include "oracle.h"
#include "residual_problem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 16, UNTOUCHED = -77, PATIENCES = 5 };

static const double patiences[PATIENCES] = {0, 0.05, 0.3, 1, 1e9};

struct asked {
    const struct residual_problem *problem;
    int own, predecessor, quantized, k;
    int first; /* candidates of the first round: a multiple of BATCH, or all points */
    int most;  /* candidates of a query, at most; 0: all points */
    double patience;
    int levels; /* the first ones of `patiences` are recorded */
    const struct ct_budget *budget;
    int share; /* of own points, one of so many is a query; 1: all */
};

/* Results, one line for each query. */
struct answer {
    int lines;
    int *index;
    double *distance;
    int *evaluated, *step, *stopped_early;
    int *stop, *position; /* UNTOUCHED without levels */
};

static struct answer new_answer(int lines, int k)
{
    size_t size = (size_t)lines * k, stops = (size_t)lines * PATIENCES;
    struct answer answer = {.lines = lines,
                            .index = keep(size, sizeof(int)),
                            .distance = keep(size, sizeof(double)),
                            .evaluated = keep((size_t)lines, sizeof(int)),
                            .step = keep((size_t)lines, sizeof(int)),
                            .stopped_early = keep((size_t)lines, sizeof(int)),
                            .stop = keep(stops, sizeof(int)),
                            .position = keep(size, sizeof(int))};
    for (size_t i = 0; i < stops; i++)
        answer.stop[i] = UNTOUCHED;
    for (size_t i = 0; i < size; i++) {
        answer.index[i] = UNTOUCHED;
        answer.distance[i] = UNTOUCHED;
        answer.position[i] = UNTOUCHED;
    }
    return answer;
}

/* ---- the oracle ---- */

/* Rows in the order of space. */
static int list_near(const struct asked *asked, int query, int *row)
{
    const struct residual_problem *p = asked->problem;
    struct neighbor *neighbors = host.alloc((size_t)p->cloud.n, sizeof *neighbors);
    int listed = 0, self = asked->own ? query + 1 : 0;
    int count =
        oracle_rows(&p->cloud, asked->own ? &p->cloud : &p->queries, query, self, neighbors);
    for (int i = 0; i < count; i++)
        if (!asked->predecessor || neighbors[i].row < self)
            row[listed++] = neighbors[i].row;
    return listed;
}

/* Rows from the query's place in the tree on, to both sides in turn. */
static int list_beside(const struct asked *asked, int query, int *row)
{
    const struct ct_tree *t = &asked->problem->grown.tree;
    int own = 0, listed = 0;
    while (t->row[own] != query + 1)
        own++;
    for (int i = 2; i < 2 * t->n; i++) {
        int pos = i % 2 ? own - i / 2 : own + i / 2;
        if (pos >= 0 && pos < t->n && (!asked->predecessor || t->row[pos] <= query))
            row[listed++] = t->row[pos];
    }
    return listed;
}

struct candidate {
    double key; /* the square of the distance, or the distance */
    int row;
};

static int compare(const void *one, const void *other)
{
    const struct candidate *a = one, *b = other;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

/* A query under way. */
struct state {
    struct candidate *kept; /* in order; quantized squares until a round ends */
    int count, room, evaluated, improved, step, early;
    int step_start, useful;                 /* of the budget's step */
    int run, run_useful, low_yield_windows; /* of its runs */
    int stop[PATIENCES], stops;
};

/* Puts a candidate among the kept ones; returns whether it is one of the first k. */
static int offer(struct state *s, int k, double sq, int row)
{
    struct candidate candidate = {sq, row};
    int place = s->count;
    while (place > 0 && compare(&candidate, &s->kept[place - 1]) < 0)
        place--;
    if (place == s->room)
        return 0;
    int last = s->count < s->room ? s->count++ : s->room - 1;
    for (int i = last; i > place; i--)
        s->kept[i] = s->kept[i - 1];
    s->kept[place] = candidate;
    return place < k;
}

static double sq_of(const struct asked *asked, int query, int row)
{
    return (asked->quantized ? residual_problem_quantized_sq
                             : residual_problem_sq)(asked->problem, asked->own, query, row);
}

/* Quantized squares make way for exact ones; those that surely come after the k-th go. */
static void refine(const struct asked *asked, int query, struct state *s)
{
    double error = residual_problem_error(asked->problem, asked->own, query);
    double most = s->count > asked->k ? s->kept[asked->k - 1].key + error : 0;
    while (s->count > asked->k && s->kept[s->count - 1].key > most)
        s->count--;
    for (int i = 0; i < s->count; i++)
        s->kept[i].key = residual_problem_sq(asked->problem, asked->own, query, s->kept[i].row);
    qsort(s->kept, (size_t)s->count, sizeof *s->kept, compare);
}

/* Counts a batch; returns whether the budget is at its end. */
static int budget_ends(const struct ct_budget *budget, struct state *s, int k, int batch,
                       int improved)
{
    int before = s->evaluated - batch, useful = before < k ? batch : improved;
    s->useful += useful;
    s->run += batch;
    s->run_useful += useful;
    if (s->run >= budget->window || s->run_useful >= budget->stop * budget->window) {
        s->low_yield_windows = s->run_useful < budget->stop * s->run ? s->low_yield_windows + 1 : 0;
        s->run = s->run_useful = 0;
    }
    s->early = s->low_yield_windows == 2;
    if (s->evaluated < k || (!s->early && s->evaluated < budget->limit[s->step]))
        return 0;
    if (s->early || s->step + 1 == budget->steps ||
        s->useful < budget->escalate * (s->evaluated - s->step_start))
        return 1;
    s->step_start = s->evaluated;
    s->step++;
    s->useful = s->run = s->run_useful = s->low_yield_windows = 0;
    return 0;
}

static int out_of_patience(const struct asked *asked, double patience, const struct state *s)
{
    return s->evaluated >= asked->k &&
           s->evaluated - s->improved >= patience * (s->improved + 4.0 * asked->k);
}

/* Evaluates rows up to place `end`; returns whether the query has ended. */
static int evaluate(const struct asked *asked, int query, const int *row, int end, struct state *s)
{
    int ended = !asked->budget && out_of_patience(asked, asked->patience, s);
    while (!ended && s->evaluated < end) {
        int from = s->evaluated, improved = 0;
        int batch = end - from < BATCH ? end - from : BATCH;
        for (int i = 0; i < batch; i++)
            if (offer(s, asked->k, sq_of(asked, query, row[from + i]), row[from + i])) {
                improved++;
                s->improved = from + i + 1;
            }
        s->evaluated += batch;
        ended = asked->budget ? budget_ends(asked->budget, s, asked->k, batch, improved)
                              : out_of_patience(asked, asked->patience, s);
        while (s->stops < asked->levels && out_of_patience(asked, patiences[s->stops], s))
            s->stop[s->stops++] = s->evaluated;
    }
    return ended;
}

static int most_points(const struct asked *asked)
{
    const struct ct_budget *budget = asked->budget;
    int all = asked->most > 0 ? asked->most : asked->problem->cloud.n;
    int most = budget ? budget->limit[budget->steps - 1] : all;
    most = most > asked->k ? most : asked->k;
    return most < all ? most : all;
}

static void run_rounds(const struct asked *asked, int query, const int *row, int listed,
                       struct state *s)
{
    int most = most_points(asked), ended = 0;
    for (int points = asked->first; !ended; points = points < most / 2 ? 2 * points : most) {
        int round = points < most ? points : most;
        ended = evaluate(asked, query, row, listed < round ? listed : round, s) || listed < round ||
                s->evaluated >= most;
        if (asked->quantized)
            refine(asked, query, s);
        if (!ended && s->count > asked->k)
            s->count = asked->k;
    }
}

/* What the search records of a query: where less patient searches stop, and how far it had come
 * when it evaluated each neighbor. */
static void write_record(const struct asked *asked, const struct state *s, const int *row,
                         struct answer *to, int line)
{
    for (int level = 0; level < asked->levels; level++)
        to->stop[line + (size_t)level * to->lines] =
            level < s->stops ? s->stop[level] : s->evaluated;
    for (int j = 0; j < asked->k && asked->levels > 0; j++) {
        int position = 0;
        while (j < s->count && position < s->evaluated && row[position] != s->kept[j].row)
            position++;
        to->position[line + (size_t)j * to->lines] =
            j < s->count && s->evaluated > 0 ? position + 1 : 0;
    }
}

static void write_line(const struct asked *asked, struct state *s, struct answer *to, int line)
{
    for (int i = 0; i < s->count; i++)
        s->kept[i].key = sqrt(s->kept[i].key);
    qsort(s->kept, (size_t)s->count, sizeof *s->kept, compare);
    for (int j = 0; j < asked->k; j++) {
        size_t at = line + (size_t)j * to->lines;
        to->index[at] = j < s->count ? s->kept[j].row : CT_NO_ROW;
        to->distance[at] = j < s->count ? s->kept[j].key : -1;
    }
    to->evaluated[line] = s->evaluated;
    to->step[line] = s->step;
    to->stopped_early[line] = s->early;
}

static void oracle_line(const struct asked *asked, int query, struct answer *to, int line)
{
    const struct residual_problem *p = asked->problem;
    int n = p->cloud.n, k = asked->k < n ? asked->k : n, listed;
    int *row = host.alloc((size_t)n, sizeof *row);
    struct state s = {.room = k + k / 8 + 8};
    s.kept = host.alloc((size_t)s.room, sizeof *s.kept);
    if ((asked->own ? p->residual.points.p : p->foreign.p)[query] > 0) {
        listed = asked->budget && !asked->budget->diverse ? list_beside(asked, query, row)
                                                          : list_near(asked, query, row);
        run_rounds(asked, query, row, listed, &s);
    } else {
        for (int i = 1; i <= (asked->predecessor ? query : n) && s.count < k; i++)
            if (!asked->own || i != query + 1)
                s.kept[s.count++] = (struct candidate){1, i};
    }
    write_line(asked, &s, to, line);
    write_record(asked, &s, row, to, line);
    host_end_call();
}

/* ---- the search ---- */

/* The queries of a call, and the line of each. */
struct call {
    const struct asked *asked;
    struct ct_batch batch;
    int *line; /* by query number; UNTOUCHED: not asked */
    enum ct_simd_level level;
    struct answer answer;
};

static struct call make_call(const struct asked *asked)
{
    const struct residual_problem *p = asked->problem;
    int n = asked->own ? p->cloud.n : p->queries.n, m = 0;
    int *order = keep((size_t)n, sizeof *order), *line = keep((size_t)n, sizeof *line);
    for (int i = 0; i < n; i++) {
        int query = asked->own ? p->grown.tree.row[i] - 1 : i;
        line[query] = asked->share > 1 ? UNTOUCHED : query;
        if (asked->share > 1 && random_below(asked->share) == 0) {
            line[query] = m;
            order[m++] = i;
        }
    }
    struct call call = {.asked = asked, .line = line};
    call.batch = (struct ct_batch){.tree = &p->grown.tree,
                                   .query = asked->own ? NULL : p->queries.x,
                                   .predecessors = asked->predecessor,
                                   .order = asked->share > 1 ? order : NULL,
                                   .count = asked->share > 1 ? m : n};
    call.answer = new_answer(call.batch.count, asked->k);
    return call;
}

static void set_way(struct call *call, int level, int threads)
{
    call->level = (enum ct_simd_level)level;
    call->batch.kernels = ct_kernels(call->level);
    call->batch.threads = threads;
}

static void search(void *data)
{
    struct call *call = data;
    const struct asked *asked = call->asked;
    const struct residual_problem *p = asked->problem;
    struct ct_pair_input input = {.metric = &p->residual,
                                  .query_points = asked->own ? NULL : &p->foreign,
                                  .correlation_kernels = ct_correlation_kernels(call->level),
                                  .dot4_kernels = ct_dot4_kernels(call->level)};
    struct ct_approx_options options = {.k = asked->k,
                                        .patience = asked->patience,
                                        .budget = asked->budget,
                                        .first_round = asked->first,
                                        .max_candidates =
                                            asked->most > 0 ? asked->most : p->cloud.n,
                                        .missing = -1,
                                        .levels = asked->levels,
                                        .level_patience = patiences};
    struct ct_approx_results results = {
        .ld = call->batch.count,
        .slot = asked->share > 1 ? call->line : NULL,
        .index = call->answer.index,
        .distance = call->answer.distance,
        .evaluated = call->answer.evaluated,
        .step = call->answer.step,
        .stopped_early = call->answer.stopped_early,
        .record = {.stop = call->answer.stop, .position = call->answer.position}};
    if (asked->quantized)
        input.quantized = p->quantized;
    ct_approx_search(&host, &call->batch, &input, &options, &results);
}

static int same(const struct asked *asked, const struct answer *a, const struct answer *b)
{
    size_t size = (size_t)a->lines * asked->k, lines = (size_t)a->lines;
    return memcmp(a->index, b->index, size * sizeof *a->index) == 0 &&
           memcmp(a->distance, b->distance, size * sizeof *a->distance) == 0 &&
           memcmp(a->evaluated, b->evaluated, lines * sizeof *a->evaluated) == 0 &&
           memcmp(a->step, b->step, lines * sizeof *a->step) == 0 &&
           memcmp(a->stopped_early, b->stopped_early, lines * sizeof *a->stopped_early) == 0 &&
           memcmp(a->stop, b->stop, lines * PATIENCES * sizeof *a->stop) == 0 &&
           memcmp(a->position, b->position, size * sizeof *a->position) == 0;
}

static int is_neighbor(const struct answer *answer, int line, int k, int row)
{
    for (int j = 0; j < k; j++)
        if (answer->index[line + (size_t)j * answer->lines] == row)
            return 1;
    return 0;
}

/* A less patient search stops where the record says, and finds the neighbors before that. */
static void check_record(const struct asked *asked, int level, const struct answer *record,
                         const struct answer *found)
{
    for (int line = 0; line < record->lines; line++) {
        int stop = record->stop[line + (size_t)level * record->lines];
        CHECK(found->evaluated[line] == stop);
        for (int j = 0; j < asked->k; j++) {
            size_t at = line + (size_t)j * record->lines;
            int row = record->index[at];
            CHECK(row == CT_NO_ROW ||
                  is_neighbor(found, line, asked->k, row) == (record->position[at] <= stop));
        }
    }
}

static void check_about_asked(const struct asked *asked, const char *what)
{
    const struct residual_problem *p = asked->problem;
    check_about("%s, n %d, d %d, m %d, kind %d; %s%s%s, k %d, first %d, %s %g, share %d; %s",
                p->cloud.name, p->cloud.n, p->cloud.d, p->residual.m, p->residual.kind,
                asked->own ? "own" : "foreign", asked->predecessor ? ", predecessors" : "",
                asked->quantized ? ", quantized" : "", asked->k, asked->first,
                !asked->budget           ? "patience"
                : asked->budget->diverse ? "diverse budget, escalate"
                                         : "plain budget, escalate",
                asked->budget ? asked->budget->escalate : asked->patience, asked->share, what);
}

/* The answer of a search with exact dot products tells those of less patient ones. */
static void check_levels(const struct asked *asked, const struct call *call)
{
    for (int level = 0; level < asked->levels && !asked->quantized; level++) {
        struct asked less = *asked;
        struct call other = *call;
        less.patience = patiences[level];
        less.levels = 0;
        other.asked = &less;
        other.answer = new_answer(call->batch.count, asked->k);
        search(&other);
        check_about_asked(&less, "read off a record");
        check_record(asked, level, &call->answer, &other.answer);
        host_end_call();
    }
}

/* In `ways` ways. A way is an instruction set and a number of threads; the next call goes on with
 * the next ones. */
static void check_search(struct asked asked, int ways)
{
    static int way;
    int levels = (int)ct_simd_best() + 1;
    const struct residual_problem *p = asked.problem;
    struct call call = make_call(&asked);
    struct answer want = new_answer(call.batch.count, asked.k);
    for (int query = 0; query < (asked.own ? p->cloud.n : p->queries.n); query++)
        if (call.line[query] != UNTOUCHED)
            oracle_line(&asked, query, &want, call.line[query]);
    for (int i = 0; i < ways; i++, way++) {
        set_way(&call, way % levels, 1 + way / levels % 3);
        call.answer = new_answer(call.batch.count, asked.k);
        search(&call);
        check_about_asked(&asked, call.batch.kernels->name);
        CHECK(same(&asked, &call.answer, &want));
        host_end_call();
    }
    check_levels(&asked, &call);
}

/* All kinds of queries of one problem, with the patience of this number; with a budget, those that
 * it allows. */
static void check_queries(const struct residual_problem *problem, int k, int patience,
                          const struct ct_budget *budget)
{
    int n = problem->cloud.n, first = BATCH * (1 + random_below(4));
    for (int i = 0; i < 8; i++) {
        int own = i % 4 < 3;
        if (own || !budget || budget->diverse)
            check_search((struct asked){.problem = problem,
                                        .own = own,
                                        .predecessor = i % 4 == 1,
                                        .quantized = i / 4,
                                        .k = k,
                                        .first = first < n ? first : n,
                                        .patience = patiences[patience],
                                        .levels = budget ? 0 : random_below(patience + 2),
                                        .budget = budget,
                                        .share = i % 4 == 2 ? 2 + random_below(4) : 1},
                         2);
    }
}

static void check_patience(const char *name, int n, int d, int m, enum residual_style style)
{
    struct residual_problem problem = residual_problem_make(name, n, d, m, style, 30);
    int k[] = {1, 1 + random_below(20), n + 2};
    for (int i = 0; i < 3; i++)
        check_queries(&problem, k[i], random_below(PATIENCES), NULL);
    keep_end();
}

static void check_budget(const char *name, int n, int d, int m, enum residual_style style)
{
    static const int limit[] = {1, 20, 64, 150};
    struct residual_problem problem = residual_problem_make(name, n, d, m, style, 30);
    for (int i = 0; i < 4; i++) {
        int from = random_below(4);
        struct ct_budget budget = {.steps = 1 + random_below(4 - from),
                                   .limit = limit + from,
                                   .escalate = i == 0 ? 0 : 0.4 * random_uniform(),
                                   .window = 16 * (1 + random_below(2)),
                                   .diverse = i % 2};
        budget.stop = i == 2 ? budget.escalate : 0.3 * budget.escalate;
        check_queries(&problem, 1 + random_below(12), 0, &budget);
    }
    keep_end();
}

/* So many neighbors that their lists do not fit in memory for all queries at once. */
static void check_slices(void)
{
    static const int limit[] = {20, 60};
    struct ct_budget budget = {
        .steps = 2, .limit = limit, .escalate = 0.1, .stop = 0.02, .window = 16};
    struct residual_problem problem = residual_problem_make("uniform", 2300, 2, 17, WIDE_P, 1);
    check_search((struct asked){.problem = &problem,
                                .own = 1,
                                .quantized = 1,
                                .k = 2300,
                                .first = 32,
                                .most = 96,
                                .budget = &budget,
                                .share = 2},
                 2);
    keep_end();
}

/* At each poll, and at each allocation, in turn. */
static void check_interrupts(const struct ct_budget *budget)
{
    struct residual_problem problem = residual_problem_make("uniform", 200, 2, 20, WIDE_P, 1);
    struct asked asked = {.problem = &problem,
                          .own = 1,
                          .predecessor = 1,
                          .quantized = 1,
                          .k = 5,
                          .first = 16,
                          .patience = 0.3,
                          .budget = budget,
                          .share = 1};
    struct call want = make_call(&asked), call = make_call(&asked);
    set_way(&want, (int)ct_simd_best(), 1);
    CHECK(host_run(search, &want, 0, 0));
    for (int by_poll = 0; by_poll <= 1; by_poll++) {
        int times = 0;
        set_way(&call, (int)ct_simd_best(), 1 + 2 * by_poll);
        call.answer = new_answer(call.batch.count, asked.k);
        while (!host_run(search, &call, by_poll ? times + 1 : 0, by_poll ? 0 : times + 1))
            times++;
        check_about_asked(&asked, by_poll ? "left at each poll" : "left at each allocation");
        CHECK(times >= 3);
        CHECK(same(&asked, &call.answer, &want.answer));
    }
    keep_end();
}

int main(void)
{
    static const char *const names[] = {"uniform", "few", "clusters", "same", "grid", "normal"};
    static const int ms[] = {0, 1, 17, 33, 70};
    static const int limit[] = {20, 60};
    struct ct_budget budget = {
        .steps = 2, .limit = limit, .escalate = 0.1, .stop = 0.02, .window = 16};
    for (int i = 0; i < 12; i++) {
        int n = i == 6 ? 1 : i == 7 ? 2 : 50 + 7 * i;
        check_patience(names[i % 6], n, 1 + i % 4, ms[i % 5], (enum residual_style)(i % 3));
        check_budget(names[i % 6], n, 1 + i % 4, ms[i % 5], (enum residual_style)(i % 3));
    }
    check_slices();
    check_interrupts(NULL);
    check_interrupts(&budget);
    return check_done("approx");
}
