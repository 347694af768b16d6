/* One FMU instance: what it holds, and the model evaluations with their caches. */
#ifndef INSTANCE_H
#define INSTANCE_H

#include <stdint.h>

#include "fmi2Functions.h"
#include "model_data.h"

/* C has no arrays of length zero. */
#define DIM(n) ((n) > 0 ? (n) : 1)
#define N_STATES (2 * NF + NX)
#define INSTANCE_MAGIC 0x32494d4644414443u /* what a handle of an FMI function must point to */

/* Modes of an instance; single bits, so that a set of them is a mask. */
enum {
    MODE_INSTANTIATED = 1,
    MODE_INITIALIZATION = 2,
    MODE_STEP = 4,            /* co-simulation, between two steps */
    MODE_EVENT = 8,           /* model exchange */
    MODE_CONTINUOUS_TIME = 16,
    MODE_ERROR = 32,          /* a step failed: read, restore, reset or free */
    MODE_TERMINATED = 64
};
#define MODE_INITIALIZED (MODE_STEP | MODE_EVENT | MODE_CONTINUOUS_TIME)
#define MODE_ANY (MODE_INSTANTIATED | MODE_INITIALIZATION | MODE_INITIALIZED | MODE_ERROR | MODE_TERMINATED)
#define MODE_BEFORE_START (MODE_INSTANTIATED | MODE_INITIALIZATION)

/* Which cached quantities belong to the present inputs, parameters and states. HAS_PRE is about scratch memory and hence
 * never part of a snapshot. */
enum { HAS_START = 1, HAS_PRE = 2, HAS_AUX = 4, HAS_ODE = 8, HAS_OUT = 16 };

/* Everything a restored simulation needs. Only 8-byte words, so that the struct has no padding and can be written out as it is. */
typedef struct {
    uint64_t magic, format, bytes, guid;
    int64_t kind, mode, has, inputs_changed, stop_defined, step_failed;
    int64_t steps, rejected;  /* integrator steps since initialization */
    double tolerance, start_time, stop_time, time;
    double next_step;         /* step size that the integrator would take next [s], 0 when unknown */
    double last_step, last_error;  /* of the last accepted step, for the predictive controller */
    double u[DIM(NU)], p[DIM(NP)];
    double tau[DIM(NF)], s1[DIM(NF)], s2[DIM(NF)], x[DIM(NX)];
    double h[DIM(NH)], dx[DIM(NX)], y[DIM(NY)];
} State;

/* Scratch memory: what survives a call is c alone, and HAS_PRE tells whether it does. */
typedef struct {
    double c[DIM(NC)];              /* what depends on inputs and parameters alone */
    int active[DIM(NF)], n_active;  /* filters that still move */
    double v[DIM(NF)], h[DIM(NH)];  /* at the present time */
    double v_stage[DIM(NF)], h_stage[DIM(NH)], f[DIM(NX)], f_time[DIM(NX)], jac[DIM(NJ)];
    double x[DIM(NX)], stage[DIM(NX)], rhs[DIM(NX)], k[ROS_STAGES][DIM(NX)];
    double lu[DIM(NLU)], inverse_diagonal[DIM(NX)];
} Workspace;

typedef struct {
    uint64_t magic;
    State s, backup;
    Workspace w;
    fmi2CallbackFunctions callbacks;
    char *name;
    int logging;
} Instance;

/* The instance behind a handle when the function may be called in its mode, else NULL (logged). */
Instance *enter(fmi2Component component, int modes, const char *function);

/* Ensure that a cached quantity is there. */
void ensure_start(Instance *c);
void ensure_aux(Instance *c);
void ensure_ode(Instance *c);
void ensure_out(Instance *c);

/* Right-hand side and its parts, at given arguments. */
void eval_aux(Instance *c, const double *v, double *h);
void eval_ode(Instance *c, const double *x, const double *v, const double *h, double *dx);
void eval_jac(Instance *c, const double *x, const double *v, const double *h, double *jac);

/* The local variables at the present time. */
void eval_local(Instance *c, double *z);

/* Directional derivative: seeds dx, dv, du -> derivative of [xdot, y] (NX + NY). */
void eval_forward(Instance *c, const double *dx, const double *dv, const double *du, double *result);
/* Directional derivative of the start states with respect to the inputs. */
void eval_start_forward(Instance *c, const double *du, double *dx);

/* Place and derivative of a continuous state, numbered as in model exchange: s1, s2, x. */
double *state_place(State *s, unsigned index);
double state_derivative(const State *s, unsigned index);

/* Log the first state or output that is not finite and return fmi2Error, or return fmi2OK. */
fmi2Status check_finite(Instance *c);

/* Name of a variable by value reference. */
const char *variable_name(fmi2ValueReference vr);

/* Index of the first entry that is not finite, or -1. */
int first_non_finite(const double *values, int n);

/* Log an error (printf form) and return fmi2Error. */
fmi2Status fail(Instance *c, const char *format, ...);

/* Factorise I / (gamma h) - J and solve with the factors, in place (generated). 0: a pivot is unusable. */
int lu_factor(Workspace *w, double inverse_gamma_h);
void lu_solve(const Workspace *w, double *b);

/* Integrate over `length` seconds from the present state; on failure the message is logged and the state is undefined. */
fmi2Status integrate(Instance *c, double length);

#endif
