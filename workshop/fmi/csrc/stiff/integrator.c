/* Adaptive Rosenbrock method of order 4(3), stiffly accurate and L-stable, on the stiff block; exact solution on the filters.
 *
 * Inputs are constant during a step, so a filter's two stages are known in closed form and the stiff block is an ODE
 * x' = f(x, t) whose time dependence is v(t) and h(v(t)). The method and its coefficients: see rosenbrock.py. Step size
 * control: Hairer and Wanner, Solving Ordinary Differential Equations II (1996), IV.7 and IV.8. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "instance.h"

#define SETTLED 1e-10      /* distance of a filter from its input, relative to max(1, |input|), that counts as none */
#define SAFETY 0.9
#define GROW 6.0           /* bounds of the change of the step size from one step to the next */
#define SHRINK 0.2
#define CHANGE_AT_ONCE 3.0 /* change over a step, in tolerances, below which the long step is tried after new inputs */
#define FIRST_ERROR 0.3    /* error, in tolerances, that the starting step aims at */

/* Root mean square in units of the tolerance, the norm that CVODE and the codes of Hairer and Wanner use too. */
static double norm(const double *value, const double *scale)
{
    double sum = 0.0;
    for (int i = 0; i < NX; i++) {
        sum += (value[i] / scale[i]) * (value[i] / scale[i]);
    }
    return sqrt(sum / NX);
}

static int is_settled(double s1, double s2, double u)
{
    double bound = SETTLED * fmax(1.0, fabs(u));
    return fabs(s1 - u) <= bound && fabs(s2 - u) <= bound;
}

/* Put filters that have arrived exactly on their inputs and list the others. */
static void list_active(Instance *c)
{
    State *s = &c->s;
    Workspace *w = &c->w;
    w->n_active = 0;
    for (int i = 0; i < NF; i++) {
        double u = s->u[filter_input[i]];
        if (!is_settled(s->s1[i], s->s2[i], u)) {
            w->active[w->n_active++] = i;
        } else if (s->s1[i] != u || s->s2[i] != u) {
            s->s1[i] = s->s2[i] = u;
            s->has &= ~(int64_t)(HAS_AUX | HAS_ODE | HAS_OUT);
        }
    }
}

/* Filters dt after the start of the step, and whether all of them have settled; s1 may be NULL. */
static int filters_at(const Instance *c, double dt, double *s1, double *s2)
{
    const State *s = &c->s;
    const Workspace *w = &c->w;
    double tau = 0.0, ratio = 0.0, decay = 0.0;
    int settled = 1;
    for (int n = 0; n < w->n_active; n++) {
        int i = w->active[n];
        double u = s->u[filter_input[i]], d1 = s->s1[i] - u, d2 = s->s2[i] - u;
        if (s->tau[i] != tau) { /* filters mostly share their time constant */
            tau = s->tau[i];
            ratio = dt / tau;
            decay = exp(-ratio);
        }
        double first = u + d1 * decay;
        s2[i] = u + (d2 + d1 * ratio) * decay;
        settled = settled && is_settled(first, s2[i], u);
        if (s1) {
            s1[i] = first;
        }
    }
    return settled;
}

/* v and h at a stage; returns whether the filters have settled. */
static int stage_inputs(Instance *c, double dt, double *v, double *h)
{
    int settled = filters_at(c, dt, NULL, v);
    eval_aux(c, v, h);
    return settled;
}

/* Explicit derivative of f by time, through the filters, by a forward difference. */
static void time_derivative(Instance *c, double now, double *f_time)
{
    Workspace *w = &c->w;
    double tau = DBL_MAX;
    for (int n = 0; n < w->n_active; n++) {
        tau = fmin(tau, c->s.tau[w->active[n]]);
    }
    double delta = 1e-5 * tau;
    stage_inputs(c, now + delta, w->v_stage, w->h_stage);
    eval_ode(c, w->x, w->v_stage, w->h_stage, f_time);
    for (int i = 0; i < NX; i++) {
        f_time[i] = (f_time[i] - w->f[i]) / delta;
        if (!isfinite(f_time[i])) {
            f_time[i] = 0.0;
        }
    }
}

/* First step after new inputs: from the size of x' and x'' (Hairer, Norsett and Wanner, II.4), unless even a long
 * step changes nothing that the tolerance would see. */
