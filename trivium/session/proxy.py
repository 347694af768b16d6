"""A session in the process that owns it, with the methods of a simulation; any thread may call."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from trivium.errors import ModelError
from trivium.model.variable import Variable
from trivium.protocol import (
    OPERATIONS,
    Advanced,
    Columns,
    Indicators,
    Initialized,
    Simulation,
    Steps,
    Trajectory,
    Value,
    operations,
)
from trivium.table import Table


class HostState(NamedTuple):
    """What a session reports of itself.

    Attributes
    ----------
    time : float
        Clock [s].
    restored : str
        ``new``, ``exact``, ``inexact`` or ``replayed``; see docs/sessions.md.
    memory : int
        Of its process [bytes].
    pid : int
        Of its process.
    changed : bool
        Whether the files of the test case are others than those that were opened.
    """

    time: float
    restored: str
    memory: int
    pid: int
    changed: bool


class SelfCheck(NamedTuple):
    """The outcome of a self-check.

    Attributes
    ----------
    steps : int
        Control steps that were really simulated.
    seconds : float
        Wall-clock time of all [s].
    restore : str
        ``exact`` when a step repeated after a restore gave the same numbers, ``inexact`` when it gave others, ``none``
        when the FMU cannot save its state.
    difference : float
        Largest relative difference after the restore [1].
    """

    steps: int
    seconds: float
    restore: str
    difference: float


class Hosted(Protocol):
    """What the process of a session offers beside the protocol of a simulation."""

    @property
    def interval(self) -> float | None:
        """Interval of the boundary data, where simulations begin with an observation or after actions [s]."""

    def host_state(self) -> HostState:
        """Return what the session reports of itself."""

    def health(self) -> SelfCheck:
        """Step a copy of the model; the session stays as it is."""


#: All that a host serves, by name: whether it changes the session.
SERVED = {**OPERATIONS, **operations(Hosted)}
#: Calls a member in the host; returns its value, and how the session was brought back.
Call = Callable[[str, Sequence[Any], Mapping[str, Any], float | None, str | None], tuple[Any, str]]


class Session:
    """A session in the process that owns it; it implements `trivium.protocol.Simulation`.

    Parameters
    ----------
    call : Callable
        See `Call`.
    end : Callable
        Ends the session.
    clock : float, optional
        Refuse changes when the session is elsewhere [s].
    key : str, optional
        Idempotency-Key: a second change with it returns the outcome of the first.
    persistent : bool
        Whether a request whose process dies is sent once more; it is never done twice.
    """

    def __init__(
        self,
        call: Call,
        end: Callable[[], None],
        clock: float | None = None,
        key: str | None = None,
        *,
        persistent: bool = False,
    ) -> None:
        self._call, self._end, self._clock, self._key, self._persistent = call, end, clock, key, persistent
        #: How the session was brought back when the host of the last reply started; see docs/sessions.md.
        self.restored = ""

    @property
    def name(self) -> str:
        """Name of the test case, or of the FMU."""
        return str(self._do(Simulation.name))

    @property
    def version(self) -> str:
        """Version of the test case."""
        return str(self._do(Simulation.version))

    @property
    def time(self) -> float:
        """Clock [s]."""
        return float(self._do(Simulation.time))

    @property
    def step(self) -> float:
        """Control step [s]; may be set."""
        return float(self._do(Simulation.step))

    @step.setter
    def step(self, step: float) -> None:
        self.set_step(step)

    @property
    def inputs(self) -> Table[Variable]:
        """The inputs that `advance` takes."""
        return self._table(Simulation.inputs)

    @property
    def measurements(self) -> Table[Variable]:
        """What a step returns: the outputs, and what the test case selects beside them."""
        return self._table(Simulation.measurements)

    @property
    def variables(self) -> Table[Variable]:
        """All that `results` may be asked for."""
        return self._table(Simulation.variables)

    @property
    def parameters(self) -> Table[Variable]:
        """What the start values of `initialize` may be."""
        return self._table(Simulation.parameters)

    @property
    def forecast_points(self) -> Table[Variable]:
        """What `forecast` knows ahead."""
        return self._table(Simulation.forecast_points)

    @property
    def kpi_points(self) -> Table[Variable]:
        """The key performance indicators that the test case defines."""
        return self._table(Simulation.kpi_points)

    @property
    def scenario(self) -> dict[str, Any]:
        """Parts of the scenario, None where nothing is chosen."""
        return dict(self._do(Simulation.scenario))

    def set_step(self, step: float) -> float:
        """Set the control step [s] and return it."""
        return float(self._do(Simulation.set_step, step))

    def initialize(
        self,
        start_time: float = 0.0,
        end_time: float | None = None,
        warmup_period: float = 0.0,
        start_values: Mapping[str, Any] | None = None,
    ) -> Initialized:
        """Start anew."""
        value: Initialized = self._do(Simulation.initialize, start_time, end_time, warmup_period, start_values)
        return value

    def set_scenario(self, /, **parts: Any) -> dict[str, Any]:
        """Choose parts of the scenario; return what was set."""
        return dict(self._do(Simulation.set_scenario, **parts))

    def advance(self, inputs: Mapping[str, Any] | None = None, steps: int = 1, *, clamp: bool = False) -> Advanced:
        """Simulate on."""
        value: Advanced = self._do(Simulation.advance, inputs, steps, clamp=clamp)
        return value

    def advance_many(
        self,
        steps: int | None = None,
        *,
        action: Mapping[str, Value] | None = None,
        trajectory: Trajectory | None = None,
        point_names: Sequence[str] | None = None,
        atomic: bool = True,
    ) -> Steps:
        """Simulate many control steps."""
        value: Steps = self._do(
            Simulation.advance_many,
            steps,
            action=action,
            trajectory=trajectory,
            point_names=point_names,
            atomic=atomic,
        )
        return value

    def look_ahead(self, inputs: Mapping[str, Any] | None = None, *, clamp: bool = False) -> Advanced:
        """Return what `advance` would return after one step, and stay."""
        value: Advanced = self._do(Simulation.look_ahead, inputs, clamp=clamp)
        return value

    def look_ahead_many(
        self,
        steps: int | None = None,
        *,
        action: Mapping[str, Value] | None = None,
        trajectory: Trajectory | None = None,
        point_names: Sequence[str] | None = None,
        atomic: bool = True,
    ) -> Steps:
        """Return what `advance_many` would return, and stay."""
        value: Steps = self._do(
            Simulation.look_ahead_many,
            steps,
            action=action,
            trajectory=trajectory,
            point_names=point_names,
            atomic=atomic,
        )
        return value

    def results(
        self,
        point_names: Sequence[str] | None = None,
        start_time: float | None = None,
        final_time: float | None = None,
    ) -> Columns:
        """Return trajectories over a window [s]."""
        value: Columns = self._do(Simulation.results, point_names, start_time, final_time)
        return value

    def forecast(self, point_names: Sequence[str], horizon: float, interval: float) -> Columns:
        """Return boundary data from now on."""
        value: Columns = self._do(Simulation.forecast, point_names, horizon, interval)
        return value

    def kpis(
        self, names: Sequence[str] | None = None, start_time: float | None = None, final_time: float | None = None
    ) -> Indicators:
        """Return key performance indicators."""
        value: Indicators = self._do(Simulation.kpis, names, start_time, final_time)
        return value

    def snapshot(self) -> str:
        """Store the session as it is now; return the snapshot's id."""
        return str(self._do(Simulation.snapshot))

    def restore(self, snapshot: str) -> float:
        """Go back to a snapshot; return the clock [s]."""
        return float(self._do(Simulation.restore, snapshot))

    @property
    def interval(self) -> float | None:
        """Interval of the boundary data, where simulations begin with an observation or after actions [s]."""
        value: float | None = self._do(Hosted.interval)
        return value

    def host_state(self) -> HostState:
        """Return what the session reports of itself."""
        value: HostState = self._do(Hosted.host_state)
        return value

    def health(self) -> SelfCheck:
        """Step a copy of the model; the session stays as it is."""
        value: SelfCheck = self._do(Hosted.health)
        return value

    def close(self) -> None:
        """End the session."""
        self._end()

    def _do(self, member: Any, /, *arguments: Any, **options: Any) -> Any:
        """Call a member of the protocol in the host."""
        name: str = getattr(member, "fget", member).__name__
        key = os.urandom(16).hex() if self._persistent else self._key
        try:
            value, self.restored = self._call(name, arguments, options, self._clock, key)
        except ModelError:  # a host that somebody killed is no fault of the model
            if not self._persistent:
                raise
            value, self.restored = self._call(name, arguments, options, self._clock, key)
        return value

    def _table(self, member: Any) -> Table[Variable]:
        rows, fields = self._do(member)
        return Table(rows, fields)
