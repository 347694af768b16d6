"""A coupled case as an experiment: its constants as inputs, the outputs of its components at the fixed point."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from trivium.coupling.evaluation import Evaluator
from trivium.coupling.loop import Result, converge
from trivium.coupling.problem import Problem, prepare
from trivium.coupling.record import Record
from trivium.coupling.sensitivity import name_of, sensitivities
from trivium.coupling.spec import case_file, load_case
from trivium.errors import ComponentError, InvalidValueError
from trivium.experiment.contract import Experiment, Values
from trivium.experiment.spec import Coupled
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable
from trivium.settings import Settings
from trivium.suggestions import near_or_all


class CoupledExperiment(Experiment):
    """Solves a problem to its fixed point for each evaluation.

    The inputs are those of components that no connection feeds, as ``component.input``, with the values of the case as
    defaults; the outputs are all of the components, as ``component.output``. A case that does not converge fails.

    Parameters
    ----------
    name : str
    problem : Problem
    timeout : float
        [s]
    warm : bool
        Whether an evaluation begins at the fixed point of the last one, and anew where that does not converge. Results
        then depend on it, within the tolerances of the case, and are not cached.
    sensitivity_to : sequence of str
        Inputs, scalars, by which the derivatives of all outputs at the fixed point are outputs too.
    """

    def __init__(
        self, name: str, problem: Problem, timeout: float, *, warm: bool = False, sensitivity_to: Sequence[str] = ()
    ) -> None:
        self.name, self.timeout, self._problem = name, timeout, problem
        self._warm, self._sensitivity_to, self._last = warm, tuple(sensitivity_to), problem.start
        components = problem.components
        variables = {
            f"{name}.{variable.name}": variable for name, each in components.items() for variable in each.inputs
        }
        self.inputs = tuple(replace(variables[end], name=end) for end in problem.constants)
        self.outputs = tuple(
            replace(variable, name=f"{name}.{variable.name}")
            for name, each in components.items()
            for variable in each.outputs
        )
        self.outputs += tuple(
            Variable(name_of(variable.name, constant), dims=variable.dims)
            for constant in self._sensitivity_to
            for variable in self.outputs
        )
        self.defaults: Mapping[str, FloatArray] = problem.constants
        self.deterministic = not warm and all(component.deterministic for component in components.values())

    @property
    def fingerprint(self) -> str:
        """Hash of the case, also of when its iteration ends, and of its components."""
        text = f"{self._problem.fingerprint}\n{self._problem.case.model_dump_json()}"
        text += f"\n{self._sensitivity_to}" if self._sensitivity_to else ""
        return hashlib.sha256(text.encode()).hexdigest()

    def evaluate(self, values: Values, folder: Path) -> Values:
        """Iterate from the case's initial values, or the last fixed point, on; see `Experiment.evaluate`."""
        problem = replace(self._problem, constants=dict(values))
        result = self._converged(replace(problem, start=self._last), folder / "warm") if self._warm else None
        if result is None or not result.converged:
            result = self._converged(problem, folder / "run")
        if not result.converged:
            raise ComponentError(f"{self.name} is {result.ending}: {result.reason}")
        x = result.iterations[-1].x  # a run that converged has no failure at its end
        if self._warm:
            self._last = x
        outputs = {
            f"{name}.{output}": value
            for name, evaluation in result.evaluations.items()
            for output, value in evaluation.outputs.items()
        }
        return outputs | sensitivities(problem, x, self._sensitivity_to, folder / "sensitivity")

    def _converged(self, problem: Problem, folder: Path) -> Result:
        folder.mkdir()
        with contextlib.closing(Record(folder, problem.identity)) as record:
            return converge(problem, record, Evaluator(problem, record, None, folder / "work"))

    def check(self) -> None:
        """Refuse what a component would fail at."""
        for component in self._problem.components.values():
            component.check()

    def cancel(self) -> None:
        """End the evaluations of components."""
        for component in self._problem.components.values():
            component.cancel()


def make_coupled(description: Coupled, folder: Path, settings: Settings, name: str, field: str) -> CoupledExperiment:
    """Make the experiment of a coupled case: the entry point ``coupled`` of the group ``trivium.experiments``.

    Raises
    ------
    InvalidValueError
        Naming the field, or every field of the case, that is wrong.
    """
    path = folder / description.path
    file = case_file(path)
    if not file.is_file():
        raise InvalidValueError(f"{field}.path: there is no case {description.path}", f"{field}.path")
    problem = prepare(load_case(path), file.parent, settings)
    for constant in description.sensitivity_to:
        if constant not in problem.constants or np.size(problem.constants[constant]) != 1:
            scalars = [end for end, value in problem.constants.items() if np.size(value) == 1]
            place = f"{field}.sensitivity_to"
            reason = f"there is no scalar input {constant} of the case.{near_or_all(constant, scalars)}"
            raise InvalidValueError(f"{place}: {reason}", place)
    return CoupledExperiment(
        name, problem, description.timeout, warm=description.warm, sensitivity_to=description.sensitivity_to
    )
