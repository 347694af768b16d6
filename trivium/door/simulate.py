"""An FMU from start to stop in one call.

Outputs are recorded on a grid; see `simulate`. Where an input jumps between two points of it, the step is divided
there, unless the FMU takes steps of one length only. Continuous inputs follow their lines within a step where that can
be: the equations of Model Exchange are evaluated with the inputs of each time, and a co-simulation that can interpolate
inputs gets their slopes; there steps are divided where lines bend, too. For any other co-simulation inputs hold from
one point to the next. It gets exactly the calls that ``fmpy.simulate_fmu`` makes, so both return the same numbers to
the last bit, unless FMPy rounds the lengths of steps (`trivium.simulation.times`). A Model Exchange FMU is integrated
by the CVODE that FMPy ships, with other settings, so both agree within their tolerances while inputs are constant.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trivium.arguments import by_name
from trivium.door.arguments import known_engine
from trivium.door.model_path import ModelName, model_path, state_dir
from trivium.errors import InvalidValueError, ResourcesError
from trivium.experiment.grid import make_grid
from trivium.experiment.signals import read_signals
from trivium.experiment.stepping import arranged, divisible, make_model, ramps, record
from trivium.model.contract import StartValues
from trivium.model.fmu.description import FmuDescription, Interface, read_fmu
from trivium.model.fmu.fmu_model import Setup
from trivium.model.fmu.library import was_loaded
from trivium.model.fmu.qualification import qualify
from trivium.numbers import parse_number
from trivium.simulation.start import parse_start_values
from trivium.simulation.times import beside
from trivium.suggestions import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

#: Most steps; beyond it no memory holds the outputs.
_MOST_STEPS = 10**8
#: Steps of the grid that an FMU proposes before it is made coarser.
_PROPOSED = 1000


def simulate(
    fmu: ModelName,
    *,
    start_time: float | None = None,
    stop_time: float | None = None,
    step: float | None = None,
    start_values: Mapping[str, Any] | None = None,
    inputs: pd.DataFrame | Mapping[str, Any] | str | Path | None = None,
    outputs: Sequence[str] | None = None,
    interface: Interface | None = None,
    engine: str = "fmpy",
    tolerance: float | None = None,
) -> pd.DataFrame:
    """Simulate an FMU from start to stop.

    Parameters
    ----------
    fmu : str or path
        An FMU of FMI 1.0, 2.0 or 3.0. The folder of a test case is refused: `trivium.open` steps it.
    start_time, stop_time : float, optional
        Times [s]; default: those that the FMU proposes, else from 0 on and for 1 s.
    step : float, optional
        Time between two rows of the result, at which a co-simulation FMU is called [s]; default: what the FMU proposes,
        made coarser where that is more than 1000 steps, else a round number that makes 500 to 1000 steps.
    start_values : Mapping[str, float or int or bool or str or sequence], optional
        Parameters and other start values, by name; of an array all elements, or one by ``name[i]``.
    inputs : DataFrame or Mapping or path, optional
        A table, indexed by time [s] or with a column ``time``, or the CSV file of one; or numbers by name, which are
        held. Continuous inputs follow straight lines between rows, others hold the value of the last row. A time that
        appears twice is a jump. Further columns of a file are ignored with a warning.
    outputs : sequence of str, optional
        Variables to record; default: all numeric outputs of the FMU.
    interface : {"cs", "me"}, optional
        Co-simulation or Model Exchange; default: co-simulation where the FMU offers it.
    engine : str
        What runs the FMU: ``fmpy``, ``pyfmi`` or one that another package brings.
    tolerance : float, optional
        Relative tolerance [1]; default: what the FMU recommends, else 1e-5 for Model Exchange.

    Returns
    -------
    DataFrame
        A column a variable, indexed by ``time`` [s]. Where the FMU ends the simulation itself, the rows until then,
        with a warning.

    Raises
    ------
    InvalidValueError
        Naming the parameter that is not acceptable, or the variable that the FMU does not have.
    ResourcesError
        When the FMU cannot be used.
    ModelError
        When it fails.

    Examples
    --------
    >>> import trivium
    >>> frame = trivium.simulate("FuelCycle.fmu", stop_time=10, step=5, outputs=["sds.inventory"])
    >>> frame
          sds.inventory
    time
    0.0     3000.000000
    5.0     2257.941522
    10.0    2112.741503
    """
    import pandas as pd

    cache = state_dir() / "fmu"
    description = read_fmu(_fmu_alone(fmu), cache, _interface(interface))
    start, stop, length = _times(description, start_time, stop_time, step)
    signals = read_signals(inputs, _drivable(description), description.path.name)
    driven = {variable.variable.name for variable in signals.variables}
    description = arranged(description, signals.variables, _recorded(description, outputs))
    values = _start_values(description, start_values, driven)
    follows = ramps(description) and signals.changes
    events = signals.bends if follows else signals.events
    grid = make_grid(start, stop, length, events, divisible=divisible(description))
    relative = None if tolerance is None else _positive(tolerance, "tolerance")
    rows = np.empty((sum(grid.recorded), len(description.outputs)))
    slopes = signals.slopes(grid.times) if follows else None
    # the first run in a process is right in any case
    isolate = was_loaded(description) and qualify(Setup(description.path, engine, description.interface), cache).isolate
    with contextlib.closing(make_model(description, known_engine(engine), relative, stop, isolate=isolate)) as model:
        count, ended = record(model, grid, signals.at(grid.times[:-1]), values, rows, slopes)
    if ended:
        warnings.warn(f"The result {ended}.", stacklevel=2)
    rows = rows[:count]
    times = [time for time, recorded in zip(grid.times, grid.recorded, strict=True) if recorded][: len(rows)]
    columns: dict[str, Any] = {
        variable.variable.name: column.astype(_DTYPES[variable.variable.kind])
        for variable, column in zip(description.outputs, rows.T, strict=True)
    }
    return pd.DataFrame(columns, index=pd.Index(times, name="time"))


_DTYPES = {"real": np.float64, "integer": np.int64, "boolean": np.bool_}
_INTERFACES = {"cs": "co-simulation", "me": "Model Exchange"}


def _fmu_alone(fmu: ModelName) -> Path:
    path = model_path(fmu)
    if path.is_dir():
        raise ResourcesError(
            f"{path} is the folder of a test case, with boundary data and more besides its FMU; "
            f"trivium.open({str(fmu)!r}) opens it to be stepped. simulate takes an FMU."
        )
    return path


def _interface(interface: Any) -> Interface | None:
    if interface not in (None, *_INTERFACES):
        raise InvalidValueError(
            f'interface must be "cs" (co-simulation) or "me" (Model Exchange), not {interface!r}.', "interface"
        )
    return interface  # type: ignore[no-any-return]


def _positive(value: Any, field: str) -> float:
    number = parse_number(value, field)
    if number <= 0:
        raise InvalidValueError(f"{field} must be positive, not {number:g}.", field)
    return number


def _times(description: FmuDescription, start: Any, stop: Any, step: Any) -> tuple[float, float, float]:
    """Return start, stop and step [s], those that the FMU proposes where none are chosen."""
    proposed = description.experiment
    first = parse_number(start, "start_time") if start is not None else proposed.start or 0.0
    if stop is not None:
        last = parse_number(stop, "stop_time")
    else:
        last = first + 1.0 if proposed.stop is None else proposed.stop
    if not last > first:
        raise InvalidValueError(f"stop_time {last:g} s must be after start_time {first:g} s.", "stop_time")
    length = _positive(step, "step") if step is not None else proposed_step(description, last - first)
    if description.unit_step is not None and beside(length, description.unit_step):
        raise InvalidValueError(
            f"step {length:g} s must be a multiple of {description.unit_step:g} s: this FMU takes no other.", "step"
        )
    if (last - first) / length > _MOST_STEPS:
        raise InvalidValueError(f"step {length:g} s makes more than {_MOST_STEPS} steps of {last - first:g} s.", "step")
    return first, last, length


def proposed_step(description: FmuDescription, duration: float) -> float:
    """Return the step that is taken where none is chosen [s]: what the FMU proposes, or one that makes a fine grid."""
    from fmpy.util import auto_interval

    step = description.fixed_step or description.experiment.step
    if not step or not 0 < step < math.inf:
        return float(auto_interval(duration))
    while duration / step > _PROPOSED:
        step *= 2
    return step


def _drivable(description: FmuDescription) -> dict[str, Any]:
    tunable = (v for v in description.numbers if v.variability == "tunable")
    return {v.variable.name: v for v in (*description.inputs, *tunable)}


def _recorded(description: FmuDescription, names: Sequence[str] | None) -> Sequence[Any]:
    if names is None:
        return description.outputs
    if isinstance(names, str):
        raise InvalidValueError(f"outputs must be a list of names: [{names!r}].", "outputs")
    numbers = {v.variable.name: v for v in description.numbers}
    for name in names:
        if name not in numbers:
            text = any(v.variable.name == name for v in description.texts)
            reason = (
                "is a text, and only numbers are recorded." if text else f"is no variable of {description.path.name}."
            )
            raise InvalidValueError(f"outputs: {name} {reason}{did_you_mean(name, numbers)}", "outputs")
    return [numbers[name] for name in dict.fromkeys(names)]


def _start_values(description: FmuDescription, start_values: Mapping[str, Any] | None, driven: set[str]) -> StartValues:
    """Return start values by scalar, checked."""
    variables = {v.variable.name: v.variable for v in description.parameters}
    values: dict[str, Any] = {}
    for name, value in by_name(start_values, "start_values", '{"g": 9.8}').items():
        elements = [scalar for scalar in variables if scalar.startswith(f"{name}[")] if name not in variables else []
        if name in driven:
            raise InvalidValueError(f"start_values: {name} follows inputs; its first value belongs there.", name)
        if name not in variables and not elements:
            raise InvalidValueError(
                f"start_values: {name} cannot be set in {description.path.name}.{did_you_mean(name, variables)} "
                f"trivium.info shows its variables.",
                name,
            )
        if elements:
            values |= dict(zip(elements, _elements(name, value, len(elements)), strict=True))
        else:
            values[name] = value.item() if isinstance(value, np.generic) else value
    return parse_start_values(values, variables)


def _elements(name: str, value: Any, count: int) -> list[Any]:
    listed = np.asarray(value, dtype=object if isinstance(value, list | tuple) else None).ravel().tolist()
    if len(listed) not in (1, count):
        raise InvalidValueError(f"start_values: {name} has {count} elements, not {len(listed)}.", name)
    return listed * count if len(listed) == 1 else listed
