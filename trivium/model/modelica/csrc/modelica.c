/*
 * An FMU of FMI 2.0, for Model Exchange and co-simulation, around the functions of a Modelica model.
 *
 * model.h is generated: the sizes and offsets of the vector that all functions take (AT_...), how the numbers that hold
 * between events are followed (HELD), the variables (VARIABLES), names. equations.h has the functions:
 *
 *   rates     derivatives of the states, then all other variables that the equations give
 *   implicit  residuals of the equations that Newton's method solves, and their derivatives row by row
 *   held      expressions of the held numbers, the sizes of their terms, their slopes over time
 *   discrete  discrete variables after an event, conditions, new values of states, whether they are set, whether the
 *             simulation ends, failed assertions
 *   starts    start values of states and discrete variables, first guesses for Newton's method
 *   initial   residuals of the initial equations, and their derivatives by the states that they give, row by row
 *
 * Between events the held numbers and the discrete variables are constant, so all functions are smooth. An event
 * follows MLS 8.6: held numbers, discrete variables and states are computed anew, and what they became is what they
 * were before, until nothing changes.
 */
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fmi2Functions.h"

#define CASADI_SYMBOL_EXPORT static
#include "equations.h"

#define SOME(n) ((n) ? (n) : 1) /* C has no arrays without elements */
/* how a held number follows from its expression, and what changes it */
enum { ABOVE, LEAST, FLOOR, CLOCK };
enum { STEADY, BY_TIME, BY_STATE };
typedef struct {
    int kind, by;
} HeldNumber;
/* part: t time, x state, u input, p parameter, d discrete, r result; type: r real, i integer, b boolean
   when it may be set: a always, b before the initialization ends, n never */
typedef struct {
    char part, type, when;
    int place;
} Variable;

#include "model.h"

#define N_RESULTS (N_STATES + N_OTHERS)
#define N_VARIABLES (sizeof VARIABLES / sizeof *VARIABLES)
/* how far a number goes on over its threshold before it changes, as a part of the size of its terms */
#define HYSTERESIS 1e-10
/* most rounds of Newton's method, of an event, of the search for the time of one; most steps in a communication step */
#define MOST_NEWTON 50
#define MOST_EVENTS 1000
#define MOST_HALVINGS 80
#define MOST_STEPS 10000000

typedef enum { MADE, INITIALIZING, EVENTS, STEPPING, ENDED } Mode;

/* all that a snapshot holds; numbers of 8 bytes, so without gaps */
typedef struct {
    double vector[N_VECTOR], results[SOME(N_RESULTS)], next, tolerance, step;
    long long mode, fresh, over, failed, chosen[SOME(N_STATES)];
} State;

typedef struct {
    State state;
    const fmi2CallbackFunctions *callbacks;
    char *name;
    bool exchange;
} Instance;

#define V(part) (self->state.vector + AT_##part)

static fmi2Status fail(Instance *self, const char *format, ...) {
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (self->callbacks && self->callbacks->logger)
        self->callbacks->logger(self->callbacks->componentEnvironment, self->name, fmi2Error, "logStatusError", "%s", text);
    return fmi2Error;
}

typedef int Function(const double **, double **, casadi_int *, double *, int);

static void call(Function *function, const double *vector, double *result) {
    const double *arguments[1] = {vector};
    double *results[1] = {result}, work[N_WORK];
    function(arguments, results, NULL, work, 0);
}

/* ---- equations ---- */

/* Solve n linear equations in place, with pivots; whether they can be solved. */
static bool solve(int n, double *matrix, double *right) {
    for (int k = 0; k < n; k++) {
        int pivot = k;
        for (int i = k + 1; i < n; i++)
            if (fabs(matrix[i * n + k]) > fabs(matrix[pivot * n + k])) pivot = i;
        if (!(fabs(matrix[pivot * n + k]) > 0.0)) return false;
        if (pivot != k) {
            for (int j = 0; j < n; j++) {
                double other = matrix[k * n + j];
                matrix[k * n + j] = matrix[pivot * n + j];
                matrix[pivot * n + j] = other;
            }
            double other = right[k];
            right[k] = right[pivot];
            right[pivot] = other;
        }
        for (int i = k + 1; i < n; i++) {
            double factor = matrix[i * n + k] / matrix[k * n + k];
            for (int j = k + 1; j < n; j++) matrix[i * n + j] -= factor * matrix[k * n + j];
            right[i] -= factor * right[k];
        }
    }
    for (int k = n - 1; k >= 0; k--) {
        for (int j = k + 1; j < n; j++) right[k] -= matrix[k * n + j] * right[j];
        right[k] /= matrix[k * n + k];
    }
    return true;
}

