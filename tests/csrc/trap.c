/*
 * An FMI 2.0 co-simulation FMU that does what FMUs of the field do to servers: it crashes, exits, hangs, leaks, answers NaN
 * and fails, when an input tells it to. tests/trap_fmu.py compiles it and writes its description.
 *
 * One state:  dx/dt = (u - x) / 600 s,  x(0) = 290, solved exactly; output y = x, output `calls` = steps of this instance.
 *
 * Compile-time choices (trap_fmu.py sets them):
 *   N_INPUTS, N_OUTPUTS      value references 0 ... N_INPUTS - 1 are inputs, then outputs
 *   IN_U, IN_TRAP, IN_AMOUNT inputs by position;  OUT_Y, OUT_CALLS outputs by position (-1: not there)
 *   RESTORE                  0 no serialization, 1 exact, 2 inexact, 3 crashes although its description promises it, 4 damages
 *                            the heap, 5 crashes in the step after it, 6 holds an address, so that another process crashes,
 *                            7 hangs, 8 inexact by far
 *   BRITTLE                  after a failed step fmi2SetFMUstate, fmi2Reset and fmi2Terminate kill the process, as in some tools
 *   ONE_INSTANCE             a second instance in a process is refused
 *   STATIC_MEMORY            an instance begins where the one before ended
 *   SECOND_HANGS             the third step of the second instance of a process never ends
 *   DIES_WHEN_FREED          fmi2FreeInstance kills the process
 *   FIXED_STEP               steps that are no multiple of it are refused [s]; 0 for none
 *   ENDS                     the time at which it ends the simulation [s]; 0 for never
 *   OPTIONAL                 whether it has functions that no client needs
 *   GUID                     string
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fmi2Functions.h"

enum { NONE, SEGMENTATION_FAULT, EXIT, HANG, LEAK, NOT_A_NUMBER, ERROR_STATUS, ABORT, DISCARD_STATUS, SLOW, END, PRY };

typedef struct {
    double time, x, calls, inputs[N_INPUTS];
    const char *address;
} State;

typedef struct {
    State state;
    int failed, nan, ended;
    fmi2CallbackFunctions callbacks;
} Instance;

static int alive, instances, restored;
static double left_behind = 290.0; /* by the instances before */
static const char here = 'h';

static void say(Instance *self, const char *message) {
    if (self->callbacks.logger)
        self->callbacks.logger(self->callbacks.componentEnvironment, "trap", fmi2Error, "error", message);
}

static int writes(const char *folder, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder ? folder : ".", name);
    FILE *file = fopen(path, "w");
    return file && fclose(file) == 0;
}

static int connects(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int handle = socket(AF_UNIX, SOCK_STREAM, 0);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    return connect(handle, (struct sockaddr *)&address, sizeof address) == 0;
}

/* Tries what a program may do that a client brought, and what it may not; returns the sum of what it could. */
static int pry(void) {
    return 10 * writes(NULL, "log.txt") + 20 * writes(getenv("TMPDIR"), "scratch") + 100 * writes("../../..", "escaped") +
           200 * (socket(AF_INET, SOCK_STREAM, 0) >= 0) + 400 * (socket(AF_INET6, SOCK_DGRAM, 0) >= 0) +
           1000 * connects("../../../run/zygote") + 2000 * (kill(getppid(), 0) == 0);
}

static void die(int signal_number) {
    signal(signal_number, SIG_DFL); /* a handler of the host must not turn a crash into something milder */
    kill(getpid(), signal_number);
    for (;;) pause();
}

const char *fmi2GetTypesPlatform(void) { return fmi2TypesPlatform; }
const char *fmi2GetVersion(void) { return fmi2Version; }

fmi2Component fmi2Instantiate(fmi2String name, fmi2Type type, fmi2String guid, fmi2String location,
                              const fmi2CallbackFunctions *callbacks, fmi2Boolean visible, fmi2Boolean logging) {
    (void)name, (void)location, (void)visible, (void)logging;
    if (type != fmi2CoSimulation || strcmp(guid, GUID) != 0 || (ONE_INSTANCE && alive)) return NULL;
    Instance *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    self->callbacks = *callbacks;
    self->state.x = STATIC_MEMORY ? left_behind : 290.0;
    if (RESTORE == 6) self->state.address = &here;
    alive++, instances++;
    return self;
}

void fmi2FreeInstance(fmi2Component c) {
    if (DIES_WHEN_FREED && c) die(SIGABRT);
    if (c) alive--;
    free(c);
}

