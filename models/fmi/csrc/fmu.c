/* FMI 2.0 for Model Exchange and Co-Simulation: every function of the standard, over one model.
 *
 * Rules kept throughout: no global variables; every refusal is logged with the name of what is wrong and changes nothing;
 * no argument crashes (null pointers are checked); a failed step leaves the values of its start behind. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instance.h"
#include "model_guid.h"

#define INSTANCE_MAGIC 0x32494d4644414443u /* "CDADFMI2" */
#define STATE_MAGIC 0x4554415453494d46u    /* "FMISTATE" in a little-endian file */
#define STATE_FORMAT 1u

#define MODE_INITIALIZED (MODE_STEP | MODE_EVENT | MODE_CONTINUOUS_TIME)
#define MODE_ANY (MODE_INSTANTIATED | MODE_INITIALIZATION | MODE_INITIALIZED | MODE_ERROR | MODE_TERMINATED)
#define MODE_BEFORE_START (MODE_INSTANTIATED | MODE_INITIALIZATION)

static const char *mode_name(int64_t mode)
{
    switch (mode) {
    case MODE_INSTANTIATED: return "instantiated";
    case MODE_INITIALIZATION: return "initialization mode";
    case MODE_STEP: return "step mode";
    case MODE_EVENT: return "event mode";
    case MODE_CONTINUOUS_TIME: return "continuous-time mode";
    case MODE_ERROR: return "error (a step failed; set an earlier state or reset)";
    default: return "terminated";
    }
}

/* The instance behind a handle when the function may be called now, else NULL (logged). */
static Instance *enter(fmi2Component component, int modes, const char *function)
{
    Instance *c = (Instance *)component;
    if (!c || c->magic != INSTANCE_MAGIC) {
        return NULL;
    }
    if (!(c->s.mode & modes)) {
        fail(c, "%s must not be called in the state: %s", function, mode_name(c->s.mode));
        return NULL;
    }
    return c;
}

/* FNV-1a over 8-byte words and the bytes left; the rotation lets high bits reach low ones. */
static uint64_t hash_bytes(const void *data, size_t size)
{
    const unsigned char *from = data;
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = 0;
        memcpy(&word, from + i, size - i < 8 ? size - i : 8);
        hash = (hash ^ word) * 1099511628211u;
        hash = hash << 31 | hash >> 33;
    }
    return hash;
}

