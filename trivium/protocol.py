"""The protocol of a simulation, and the values that cross it.

It has three implementations with the same numbers: a simulation in this process (`trivium.open`), one in a process of
its own (`trivium.session.proxy`) and one at a server (`trivium.client.Session`). `OPERATIONS` is derived from it: the
names that cross a pipe, and those of them that change a simulation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from trivium.errors import TriviumError
from trivium.model.linearization import Linearization, LinearKind
from trivium.model.variable import Variable
from trivium.table import Table

if TYPE_CHECKING:
    import pandas as pd

#: A value for an input.
Value = float | int | str | None
#: What is done with inputs out of their bounds, and with a step past the end: both are refused; inputs are brought
#: within their bounds and the step is cut; or the former only.
Clamp = bool | Literal["inputs"]
#: Control inputs of several steps: an action a step, or for each input a value a step.
Trajectory = Sequence[Mapping[str, Value]] | Mapping[str, Sequence[Value]]

_Method = TypeVar("_Method", bound=Callable[..., Any])


class Observation(dict[str, Any]):
    """All outputs and control inputs by name, numbers or text.

    Parameters
    ----------
    values : Mapping[str, float or str]
    time : float
        Clock [s].
    """

    def __init__(self, values: Mapping[str, Any], time: float) -> None:
        super().__init__(values)
        self.time = time

    def __getnewargs__(self) -> tuple[Any, ...]:
        return dict(self), self.time


class Initialized(Observation):
    """An observation at the start of a simulation.

    Parameters
    ----------
    values, time
        As in `Observation`.
    warmup : float
        How long before it the simulation began [s].
    """

    def __init__(self, values: Mapping[str, Any], time: float, warmup: float = 0.0) -> None:
        super().__init__(values, time)
        self.warmup = warmup

    def __getnewargs__(self) -> tuple[Any, ...]:
        return dict(self), self.time, self.warmup


class Clamped(NamedTuple):
    """An input out of its bounds that was brought back to them, or between two positions of a switch or count.

    Attributes
    ----------
    name : str
    value, bound : float
        What was asked for, and what was used [unit of the input].
    between : bool
        Whether it was between two positions.
    """

    name: str
    value: float
    bound: float
    between: bool = False


class Advanced(Observation):
    """An observation after a step; empty where the simulation had ended before and nothing was done.

    Parameters
    ----------
    values, time
        As in `Observation`.
    start : float
        Clock before [s].
    clamped : sequence of Clamped
    steps : int
        How many control steps were done; one that was cut to the end of the simulation counts.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        time: float,
        start: float,
        clamped: Sequence[Sequence[Any]] = (),
        steps: int = 1,
    ) -> None:
        super().__init__(values, time)
        self.start = start
        self.clamped = tuple(Clamped(*each) for each in clamped)
        self.steps = steps

    def __getnewargs__(self) -> tuple[Any, ...]:
        return dict(self), self.time, self.start, [tuple(each) for each in self.clamped], self.steps


class Indicators(dict[str, float | None]):
    """Key performance indicators by name; None where there is none yet, or none can be.

    Parameters
    ----------
    values : Mapping[str, float or None]
    reasons : Mapping[str, str]
        Why indicators cannot be had, by name.
    """

    def __init__(self, values: Mapping[str, float | None], reasons: Mapping[str, str] | None = None) -> None:
        super().__init__(values)
        self.reasons = dict(reasons or {})

    def __getnewargs__(self) -> tuple[Any, ...]:
        return dict(self), self.reasons


class Columns(Mapping[str, NDArray[np.float64]]):
    """Points over time, each an array of shape (k,), ``time`` [s] among them.

    Parameters
    ----------
    columns : Mapping[str, array of shape (k,)]
    """

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self._columns = {
            name: np.asarray([np.nan if number is None else number for number in values], dtype=np.float64)
            if isinstance(values, list)
            else np.asarray(values, dtype=np.float64)
            for name, values in columns.items()
        }

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"Columns({list(self)}, {self['time'].size} times)"

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (self._columns,)

    def frame(self) -> pd.DataFrame:
        """Return a DataFrame of pandas with ``time`` [s] as its index."""
        import pandas as pd

        columns = {name: values for name, values in self.items() if name != "time"}
        return pd.DataFrame(columns, index=pd.Index(self["time"], name="time"))


