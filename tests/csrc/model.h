/*
 * What a model of tests/own_fmus.py brings, and what the borders fmi1.c, fmi2.c and fmi3.c make FMUs of.
 *
 * variables.h is written by own_fmus.py: the struct `Variables` (first `time`, then what a serialized state holds, then
 * the rest; SAVED is the size of the first part), the table `ENTRIES` and the function `set_starts`. MODEL is the header
 * of the model, which defines
 *
 *   N_STATES, states(v), derivatives(v)   continuous states and their derivatives, one after the other
 *   calculate(v)                          outputs and derivatives; returns what is wrong, or NULL
 *   solve(v, duration)                    the exact solution of the states
 *   next_event(v), event(v)               the time of the next event (INFINITY: none), and what happens there
 *   SLOPE_OF                              where inputs may change within a step: a function that returns where the
 *                                         slope of an input is kept, or NULL
 *   N_INDICATORS, indicators(v)           event indicators, one after the other, where it has some
 *   STEPS(v, duration)                    where a co-simulation has steps of its own: takes those that fit in a step
 *   EXCHANGE_ONLY                         instead of `solve`, where nobody knows the exact solution: no co-simulation
 */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef char Text[64];
typedef struct {
    size_t size;
    uint8_t data[64];
} Bytes;

/* type: d double, f float, b bool, c s i l signed and C S I L unsigned integers of 8 to 64 bits, t text, x bytes
   when:  i an input, p before initialization, u always, s in configuration mode, o never
   length: where the structural parameter is that has the number of elements; 0 for a fixed one */
typedef struct {
    unsigned reference, count;
    char type, when;
    size_t offset, size, length;
} Entry;

#include "variables.h"

static void *slot(Variables *v, const Entry *entry) { return (char *)v + entry->offset; }

#include MODEL

#ifndef N_INDICATORS
#define N_INDICATORS 0
static double *indicators(Variables *v) { return (void)v, NULL; }
#endif

static const Entry *find(unsigned reference, char type) {
    for (size_t i = 0; i < sizeof ENTRIES / sizeof *ENTRIES; i++)
        if (ENTRIES[i].reference == reference && ENTRIES[i].type == type) return &ENTRIES[i];
    return NULL;
}

/* Set how fast real inputs change; whether all could be set. */
__attribute__((unused)) static bool set_slopes(Variables *v, const unsigned references[], size_t n, const int orders[], const double values[]) {
#ifdef SLOPE_OF
    for (size_t i = 0; i < n; i++) {
        const Entry *entry = find(references[i], 'd');
        double *slope = entry && orders[i] == 1 ? SLOPE_OF(v, entry) : NULL;
        if (!slope) return false;
        *slope = values[i];
    }
    return true;
#else
    return (void)v, (void)references, (void)n, (void)orders, (void)values, false;
#endif
}

static size_t elements(Variables *v, const Entry *entry) {
    return entry->length ? *(uint64_t *)((char *)v + entry->length) : entry->count;
}

static size_t bytes_of(Variables *v, const Entry *entry) {
    return entry->length ? elements(v, entry) * sizeof(double) : entry->size;
}

static void begin(Variables *v) {
    memset(v, 0, sizeof *v);
    set_starts(v);
}

/*
 * Change variables along a direction and return by how much others change: the derivatives of a linear model, but for
 * rounding. `seeds` has as many elements as the known variables, `result` as the unknown ones; whether all are real.
 */
__attribute__((unused)) static bool directional(const Variables *v, const unsigned unknown[], size_t n_unknown, const unsigned known[],
                                                size_t n_known, const double seeds[], double result[]) {
    Variables before = *v, after = *v;
    for (size_t i = 0; i < n_known; i++) {
        const Entry *wide = find(known[i], 'd'), *entry = wide ? wide : find(known[i], 'f');
        if (!entry) return false;
        for (size_t k = 0; k < elements(&after, entry); k++, seeds++)
            if (wide) ((double *)slot(&after, entry))[k] += *seeds;
            else ((float *)slot(&after, entry))[k] += (float)*seeds;
    }
    if (calculate(&before) || calculate(&after)) return false;
    for (size_t i = 0; i < n_unknown; i++) {
        const Entry *wide = find(unknown[i], 'd'), *entry = wide ? wide : find(unknown[i], 'f');
        if (!entry) return false;
        for (size_t k = 0; k < elements(&after, entry); k++, result++) {
            void *to = slot(&after, entry), *from = slot(&before, entry);
            *result = wide ? ((double *)to)[k] - ((double *)from)[k] : ((float *)to)[k] - ((float *)from)[k];
        }
    }
    return true;
}

#ifdef EXCHANGE_ONLY
static void solve(Variables *v, double duration) { (void)v, (void)duration; }
#endif

/* Simulate to a time, handling events on the way. */
static void advance(Variables *v, double end) {
    while (next_event(v) <= end) {
        solve(v, next_event(v) - v->time);
        v->time = next_event(v);
        event(v);
    }
    solve(v, end - v->time);
    v->time = end;
}

/* Take a step of a co-simulation. */
__attribute__((unused)) static void take(Variables *v, double time, double duration) {
#ifdef STEPS
    STEPS(v, duration);
    v->time = time + duration;
#else
    advance(v, time + duration);
#endif
}