static double norm(const double *values, int n) {
    double most = 0.0;
    for (int i = 0; i < n; i++) {
        if (!isfinite(values[i])) return INFINITY;
        most = fmax(most, fabs(values[i]));
    }
    return most;
}

static bool find(Instance *self);

/*
 * Make residuals zero by Newton's method, steps halved where they do not help. The unknowns are places in the vector;
 * inside the initial equations, the others are solved for each try. Whether a solution is found.
 */
static bool newton(Instance *self, int n, const int *places, Function *function, bool initial) {
    double *vector = self->state.vector, *work = malloc(sizeof *work * (size_t)(n * n + 3 * n));
    double *values = work, *step = work + n + n * n, *old = step + n, size = INFINITY;
    bool done = false;
    if (work && (!initial || find(self))) {
        call(function, vector, values);
        size = norm(values, n);
    }
    for (int round = 0; round < MOST_NEWTON && isfinite(size) && !done; round++) {
        memcpy(step, values, sizeof *step * (size_t)n);
        if (!solve(n, values + n, step)) break;
        for (int i = 0; i < n; i++) old[i] = vector[places[i]];
        double share = 1.0, now = INFINITY, change = 0.0;
        for (int half = 0; half < 40; half++, share *= 0.5) {
            for (int i = 0; i < n; i++) vector[places[i]] = old[i] - share * step[i];
            if (initial && !find(self)) continue;
            call(function, vector, values);
            now = norm(values, n);
            if (now <= size * (1.0 - 0.25 * share)) break;
            /* rounding is all that is left */
            if (isfinite(now) && share == 1.0 && norm(step, n) <= 1e-12 * (1.0 + norm(old, n))) break;
        }
        for (int i = 0; i < n; i++) change = fmax(change, fabs(share * step[i]) / (1.0 + fabs(vector[places[i]])));
        done = isfinite(now) && (now == 0.0 || change <= 1e-12);
        size = now;
    }
    free(work);
    return done;
}

static bool find(Instance *self) {
    static const int places[SOME(N_ITERATED)] = ITERATED_PLACES;
    return !N_ITERATED || newton(self, N_ITERATED, places, implicit, false);
}

static bool find_start(Instance *self) {
    static const int places[SOME(N_SOLVED)] = SOLVED_PLACES;
    return N_SOLVED ? newton(self, N_SOLVED, places, initial, true) : find(self);
}

/* Compute the results for the vector; whether all are finite numbers. */
static bool results(Instance *self) {
    if (!find(self)) return false;
    call(rates, self->state.vector, self->state.results);
    return isfinite(norm(self->state.results, N_RESULTS));
}

static fmi2Status refuse_results(Instance *self) {
    for (int i = 0; i < N_RESULTS; i++)
        if (!isfinite(self->state.results[i])) return fail(self, "at time %g %s is no finite number", *V(TIME), RESULT_NAMES[i]);
    return fail(self, "at time %g Newton's method finds no solution of the equations", *V(TIME));
}

/* ---- events ---- */

/* a time that rounding does not put before another one */
static double after(double time) { return time + 32.0 * DBL_EPSILON * fmax(1.0, fabs(time)); }

/* Compute the held numbers anew; whether some changed. */
static bool hold(Instance *self) {
    double late[3 * SOME(N_HELD)], out[3 * SOME(N_HELD)], now = *V(TIME);
    bool changed = false;
    *V(TIME) = after(now); /* what a time is compared with has come when the event of that time has */
    call(held, self->state.vector, late);
    *V(TIME) = now;
    call(held, self->state.vector, out);
    for (int i = 0; i < N_HELD; i++) {
        double value = HELD[i].by == BY_TIME ? late[i] : out[i];
        double next = HELD[i].kind == ABOVE ? value > 0.0 : HELD[i].kind == LEAST ? value >= 0.0 : floor(value);
        changed |= next != V(HELD)[i];
        V(HELD)[i] = next;
    }
    return changed;
}

/* the parts of what discrete() returns */
#define UPDATES 0
#define CONDITIONS (UPDATES + N_DISCRETES)
#define NEW (CONDITIONS + N_CONDITIONS)
#define SET (NEW + N_STATES)
#define ENDS (SET + N_STATES)
#define FAILED (ENDS + 1)
#define N_OUT (FAILED + N_MESSAGES)

