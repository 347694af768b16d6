/* The border of FMI 2.0 around a model (model.h): co-simulation and Model Exchange. */
#include "model.h"

#include "fmi2FunctionTypes.h"

typedef struct {
    Variables v;
    bool initializing, running, ended;
    fmi2CallbackFunctions callbacks;
} Instance;

static fmi2Status refuse(Instance *self, const char *message) {
    if (self->callbacks.logger)
        self->callbacks.logger(self->callbacks.componentEnvironment, "model", fmi2Error, "error", message);
    return fmi2Error;
}

static void *settable(Instance *self, unsigned reference, char type) {
    const Entry *entry = find(reference, type);
    bool may = entry && (entry->when == 'u' || (entry->when == 'p' && !self->running));
    if (entry && entry->when == 'i') may = self->initializing; /* as the standard has it: not before */
    return may ? slot(&self->v, entry) : NULL;
}

#define NUMBER(NAME, TAG, TYPE)                                                                                   \
    fmi2Status fmi2Set##NAME(fmi2Component c, const unsigned vr[], size_t n, const fmi2##NAME value[]) {           \
        for (size_t i = 0; i < n; i++) {                                                                          \
            TYPE *mine = settable(c, vr[i], TAG);                                                                 \
            if (!mine) return refuse(c, "this variable cannot be set now");                                       \
            *mine = value[i];                                                                                     \
        }                                                                                                         \
        return fmi2OK;                                                                                            \
    }                                                                                                             \
    fmi2Status fmi2Get##NAME(fmi2Component c, const unsigned vr[], size_t n, fmi2##NAME value[]) {                 \
        Instance *self = c;                                                                                       \
        const char *wrong = calculate(&self->v);                                                                  \
        if (wrong) return refuse(self, wrong);                                                                    \
        for (size_t i = 0; i < n; i++) {                                                                          \
            const Entry *entry = find(vr[i], TAG);                                                                \
            if (!entry) return refuse(self, "no such variable");                                                  \
            value[i] = *(TYPE *)slot(&self->v, entry);                                                            \
        }                                                                                                         \
        return fmi2OK;                                                                                            \
    }
NUMBER(Real, 'd', double)
NUMBER(Integer, 'i', int32_t)
NUMBER(Boolean, 'b', bool)

fmi2Status fmi2SetString(fmi2Component c, const unsigned vr[], size_t n, const fmi2String value[]) {
    for (size_t i = 0; i < n; i++) {
        char *mine = settable(c, vr[i], 't');
        if (!mine) return refuse(c, "this text cannot be set now");
        strncpy(mine, value[i], sizeof(Text) - 1);
    }
    return fmi2OK;
}

fmi2Status fmi2GetString(fmi2Component c, const unsigned vr[], size_t n, fmi2String value[]) {
    Instance *self = c;
    calculate(&self->v);
    for (size_t i = 0; i < n; i++) {
        const Entry *entry = find(vr[i], 't');
        if (!entry) return refuse(self, "no such text");
        value[i] = slot(&self->v, entry);
    }
    return fmi2OK;
}

const char *fmi2GetTypesPlatform(void) { return "default"; }
const char *fmi2GetVersion(void) { return "2.0"; }

fmi2Component fmi2Instantiate(fmi2String name, fmi2Type type, fmi2String guid, fmi2String location,
                              const fmi2CallbackFunctions *callbacks, fmi2Boolean visible, fmi2Boolean logging) {
    (void)name, (void)type, (void)location, (void)visible, (void)logging;
    Instance *self = strcmp(guid, GUID) == 0 ? calloc(1, sizeof *self) : NULL;
    if (self) begin(&self->v), self->callbacks = *callbacks;
    return self;
}

void fmi2FreeInstance(fmi2Component c) { free(c); }

fmi2Status fmi2SetDebugLogging(fmi2Component c, fmi2Boolean on, size_t n, const fmi2String categories[]) {
    return (void)c, (void)on, (void)n, (void)categories, fmi2OK;
}

fmi2Status fmi2SetupExperiment(fmi2Component c, fmi2Boolean toleranceDefined, fmi2Real tolerance, fmi2Real start,
                               fmi2Boolean stopDefined, fmi2Real stop) {
    (void)toleranceDefined, (void)tolerance, (void)stop;
    if (stopDefined && !(stop > start)) return refuse(c, "the stop time must be after the start time");
    begin(&((Instance *)c)->v); /* as 20-sim's FMUs do: what was set before is lost */
    ((Instance *)c)->v.time = start;
    return fmi2OK;
}

fmi2Status fmi2EnterInitializationMode(fmi2Component c) {
    ((Instance *)c)->initializing = true;
    return fmi2OK;
}

fmi2Status fmi2ExitInitializationMode(fmi2Component c) {
    Instance *self = c;
    const char *wrong = calculate(&self->v);
    self->running = true;
    return wrong ? refuse(self, wrong) : fmi2OK;
}

fmi2Status fmi2Terminate(fmi2Component c) { return (void)c, fmi2OK; }
fmi2Status fmi2Reset(fmi2Component c) { return begin(&((Instance *)c)->v), fmi2OK; }

fmi2Status fmi2DoStep(fmi2Component c, fmi2Real time, fmi2Real duration, fmi2Boolean keep) {
    (void)keep;
    Instance *self = c;
    const char *wrong = calculate(&self->v);
    if (wrong) return refuse(self, wrong);
    if (ENDS > 0.0 && time + duration > ENDS + 1e-9) return self->ended = true, fmi2Discard;
    take(&self->v, time, duration);
    return fmi2OK;
}

