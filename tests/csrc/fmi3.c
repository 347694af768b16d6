/* The border of FMI 3.0 around a model (model.h): co-simulation, with an event mode, and Model Exchange. */
#include "model.h"

#include "fmi3FunctionTypes.h"

typedef enum { INSTANTIATED, CONFIGURATION, INITIALIZATION, EVENT, STEP, CONTINUOUS } Mode;

typedef struct {
    Variables v;
    Mode mode;
    bool exchange, events, early;
    fmi3LogMessageCallback log;
} Instance;

static fmi3Status refuse(Instance *self, const char *message) {
    if (self->log) self->log(NULL, fmi3Error, "error", message);
    return fmi3Error;
}

static fmi3Status enter(Instance *self, Mode mode) {
    self->mode = mode;
    return fmi3OK;
}

static bool settable(const Instance *self, const Entry *entry) {
    switch (entry->when) {
    case 'i': /* discrete inputs change at events, where there are any */
        return self->mode <= EVENT || (entry->type == 'd' || entry->type == 'f') || !(self->exchange || self->events);
    case 'u': return self->mode <= EVENT || !(self->exchange || self->events);
    case 'p': return self->mode == INSTANTIATED || self->mode == INITIALIZATION;
    case 's': return self->mode == CONFIGURATION;
    default: return false;
    }
}

static fmi3Status numbers(Instance *self, char type, bool set, const unsigned vr[], size_t n, void *values, size_t m) {
    const char *wrong = set ? NULL : calculate(&self->v);
    if (wrong) return refuse(self, wrong);
    char *place = values;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const Entry *entry = find(vr[i], type);
        if (!entry) return refuse(self, "no such variable");
        count += elements(&self->v, entry);
        if (count > m) return refuse(self, "fewer values than elements");
        if (set && !settable(self, entry)) return refuse(self, "this variable cannot be set now");
        void *mine = slot(&self->v, entry);
        memcpy(set ? mine : place, set ? place : mine, bytes_of(&self->v, entry));
        place += bytes_of(&self->v, entry);
    }
    return count == m ? fmi3OK : refuse(self, "more values than elements");
}

#define NUMBER(NAME, TYPE)                                                                                        \
    fmi3Status fmi3Get##NAME(fmi3Instance c, const unsigned vr[], size_t n, fmi3##NAME value[], size_t m) {        \
        return numbers(c, TYPE, false, vr, n, value, m);                                                          \
    }                                                                                                             \
    fmi3Status fmi3Set##NAME(fmi3Instance c, const unsigned vr[], size_t n, const fmi3##NAME value[], size_t m) {  \
        return numbers(c, TYPE, true, vr, n, (void *)value, m);                                                   \
    }
NUMBER(Float64, 'd')
NUMBER(Float32, 'f')
NUMBER(Int8, 'c')
NUMBER(UInt8, 'C')
NUMBER(Int16, 's')
NUMBER(UInt16, 'S')
NUMBER(Int32, 'i')
NUMBER(UInt32, 'I')
NUMBER(Int64, 'l')
NUMBER(UInt64, 'L')
NUMBER(Boolean, 'b')

fmi3Status fmi3SetString(fmi3Instance c, const unsigned vr[], size_t n, const fmi3String value[], size_t m) {
    Instance *self = c;
    for (size_t i = 0, at = 0; i < n; i++) {
        const Entry *entry = find(vr[i], 't');
        if (!entry || !settable(self, entry) || at + entry->count > m) return refuse(self, "this text cannot be set");
        Text *texts = slot(&self->v, entry);
        for (size_t j = 0; j < entry->count; j++) strncpy(texts[j], value[at++], sizeof(Text) - 1);
    }
    return fmi3OK;
}

fmi3Status fmi3GetString(fmi3Instance c, const unsigned vr[], size_t n, fmi3String value[], size_t m) {
    Instance *self = c;
    calculate(&self->v);
    for (size_t i = 0, at = 0; i < n; i++) {
        const Entry *entry = find(vr[i], 't');
        if (!entry || at + entry->count > m) return refuse(self, "no such text");
        Text *texts = slot(&self->v, entry);
        for (size_t j = 0; j < entry->count; j++) value[at++] = texts[j];
    }
    return fmi3OK;
}