class Override(NamedTuple):
    """An input that is set by hand: in each step it has this value, whatever a client or a controller gives it.

    Attributes
    ----------
    value : float
        [unit of the input]
    until : float or None
        The last step that it acts in begins before this time [s]; None for no end.
    since : float
        Clock when it was set [s].
    who : str or None
        Name of the token of who set it; None where no tokens are needed.
    when : float
        When that was, since 1970 [s].
    """

    value: float
    until: float | None
    since: float
    who: str | None
    when: float

    def acts_at(self, time: float) -> bool:
        """Return whether it acts in a step that begins at a time [s]."""
        return self.until is None or time < self.until


class Steps(NamedTuple):
    """The outcome of many control steps.

    Attributes
    ----------
    start, time : float
        Clock before and after [s].
    steps, requested : int
        How many were done, and asked for.
    columns : Columns
        ``time`` and each point, a value a step.
    error : TriviumError or None
        Why the next one failed.
    """

    start: float
    time: float
    steps: int
    requested: int
    columns: Columns
    error: TriviumError | None


class Alarm(NamedTuple):
    """One occurrence of an alarm.

    Attributes
    ----------
    name, text : str
        As the test case declares it.
    priority : {"high", "medium", "low"}
    points : sequence of str
        What it looks at.
    unit : str
        Of the values and the limit.
    since, raised : float
        From when on a limit was exceeded, and when that had lasted for the delay [s].
    until : float or None
        From when on it was not exceeded any more [s]; None while it is.
    value, limit : float
        The value now, or at the end, and the limit that it is held against.
    worst : float
        The value that was farthest beyond its limit.
    acknowledged_by : str or None
        Who acknowledged it; None where nobody did. An empty text is somebody without a name.
    acknowledged_at : float or None
        When, in the real world [s since 1970].
    """

    name: str
    text: str
    priority: str
    points: Sequence[str]
    unit: str
    since: float
    raised: float
    until: float | None
    value: float
    limit: float
    worst: float
    acknowledged_by: str | None = None
    acknowledged_at: float | None = None

    @property
    def active(self) -> bool:
        """Whether the limit is exceeded now."""
        return self.until is None

    @property
    def acknowledged(self) -> bool:
        """Whether somebody acknowledged it."""
        return self.acknowledged_by is not None


def changes(method: _Method) -> _Method:
    """Mark a method that changes a simulation."""
    method.changes = True  # type: ignore[attr-defined]
    return method


