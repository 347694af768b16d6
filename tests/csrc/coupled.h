/*
 * Two states, two inputs, a boundary signal, a count:
 *
 *   dx1/dt = -0.5 x1 + 0.2 x2 + u + 0.3 w            y = 3 x1 - x2 + 0.5 u
 *   dx2/dt =  0.1 x1 - 0.8 x2 + 2 v - 0.4 w          z = x2 + 0.7 w            counted = n
 */
#define N_STATES 2

static double *states(Variables *v) { return &v->x1; }
static double *derivatives(Variables *v) { return &v->der_x1; }

static const char *calculate(Variables *v) {
    v->der_x1 = -0.5 * v->x1 + 0.2 * v->x2 + v->u + 0.3 * v->w;
    v->der_x2 = 0.1 * v->x1 - 0.8 * v->x2 + 2.0 * v->v - 0.4 * v->w;
    v->y = 3.0 * v->x1 - v->x2 + 0.5 * v->u;
    v->z = v->x2 + 0.7 * v->w;
    v->counted = v->n;
    return NULL;
}

/* Taylor's series of the solution, over pieces that are short beside the time constants. */
static void solve(Variables *v, double duration) {
    int pieces = 1 + (int)duration;
    double h = duration / pieces;
    for (int i = 0; i < pieces; i++) {
        calculate(v);
        double t1 = h * v->der_x1, t2 = h * v->der_x2;
        for (int k = 2; k < 25; k++) {
            v->x1 += t1, v->x2 += t2;
            double n1 = h / k * (-0.5 * t1 + 0.2 * t2), n2 = h / k * (0.1 * t1 - 0.8 * t2);
            t1 = n1, t2 = n2;
        }
    }
}
static double next_event(const Variables *v) { return (void)v, INFINITY; }
static void event(Variables *v) { (void)v; }
