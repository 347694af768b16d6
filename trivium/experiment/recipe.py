"""What a process needs to make an experiment: the conditions of a simulation, or the document of another kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from trivium.experiment.conditions import Conditions
from trivium.experiment.contract import Experiment
from trivium.experiment.kinds import make
from trivium.experiment.simulation import Simulation
from trivium.experiment.spec import Description
from trivium.model.contract import FloatArray
from trivium.settings import Settings
from trivium.simulation.embedded import is_testcase


@dataclass(frozen=True)
class Document:
    """An experiment as its author describes it.

    Attributes
    ----------
    description : str
        JSON of a `trivium.experiment.spec.Description`.
    folder, state_dir : str
        What its file names are relative to; where FMUs are unpacked.
    fingerprint : str
        Of the experiment: hash of all besides the inputs that determines the outputs.
    deterministic : bool
        Whether the same inputs give the same outputs.
    """

    description: str
    folder: str
    state_dir: str
    fingerprint: str = ""
    deterministic: bool = True

    @property
    def times(self) -> FloatArray:
        """A function has no trajectories: one point."""
        return np.zeros(1)

    @property
    def identity(self) -> dict[str, Any]:
        """All that determines the results."""
        return {"fingerprint": self.fingerprint}

    def shortened(self, steps: int) -> Document:  # noqa: ARG002
        """Return the same: a function has no steps."""
        return self


Recipe = Conditions | Document
_DESCRIPTION: TypeAdapter[Description] = TypeAdapter(Description)


def build(recipe: Recipe) -> Experiment:
    """Make an experiment in this process.

    Raises
    ------
    TriviumError
        When it cannot be made.
    """
    if isinstance(recipe, Conditions):
        return simulate(recipe)
    settings = Settings(state_dir=Path(recipe.state_dir))
    description = _DESCRIPTION.validate_json(recipe.description)
    return make(description, Path(recipe.folder), settings, description.kind, "experiment", apart=False)


def describe(description: Description) -> str:
    """Return the JSON of a description, as a `Document` holds it."""
    return description.model_dump_json(by_alias=True, exclude_unset=True)


def simulate(conditions: Conditions) -> Simulation:
    """Return a model under conditions: a test case where it is one, else an FMU."""
    if is_testcase(Path(conditions.model)):
        from trivium.experiment.testcase import CaseSimulation

        return CaseSimulation(conditions)
    from trivium.experiment.fmu import FmuSimulation

    return FmuSimulation(conditions)