static double starting_step(Instance *c, double length, const double *scale)
{
    const State *s = &c->s;
    Workspace *w = &c->w;
    double step = length, tau = DBL_MAX;

    for (int n = 0; n < w->n_active; n++) {
        tau = fmin(tau, s->tau[w->active[n]]);
    }
    if (w->n_active == 0 && lu_factor(w, 1.0 / (ROS_GAMMA * step))) {
        memcpy(w->rhs, w->f, sizeof w->rhs);
        lu_solve(w, w->rhs);
        if (norm(w->rhs, scale) <= ROS_GAMMA * CHANGE_AT_ONCE) {
            return step;
        }
    }
    memcpy(w->rhs, w->f_time, sizeof w->rhs);
    for (int column = 0; column < NX; column++) {
        for (int k = jac_column[column]; k < jac_column[column + 1]; k++) {
            w->rhs[jac_row[k]] += w->jac[k] * w->f[column];
        }
    }
    double speed = fmax(norm(w->f, scale), sqrt(norm(w->rhs, scale)));
    if (speed > 0.0) {
        step = fmin(step, sqrt(sqrt(FIRST_ERROR)) / speed);
    }
    if (w->n_active) {
        step = fmin(step, 0.5 * tau);
    }
    return fmin(step, FIRST_STEP);
}

/* One step of size h from (now, w->x); the result is in w->stage, the error estimate in w->k[last]. Returns 0 when the
 * matrix is singular or a stage is not finite. */
static int try_step(Instance *c, double now, double h, double end, int *settled)
{
    Workspace *w = &c->w;
    double *stage = w->stage;
    const double *v = w->v, *aux = w->h;
    double offset = 0.0;

    *settled = w->n_active == 0;
    if (!lu_factor(w, 1.0 / (ROS_GAMMA * h))) {
        return 0;
    }
    for (int i = 0; i < ROS_STAGES; i++) {
        double *k = w->k[i];
        memcpy(stage, w->x, sizeof w->stage);
        for (int j = 0; j < i; j++) {
            double a = ros_a[i][j];
            if (a != 0.0) {
                for (int n = 0; n < NX; n++) {
                    stage[n] += a * w->k[j][n];
                }
            }
        }
        if (i == 0) {
            memcpy(k, w->f, sizeof w->rhs);
        } else {
            if (w->n_active && ros_alpha[i] != offset) {
                offset = ros_alpha[i];
                *settled = stage_inputs(c, offset == 1.0 ? end : now + offset * h, w->v_stage, w->h_stage);
                v = w->v_stage;
                aux = w->h_stage;
            }
            eval_ode(c, stage, v, aux, k);
        }
        for (int j = 0; j < i; j++) {
            double factor = ros_c[i][j] / h;
            for (int n = 0; n < NX; n++) {
                k[n] += factor * w->k[j][n];
            }
        }
        if (w->n_active && ros_gamma_sum[i] != 0.0) {
            for (int n = 0; n < NX; n++) {
                k[n] += ros_gamma_sum[i] * h * w->f_time[n];
            }
        }
        lu_solve(w, k);
        if (first_non_finite(k, NX) >= 0) {
            return 0;
        }
    }
    for (int n = 0; n < NX; n++) { /* stiffly accurate: the result is the last stage's argument plus its increment */
        stage[n] += w->k[ROS_STAGES - 1][n];
    }
    return 1;
}

static int worst_state(const double *error, const double *scale)
{
    int worst = first_non_finite(error, NX);
    if (worst < 0) {
        worst = 0;
        for (int i = 1; i < NX; i++) {
            if (fabs(error[i] / scale[i]) > fabs(error[worst] / scale[worst])) {
                worst = i;
            }
        }
    }
    return worst;
}