/* Compute held numbers and discrete variables until they fit each other. */
static fmi2Status settle(Instance *self, double *out) {
    for (int round = 0; round < MOST_EVENTS; round++) {
        if (!(*V(INITIALLY) > 0.0 ? find_start(self) : find(self))) {
            const char *what = *V(INITIALLY) > 0.0 ? "initial equations" : "equations";
            return fail(self, "at time %g Newton's method finds no solution of the %s", *V(TIME), what);
        }
        bool changed = hold(self);
        call(discrete, self->state.vector, out);
        for (int i = 0; i < N_DISCRETES; i++) {
            if (!isfinite(out[i])) return fail(self, "at time %g a discrete variable is no finite number", *V(TIME));
            changed |= out[i] != V(DISCRETES)[i];
            V(DISCRETES)[i] = out[i];
        }
        if (changed) continue;
        for (int i = 0; i < N_MESSAGES; i++)
            if (out[FAILED + i] > 0.0) return fail(self, "at time %g an assertion fails: %s", *V(TIME), MESSAGES[i]);
        return fmi2OK;
    }
    return fail(self, "at time %g discrete variables do not come to rest", *V(TIME));
}

/* Set states as reinit says; whether it does. */
static bool reset_states(Instance *self, const double *out) {
    bool moved = false;
    for (int i = 0; i < N_STATES; i++)
        if (out[SET + i] > 0.0) {
            moved = true;
            V(STATES)[i] = out[NEW + i];
        }
    return moved;
}

/* Make what is now what was before; whether that is a change. */
static bool remember(Instance *self, const double *out) {
    bool changed = memcmp(V(PRE), V(DISCRETES), sizeof(double) * N_DISCRETES) != 0 ||
                   memcmp(V(BEFORE), V(HELD), sizeof(double) * N_HELD) != 0 ||
                   memcmp(V(CONDITIONS), out + CONDITIONS, sizeof(double) * N_CONDITIONS) != 0;
    memcpy(V(PRE), V(DISCRETES), sizeof(double) * N_DISCRETES);
    memcpy(V(BEFORE), V(HELD), sizeof(double) * N_HELD);
    memcpy(V(CONDITIONS), out + CONDITIONS, sizeof(double) * N_CONDITIONS);
    return changed;
}

/* Find when a time is next compared with what it reaches. */
static void schedule(Instance *self) {
    double out[3 * SOME(N_HELD)], now = *V(TIME);
    self->state.next = INFINITY;
    call(held, self->state.vector, out);
    for (int i = 0; i < N_HELD; i++) {
        double slope = out[2 * N_HELD + i];
        if (HELD[i].by != BY_TIME || slope == 0.0) continue;
        double target = HELD[i].kind <= LEAST ? 0.0 : V(HELD)[i] + (slope > 0.0);
        double time = now + (target - out[i]) / slope;
        if (time > after(now) && time < self->state.next) self->state.next = time;
    }
}

static fmi2Status event(Instance *self, bool *moved) {
    double out[N_OUT];
    *moved = false;
    self->state.fresh = false;
    for (int round = 0; round < MOST_EVENTS; round++) {
        fmi2Status status = settle(self, out);
        if (status != fmi2OK) return status;
        bool again = reset_states(self, out);
        *moved |= again;
        if (out[ENDS] > 0.0) self->state.over = true;
        again |= remember(self, out);
        if (!again) {
            schedule(self);
            return fmi2OK;
        }
    }
    return fail(self, "at time %g events follow each other without end", *V(TIME));
}

static fmi2Status initialize(Instance *self) {
    double out[N_OUT], start[SOME(N_STATES + N_DISCRETES + N_ITERATED)], clocks[3 * SOME(N_HELD)];
    call(starts, self->state.vector, start);
    for (int i = 0; i < N_STATES; i++)
        if (!self->state.chosen[i]) V(STATES)[i] = start[i];
    memcpy(V(DISCRETES), start + N_STATES, sizeof(double) * N_DISCRETES);
    memcpy(V(PRE), start + N_STATES, sizeof(double) * N_DISCRETES);
    memcpy(V(ITERATED), start + N_STATES + N_DISCRETES, sizeof(double) * N_ITERATED);
    memset(V(CONDITIONS), 0, sizeof(double) * N_CONDITIONS);
    memset(V(HELD), 0, sizeof(double) * N_HELD);
    memset(V(BEFORE), 0, sizeof(double) * N_HELD);
    *V(INITIALLY) = 1.0;
    self->state.over = false;
    fmi2Status status = settle(self, out);
    *V(INITIALLY) = 0.0;
    if (status != fmi2OK) return status;
    reset_states(self, out);
    remember(self, out);
    call(discrete, self->state.vector, out);
    remember(self, out);
    call(held, self->state.vector, clocks);
    for (int i = 0; i < N_HELD; i++) /* a clock that ticks now has not ticked before */
        if (HELD[i].kind == CLOCK && fabs(clocks[i] - round(clocks[i])) <= 1e-9 * fmax(1.0, fabs(clocks[i]))) V(BEFORE)[i] -= 1.0;
    schedule(self);
    return fmi2OK;
}

