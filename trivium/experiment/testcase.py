"""A whole test case over a horizon: the model with its boundary data and surrogates, under a controller.

An input is a control input, which then has its value whatever the controller wants; a figure of the controller (as
``rules.supply``); or a start value of the model. A series has equal parts of the horizon.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from trivium.control.controller import Adjustable, Controller
from trivium.control.drive import controller
from trivium.errors import ComponentError, InvalidValueError
from trivium.experiment.conditions import Conditions, hash_file
from trivium.experiment.simulation import Simulation
from trivium.model.contract import FloatArray, StartValues
from trivium.model.variable import Variable
from trivium.protocol import Observation
from trivium.session.local import open_testcase
from trivium.simulation.resources import Resources

_FIGURE = "rules."
#: The filter of variables of a study that has none.
_ALL = ".*"


@dataclass(frozen=True)
class Assignment:
    """Inputs by what they set.

    Attributes
    ----------
    held, figures : Mapping[str, FloatArray]
        Control inputs and figures of the controller, each a series over the steps, shape (n_steps,).
    starts : Mapping[str, float or str]
        Start values.
    """

    held: Mapping[str, FloatArray]
    figures: Mapping[str, FloatArray]
    starts: StartValues


class CaseRuns:
    """A test case in this process, simulated over a horizon again and again.

    Parameters
    ----------
    resources, state_dir : Path
        Folder of the test case, or an FMU; folder for unpacked FMUs.
    step : float or None
        Control step [s]; None for that of the test case.
    controller_name : str
    variables : sequence of str
        What is to be recorded: of the model's variables any.

    Raises
    ------
    TriviumError
        When it cannot be opened, or its step or controller does not fit.
    """

    def __init__(
        self,
        resources: Path,
        state_dir: Path,
        step: float | None,
        controller_name: str,
        variables: Sequence[str] = (),
    ) -> None:
        self.case = open_testcase(resources, state_dir)
        known = {*self.case.stepper.history.columns}
        if unrecorded := [name for name in variables if name not in known]:
            self.case.close()
            self.case = open_testcase(resources, state_dir, recorded=unrecorded)
        self._controller_name = controller_name
        try:
            if step is not None:
                self.case.set_step(step)
            self._controller = controller(controller_name, self.case)
        except BaseException:
            self.case.close()
            raise
        self.step = self.case.step

    @property
    def figures(self) -> dict[str, Variable]:
        """Figures of the controller that may be set, by name."""
        if not isinstance(self._controller, Adjustable):
            return {}
        values = {field.name: getattr(self._controller.rules, field.name) for field in fields(self._controller.rules)}
        return {
            f"{_FIGURE}{name}": Variable(f"{_FIGURE}{name}", start=v) for name, v in values.items() if type(v) is float
        }

    def assign(self, values: Mapping[str, Any], steps: int) -> Assignment:
        """Sort values by what they set.

        Parameters
        ----------
        values : Mapping[str, float or str or FloatArray]
            By control input, figure or start value; a number or a series.
        steps : int
            Of the horizon.

        Raises
        ------
        ComponentError
            Naming what cannot be set.
        """
        held: dict[str, FloatArray] = {}
        figures: dict[str, FloatArray] = {}
        starts: dict[str, float | str] = {}
        settable, parameters = self.figures, {variable.name for variable in self.case.stepper.model.parameters}
        for name, value in values.items():
            if name.startswith(_FIGURE):
                if name not in settable:
                    raise ComponentError(f"{name} is set, which the controller does not have as a number")
                figures[name.removeprefix(_FIGURE)] = series(value, steps)
            elif name in self.case.actions.position:
                items = self.case.actions.variables[self.case.actions.position[name]].items
                held[name] = series(items.get(value, value) if isinstance(value, str) else value, steps)
            elif name in parameters and np.size(value) == 1:
                starts[name] = value if isinstance(value, str) else float(np.asarray(value).item())
            else:
                raise ComponentError(f"{name} is set, which is no control input, figure or start value")
        return Assignment(held, figures, starts)

    def run(
        self,
        start: float,
        end: float,
        assignment: Assignment,
        outputs: Sequence[str],
        table: FloatArray,
        every: int = 1,
    ) -> None:
        """Simulate from start to end [s].

        Parameters
        ----------
        start, end : float
        assignment : Assignment
        outputs : sequence of str
        table : FloatArray, shape (n_steps / every + 1, n_outputs)
            Is filled: at the start, then after every so many steps.
        every : int

        Raises
        ------
        TriviumError
            When a step fails, or an output is no number.
        """
        case, by = self.case, controller(self._controller_name, self.case)
        starts = dict(assignment.starts)
        if case.interval is None:  # else the first observation or the initialization actions have their own inputs
            starts |= {name: float(values[0]) for name, values in assignment.held.items()}
        observed: Observation = case.initialize(start, end, start_values=starts)
        by.reset(observed, case.boundary())
        beside = [name for name in outputs if name not in observed]
        places = [case.stepper.history.columns.index(name) for name in beside if name in case.stepper.history.columns]

        def values_of(observed: Observation) -> list[float]:
            row = case.stepper.history.row(len(case.stepper.history) - 1)[places] if places else ()
            present = {**observed, **dict(zip(beside, row, strict=False))}
            return [_number(present, name) for name in outputs]

        table[0] = values_of(observed)
        for step in range((len(table) - 1) * every):
            by = _adjusted(by, {name: float(values[step]) for name, values in assignment.figures.items()})
            held = {name: float(values[step]) for name, values in assignment.held.items()}
            observed = case.advance({**by.action(observed, case.boundary()), **held})
            if (step + 1) % every == 0:
                table[(step + 1) // every] = values_of(observed)

    def indicators(self, names: Sequence[str]) -> Mapping[str, float | None]:
        """Return key performance indicators of the last run."""
        return self.case.kpis(list(names)) if names else {}

    def close(self) -> None:
        """Free the model."""
        self.case.close()


class CaseSimulation(Simulation):
    """A test case under conditions, with a parameter a control input, a figure of the controller or a start value.

    Parameters
    ----------
    conditions : Conditions

    Raises
    ------
    TriviumError
        When the test case cannot be opened, or its step, end or controller does not fit.
    """

    settable_noun: ClassVar[str] = "control input or start value"
    recordable_noun: ClassVar[str] = "variable"

    def __init__(self, conditions: Conditions) -> None:
        folder = Path(conditions.model)
        _check_inputs(conditions)
        try:
            self._runs = CaseRuns(
                folder,
                Path(conditions.cache),
                conditions.horizon.communication_step,
                conditions.controller,
                conditions.variables,
            )
        except InvalidValueError as error:
            field = "simulation.step_size" if conditions.horizon.divisions == 1 else "simulation.communication_step"
            raise InvalidValueError(f"{field}: {error}", field) from error
        case = self._runs.case
        try:
            _check_end(Resources.load(folder), conditions)
        except BaseException:
            self._runs.close()
            raise
        settable = {variable.name: variable for variable in case.stepper.model.parameters}
        settable |= self._runs.figures | {variable.name: variable for variable in case.actions.variables}
        model = case.stepper.model
        self._measured = [*case.measurements]
        recordable = {variable.name: variable for variable in (*model.outputs, *model.unrecorded, *model.steady)}
        indicators = {name: about.unit for name, about in case.evaluation.about.items()}
        super().__init__(conditions, settable, recordable, indicators)

    def matching(self, expression: str, field: str) -> list[str]:
        """Return what may be recorded and matches with its whole name; the measurements where everything matches."""
        return self._measured if expression == _ALL else super().matching(expression, field)

    def content(self) -> str:
        """Return a hash of the files of the test case."""
        return fingerprint(Path(self.conditions.model))

    def close(self) -> None:
        """Free the test case."""
        self._runs.close()

    def _run(self, values: StartValues, table: FloatArray) -> Mapping[str, float | None]:
        conditions, times, every = self.conditions, self.conditions.times, self.conditions.horizon.divisions
        assignment = self._runs.assign(values, conditions.horizon.count * every)
        self._runs.run(float(times[0]), float(times[-1]), assignment, conditions.variables, table, every)
        return self._runs.indicators(conditions.indicators)


def fingerprint(resources: Path) -> str:
    """Return a hash of all files of a test case.

    Raises
    ------
    ResourcesError
        When one is missing.
    """
    files = Resources.load(resources)
    digest = hashlib.sha256()
    bare = replace(files, plant_files={})
    values = {field.name: getattr(bare, field.name) for field in fields(bare)}
    for name, value in {**values, **files.plant_files}.items():
        content = hash_file(value) if isinstance(value, Path) and value.is_file() else repr(value)
        digest.update(f"{name} {content}\n".encode())
    return digest.hexdigest()


def parts(count: int, number: int) -> list[slice]:
    """Return equal parts of some steps.

    Raises
    ------
    ComponentError
        When they are no whole number of steps.
    """
    if number < 1 or count % number:
        raise ComponentError(f"{count} steps cannot be divided into {number} equal parts")
    size = count // number
    return [slice(i * size, (i + 1) * size) for i in range(number)]


def series(value: Any, steps: int) -> FloatArray:
    """Return a number, or a series over equal parts of the horizon, as one over its steps.

    Raises
    ------
    ComponentError
        When it has more dimensions, or parts that are no whole number of steps.
    """
    array = np.asarray(value, dtype=np.float64)
    if array.ndim > 1:
        raise ComponentError("an input of a simulation is a number or has one dimension, parts of the horizon")
    values = np.empty(steps)
    for part, number in zip(parts(steps, array.size), array.flat, strict=True):
        values[part] = number
    return values


def _check_inputs(conditions: Conditions) -> None:
    if conditions.inputs:
        field = "simulation.inputs"
        raise InvalidValueError(f"{field}: a test case has its own boundary data", field)


def _check_end(files: Resources, conditions: Conditions) -> None:
    if files.end_time is not None and conditions.times[-1] > files.end_time:
        field = "simulation.stop_time"
        raise InvalidValueError(f"{field}: the test case ends at {files.end_time:g}", field)


def _adjusted(by: Controller, figures: Mapping[str, float]) -> Controller:
    if not isinstance(by, Adjustable) or all(getattr(by.rules, name) == value for name, value in figures.items()):
        return by
    return by.revised(replace(by.rules, **figures))


def _number(observed: Mapping[str, Any], name: str) -> float:
    try:
        return float(observed[name])
    except (KeyError, TypeError, ValueError) as error:
        raise ComponentError(f"the model does not return a number for {name}") from error
