/* letters = length of word + 100 * length of greeting        dx/dt = letters */
#define N_STATES 1

static double *states(Variables *v) { return &v->x; }
static double *derivatives(Variables *v) { return &v->der_x; }

static const char *calculate(Variables *v) {
    v->letters = (double)strlen(v->word) + 100.0 * (double)strlen(v->greeting);
    v->der_x = v->letters;
    return NULL;
}

static void solve(Variables *v, double duration) { v->x += duration * v->letters; }
static double next_event(const Variables *v) { return (void)v, INFINITY; }
static void event(Variables *v) { (void)v; }
