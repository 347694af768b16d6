"""Where the inputs of a model come from: clients (checked or clamped), the boundary data, the law of its plant."""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivium.arguments import unknown_name
from trivium.errors import InvalidValueError, ResourcesError, UnknownNameError
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable, parse_input, read_number
from trivium.numbers import shown
from trivium.protocol import Clamped
from trivium.simulation.boundary import Disturbances
from trivium.simulation.plant import Law
from trivium.simulation.times import Grid

#: Ending of inputs that switch an overwrite on, the partner of an input that ends in ``_u``.
ACTIVATE = "_activate"
#: How many rows are in memory at a time.
BLOCK = 4096
#: Largest number that is finite.
_MOST = sys.float_info.max


class Inputs:
    """The inputs of a model.

    Parameters
    ----------
    variables : sequence of Variable
        In the order of the model's arrays.
    disturbances : sequence of str
        Those that follow the boundary data.
    law : Law or None
        Computes some inputs; None leaves all others to the clients.
    grid : Grid
        Divides control steps further.

    Raises
    ------
    ResourcesError
        When the model lacks one of them.
    """

    def __init__(self, variables: Sequence[Variable], disturbances: Sequence[str], law: Law | None, grid: Grid) -> None:
        names = [variable.name for variable in variables]
        computed = () if law is None else tuple(law.inputs)
        filled = (*disturbances, *computed)
        missing = [name for name in filled if name not in names]
        if missing:
            raise ResourcesError(f"the FMU has no input {missing[0]}")
        self.law, self.grid = law, grid
        self._count = len(names)
        #: Positions of those that follow the boundary data.
        self.disturbed = np.array([names.index(name) for name in disturbances], dtype=np.intp)
        #: Positions of the control inputs, those that clients give.
        self.controlled = np.array([i for i, name in enumerate(names) if name not in filled], dtype=np.intp)
        #: Positions of those that the law computes, and their start values.
        self.computed = np.array([names.index(name) for name in computed], dtype=np.intp)
        self.start = np.array([variables[i].start or 0.0 for i in self.computed])

    def at(self, time: float, controls: FloatArray, data: Disturbances) -> FloatArray:
        """Return the inputs at a time [s], before any step, shape (n_inputs,).

        Raises
        ------
        InvalidValueError
            When the boundary data does not cover the time.
        """
        inputs = np.empty(self._count)
        inputs[self.controlled] = controls
        inputs[self.disturbed] = data.at([time], min(time + data.interval, max(time, data.end)))[0]
        inputs[self.computed] = self.start
        return inputs

    def rows(
        self, times: Sequence[float], controls: FloatArray, data: Disturbances, width: int
    ) -> tuple[FloatArray, NDArray[np.intp] | slice]:
        """Return rows of the history with times and inputs of each sub-step in them; refuse what cannot be.

        The inputs that the law computes and the outputs stay open.

        Parameters
        ----------
        times : sequence of float, length n_steps + 1
            The clock now and at the end of each control step [s].
        controls : FloatArray, shape (n_steps, n_controls)
        data : Disturbances
        width : int
            Columns of the history.

        Returns
        -------
        rows : FloatArray, shape (n_sub_steps, width)
        ends : NDArray of int or slice
            Picks the rows at which control steps end.

        Raises
        ------
        InvalidValueError
            When the boundary data does not cover the time, or the law has no answer.
        """
        edges = [times[0], *self.grid.split(times, data.split(times))]
        return self._filled(edges, times, controls, data, width)

    def blocks(
        self, times: Sequence[float], controls: FloatArray, data: Disturbances, width: int
    ) -> Iterable[tuple[FloatArray, NDArray[np.intp] | slice]]:
        """Return what `rows` returns a block at a time, so that memory stays flat however many sub-steps there are.

        Parameters, values and errors as there; all is checked before the first block is returned.
        """
        edges = [times[0], *self.grid.split(times, data.split(times))]
        if len(edges) <= BLOCK + 1:
            return [self._filled(edges, times, controls, data, width)]
        parts = [edges[first : first + BLOCK + 1] for first in range(0, len(edges) - 1, BLOCK)]
        data.at(times[:1], times[-1])
        if self.law is not None:
            for part in parts:
                self._filled(part, times, controls, data, width)
        return (self._filled(part, times, controls, data, width) for part in parts)

    def _filled(
        self, edges: Sequence[float], times: Sequence[float], controls: FloatArray, data: Disturbances, width: int
    ) -> tuple[FloatArray, NDArray[np.intp] | slice]:
        """Return rows of the sub-steps between some times; see `rows`."""
        ends = edges[1:]
        rows = np.empty((len(ends), width))
        rows[:, 0] = ends
        inputs = rows[:, 1 : 1 + self._count]
        picked: NDArray[np.intp] | slice = slice(None)
        if len(ends) != len(controls) or (edges[0], ends[-1]) != (times[0], times[-1]):
            low, high = np.searchsorted(times, (edges[0], ends[-1]), side="right")
            picked = np.searchsorted(ends, times[low:high])
            controls = controls[np.searchsorted(times, ends) - 1]
        inputs[:, self.controlled] = controls
        inputs[:, self.disturbed] = data.at(edges[:-1], ends[-1])
        if self.law is not None:
            for row in inputs:
                self.law.check(row)
        return rows, picked

    def slopes(self, time: float, data: Disturbances) -> FloatArray:
        """Return how fast the inputs change from a time [s] until the next row, shape (n_inputs,)."""
        slopes = np.zeros(self._count)
        slopes[self.disturbed] = data.slopes(time)
        return slopes

    def drive(self, inputs: FloatArray, time: float, data: Disturbances) -> None:
        """Set those of the inputs that follow the boundary data to what that is at a time [s]."""
        inputs[self.disturbed] = data.at([time], time)[0]


