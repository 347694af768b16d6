/* FMI 2.0, the functions common to both kinds: instances, initialization, values, directional derivatives.
 *
 * Rules kept throughout: no global variables; every refusal is logged with the name of what is wrong and changes nothing;
 * no argument crashes (null pointers are checked); a failed step leaves the values of its start behind. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "instance.h"
#include "model_guid.h"
#include "snapshots.h"

static void reset_state(Instance *c, fmi2Type kind)
{
    State *s = &c->s;
    memset(s, 0, sizeof *s);
    label_state(s);
    s->kind = kind;
    s->mode = MODE_INSTANTIATED;
    s->tolerance = DEFAULT_TOLERANCE;
    s->inputs_changed = 1;
    for (int i = 0; i < NU; i++) {
        s->u[i] = variable_start[VR_U + i];
    }
    for (int i = 0; i < NP; i++) {
        s->p[i] = variable_start[VR_P + i];
    }
}

/* Standard: versions, instances, logging */

const char *fmi2GetTypesPlatform(void) { return fmi2TypesPlatform; }

const char *fmi2GetVersion(void) { return fmi2Version; }

fmi2Status fmi2SetDebugLogging(fmi2Component component, fmi2Boolean on, size_t n, const fmi2String categories[])
{
    Instance *c = enter(component, MODE_ANY, "fmi2SetDebugLogging");
    if (!c) {
        return fmi2Error;
    }
    if (n && !categories) {
        return fail(c, "fmi2SetDebugLogging: null pointer");
    }
    for (size_t i = 0; i < n; i++) {
        if (!categories[i] || (strcmp(categories[i], "logStatusError") && strcmp(categories[i], "logAll"))) {
            return fail(c, "unknown log category \"%s\"", categories[i] ? categories[i] : "(null)");
        }
    }
    c->logging = on;
    return fmi2OK;
}

fmi2Component fmi2Instantiate(fmi2String name, fmi2Type kind, fmi2String guid, fmi2String resources,
                              const fmi2CallbackFunctions *functions, fmi2Boolean visible, fmi2Boolean logging)
{
    (void)resources;
    (void)visible;
    if (!functions) {
        return NULL;
    }
    Instance *c = calloc(1, sizeof *c);
    if (!c) {
        return NULL;
    }
    c->magic = INSTANCE_MAGIC;
    c->callbacks = *functions;
    c->logging = logging;
    c->name = calloc(name ? strlen(name) + 1 : 1, 1);
    if (c->name && name) {
        strcpy(c->name, name);
    }
    int refused = 0;
    if (!c->name) {
        refused = 1;
    } else if (!name || !*name) {
        fail(c, "the instance name is missing");
        refused = 1;
    } else if (!guid || strcmp(guid, MODEL_GUID)) {
        fail(c, "the GUID %s does not match that of the binary, %s", guid ? guid : "(null)", MODEL_GUID);
        refused = 1;
    } else if (kind != fmi2ModelExchange && kind != fmi2CoSimulation) {
        fail(c, "the FMU type %d is neither model exchange nor co-simulation", (int)kind);
        refused = 1;
    }
    if (refused) {
        fmi2FreeInstance(c);
        return NULL;
    }
    reset_state(c, kind);
    return c;
}

void fmi2FreeInstance(fmi2Component component)
{
    Instance *c = (Instance *)component;
    if (c && c->magic == INSTANCE_MAGIC) {
        c->magic = 0;
        free(c->name);
        free(c);
    }
}

/* Initialization and end */

fmi2Status fmi2SetupExperiment(fmi2Component component, fmi2Boolean tolerance_defined, fmi2Real tolerance, fmi2Real start,
                               fmi2Boolean stop_defined, fmi2Real stop)
{
    Instance *c = enter(component, MODE_INSTANTIATED, "fmi2SetupExperiment");
    if (!c) {
        return fmi2Error;
    }
    if (!isfinite(start)) {
        return fail(c, "the start time is not finite");
    }
    if (stop_defined && !(isfinite(stop) && stop >= start)) {
        return fail(c, "the stop time %.9g is not finite or before the start time %.9g", stop, start);
    }
    if (tolerance_defined && !(tolerance >= 1e-13 && tolerance <= 1.0)) {
        return fail(c, "the tolerance %.9g is outside of 1e-13 ... 1", tolerance);
    }
    c->s.tolerance = tolerance_defined ? tolerance : DEFAULT_TOLERANCE;
    c->s.start_time = c->s.time = start;
    c->s.stop_defined = stop_defined != fmi2False;
    c->s.stop_time = stop_defined ? stop : 0.0;
    return fmi2OK;
}