fmi3Status fmi3SetBinary(fmi3Instance c, const unsigned vr[], size_t n, const size_t sizes[], const fmi3Binary value[],
                         size_t m) {
    Instance *self = c;
    for (size_t i = 0, at = 0; i < n; i++) {
        const Entry *entry = find(vr[i], 'x');
        if (!entry || !settable(self, entry) || at + entry->count > m) return refuse(self, "these bytes cannot be set");
        Bytes *bytes = slot(&self->v, entry);
        for (size_t j = 0; j < entry->count; j++, at++) {
            if (sizes[at] > sizeof bytes->data) return refuse(self, "too many bytes");
            bytes[j].size = sizes[at];
            memcpy(bytes[j].data, value[at], sizes[at]);
        }
    }
    return fmi3OK;
}

fmi3Status fmi3GetBinary(fmi3Instance c, const unsigned vr[], size_t n, size_t sizes[], fmi3Binary value[], size_t m) {
    Instance *self = c;
    calculate(&self->v);
    for (size_t i = 0, at = 0; i < n; i++) {
        const Entry *entry = find(vr[i], 'x');
        if (!entry || at + entry->count > m) return refuse(self, "no such bytes");
        Bytes *bytes = slot(&self->v, entry);
        for (size_t j = 0; j < entry->count; j++, at++) sizes[at] = bytes[j].size, value[at] = bytes[j].data;
    }
    return fmi3OK;
}

const char *fmi3GetVersion(void) { return "3.0"; }

static Instance *instantiate(fmi3String token, fmi3LogMessageCallback log) {
    Instance *self = strcmp(token, GUID) == 0 ? calloc(1, sizeof *self) : NULL;
    if (self) begin(&self->v), self->log = log;
    return self;
}

fmi3Instance fmi3InstantiateModelExchange(fmi3String name, fmi3String token, fmi3String resources, fmi3Boolean visible,
                                          fmi3Boolean logging, fmi3InstanceEnvironment environment,
                                          fmi3LogMessageCallback log) {
    (void)name, (void)resources, (void)visible, (void)logging, (void)environment;
    Instance *self = instantiate(token, log);
    if (self) self->exchange = true;
    return self;
}

fmi3Instance fmi3InstantiateCoSimulation(fmi3String name, fmi3String token, fmi3String resources, fmi3Boolean visible,
                                         fmi3Boolean logging, fmi3Boolean events, fmi3Boolean early,
                                         const unsigned required[], size_t n, fmi3InstanceEnvironment environment,
                                         fmi3LogMessageCallback log, fmi3IntermediateUpdateCallback update) {
    (void)name, (void)resources, (void)visible, (void)logging, (void)required, (void)n, (void)environment, (void)update;
    if (REFUSE_EVENTS && events) return NULL;
    Instance *self = instantiate(token, log);
    if (self) self->events = events, self->early = early;
    return self;
}

void fmi3FreeInstance(fmi3Instance c) { free(c); }
fmi3Status fmi3Terminate(fmi3Instance c) { return (void)c, fmi3OK; }

fmi3Status fmi3EnterConfigurationMode(fmi3Instance c) { return enter(c, CONFIGURATION); }
fmi3Status fmi3ExitConfigurationMode(fmi3Instance c) { return enter(c, INSTANTIATED); }

fmi3Status fmi3EnterInitializationMode(fmi3Instance c, fmi3Boolean toleranceDefined, fmi3Float64 tolerance,
                                       fmi3Float64 start, fmi3Boolean stopDefined, fmi3Float64 stop) {
    (void)toleranceDefined, (void)tolerance, (void)stop;
    Instance *self = c;
    if (stopDefined && !(stop > start)) return refuse(self, "the stop time must be after the start time");
    self->v.time = start;
    return enter(self, INITIALIZATION);
}

