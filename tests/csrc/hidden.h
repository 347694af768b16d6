/* dx/dt = (u - x) / tau, and nothing is an output; `late` is no number before t = 1 s */
#define N_STATES 1

static double *states(Variables *v) { return &v->x; }
static double *derivatives(Variables *v) { return &v->der_x; }

static const char *calculate(Variables *v) {
    v->der_x = (v->u - v->x) / v->tau;
    v->twice = 2.0 * v->x;
    v->late = v->time < 1.0 ? NAN : v->time;
    v->rate = 1.0 / v->tau;
    return NULL;
}

static void solve(Variables *v, double duration) { v->x = v->u + (v->x - v->u) * exp(-duration / v->tau); }
static double next_event(const Variables *v) { return (void)v, INFINITY; }
static void event(Variables *v) { (void)v; }
