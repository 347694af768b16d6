/* Runge-Kutta's classical method of order 4 with steps that end on the edges of a pulse train.
 *
 * x' = f(x, g(t) h), where h are the strengths of the sources while the pulse is on and g(t) is 1 for the first `on` of every
 * `period`, counted from the start of the experiment, and 0 for the rest. Between two edges the right-hand side does not depend on
 * time, so each stretch is divided into equal steps of at most `longest`. Linear invariants (balances) are kept to rounding. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "instance.h"
#include "model.h"

#define SLIVER 1e-9 /* of a period: an edge so near counts as passed */

/* Where a time since the start stands in the pulse train: whether the pulse is on, and until when. */
static int pulse_at(double elapsed, double period, double on, double sliver, double *until)
{
    double start = floor(elapsed / period) * period;
    if (start + period <= elapsed + sliver) {
        start += period;
    }
    if (start + on > elapsed + sliver) {
        *until = start + on;
        return 1;
    }
    *until = start + period;
    return 0;
}

static void step(Instance *c, const double *restrict sources, double h)
{
    double *restrict x = c->s.x, *restrict stage = c->w.stage;
    double *restrict k0 = c->w.k[0], *restrict k1 = c->w.k[1], *restrict k2 = c->w.k[2], *restrict k3 = c->w.k[3];
    const double half = 0.5 * h, sixth = h / 6.0;

    eval_ode(c, x, c->s.s2, sources, k0);
    for (int i = 0; i < NX; i++) {
        stage[i] = x[i] + half * k0[i];
    }
    eval_ode(c, stage, c->s.s2, sources, k1);
    for (int i = 0; i < NX; i++) {
        stage[i] = x[i] + half * k1[i];
    }
    eval_ode(c, stage, c->s.s2, sources, k2);
    for (int i = 0; i < NX; i++) {
        stage[i] = x[i] + h * k2[i];
    }
    eval_ode(c, stage, c->s.s2, sources, k3);
    for (int i = 0; i < NX; i++) {
        x[i] += sixth * (k0[i] + 2.0 * (k1[i] + k2[i]) + k3[i]);
    }
}

fmi2Status integrate(Instance *c, double length)
{
    State *s = &c->s;
    const double none[DIM(NH)] = {0.0};
    double pulses[3], now = s->time - s->start_time, until;
    const double end = now + length;

    ensure_aux(c);
    eval_aux(c, s->s2, c->w.h); /* with the pulse on */
    model_pulses(s->p, pulses);
    const double period = pulses[0], on = pulses[1], longest = pulses[2];
    if (!(period > 0.0 && on >= 0.0 && on <= period && longest > 0.0)) {
        return fail(c, "the pulse train is impossible: period %.9g, on for %.9g, integrator step %.9g", period, on, longest);
    }
    if (length / longest + 2.0 * length / period > STEP_LIMIT_TOTAL) {
        return fail(c, "a step of %.9g asks for more than %.0f integrator steps: divide it", length, STEP_LIMIT_TOTAL);
    }
    const double sliver = fmax(SLIVER * period, 4.0 * DBL_EPSILON * fabs(end));
    while (now < end) {
        const int is_on = pulse_at(now, period, on, sliver, &until);
        if (until > end - sliver) {
            until = end;
        }
        const double n = fmax(1.0, ceil((until - now) / longest - SLIVER));
        for (double i = 0.0; i < n; i++) {
            step(c, is_on ? c->w.h : none, (until - now) / n);
        }
        s->steps += (int64_t)n;
        now = until;
    }
    memcpy(s->h, pulse_at(end, period, on, sliver, &until) ? c->w.h : none, sizeof s->h);
    s->inputs_changed = 0;
    s->has = (s->has & ~(int64_t)(HAS_ODE | HAS_OUT)) | HAS_AUX;
    return fmi2OK;
}
