/* y = sin x1 + 7 sin^2 x2 + 0.1 x3^4 sin x1        dz/dt = y */
#define N_STATES 1

static double *states(Variables *v) { return &v->z; }
static double *derivatives(Variables *v) { return &v->der_z; }

static const char *calculate(Variables *v) {
    v->y = sin(v->x1) + 7 * pow(sin(v->x2), 2) + 0.1 * pow(v->x3, 4) * sin(v->x1);
    v->der_z = v->y;
    return NULL;
}

static void solve(Variables *v, double duration) { v->z += duration * v->y; }
static double next_event(const Variables *v) { return (void)v, INFINITY; }
static void event(Variables *v) { (void)v; }
