"""The points of a simulation: all that its results may hold.

Recorded points have a value in every row of the history: inputs, outputs, other variables that were selected. Steady
ones (parameters, constants) have none there: they have one value from the start on, but for changes that clients made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trivium.arguments import listed, unknown_name
from trivium.errors import InvalidValueError
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable
from trivium.simulation.stepper import Stepper


class Points:
    """The points of a simulation.

    Parameters
    ----------
    stepper : Stepper
    controls : sequence of str
        Names of the control inputs.
    acting : Mapping[str, str]
        Outputs that stand for control inputs: what really acts.
    owner : str
        Name of the test case, for messages.
    """

    def __init__(self, stepper: Stepper, controls: Sequence[str], acting: Mapping[str, str], owner: str) -> None:
        self._stepper, self._acting, self._owner = stepper, acting, owner
        model = stepper.model
        #: Names of measurements and control inputs.
        self.observed = (*(v.name for v in model.measurements), *controls)
        hidden = {*acting.values()}
        #: Those of them that are returned by default.
        self.default = tuple(name for name in self.observed if name not in hidden)
        self._columns = {name: place for place, name in enumerate(stepper.history.columns)}
        self._steady = {v.name: v for v in model.steady}

    @property
    def variables(self) -> dict[str, Variable]:
        """All points by name."""
        model = self._stepper.model
        return {v.name: v for v in (*model.outputs, *model.inputs, *model.steady)}

    def checked(self, point_names: Any) -> Sequence[str]:
        """Return names of points that exist; by default measurements and control inputs.

        Raises
        ------
        InvalidValueError
            Naming what does not exist, or is not recorded, and how it would be.
        """
        if point_names is None:
            return self.default
        names = listed(point_names, "point_names")
        for name in names:
            if name not in self._columns and name not in self._steady:
                raise self._absent(name)
        return names

    def window(self, names: Sequence[str], start: float, final: float) -> dict[str, FloatArray]:
        """Return points over a window of time; see `History.window`."""
        recorded = [name for name in names if name in self._columns]
        columns = self._stepper.history.window([self._acting.get(name, name) for name in recorded], start, final)
        named = {name: columns[self._acting.get(name, name)] for name in recorded}
        return self._completed(names, {**named, "time": columns["time"]})

    def ends(self, names: Sequence[str], rows: FloatArray) -> dict[str, FloatArray]:
        """Return points of rows of the history, ``time`` first."""
        place = self._columns
        recorded = dict.fromkeys(("time", *(name for name in names if name in place)))
        columns = {name: np.ascontiguousarray(rows[:, place[self._acting.get(name, name)]]) for name in recorded}
        return {"time": columns["time"], **self._completed(names, columns)}

    def _completed(self, names: Sequence[str], columns: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        """Return columns of all names, ``time`` last."""
        steady = [name for name in dict.fromkeys(names) if name not in columns]
        filled = {**columns, **self._constant(steady, columns["time"])} if steady else columns
        return {name: filled[name] for name in (*dict.fromkeys(name for name in names if name != "time"), "time")}

    def _constant(self, names: Sequence[str], times: FloatArray) -> dict[str, FloatArray]:
        """Return steady points over times [s]."""
        beginning = self._stepper.beginning
        changed = {name for change in beginning.changes for name in change.values}
        unchanged = [name for name in names if name not in changed]
        values = dict(zip(unchanged, self._stepper.look(unchanged), strict=True)) if unchanged else {}
        columns = {}
        for name in names:
            value = beginning.start_values.get(name, self._steady[name].start) if name in changed else values[name]
            columns[name] = np.full(times.shape, np.nan if value is None else value, dtype=np.float64)
            for change in beginning.changes:
                if name in change.values:
                    columns[name][times > change.time] = change.values[name]
        return columns

    def _absent(self, name: str) -> InvalidValueError:
        """Return the refusal of a name that is no point."""
        model = self._stepper.model
        if name in {v.name for v in model.unrecorded}:
            return InvalidValueError(
                f"Invalid point name {name} in parameter point_names. This variable is not recorded: in testcase.toml, "
                f"beside the FMU, variables of [results] must be a regular expression that matches it, as "
                f'"{re.escape(name)}".',
                "point_names",
            )
        if any(v.name == name and v.kind == "text" for v in model.parameters):
            return InvalidValueError(
                f"Invalid point name {name} in parameter point_names. It is text, and results hold numbers.",
                "point_names",
            )
        return unknown_name(self._owner, "result", name, self.variables, "point_names", "variables")
