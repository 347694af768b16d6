"""A coupled case as an experiment: its constants as inputs, the outputs of its components at the fixed point."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from trivium.coupling.evaluation import Evaluator
from trivium.coupling.loop import converge
from trivium.coupling.problem import Problem, prepare
from trivium.coupling.record import Record
from trivium.coupling.spec import case_file, load_case
from trivium.errors import ComponentError, InvalidValueError
from trivium.experiment.contract import Experiment, Values
from trivium.experiment.spec import Coupled
from trivium.model.contract import FloatArray
from trivium.settings import Settings


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
    """

    def __init__(self, name: str, problem: Problem, timeout: float) -> None:
        self.name, self.timeout, self._problem = name, timeout, problem
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
        self.defaults: Mapping[str, FloatArray] = problem.constants
        self.deterministic = all(component.deterministic for component in components.values())

    @property
    def fingerprint(self) -> str:
        """Hash of the case, also of when its iteration ends, and of its components."""
        text = f"{self._problem.fingerprint}\n{self._problem.case.model_dump_json()}"
        return hashlib.sha256(text.encode()).hexdigest()

    def evaluate(self, values: Values, folder: Path) -> Values:
        """Iterate from the case's initial values on; see `Experiment.evaluate`."""
        problem = replace(self._problem, constants=dict(values))
        with contextlib.closing(Record(folder, problem.fingerprint)) as record:
            result = converge(problem, record, Evaluator(problem, record, None, folder / "work"))
        if not result.converged:
            raise ComponentError(f"{self.name} is {result.ending}: {result.reason}")
        return {
            f"{name}.{output}": value
            for name, evaluation in result.evaluations.items()
            for output, value in evaluation.outputs.items()
        }

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
    return CoupledExperiment(name, prepare(load_case(path), file.parent, settings), description.timeout)
