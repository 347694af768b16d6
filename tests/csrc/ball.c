/*
 * An FMI 2.0 Model Exchange FMU with state events and time events: a ball that bounces, and a counter of whole seconds.
 *
 *   dh/dt = v, dv/dt = -g (input);  h(0) = 1, v(0) = 0;  at h = 0 falling: v becomes -0.8 v
 *   outputs: h, v, bounces, seconds;  event indicator: h (below zero only until the event is handled)
 */
#include <stdlib.h>
#include <string.h>

#include "fmi2Functions.h"

enum { IN_G, OUT_H, OUT_V, OUT_BOUNCES, OUT_SECONDS, DER_H, DER_V };

typedef struct {
    double time, g, h, v, bounces, seconds;
} State;

typedef struct {
    State state;
} Instance;

const char *fmi2GetTypesPlatform(void) { return fmi2TypesPlatform; }
const char *fmi2GetVersion(void) { return fmi2Version; }

fmi2Component fmi2Instantiate(fmi2String name, fmi2Type type, fmi2String guid, fmi2String location,
                              const fmi2CallbackFunctions *callbacks, fmi2Boolean visible, fmi2Boolean logging) {
    (void)name, (void)location, (void)callbacks, (void)visible, (void)logging;
    if (type != fmi2ModelExchange || strcmp(guid, "ball") != 0) return NULL;
    Instance *self = calloc(1, sizeof *self);
    if (self) self->state = (State){.g = 9.81, .h = 1.0};
    return self;
}

void fmi2FreeInstance(fmi2Component c) { free(c); }

fmi2Status fmi2SetupExperiment(fmi2Component c, fmi2Boolean toleranceDefined, fmi2Real tolerance, fmi2Real start,
                               fmi2Boolean stopDefined, fmi2Real stop) {
    (void)toleranceDefined, (void)tolerance, (void)stopDefined, (void)stop;
    ((Instance *)c)->state.time = start;
    return fmi2OK;
}

fmi2Status fmi2EnterInitializationMode(fmi2Component c) { return (void)c, fmi2OK; }
fmi2Status fmi2ExitInitializationMode(fmi2Component c) { return (void)c, fmi2OK; }
fmi2Status fmi2Terminate(fmi2Component c) { return (void)c, fmi2OK; }
fmi2Status fmi2Reset(fmi2Component c) { return (void)c, fmi2Error; }
fmi2Status fmi2EnterEventMode(fmi2Component c) { return (void)c, fmi2OK; }
fmi2Status fmi2EnterContinuousTimeMode(fmi2Component c) { return (void)c, fmi2OK; }

fmi2Status fmi2SetDebugLogging(fmi2Component c, fmi2Boolean on, size_t n, const fmi2String categories[]) {
    return (void)c, (void)on, (void)n, (void)categories, fmi2OK;
}

fmi2Status fmi2NewDiscreteStates(fmi2Component c, fmi2EventInfo *info) {
    State *s = &((Instance *)c)->state;
    memset(info, 0, sizeof *info);
    if (s->h <= 0.0 && s->v < 0.0) {
        s->h = 0.0;
        s->v *= -0.8;
        s->bounces += 1.0;
        info->valuesOfContinuousStatesChanged = fmi2True;
    }
    while (s->time >= s->seconds + 1.0 - 1e-9) s->seconds += 1.0;
    info->nextEventTimeDefined = fmi2True;
    info->nextEventTime = s->seconds + 1.0;
    return fmi2OK;
}

fmi2Status fmi2CompletedIntegratorStep(fmi2Component c, fmi2Boolean noSet, fmi2Boolean *enter, fmi2Boolean *end) {
    (void)c, (void)noSet;
    *enter = *end = fmi2False;
    return fmi2OK;
}

fmi2Status fmi2SetTime(fmi2Component c, fmi2Real time) { return ((Instance *)c)->state.time = time, fmi2OK; }

fmi2Status fmi2SetContinuousStates(fmi2Component c, const fmi2Real x[], size_t n) {
    (void)n;
    ((Instance *)c)->state.h = x[0];
    ((Instance *)c)->state.v = x[1];
    return fmi2OK;
}

fmi2Status fmi2GetContinuousStates(fmi2Component c, fmi2Real x[], size_t n) {
    (void)n;
    x[0] = ((Instance *)c)->state.h;
    x[1] = ((Instance *)c)->state.v;
    return fmi2OK;
}

