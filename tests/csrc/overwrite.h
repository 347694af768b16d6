/* dT/dt = (n power - T) / 50 s        power = own, or power_u while power_activate */
#define N_STATES 1

static double *states(Variables *v) { return &v->T; }
static double *derivatives(Variables *v) { return &v->der_T; }

static double target(const Variables *v) { return v->n * (v->power_activate ? v->power_u : v->own); }

static const char *calculate(Variables *v) {
    v->power = v->power_activate ? v->power_u : v->own;
    v->der_T = (target(v) - v->T) / 50.0;
    return NULL;
}

static void solve(Variables *v, double duration) { v->T = target(v) + (v->T - target(v)) * exp(-duration / 50.0); }
static double next_event(const Variables *v) { return (void)v, INFINITY; }
static void event(Variables *v) { (void)v; }
