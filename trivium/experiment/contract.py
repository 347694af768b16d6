"""The contract of an experiment: a function with named inputs and outputs, which are arrays with units."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from trivium.errors import ComponentError, TriviumError
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable, as_numbers
from trivium.suggestions import did_you_mean, near_or_all

Values = Mapping[str, FloatArray]


@dataclass(frozen=True)
class Failure:
    """An evaluation that failed.

    Attributes
    ----------
    error : TriviumError
    reached : Mapping[str, FloatArray]
        Trajectories until it failed, NaN from there on, valid until the next evaluation; empty without any.
    """

    error: TriviumError
    reached: Values = field(default_factory=dict)


class Experiment(ABC):
    """A model or a program as a function of its inputs.

    An experiment must be a function: the same inputs give the same outputs, whatever was evaluated before (no warm
    starts that change results). One that is none says so by `deterministic`; its results are then not cached.

    Attributes
    ----------
    name : str
    inputs, outputs : tuple of Variable
    defaults : Mapping[str, FloatArray]
        Values of inputs where a caller gives none; other inputs must be given.
    timeout : float
        Longest time of an evaluation [s].
    deterministic : bool
    note : str
        What it says of its results as a whole.
    """

    name: str
    inputs: tuple[Variable, ...]
    outputs: tuple[Variable, ...]
    defaults: Values = MappingProxyType({})
    timeout: float = 3600.0
    deterministic: bool = True
    note: str = ""

    def elements(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Return all numbers of the outputs by name, ``demand[year=2030]``, each as its output and index."""
        places = ((variable, index) for variable in self.outputs for index in np.ndindex(variable.shape))
        return {variable.element(index): (variable.name, index) for variable, index in places}

    def input_named(self, name: str) -> tuple[Variable, tuple[int | slice, ...]]:
        """Return the input that a name means, and which elements of it.

        A name is that of an input, or has coordinates too: ``demand[fuel=ELC]`` is all years of that fuel.

        Raises
        ------
        ValueError
            Naming the input, dimension or coordinate that is not there.
        """
        inputs = {variable.name: variable for variable in self.inputs}
        if name in inputs:
            return inputs[name], ()
        base, bracket, places = name.removesuffix("]").partition("[")
        if base not in inputs or not bracket:
            raise ValueError(f"has no input {name}.{did_you_mean(name, inputs)}")
        index: dict[str, int | slice] = dict.fromkeys(inputs[base].dims, slice(None))
        for place in places.split(","):
            dim, _, coordinate = (text.strip() for text in place.partition("="))
            if dim not in index:
                raise ValueError(f"has no dimension {dim} in its input {base}.{near_or_all(dim, index)}")
            known = [str(each) for each in inputs[base].dims[dim]]
            if coordinate not in known:
                raise ValueError(f"has no {dim} {coordinate} in its input {base}.{near_or_all(coordinate, known)}")
            index[dim] = known.index(coordinate)
        return inputs[base], tuple(index.values())

    @property
    def identity(self) -> Mapping[str, str]:
        """All besides the inputs that determines the outputs, by what it is: code, options, data, versions."""
        return {"model": self.fingerprint}

    @property
    def fingerprint(self) -> str:
        """Hash of the `identity`; an experiment has one of the two itself."""
        return hashlib.sha256(json.dumps(dict(self.identity), sort_keys=True).encode()).hexdigest()

    @abstractmethod
    def evaluate(self, values: Values, folder: Path) -> Values:
        """Return the outputs for some inputs.

        Parameters
        ----------
        values : Mapping[str, FloatArray]
            All inputs, checked.
        folder : Path
            This evaluation's own working directory, empty at first.

        Returns
        -------
        Mapping[str, FloatArray]
            All outputs; `evaluated` checks them.

        Raises
        ------
        ComponentError
            When it fails or takes too long.
        """

    def evaluate_many(self, rows: Iterable[Values], folder: Path) -> Iterator[Values | Failure]:
        """Evaluate rows of inputs one after the other; one that fails does not keep the others from running.

        Parameters
        ----------
        rows : iterable of Mapping[str, FloatArray]
            The next row is taken when its evaluation begins.
        folder : Path
            For working directories, which are removed.

        Yields
        ------
        Mapping[str, FloatArray] or Failure
            All outputs of a row, checked and valid until the next row; or why it failed.
        """
        for row in rows:
            work = Path(tempfile.mkdtemp(dir=folder))
            try:
                outcome: Values | Failure = evaluated(self, checked_inputs(self, row), work)
            except TriviumError as error:
                outcome = Failure(error)
            finally:
                shutil.rmtree(work, ignore_errors=True)
            yield outcome

    def check(self) -> None:  # noqa: B027, an own body is optional
        """Refuse, before the first evaluation, what every evaluation would fail at; by default nothing is looked at."""

    def publish(self, values: Values, folder: Path) -> None:  # noqa: B027, an own body is optional
        """Write what is to be kept of an evaluation at a fixed point; by default nothing.

        Parameters
        ----------
        values : Mapping[str, FloatArray]
            All inputs.
        folder : Path
            For the files; it is there only where something is written.
        """

    def cancel(self) -> None:  # noqa: B027, an own body is optional
        """End an evaluation that runs in another thread, and refuse new ones; by default nothing can be ended."""

    def close(self) -> None:  # noqa: B027, an own body is optional
        """Free what the experiment holds; by default nothing."""


