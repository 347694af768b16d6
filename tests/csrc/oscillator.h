/* Van der Pol's oscillator, stiff where mu is large:  dx/dt = v,  dv/dt = mu (1 - x^2) v - x */
#define N_STATES 2
#define EXCHANGE_ONLY

static double *states(Variables *v) { return &v->x; }
static double *derivatives(Variables *v) { return &v->der_x; }

static const char *calculate(Variables *v) {
    v->der_x = v->v;
    v->der_v = v->mu * (1.0 - v->x * v->x) * v->v - v->x;
    return NULL;
}

static double next_event(const Variables *v) { return (void)v, INFINITY; }
static void event(Variables *v) { (void)v; }