fmi3Status fmi3ExitInitializationMode(fmi3Instance c) {
    Instance *self = c;
    const char *wrong = calculate(&self->v);
    if (wrong) return refuse(self, wrong);
    return enter(self, self->exchange || self->events ? EVENT : STEP);
}

fmi3Status fmi3EnterEventMode(fmi3Instance c) {
    Instance *self = c;
    return self->mode == STEP || self->mode == CONTINUOUS ? enter(self, EVENT) : refuse(self, "no event now");
}

fmi3Status fmi3EnterStepMode(fmi3Instance c) {
    Instance *self = c;
    return self->mode == EVENT && self->events ? enter(self, STEP) : refuse(self, "no step mode now");
}

fmi3Status fmi3EnterContinuousTimeMode(fmi3Instance c) {
    Instance *self = c;
    return self->mode == EVENT && self->exchange ? enter(self, CONTINUOUS) : refuse(self, "no continuous time now");
}

fmi3Status fmi3UpdateDiscreteStates(fmi3Instance c, fmi3Boolean *again, fmi3Boolean *end, fmi3Boolean *nominals,
                                    fmi3Boolean *values, fmi3Boolean *defined, fmi3Float64 *time) {
    Instance *self = c;
    if (self->mode != EVENT) return refuse(self, "no event is being handled");
    event(&self->v);
    *again = *end = *nominals = *values = false;
    *time = next_event(&self->v);
    *defined = isfinite(*time);
    return fmi3OK;
}

fmi3Status fmi3DoStep(fmi3Instance c, fmi3Float64 time, fmi3Float64 duration, fmi3Boolean keep, fmi3Boolean *event_needed,
                      fmi3Boolean *end, fmi3Boolean *early, fmi3Float64 *reached) {
    (void)keep;
    Instance *self = c;
    if (self->mode != STEP) return refuse(self, "no step mode");
    const char *wrong = calculate(&self->v);
    if (wrong) return refuse(self, wrong);
    *event_needed = *end = *early = false;
    *reached = time + duration;
    if (ENDS > 0.0 && *reached > ENDS + 1e-9) return *end = true, *reached = time, fmi3Discard;
    if (self->events && self->early && next_event(&self->v) <= *reached) {
        *early = next_event(&self->v) < *reached;
        *reached = next_event(&self->v);
        *event_needed = true;
        solve(&self->v, *reached - self->v.time);
        self->v.time = *reached;
        return fmi3OK;
    }
    take(&self->v, time, duration);
    return fmi3OK;
}

fmi3Status fmi3SetTime(fmi3Instance c, fmi3Float64 time) {
    ((Instance *)c)->v.time = time;
    return fmi3OK;
}

fmi3Status fmi3CompletedIntegratorStep(fmi3Instance c, fmi3Boolean keep, fmi3Boolean *event_mode, fmi3Boolean *end) {
    return (void)c, (void)keep, *event_mode = *end = false, fmi3OK;
}

fmi3Status fmi3SetContinuousStates(fmi3Instance c, const fmi3Float64 x[], size_t n) {
    if (n != N_STATES) return refuse(c, "another number of states");
    memcpy(states(&((Instance *)c)->v), x, n * sizeof *x);
    return fmi3OK;
}

fmi3Status fmi3GetContinuousStates(fmi3Instance c, fmi3Float64 x[], size_t n) {
    if (n != N_STATES) return refuse(c, "another number of states");
    memcpy(x, states(&((Instance *)c)->v), n * sizeof *x);
    return fmi3OK;
}

fmi3Status fmi3GetContinuousStateDerivatives(fmi3Instance c, fmi3Float64 dx[], size_t n) {
    Instance *self = c;
    const char *wrong = calculate(&self->v);
    if (wrong) return refuse(self, wrong);
    if (n != N_STATES) return refuse(c, "another number of states");
    memcpy(dx, derivatives(&self->v), n * sizeof *dx);
    return fmi3OK;
}