fmi2Status fmi2GetDerivatives(fmi2Component c, fmi2Real dx[], size_t n) {
    (void)n;
    dx[0] = ((Instance *)c)->state.v;
    dx[1] = -((Instance *)c)->state.g;
    return fmi2OK;
}

fmi2Status fmi2GetEventIndicators(fmi2Component c, fmi2Real z[], size_t n) {
    (void)n;
    State *s = &((Instance *)c)->state;
    z[0] = s->h == 0.0 && s->v > 0.0 ? 1e-12 : s->h;
    return fmi2OK;
}

fmi2Status fmi2GetNominalsOfContinuousStates(fmi2Component c, fmi2Real x[], size_t n) {
    (void)c;
    for (size_t i = 0; i < n; i++) x[i] = 1.0;
    return fmi2OK;
}

fmi2Status fmi2SetReal(fmi2Component c, const fmi2ValueReference vr[], size_t n, const fmi2Real value[]) {
    for (size_t i = 0; i < n; i++) {
        if (vr[i] != IN_G) return fmi2Error;
        ((Instance *)c)->state.g = value[i];
    }
    return fmi2OK;
}

fmi2Status fmi2GetReal(fmi2Component c, const fmi2ValueReference vr[], size_t n, fmi2Real value[]) {
    State *s = &((Instance *)c)->state;
    double all[] = {s->g, s->h, s->v, s->bounces, s->seconds, s->v, -s->g};
    for (size_t i = 0; i < n; i++) {
        if (vr[i] > DER_V) return fmi2Error;
        value[i] = all[vr[i]];
    }
    return fmi2OK;
}

fmi2Status fmi2GetFMUstate(fmi2Component c, fmi2FMUstate *state) {
    if (!*state) *state = malloc(sizeof(State));
    return *state ? (memcpy(*state, &((Instance *)c)->state, sizeof(State)), fmi2OK) : fmi2Error;
}

fmi2Status fmi2SetFMUstate(fmi2Component c, fmi2FMUstate state) {
    return memcpy(&((Instance *)c)->state, state, sizeof(State)), fmi2OK;
}

fmi2Status fmi2FreeFMUstate(fmi2Component c, fmi2FMUstate *state) {
    (void)c;
    free(*state);
    *state = NULL;
    return fmi2OK;
}

fmi2Status fmi2SerializedFMUstateSize(fmi2Component c, fmi2FMUstate state, size_t *size) {
    return (void)c, (void)state, *size = sizeof(State), fmi2OK;
}

fmi2Status fmi2SerializeFMUstate(fmi2Component c, fmi2FMUstate state, fmi2Byte bytes[], size_t size) {
    return (void)c, memcpy(bytes, state, size), fmi2OK;
}

fmi2Status fmi2DeSerializeFMUstate(fmi2Component c, const fmi2Byte bytes[], size_t size, fmi2FMUstate *state) {
    (void)c;
    *state = malloc(sizeof(State));
    return size == sizeof(State) && *state ? (memcpy(*state, bytes, size), fmi2OK) : fmi2Error;
}

/* What FMPy wants to be there and nobody calls. */
#define UNUSED(name, ...) \
    fmi2Status name(fmi2Component c, __VA_ARGS__) { return (void)c, fmi2Error; }
#pragma clang diagnostic ignored "-Wunused-parameter"
UNUSED(fmi2SetInteger, const fmi2ValueReference vr[], size_t n, const fmi2Integer value[])
UNUSED(fmi2SetBoolean, const fmi2ValueReference vr[], size_t n, const fmi2Boolean value[])
UNUSED(fmi2SetString, const fmi2ValueReference vr[], size_t n, const fmi2String value[])
UNUSED(fmi2GetInteger, const fmi2ValueReference vr[], size_t n, fmi2Integer value[])
UNUSED(fmi2GetBoolean, const fmi2ValueReference vr[], size_t n, fmi2Boolean value[])
UNUSED(fmi2GetString, const fmi2ValueReference vr[], size_t n, fmi2String value[])
UNUSED(fmi2GetDirectionalDerivative, const fmi2ValueReference unknown[], size_t n, const fmi2ValueReference known[],
       size_t m, const fmi2Real seed[], fmi2Real value[])
