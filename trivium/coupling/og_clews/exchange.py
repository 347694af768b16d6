"""What every energy model of the coupling takes and gives, whichever program solves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trivium.coupling import frames
from trivium.coupling.og_clews import bridge
from trivium.errors import InvalidValueError
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable

Rate = Annotated[float, Field(gt=0, lt=1)]


class Options(BaseModel):
    """What a case file says of an energy model.

    Attributes
    ----------
    coupled : list of str
        Inputs that come from elsewhere; the others are the case's own.
    discount_rate : float, optional
        In place of the case's own [1/year].
    carbon_tax : dict of str to float
        By emission, all years, in place of the case's own [money/mass].
    electricity : str
        The fuel whose levelised cost is returned.
    energy, money, mass : str
        Units of the case.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    coupled: list[Literal["annual_demand", "discount_rate"]] = []
    discount_rate: Rate | None = None
    carbon_tax: dict[str, Annotated[float, Field(ge=0)]] = {}
    electricity: str = "ELC"
    energy: str = "PJ"
    money: str = "MUSD"
    mass: str = "Mt"


_Options = TypeVar("_Options", bound=BaseModel)


def checked(kind: type[_Options], options: Mapping[str, Any]) -> _Options:
    """Read options.

    Raises
    ------
    InvalidValueError
        Naming the first that is wrong.
    """
    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "options"
        raise InvalidValueError(f"{field}: {first['msg']}", field) from error


@dataclass(frozen=True)
class Sets:
    """Over what an energy model is defined: its years, fuels with an annual demand, and emissions."""

    years: Sequence[int]
    fuels: Sequence[str]
    emissions: Sequence[str]


@dataclass(frozen=True)
class Solution:
    """What was found.

    Attributes
    ----------
    objective : float
        Total discounted cost.
    results : Mapping[str, DataFrame]
        Tables of OSeMOSYS: those of `bridge.WANTED`; production and use by technology, fuel and year.
    life : Mapping[str, float]
        Of technologies [years].
    demand : DataFrame
        By fuel and year.
    """

    objective: float
    results: Mapping[str, pd.DataFrame]
    production: pd.DataFrame
    use: pd.DataFrame
    life: Mapping[str, float]
    demand: pd.DataFrame


def describe(options: Options, sets: Sets) -> tuple[tuple[Variable, ...], tuple[Variable, ...]]:
    """Return inputs and outputs."""
    year, fuel = {"year": tuple(sets.years)}, {"fuel": tuple(sets.fuels)}
    price = f"{options.money}/{options.energy}"
    inputs = {
        "annual_demand": Variable("annual_demand", options.energy, dims={**fuel, **year}, minimum=0.0),
        "discount_rate": Variable("discount_rate", "1", minimum=1e-4, maximum=0.99),
    }
    outputs = (
        Variable("objective", options.money),
        Variable("base_demand", options.energy, dims={**fuel, **year}, minimum=0.0),
        Variable("levelised_cost", price, minimum=0.0),
        Variable("levelised_tax", price, minimum=0.0),
        Variable("electricity_cost", price, dims=year, minimum=0.0),
        Variable("electricity_tax", price, dims=year, minimum=0.0),
        Variable("energy_cost_index", "1", dims=year, minimum=0.0),
        Variable("carbon_tax_revenue", options.money, dims=year, minimum=0.0),
        Variable("emissions", options.mass, dims={"emission": tuple(sets.emissions), **year}),
    )
    return tuple(inputs[name] for name in options.coupled), outputs


def demand_of(values: FloatArray, sets: Sets) -> pd.DataFrame:
    """Return an array of demand, of shape (n_fuels, n_years), as a table."""
    places = pd.MultiIndex.from_product([sets.fuels, sets.years], names=["fuel", "year"])
    return pd.Series(np.asarray(values, dtype=np.float64).ravel(), index=places, name="VALUE").reset_index()


def answers(options: Options, sets: Sets, solution: Solution, rate: float) -> dict[str, FloatArray]:
    """Return all outputs of a solution.

    Parameters
    ----------
    options : Options
    sets : Sets
    solution : Solution
    rate : float
        At which investments are paid and costs levelised: the discount rate that was solved with [1/year].
    """
    results = bridge.read(solution.results)
    series = bridge.to_macro(solution.results, rate, solution.life, options.carbon_tax)
    emission = results["AnnualTechnologyEmission"]
    produced = frames.aggregate(solution.production, ["technology"])
    electricity = produced[produced["fuel"] == options.electricity].drop(columns="fuel")
    if electricity.empty:
        raise InvalidValueError(f"nothing makes {options.electricity}", "electricity")
    outputs: dict[str, FloatArray] = {
        "objective": np.asarray(solution.objective),
        "base_demand": bridge.dense(solution.demand, {"fuel": sets.fuels, "year": sets.years}),
        "energy_cost_index": np.array(series.energy_cost_index),
        "carbon_tax_revenue": np.array(series.carbon_tax_revenue),
        "emissions": bridge.dense(
            frames.aggregate(emission, ["technology"]), {"emission": sets.emissions, "year": sets.years}
        ),
    }
    for name, paid in (
        ("cost", bridge.annual_cost(results, rate, solution.life)),
        ("tax", bridge.carbon_tax(emission, options.carbon_tax)),
    ):
        unit = bridge.unit_cost(paid, solution.production, solution.use)
        price = unit[unit["fuel"] == options.electricity].drop(columns="fuel")
        outputs[f"electricity_{name}"] = bridge.dense(price, {"year": sets.years})
        outputs[f"levelised_{name}"] = np.asarray(bridge.levelised(price, electricity, rate))
    return outputs
