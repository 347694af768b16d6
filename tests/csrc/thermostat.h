/*
 * dT/dt = (outside - T) / 10 s + 3 K/s heating;  heating on below `low`, off above `high` (state events);  outside falls
 * from 10 to 0 degrees at t = 7 s and rises again at t = 14 s, and so on (time events)
 */
#define N_STATES 1
#define N_INDICATORS 2
#define EXCHANGE_ONLY

static double *states(Variables *v) { return &v->T; }
static double *derivatives(Variables *v) { return &v->der_T; }
static double *indicators(Variables *v) { return &v->above; }

static const char *calculate(Variables *v) {
    v->outside = v->changes % 2 ? 0.0 : 10.0;
    v->der_T = (v->outside - v->T) / 10.0 + 3.0 * v->heating;
    v->above = v->heating ? v->T - v->high : -1.0;
    v->below = v->heating ? -1.0 : v->low - v->T;
    return NULL;
}

static double next_event(const Variables *v) { return 7.0 * (v->changes + 1); }

static void event(Variables *v) {
    while (v->time >= next_event(v) - 1e-9) v->changes++;
    if (v->heating && v->T >= v->high) v->heating = 0, v->switched++;
    else if (!v->heating && v->T <= v->low) v->heating = 1, v->switched++;
}