static fmi2Status evaluate(Instance *self) {
    if (self->state.fresh) return fmi2OK;
    if (self->state.mode == INITIALIZING) {
        fmi2Status status = initialize(self);
        if (status != fmi2OK) return status;
    }
    if (!results(self)) return refuse_results(self);
    self->state.fresh = true;
    return fmi2OK;
}

/* Indicators change their sign where a number must change that follows the states. */
static void indicate(Instance *self, double *z) {
    double out[3 * SOME(N_HELD)];
    if (!N_INDICATORS) return;
    call(held, self->state.vector, out);
    for (int i = 0; i < N_HELD; i++) {
        double value = out[i], slack = HYSTERESIS * (1.0 + fabs(out[N_HELD + i])), now = V(HELD)[i];
        if (HELD[i].by != BY_STATE) continue;
        if (HELD[i].kind <= LEAST) {
            *z++ = now > 0.0 ? value + slack : value - slack;
            continue;
        }
        *z++ = value - now + slack;
        *z++ = now + 1.0 + slack - value;
    }
}

/* ---- co-simulation: the method of Dormand and Prince (1980), order 5(4), with its dense output ---- */

#define STAGES 7
static const double NODES[STAGES] = {0.0, 0.2, 0.3, 0.8, 8.0 / 9.0, 1.0, 1.0};
static const double WEIGHTS[STAGES][STAGES - 1] = {
    {0.0},
    {0.2},
    {3.0 / 40.0, 9.0 / 40.0},
    {44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0},
    {19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0},
    {9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0},
    {35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0},
};
static const double ERROR[STAGES] = {71.0 / 57600.0, 0.0, -71.0 / 16695.0, 71.0 / 1920.0, -17253.0 / 339200.0, 22.0 / 525.0, -1.0 / 40.0};
static const double DENSE[STAGES] = {
    -12715105075.0 / 11282082432.0, 0.0, 87487479700.0 / 32700410799.0, -10690763975.0 / 1880347072.0,
    701980252875.0 / 199316789632.0, -1453857185.0 / 822651844.0, 69997945.0 / 29380423.0,
};

typedef struct {
    double start, length, old[SOME(N_STATES)], rates[STAGES][SOME(N_STATES)];
} Step;

/* Try a step; return the size of its error, 1 for the tolerance. */
static double attempt(Instance *self, Step *step) {
    double *x = V(STATES), error = 0.0;
    for (int stage = 1; stage < STAGES; stage++) {
        *V(TIME) = step->start + NODES[stage] * step->length;
        for (int i = 0; i < N_STATES; i++) {
            double sum = 0.0;
            for (int k = 0; k < stage; k++) sum += WEIGHTS[stage][k] * step->rates[k][i];
            x[i] = step->old[i] + step->length * sum;
        }
        if (!results(self)) return INFINITY;
        memcpy(step->rates[stage], self->state.results, sizeof(double) * N_STATES);
    }
    for (int i = 0; i < N_STATES; i++) {
        double sum = 0.0, scale = self->state.tolerance * (NOMINALS[i] + fmax(fabs(x[i]), fabs(step->old[i])));
        for (int k = 0; k < STAGES; k++) sum += ERROR[k] * step->rates[k][i];
        error += pow(step->length * sum / scale, 2.0) / N_STATES;
    }
    return isfinite(error) ? sqrt(error) : INFINITY;
}

