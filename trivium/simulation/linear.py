"""How a simulation is linearized: by the derivatives of its model's equations, or by differences of simulated steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from trivium.arguments import listed, unknown_name
from trivium.errors import InvalidValueError
from trivium.model.contract import FloatArray, Model, StartValues
from trivium.model.linearization import Linearization, LinearKind, LinearMethod
from trivium.model.variable import Variable
from trivium.numbers import finite, whole
from trivium.simulation.boundary import Disturbances
from trivium.simulation.foresight import differentiate, foresee
from trivium.simulation.realization import realize
from trivium.simulation.state import Position
from trivium.simulation.stepper import Stepper
from trivium.table import Table

#: Most control steps that one linearization simulates.
MOST = 200_000
#: Control steps that responses to pulses are simulated for, by default and at least.
RESPONSES, FEWEST = 12, 3
#: Height of these pulses, as a share of the inputs' scales [1].
PERTURBATION = 0.01
#: Least scale of the response of an output, as a share of its value: what changes less is the solver's error.
_QUIET = 1e-4
_FIELDS = ("unit", "description")


class Selection(NamedTuple):
    """What is linearized: positions in the arrays of the model.

    Attributes
    ----------
    controls, disturbances, outputs : list of int
        Inputs that `advance` takes, inputs that it does not, outputs.
    """

    controls: list[int]
    disturbances: list[int]
    outputs: list[int]


class Linearizer:
    """Linearizes a simulation, and leaves it as it is.

    Parameters
    ----------
    stepper : Stepper
    measurements : sequence of str
        Outputs where none are chosen.
    owner : str
        Name of the test case, for messages.
    """

    def __init__(self, stepper: Stepper, measurements: Sequence[str], owner: str) -> None:
        self._stepper, self._measurements, self._owner = stepper, measurements, owner

    @property
    def _model(self) -> Model:
        return self._stepper.model

    def kind(self, kind: Any) -> LinearKind | None:
        """Return a kind; None for what the model allows.

        Raises
        ------
        InvalidValueError
            Naming what there is.
        """
        if kind not in (None, "continuous", "discrete"):
            raise InvalidValueError(
                f"Invalid value {kind!r:.100} for parameter kind. Value must be continuous or discrete.", "kind"
            )
        if kind == "continuous" and not self._model.can_differentiate:
            raise InvalidValueError(
                f"Invalid value continuous for parameter kind. {self._owner} gives neither directional derivatives nor "
                f"equations of Model Exchange; it can be discrete.",
                "kind",
            )
        return kind  # type: ignore[no-any-return]

    def selection(self, input_names: Any, point_names: Any) -> Selection:
        """Return what is linearized, by default all real inputs and the real measurements.

        Raises
        ------
        InvalidValueError
            Naming what does not exist, or is no real number.
        """
        inputs, outputs = self._model.inputs, self._model.outputs
        chosen = self._positions(input_names, "input_names", "input", inputs, [v.name for v in inputs])
        controlled = {int(i) for i in self._stepper.inputs.controlled}
        return Selection(
            [i for i in chosen if i in controlled],
            [i for i in chosen if i not in controlled],
            self._positions(point_names, "point_names", "output", outputs, self._measurements),
        )

    def _positions(
        self, names: Any, field: str, noun: str, variables: Sequence[Variable], default: Sequence[str]
    ) -> list[int]:
        place = {variable.name: i for i, variable in enumerate(variables)}
        if names is None:
            return [place[name] for name in default if variables[place[name]].kind == "real"]
        texts = {v.name for v in self._model.parameters if v.kind == "text"}
        for name in listed(names, field):
            variable = variables[place[name]] if name in place else None
            if variable is None and name not in texts:
                absent = unknown_name(self._owner, noun, name, place, field)
                raise InvalidValueError(f"Invalid name {name} in parameter {field}. {absent}", field)
            if variable is None or variable.kind != "real":
                kind = "text" if variable is None else {"boolean": "a switch", "integer": "a count"}[variable.kind]
                raise InvalidValueError(
                    f"Invalid name {name} in parameter {field}. It is {kind}, and has no derivative; choose variables "
                    f"that are real numbers.",
                    field,
                )
        return [place[name] for name in dict.fromkeys(names)]

    def continuous(
        self, position: Position, controls: FloatArray, changes: StartValues, selection: Selection
    ) -> Linearization:
        """Return the Jacobians of the model's equations.

        Parameters
        ----------
        position : Position
            Where the simulation stands.
        controls : FloatArray, shape (n_controls,)
        changes : Mapping[str, float or str]
            Of tunable parameters and texts.
        selection : Selection

        Raises
        ------
        TriviumError
            When the model refuses.
        """
        columns = [*selection.controls, *selection.disturbances]
        jacobian, inputs = differentiate(self._stepper, position, controls, changes, selection.outputs, columns)
        n, m = len(jacobian.states), len(selection.controls)
        blocks = [np.split(rows, (n, n + m), axis=1) for rows in np.split(jacobian.matrix, (n,))]
        arrays = {
            **dict(zip("ABECDF", (*blocks[0], *blocks[1]), strict=True)),
            **self._now(selection, inputs),
            "x": jacobian.states,
            "dx": jacobian.rates,
            "y": jacobian.outputs,
            "free": np.empty((0, len(selection.outputs))),
        }
        method: LinearMethod = "directional" if jacobian.directional else "differences"
        groups = self._groups(selection, self._model.states)
        return Linearization("continuous", method, position.time, None, groups, arrays)

    def discrete(
        self,
        position: Position,
        controls: FloatArray,
        changes: StartValues,
        times: Sequence[float],
        selection: Selection,
        share: float,
    ) -> Linearization:
        """Return a system in control steps that responds to pulses of each input as simulated steps do.

        Parameters
        ----------
        position, controls, changes, selection
            As in `continuous`.
        times : sequence of float, length k + 1
            The clock now and at the end of each step [s].
        share : float
            Height of the pulses to either side, as a share of the inputs' scales [1].

        Raises
        ------
        InvalidValueError
            When too much would have to be simulated.
        TriviumError
            When a step fails.
        """
        computed = {int(i) for i in self._stepper.inputs.computed}
        selection = selection._replace(disturbances=[i for i in selection.disturbances if i not in computed])
        columns = [*selection.controls, *selection.disturbances]
        count = len(times) - 1
        if (total := count * (2 * len(columns) + 1)) > MOST:
            raise InvalidValueError(
                f"Invalid value {count} for parameter steps. With {len(columns)} inputs {total} control steps would be "
                f"simulated, at most {MOST}: choose fewer steps or inputs.",
                "steps",
            )
        inputs = self._stepper.inputs_at(position.time, controls)
        pairs = [self._model.inputs[i].around(float(inputs[i]), share) for i in columns]
        courses = self._courses(controls, inputs, times, selection, [end for pair in pairs for end in pair])
        ends = foresee(self._stepper, position, courses, times, changes)
        points = ends[:, :, 1 + len(self._model.inputs) :][:, :, selection.outputs]
        free, pulses = points[0], points[1:].reshape(len(columns), 2, count, len(selection.outputs))
        widths = np.array([high - low for low, high in pairs])
        rises = np.where(widths > 0.0, widths, 1.0)
        responses = np.moveaxis((pulses[:, 1] - pulses[:, 0]) / rises[:, np.newaxis, np.newaxis], 0, -1)
        scales = np.array([self._model.inputs[i].scale(float(inputs[i])) for i in columns])
        system = realize(responses, scales, _scales(responses * scales, free))
        states = [Variable(f"x{i + 1}", description="Identified") for i in range(len(system.a))]
        m = len(selection.controls)
        (b, e), (d, f) = (np.split(matrix, (m,), axis=1) for matrix in (system.b, system.d))
        arrays = {
            "A": system.a,
            "B": b,
            "C": system.c,
            "D": d,
            "E": e,
            "F": f,
            **self._now(selection, inputs),
            **dict.fromkeys(("x", "dx"), np.zeros(len(states))),
            "y": free[0],
            "free": free,
        }
        step = times[1] - times[0]
        groups = self._groups(selection, states)
        return Linearization("discrete", "steps", position.time, step, groups, arrays, system.misfit)

    def _courses(
        self,
        controls: FloatArray,
        inputs: FloatArray,
        times: Sequence[float],
        selection: Selection,
        values: Sequence[float],
    ) -> Iterator[tuple[FloatArray, Disturbances]]:
        """Yield control inputs, shape (k, n_controls), and boundary data: unchanged, then with a pulse for each value.

        The first two values are pulses of the first input, and so on.
        """
        data, sources = self._stepper.disturbances, self._stepper.inputs
        held = np.repeat(controls[np.newaxis], len(times) - 1, axis=0)
        yield held, data
        pulses = iter(values)
        for i in np.repeat(selection.controls, 2):
            pulsed = held.copy()
            pulsed[0, np.flatnonzero(sources.controlled == i)] = next(pulses)
            yield pulsed, data
        for i in np.repeat(selection.disturbances, 2):
            column = int(np.flatnonzero(sources.disturbed == i)[0])
            yield held, pulsed_data(data, column, next(pulses) - float(inputs[i]), times)

    def _now(self, selection: Selection, inputs: FloatArray) -> dict[str, FloatArray]:
        return {"u": inputs[selection.controls], "d": inputs[selection.disturbances]}

    def _groups(self, selection: Selection, states: Sequence[Variable]) -> dict[str, Table[Variable]]:
        inputs, outputs = self._model.inputs, self._model.outputs
        groups = {
            "states": states,
            "inputs": [inputs[i] for i in selection.controls],
            "disturbances": [inputs[i] for i in selection.disturbances],
            "outputs": [outputs[i] for i in selection.outputs],
        }
        return {name: Table({v.name: v for v in group}, _FIELDS) for name, group in groups.items()}


def response_steps(steps: Any, left: float) -> int:
    """Return for how many control steps responses are simulated, where so many are left until the end.

    Raises
    ------
    InvalidValueError
        When they are no whole number, or too few for a system.
    """
    count = int(max(min(RESPONSES, left), FEWEST)) if steps is None else whole(steps, "steps")
    if count < FEWEST:
        raise InvalidValueError(f"Invalid value {count} for parameter steps. Value must be at least {FEWEST}.", "steps")
    return count


def share_of_scale(value: Any) -> float:
    """Return a height of pulses as a share of inputs' scales [1].

    Raises
    ------
    InvalidValueError
        When it is not above 0 and at most 1.
    """
    share = finite(value, "perturbation")
    if not 0.0 < share <= 1.0:
        raise InvalidValueError(
            f"Invalid value {share} for parameter perturbation. Value must be greater than 0 and at most 1.",
            "perturbation",
        )
    return share


def pulsed_data(data: Disturbances, column: int, height: float, times: Sequence[float]) -> Disturbances:
    """Return boundary data with a column raised over the first of some steps.

    Parameters
    ----------
    data : Disturbances
    column : int
    height : float
        By how much [unit of the column].
    times : sequence of float
        Start of the first step and end of each [s].
    """
    start, end, until = times[0], times[1], times[-1]
    first, middle = np.searchsorted(data.times, start, side="right"), np.searchsorted(data.times, end)
    beyond = np.searchsorted(data.times, until) + 1
    raised = [data.at([start], start)[0], *data.values[first:middle]]
    clocks = [start, *data.times[first:middle]]
    after = data.at([end], end)[0]
    if data.linear:  # the line goes on up to the end of the step, and jumps there
        there = middle < len(data.times) and data.times[middle] == end
        raised.append(data.values[middle] if there else after)
        clocks.append(end)
    values = np.array([*raised, after, *data.values[middle:beyond]])
    values[: len(raised), column] += height
    return replace(data, time0=start, values=values, irregular=np.array([*clocks, end, *data.times[middle:beyond]]))


def _scales(responses: FloatArray, free: FloatArray) -> FloatArray:
    """Return how large a change of each output is large, shape (p,)."""
    responding = np.abs(responses).max(axis=(0, 2), initial=0.0)
    quiet = _QUIET * np.abs(free).max(axis=0, initial=0.0)
    scales = np.maximum(responding, quiet)
    return np.where(scales > 0.0, scales, 1.0)
