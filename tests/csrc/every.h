/*
 * Every type of FMI 3.0, and arrays:  dz/dt = v - z (n elements, time constant 1 s), w = A v, each out_* = in_*, and an
 * event at every whole second, at which `seconds` counts and `at_event` takes over in_Int32.
 */
#define N_STATES N

static double *states(Variables *v) { return v->z; }
static double *derivatives(Variables *v) { return v->der_z; }

static const char *calculate(Variables *v) {
    v->out_Float32 = v->in_Float32, v->out_Float64 = v->in_Float64;
    v->out_Int8 = v->in_Int8, v->out_UInt8 = v->in_UInt8, v->out_Int16 = v->in_Int16, v->out_UInt16 = v->in_UInt16;
    v->out_Int32 = v->in_Int32, v->out_UInt32 = v->in_UInt32, v->out_Int64 = v->in_Int64, v->out_UInt64 = v->in_UInt64;
    v->out_Boolean = v->in_Boolean, v->out_Enumeration = v->in_Enumeration;
    memcpy(v->out_names, v->names, sizeof v->names);
    v->out_blob = v->blob;
    memcpy(v->out_k, v->k, sizeof v->k);
    for (int i = 0; i < N; i++) v->der_z[i] = v->v[i] - v->z[i];
    for (int i = 0; i < 2; i++) {
        v->w[i] = 0.0;
        for (int j = 0; j < N; j++) v->w[i] += v->A[i * N + j] * v->v[j];
    }
    return NULL;
}

static void solve(Variables *v, double duration) {
    for (int i = 0; i < N; i++) v->z[i] = v->v[i] + (v->z[i] - v->v[i]) * exp(-duration);
}
static double next_event(const Variables *v) { return v->seconds + 1.0; }

static void event(Variables *v) {
    if (v->time < next_event(v)) return;
    v->seconds++;
    v->at_event = v->in_Int32;
}
