"""A simulation in this process, driven step by step: plain values in, plain values or an error out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from trivium.client.records import Parameter, Point
from trivium.door.arguments import by_name, known_engine
from trivium.door.model_path import ModelName, model_path, state_dir
from trivium.door.table import Table
from trivium.errors import InvalidValueError, ModelError
from trivium.model.contract import FloatArray
from trivium.numbers import parse_count
from trivium.session.local import open_testcase
from trivium.settings import Settings
from trivium.simulation.testcase import TestCase
from trivium.suggestions import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

#: Fields of a parameter, as the payload of ``/parameters`` names them.
_PARAMETER = ("Unit", "Description", "Minimum", "Maximum", "Start", "Type")


@dataclass(frozen=True)
class Snapshot:
    """A moment of a simulation that `Simulation.restore` goes back to.

    Attributes
    ----------
    time : float
        Clock [s].
    """

    time: float
    _state: bytes = field(repr=False)
    _rows: FloatArray = field(repr=False, compare=False)


class Simulation:
    """A model over interactive time; `trivium.open` makes one.

    After an error everything is as before: clock, model, inputs, results. All calls must come from one thread. As a
    context manager it closes itself at the end.

    Parameters
    ----------
    case : TestCase
        Belongs to the simulation from now on.
    """

    def __init__(self, case: TestCase) -> None:
        self._opened: TestCase | None = case
        #: Name of the test case, or of the FMU.
        self.name = str(case.get_name().payload["name"])

    @property
    def _case(self) -> TestCase:
        if self._opened is None:
            raise ModelError(f"The simulation of {self.name} is closed; trivium.open makes a new one.")
        return self._opened

    @property
    def time(self) -> float:
        """Clock [s]."""
        return float(self._case.time)

    @property
    def step(self) -> float:
        """How far `advance` simulates [s]; may be set."""
        return float(self._case.get_step().payload)

    @step.setter
    def step(self, step: float) -> None:
        self._case.set_step(_plain(step))

    @property
    def inputs(self) -> Table[Point]:
        """The inputs that `advance` takes: a table with units, bounds and descriptions."""
        return Table(Point.all_of(self._case.get_inputs().payload), Point._fields)

    @property
    def measurements(self) -> Table[Point]:
        """The outputs: a table with units and descriptions."""
        return Table(Point.all_of(self._case.get_measurements().payload), Point._fields)

    @property
    def parameters(self) -> Table[Parameter]:
        """What the start values of `initialize` may be: a table."""
        payload = self._case.get_parameters().payload
        rows = {name: Parameter(*(record[key] for key in _PARAMETER)) for name, record in payload.items()}
        return Table(rows, Parameter._fields)

    def initialize(
        self,
        start_time: float = 0.0,
        end_time: float | None = None,
        warmup_period: float = 0.0,
        start_values: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Start anew.

        Parameters
        ----------
        start_time : float
            [s]
        end_time : float, optional
            [s]; default: the latest of the test case.
        warmup_period : float
            How long before the start the simulation begins [s].
        start_values : Mapping[str, float or int or bool or str], optional
            Values of `parameters`.

        Returns
        -------
        dict[str, float or str]
            All outputs and inputs by name.

        Raises
        ------
        InvalidValueError
            Naming the time, the parameter or the value that is not acceptable.
        ModelError
            When the model refuses.
        """
        values = {name: _plain(value) for name, value in by_name(start_values, "start_values", '{"g": 9.8}').items()}
        self._require(values, self._case.get_parameters().payload, "start value")
        end = None if end_time is None else _plain(end_time)
        observed: dict[str, Any] = self._case.initialize(
            _plain(start_time), end, _plain(warmup_period), values or None
        ).payload
        observed.pop("time")
        return observed

    def advance(self, inputs: Mapping[str, Any] | None = None, steps: int = 1) -> dict[str, Any]:
        """Simulate on.

        Parameters
        ----------
        inputs : Mapping[str, float or int or bool], optional
            Inputs, held over all steps; what is left out keeps its value.
        steps : int
            How many times `step`; all or none.

        Returns
        -------
        dict[str, float or str]
            All outputs and inputs by name, at the end.

        Raises
        ------
        InvalidValueError
            Naming the input that does not exist or is out of its bounds; at the end of the test case.
        ModelError
            When the model fails; everything is as before.
        """
        values = self._checked_inputs(inputs)
        count = parse_count(_plain(steps), "steps")
        if count == 1:
            return dict(self._case.advance(values).payload)
        self._case.advance({"steps": count, "action": values, "point_names": []}, "many")
        return self._case.observation()

    def look_ahead(self, inputs: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what `advance` would return after one step, and stay."""
        return dict(self._case.look_ahead(self._checked_inputs(inputs)).payload)

    def results(
        self, names: Sequence[str] | None = None, start_time: float = 0.0, final_time: float | None = None
    ) -> pd.DataFrame:
        """Return what was simulated since the initialization.

        Parameters
        ----------
        names : sequence of str, optional
            Outputs and inputs; default: all outputs and all inputs of `advance`.
        start_time, final_time : float, optional
            The window, both ends included [s]; default: everything.

        Returns
        -------
        DataFrame
            A column a name, indexed by ``time`` [s].

        Raises
        ------
        InvalidValueError
            Naming what does not exist, or when the window ends before it begins.
        """
        import pandas as pd

        there = [*self.measurements, *self.inputs]
        chosen = there if names is None else _listed(names)
        self._require(chosen, (*there, *self._case.stepper.history.columns), "result")
        final = _plain(final_time) if final_time is not None else max(self.time, start_time)
        columns = self._case.get_results(chosen, _plain(start_time), final).payload
        times = np.array(columns.pop("time"))
        return pd.DataFrame({name: np.array(v) for name, v in columns.items()}, index=pd.Index(times, name="time"))

    def kpis(
        self, names: Sequence[str] | None = None, start_time: float | None = None, final_time: float | None = None
    ) -> dict[str, float | None]:
        """Return key performance indicators by name; None where there is none yet.

        Parameters
        ----------
        names : sequence of str, optional
            Default: all that the test case defines.
        start_time, final_time : float, optional
            A window of the test [s]; default: from its start until now.

        Raises
        ------
        InvalidValueError
            Naming what the test case does not define.
        """
        chosen = None if names is None else _listed(names)
        if chosen is not None:
            self._require(chosen, self._case.get_kpis().payload, "key performance indicator")
        return dict(self._case.get_kpis(chosen, start_time, final_time).payload)

    def forecast(self, names: Sequence[str], horizon: float, interval: float) -> pd.DataFrame:
        """Return boundary data from now on.

        Parameters
        ----------
        names : sequence of str
        horizon, interval : float
            How far ahead, and between two rows [s].

        Returns
        -------
        DataFrame
            A column a name, indexed by ``time`` [s].
        """
        import pandas as pd

        columns = dict(self._case.get_forecast(_listed(names), _plain(horizon), _plain(interval)).payload)
        times = columns.pop("time")
        return pd.DataFrame(columns, index=pd.Index(times, name="time"))

    def snapshot(self) -> Snapshot:
        """Return this moment, to come back to by `restore`; it is kept in memory.

        Raises
        ------
        ModelError
            When the model fails.
        """
        rows = self._case.history_rows()
        return Snapshot(self.time, self._case.state(), rows)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot, also one of another simulation of the same files.

        Raises
        ------
        InvalidValueError
            When it is no snapshot.
        StateError
            When it is one of other files.
        """
        if not isinstance(snapshot, Snapshot):
            raise InvalidValueError(
                f"restore takes what snapshot() returned, not {type(snapshot).__name__}.", "snapshot"
            )
        self._case.restore(snapshot._state, snapshot._rows)

    def close(self) -> None:
        """Free the model; safe to call again."""
        case, self._opened = self._opened, None
        if case is not None:
            case.close()

    def __enter__(self) -> Simulation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._opened is None:
            return f"Simulation({self.name}, closed)"
        return f"Simulation({self.name} at {self.time:g} s, step {self.step:g} s)"

    def _checked_inputs(self, inputs: Mapping[str, Any] | None) -> dict[str, Any]:
        values = {name: _plain(value) for name, value in by_name(inputs, "inputs", '{"u": 1.0}').items()}
        self._require(values, self._case.actions.position, "input")
        return values

    def _require(self, names: Any, there: Any, noun: str) -> None:
        known = set(there)
        for name in names:
            if name not in known:
                plural = {"input": "inputs", "start value": "parameters"}.get(noun, "measurements")
                where = "" if noun.startswith("key") else f" {plural} lists them."
                raise InvalidValueError(
                    f"{self.name} has no {noun} {name}.{did_you_mean(name, known)}{where}", str(name)
                )


def open_simulation(
    model: ModelName = None,
    *,
    step: float | None = None,
    engine: str | None = None,
    state: str | os.PathLike[str] | None = None,
) -> Simulation:
    """Open a model to be stepped.

    Parameters
    ----------
    model : str or path, optional
        An FMU, the folder of a test case, or ``"cooling"``, the shipped plant; default: the test case of the settings,
        which is the shipped plant unless they name another.
    step : float, optional
        How far `Simulation.advance` simulates [s]; default: as the test case or the FMU proposes, else 1 s.
    engine : str, optional
        What runs the FMU where the test case does not choose: ``auto``, ``fmpy``, ``pyfmi`` or one that another package
        brings; default: that of the settings.
    state : str or path, optional
        Folder for unpacked FMUs and results; default: that of the settings.

    Raises
    ------
    ResourcesError, ModelError, StorageError
        When a file is wrong, the FMU cannot be loaded, the folder cannot be written.

    Examples
    --------
    >>> import trivium
    >>> with trivium.open("FuelCycle.fmu", step=5) as simulation:
    ...     simulation
    ...     observed = simulation.advance(steps=2)
    ...     simulation.results(["sds.inventory"])
    Simulation(FuelCycle at 0 s, step 5 s)
          sds.inventory
    time
    0.0     3000.000000
    5.0     2257.941522
    10.0    2112.741503
    """
    chosen = Settings().engine if engine is None else known_engine(engine, auto=True)
    simulation = Simulation(open_testcase(model_path(model), state_dir(state), chosen))
    if step is not None:
        try:
            simulation.step = step
        except BaseException:
            simulation.close()
            raise
    return simulation


def _plain(value: Any) -> Any:
    """Return a number of NumPy as one of Python."""
    return value.item() if isinstance(value, np.generic) else value


def _listed(names: Sequence[str]) -> list[str]:
    if isinstance(names, str):
        raise InvalidValueError(f"names must be a list: [{names!r}].", "names")
    return list(names)