class Simulation(Protocol):
    """A model over interactive time.

    After an error everything is as before: clock, model, inputs, results.
    """

    @property
    def name(self) -> str:
        """Name of the test case, or of the FMU."""

    @property
    def version(self) -> str:
        """Version of the test case."""

    @property
    def time(self) -> float:
        """Clock [s]."""

    @property
    def step(self) -> float:
        """Control step [s]; may be set."""

    @step.setter
    def step(self, step: float) -> None: ...

    @property
    def inputs(self) -> Table[Variable]:
        """The inputs that `advance` takes."""

    @property
    def measurements(self) -> Table[Variable]:
        """What a step returns: the outputs, and what the test case selects beside them."""

    @property
    def fmu(self) -> dict[str, Any]:
        """What the FMU declares, what was found about it, and how it is run."""

    @property
    def variables(self) -> Table[Variable]:
        """All that `results` may be asked for."""

    @property
    def parameters(self) -> Table[Variable]:
        """What the start values of `initialize` may be."""

    @property
    def forecast_points(self) -> Table[Variable]:
        """What `forecast` knows ahead."""

    @property
    def kpi_points(self) -> Table[Variable]:
        """The key performance indicators that the test case defines."""

    @property
    def scenario(self) -> dict[str, Any]:
        """Parts of the scenario, None where nothing is chosen."""

    @property
    def overrides(self) -> dict[str, Override]:
        """Inputs that are set by hand, by name."""

    @changes
    def override(self, inputs: Mapping[str, Value], until: float | None = None) -> dict[str, Override]:
        """Set inputs by hand, from the next step on until a time [s]; None releases one. Return all that are set."""

    @changes
    def release(self, names: Sequence[str] | None = None) -> dict[str, Override]:
        """Release inputs that are set by hand, by default all; return those that still are."""

    @changes
    def set_step(self, step: float) -> float:
        """Set the control step [s] and return it."""

    @changes
    def initialize(
        self,
        start_time: float = 0.0,
        end_time: float | None = None,
        warmup_period: float = 0.0,
        start_values: Mapping[str, Any] | None = None,
    ) -> Initialized:
        """Start anew; times in s, the end by default the latest of the test case."""

    @changes
    def set_scenario(self, /, **parts: Any) -> dict[str, Any]:
        """Choose parts of the scenario; with a ``time_period`` start anew there. Return what was set."""

    @changes
    def advance(self, inputs: Mapping[str, Any] | None = None, steps: int = 1, *, clamp: Clamp = False) -> Advanced:
        """Simulate on: some control steps under held inputs, all or none."""

    @changes
    def advance_many(
        self,
        steps: int | None = None,
        *,
        action: Mapping[str, Value] | None = None,
        trajectory: Trajectory | None = None,
        point_names: Sequence[str] | None = None,
        atomic: bool = True,
    ) -> Steps:
        """Simulate many control steps, and return points at the end of each."""

    def look_ahead(self, inputs: Mapping[str, Any] | None = None, *, clamp: Clamp = False) -> Advanced:
        """Return what `advance` would return after one step, and stay."""

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

    def linearize(
        self,
        kind: LinearKind | None = None,
        *,
        action: Mapping[str, Value] | None = None,
        input_names: Sequence[str] | None = None,
        point_names: Sequence[str] | None = None,
        steps: int | None = None,
        perturbation: float = 0.01,
    ) -> Linearization:
        """Return a linear model about now, and stay; see `trivium.model.linearization`."""

    def results(
        self,
        point_names: Sequence[str] | None = None,
        start_time: float | None = None,
        final_time: float | None = None,
    ) -> Columns:
        """Return trajectories over a window [s], both ends included; by default all outputs and control inputs."""

    def forecast(self, point_names: Sequence[str], horizon: float, interval: float) -> Columns:
        """Return points of `forecast_points` from now on, up to a horizon [s] in intervals [s]."""

    def kpis(
        self, names: Sequence[str] | None = None, start_time: float | None = None, final_time: float | None = None
    ) -> Indicators:
        """Return key performance indicators of the test, or of a window of it [s]; None where there is none yet."""

    def alarms(self, *, past: bool = False) -> list[Alarm]:
        """Return alarms that are active or not acknowledged, the most urgent first; with ``past`` all of the test."""

    @changes
    def acknowledge_alarms(
        self, names: Sequence[str] | None = None, *, by: str = "", at: float | None = None
    ) -> list[Alarm]:
        """Acknowledge alarms by name, by default all; ``at`` is when, by default now [s since 1970]. Return them."""

    def snapshot(self) -> Any:
        """Return what `restore` takes to come back to now."""

    @changes
    def restore(self, snapshot: Any) -> float:
        """Go back to a snapshot; return the clock [s]."""

    def close(self) -> None:
        """End the simulation; safe to call again."""


class Operation(NamedTuple):
    """A member of a protocol that another process serves.

    Attributes
    ----------
    changes : bool
        Whether it changes the simulation.
    attribute : bool
        Whether it is an attribute and no method.
    """

    changes: bool
    attribute: bool


def operations(protocol: type) -> dict[str, Operation]:
    """Return the members of a protocol by name."""
    return {
        name: Operation(getattr(member, "changes", False), isinstance(member, property))
        for name, member in vars(protocol).items()
        if not name.startswith("_")
    }


#: What another process serves of a simulation.
OPERATIONS = operations(Simulation)
del OPERATIONS[Simulation.close.__name__]
