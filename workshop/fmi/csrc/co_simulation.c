/* FMI 2.0 for Co-Simulation. */
#include <math.h>
#include <string.h>

#include "instance.h"

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

/* The instance when a status of this kind can be answered, else NULL with the answer (logged). */
static Instance *status_of(fmi2Component component, const char *function, fmi2StatusKind kind, int known, const void *value,
                           fmi2Status *answer)
{
    Instance *c = enter(component, MODE_ANY, function);
    *answer = fmi2Error;
    if (c && !value) {
        fail(c, "%s: null pointer", function);
        return NULL;
    }
    if (c && !known) {
        fail(c, "%s: there is no status of kind %d", function, (int)kind);
        *answer = fmi2Discard;
        return NULL;
    }
    return c;
}

fmi2Status fmi2GetStatus(fmi2Component component, const fmi2StatusKind kind, fmi2Status *value)
{
    fmi2Status answer;
    Instance *c = status_of(component, "fmi2GetStatus", kind, kind == fmi2DoStepStatus, value, &answer);
    if (!c) {
        return answer;
    }
    *value = c->s.step_failed ? fmi2Error : fmi2OK;
    return fmi2OK;
}

fmi2Status fmi2GetRealStatus(fmi2Component component, const fmi2StatusKind kind, fmi2Real *value)
{
    fmi2Status answer;
    Instance *c = status_of(component, "fmi2GetRealStatus", kind, kind == fmi2LastSuccessfulTime, value, &answer);
    if (!c) {
        return answer;
    }
    *value = c->s.time;
    return fmi2OK;
}

fmi2Status fmi2GetIntegerStatus(fmi2Component component, const fmi2StatusKind kind, fmi2Integer *value)
{
    fmi2Status answer;
    status_of(component, "fmi2GetIntegerStatus", kind, 0, value, &answer);
    return answer;
}

fmi2Status fmi2GetBooleanStatus(fmi2Component component, const fmi2StatusKind kind, fmi2Boolean *value)
{
    fmi2Status answer;
    Instance *c = status_of(component, "fmi2GetBooleanStatus", kind, kind == fmi2Terminated, value, &answer);
    if (!c) {
        return answer;
    }
    *value = c->s.mode == MODE_TERMINATED;
    return fmi2OK;
}

fmi2Status fmi2GetStringStatus(fmi2Component component, const fmi2StatusKind kind, fmi2String *value)
{
    fmi2Status answer;
    const int known = kind == fmi2DoStepStatus || kind == fmi2PendingStatus;
    Instance *c = status_of(component, "fmi2GetStringStatus", kind, known, value, &answer);
    if (!c) {
        return answer;
    }
    *value = c->s.step_failed ? "the last step failed" : "";
    return fmi2OK;
}
