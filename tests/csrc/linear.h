/*
 * One linear system behind FMUs of several versions of FMI:
 *
 *   dx/dt = (u - x) / tau        y = gain x, negated when inverted        high = x > 1        echo = label
 *
 * x starts at 1, tau = 10 s, gain = 2, inverted = false, label = "cooling". Only what `State` holds is serialized: the
 * parameters are not, as in FMUs of some tools.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    double time, x, u;
} State;

typedef struct {
    State state;
    double tau;
    int gain, inverted, running;
    char label[64];
} Linear;

static void linear_label(Linear *self, const char *label) {
    strncpy(self->label, label, sizeof self->label - 1);
    self->label[sizeof self->label - 1] = '\0';
}

static void linear_begin(Linear *self) {
    memset(self, 0, sizeof *self);
    self->state.x = 1.0;
    self->tau = 10.0;
    self->gain = 2;
    linear_label(self, "cooling");
}

static double linear_output(const Linear *self) {
    return (self->inverted ? -1.0 : 1.0) * self->gain * self->state.x;
}

static double linear_derivative(const Linear *self) { return (self->state.u - self->state.x) / self->tau; }

static void linear_step(Linear *self, double duration) {
    self->state.x = self->state.u + (self->state.x - self->state.u) * exp(-duration / self->tau);
    self->state.time += duration;
}
