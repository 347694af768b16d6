/* What the files with FMI functions share. */
#ifndef FMU_H
#define FMU_H

#include "instance.h"

#define MODE_INITIALIZED (MODE_STEP | MODE_EVENT | MODE_CONTINUOUS_TIME)
#define MODE_ANY (MODE_INSTANTIATED | MODE_INITIALIZATION | MODE_INITIALIZED | MODE_ERROR | MODE_TERMINATED)
#define MODE_BEFORE_START (MODE_INSTANTIATED | MODE_INITIALIZATION)
#define N_STATES (2 * NF + NX)

/* The instance behind a handle when the function may be called in its mode, else NULL (logged). */
Instance *enter(fmi2Component component, int modes, const char *function);

/* Name whatever is not finite among states and outputs. */
fmi2Status check_finite(Instance *c);

/* Place and derivative of a continuous state, numbered as in model exchange: s1, s2, x. */
double *state_place(State *s, unsigned index);
double state_derivative(const State *s, unsigned index);

/* Write the magic number, format, size and GUID that snapshots are recognised by. */
void label_state(State *s);

#endif