static void reset_state(Instance *c, fmi2Type kind)
{
    State *s = &c->s;
    memset(s, 0, sizeof *s);
    s->magic = STATE_MAGIC;
    s->format = STATE_FORMAT;
    s->bytes = sizeof *s;
    s->guid = hash_bytes(MODEL_GUID, strlen(MODEL_GUID));
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
    if (!c || (n && !categories)) {
        return fmi2Error;
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

/* Name whatever is not finite among states and outputs. */
static fmi2Status check_finite(Instance *c)
{
    State *s = &c->s;
    int bad = first_non_finite(s->x, NX);
    if (bad >= 0) {
        return fail(c, "the state %s is not finite at t = %.9g s", state_name(bad), s->time);
    }
    ensure_out(c);
    bad = first_non_finite(s->y, NY);
    if (bad >= 0) {
        return fail(c, "the output %s is not finite at t = %.9g s", variable_name(VR_Y + bad), s->time);
    }
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

static double *filter_state(State *s, unsigned index)
{
    return index < NF ? &s->s1[index] : index < 2 * NF ? &s->s2[index - NF] : &s->x[index - 2 * NF];
}

static double state_derivative(const State *s, unsigned index)
{
    if (index < NF) {
        return (s->u[filter_input[index]] - s->s1[index]) / s->tau[index];
    }
    if (index < 2 * NF) {
        return (s->s1[index - NF] - s->s2[index - NF]) / s->tau[index - NF];
    }
    return s->dx[index - 2 * NF];
}

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
            value[i] = *filter_state(s, r - VR_X);
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

/* Snapshots: a copy of State; serialized, the same bytes and a checksum */

/* Log why the bytes are no state of this model, or return fmi2OK. */
static fmi2Status check_state(Instance *c, const State *s)
{
    if (s->magic != STATE_MAGIC) {
        return fail(c, "this is not a state of such an FMU (bad magic number)");
    }
    if (s->format != STATE_FORMAT || s->bytes != sizeof *s) {
        return fail(c, "the state has another format (version %u of %u bytes, expected %u of %u)", (unsigned)s->format,
                    (unsigned)s->bytes, STATE_FORMAT, (unsigned)sizeof *s);
    }
    if (s->guid != hash_bytes(MODEL_GUID, strlen(MODEL_GUID))) {
        return fail(c, "the state belongs to another version of the model (its GUID differs)");
    }
    if (s->kind != c->s.kind) {
        return fail(c, "a state of model exchange cannot be set in co-simulation, nor the other way round");
    }
    return fmi2OK;
}

/* Copy to a snapshot: an earlier one is overwritten, a null pointer becomes a new one. */
static fmi2Status store_state(Instance *c, const State *from, fmi2FMUstate *state)
{
    if (!*state) {
        *state = malloc(sizeof(State));
        if (!*state) {
            return fail(c, "out of memory for a state");
        }
    } else if (check_state(c, (State *)*state) != fmi2OK) {
        return fmi2Error;
    }
    memcpy(*state, from, sizeof(State));
    ((State *)*state)->has &= ~(int64_t)HAS_PRE;
    return fmi2OK;
}

fmi2Status fmi2GetFMUstate(fmi2Component component, fmi2FMUstate *state)
{
    Instance *c = enter(component, MODE_ANY, "fmi2GetFMUstate");
    if (!c) {
        return fmi2Error;
    }
    if (!state) {
        return fail(c, "fmi2GetFMUstate: null pointer");
    }
    return store_state(c, &c->s, state);
}

fmi2Status fmi2SetFMUstate(fmi2Component component, fmi2FMUstate state)
{
    Instance *c = enter(component, MODE_ANY, "fmi2SetFMUstate");
    if (!c) {
        return fmi2Error;
    }
    if (!state) {
        return fail(c, "fmi2SetFMUstate: null pointer");
    }
    if (check_state(c, (State *)state) != fmi2OK) {
        return fmi2Error;
    }
    memcpy(&c->s, state, sizeof(State));
    return fmi2OK;
}

fmi2Status fmi2FreeFMUstate(fmi2Component component, fmi2FMUstate *state)
{
    Instance *c = enter(component, MODE_ANY, "fmi2FreeFMUstate");
    if (!c) {
        return fmi2Error;
    }
    if (state && *state) {
        if (((State *)*state)->magic != STATE_MAGIC) {
            return fail(c, "fmi2FreeFMUstate: this is not a state of this FMU");
        }
        ((State *)*state)->magic = 0;
        free(*state);
        *state = NULL;
    }
    return fmi2OK;
}

fmi2Status fmi2SerializedFMUstateSize(fmi2Component component, fmi2FMUstate state, size_t *size)
{
    Instance *c = enter(component, MODE_ANY, "fmi2SerializedFMUstateSize");
    if (!c) {
        return fmi2Error;
    }
    if (!state || !size) {
        return fail(c, "fmi2SerializedFMUstateSize: null pointer");
    }
    *size = sizeof(State) + sizeof(uint64_t);
    return check_state(c, (State *)state);
}

fmi2Status fmi2SerializeFMUstate(fmi2Component component, fmi2FMUstate state, fmi2Byte bytes[], size_t size)
{
    Instance *c = enter(component, MODE_ANY, "fmi2SerializeFMUstate");
    if (!c) {
        return fmi2Error;
    }
    if (!state || !bytes) {
        return fail(c, "fmi2SerializeFMUstate: null pointer");
    }
    if (check_state(c, (State *)state) != fmi2OK) {
        return fmi2Error;
    }
    if (size < sizeof(State) + sizeof(uint64_t)) {
        return fail(c, "fmi2SerializeFMUstate: %u bytes are too few, %u needed", (unsigned)size,
                    (unsigned)(sizeof(State) + sizeof(uint64_t)));
    }
    uint64_t hash = hash_bytes(state, sizeof(State));
    memcpy(bytes, state, sizeof(State));
    memcpy(bytes + sizeof(State), &hash, sizeof hash);
    return fmi2OK;
}

fmi2Status fmi2DeSerializeFMUstate(fmi2Component component, const fmi2Byte bytes[], size_t size, fmi2FMUstate *state)
{
    Instance *c = enter(component, MODE_ANY, "fmi2DeSerializeFMUstate");
    if (!c) {
        return fmi2Error;
    }
    if (!bytes || !state) {
        return fail(c, "fmi2DeSerializeFMUstate: null pointer");
    }
    uint64_t header[4] = {0, 0, 0, 0}, hash;
    memcpy(header, bytes, size < sizeof header ? size : sizeof header);
    if (header[0] != STATE_MAGIC) {
        return fail(c, "the bytes are no serialized state of such an FMU (bad magic number)");
    }
    if (size != sizeof(State) + sizeof hash) {
        return fail(c, "the serialized state has %u bytes, expected %u", (unsigned)size,
                    (unsigned)(sizeof(State) + sizeof hash));
    }
    memcpy(&c->backup, bytes, sizeof(State));
    memcpy(&hash, bytes + sizeof(State), sizeof hash);
    if (check_state(c, &c->backup) != fmi2OK) {
        return fmi2Error;
    }
    if (hash != hash_bytes(&c->backup, sizeof(State))) {
        return fail(c, "the serialized state is damaged (its checksum differs)");
    }
    return store_state(c, &c->backup, state);
}

/* Directional derivatives */

fmi2Status fmi2GetDirectionalDerivative(fmi2Component component, const fmi2ValueReference unknown[], size_t n_unknown,
                                        const fmi2ValueReference known[], size_t n_known, const fmi2Real dknown[],
                                        fmi2Real dunknown[])
{
    Instance *c = enter(component, MODE_INITIALIZATION | MODE_INITIALIZED | MODE_ERROR | MODE_TERMINATED,
                        "fmi2GetDirectionalDerivative");
    double du[DIM(NU)] = {0.0}, ds[2 * NF + NX] = {0.0}, result[NX + NY];
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
        } else if (r >= VR_DX && r < N_VARIABLES) {
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

/* Co-simulation */

fmi2Status fmi2SetRealInputDerivatives(fmi2Component component, const fmi2ValueReference vr[], size_t n,
                                       const fmi2Integer order[], const fmi2Real value[])
{
    Instance *c = enter(component, MODE_ANY, "fmi2SetRealInputDerivatives");
    (void)vr, (void)n, (void)order, (void)value;
    return c ? fail(c, "inputs are constant during a step: input derivatives cannot be set") : fmi2Error;
}

fmi2Status fmi2GetRealOutputDerivatives(fmi2Component component, const fmi2ValueReference vr[], size_t n,
                                        const fmi2Integer order[], fmi2Real value[])
{
    Instance *c = enter(component, MODE_ANY, "fmi2GetRealOutputDerivatives");
    (void)vr, (void)n, (void)order, (void)value;
    return c ? fail(c, "output derivatives are not provided") : fmi2Error;
}

fmi2Status fmi2DoStep(fmi2Component component, fmi2Real at, fmi2Real length, fmi2Boolean no_return)
{
    Instance *c = enter(component, MODE_STEP, "fmi2DoStep");
    (void)no_return;
    if (!c) {
        return fmi2Error;
    }
    State *s = &c->s;
    if (!isfinite(at)) {
        return fail(c, "the current communication point is not finite");
    }
    if (!isfinite(length) || length <= 0.0) {
        return fail(c, "the communication step size must be finite and positive, not %.9g", length);
    }
    if (fabs(at - s->time) > 1e-6 * length + 1e-9 * fabs(s->time)) {
        return fail(c, "the current communication point %.17g is not the time reached, %.17g", at, s->time);
    }
    if (s->stop_defined && at + length > s->stop_time + 1e-6 * length + 1e-9 * fabs(s->stop_time)) {
        return fail(c, "the step from %.9g s to %.9g s passes the stop time %.9g s", at, at + length, s->stop_time);
    }
    if (at + length <= at) {
        return fail(c, "the communication step size %.9g is too small for the time %.17g", length, at);
    }
    memcpy(&c->backup, s, sizeof *s);
    fmi2Status status = integrate(c, length);
    if (status == fmi2OK) {
        s->time = at + length;
        status = check_finite(c);
    }
    if (status != fmi2OK) {
        memcpy(s, &c->backup, sizeof *s);
        s->mode = MODE_ERROR;
        s->step_failed = 1;
        return fmi2Error;
    }
    return fmi2OK;
}

fmi2Status fmi2CancelStep(fmi2Component component)
{
    Instance *c = enter(component, MODE_ANY, "fmi2CancelStep");
    return c ? fail(c, "steps are not asynchronous: there is none to cancel") : fmi2Error;
}

fmi2Status fmi2GetStatus(fmi2Component component, const fmi2StatusKind kind, fmi2Status *value)
{
    Instance *c = enter(component, MODE_ANY, "fmi2GetStatus");
    if (!c || !value) {
        return fmi2Error;
    }
    if (kind != fmi2DoStepStatus) {
        fail(c, "fmi2GetStatus: no status of kind %d", (int)kind);
        return fmi2Discard;
    }
    *value = c->s.step_failed ? fmi2Error : fmi2OK;
    return fmi2OK;
}

fmi2Status fmi2GetRealStatus(fmi2Component component, const fmi2StatusKind kind, fmi2Real *value)
{
    Instance *c = enter(component, MODE_ANY, "fmi2GetRealStatus");
    if (!c || !value) {
        return fmi2Error;
    }
    if (kind != fmi2LastSuccessfulTime) {
        fail(c, "fmi2GetRealStatus: no status of kind %d", (int)kind);
        return fmi2Discard;
    }
    *value = c->s.time;
    return fmi2OK;
}

fmi2Status fmi2GetIntegerStatus(fmi2Component component, const fmi2StatusKind kind, fmi2Integer *value)
{
    Instance *c = enter(component, MODE_ANY, "fmi2GetIntegerStatus");
    (void)value;
    if (!c) {
        return fmi2Error;
    }
    fail(c, "fmi2GetIntegerStatus: no status of kind %d", (int)kind);
    return fmi2Discard;
}

fmi2Status fmi2GetBooleanStatus(fmi2Component component, const fmi2StatusKind kind, fmi2Boolean *value)
{
    Instance *c = enter(component, MODE_ANY, "fmi2GetBooleanStatus");
    if (!c || !value) {
        return fmi2Error;
    }
    if (kind != fmi2Terminated) {
        fail(c, "fmi2GetBooleanStatus: no status of kind %d", (int)kind);
        return fmi2Discard;
    }
    *value = c->s.mode == MODE_TERMINATED;
    return fmi2OK;
}

fmi2Status fmi2GetStringStatus(fmi2Component component, const fmi2StatusKind kind, fmi2String *value)
{
    Instance *c = enter(component, MODE_ANY, "fmi2GetStringStatus");
    if (!c || !value) {
        return fmi2Error;
    }
    if (kind != fmi2DoStepStatus && kind != fmi2PendingStatus) {
        fail(c, "fmi2GetStringStatus: no status of kind %d", (int)kind);
        return fmi2Discard;
    }
    *value = c->s.step_failed ? "the last step failed" : "";
    return fmi2OK;
}

/* Model exchange: smooth equations, so events never happen */

fmi2Status fmi2EnterEventMode(fmi2Component component)
{
    Instance *c = enter(component, MODE_EVENT | MODE_CONTINUOUS_TIME, "fmi2EnterEventMode");
    if (!c) {
        return fmi2Error;
    }
    c->s.mode = MODE_EVENT;
    return fmi2OK;
}

fmi2Status fmi2NewDiscreteStates(fmi2Component component, fmi2EventInfo *info)
{
    Instance *c = enter(component, MODE_EVENT, "fmi2NewDiscreteStates");
    if (!c) {
        return fmi2Error;
    }
    if (!info) {
        return fail(c, "fmi2NewDiscreteStates: null pointer");
    }
    memset(info, 0, sizeof *info);
    return fmi2OK;
}

fmi2Status fmi2EnterContinuousTimeMode(fmi2Component component)
{
    Instance *c = enter(component, MODE_EVENT, "fmi2EnterContinuousTimeMode");
    if (!c) {
        return fmi2Error;
    }
    c->s.mode = MODE_CONTINUOUS_TIME;
    return fmi2OK;
}

fmi2Status fmi2CompletedIntegratorStep(fmi2Component component, fmi2Boolean no_return, fmi2Boolean *enter_event_mode,
                                       fmi2Boolean *terminate)
{
    Instance *c = enter(component, MODE_CONTINUOUS_TIME, "fmi2CompletedIntegratorStep");
    (void)no_return;
    if (!c) {
        return fmi2Error;
    }
    if (!enter_event_mode || !terminate) {
        return fail(c, "fmi2CompletedIntegratorStep: null pointer");
    }
    *enter_event_mode = *terminate = fmi2False;
    return fmi2OK;
}

fmi2Status fmi2SetTime(fmi2Component component, fmi2Real time)
{
    Instance *c = enter(component, MODE_EVENT | MODE_CONTINUOUS_TIME, "fmi2SetTime");
    if (!c) {
        return fmi2Error;
    }
    if (!isfinite(time)) {
        return fail(c, "the time set is not finite");
    }
    c->s.time = time;
    return fmi2OK;
}

fmi2Status fmi2SetContinuousStates(fmi2Component component, const fmi2Real x[], size_t n)
{
    Instance *c = enter(component, MODE_EVENT | MODE_CONTINUOUS_TIME, "fmi2SetContinuousStates");
    if (!c) {
        return fmi2Error;
    }
    if (!x || n != 2 * NF + NX) {
        return fail(c, "fmi2SetContinuousStates: null pointer, or not %d states", 2 * NF + NX);
    }
    int bad = first_non_finite(x, 2 * NF + NX);
    if (bad >= 0) {
        return fail(c, "the value set for the state %s is not finite", variable_name(VR_X + (unsigned)bad));
    }
    for (unsigned i = 0; i < 2 * NF + NX; i++) {
        double *place = filter_state(&c->s, i);
        if (*place != x[i]) {
            *place = x[i];
            c->s.has &= ~(int64_t)(i < 2 * NF ? HAS_AUX | HAS_ODE | HAS_OUT : HAS_ODE | HAS_OUT);
        }
    }
    return fmi2OK;
}

fmi2Status fmi2GetDerivatives(fmi2Component component, fmi2Real derivatives[], size_t n)
{
    Instance *c = enter(component, MODE_EVENT | MODE_CONTINUOUS_TIME | MODE_TERMINATED, "fmi2GetDerivatives");
    fmi2Status status = fmi2OK;
    if (!c) {
        return fmi2Error;
    }
    if (!derivatives || n != 2 * NF + NX) {
        return fail(c, "fmi2GetDerivatives: null pointer, or not %d states", 2 * NF + NX);
    }
    ensure_ode(c);
    for (unsigned i = 0; i < 2 * NF + NX; i++) {
        derivatives[i] = state_derivative(&c->s, i);
        if (!isfinite(derivatives[i]) && status == fmi2OK) {
            fail(c, "the derivative of %s is not finite at t = %.9g s", variable_name(VR_X + i), c->s.time);
            status = fmi2Discard; /* the standard's word to a solver: try a smaller step */
        }
    }
    return status;
}

fmi2Status fmi2GetEventIndicators(fmi2Component component, fmi2Real indicators[], size_t n)
{
    Instance *c = enter(component, MODE_EVENT | MODE_CONTINUOUS_TIME | MODE_TERMINATED, "fmi2GetEventIndicators");
    (void)indicators;
    if (!c) {
        return fmi2Error;
    }
    return n ? fail(c, "fmi2GetEventIndicators: the model has none") : fmi2OK;
}

fmi2Status fmi2GetContinuousStates(fmi2Component component, fmi2Real x[], size_t n)
{
    Instance *c = enter(component, MODE_EVENT | MODE_CONTINUOUS_TIME | MODE_TERMINATED, "fmi2GetContinuousStates");
    if (!c) {
        return fmi2Error;
    }
    if (!x || n != 2 * NF + NX) {
        return fail(c, "fmi2GetContinuousStates: null pointer, or not %d states", 2 * NF + NX);
    }
    for (unsigned i = 0; i < 2 * NF + NX; i++) {
        x[i] = *filter_state(&c->s, i);
    }
    return fmi2OK;
}

fmi2Status fmi2GetNominalsOfContinuousStates(fmi2Component component, fmi2Real nominals[], size_t n)
{
    Instance *c = enter(component, MODE_INITIALIZED | MODE_INSTANTIATED | MODE_INITIALIZATION | MODE_TERMINATED,
                        "fmi2GetNominalsOfContinuousStates");
    if (!c) {
        return fmi2Error;
    }
    if (!nominals || n != 2 * NF + NX) {
        return fail(c, "fmi2GetNominalsOfContinuousStates: null pointer, or not %d states", 2 * NF + NX);
    }
    for (int i = 0; i < 2 * NF + NX; i++) {
        nominals[i] = i < NF       ? filter_nominal[i]
                      : i < 2 * NF ? filter_nominal[i - NF]
                                   : state_nominal[i - 2 * NF];
    }
    return fmi2OK;
}
