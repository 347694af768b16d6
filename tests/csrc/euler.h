/* dx/dt = (u - x) / tau by explicit steps of dt, as many as fit in a step of the co-simulation; `taken` counts them */
#define N_STATES 1

static double *states(Variables *v) { return &v->x; }
static double *derivatives(Variables *v) { return &v->der_x; }

static const char *calculate(Variables *v) {
    v->der_x = (v->u - v->x) / v->tau;
    return NULL;
}

static void steps(Variables *v, double duration) {
    for (int left = (int)floor(duration / v->dt); left > 0; left--, v->taken++) {
        calculate(v);
        v->x += v->dt * v->der_x;
    }
}
#define STEPS steps

static void solve(Variables *v, double duration) { v->x = v->u + (v->x - v->u) * exp(-duration / v->tau); }
static double next_event(const Variables *v) { return (void)v, INFINITY; }
static void event(Variables *v) { (void)v; }