fmi2Status integrate(Instance *c, double length)
{
    State *s = &c->s;
    Workspace *w = &c->w;
    double scale[DIM(NX)];
    const double limit = fmin(STEP_LIMIT * fmax(1.0, length / DEFAULT_STEP), STEP_LIMIT_TOTAL);
    double now = 0.0, h = 0.0, count = 0.0;
    int fresh = 1, rejected = 0, started = 0;

    list_active(c);
    ensure_ode(c);
    memcpy(w->x, s->x, sizeof w->x);
    memcpy(w->v, s->s2, sizeof w->v);
    memcpy(w->v_stage, s->s2, sizeof w->v_stage);
    memcpy(w->h, s->h, sizeof w->h);
    memcpy(w->f, s->dx, sizeof w->f);

    while (now < length) {
        if (fresh) { /* a new point: derivatives there */
            if (started) {
                eval_ode(c, w->x, w->v, w->h, w->f);
            }
            int bad = first_non_finite(w->f, NX);
            if (bad >= 0) {
                return fail(c, "derivative of %s is not finite at t = %.9g s (%s = %.9g)", state_name(bad),
                            s->time + now, state_name(bad), w->x[bad]);
            }
            eval_jac(c, w->x, w->v, w->h, w->jac);
            if (w->n_active) {
                time_derivative(c, now, w->f_time);
            } else {
                memset(w->f_time, 0, sizeof w->f_time);
            }
            for (int i = 0; i < NX; i++) {
                scale[i] = s->tolerance * (state_nominal[i] + fabs(w->x[i]));
            }
            fresh = 0;
        }
        if (!started) {
            started = 1;
            h = s->next_step;
            if (s->inputs_changed || h <= 0.0) {
                h = starting_step(c, length, scale);
                s->last_step = s->last_error = 0.0;
            }
        }

        const double wanted = h;
        const int last = now + 1.01 * h >= length;
        if (last) {
            h = length - now;
        } else if (now + 2.0 * h > length) {
            h = 0.5 * (length - now); /* two even steps rather than a long one and a crumb */
        }
        int settled;
        double error = 1e10;
        if (try_step(c, now, h, last ? length : now + h, &settled)) {
            for (int i = 0; i < NX; i++) {
                scale[i] = s->tolerance * (state_nominal[i] + fmax(fabs(w->x[i]), fabs(w->stage[i])));
            }
            error = fmax(norm(w->k[ROS_STAGES - 1], scale), 1e-10);
        }
        double factor = fmin(GROW, fmax(SHRINK, SAFETY / sqrt(sqrt(error))));
        count += 1.0;
        if (error <= 1.0) {
            double last_error = fmax(error, 0.01);
            if (s->last_step > 0.0) { /* Gustafsson's predictive controller, which sees the trend of the error */
                double predicted = SAFETY * (h / s->last_step) * sqrt(sqrt(s->last_error / (error * error)));
                factor = fmin(factor, fmax(SHRINK, predicted));
            }
            s->last_step = h;
            s->last_error = last_error;
            s->steps++;
            now = last ? length : now + h;
            double next = h * (rejected ? fmin(factor, 1.0) : factor);
            if (h < wanted) { /* cut short by the communication point: nothing was learnt against the step wanted */
                next = fmax(next, wanted);
            }
            h = s->next_step = fmin(next, DBL_MAX);
            rejected = 0;
            fresh = 1;
            memcpy(w->x, w->stage, sizeof w->x);
            if (w->n_active) {
                memcpy(w->v, w->v_stage, sizeof w->v);
                memcpy(w->h, w->h_stage, sizeof w->h);
                if (settled) {
                    for (int i = 0; i < NF; i++) {
                        s->s1[i] = s->s2[i] = w->v[i] = s->u[filter_input[i]];
                    }
                    w->n_active = 0;
                    eval_aux(c, w->v, w->h);
                }
            }
        } else {
            s->rejected++;
            rejected = 1;
            h *= error < 1e10 ? fmin(factor, SAFETY) : 0.25;
            if (h < 1e-13 * fmin(length, DEFAULT_STEP) || now + h == now) {
                int worst = worst_state(w->k[ROS_STAGES - 1], scale);
                return fail(c, "step size became too small at t = %.9g s, worst state %s = %.9g", s->time + now,
                            state_name(worst), w->x[worst]);
            }
        }
        if (count > limit) {
            int worst = worst_state(w->k[ROS_STAGES - 1], scale);
            return fail(c, "more than %.0f integrator steps in one step, at t = %.9g s, worst state %s = %.9g", limit,
                        s->time + now, state_name(worst), w->x[worst]);
        }
    }

    if (w->n_active) {
        filters_at(c, length, w->v_stage, w->v);
        for (int n = 0; n < w->n_active; n++) {
            s->s1[w->active[n]] = w->v_stage[w->active[n]];
            s->s2[w->active[n]] = w->v[w->active[n]];
        }
    }
    memcpy(s->x, w->x, sizeof s->x);
    memcpy(s->h, w->h, sizeof s->h);
    s->inputs_changed = 0;
    s->has = (s->has & ~(int64_t)(HAS_ODE | HAS_OUT)) | HAS_AUX;
    return fmi2OK;
}
