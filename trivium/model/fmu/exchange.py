"""Model Exchange for any solver: the loop over events, and snapshots that do not disturb the solver.

One solver is kept for the life of a model and goes on from step to step. It starts anew (in the same memory, from the
states, at order one) where an input changes and at events: these are discontinuities, which a multi-step method must
not carry over.

Inputs may change along straight lines: the derivatives and the event indicators are evaluated with their values at each
time. While all inputs stay on their lines the solver goes on from step to step. Where one bends the solver starts anew,
without an event: it looks beyond the end of a step, where it has followed the old line.

What a solver remembers cannot be saved, so a snapshot is the state at an *anchor*, where the solver starts anew, and
the steps since; to restore it is to set that state and to take these steps again, bit by bit. Anchors are the
initialization and every change of inputs or bend. Where much was computed since the last anchor there is one more: at
an event, or at the end of a step, where the solver then starts anew for the anchor's sake, so that no restore takes
long. Anchors do not depend on snapshots: what is simulated is the same whether any are taken or not, by a look ahead,
for instance.
"""

from __future__ import annotations

import struct
from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

from trivium.errors import EndedError, ModelError
from trivium.model.contract import FloatArray, StartValues
from trivium.model.fmu.description import FmuDescription
from trivium.model.fmu.events import MAX_EVENTS, slack
from trivium.model.fmu.fmu_model import Adapter, Solving
from trivium.model.fmu.jacobian import by_differences
from trivium.model.fmu.scalars import FmuVariable

#: Evaluations of the derivatives, and steps, after which there is a new anchor. A start anew costs some dozens of
#: evaluations and as much accuracy: not to be noticed among so many.
MAX_WORK = 5000
MAX_SINCE = 1000
_COUNT = struct.Struct("<I")
#: Inputs closer to where their line leads than this part of their size, and of what they change by, are on it.
_SAME = 1e-9
_ANCHOR = struct.Struct("<dddII")  # time, next event, begin of the line, number of inputs, size of the solver's memory


class _Line(NamedTuple):
    """Inputs from a time [s] on: their values then, and how fast they change; both of shape (n_inputs,)."""

    time: float
    values: FloatArray
    slopes: FloatArray

    @property
    def moves(self) -> bool:
        """Whether any input changes."""
        return bool(self.slopes.any())

    def at(self, time: float) -> FloatArray:
        """Return the inputs at a time [s]."""
        return self.values + (time - self.time) * self.slopes

    def leads_to(self, inputs: FloatArray, time: float) -> bool:
        """Return whether the inputs at a time [s] are on the line, but for rounding."""
        change = (time - self.time) * self.slopes
        scale = np.abs(self.values) + np.abs(change)
        return bool((np.abs(inputs - (self.values + change)) <= _SAME * scale).all())


