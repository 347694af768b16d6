"""The names of the proposal that this follows (EAPD-DRB/MUIOGO #24), over the functions that do the work here.

Its files and defaults are the compatibility profile ``pr24``. The loop is the one of every coupled case: convergence is
tested on the residual and not on the damped step, and every round solves the models anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ValidationError

from trivium.coupling.loop import Result
from trivium.coupling.og_clews import bridge
from trivium.coupling.og_clews.schemas import (
    ALPHA,
    CARBON_TAX,
    ELASTICITY,
    ITERATIONS,
    TOLERANCE,
    ClewsInputSchema,
    ClewsOutputSchema,
    OgCoreInputSchema,
    OgCoreOutputSchema,
)
from trivium.coupling.record import Evaluation
from trivium.coupling.run import run_case
from trivium.coupling.schema import explain
from trivium.coupling.spec import load_case
from trivium.errors import InvalidValueError
from trivium.settings import Settings

#: Files of the proposal, and an output by which the component is known that each is of.
CLEWS, OGCORE = "clews_results", "ogcore_macro"
_KNOWN_BY = {CLEWS: "discounted_cost", OGCORE: "gdp_ratio"}


class DimensionalityBridge:
    """Between the tables of an energy model and the series of a macro-economic one.

    Parameters
    ----------
    elasticity : float
        Of demand to activity.
    carbon_tax : float
        Of each emission that is taxed [money/mass].
    """

    def __init__(self, elasticity: float = ELASTICITY, carbon_tax: float = CARBON_TAX) -> None:
        self.elasticity, self.carbon_tax = elasticity, carbon_tax

    def clews_to_ogcore(
        self, results: bridge.Results, rate: float, life: Mapping[str, float], emissions: Sequence[str] = ("CO2",)
    ) -> OgCoreInputSchema:
        """Return the index of energy costs and the revenue of the tax; see `bridge.to_macro`."""
        return bridge.to_macro(results, rate, life, dict.fromkeys(emissions, self.carbon_tax))

    def ogcore_to_clews(
        self, demand: pd.DataFrame, ratio: Mapping[str, float], interest: float | Sequence[float]
    ) -> ClewsInputSchema:
        """Return annual demand and the discount rate; see `bridge.to_energy`."""
        return bridge.to_energy(demand, ratio, dict.fromkeys(ratio, self.elasticity), interest)


class ConvergingOrchestrator:
    """Runs a coupled case with the damping, the limits and the defaults of the proposal, its profile ``pr24``.

    Parameters
    ----------
    case : Path or str
        A case's folder or file.
    alpha, tolerance, max_iterations
        In place of the case's own.
    """

    def __init__(
        self,
        case: Path | str,
        alpha: float = ALPHA,
        tolerance: float = TOLERANCE,
        max_iterations: int = ITERATIONS,
    ) -> None:
        self._folder = Path(case) if Path(case).is_dir() else Path(case).parent
        self.case = load_case(Path(case)).with_settings(
            profile="pr24", alpha=alpha, tolerance=tolerance, max_iterations=max_iterations
        )

    def run(self, out: Path | str, settings: Settings | None = None) -> Result:
        """Iterate in a folder for the results, or go on there; see `trivium.coupling.run.run_case`."""
        _, result, _ = run_case(self.case, self._folder, Path(out), settings or Settings())
        return result


def write(result: Result, out: Path, *, strict: bool = False) -> dict[str, Path]:
    """Write the files of the proposal for the components that have what is in them; return them by name.

    Parameters
    ----------
    result : Result
    out : Path
    strict : bool
        Whether what the proposal's bounds forbid is an error; otherwise its file is left out.

    Raises
    ------
    InvalidValueError
        Naming the figure that the proposal's bounds forbid.
    """
    written: dict[str, Path] = {}
    for name, make in ((CLEWS, _clews), (OGCORE, _ogcore)):
        found = [each for each in result.evaluations.values() if _KNOWN_BY[name] in each.outputs]
        if not found:
            continue
        # of a base and the component that is coupled, the latter
        evaluation = max(found, key=lambda each: len(each.inputs))
        try:
            content = make(len(result.iterations), evaluation)
        except ValidationError as error:
            if strict:
                raise InvalidValueError(f"{name}: {explain(error)}", name) from error
            continue
        written[name] = out / f"{name}.json"
        written[name].write_text(content.model_dump_json(indent=1))
    return written


def _clews(iteration: int, evaluation: Evaluation) -> BaseModel:
    outputs: Mapping[str, Any] = evaluation.outputs
    return ClewsOutputSchema(
        iteration=iteration,
        AnnualEmissions=np.ravel(outputs["emissions"]).tolist(),
        TotalDiscountedCostByTechnology=np.ravel(outputs["discounted_cost"]).tolist(),
    )


def _ogcore(iteration: int, evaluation: Evaluation) -> BaseModel:
    return OgCoreOutputSchema(iteration=iteration, gdp_growth_rate=float(np.mean(evaluation.outputs["gdp_ratio"])) - 1)