class Actions:
    """The control inputs of a model.

    Parameters
    ----------
    controls : sequence of Variable
    owner : str
        Name of the model, for messages.
    """

    def __init__(self, controls: Sequence[Variable], owner: str = "the model") -> None:
        self._owner = owner
        self.variables = tuple(controls)
        self.position = {variable.name: i for i, variable in enumerate(controls)}
        self._least = np.array([-math.inf if v.minimum is None else v.minimum for v in controls])
        self._most = np.array([math.inf if v.maximum is None else v.maximum for v in controls])
        # what a plain number may be without a closer look; nothing where it must be a whole one
        self._plain = [
            (max(low, -_MOST), min(high, _MOST)) if v.kind == "real" else (math.inf, -math.inf)
            for v, low, high in zip(controls, self._least.tolist(), self._most.tolist(), strict=True)
        ]
        self._real = np.array([v.kind == "real" for v in controls], dtype=bool)

    def parse(self, u: Mapping[str, Any], before: FloatArray) -> FloatArray:
        """Return all control inputs: those of a request, the others as they were.

        Parameters
        ----------
        u : Mapping[str, float or int or str or None]
            None keeps the value.
        before : FloatArray, shape (n_controls,)

        Raises
        ------
        InvalidValueError
            When a name is unknown, or a value is no number or out of bounds.
        """
        controls = before.copy()
        for name, value in u.items():
            at = self.position.get(name, -1)
            if at < 0:
                raise self._unknown(name)
            low, high = self._plain[at]
            if type(value) is float and low <= value <= high:
                controls[at] = value
            elif value is not None:
                controls[at] = parse_input(value, self.variables[at])
        return controls

    def clamp(self, u: Mapping[str, Any], before: FloatArray, *, cut: bool = False) -> tuple[FloatArray, list[Clamped]]:
        """Return all control inputs, brought within their bounds, and those that were out; parameters as in `parse`.

        Parameters
        ----------
        u, before
            As in `parse`.
        cut : bool
            Take what is between two positions, a switch as on and a count without its fraction, as PyFMI does for the
            reference. Errors have the words of `parse` then, otherwise BOPTEST's.

        Raises
        ------
        InvalidValueError
            When a name is unknown, or a value is no finite number or no switch's position.
        """
        noun = "parameter" if cut else "input"
        controls, clamped = before.copy(), list[Clamped]()
        for name, value in u.items():
            at = self.position.get(name, -1)
            if at < 0:
                raise self._unknown(name)
            if value is None:
                continue
            variable = self.variables[at]
            switch = name.endswith(ACTIVATE)
            number = bound = _switch(value, name) if switch else read_number(value, variable, noun)
            if variable.maximum is not None and number > variable.maximum:
                bound = variable.maximum
            elif variable.minimum is not None and number < variable.minimum:
                bound = variable.minimum
            elif cut and variable.kind != "real":
                bound = float(number != 0.0) if variable.kind == "boolean" else float(math.trunc(number))
            if bound != number:
                between = variable.lower <= number <= variable.upper
                clamped.append(Clamped(name, number, bound, between))
            controls[at] = parse_input(bound, variable)  # what is left to refuse: a switch half way
        return controls, clamped

    def trajectory(self, trajectory: Any, before: FloatArray) -> FloatArray:
        """Return the control inputs of several control steps.

        Parameters
        ----------
        trajectory : sequence of mappings, or mapping of sequences
            One action a step, or for each input a value a step. What is left out or None keeps its last value.
        before : FloatArray, shape (n_controls,)

        Returns
        -------
        FloatArray, shape (n_steps, n_controls)

        Raises
        ------
        InvalidValueError
            Naming the step (from 1 on) and the input that are wrong.
        """
        controls = self._all_good(trajectory, before)
        if controls is not None:
            return controls
        steps = list(_steps(trajectory))
        if not steps:
            raise InvalidValueError(
                "Invalid value for parameter trajectory. It must hold at least one step.", "trajectory"
            )
        controls = np.empty((len(steps), len(before)))
        for k, u in enumerate(steps):
            try:
                before = controls[k] = self.parse(u, before)
            except InvalidValueError as error:
                place = f"Step {k + 1} of the trajectory: "
                error.args = (f"{place}{error}",)
                if isinstance(error, UnknownNameError):
                    error.place = place
                raise
        return controls

    def _all_good(self, trajectory: Any, before: FloatArray) -> FloatArray | None:
        """Return the control inputs where all steps give good numbers to the same inputs; None where not.

        A short way for the common case; what is wrong, and where, is found out by the long one.
        """
        if isinstance(trajectory, Mapping):
            names, lists = list(trajectory), list(trajectory.values())
        elif isinstance(trajectory, list) and trajectory and isinstance(trajectory[0], Mapping):
            names = list(trajectory[0])
            if not all(isinstance(u, Mapping) and list(u) == names for u in trajectory):
                return None
            lists = [list(u.values()) for u in trajectory]
        else:
            return None
        if not names or any(type(column) is not list for column in lists) or any(n not in self.position for n in names):
            return None
        width = len(lists[0])
        if not width or any(len(column) != width for column in lists):
            return None
        if not {*map(type, chain.from_iterable(lists))} <= {float, int}:
            return None
        try:
            table = np.fromiter(chain.from_iterable(lists), np.float64, len(lists) * width).reshape(len(lists), width)
        except OverflowError:
            return None
        values = table.T if isinstance(trajectory, Mapping) else table
        at = np.array([self.position[name] for name in names], dtype=np.intp)
        low, high = values.min(axis=0), values.max(axis=0)  # NaN and infinity show here too
        if not (np.isfinite(low) & np.isfinite(high) & (low >= self._least[at]) & (high <= self._most[at])).all():
            return None
        integers = values[:, ~self._real[at]]
        if not np.array_equal(integers, np.floor(integers)):
            return None
        controls = np.repeat(before[np.newaxis], len(values), axis=0)
        controls[:, at] = values
        return controls

    def _unknown(self, name: str) -> UnknownNameError:
        return unknown_name(self._owner, "input", name, self.position, name, "inputs")


