/* How the bytes of a state are recognised. */
#ifndef SNAPSHOTS_H
#define SNAPSHOTS_H

#include "instance.h"

/* Write the magic number, format, size and GUID that snapshots are recognised by. */
void label_state(State *s);

#endif
