/* dx/dt = (u - x) / tau       y = gain x, gain is tunable      echo = note, bytes = blob, chosen = level, which are inputs */
#define N_STATES 1

static double *states(Variables *v) { return &v->x; }
static double *derivatives(Variables *v) { return &v->der_x; }

static const char *calculate(Variables *v) {
    v->der_x = (v->u - v->x) / v->tau;
    v->y = v->gain * v->x;
    v->half = 0.5 * v->y;
    v->chosen = v->level;
    v->bytes = v->blob;
    memcpy(v->echo, v->note, sizeof v->echo);
    return NULL;
}

static void solve(Variables *v, double duration) { v->x = v->u + (v->x - v->u) * exp(-duration / v->tau); }
static double next_event(const Variables *v) { return (void)v, INFINITY; }
static void event(Variables *v) { (void)v; }
