/*
 * The border of FMI 1.0 around a model (model.h): Model Exchange, or co-simulation with -DSLAVE=1. Function names begin
 * with PREFIX, the model identifier. Its types are declared here, since the standard's header comes in two.
 */
#include "model.h"

#define PASTE_(a, b) a##_fmi##b
#define PASTE(a, b) PASTE_(a, b)
#define F(name) PASTE(PREFIX, name)

typedef enum { OK, WARNING, DISCARD, ERROR, FATAL } Status;
typedef struct {
    void (*logger)(void *c, const char *instance, Status status, const char *category, const char *message, ...);
    void *(*allocate)(size_t n, size_t size);
    void (*release)(void *memory);
    void (*finished)(void *c, Status status);
} Callbacks;
typedef struct {
    char converged, references_changed, values_changed, end, upcoming;
    double next;
} EventInfo;

typedef struct {
    Variables v;
    bool running, ended;
    Callbacks callbacks;
} Instance;

static Status refuse(Instance *self, const char *message) {
    if (self->callbacks.logger) self->callbacks.logger(self, "model", ERROR, "error", message);
    return ERROR;
}

static void *settable(Instance *self, unsigned reference, char type) {
    const Entry *entry = find(reference, type);
    bool may = entry && (entry->when == 'i' || entry->when == 'u' || (entry->when == 'p' && !self->running));
    return may ? slot(&self->v, entry) : NULL;
}

#define NUMBER(NAME, TAG, TYPE, VALUE)                                                                            \
    Status F(Set##NAME)(void *c, const unsigned vr[], size_t n, const VALUE value[]) {                            \
        for (size_t i = 0; i < n; i++) {                                                                          \
            TYPE *mine = settable(c, vr[i], TAG);                                                                 \
            if (!mine) return refuse(c, "this variable cannot be set now");                                       \
            *mine = value[i];                                                                                     \
        }                                                                                                         \
        return OK;                                                                                                \
    }                                                                                                             \
    Status F(Get##NAME)(void *c, const unsigned vr[], size_t n, VALUE value[]) {                                  \
        Instance *self = c;                                                                                       \
        const char *wrong = calculate(&self->v);                                                                  \
        if (wrong) return refuse(self, wrong);                                                                    \
        for (size_t i = 0; i < n; i++) {                                                                          \
            const Entry *entry = find(vr[i], TAG);                                                                \
            if (!entry) return refuse(self, "no such variable");                                                  \
            value[i] = *(TYPE *)slot(&self->v, entry);                                                            \
        }                                                                                                         \
        return OK;                                                                                                \
    }
NUMBER(Real, 'd', double, double)
NUMBER(Integer, 'i', int32_t, int)
NUMBER(Boolean, 'b', bool, char)

Status F(SetString)(void *c, const unsigned vr[], size_t n, const char *const value[]) {
    for (size_t i = 0; i < n; i++) {
        char *mine = settable(c, vr[i], 't');
        if (!mine) return refuse(c, "this text cannot be set now");
        strncpy(mine, value[i], sizeof(Text) - 1);
    }
    return OK;
}

Status F(GetString)(void *c, const unsigned vr[], size_t n, const char *value[]) {
    Instance *self = c;
    calculate(&self->v);
    for (size_t i = 0; i < n; i++) {
        const Entry *entry = find(vr[i], 't');
        if (!entry) return refuse(self, "no such text");
        value[i] = slot(&self->v, entry);
    }
    return OK;
}

const char *F(GetVersion)(void) { return "1.0"; }
Status F(SetDebugLogging)(void *c, char on) { return (void)c, (void)on, OK; }

static Instance *instantiate(const char *guid, Callbacks callbacks) {
    Instance *self = strcmp(guid, GUID) == 0 ? calloc(1, sizeof *self) : NULL;
    if (self) begin(&self->v), self->callbacks = callbacks;
    return self;
}

static Status initialize(Instance *self) {
    const char *wrong = calculate(&self->v);
    self->running = true;
    return wrong ? refuse(self, wrong) : OK;
}

#define UNUSED(name) \
    Status F(name)(void) { return ERROR; }

#if SLAVE

const char *F(GetTypesPlatform)(void) { return "standard32"; }