class _Anchor(NamedTuple):
    """Where the solver started anew.

    Attributes
    ----------
    time, next_event : float
        [s]
    line : _Line
        What the inputs do.
    memory : bytes
        What the solver remembers.
    state : bytes
        Of the FMU.
    """

    time: float
    next_event: float
    line: _Line
    memory: bytes
    state: bytes

    def pack(self) -> bytes:
        """Return all as bytes."""
        began, values, slopes = self.line
        head = _ANCHOR.pack(self.time, self.next_event, began, len(values), len(self.memory))
        return b"".join((head, np.concatenate((values, slopes)).astype("<f8").tobytes(), self.memory, self.state))

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return what `pack` was called on."""
        time, next_event, began, n_inputs, size = _ANCHOR.unpack_from(data)
        numbers = np.frombuffer(data, dtype="<f8", count=2 * n_inputs, offset=_ANCHOR.size).astype(np.float64)
        line = _Line(began, numbers[:n_inputs], numbers[n_inputs:])
        memory = _ANCHOR.size + 16 * n_inputs
        return cls(time, next_event, line, data[memory : memory + size], data[memory + size :])


class ExchangeModel(Adapter):
    """A Model Exchange FMU; a vendor's adapter implements what is abstract here.

    Its `_start` also brings the instance to continuous-time mode.
    """

    def __init__(self, description: FmuDescription, solving: Solving | None = None) -> None:
        super().__init__(description, solving)
        #: Whether the solver must start anew.
        self._fresh = True
        #: Time of the next event that the FMU knows [s].
        self._next_event = np.inf
        self.can_ramp = True
        self._still: FloatArray = np.zeros(len(self.inputs))
        self._line = _Line(0.0, self._still, self._still)  # what inputs do in the present step
        self._anchor: _Anchor | None = None
        self._refusal: Exception | None = None  # why the anchor has no state
        self._since: list[float] = []  # start and end of each step since the anchor, one after the other [s]
        self._done = 0  # work until the anchor

    def _initialize(self, time: float, inputs: FloatArray) -> None:
        with self._translated("initialize"):
            self._remember(b"")
            self._start(time, inputs)
            self._line = _Line(time, inputs.copy(), self._still)
            self._drop_anchor(time)

    def _step(self, time: float, duration: float, inputs: FloatArray) -> FloatArray:
        return self._ramp(time, duration, inputs, self._still)

    def _ramp(self, time: float, duration: float, inputs: FloatArray, slopes: FloatArray) -> FloatArray:
        with self._translated("step"):
            before = self._line
            moves = before.moves or slopes is not self._still
            on = before.leads_to(inputs, time) if moves else np.array_equal(inputs, before.values)
            bent = moves and not np.allclose(slopes, before.slopes, rtol=_SAME, atol=0.0)
            if not on:
                self._event(inputs)
            elif bent:
                self._set_continuous(inputs)
                self._fresh = True
            if bent or not on:
                self._line = _Line(time, inputs.copy(), slopes)
                self._drop_anchor(time)
            self._advance(time, time + duration)
            return self._get()

    def drive(self, time: float) -> None:
        """Set inputs that change within the present step to what they are at a time [s]; solvers call it."""
        if self._line.moves:
            self._set_continuous(self._line.at(time))

    def _advance(self, start: float, end: float) -> None:
        """Go on over a whole step."""
        if self.can_snapshot:
            self._since += (start, end)
        self._integrate(start, end)
        if self.can_snapshot and (self._is_far() or len(self._since) >= 2 * MAX_SINCE):
            self._fresh = True
            self._drop_anchor(end)

    def _change(self, values: StartValues) -> None:
        with self._translated(f"change {', '.join(values)}"):
            self._event(values=self._complete(values))
            self._drop_anchor(self.time)

    def _hold(self, inputs: FloatArray) -> None:
        self._event(inputs)

    def _by_differences(
        self, inputs: FloatArray, columns: Sequence[int], rows: Sequence[FmuVariable], states: FloatArray
    ) -> FloatArray:
        return by_differences(self, inputs, columns, rows, states)

    def _is_far(self) -> bool:
        """Return whether much was computed since the last anchor."""
        return self._work - self._done > MAX_WORK

    def _drop_anchor(self, time: float, since: Sequence[float] = ()) -> None:
        """Let this be the anchor: the solver starts anew here; `since` is the rest of the step."""
        self._anchor, self._refusal, self._since, self._done = None, None, [*since], self._work
        if not self.can_snapshot:
            return
        try:
            state = self._get_state()
        except Exception as error:  # raised when a snapshot is requested
            self._refusal = error
            return
        self._anchor = _Anchor(time, self._next_event, self._line, self._memory(), state)

    def _serialize(self) -> bytes:
        with self._translated("serialize"):
            if self._anchor is None:
                raise self._refusal or ModelError("it cannot serialize its state")
            since = np.array(self._since, dtype="<f8").tobytes()
            return b"".join((_COUNT.pack(len(self._since)), since, self._anchor.pack()))

    def _deserialize(self, _time: float, data: bytes) -> None:
        with self._translated("restore"):
            (count,) = _COUNT.unpack_from(data)
            since = np.frombuffer(data, dtype="<f8", count=count, offset=_COUNT.size).tolist()
            anchor = _Anchor.unpack(data[_COUNT.size + 8 * count :])
            self._remember(anchor.memory)
            self._start(anchor.time, None)
            self._set_state(anchor.state)
            self._anchor, self._line, self._next_event = anchor, anchor.line, anchor.next_event
            self._refusal, self._since, self._done, self._fresh = None, [], self._work, True
            for start, end in zip(since[::2], since[1::2], strict=True):
                self._advance(start, end)

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
            self.drive(time)
            asked, ended = self._completed(time)
            if ended:
                raise EndedError(f"the FMU ended the simulation at {time} s")
            if event or asked or due:
                events += 1
                if events > MAX_EVENTS:
                    raise ModelError(f"more than {MAX_EVENTS} events in a step, the last at {time} s")
                self._event()
                if self.can_snapshot and self._is_far():
                    self._drop_anchor(time, (time, end))

    @property
    @abstractmethod
    def _work(self) -> int:
        """Evaluations of the derivatives so far; what counts is the difference."""

    def _memory(self) -> bytes:
        """Return what the solver shall remember across a start anew, besides the states."""
        return b""

    def _remember(self, memory: bytes) -> None:
        """Give the solver what `_memory` returned; nothing at an initialization."""

    @abstractmethod
    def _set_continuous(self, inputs: FloatArray) -> None:
        """Set the continuous ones of the inputs."""

    @abstractmethod
    def _set_states(self, states: FloatArray) -> None:
        """Set the continuous states."""

    @abstractmethod
    def _solve(self, time: float, end: float) -> tuple[bool, float]:
        """Go on with the solver, anew where `_fresh`; return whether an event was found and the time reached."""

    @abstractmethod
    def _completed(self, time: float) -> tuple[bool, bool]:
        """Complete an integrator step; return whether the FMU asks for an event and whether it ends the simulation."""

    @abstractmethod
    def _event(self, inputs: FloatArray | None = None, values: StartValues | None = None) -> None:
        """Handle an event, at which inputs and tunable parameters may change; sets `_next_event` and `_fresh`."""
