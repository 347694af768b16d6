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

void eval_forward(Instance *c, const double *dx, const double *dv, const double *du, double *result)
{
    ensure_start(c);
    model_forward(c->s.x, c->s.s2, c->s.u, c->s.p, dx, dv, du, result);
}

void eval_start_forward(Instance *c, const double *du, double *dx)
{
    model_start_forward(c->s.u, c->s.p, du, dx);
}
