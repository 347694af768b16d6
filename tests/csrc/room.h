/* dT/dt = (280 + heat / 50 - T) / 3600 s
   heat = heat_u while heat_activate, else what the room's own controller gives: 500 W in the first half of an hour and
   800 W in the second, so that it changes within a control step; the read blocks follow from heat and T */
#define N_STATES 1

static double *states(Variables *v) { return &v->T; }
static double *derivatives(Variables *v) { return &v->der_T; }

static double heat(const Variables *v) {
    return v->heat_activate ? v->heat_u : fmod(v->time, 3600.0) < 1800.0 ? 500.0 : 800.0;
}

static double target(const Variables *v) { return 280.0 + heat(v) / 50.0; }

static const char *calculate(Variables *v) {
    v->heat_y = heat(v);
    v->rea_T_y = v->T;
    v->rea_CO2_y = 3.0 * v->T;
    v->rea_P_y = v->heat_y / 3.0;
    v->rea_gas_y = v->heat_y;
    v->rea_dih_y = v->heat_y + v->T;
    v->der_T = (target(v) - v->T) / 3600.0;
    return NULL;
}

static void solve(Variables *v, double duration) {
    v->T = target(v) + (v->T - target(v)) * exp(-duration / 3600.0);
}

static double next_event(const Variables *v) { return (void)v, INFINITY; }
static void event(Variables *v) { (void)v; }
