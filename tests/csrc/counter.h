/* No states: `seconds` counts at time events, `crossings` where a wave of frequency u crosses zero (state events). */
#define N_STATES 0
#define N_INDICATORS 1
#define EXCHANGE_ONLY

static double *states(Variables *v) { return (void)v, NULL; }
static double *derivatives(Variables *v) { return (void)v, NULL; }
static double *indicators(Variables *v) { return &v->wave; }

static const char *calculate(Variables *v) {
    v->wave = sin(6.283185307179586 * v->u * v->time + 0.1);
    v->y = 10.0 * v->seconds + v->wave;
    return NULL;
}

static double next_event(const Variables *v) { return v->seconds + 1.0; }

static void event(Variables *v) {
    while (v->time >= next_event(v) - 1e-9) v->seconds++;
    int positive = sin(6.283185307179586 * v->u * v->time + 0.1) > 0.0;
    if (positive != v->positive) v->crossings++;
    v->positive = positive;
}
