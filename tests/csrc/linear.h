/* dx/dt = (u - x) / tau        y = gain x, negated when inverted        high = x > 1        echo = label */
#define N_STATES 1

static double *states(Variables *v) { return &v->x; }
static double *derivatives(Variables *v) { return &v->der_x; }

static const char *calculate(Variables *v) {
    v->der_x = (v->u - v->x) / v->tau;
    v->y = (v->inverted ? -1 : 1) * v->gain * v->x;
    v->tenfold = 10 * v->gain;
    v->high = v->x > 1.0;
    memcpy(v->echo, v->label, sizeof v->echo);
    return NULL;
}

static void solve(Variables *v, double duration) { v->x = v->u + (v->x - v->u) * exp(-duration / v->tau); }
static double next_event(const Variables *v) { return (void)v, INFINITY; }
static void event(Variables *v) { (void)v; }