void *F(InstantiateSlave)(const char *name, const char *guid, const char *location, const char *mime, double timeout,
                          char visible, char interactive, Callbacks callbacks, char logging) {
    (void)name, (void)location, (void)mime, (void)timeout, (void)visible, (void)interactive, (void)logging;
    return instantiate(guid, callbacks);
}

Status F(InitializeSlave)(void *c, double start, char stopDefined, double stop) {
    Instance *self = c;
    if (stopDefined && !(stop > start)) return refuse(self, "the stop time must be after the start time");
    self->v.time = start;
    return initialize(self);
}

void F(FreeSlaveInstance)(void *c) { free(c); }
Status F(TerminateSlave)(void *c) { return (void)c, OK; }

Status F(DoStep)(void *c, double time, double duration, char newStep) {
    (void)newStep;
    Instance *self = c;
    const char *wrong = calculate(&self->v);
    if (wrong) return refuse(self, wrong);
    if (ENDS > 0.0 && time + duration > ENDS + 1e-9) return self->ended = true, DISCARD;
    take(&self->v, time, duration);
    return OK;
}

Status F(SetRealInputDerivatives)(void *c, const unsigned vr[], size_t n, const int order[], const double value[]) {
    Instance *self = c;
    return set_slopes(&self->v, vr, n, order, value) ? OK : refuse(self, "this input cannot change within a step");
}

Status F(GetBooleanStatus)(void *c, int kind, char *value) { /* that of FMI 2.0, which this version does not name */
    *value = ((Instance *)c)->ended;
    return kind == 3 ? OK : DISCARD;
}

UNUSED(ResetSlave)
UNUSED(GetRealOutputDerivatives)
UNUSED(CancelStep)
UNUSED(GetStatus)
UNUSED(GetRealStatus)
UNUSED(GetIntegerStatus)
UNUSED(GetStringStatus)

#else

const char *F(GetModelTypesPlatform)(void) { return "standard32"; }

void *F(InstantiateModel)(const char *name, const char *guid, Callbacks callbacks, char logging) {
    return (void)name, (void)logging, instantiate(guid, callbacks);
}

void F(FreeModelInstance)(void *c) { free(c); }
Status F(Terminate)(void *c) { return (void)c, OK; }
Status F(SetTime)(void *c, double time) { return ((Instance *)c)->v.time = time, OK; }

Status F(EventUpdate)(void *c, char intermediate, EventInfo *info) {
    (void)intermediate;
    Instance *self = c;
    event(&self->v);
    memset(info, 0, sizeof *info);
    info->converged = 1;
    info->next = next_event(&self->v);
    info->upcoming = isfinite(info->next);
    return OK;
}

Status F(Initialize)(void *c, char controlled, double tolerance, EventInfo *info) {
    (void)controlled, (void)tolerance;
    Status status = initialize(c);
    return status == OK ? F(EventUpdate)(c, 0, info) : status;
}

Status F(CompletedIntegratorStep)(void *c, char *event_update) { return (void)c, *event_update = 0, OK; }

Status F(SetContinuousStates)(void *c, const double x[], size_t n) {
    return memcpy(states(&((Instance *)c)->v), x, n * sizeof *x), OK;
}

Status F(GetContinuousStates)(void *c, double x[], size_t n) {
    return memcpy(x, states(&((Instance *)c)->v), n * sizeof *x), OK;
}

Status F(GetDerivatives)(void *c, double dx[], size_t n) {
    Instance *self = c;
    const char *wrong = calculate(&self->v);
    if (wrong) return refuse(self, wrong);
    return memcpy(dx, derivatives(&self->v), n * sizeof *dx), OK;
}

Status F(GetEventIndicators)(void *c, double z[], size_t n) {
    Instance *self = c;
    if (n != N_INDICATORS) return refuse(self, "another number of event indicators");
    const char *wrong = calculate(&self->v);
    if (wrong) return refuse(self, wrong);
    if (n) memcpy(z, indicators(&self->v), n * sizeof *z);
    return OK;
}

Status F(GetNominalContinuousStates)(void *c, double nominals[], size_t n) {
    if (!n) return refuse(c, "there are no states, so nobody asks for their nominal values");
    for (size_t i = 0; i < n; i++) nominals[i] = 1.0;
    return OK;
}

UNUSED(GetStateValueReferences)

#endif
