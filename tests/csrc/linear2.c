/*
 * The linear system of linear.h as an FMI 2.0 FMU, for co-simulation and Model Exchange.
 *
 * Value references  Real: 0 u, 1 x, 2 y, 3 der(x), 4 tau    Integer: 0 gain, 1 tenfold    Boolean: 0 inverted, 1 high
 *                   String: 0 label, 1 echo
 */
#include "linear.h"

#include "fmi2Functions.h"

typedef struct {
    Linear linear;
    fmi2CallbackFunctions callbacks;
} Instance;

#define SELF (&((Instance *)c)->linear)

static fmi2Status refuse(fmi2Component c, const char *message) {
    Instance *self = c;
    if (self->callbacks.logger)
        self->callbacks.logger(self->callbacks.componentEnvironment, "linear", fmi2Error, "error", message);
    return fmi2Error;
}

const char *fmi2GetTypesPlatform(void) { return fmi2TypesPlatform; }
const char *fmi2GetVersion(void) { return fmi2Version; }

fmi2Component fmi2Instantiate(fmi2String name, fmi2Type type, fmi2String guid, fmi2String location,
                              const fmi2CallbackFunctions *callbacks, fmi2Boolean visible, fmi2Boolean logging) {
    (void)name, (void)type, (void)location, (void)visible, (void)logging;
    if (strcmp(guid, GUID) != 0) return NULL;
    Instance *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    self->callbacks = *callbacks;
    linear_begin(&self->linear);
    return self;
}

void fmi2FreeInstance(fmi2Component c) { free(c); }

fmi2Status fmi2SetDebugLogging(fmi2Component c, fmi2Boolean on, size_t n, const fmi2String categories[]) {
    return (void)c, (void)on, (void)n, (void)categories, fmi2OK;
}

fmi2Status fmi2SetupExperiment(fmi2Component c, fmi2Boolean toleranceDefined, fmi2Real tolerance, fmi2Real start,
                               fmi2Boolean stopDefined, fmi2Real stop) {
    (void)toleranceDefined, (void)tolerance, (void)stop;
    if (stopDefined) return refuse(c, "a stop time is not wanted");
    SELF->state.time = start;
    return fmi2OK;
}

fmi2Status fmi2EnterInitializationMode(fmi2Component c) { return (void)c, fmi2OK; }
fmi2Status fmi2ExitInitializationMode(fmi2Component c) { return SELF->running = 1, fmi2OK; }
fmi2Status fmi2Terminate(fmi2Component c) { return (void)c, fmi2OK; }
fmi2Status fmi2Reset(fmi2Component c) { return linear_begin(SELF), fmi2OK; }

fmi2Status fmi2SetReal(fmi2Component c, const fmi2ValueReference vr[], size_t n, const fmi2Real value[]) {
    for (size_t i = 0; i < n; i++) {
        if (vr[i] == 0) SELF->state.u = value[i];
        else if (SELF->running) return refuse(c, "start values and parameters are set before initialization");
        else if (vr[i] == 1) SELF->state.x = value[i];
        else if (vr[i] == 4) SELF->tau = value[i];
        else return refuse(c, "no real that can be set");
    }
    return fmi2OK;
}

fmi2Status fmi2GetReal(fmi2Component c, const fmi2ValueReference vr[], size_t n, fmi2Real value[]) {
    for (size_t i = 0; i < n; i++) {
        switch (vr[i]) {
        case 0: value[i] = SELF->state.u; break;
        case 1: value[i] = SELF->state.x; break;
        case 2: value[i] = linear_output(SELF); break;
        case 3: value[i] = linear_derivative(SELF); break;
        case 4: value[i] = SELF->tau; break;
        default: return refuse(c, "no such real");
        }
    }
    return fmi2OK;
}

fmi2Status fmi2SetInteger(fmi2Component c, const fmi2ValueReference vr[], size_t n, const fmi2Integer value[]) {
    for (size_t i = 0; i < n; i++) {
        if (vr[i] != 0 || SELF->running) return refuse(c, "only gain, and before initialization");
        SELF->gain = value[i];
    }
    return fmi2OK;
}

fmi2Status fmi2GetInteger(fmi2Component c, const fmi2ValueReference vr[], size_t n, fmi2Integer value[]) {
    for (size_t i = 0; i < n; i++) value[i] = vr[i] ? 10 * SELF->gain : SELF->gain;
    return fmi2OK;
}

fmi2Status fmi2SetBoolean(fmi2Component c, const fmi2ValueReference vr[], size_t n, const fmi2Boolean value[]) {
    for (size_t i = 0; i < n; i++) {
        if (vr[i] != 0 || SELF->running) return refuse(c, "only inverted, and before initialization");
        SELF->inverted = value[i];
    }
    return fmi2OK;
}

fmi2Status fmi2GetBoolean(fmi2Component c, const fmi2ValueReference vr[], size_t n, fmi2Boolean value[]) {
    for (size_t i = 0; i < n; i++) value[i] = vr[i] ? SELF->state.x > 1.0 : SELF->inverted;
    return fmi2OK;
}

fmi2Status fmi2SetString(fmi2Component c, const fmi2ValueReference vr[], size_t n, const fmi2String value[]) {
    for (size_t i = 0; i < n; i++) {
        if (vr[i] != 0 || SELF->running) return refuse(c, "only label, and before initialization");
        linear_label(SELF, value[i]);
    }
    return fmi2OK;
}