fmi2Status fmi2SetDebugLogging(fmi2Component c, fmi2Boolean on, size_t n, const fmi2String categories[]) {
    (void)c, (void)on, (void)n, (void)categories;
    return fmi2OK;
}

fmi2Status fmi2SetupExperiment(fmi2Component c, fmi2Boolean toleranceDefined, fmi2Real tolerance, fmi2Real start,
                               fmi2Boolean stopDefined, fmi2Real stop) {
    (void)toleranceDefined, (void)tolerance, (void)stopDefined, (void)stop;
    ((Instance *)c)->state.time = start;
    return fmi2OK;
}

fmi2Status fmi2EnterInitializationMode(fmi2Component c) { return (void)c, fmi2OK; }
fmi2Status fmi2ExitInitializationMode(fmi2Component c) { return (void)c, fmi2OK; }

fmi2Status fmi2Terminate(fmi2Component c) {
    if (BRITTLE && ((Instance *)c)->failed) die(SIGSEGV);
    return fmi2OK;
}

fmi2Status fmi2Reset(fmi2Component c) {
    Instance *self = c;
    if (BRITTLE && self->failed) die(SIGSEGV);
    memset(&self->state, 0, sizeof self->state);
    self->state.x = 290.0;
    self->failed = self->nan = 0;
    return fmi2OK;
}

fmi2Status fmi2SetReal(fmi2Component c, const fmi2ValueReference vr[], size_t n, const fmi2Real value[]) {
    Instance *self = c;
    for (size_t i = 0; i < n; i++) {
        if (vr[i] >= N_INPUTS) return say(self, "only inputs can be set"), fmi2Error;
        self->state.inputs[vr[i]] = value[i]; /* also NaN, as some FMUs do */
    }
    return fmi2OK;
}

fmi2Status fmi2GetReal(fmi2Component c, const fmi2ValueReference vr[], size_t n, fmi2Real value[]) {
    Instance *self = c;
    for (size_t i = 0; i < n; i++) {
        if (vr[i] >= N_INPUTS + N_OUTPUTS) return say(self, "unknown value reference"), fmi2Error;
        int out = (int)vr[i] - N_INPUTS;
        if (out < 0) value[i] = self->state.inputs[vr[i]];
        else if (out == OUT_Y) value[i] = self->nan ? NAN : self->state.x;
        else if (out == OUT_CALLS) value[i] = self->state.calls;
        else value[i] = 0.0;
    }
    return fmi2OK;
}

fmi2Status fmi2DoStep(fmi2Component c, fmi2Real time, fmi2Real duration, fmi2Boolean keep) {
    (void)keep;
    Instance *self = c;
    int pried = 0;
    double amount = IN_AMOUNT < 0 ? 64.0 : self->state.inputs[IN_AMOUNT < 0 ? 0 : IN_AMOUNT];
    switch ((int)self->state.inputs[IN_TRAP]) {
    case SEGMENTATION_FAULT: die(SIGSEGV); break;
    case EXIT: exit((int)amount); /* flushes, runs handlers, takes the host along */
    case HANG: for (;;) usleep(100000);
    case LEAK: {
        size_t size = (size_t)(amount * 1048576.0);
        volatile char *memory = malloc(size); /* never freed */
        for (size_t i = 0; memory && i < size; i += 4096) memory[i] = 1;
        break;
    }
    case NOT_A_NUMBER: self->nan = 1; break;
    case ERROR_STATUS: self->failed = 1; say(self, "the trap was told to fail"); return fmi2Error;
    case ABORT: die(SIGABRT); break;
    case DISCARD_STATUS: self->failed = 1; say(self, "the trap discards the step"); return fmi2Discard;
    case END: return fmi2Discard; /* GetBooleanStatus says why */
    case PRY: pried = pry(); break;
    case SLOW: usleep((useconds_t)(amount * 1e4)); break; /* amount in hundredths of a second */
    default: self->nan = 0;
    }
    if (SECOND_HANGS && instances == 2 && self->state.calls == 2.0) for (;;) usleep(100000);
    if (RESTORE == 5 && restored) die(SIGSEGV);
    if (FIXED_STEP > 0.0 && fabs(remainder(duration, FIXED_STEP)) > 1e-9) return say(self, "not my step"), fmi2Error;
    if (ENDS > 0.0 && time + duration > ENDS + 1e-9) return self->ended = 1, fmi2Discard; /* GetBooleanStatus says why */
    double u = self->state.inputs[IN_U];
    self->state.x = u + (self->state.x - u) * exp(-duration / 600.0);
    self->state.time = time + duration;
    self->state.calls += 1.0 + pried;
    left_behind = self->state.x;
    return fmi2OK;
}