/* Set the states to those at a share of a step. */
static void within(Instance *self, const Step *step, const double *end, double share) {
    double rest = 1.0 - share;
    *V(TIME) = step->start + share * step->length;
    for (int i = 0; i < N_STATES; i++) {
        double dense = 0.0, all = end[i] - step->old[i], first = step->length * step->rates[0][i] - all;
        double last = all - step->length * step->rates[STAGES - 1][i] - first;
        for (int k = 0; k < STAGES; k++) dense += DENSE[k] * step->rates[k][i];
        dense *= step->length;
        V(STATES)[i] = step->old[i] + share * (all + rest * (first + share * (last + rest * dense)));
    }
}

static bool crossed(const double *before, const double *now) {
    for (int i = 0; i < N_INDICATORS; i++)
        if ((before[i] > 0.0) != (now[i] > 0.0)) return true;
    return false;
}

/* Go back to where an indicator changes its sign within a step; whether one does. */
static bool locate(Instance *self, const Step *step, const double *before) {
    double now[SOME(N_INDICATORS)], end[SOME(N_STATES)], low = 0.0, high = 1.0;
    indicate(self, now);
    if (!crossed(before, now)) return false;
    memcpy(end, V(STATES), sizeof(double) * N_STATES);
    for (int round = 0; round < MOST_HALVINGS && (high - low) * step->length > 4.0 * DBL_EPSILON * fmax(1.0, fabs(step->start)); round++) {
        double middle = 0.5 * (low + high);
        within(self, step, end, middle);
        if (!find(self)) break;
        indicate(self, now);
        if (crossed(before, now)) high = middle;
        else low = middle;
    }
    if (high < 1.0) within(self, step, end, high);
    else {
        *V(TIME) = step->start + step->length;
        memcpy(V(STATES), end, sizeof(double) * N_STATES);
    }
    return true;
}

static fmi2Status advance(Instance *self, double end) {
    Step step;
    double before[SOME(N_INDICATORS)];
    bool moved;
    for (long long count = 0; *V(TIME) < end && !self->state.over; count++) {
        double until = fmin(end, self->state.next), length = self->state.step;
        if (count == MOST_STEPS) return fail(self, "at time %g: more than %d steps in one communication step", *V(TIME), MOST_STEPS);
        if (!self->state.fresh && !results(self)) return refuse_results(self);
        indicate(self, before);
        step.start = *V(TIME);
        memcpy(step.old, V(STATES), sizeof(double) * N_STATES);
        memcpy(step.rates[0], self->state.results, sizeof(double) * N_STATES);
        if (!(length > 0.0)) length = 0.01 * (until - step.start);
        self->state.fresh = false;
        for (;;) {
            bool last = step.start + 1.001 * length >= until;
            step.length = last ? until - step.start : length;
            double error = N_STATES ? attempt(self, &step) : 0.0;
            if (error <= 1.0) {
                *V(TIME) = last ? until : step.start + step.length;
                /* a step that was cut short says nothing about the next one */
                if (!last || step.length >= length) self->state.step = step.length * fmin(5.0, 0.9 * pow(fmax(error, 1e-10), -0.2));
                break;
            }
            length = step.length * fmax(0.2, isfinite(error) ? 0.9 * pow(error, -0.2) : 0.2);
            *V(TIME) = step.start;
            memcpy(V(STATES), step.old, sizeof(double) * N_STATES);
            if (step.start + 0.01 * length <= step.start) {
                if (!isfinite(error) && !results(self)) return refuse_results(self);
                return fail(self, "at time %g the step size becomes too small", step.start);
            }
        }
        if (!find(self)) return refuse_results(self);
        if (locate(self, &step, before) || self->state.next <= after(*V(TIME))) {
            fmi2Status status = event(self, &moved);
            if (status != fmi2OK) return status;
        }
    }
    return fmi2OK;
}

/* ---- FMI ---- */

const char *fmi2GetTypesPlatform(void) { return fmi2TypesPlatform; }
const char *fmi2GetVersion(void) { return fmi2Version; }

fmi2Component fmi2Instantiate(fmi2String name, fmi2Type type, fmi2String guid, fmi2String resources,
                              const fmi2CallbackFunctions *callbacks, fmi2Boolean visible, fmi2Boolean logging) {
    (void)resources, (void)visible, (void)logging;
    Instance *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    self->callbacks = callbacks;
    self->exchange = type == fmi2ModelExchange;
    self->name = calloc(1, strlen(name ? name : "") + 1);
    if (!self->name || !guid || strcmp(guid, GUID)) {
        if (self->name) fail(self, "the GUID is not that of this FMU");
        free(self->name);
        free(self);
        return NULL;
    }
    strcpy(self->name, name ? name : "");
    fmi2Reset(self);
    return self;
}

