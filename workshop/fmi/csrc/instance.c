/* Model evaluations and their caches; names and messages. */
#include "instance.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model.h"

int first_non_finite(const double *values, int n)
{
    for (int i = 0; i < n; i++) {
        if (!isfinite(values[i])) {
            return i;
        }
    }
    return -1;
}

const char *variable_name(fmi2ValueReference vr)
{
    return vr < N_VARIABLES ? variable_names[vr] : "(unknown)";
}

fmi2Status fail(Instance *c, const char *format, ...)
{
    char text[768], message[2 * sizeof text];
    size_t length = 0;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (const char *from = text; *from; from++) { /* the receiver may take the message for a printf format */
        if (*from == '%') {
            message[length++] = '%';
        }
        message[length++] = *from;
    }
    message[length] = '\0';
    if (c->callbacks.logger) {
        c->callbacks.logger(c->callbacks.componentEnvironment, c->name, fmi2Error, "logStatusError", message);
    }
    return fmi2Error;
}

static const char *mode_name(int64_t mode)
{
    switch (mode) {
    case MODE_INSTANTIATED: return "instantiated";
    case MODE_INITIALIZATION: return "initialization mode";
    case MODE_STEP: return "step mode";
    case MODE_EVENT: return "event mode";
    case MODE_CONTINUOUS_TIME: return "continuous-time mode";
    case MODE_ERROR: return "error (a step failed; set an earlier state or reset)";
    default: return "terminated";
    }
}

Instance *enter(fmi2Component component, int modes, const char *function)
{
    Instance *c = (Instance *)component;
    if (!c || c->magic != INSTANCE_MAGIC) {
        return NULL;
    }
    if (!(c->s.mode & modes)) {
        fail(c, "%s must not be called in the state: %s", function, mode_name(c->s.mode));
        return NULL;
    }
    return c;
}

void ensure_start(Instance *c)
{
    State *s = &c->s;
    if (s->has & HAS_START) {
        return;
    }
    model_filter_tau(s->p, s->tau);
    for (int i = 0; i < NF; i++) {
        s->s1[i] = s->s2[i] = s->u[filter_input[i]];
    }
    model_start(s->u, s->p, s->x);
    s->has = (s->has & HAS_PRE) | HAS_START;
}

static void ensure_pre(Instance *c)
{
    State *s = &c->s;
    if (!(s->has & HAS_PRE)) {
        model_pre(s->u, s->p, c->w.c);
        s->has |= HAS_PRE;
    }
}

void eval_aux(Instance *c, const double *v, double *h)
{
    model_aux(v, c->s.u, c->s.p, c->w.c, h);
}

void eval_ode(Instance *c, const double *x, const double *v, const double *h, double *dx)
{
    model_ode(x, v, h, c->s.u, c->s.p, c->w.c, dx);
}

void eval_jac(Instance *c, const double *x, const double *v, const double *h, double *jac)
{
    model_jac(x, v, h, c->s.u, c->s.p, c->w.c, jac);
    for (int k = 0; k < NJ; k++) {
        /* A slope like that of sqrt at 0: an inexact Jacobian costs step rejections, an infinite one the simulation. */
        if (!isfinite(jac[k])) {
            jac[k] = 0.0;
        }
    }
}

void ensure_aux(Instance *c)
{
    State *s = &c->s;
    ensure_start(c);
    ensure_pre(c);
    if (!(s->has & HAS_AUX)) {
        eval_aux(c, s->s2, s->h);
        s->has |= HAS_AUX;
    }
}

void ensure_ode(Instance *c)
{
    State *s = &c->s;
    ensure_aux(c);
    if (!(s->has & HAS_ODE)) {
        eval_ode(c, s->x, s->s2, s->h, s->dx);
        s->has |= HAS_ODE;
    }
}

void ensure_out(Instance *c)
{
    State *s = &c->s;
    ensure_aux(c);
    if (!(s->has & HAS_OUT)) {
        model_out(s->x, s->s2, s->h, s->u, s->p, c->w.c, s->y);
        s->has |= HAS_OUT;
    }
}

void eval_local(Instance *c, double *z)
{
    ensure_aux(c);
#if NZ > 0
    model_local(c->s.x, c->s.s2, c->s.h, c->s.u, c->s.p, z);
#else
    (void)z;
#endif
}

double *state_place(State *s, unsigned index)
{
    return index < NF ? &s->s1[index] : index < 2 * NF ? &s->s2[index - NF] : &s->x[index - 2 * NF];
}

double state_derivative(const State *s, unsigned index)
{
    if (index < NF) {
        return (s->u[filter_input[index]] - s->s1[index]) / s->tau[index];
    }
    if (index < 2 * NF) {
        return (s->s1[index - NF] - s->s2[index - NF]) / s->tau[index - NF];
    }
    return s->dx[index - 2 * NF];
}

fmi2Status check_finite(Instance *c)
{
    State *s = &c->s;
    int bad = first_non_finite(s->x, NX);
    if (bad >= 0) {
        return fail(c, "the state %s is not finite at t = %.9g s", state_name(bad), s->time);
    }
    ensure_out(c);
    bad = first_non_finite(s->y, NY);
    if (bad >= 0) {
        return fail(c, "the output %s is not finite at t = %.9g s", variable_name(VR_Y + bad), s->time);
    }
    return fmi2OK;
}

void eval_forward(Instance *c, const double *dx, const double *dv, const double *du, double *result)
{
    ensure_start(c);
    model_forward(c->s.x, c->s.s2, c->s.u, c->s.p, dx, dv, du, result);
}

void eval_start_forward(Instance *c, const double *du, double *dx)
{
    model_start_forward(c->s.u, c->s.p, du, dx);
}
