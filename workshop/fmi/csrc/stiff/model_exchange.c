/* FMI 2.0 for Model Exchange. Equations have no events, so event mode has nothing to do. */
#include <math.h>
#include <string.h>

#include "instance.h"

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
    if (!x || n != N_STATES) {
        return fail(c, "fmi2SetContinuousStates: null pointer, or not %d states", N_STATES);
    }
    int bad = first_non_finite(x, N_STATES);
    if (bad >= 0) {
        return fail(c, "the value set for the state %s is not finite", variable_name(VR_X + (unsigned)bad));
    }
    for (unsigned i = 0; i < N_STATES; i++) {
        double *place = state_place(&c->s, i);
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
    if (!derivatives || n != N_STATES) {
        return fail(c, "fmi2GetDerivatives: null pointer, or not %d states", N_STATES);
    }
    ensure_ode(c);
    for (unsigned i = 0; i < N_STATES; i++) {
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
    if (!x || n != N_STATES) {
        return fail(c, "fmi2GetContinuousStates: null pointer, or not %d states", N_STATES);
    }
    for (unsigned i = 0; i < N_STATES; i++) {
        x[i] = *state_place(&c->s, i);
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
    if (!nominals || n != N_STATES) {
        return fail(c, "fmi2GetNominalsOfContinuousStates: null pointer, or not %d states", N_STATES);
    }
    for (int i = 0; i < N_STATES; i++) {
        nominals[i] = i < NF       ? filter_nominal[i]
                      : i < 2 * NF ? filter_nominal[i - NF]
                                   : state_nominal[i - 2 * NF];
    }
    return fmi2OK;
}
