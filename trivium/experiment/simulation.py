"""A model over a horizon as an experiment: parameters in, trajectories and indicators out."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from trivium.errors import InvalidValueError, ResourcesError, TriviumError
from trivium.experiment.conditions import Conditions
from trivium.experiment.contract import Experiment, Failure, Values
from trivium.experiment.filter import matching
from trivium.model.contract import FloatArray, StartValues
from trivium.model.variable import Variable
from trivium.simulation.start import parse_start_values
from trivium.suggestions import did_you_mean


class Simulation(Experiment):
    """A model under conditions; `trivium.experiment.fmu` and `trivium.experiment.testcase` say how it runs.

    The inputs are all variables that may be set before a run, the outputs what the conditions record: a trajectory a
    variable, a number an indicator (NaN where it has no value).

    Parameters
    ----------
    conditions : Conditions
    inputs : Mapping[str, Variable]
        What may be set before a run.
    recordable : Mapping[str, Variable]
        What may be recorded.
    indicators : Mapping[str, str], optional
        What may be computed at the end, and in which unit.

    Attributes
    ----------
    texts : frozenset of str
        Outputs that are texts, which are not recorded.

    Raises
    ------
    ResourcesError
        When the model lacks what the conditions record.
    """

    #: What an input and what a recordable variable is called in refusals.
    settable_noun: ClassVar[str] = "variable"
    recordable_noun: ClassVar[str] = "variable"

    def __init__(
        self,
        conditions: Conditions,
        inputs: Mapping[str, Variable],
        recordable: Mapping[str, Variable],
        indicators: Mapping[str, str] | None = None,
    ) -> None:
        self.conditions, self.name = conditions, Path(conditions.model).name
        # the time is recorded beside all variables, so one of that name would be there twice
        self.recordable = {name: variable for name, variable in recordable.items() if name != "time"}
        self.indicators = dict(indicators or {})
        self.inputs = tuple(inputs.values())
        self.texts: frozenset[str] = frozenset()
        missing = [name for name in conditions.variables if name not in recordable]
        if missing:
            raise ResourcesError(f"{self.name} has no variable {missing[0]}; it changed since it was checked")
        along = {"time": tuple(conditions.times.tolist())}
        trajectories = (Variable(name, recordable[name].unit, dims=along) for name in conditions.variables)
        self.outputs = (*trajectories, *(Variable(name) for name in conditions.indicators))
        self._settable = inputs

    @property
    def fingerprint(self) -> str:
        """Hash of the model's files."""
        return self.conditions.content

    @property
    def can_be_native(self) -> bool:
        """Whether the native loop can run the model under these conditions."""
        return False

    @property
    def isolated(self) -> bool:
        """Whether each run needs a process of its own; a test case sees to that itself."""
        return False

    @abstractmethod
    def content(self) -> str:
        """Return a hash of the model's files."""

    def check_conditions(self, field: str) -> None:
        """Refuse, naming a field, a table of inputs that does not fit; by default nothing is looked at."""

    def evaluate(self, values: Values, folder: Path) -> Values:
        """Simulate a run; see `Experiment.evaluate`."""
        (outcome,) = self.evaluate_many([values], folder)
        if isinstance(outcome, Failure):
            raise outcome.error
        return outcome

    def evaluate_many(self, rows: Iterable[Values], folder: Path) -> Iterator[Values | Failure]:  # noqa: ARG002
        """Simulate runs one after the other, in one model; see `Experiment.evaluate_many`."""
        names = self.conditions.variables
        table: FloatArray = np.empty((self.conditions.horizon.count + 1, len(names)))
        fixed = dict(self.conditions.start_values)
        for row in rows:
            table.fill(np.nan)
            try:
                figures = self._run({**fixed, **{name: value.item() for name, value in row.items()}}, table)
            except TriviumError as error:
                broken = ~np.isfinite(table).all(axis=1)
                table[int(np.argmax(broken)) if broken.any() else len(table) :] = np.nan
                yield Failure(error, _columns(table, names))
                continue
            yield _columns(table, names) | {
                name: np.array(math.nan if value is None else value) for name, value in figures.items()
            }

    def matching(self, expression: str, field: str) -> list[str]:
        """Return what may be recorded and matches with its whole name.

        Parameters
        ----------
        expression : str
            See `trivium.experiment.filter.matching`.
        field : str

        Raises
        ------
        InvalidValueError
            Naming the field when nothing matches.
        """
        names = matching(expression, self.recordable)
        for part in expression.split("|"):
            if part in self.texts:
                raise InvalidValueError(f"{field}: {part} is a text, and trajectories are of numbers", field)
        if not names:
            parts = [part for part in expression.split("|") if part != "time"]
            near = "".join(dict.fromkeys(did_you_mean(part, self.recordable) for part in parts))
            reason = f"{expression!r} matches no {self.recordable_noun} of {self.name}{'.' if near else ''}{near}"
            raise InvalidValueError(f"{field}: {reason}", field)
        return names

    def check_values(self, name: str, values: Iterable[float | str], field: str) -> None:
        """Refuse what may not be set before a run, or cannot have these values.

        Raises
        ------
        InvalidValueError
            Naming the field.
        """
        if name not in self._settable:
            reason = f"{name} cannot be set before a run; the model computes it"
            if name not in self.recordable:
                near = did_you_mean(name, self._settable)
                reason = f"{self.name} has no {self.settable_noun} {name}.{near}"
            raise InvalidValueError(f"{field}: {reason}", field)
        try:
            for value in values:
                parse_start_values({name: value}, self._settable)
        except InvalidValueError as error:
            raise InvalidValueError(f"{field}: {error}", field) from error

    @abstractmethod
    def _run(self, values: StartValues, table: FloatArray) -> Mapping[str, float | None]:
        """Simulate a run.

        Parameters
        ----------
        values : Mapping[str, float or str]
            All that is set.
        table : FloatArray, shape (count + 1, n_variables)
            Is filled; where the run fails, as far as it came, and remains NaN after that.

        Returns
        -------
        Mapping[str, float or None]
            Indicators by name.

        Raises
        ------
        TriviumError
            When it fails.
        """


def _columns(table: FloatArray, names: Sequence[str]) -> dict[str, FloatArray]:
    return {name: table[:, place] for place, name in enumerate(names)}
