/* The plant of tests/small_plant.py: dT/dt = (Tchws_set_HEX - T) / 600 s; it fails when CHI06_CW1 is 1. */
#define N_STATES 1

static double *states(Variables *v) { return &v->T; }
static double *derivatives(Variables *v) { return &v->der_T; }

static const char *calculate(Variables *v) {
    for (size_t i = 0; i < sizeof ENTRIES / sizeof *ENTRIES; i++)
        if (ENTRIES[i].when == 'i' && !isfinite(*(double *)((char *)v + ENTRIES[i].offset))) return "an input is no finite number";
    if (v->CHI06_CW1 > 0.0) return "CHI06_CW1 makes it fail";
    v->der_T = (v->Tchws_set_HEX - v->T) / 600.0;
    v->Pchi1 = 1e5 * v->CHI01, v->Pchi2 = 1e5 * v->CHI02, v->Pchi3 = 1e5 * v->CHI03;
    v->Pchi4 = 1e5 * v->CHI04, v->Pchi5 = 1e5 * v->CHI05, v->Pchi6 = 1e5 * v->CHI06;
    v->P_Chillers_sum = v->Pchi1 + v->Pchi2 + v->Pchi3 + v->Pchi4 + v->Pchi5 + v->Pchi6;
    v->P_CDWPs_sum = 1000.0 * v->Head_required;
    v->VolumeFlowRate_cw = v->Mchw;
    v->Tcw_supply = v->Twb_outside;
    v->Tchw_supply = v->T;
    return NULL;
}

static void solve(Variables *v, double duration) {
    v->T = v->Tchws_set_HEX + (v->T - v->Tchws_set_HEX) * exp(-duration / 600.0);
}
static double next_event(const Variables *v) { return (void)v, INFINITY; }
static void event(Variables *v) { (void)v; }
