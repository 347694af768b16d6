"""What a study may seek, as its author writes it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from trivium.experiment.spec import Finite, Part, Positive
from trivium.study.search.condition import Condition, parse_condition

#: Default of the width to which an answer is narrowed, as a share of the interval.
_SHARE = 1e-3
#: Results of `Find` besides the parameter itself and the metrics where the condition begins to hold.
COLUMNS = ("bracket.low", "bracket.high", "outcome")


class Find(Part):
    """The value of a parameter at which a condition begins to hold, for each run of the study."""

    parameter: str
    so_that: str
    between: tuple[Finite, Finite]
    tolerance: Positive | None = None

    @field_validator("so_that")
    @classmethod
    def _is_condition(cls, text: str) -> str:
        parse_condition(text)
        return text

    @model_validator(mode="after")
    def _is_interval(self) -> Find:
        if not self.between[0] < self.between[1]:
            raise ValueError("between must be two numbers, the smaller one first")
        return self

    @property
    def condition(self) -> Condition:
        """The condition."""
        return parse_condition(self.so_that)

    @property
    def width(self) -> float:
        """Greatest width of the interval that an answer is narrowed to."""
        low, high = self.between
        return _SHARE * (high - low) if self.tolerance is None else self.tolerance

    @property
    def most_runs(self) -> int:
        """Number of runs that bisection of the whole interval takes for a point."""
        low, high = self.between
        return 2 + max(0, math.ceil(math.log2((high - low) / self.width)))

    def __str__(self) -> str:
        low, high = self.between
        return f"{self.parameter} between {low!r} and {high!r} within {self.width!r} so that {self.condition}"


class Optimize(Part):
    """The parameters at which metrics are least or greatest, where conditions hold."""

    minimize: list[str] = Field([])
    maximize: list[str] = Field([])
    subject_to: list[str] = Field([])
    runs: Annotated[int, Field(ge=1, le=10**6)]
    batch: Annotated[int, Field(ge=1, le=10**4)] = 20
    sampler: Literal["auto", "cmaes", "tpe", "nsga2"] = "auto"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @field_validator("subject_to")
    @classmethod
    def _are_conditions(cls, texts: list[str]) -> list[str]:
        for text in texts:
            if parse_condition(text).sign == "=":
                raise ValueError(f"{text!r} must have <= or >=; what is equal in no two runs cannot be required")
        return texts

    @model_validator(mode="after")
    def _has_objectives(self) -> Optimize:
        names = [*self.minimize, *self.maximize]
        if not names or len(set(names)) < len(names):
            raise ValueError("minimize and maximize must name one or more metrics, each once")
        if self.sampler == "cmaes" and (len(names) > 1 or self.subject_to):
            raise ValueError("sampler: cmaes takes one objective and no subject_to; leave it out for one that fits")
        return self

    @property
    def objectives(self) -> dict[str, bool]:
        """The metrics of the objectives, and whether each is to be great."""
        return dict.fromkeys(self.minimize, False) | dict.fromkeys(self.maximize, True)

    @property
    def conditions(self) -> list[Condition]:
        """The conditions."""
        return [parse_condition(text) for text in self.subject_to]


class Measured(Part):
    """An output that was measured."""

    column: str | None = None
    deviation: Positive | None = None


class Calibrate(Part):
    """The parameters with which a model gives what was measured."""

    data: Path
    by: str | None = None
    inputs: bool = False
    offset: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    measured: Annotated[dict[str, Measured], Field(min_length=1)]
    start: dict[str, Finite] = Field({})
    held_out: Annotated[float, Field(ge=0, le=0.9)] = 0.0
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    rounds: Annotated[int, Field(ge=1, le=1000)] = 50