fmi2Status fmi2GetBooleanStatus(fmi2Component c, const fmi2StatusKind kind, fmi2Boolean *value) {
    *value = ((Instance *)c)->ended;
    return kind == fmi2Terminated ? fmi2OK : fmi2Discard;
}

fmi2Status fmi2EnterEventMode(fmi2Component c) { return (void)c, fmi2OK; }
fmi2Status fmi2EnterContinuousTimeMode(fmi2Component c) { return (void)c, fmi2OK; }

fmi2Status fmi2NewDiscreteStates(fmi2Component c, fmi2EventInfo *info) {
    Instance *self = c;
    event(&self->v);
    memset(info, 0, sizeof *info);
    info->nextEventTime = next_event(&self->v);
    info->nextEventTimeDefined = isfinite(info->nextEventTime);
    return fmi2OK;
}

fmi2Status fmi2CompletedIntegratorStep(fmi2Component c, fmi2Boolean keep, fmi2Boolean *event_mode, fmi2Boolean *end) {
    return (void)c, (void)keep, *event_mode = *end = fmi2False, fmi2OK;
}

fmi2Status fmi2SetTime(fmi2Component c, fmi2Real time) { return ((Instance *)c)->v.time = time, fmi2OK; }

fmi2Status fmi2SetContinuousStates(fmi2Component c, const fmi2Real x[], size_t n) {
    return memcpy(states(&((Instance *)c)->v), x, n * sizeof *x), fmi2OK;
}

fmi2Status fmi2GetContinuousStates(fmi2Component c, fmi2Real x[], size_t n) {
    return memcpy(x, states(&((Instance *)c)->v), n * sizeof *x), fmi2OK;
}

fmi2Status fmi2GetDerivatives(fmi2Component c, fmi2Real dx[], size_t n) {
    Instance *self = c;
    const char *wrong = calculate(&self->v);
    if (wrong) return refuse(self, wrong);
    return memcpy(dx, derivatives(&self->v), n * sizeof *dx), fmi2OK;
}

fmi2Status fmi2GetEventIndicators(fmi2Component c, fmi2Real z[], size_t n) {
    Instance *self = c;
    if (n != N_INDICATORS) return refuse(self, "another number of event indicators");
    const char *wrong = calculate(&self->v);
    if (wrong) return refuse(self, wrong);
    if (n) memcpy(z, indicators(&self->v), n * sizeof *z);
    return fmi2OK;
}

fmi2Status fmi2GetNominalsOfContinuousStates(fmi2Component c, fmi2Real nominals[], size_t n) {
    if (!n) return refuse(c, "there are no states, so nobody asks for their nominal values");
    for (size_t i = 0; i < n; i++) nominals[i] = 1.0;
    return fmi2OK;
}

fmi2Status fmi2GetFMUstate(fmi2Component c, fmi2FMUstate *state) {
    if (!*state) *state = malloc(SAVED);
    return *state ? memcpy(*state, &((Instance *)c)->v, SAVED), fmi2OK : fmi2Error;
}

fmi2Status fmi2SetFMUstate(fmi2Component c, fmi2FMUstate state) {
    return memcpy(&((Instance *)c)->v, state, SAVED), fmi2OK;
}

fmi2Status fmi2FreeFMUstate(fmi2Component c, fmi2FMUstate *state) {
    (void)c;
    if (state) free(*state), *state = NULL;
    return fmi2OK;
}

fmi2Status fmi2SerializedFMUstateSize(fmi2Component c, fmi2FMUstate state, size_t *size) {
    return (void)c, (void)state, *size = SAVED, fmi2OK;
}

fmi2Status fmi2SerializeFMUstate(fmi2Component c, fmi2FMUstate state, fmi2Byte bytes[], size_t size) {
    return (void)c, memcpy(bytes, state, size), fmi2OK;
}

fmi2Status fmi2DeSerializeFMUstate(fmi2Component c, const fmi2Byte bytes[], size_t size, fmi2FMUstate *state) {
    if (size != SAVED) return refuse(c, "this is no state of the model");
    *state = malloc(size);
    return *state ? memcpy(*state, bytes, size), fmi2OK : fmi2Error;
}

fmi2Status fmi2SetRealInputDerivatives(fmi2Component c, const unsigned vr[], size_t n, const fmi2Integer order[],
                                       const fmi2Real value[]) {
    Instance *self = c;
    return set_slopes(&self->v, vr, n, order, value) ? fmi2OK : refuse(self, "this input cannot change within a step");
}

fmi2Status fmi2GetDirectionalDerivative(fmi2Component c, const unsigned unknown[], size_t n_unknown,
                                        const unsigned known[], size_t n_known, const fmi2Real seed[],
                                        fmi2Real value[]) {
    Instance *self = c;
    if (DIRECTIONAL && directional(&self->v, unknown, n_unknown, known, n_known, seed, value)) return fmi2OK;
    return refuse(self, "there is no such directional derivative");
}

/* FMPy wants every function of the standard to be there. */
#define UNUSED(name) \
    fmi2Status name(void) { return fmi2Error; }
UNUSED(fmi2CancelStep)
UNUSED(fmi2GetRealOutputDerivatives)
UNUSED(fmi2GetStatus)
UNUSED(fmi2GetRealStatus)
UNUSED(fmi2GetIntegerStatus)
UNUSED(fmi2GetStringStatus)