def evaluated(experiment: Experiment, values: Values, folder: Path) -> dict[str, FloatArray]:
    """Evaluate an experiment once; return its outputs, checked.

    Raises
    ------
    ComponentError
        When it fails, or breaks its contract.
    """
    try:
        outputs = experiment.evaluate(values, folder)
    except ComponentError:
        raise
    except Exception as error:  # an experiment that breaks its contract is a failed one
        raise ComponentError(f"{experiment.name}: {type(error).__name__}: {error}") from error
    return checked_outputs(experiment, outputs)


def checked_inputs(experiment: Experiment, values: Mapping[str, Any]) -> dict[str, FloatArray]:
    """Return all inputs of an experiment as arrays, defaults included; some may be named by element.

    Raises
    ------
    ComponentError
        Naming the input that is missing, unknown or wrong.
    """
    checked: dict[str, FloatArray] = {}
    elements = []
    for name in sorted(values.keys() - {variable.name for variable in experiment.inputs}):
        try:
            elements.append((name, *experiment.input_named(name)))
        except ValueError as error:
            raise ComponentError(f"{experiment.name} {error}") from error
    for variable in experiment.inputs:
        value = values.get(variable.name, experiment.defaults.get(variable.name))
        if value is None:
            raise ComponentError(f"{experiment.name} needs a value of its input {variable.name}")
        try:
            checked[variable.name] = variable.check(value)
            for name, of, index in elements:
                if of is variable:
                    checked[variable.name][index] = as_numbers(name, values[name])
                    variable.check(checked[variable.name])
        except ValueError as error:
            raise ComponentError(f"{experiment.name}: its input {error}") from error
    return checked


def checked_outputs(experiment: Experiment, outputs: Mapping[str, Any]) -> dict[str, FloatArray]:
    """Return an experiment's outputs, checked: names, shapes, finite, within bounds.

    Raises
    ------
    ComponentError
        Naming experiment, variable and element.
    """
    variables = {variable.name: variable for variable in experiment.outputs}
    for name in outputs:
        if name not in variables:
            raise ComponentError(f"{experiment.name} answered {name}, which is none of its outputs")
    checked: dict[str, FloatArray] = {}
    for name, variable in variables.items():
        if name not in outputs:
            raise ComponentError(f"{experiment.name} did not answer its output {name}")
        try:
            checked[name] = variable.check(outputs[name])
        except ValueError as error:
            raise ComponentError(f"{experiment.name}: its output {error}") from error
    return checked
