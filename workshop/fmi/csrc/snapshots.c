/* FMI 2.0, snapshots: a copy of State; serialized, the same bytes and a checksum. */
#include "snapshots.h"

#include <stdlib.h>
#include <string.h>

#include "model_guid.h"

#define STATE_MAGIC 0x4554415453494d46u /* "FMISTATE" in a little-endian file */
#define STATE_FORMAT 1u

/* FNV-1a over 8-byte words and the bytes left; the rotation lets high bits reach low ones. */
static uint64_t hash_bytes(const void *data, size_t size)
{
    const unsigned char *from = data;
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = 0;
        memcpy(&word, from + i, size - i < 8 ? size - i : 8);
        hash = (hash ^ word) * 1099511628211u;
        hash = hash << 31 | hash >> 33;
    }
    return hash;
}

void label_state(State *s)
{
    s->magic = STATE_MAGIC;
    s->format = STATE_FORMAT;
    s->bytes = sizeof *s;
    s->guid = hash_bytes(MODEL_GUID, strlen(MODEL_GUID));
}

/* Log why the bytes are no state of this model, or return fmi2OK. */
static fmi2Status check_state(Instance *c, const State *s)
{
    if (s->magic != STATE_MAGIC) {
        return fail(c, "this is not a state of such an FMU (bad magic number)");
    }
    if (s->format != STATE_FORMAT || s->bytes != sizeof *s) {
        return fail(c, "the state has another format (version %u of %u bytes, expected %u of %u)", (unsigned)s->format,
                    (unsigned)s->bytes, STATE_FORMAT, (unsigned)sizeof *s);
    }
    if (s->guid != hash_bytes(MODEL_GUID, strlen(MODEL_GUID))) {
        return fail(c, "the state belongs to another version of the model (its GUID differs)");
    }
    if (s->kind != c->s.kind) {
        return fail(c, "a state of model exchange cannot be set in co-simulation, nor the other way round");
    }
    return fmi2OK;
}

/* Copy to a snapshot: an earlier one is overwritten, a null pointer becomes a new one. */
static fmi2Status store_state(Instance *c, const State *from, fmi2FMUstate *state)
{
    if (!*state) {
        *state = malloc(sizeof(State));
        if (!*state) {
            return fail(c, "out of memory for a state");
        }
    } else if (check_state(c, (State *)*state) != fmi2OK) {
        return fmi2Error;
    }
    memcpy(*state, from, sizeof(State));
    ((State *)*state)->has &= ~(int64_t)HAS_PRE;
    return fmi2OK;
}

fmi2Status fmi2GetFMUstate(fmi2Component component, fmi2FMUstate *state)
{
    Instance *c = enter(component, MODE_ANY, "fmi2GetFMUstate");
    if (!c) {
        return fmi2Error;
    }
    if (!state) {
        return fail(c, "fmi2GetFMUstate: null pointer");
    }
    return store_state(c, &c->s, state);
}

fmi2Status fmi2SetFMUstate(fmi2Component component, fmi2FMUstate state)
{
    Instance *c = enter(component, MODE_ANY, "fmi2SetFMUstate");
    if (!c) {
        return fmi2Error;
    }
    if (!state) {
        return fail(c, "fmi2SetFMUstate: null pointer");
    }
    if (check_state(c, (State *)state) != fmi2OK) {
        return fmi2Error;
    }
    memcpy(&c->s, state, sizeof(State));
    return fmi2OK;
}

fmi2Status fmi2FreeFMUstate(fmi2Component component, fmi2FMUstate *state)
{
    Instance *c = enter(component, MODE_ANY, "fmi2FreeFMUstate");
    if (!c) {
        return fmi2Error;
    }
    if (state && *state) {
        if (((State *)*state)->magic != STATE_MAGIC) {
            return fail(c, "fmi2FreeFMUstate: this is not a state of this FMU");
        }
        ((State *)*state)->magic = 0;
        free(*state);
        *state = NULL;
    }
    return fmi2OK;
}

fmi2Status fmi2SerializedFMUstateSize(fmi2Component component, fmi2FMUstate state, size_t *size)
{
    Instance *c = enter(component, MODE_ANY, "fmi2SerializedFMUstateSize");
    if (!c) {
        return fmi2Error;
    }
    if (!state || !size) {
        return fail(c, "fmi2SerializedFMUstateSize: null pointer");
    }
    *size = sizeof(State) + sizeof(uint64_t);
    return check_state(c, (State *)state);
}

fmi2Status fmi2SerializeFMUstate(fmi2Component component, fmi2FMUstate state, fmi2Byte bytes[], size_t size)
{
    Instance *c = enter(component, MODE_ANY, "fmi2SerializeFMUstate");
    if (!c) {
        return fmi2Error;
    }
    if (!state || !bytes) {
        return fail(c, "fmi2SerializeFMUstate: null pointer");
    }
    if (check_state(c, (State *)state) != fmi2OK) {
        return fmi2Error;
    }
    if (size < sizeof(State) + sizeof(uint64_t)) {
        return fail(c, "fmi2SerializeFMUstate: %u bytes are too few, %u needed", (unsigned)size,
                    (unsigned)(sizeof(State) + sizeof(uint64_t)));
    }
    uint64_t hash = hash_bytes(state, sizeof(State));
    memcpy(bytes, state, sizeof(State));
    memcpy(bytes + sizeof(State), &hash, sizeof hash);
    return fmi2OK;
}

fmi2Status fmi2DeSerializeFMUstate(fmi2Component component, const fmi2Byte bytes[], size_t size, fmi2FMUstate *state)
{
    Instance *c = enter(component, MODE_ANY, "fmi2DeSerializeFMUstate");
    if (!c) {
        return fmi2Error;
    }
    if (!bytes || !state) {
        return fail(c, "fmi2DeSerializeFMUstate: null pointer");
    }
    uint64_t header[4] = {0, 0, 0, 0}, hash;
    memcpy(header, bytes, size < sizeof header ? size : sizeof header);
    if (header[0] != STATE_MAGIC) {
        return fail(c, "the bytes are no serialized state of such an FMU (bad magic number)");
    }
    if (size != sizeof(State) + sizeof hash) {
        return fail(c, "the serialized state has %u bytes, expected %u", (unsigned)size,
                    (unsigned)(sizeof(State) + sizeof hash));
    }
    memcpy(&c->backup, bytes, sizeof(State));
    memcpy(&hash, bytes + sizeof(State), sizeof hash);
    if (check_state(c, &c->backup) != fmi2OK) {
        return fmi2Error;
    }
    if (hash != hash_bytes(&c->backup, sizeof(State))) {
        return fail(c, "the serialized state is damaged (its checksum differs)");
    }
    return store_state(c, &c->backup, state);
}