fmi2Status fmi2EnterInitializationMode(fmi2Component component)
{
    Instance *c = enter(component, MODE_INSTANTIATED, "fmi2EnterInitializationMode");
    if (!c) {
        return fmi2Error;
    }
    c->s.mode = MODE_INITIALIZATION;
    return fmi2OK;
}

fmi2Status fmi2ExitInitializationMode(fmi2Component component)
{
    Instance *c = enter(component, MODE_INITIALIZATION, "fmi2ExitInitializationMode");
    if (!c) {
        return fmi2Error;
    }
    ensure_start(c);
    for (int i = 0; i < NF; i++) {
        if (!(isfinite(c->s.tau[i]) && c->s.tau[i] > 0.0)) {
            return fail(c, "the time constant of filter.%s is not positive", variable_name(VR_U + filter_input[i]));
        }
    }
    if (check_finite(c) != fmi2OK) {
        return fmi2Error;
    }
    c->s.mode = c->s.kind == fmi2CoSimulation ? MODE_STEP : MODE_EVENT;
    return fmi2OK;
}

fmi2Status fmi2Terminate(fmi2Component component)
{
    Instance *c = enter(component, MODE_INITIALIZED | MODE_ERROR, "fmi2Terminate");
    if (!c) {
        return fmi2Error;
    }
    c->s.mode = MODE_TERMINATED;
    return fmi2OK;
}

fmi2Status fmi2Reset(fmi2Component component)
{
    Instance *c = enter(component, MODE_ANY, "fmi2Reset");
    if (!c) {
        return fmi2Error;
    }
    reset_state(c, (fmi2Type)c->s.kind);
    return fmi2OK;
}

/* Values */

fmi2Status fmi2GetReal(fmi2Component component, const fmi2ValueReference vr[], size_t n, fmi2Real value[])
{
    Instance *c = enter(component, MODE_ANY, "fmi2GetReal");
    fmi2Status status = fmi2OK;
    if (!c) {
        return fmi2Error;
    }
    if (n && (!vr || !value)) {
        return fail(c, "fmi2GetReal: null pointer");
    }
    State *s = &c->s;
    double local[DIM(NZ)];
    int has_local = 0;
    for (size_t i = 0; i < n; i++) {
        const fmi2ValueReference r = vr[i];
        if (r >= N_VARIABLES) {
            return fail(c, "fmi2GetReal: no real variable has the value reference %u", r);
        }
        if (r < VR_Y) {
            value[i] = s->u[r - VR_U];
        } else if (r < VR_P) {
            ensure_out(c);
            value[i] = s->y[r - VR_Y];
        } else if (r < VR_X) {
            value[i] = s->p[r - VR_P];
        } else if (r < VR_DX) {
            ensure_start(c);
            value[i] = *state_place(s, r - VR_X);
        } else if (r >= VR_Z) {
            if (!has_local) {
                eval_local(c, local);
                has_local = 1;
            }
            value[i] = local[r - VR_Z];
        } else {
            if (r - VR_DX >= 2 * NF) {
                ensure_ode(c);
            } else {
                ensure_start(c);
            }
            value[i] = state_derivative(s, r - VR_DX);
        }
        if (!isfinite(value[i]) && status == fmi2OK) {
            status = fail(c, "%s is not finite at t = %.9g s", variable_name(r), s->time);
        }
    }
    return status;
}

