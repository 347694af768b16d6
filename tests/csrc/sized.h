/* dz/dt = sum(u) - z, y = 2 u; both have n elements, a structural parameter */
#define N_STATES 1

static double *states(Variables *v) { return &v->z; }
static double *derivatives(Variables *v) { return &v->der_z; }

static double total(const Variables *v) {
    double sum = 0.0;
    for (uint64_t i = 0; i < v->n; i++) sum += v->u[i];
    return sum;
}

static const char *calculate(Variables *v) {
    for (uint64_t i = 0; i < v->n; i++) v->y[i] = 2.0 * v->u[i];
    v->der_z = total(v) - v->z;
    return NULL;
}

static void solve(Variables *v, double duration) { v->z = total(v) + (v->z - total(v)) * exp(-duration); }
static double next_event(const Variables *v) { return (void)v, INFINITY; }
static void event(Variables *v) { (void)v; }