#define UNUSED_SETTER(name, type)                                                                              \
    fmi2Status name(fmi2Component c, const fmi2ValueReference vr[], size_t n, const type value[]) {            \
        return (void)vr, (void)n, (void)value, say(c, #name ": no such variable"), n ? fmi2Error : fmi2OK;     \
    }
#define UNUSED_GETTER(name, type)                                                                              \
    fmi2Status name(fmi2Component c, const fmi2ValueReference vr[], size_t n, type value[]) {                  \
        return (void)vr, (void)n, (void)value, say(c, #name ": no such variable"), n ? fmi2Error : fmi2OK;     \
    }
#define UNUSED_STATUS(name, type)                                                                              \
    fmi2Status name(fmi2Component c, const fmi2StatusKind kind, type *value) {                                 \
        return (void)c, (void)kind, (void)value, fmi2Discard;                                                  \
    }
UNUSED_SETTER(fmi2SetInteger, fmi2Integer)
UNUSED_SETTER(fmi2SetBoolean, fmi2Boolean)
UNUSED_SETTER(fmi2SetString, fmi2String)
UNUSED_GETTER(fmi2GetInteger, fmi2Integer)
UNUSED_GETTER(fmi2GetBoolean, fmi2Boolean)
UNUSED_GETTER(fmi2GetString, fmi2String)
UNUSED_STATUS(fmi2GetStatus, fmi2Status)
UNUSED_STATUS(fmi2GetRealStatus, fmi2Real)
UNUSED_STATUS(fmi2GetIntegerStatus, fmi2Integer)
fmi2Status fmi2GetBooleanStatus(fmi2Component c, const fmi2StatusKind kind, fmi2Boolean *value) {
    *value = ((Instance *)c)->ended || (int)((Instance *)c)->state.inputs[IN_TRAP] == END;
    return kind == fmi2Terminated && *value ? fmi2OK : fmi2Discard;
}

#if OPTIONAL
UNUSED_STATUS(fmi2GetStringStatus, fmi2String)

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

#endif

fmi2Status fmi2GetFMUstate(fmi2Component c, fmi2FMUstate *state) {
    if (!RESTORE) return say(c, "the state cannot be had"), fmi2Error;
    if (!*state) *state = malloc(sizeof(State));
    if (!*state) return fmi2Error;
    memcpy(*state, &((Instance *)c)->state, sizeof(State));
    return fmi2OK;
}

fmi2Status fmi2SetFMUstate(fmi2Component c, fmi2FMUstate state) {
    Instance *self = c;
    if (RESTORE == 3 || (BRITTLE && self->failed)) die(SIGSEGV);
    if (RESTORE == 7) for (;;) usleep(100000);
    memcpy(&self->state, state, sizeof(State));
    restored = 1;
    if (RESTORE == 6 && self->state.address != &here) die(SIGSEGV); /* what to follow a foreign address comes to */
    if (RESTORE == 2) self->state.x *= 1.0 + 1e-4;
    if (RESTORE == 8) self->state.x *= 1.0 + 1e-2;
    self->failed = self->nan = 0;
    return fmi2OK;
}

fmi2Status fmi2FreeFMUstate(fmi2Component c, fmi2FMUstate *state) {
    (void)c;
    if (state) free(*state), *state = NULL;
    return fmi2OK;
}

fmi2Status fmi2SerializedFMUstateSize(fmi2Component c, fmi2FMUstate state, size_t *size) {
    (void)c, (void)state;
    *size = sizeof(State);
    return fmi2OK;
}

fmi2Status fmi2SerializeFMUstate(fmi2Component c, fmi2FMUstate state, fmi2Byte bytes[], size_t size) {
    (void)c;
    memcpy(bytes, state, size);
    return RESTORE ? fmi2OK : fmi2Error;
}

fmi2Status fmi2DeSerializeFMUstate(fmi2Component c, const fmi2Byte bytes[], size_t size, fmi2FMUstate *state) {
    if (size != sizeof(State)) return say(c, "this is no state of the trap"), fmi2Error;
    *state = malloc(size);
    if (!*state) return fmi2Error;
    memcpy(*state, bytes, size);
    if (RESTORE == 4) memset((char *)*state + size, 0xAB, 64); /* beyond what was allocated */
    return fmi2OK;
}
