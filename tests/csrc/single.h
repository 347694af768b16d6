/* dx/dt = (u - x) / tau by one explicit step for each step of the co-simulation, however long; `taken` counts them */
#define N_STATES 1

static double *states(Variables *v) { return &v->x; }
static double *derivatives(Variables *v) { return &v->der_x; }

static const char *calculate(Variables *v) {
    v->der_x = (v->u - v->x) / v->tau;
    return NULL;
}

static void steps(Variables *v, double duration) {
    calculate(v);
    v->x += duration * v->der_x;
    v->taken++;
}
#define STEPS steps

static void solve(Variables *v, double duration) { v->x = v->u + (v->x - v->u) * exp(-duration / v->tau); }
static double next_event(const Variables *v) { return (void)v, INFINITY; }
static void event(Variables *v) { (void)v; }
