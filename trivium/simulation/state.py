"""A state of a test case as bytes: everything it needs to go on from a moment, in this process or another.

Layout: eight bytes ``TRIVSTAT``, then little-endian the CRC-32 of all that follows and the length of the header, both
four bytes; the header, a JSON object; the control inputs and the outputs as float64; the serialized plant. Nothing in
it is code. The rows of the history are not part of it, only their number.
"""

from __future__ import annotations

import hashlib
import json
import platform
import struct
import sys
import zlib
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from trivium.errors import StateError
from trivium.model.contract import FloatArray, Model, Snapshot, StartValues
from trivium.protocol import Override
from trivium.simulation.resources import Resources
from trivium.simulation.times import Clock

_MAGIC = b"TRIVSTAT"
_HEAD = struct.Struct("<8sI")
_LENGTH = struct.Struct("<I")
#: Version of this layout and of what the loop over time computes; a state of another version is refused.
VERSION = 5


class Position(NamedTuple):
    """A moment of a simulation.

    Attributes
    ----------
    time : float
        Clock [s].
    outputs : FloatArray, shape (n_outputs,)
        Outputs of the model then.
    stepped : bool
        Whether a client's step led there, and not an initialization.
    texts : Mapping[str, str]
        Outputs that are text.
    """

    time: float
    outputs: FloatArray
    stepped: bool
    texts: Mapping[str, str] = {}


class Change(NamedTuple):
    """Tunable parameters and texts that were changed between two steps.

    Attributes
    ----------
    time : float
        When [s].
    values : Mapping[str, float or str]
        By name.
    """

    time: float
    values: StartValues


class Beginning(NamedTuple):
    """How the present life of the model began: with the rows of the history, all that a replay needs.

    Attributes
    ----------
    kind : {"observed", "initialized", "warmed"}
        ``observed``: the first row is an observation, the model begins with the inputs of the first step.
        ``initialized``: the first row is the model after its initialization. ``warmed``: all rows are steps.
    time : float
        Where the model is initialized [s].
    start_values : Mapping[str, float or str]
        What is set before its initialization.
    changes : tuple of Change
        What was changed since, in the order of time.
    """

    kind: Literal["observed", "initialized", "warmed"]
    time: float
    start_values: StartValues
    changes: tuple[Change, ...] = ()

    @property
    def values(self) -> StartValues:
        """What is set now."""
        values = dict(self.start_values)
        for change in self.changes:
            values |= change.values
        return values

    @property
    def rows_before_steps(self) -> int:
        """How many rows of the history, at the head, are no steps of the model."""
        return 0 if self.kind == "warmed" else 1


class Mark(NamedTuple):
    """All that a stepper needs to come back to a moment, but for the rows of the history.

    Attributes
    ----------
    snapshot : Snapshot or None
        The model; None where only a replay of the rows brings it back.
    rows : int
        Rows of the history then.
    beginning : Beginning
    """

    snapshot: Snapshot | None
    rows: int
    beginning: Beginning


class State(NamedTuple):
    """Everything that a simulation is at a moment.

    Attributes
    ----------
    mark : Mark
        Plant, how it began, number of history rows.
    position : Position
        Time, outputs, whether a client's step led there.
    controls : FloatArray, shape (n_controls,)
        Control inputs, as clients gave them last.
    clock : Clock
        Time and control step.
    end_time : float
        End of the simulation [s].
    first_row : int
        Row of the history where the test begins.
    conditions : Mapping[str, Any]
        What it runs under, of `Simulation._conditions`.
    acted : FloatArray, shape (n_controls,)
        Control inputs, as they acted last.
    overrides : Mapping[str, Override]
        Inputs that are set by hand.
    """

    mark: Mark
    position: Position
    controls: FloatArray
    clock: Clock
    end_time: float
    first_row: int
    conditions: Mapping[str, Any]
    acted: FloatArray
    overrides: Mapping[str, Override]