void fmi2FreeInstance(fmi2Component c) {
    Instance *self = c;
    if (!self) return;
    free(self->name);
    free(self);
}

fmi2Status fmi2SetDebugLogging(fmi2Component c, fmi2Boolean on, size_t n, const fmi2String categories[]) {
    return (void)c, (void)on, (void)n, (void)categories, fmi2OK;
}

fmi2Status fmi2Reset(fmi2Component c) {
    static const double parameters[SOME(N_PARAMETERS)] = PARAMETER_STARTS, inputs[SOME(N_INPUTS)] = INPUT_STARTS;
    Instance *self = c;
    memset(&self->state, 0, sizeof self->state);
    memcpy(V(PARAMETERS), parameters, sizeof(double) * N_PARAMETERS);
    memcpy(V(INPUTS), inputs, sizeof(double) * N_INPUTS);
    self->state.tolerance = 1e-6;
    self->state.mode = MADE;
    return fmi2OK;
}

fmi2Status fmi2SetupExperiment(fmi2Component c, fmi2Boolean toleranceDefined, fmi2Real tolerance, fmi2Real start, fmi2Boolean stopDefined, fmi2Real stop) {
    Instance *self = c;
    (void)stopDefined, (void)stop;
    *V(TIME) = start;
    if (toleranceDefined && tolerance > 0.0) self->state.tolerance = fmin(fmax(tolerance, 1e-13), 1e-2);
    return fmi2OK;
}

fmi2Status fmi2EnterInitializationMode(fmi2Component c) {
    Instance *self = c;
    self->state.mode = INITIALIZING;
    self->state.fresh = false;
    return fmi2OK;
}

fmi2Status fmi2ExitInitializationMode(fmi2Component c) {
    Instance *self = c;
    bool moved;
    fmi2Status status = evaluate(self);
    if (status != fmi2OK) return status;
    self->state.mode = self->exchange ? EVENTS : STEPPING;
    return self->exchange ? fmi2OK : event(self, &moved);
}

fmi2Status fmi2Terminate(fmi2Component c) { return ((Instance *)c)->state.mode = ENDED, fmi2OK; }

static double *slot(Instance *self, const Variable *variable) {
    switch (variable->part) {
        case 't': return V(TIME);
        case 'x': return V(STATES) + variable->place;
        case 'u': return V(INPUTS) + variable->place;
        case 'p': return V(PARAMETERS) + variable->place;
        case 'd': return V(DISCRETES) + variable->place;
        default: return self->state.results + variable->place;
    }
}

static const Variable *variable_of(Instance *self, fmi2ValueReference reference, char type) {
    if (reference < N_VARIABLES && VARIABLES[reference].type == type) return VARIABLES + reference;
    fail(self, "there is no variable of this type with the value reference %u", reference);
    return NULL;
}

static fmi2Status get(Instance *self, fmi2ValueReference reference, char type, double *value) {
    const Variable *variable = variable_of(self, reference, type);
    if (!variable) return fmi2Error;
    if (self->state.mode != MADE && variable->part != 'p' && variable->part != 'u') {
        fmi2Status status = evaluate(self);
        if (status != fmi2OK) return status;
    }
    *value = *slot(self, variable);
    return fmi2OK;
}

static fmi2Status set(Instance *self, fmi2ValueReference reference, char type, double value) {
    const Variable *variable = variable_of(self, reference, type);
    if (!variable) return fmi2Error;
    if (variable->when == 'n' || (variable->when == 'b' && self->state.mode > INITIALIZING))
        return fail(self, "the variable with the value reference %u cannot be set%s", reference, variable->when == 'n' ? "" : " now");
    if (!isfinite(value)) return fail(self, "a value is no finite number");
    if (variable->part == 'x') self->state.chosen[variable->place] = 1;
    self->state.fresh &= *slot(self, variable) == value;
    *slot(self, variable) = value;
    return fmi2OK;
}

