"""The conditions that a model is simulated under: all that another process needs to run the same simulation."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from trivium.experiment.horizon import Horizon
from trivium.model.contract import FloatArray
from trivium.model.fmu import native

#: How an instance becomes fresh for a run: as the native loop does it, or in a process of its own.
Strategy = native.Strategy | Literal["isolated"]
#: All of them, the fastest first.
STRATEGIES: tuple[Strategy, ...] = (*native.STRATEGIES, "isolated")

#: Part of every cache key: a change of what a simulation computes must change it.
VERSION = 6


@dataclass(frozen=True)
class Conditions:
    """A model under conditions.

    Attributes
    ----------
    model, cache : str
        An FMU or the folder of a test case; where FMUs are unpacked.
    content : str
        Hash of the model's files.
    horizon : Horizon
    variables : tuple of str
        What is recorded at the output points.
    indicators : tuple of str
        Key performance indicators of a test case that are computed at the end.
    start_values : tuple of (str, float or str)
        Parameters, start values and inputs that are set in all runs.
    inputs, inputs_hash : str
        CSV file of inputs of an FMU that follow a table, and its hash; empty for none.
    interpolate : bool
        Whether real inputs of the table are interpolated.
    controller : str
        Of a test case.
    native : bool
        Whether the native loop runs the FMU.
    strategy : Strategy
        How instances become fresh.
    """

    model: str
    cache: str
    content: str
    horizon: Horizon
    variables: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()
    start_values: tuple[tuple[str, float | str], ...] = ()
    inputs: str = ""
    inputs_hash: str = ""
    interpolate: bool = False
    controller: str = "hold"
    native: bool = False
    strategy: Strategy = "fresh"

    @property
    def times(self) -> FloatArray:
        """Times of the output points, shape (count + 1,)."""
        return self.horizon.times

    @property
    def identity(self) -> dict[str, Any]:
        """All that determines the results: not where files are, nor how an instance becomes fresh."""
        elsewhere = ("model", "cache", "inputs", "strategy")
        return {**{key: value for key, value in asdict(self).items() if key not in elsewhere}, "version": VERSION}

    @property
    def deterministic(self) -> bool:
        """Whether the same inputs give the same outputs."""
        return True

    def shortened(self, steps: int) -> Conditions:
        """Return the same with fewer steps."""
        return replace(self, horizon=replace(self.horizon, count=min(steps, self.horizon.count)))


def hash_file(path: Path | None) -> str:
    """Return the SHA-256 of a file; empty for none."""
    if path is None:
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