def origin(resources: Resources, model: Model) -> str:
    """Return the hash of all that must be the same where a state is restored.

    These are the files of the test case and its tolerance, the adapter, the platform of the binary, the names and
    order of the plant's variables, and the version of this module.
    """
    parts = [
        str(VERSION),
        resources.fingerprint,
        model.kind,
        sys.platform,
        platform.machine(),
        *(variable.name for variable in (*model.inputs, *model.outputs)),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def encode(state: State, origin: str) -> bytes:
    """Return a state as bytes.

    Parameters
    ----------
    state : State
    origin : str
        The `origin` of the test case.
    """
    snapshot, position = state.mark.snapshot, state.position
    header = {
        "version": VERSION,
        "origin": origin,
        "time": position.time,
        "stepped": position.stepped,
        "texts": dict(position.texts),
        "clock": state.clock,
        "end_time": state.end_time,
        "first_row": state.first_row,
        "conditions": dict(state.conditions),
        "rows": state.mark.rows,
        "beginning": {
            **state.mark.beginning._asdict(),
            "start_values": dict(state.mark.beginning.start_values),
            "changes": [[change.time, dict(change.values)] for change in state.mark.beginning.changes],
        },
        "controls": len(state.controls),
        "outputs": len(position.outputs),
        **_by_hand(state),
        "plant": None if snapshot is None else {"time": snapshot.time, "fresh": snapshot.data is None},
    }
    text = json.dumps(header).encode()  # floats come back as they were: Python writes the shortest exact form
    data = b"" if snapshot is None or snapshot.data is None else snapshot.data
    numbers = np.concatenate((state.controls, position.outputs)).astype("<f8").tobytes()
    body = b"".join((_LENGTH.pack(len(text)), text, numbers, data))
    return _HEAD.pack(_MAGIC, zlib.crc32(body)) + body


def _by_hand(state: State) -> dict[str, Any]:
    """Return what a state without inputs set by hand does not have."""
    made = {"acted": state.acted.tolist()} if not np.array_equal(state.acted, state.controls) else {}
    return {**made, "overrides": dict(state.overrides)} if state.overrides else made


def decode(data: bytes, origin: str) -> State:
    """Return the state that bytes hold.

    Raises
    ------
    StateError
        When they are damaged, of another version or of another origin.
    """
    if len(data) < _HEAD.size or data[: len(_MAGIC)] != _MAGIC:
        raise StateError("the stored state is no state of a test case")
    _, checksum = _HEAD.unpack_from(data)
    body = memoryview(data)[_HEAD.size :]
    if zlib.crc32(body) != checksum:
        raise StateError("the stored state is damaged")
    (length,) = _LENGTH.unpack_from(body)
    body = body[_LENGTH.size :]
    header: dict[str, Any] = json.loads(bytes(body[:length]))
    if header["version"] != VERSION:
        raise StateError(f"the stored state is of version {header['version']}, this server reads {VERSION}")
    if header["origin"] != origin:
        raise StateError("the stored state belongs to other Resources, or to another engine or platform")
    n_controls, n_outputs = header["controls"], header["outputs"]
    end = length + 8 * (n_controls + n_outputs)
    numbers = np.frombuffer(body[length:end], dtype="<f8").astype(np.float64)
    plant, beginning = header["plant"], Beginning(**header["beginning"])
    beginning = beginning._replace(changes=tuple(Change(time, values) for time, values in beginning.changes))
    snapshot = None
    if plant is not None:
        snapshot = Snapshot(plant["time"], None if plant["fresh"] else bytes(body[end:]), beginning.values)
    return State(
        Mark(snapshot, header["rows"], beginning),
        Position(header["time"], numbers[n_controls:], header["stepped"], header["texts"]),
        numbers[:n_controls],
        Clock(*header["clock"]),
        header["end_time"],
        header["first_row"],
        header["conditions"],
        np.array(header["acted"]) if "acted" in header else numbers[:n_controls],
        {name: Override(*entry) for name, entry in header.get("overrides", {}).items()},
    )