#define ACCESS(NAME, TYPE, CODE, FROM)                                                                                         \
    fmi2Status fmi2Get##NAME(fmi2Component c, const fmi2ValueReference vr[], size_t n, TYPE value[]) {                         \
        for (size_t i = 0; i < n; i++) {                                                                                       \
            double number = 0.0;                                                                                               \
            fmi2Status status = get(c, vr[i], CODE, &number);                                                                  \
            if (status != fmi2OK) return status;                                                                               \
            value[i] = (TYPE)(FROM);                                                                                           \
        }                                                                                                                      \
        return fmi2OK;                                                                                                         \
    }                                                                                                                          \
    fmi2Status fmi2Set##NAME(fmi2Component c, const fmi2ValueReference vr[], size_t n, const TYPE value[]) {                   \
        for (size_t i = 0; i < n; i++) {                                                                                       \
            fmi2Status status = set(c, vr[i], CODE, (double)value[i]);                                                         \
            if (status != fmi2OK) return status;                                                                               \
        }                                                                                                                      \
        return fmi2OK;                                                                                                         \
    }
ACCESS(Real, fmi2Real, 'r', number)
ACCESS(Integer, fmi2Integer, 'i', lround(number))
ACCESS(Boolean, fmi2Boolean, 'b', number > 0.5 ? fmi2True : fmi2False)

fmi2Status fmi2GetString(fmi2Component c, const fmi2ValueReference vr[], size_t n, fmi2String value[]) {
    return (void)vr, (void)value, n ? fail(c, "there are no texts") : fmi2OK;
}
fmi2Status fmi2SetString(fmi2Component c, const fmi2ValueReference vr[], size_t n, const fmi2String value[]) {
    return (void)vr, (void)value, n ? fail(c, "there are no texts") : fmi2OK;
}

fmi2Status fmi2GetFMUstate(fmi2Component c, fmi2FMUstate *snapshot) {
    if (!*snapshot && !(*snapshot = malloc(sizeof(State)))) return fail(c, "there is no memory");
    memcpy(*snapshot, &((Instance *)c)->state, sizeof(State));
    return fmi2OK;
}
fmi2Status fmi2SetFMUstate(fmi2Component c, fmi2FMUstate snapshot) {
    memcpy(&((Instance *)c)->state, snapshot, sizeof(State));
    return fmi2OK;
}
fmi2Status fmi2FreeFMUstate(fmi2Component c, fmi2FMUstate *snapshot) {
    (void)c;
    free(*snapshot);
    *snapshot = NULL;
    return fmi2OK;
}
fmi2Status fmi2SerializedFMUstateSize(fmi2Component c, fmi2FMUstate snapshot, size_t *size) {
    return (void)c, (void)snapshot, *size = sizeof(State), fmi2OK;
}
fmi2Status fmi2SerializeFMUstate(fmi2Component c, fmi2FMUstate snapshot, fmi2Byte bytes[], size_t size) {
    if (size < sizeof(State)) return fail(c, "a snapshot has %zu bytes", sizeof(State));
    memcpy(bytes, snapshot, sizeof(State));
    return fmi2OK;
}
fmi2Status fmi2DeSerializeFMUstate(fmi2Component c, const fmi2Byte bytes[], size_t size, fmi2FMUstate *snapshot) {
    if (size != sizeof(State)) return fail(c, "a snapshot has %zu bytes, not %zu", sizeof(State), size);
    if (!*snapshot && !(*snapshot = malloc(sizeof(State)))) return fail(c, "there is no memory");
    memcpy(*snapshot, bytes, sizeof(State));
    return fmi2OK;
}

fmi2Status fmi2GetDirectionalDerivative(fmi2Component c, const fmi2ValueReference u[], size_t n, const fmi2ValueReference k[], size_t m, const fmi2Real d[], fmi2Real v[]) {
    return (void)u, (void)n, (void)k, (void)m, (void)d, (void)v, fail(c, "there are no directional derivatives");
}

/* Model Exchange */
fmi2Status fmi2EnterEventMode(fmi2Component c) { return ((Instance *)c)->state.mode = EVENTS, fmi2OK; }
fmi2Status fmi2EnterContinuousTimeMode(fmi2Component c) { return ((Instance *)c)->state.mode = STEPPING, fmi2OK; }

fmi2Status fmi2NewDiscreteStates(fmi2Component c, fmi2EventInfo *info) {
    Instance *self = c;
    bool moved;
    fmi2Status status = event(self, &moved);
    memset(info, 0, sizeof *info);
    if (status != fmi2OK) return status;
    info->terminateSimulation = self->state.over;
    info->valuesOfContinuousStatesChanged = moved;
    info->nextEventTimeDefined = isfinite(self->state.next);
    info->nextEventTime = self->state.next;
    return fmi2OK;
}

fmi2Status fmi2CompletedIntegratorStep(fmi2Component c, fmi2Boolean keep, fmi2Boolean *event_mode, fmi2Boolean *end) {
    return (void)c, (void)keep, *event_mode = *end = fmi2False, fmi2OK;
}