def overwrites(inputs: Collection[str], outputs: Collection[str]) -> dict[str, str]:
    """Return the output that is what acts, for each input of an overwrite block as BOPTEST's FMUs have them.

    Such a block ``x`` has the inputs ``x_u`` and ``x_activate`` and the output ``x_y``: the input while it is switched
    on, else the signal of the model itself.
    """
    blocks = [name.removesuffix(ACTIVATE) for name in inputs if name.endswith(ACTIVATE)]
    return {f"{x}_u": f"{x}_y" for x in blocks if f"{x}_u" in inputs and f"{x}_y" in outputs}


def _steps(trajectory: Any) -> Iterator[Mapping[str, Any]]:
    """Give the action of each step, whichever way a trajectory was written."""
    reason = "Invalid value for parameter trajectory. It must be a list of actions, or an object of lists of one length"
    if isinstance(trajectory, Mapping):
        columns = list(trajectory.values())
        if (
            not all(isinstance(c, Sequence) and not isinstance(c, str) for c in columns)
            or len({*map(len, columns)}) > 1
        ):
            raise InvalidValueError(f"{reason}.", "trajectory")
        yield from (dict(zip(trajectory, row, strict=True)) for row in zip(*columns, strict=True))
    elif isinstance(trajectory, Sequence) and not isinstance(trajectory, str):
        for k, u in enumerate(trajectory):
            if not isinstance(u, Mapping):
                raise InvalidValueError(f"{reason}; step {k + 1} is {type(u)}.", "trajectory")
            yield u
    else:
        raise InvalidValueError(f"{reason}, but is {type(trajectory)}.", "trajectory")


def _switch(value: Any, name: str) -> float:
    """Return the position of a switch that a client sent as a number, a boolean or a word."""
    positions = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}
    number = positions.get(str(value).strip().lower())
    if number is None:
        raise InvalidValueError(
            f"Invalid value {shown(value)} and/or type {type(value)} for input {name}. Input must be a boolean, float, "
            f"integer, string, or unicode able to be converted to a 1 or 0 (or 'T[t]rue' or 'F[f]alse').",
            name,
        )
    return number
