"""Model Exchange for any solver: the loop over events, and snapshots that do not disturb the solver.

One solver is kept for the life of a model and goes on from step to step. It starts anew (in the same memory, from the
states, at order one) where an input changes and at events: these are discontinuities, which a multi-step method must
not carry over.

What a solver remembers cannot be saved, so a snapshot is the state at an *anchor*, where the solver starts anew in any
case, and the lengths of the steps since; to restore it is to set that state and to take these steps again, bit by bit.
Anchors are the initialization, the end of every step that began with a change of inputs (the next one will probably
change them too), and the end of every `MAX_SINCE`-th step from there, so that no restore takes long. They do not depend
on snapshots: what is simulated is the same whether any are taken or not, by a look ahead, for instance.
"""

from __future__ import annotations

import struct
from abc import abstractmethod

import numpy as np

from trivium.errors import EndedError, ModelError
from trivium.model.contract import FloatArray
from trivium.model.fmu.description import FmuDescription
from trivium.model.fmu.event_time import MAX_EVENTS, slack
from trivium.model.fmu.fmu_model import FmuModel, Solving

#: Steps that a restore takes again at most.
MAX_SINCE = 20
_COUNT = struct.Struct("<I")
_ANCHOR = struct.Struct("<ddII")  # time, next event, number of inputs, size of the solver's memory


class ExchangeModel(FmuModel):
    """A Model Exchange FMU; a vendor's adapter implements what is abstract here.

    Its `_start` also brings the instance to continuous-time mode.
    """

    def __init__(self, description: FmuDescription, solving: Solving | None = None) -> None:
        super().__init__(description, solving)
        #: Whether the solver must start anew.
        self._fresh = True
        #: Time of the next event that the FMU knows [s].
        self._next_event = np.inf
        self._held: FloatArray = np.empty(0)  # inputs of the last step
        self._anchor: bytes | None = None
        self._refusal: Exception | None = None  # why the anchor has no state
        self._since: list[float] = []  # lengths of the steps since the anchor [s]

    def _initialize(self, time: float, inputs: FloatArray) -> None:
        with self._translated("initialize"):
            self._remember(b"")
            self._start(time, inputs)
            self._held = inputs.copy()
            self._drop_anchor(time)

    def _step(self, time: float, duration: float, inputs: FloatArray) -> FloatArray:
        with self._translated("step"):
            changed = not np.array_equal(inputs, self._held)
            if changed:
                self._event(inputs)
                self._held = inputs.copy()
            self._integrate(time, time + duration)
            self._since.append(duration)
            if changed or len(self._since) == MAX_SINCE:
                self._drop_anchor(time + duration)
            return self._get()

    def _drop_anchor(self, time: float) -> None:
        self._anchor, self._refusal, self._since, self._fresh = None, None, [], True
        if not self.can_snapshot:
            return
        try:
            state = self._get_state()
        except Exception as error:  # raised when a snapshot is requested
            self._refusal = error
            return
        held, memory = np.asarray(self._held, dtype="<f8"), self._memory()
        head = _ANCHOR.pack(time, self._next_event, len(held), len(memory))
        self._anchor = b"".join((head, held.tobytes(), memory, state))

    def _serialize(self) -> bytes:
        with self._translated("serialize"):
            if self._anchor is None:
                raise self._refusal or ModelError("it cannot serialize its state")
            return _COUNT.pack(len(self._since)) + np.array(self._since, dtype="<f8").tobytes() + self._anchor

    def _deserialize(self, _time: float, data: bytes) -> None:
        with self._translated("restore"):
            (count,) = _COUNT.unpack_from(data)
            since = np.frombuffer(data, dtype="<f8", count=count, offset=_COUNT.size).tolist()
            anchor = data[_COUNT.size + 8 * count :]
            time, next_event, n_inputs, size = _ANCHOR.unpack_from(anchor)
            held = np.frombuffer(anchor, dtype="<f8", count=n_inputs, offset=_ANCHOR.size).astype(np.float64)
            memory = _ANCHOR.size + 8 * n_inputs
            self._remember(anchor[memory : memory + size])
            self._start(time, None)
            self._set_state(anchor[memory + size :])
            self._held, self._next_event, self._anchor, self._refusal = held, next_event, anchor, None
            self._since, self._fresh = since, True
            for duration in since:
                self._integrate(time, time + duration)
                time += duration

    def _integrate(self, time: float, end: float) -> None:
        events = 0
        while end - time > slack(end):
            target = min(end, self._next_event)
            event = False
            if target - time > slack(end):
                event, time = self._solve(time, target)
            due = self._next_event - time <= slack(end)
            if due:
                time = self._next_event
            asked, ended = self._completed(time)
            if ended:
                raise EndedError(f"the FMU ended the simulation at {time} s")
            if event or asked or due:
                events += 1
                if events > MAX_EVENTS:
                    raise ModelError(f"more than {MAX_EVENTS} events in a step, the last at {time} s")
                self._event()

    def _memory(self) -> bytes:
        """Return what the solver shall remember across a start anew, besides the states."""
        return b""

    def _remember(self, memory: bytes) -> None:
        """Give the solver what `_memory` returned; nothing at an initialization."""

    @abstractmethod
    def _solve(self, time: float, end: float) -> tuple[bool, float]:
        """Go on with the solver, anew where `_fresh`; return whether an event was found and the time reached."""

    @abstractmethod
    def _completed(self, time: float) -> tuple[bool, bool]:
        """Complete an integrator step; return whether the FMU asks for an event and whether it ends the simulation."""

    @abstractmethod
    def _event(self, inputs: FloatArray | None = None) -> None:
        """Handle an event, at which inputs may change; sets `_next_event` and `_fresh`."""
