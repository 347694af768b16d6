/* FMI 2.0 for Co-Simulation. */
#include <math.h>
#include <string.h>

#include "fmu.h"

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