fmi2Status fmi2GetString(fmi2Component c, const fmi2ValueReference vr[], size_t n, fmi2String value[]) {
    (void)vr;
    for (size_t i = 0; i < n; i++) value[i] = SELF->label;
    return fmi2OK;
}

fmi2Status fmi2GetFMUstate(fmi2Component c, fmi2FMUstate *state) {
    if (!*state) *state = malloc(sizeof(State));
    if (!*state) return fmi2Error;
    memcpy(*state, &SELF->state, sizeof(State));
    return fmi2OK;
}

fmi2Status fmi2SetFMUstate(fmi2Component c, fmi2FMUstate state) {
    memcpy(&SELF->state, state, sizeof(State));
    return fmi2OK;
}

fmi2Status fmi2FreeFMUstate(fmi2Component c, fmi2FMUstate *state) {
    (void)c;
    if (state) free(*state), *state = NULL;
    return fmi2OK;
}

fmi2Status fmi2SerializedFMUstateSize(fmi2Component c, fmi2FMUstate state, size_t *size) {
    return (void)c, (void)state, *size = sizeof(State), fmi2OK;
}

fmi2Status fmi2SerializeFMUstate(fmi2Component c, fmi2FMUstate state, fmi2Byte bytes[], size_t size) {
    return (void)c, memcpy(bytes, state, size), fmi2OK;
}

fmi2Status fmi2DeSerializeFMUstate(fmi2Component c, const fmi2Byte bytes[], size_t size, fmi2FMUstate *state) {
    if (size != sizeof(State)) return refuse(c, "this is no state of the linear system");
    *state = malloc(size);
    return *state ? memcpy(*state, bytes, size), fmi2OK : fmi2Error;
}

fmi2Status fmi2DoStep(fmi2Component c, fmi2Real time, fmi2Real duration, fmi2Boolean keep) {
    (void)time, (void)keep;
    linear_step(SELF, duration);
    return fmi2OK;
}

fmi2Status fmi2EnterEventMode(fmi2Component c) { return (void)c, fmi2OK; }
fmi2Status fmi2EnterContinuousTimeMode(fmi2Component c) { return (void)c, fmi2OK; }

fmi2Status fmi2NewDiscreteStates(fmi2Component c, fmi2EventInfo *info) {
    (void)c;
    memset(info, 0, sizeof *info);
    return fmi2OK;
}

fmi2Status fmi2CompletedIntegratorStep(fmi2Component c, fmi2Boolean keep, fmi2Boolean *event, fmi2Boolean *end) {
    return (void)c, (void)keep, *event = *end = fmi2False, fmi2OK;
}

fmi2Status fmi2SetTime(fmi2Component c, fmi2Real time) { return SELF->state.time = time, fmi2OK; }

fmi2Status fmi2SetContinuousStates(fmi2Component c, const fmi2Real x[], size_t n) {
    return n ? (SELF->state.x = x[0], fmi2OK) : fmi2Error;
}

fmi2Status fmi2GetDerivatives(fmi2Component c, fmi2Real derivatives[], size_t n) {
    return n ? (derivatives[0] = linear_derivative(SELF), fmi2OK) : fmi2Error;
}

fmi2Status fmi2GetEventIndicators(fmi2Component c, fmi2Real indicators[], size_t n) {
    return (void)c, (void)indicators, n ? fmi2Error : fmi2OK;
}

fmi2Status fmi2GetContinuousStates(fmi2Component c, fmi2Real x[], size_t n) {
    return n ? (x[0] = SELF->state.x, fmi2OK) : fmi2Error;
}

fmi2Status fmi2GetNominalsOfContinuousStates(fmi2Component c, fmi2Real nominals[], size_t n) {
    return (void)c, n ? (nominals[0] = 1.0, fmi2OK) : fmi2Error;
}

/* FMPy wants every function of the standard to be there. */
fmi2Status fmi2CancelStep(fmi2Component c) { return (void)c, fmi2Error; }

fmi2Status fmi2SetRealInputDerivatives(fmi2Component c, const fmi2ValueReference vr[], size_t n,
                                       const fmi2Integer order[], const fmi2Real value[]) {
    return (void)c, (void)vr, (void)n, (void)order, (void)value, fmi2Error;
}

fmi2Status fmi2GetRealOutputDerivatives(fmi2Component c, const fmi2ValueReference vr[], size_t n,
                                        const fmi2Integer order[], fmi2Real value[]) {
    return (void)c, (void)vr, (void)n, (void)order, (void)value, fmi2Error;
}

fmi2Status fmi2GetDirectionalDerivative(fmi2Component c, const fmi2ValueReference unknown[], size_t n,
                                        const fmi2ValueReference known[], size_t m, const fmi2Real seed[],
                                        fmi2Real value[]) {
    return (void)c, (void)unknown, (void)n, (void)known, (void)m, (void)seed, (void)value, fmi2Error;
}

#define STATUS(name, type)                                                                                     \
    fmi2Status name(fmi2Component c, const fmi2StatusKind kind, type *value) {                                 \
        return (void)c, (void)kind, (void)value, fmi2Discard;                                                  \
    }
STATUS(fmi2GetStatus, fmi2Status)
STATUS(fmi2GetRealStatus, fmi2Real)
STATUS(fmi2GetIntegerStatus, fmi2Integer)
STATUS(fmi2GetBooleanStatus, fmi2Boolean)
STATUS(fmi2GetStringStatus, fmi2String)