fmi3Status fmi3GetNominalsOfContinuousStates(fmi3Instance c, fmi3Float64 nominals[], size_t n) {
    if (!n) return refuse(c, "there are no states, so nobody asks for their nominal values");
    for (size_t i = 0; i < n; i++) nominals[i] = 1.0;
    return fmi3OK;
}

fmi3Status fmi3GetEventIndicators(fmi3Instance c, fmi3Float64 z[], size_t n) {
    Instance *self = c;
    if (n != N_INDICATORS) return refuse(self, "another number of event indicators");
    const char *wrong = calculate(&self->v);
    if (wrong) return refuse(self, wrong);
    if (n) memcpy(z, indicators(&self->v), n * sizeof *z);
    return fmi3OK;
}

fmi3Status fmi3GetNumberOfEventIndicators(fmi3Instance c, size_t *n) { return (void)c, *n = N_INDICATORS, fmi3OK; }
fmi3Status fmi3GetNumberOfContinuousStates(fmi3Instance c, size_t *n) { return (void)c, *n = N_STATES, fmi3OK; }

fmi3Status fmi3GetFMUState(fmi3Instance c, fmi3FMUState *state) {
    if (!*state) *state = malloc(SAVED);
    if (!*state) return fmi3Error;
    memcpy(*state, &((Instance *)c)->v, SAVED);
    return fmi3OK;
}

fmi3Status fmi3SetFMUState(fmi3Instance c, fmi3FMUState state) {
    memcpy(&((Instance *)c)->v, state, SAVED);
    return fmi3OK;
}

fmi3Status fmi3FreeFMUState(fmi3Instance c, fmi3FMUState *state) {
    (void)c;
    if (state) free(*state), *state = NULL;
    return fmi3OK;
}

fmi3Status fmi3SerializedFMUStateSize(fmi3Instance c, fmi3FMUState state, size_t *size) {
    return (void)c, (void)state, *size = SAVED, fmi3OK;
}

fmi3Status fmi3SerializeFMUState(fmi3Instance c, fmi3FMUState state, fmi3Byte bytes[], size_t size) {
    return (void)c, memcpy(bytes, state, size), fmi3OK;
}

fmi3Status fmi3DeserializeFMUState(fmi3Instance c, const fmi3Byte bytes[], size_t size, fmi3FMUState *state) {
    if (size != SAVED) return refuse(c, "this is no state of the model");
    *state = malloc(size);
    return *state ? memcpy(*state, bytes, size), fmi3OK : fmi3Error;
}

fmi3Status fmi3GetDirectionalDerivative(fmi3Instance c, const unsigned unknown[], size_t n_unknown,
                                        const unsigned known[], size_t n_known, const double seed[], size_t n_seed,
                                        double value[], size_t n_value) {
    Instance *self = c;
    (void)n_seed, (void)n_value;
    if (DIRECTIONAL && directional(&self->v, unknown, n_unknown, known, n_known, seed, value)) return fmi3OK;
    return refuse(self, "there is no such directional derivative");
}

/* FMPy wants every function of the standard to be there. */
#define UNUSED(name) \
    fmi3Status name(void) { return fmi3Error; }
UNUSED(fmi3SetDebugLogging)
UNUSED(fmi3InstantiateScheduledExecution)
UNUSED(fmi3Reset)
UNUSED(fmi3GetClock)
UNUSED(fmi3SetClock)
UNUSED(fmi3GetNumberOfVariableDependencies)
UNUSED(fmi3GetVariableDependencies)
UNUSED(fmi3GetAdjointDerivative)
UNUSED(fmi3GetIntervalDecimal)
UNUSED(fmi3GetIntervalFraction)
UNUSED(fmi3GetShiftDecimal)
UNUSED(fmi3GetShiftFraction)
UNUSED(fmi3SetIntervalDecimal)
UNUSED(fmi3SetIntervalFraction)
UNUSED(fmi3SetShiftDecimal)
UNUSED(fmi3SetShiftFraction)
UNUSED(fmi3EvaluateDiscreteStates)
UNUSED(fmi3GetOutputDerivatives)
UNUSED(fmi3ActivateModelPartition)