fmi2Status fmi2SetReal(fmi2Component component, const fmi2ValueReference vr[], size_t n, const fmi2Real value[])
{
    Instance *c = enter(component, MODE_BEFORE_START | MODE_INITIALIZED, "fmi2SetReal");
    if (!c) {
        return fmi2Error;
    }
    if (n && (!vr || !value)) {
        return fail(c, "fmi2SetReal: null pointer");
    }
    State *s = &c->s;
    for (size_t i = 0; i < n; i++) {
        const fmi2ValueReference r = vr[i];
        if (r >= N_VARIABLES) {
            return fail(c, "fmi2SetReal: no real variable has the value reference %u", r);
        }
        const char *name = variable_name(r);
        if (r >= VR_X || (r >= VR_Y && r < VR_P)) {
            return fail(c, "%s is computed by the model and cannot be set", name);
        }
        if (r >= VR_P && !(s->mode & MODE_BEFORE_START)) {
            return fail(c, "the parameter %s can be set before the end of initialization only", name);
        }
        if (!isfinite(value[i])) {
            return fail(c, "the value set for %s is not finite", name);
        }
        if (value[i] < variable_min[r]) {
            return fail(c, "the value %.9g set for %s is below its minimum %.9g", value[i], name, variable_min[r]);
        }
        if (value[i] > variable_max[r]) {
            return fail(c, "the value %.9g set for %s is above its maximum %.9g", value[i], name, variable_max[r]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        const fmi2ValueReference r = vr[i];
        double *place = r < VR_Y ? &s->u[r - VR_U] : &s->p[r - VR_P];
        if (*place != value[i]) {
            *place = value[i];
            s->inputs_changed = 1;
            s->has = s->mode & MODE_BEFORE_START ? 0 : HAS_START;
        }
    }
    return fmi2OK;
}

/* There are real variables only: other types are right when nothing is asked. */
static fmi2Status no_such_type(fmi2Component component, size_t n, const char *function)
{
    Instance *c = enter(component, MODE_ANY, function);
    if (!c) {
        return fmi2Error;
    }
    return n ? fail(c, "%s: the model has real variables only", function) : fmi2OK;
}

fmi2Status fmi2GetInteger(fmi2Component c, const fmi2ValueReference vr[], size_t n, fmi2Integer value[])
{
    (void)vr, (void)value;
    return no_such_type(c, n, "fmi2GetInteger");
}

fmi2Status fmi2GetBoolean(fmi2Component c, const fmi2ValueReference vr[], size_t n, fmi2Boolean value[])
{
    (void)vr, (void)value;
    return no_such_type(c, n, "fmi2GetBoolean");
}

fmi2Status fmi2GetString(fmi2Component c, const fmi2ValueReference vr[], size_t n, fmi2String value[])
{
    (void)vr, (void)value;
    return no_such_type(c, n, "fmi2GetString");
}

fmi2Status fmi2SetInteger(fmi2Component c, const fmi2ValueReference vr[], size_t n, const fmi2Integer value[])
{
    (void)vr, (void)value;
    return no_such_type(c, n, "fmi2SetInteger");
}

fmi2Status fmi2SetBoolean(fmi2Component c, const fmi2ValueReference vr[], size_t n, const fmi2Boolean value[])
{
    (void)vr, (void)value;
    return no_such_type(c, n, "fmi2SetBoolean");
}

fmi2Status fmi2SetString(fmi2Component c, const fmi2ValueReference vr[], size_t n, const fmi2String value[])
{
    (void)vr, (void)value;
    return no_such_type(c, n, "fmi2SetString");
}

/* Directional derivatives */

fmi2Status fmi2GetDirectionalDerivative(fmi2Component component, const fmi2ValueReference unknown[], size_t n_unknown,
                                        const fmi2ValueReference known[], size_t n_known, const fmi2Real dknown[],
                                        fmi2Real dunknown[])
{
    Instance *c = enter(component, MODE_INITIALIZATION | MODE_INITIALIZED | MODE_ERROR | MODE_TERMINATED,
                        "fmi2GetDirectionalDerivative");
    double du[DIM(NU)] = {0.0}, ds[N_STATES] = {0.0}, result[NX + NY];
    if (!c) {
        return fmi2Error;
    }
    if ((n_unknown && (!unknown || !dunknown)) || (n_known && (!known || !dknown))) {
        return fail(c, "fmi2GetDirectionalDerivative: null pointer");
    }
    const int initializing = c->s.mode == MODE_INITIALIZATION;
    for (size_t i = 0; i < n_known; i++) {
        const fmi2ValueReference r = known[i];
        if (r < VR_Y) {
            du[r - VR_U] += dknown[i];
        } else if (r >= VR_X && r < VR_DX && !initializing) {
            ds[r - VR_X] += dknown[i];
        } else {
            return fail(c, "no directional derivative with respect to %s (value reference %u)%s", variable_name(r), r,
                        initializing ? " during initialization" : "");
        }
    }
    if (initializing) { /* the states follow from the inputs */
        for (int i = 0; i < NF; i++) {
            ds[NF + i] = ds[i] = du[filter_input[i]];
        }
        eval_start_forward(c, du, ds + 2 * NF);
    }
    eval_forward(c, ds + 2 * NF, ds + NF, du, result);
    for (size_t i = 0; i < n_unknown; i++) {
        const fmi2ValueReference r = unknown[i];
        if (r >= VR_Y && r < VR_P) {
            dunknown[i] = result[NX + r - VR_Y];
        } else if (r >= VR_X && r < VR_DX && initializing) {
            dunknown[i] = ds[r - VR_X];
        } else if (r >= VR_DX && r < VR_Z) {
            const unsigned k = r - VR_DX;
            dunknown[i] = k < NF       ? (du[filter_input[k]] - ds[k]) / c->s.tau[k]
                          : k < 2 * NF ? (ds[k - NF] - ds[k]) / c->s.tau[k - NF]
                                       : result[k - 2 * NF];
        } else {
            return fail(c, "no directional derivative of %s (value reference %u)", variable_name(r), r);
        }
        if (!isfinite(dunknown[i])) {
            return fail(c, "the directional derivative of %s is not finite", variable_name(r));
        }
    }
    return fmi2OK;
}