fmi2Status fmi2SetTime(fmi2Component c, fmi2Real time) {
    Instance *self = c;
    self->state.fresh &= *V(TIME) == time;
    *V(TIME) = time;
    return fmi2OK;
}

fmi2Status fmi2SetContinuousStates(fmi2Component c, const fmi2Real x[], size_t n) {
    Instance *self = c;
    if (n != N_STATES) return fail(self, "there are %d states, not %zu", N_STATES, n);
    memcpy(V(STATES), x, sizeof(double) * n);
    self->state.fresh = false;
    return fmi2OK;
}

fmi2Status fmi2GetContinuousStates(fmi2Component c, fmi2Real x[], size_t n) {
    Instance *self = c;
    memcpy(x, V(STATES), sizeof(double) * n);
    return fmi2OK;
}

fmi2Status fmi2GetDerivatives(fmi2Component c, fmi2Real rates[], size_t n) {
    Instance *self = c;
    fmi2Status status = evaluate(self);
    if (status == fmi2OK) memcpy(rates, self->state.results, sizeof(double) * n);
    return status;
}

fmi2Status fmi2GetEventIndicators(fmi2Component c, fmi2Real z[], size_t n) {
    fmi2Status status = evaluate(c);
    if (status == fmi2OK && n) indicate(c, z);
    return status;
}

fmi2Status fmi2GetNominalsOfContinuousStates(fmi2Component c, fmi2Real x[], size_t n) {
    return (void)c, memcpy(x, NOMINALS, sizeof(double) * n), fmi2OK;
}

/* co-simulation */
fmi2Status fmi2DoStep(fmi2Component c, fmi2Real time, fmi2Real length, fmi2Boolean keep) {
    Instance *self = c;
    State *old = malloc(sizeof *old);
    (void)keep;
    if (!old) return fail(self, "there is no memory");
    *old = self->state;
    fmi2Status status = fmi2OK;
    if (fabs(time - *V(TIME)) > 1e-9 * fmax(1.0, fabs(time))) status = fail(self, "the time is %g, not %g", *V(TIME), time);
    else if (!(length > 0.0)) status = fail(self, "a step must be positive");
    else {
        bool moved;
        /* inputs may have jumped */
        if (!self->state.fresh) status = event(self, &moved);
        if (status == fmi2OK) status = advance(self, time + length);
        if (status == fmi2OK && self->state.over) status = fmi2Discard;
    }
    if (status == fmi2Error) self->state = *old;
    free(old);
    return status;
}

fmi2Status fmi2CancelStep(fmi2Component c) { return fail(c, "steps are not asynchronous"); }
fmi2Status fmi2SetRealInputDerivatives(fmi2Component c, const fmi2ValueReference vr[], size_t n, const fmi2Integer order[], const fmi2Real value[]) {
    return (void)vr, (void)order, (void)value, n ? fail(c, "inputs hold") : fmi2OK;
}
fmi2Status fmi2GetRealOutputDerivatives(fmi2Component c, const fmi2ValueReference vr[], size_t n, const fmi2Integer order[], fmi2Real value[]) {
    return (void)vr, (void)order, (void)value, n ? fail(c, "there are no derivatives of outputs") : fmi2OK;
}
fmi2Status fmi2GetStatus(fmi2Component c, const fmi2StatusKind kind, fmi2Status *value) { return (void)c, (void)kind, (void)value, fmi2Discard; }
fmi2Status fmi2GetRealStatus(fmi2Component c, const fmi2StatusKind kind, fmi2Real *value) {
    Instance *self = c;
    return *value = *V(TIME), kind == fmi2LastSuccessfulTime ? fmi2OK : fmi2Discard;
}
fmi2Status fmi2GetIntegerStatus(fmi2Component c, const fmi2StatusKind kind, fmi2Integer *value) { return (void)c, (void)kind, (void)value, fmi2Discard; }
fmi2Status fmi2GetBooleanStatus(fmi2Component c, const fmi2StatusKind kind, fmi2Boolean *value) {
    return *value = (fmi2Boolean)((Instance *)c)->state.over, kind == fmi2Terminated ? fmi2OK : fmi2Discard;
}
fmi2Status fmi2GetStringStatus(fmi2Component c, const fmi2StatusKind kind, fmi2String *value) { return (void)c, (void)kind, (void)value, fmi2Discard; }
