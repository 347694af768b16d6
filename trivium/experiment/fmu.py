"""An FMU alone over a horizon: by the native loop where that runs it, else by the plain loop over any model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from trivium.errors import EndedError, InvalidValueError
from trivium.experiment.conditions import Conditions, hash_file
from trivium.experiment.inputs import check_inputs, read_inputs
from trivium.experiment.simulation import Simulation
from trivium.experiment.stepping import arranged, make_model, record
from trivium.extras import require
from trivium.model.contract import FloatArray, StartValues
from trivium.model.fmu import native
from trivium.model.fmu.description import FmuDescription, read_fmu
from trivium.model.fmu.fmu_model import Setup
from trivium.model.fmu.qualification import qualify
from trivium.model.fmu.scalars import FmuVariable
from trivium.model.variable import parse_input
from trivium.simulation.times import beside


class FmuSimulation(Simulation):
    """An FMU under conditions.

    Parameters
    ----------
    conditions : Conditions

    Raises
    ------
    ResourcesError
        When the FMU cannot be used here.
    """

    def __init__(self, conditions: Conditions) -> None:
        model, cache = Path(conditions.model), Path(conditions.cache)
        self.description = read_fmu(model, cache)
        self._dimensions = {v.variable.name: v.variable for v in self.description.dimensions}
        chosen = {name: value for name, value in conditions.start_values if name in self._dimensions}
        if chosen:
            sizes = {name: int(parse_input(value, self._dimensions[name])) for name, value in chosen.items()}
            self.description = read_fmu(model, cache, structural=sizes)
        numbers = {v.variable.name: v for v in self.description.numbers}
        settable = (*self.description.parameters, *self.description.inputs)
        super().__init__(
            conditions,
            {**{v.variable.name: v.variable for v in settable}, **{name: self._dimensions[name] for name in chosen}},
            {name: v.variable for name, v in numbers.items()},
        )
        self.texts = frozenset(v.variable.name for v in self.description.texts)
        self._items = {v.variable.name: v.variable.items for v in settable if v.variable.items}
        self._recorded = [numbers[name] for name in conditions.variables]
        self._loop: _Native | _Plain | None = None

    @property
    def can_be_native(self) -> bool:
        """Whether the native loop can run the FMU under these conditions."""
        values = self.conditions.start_values
        numeric = not any(isinstance(value, str) and name not in self._items for name, value in values)
        able = numeric and self.description.version == "2.0" and self.description.interface == "cs"
        return able and read_inputs(self.description, self.conditions).plain

    @property
    def isolated(self) -> bool:
        """Whether the FMU cannot be initialized twice in a process, as its qualification found."""
        conditions = self.conditions
        return qualify(Setup(Path(conditions.model), "fmpy"), Path(conditions.cache)).isolate

    def content(self) -> str:
        """Return a hash of the FMU."""
        return hash_file(Path(self.conditions.model))

    def check_conditions(self, field: str) -> None:
        """Refuse a table of inputs that does not fit; see `trivium.experiment.inputs.check_inputs`."""
        check_inputs(self.description, self.conditions, field)
        horizon = self.conditions.horizon
        unit, step = self.description.unit_step, horizon.communication_step
        if unit is not None and beside(step, unit):
            field = "simulation.step_size" if horizon.divisions == 1 else "simulation.communication_step"
            reason = f"{step:g} s is no multiple of {unit:g} s, and {self.name} takes no other steps"
            raise InvalidValueError(f"{field}: {reason}", field)

    def close(self) -> None:
        """Free the FMU."""
        if self._loop is not None:
            self._loop.close()
            self._loop = None

    def _run(self, values: StartValues, table: FloatArray) -> Mapping[str, float | None]:
        if self._loop is None:
            conditions = self.conditions
            if conditions.native and conditions.strategy != "isolated":
                self._loop = _Native(self.description, conditions, self._recorded, conditions.strategy)
            else:
                self._loop = _Plain(self.description, conditions, self._recorded)
        numbers = {name: self._items.get(name, {}).get(str(value), value) for name, value in values.items()}
        self._loop.run({name: value for name, value in numbers.items() if name not in self._dimensions}, table)
        return {}


class _Native:
    """The FMU in the native loop."""

    def __init__(
        self,
        description: FmuDescription,
        conditions: Conditions,
        recorded: list[FmuVariable],
        strategy: native.Strategy,
    ) -> None:
        from trivium.model.fmu.native import NativeLoop, in_order  # brings numba, which an extra may lack

        course = read_inputs(description, conditions)
        self._inputs, self._tolerance = course.values, conditions.horizon.tolerance
        self._times, self._lengths = np.array(course.grid.times), np.array(course.grid.lengths)
        self._recorded = np.array(course.grid.recorded)
        ordered = in_order(recorded)
        self._columns = np.array([ordered.index(variable) for variable in recorded], dtype=np.intp)
        self._in_place = ordered == recorded
        self._table = np.empty((conditions.horizon.count + 1, len(recorded)))
        self._native = NativeLoop(description, ordered, course.variables, strategy)

    def run(self, values: StartValues, table: FloatArray) -> None:
        numbers = {name: float(value) for name, value in values.items()}
        out = table if self._in_place else self._table
        out.fill(np.nan)
        try:
            self._native.run(numbers, self._times, self._lengths, self._recorded, self._tolerance, self._inputs, out)
        finally:
            if not self._in_place:
                table[:] = self._table[:, self._columns]

    def close(self) -> None:
        self._native.close()


class _Plain:
    """The FMU in the plain loop."""

    def __init__(self, description: FmuDescription, conditions: Conditions, recorded: list[FmuVariable]) -> None:
        horizon = conditions.horizon
        self._course = read_inputs(description, conditions)
        stop = float(horizon.times[-1])
        isolate = conditions.strategy == "isolated"
        arrangement = arranged(description, self._course.variables, recorded)
        self._model = make_model(arrangement, "fmpy", horizon.tolerance, stop, isolate=isolate)

    def run(self, values: StartValues, table: FloatArray) -> None:
        course = self._course
        _, ended = record(self._model, course.grid, course.values, values, table, course.slopes)
        if ended:
            raise EndedError(f"the simulation {ended}")

    def close(self) -> None:
        self._model.close()


def load_loop() -> None:
    """Compile the native loop, or load it from disk, so that no run is charged with it."""
    require("numba", "sweep")
    from trivium.model.fmu.compiled import compile_loop

    compile_loop()
