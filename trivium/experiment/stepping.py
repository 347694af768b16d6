"""The plain loop over any model of an FMU: from start to stop over a grid of times.

Inputs change along lines within a step where the FMU or its solver can, and hold otherwise.

FMI 1.0, 2.0 and 3.0, co-simulation and Model Exchange, numbers and texts: whatever can be stepped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from trivium.errors import EndedError, ModelError
from trivium.experiment.grid import Grid
from trivium.model.contract import FloatArray, StartValues
from trivium.model.fmu import isolated
from trivium.model.fmu.description import FmuDescription
from trivium.model.fmu.fmu_model import FmuModel, Solving
from trivium.model.fmu.scalars import FmuVariable


def arranged(
    description: FmuDescription, driven: Sequence[FmuVariable], recorded: Sequence[FmuVariable]
) -> FmuDescription:
    """Return the description of an FMU with what follows inputs and what is recorded; other inputs are start values.

    Parameters
    ----------
    description : FmuDescription
    driven : sequence of FmuVariable
        In the order of the columns of inputs.
    recorded : sequence of FmuVariable
        In the order of the columns of outputs.
    """
    names = {variable.variable.name for variable in driven}
    return replace(
        description,
        inputs=tuple(driven),
        outputs=tuple(recorded),
        n_strict=len(recorded),
        n_measured=len(recorded),
        parameters=(*description.parameters, *(v for v in description.inputs if v.variable.name not in names)),
        has_event_mode=False,  # the FMU handles its events itself, as with FMPy
    )


def make_model(
    description: FmuDescription, engine: str, tolerance: float | None, stop: float, *, isolate: bool = False
) -> FmuModel:
    """Make the model of an FMU that is simulated until a stop time [s], each time in a process of its own if isolated.

    Raises
    ------
    ResourcesError, ModelError
        When the engine is not installed, or the binary cannot be loaded.
    """
    return isolated.make_model(description, engine, Solving(tolerance, default=None, stop=stop), isolate=isolate)


def ramps(description: FmuDescription) -> bool:
    """Return whether inputs of an FMU can change within a step."""
    return description.interface == "me" or description.interpolates


def divisible(description: FmuDescription) -> bool:
    """Return whether an FMU takes steps of different lengths."""
    return description.interface == "me" or description.variable_step


def record(
    model: FmuModel,
    grid: Grid,
    inputs: FloatArray,
    start_values: StartValues,
    rows: FloatArray,
    slopes: FloatArray | None = None,
) -> tuple[int, str]:
    """Simulate a model over a grid.

    Parameters
    ----------
    model : FmuModel
        In any state but closed.
    grid : Grid
    inputs : FloatArray, shape (n_steps, n_inputs)
        At the beginning of each step.
    start_values : Mapping[str, float or str]
    rows : FloatArray, shape (n_recorded, n_outputs)
        Is filled with the outputs where they are recorded.
    slopes : FloatArray, shape (n_steps, n_inputs), optional
        How fast the inputs change over each step; without them, and where the model cannot take them, they hold.

    Returns
    -------
    tuple of int and str
        The number of rows, and why the model ended the simulation itself before the stop; empty where it did not.

    Raises
    ------
    ModelError
        When the model fails, with the time.
    """
    time, row = grid.times[0], 1
    try:
        model.initialize(time, inputs[0], start_values)
        rows[0] = model.read()
        rates: Sequence[FloatArray | None] = [None] * len(inputs) if slopes is None else list(slopes)
        steps = zip(inputs, rates, grid.lengths, grid.times[1:], grid.recorded[1:], strict=True)
        for values, rate, length, end, recorded in steps:
            outputs = model.step(length, values, end, rate)
            time = end
            if recorded:
                rows[row] = outputs
                row += 1
    except EndedError as error:
        return row, f"ends at {time:g} s: {error}"
    except ModelError as error:
        raise ModelError(f"At {time:g} s {error}") from error
    return row, ""
