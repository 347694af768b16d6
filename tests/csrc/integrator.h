/* dx/dt = u, where u may change along a line within a step: du/dt = slope; y = u; x stands still while on is false */
#define N_STATES 1

static double *states(Variables *v) { return &v->x; }
static double *derivatives(Variables *v) { return &v->der_x; }
static double *slope_of(Variables *v, const Entry *entry) {
    return slot(v, entry) == (void *)&v->u ? &v->slope : NULL;
}
#define SLOPE_OF slope_of

static const char *calculate(Variables *v) {
    v->der_x = v->on ? v->u : 0.0;
    v->y = v->u;
    return NULL;
}

static void solve(Variables *v, double duration) {
    if (v->on) v->x += duration * (v->u + v->slope * duration / 2);
    v->u += v->slope * duration;
}
static double next_event(const Variables *v) { return (void)v, INFINITY; }
static void event(Variables *v) { (void)v; }
