"""What every energy model of the coupling takes and gives, whichever program solves it."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trivium.coupling import frames
from trivium.coupling.og_clews import bridge
from trivium.coupling.og_clews.schemas import LEAST_DEMAND
from trivium.errors import InvalidValueError
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable

Rate = Annotated[float, Field(gt=0, lt=1)]


class Options(BaseModel):
    """What a case file says of an energy model.

    Attributes
    ----------
    coupled : list of str
        Inputs that come from elsewhere, another component or a study; the others are the case's own.
    discount_rate : float, optional
        In place of the case's own [1/year].
    carbon_tax : dict of str to float
        By emission, or by a pattern of emissions, all years, in place of the case's own [money/mass].
    electricity : str
        The fuel whose levelised cost is returned.
    fuels : list of str
        Further fuels whose levelised cost, and shadow price where the solver has one, are returned.
    technologies : list of str
        Patterns of the technologies whose cost is the index; see `bridge.cost_index`.
    sinks : bool
        Whether the whole system may take up more of an emission than it emits.
    energy, money, mass : str
        Units of the case.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    coupled: list[Literal["annual_demand", "demand_factor", "discount_rate", "carbon_tax"]] = []
    discount_rate: Rate | None = None
    carbon_tax: dict[str, Annotated[float, Field(ge=0)]] = {}
    electricity: str = "ELC"
    fuels: list[str] = []
    technologies: list[str] = ["*"]
    sinks: bool = False
    energy: str = "PJ"
    money: str = "MUSD"
    mass: str = "Mt"


_Options = TypeVar("_Options", bound=BaseModel)
_Energy = TypeVar("_Energy", bound=Options)


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
    """Over what an energy model is defined: its years, fuels with an annual demand, emissions and technologies."""

    years: Sequence[int]
    fuels: Sequence[str]
    emissions: Sequence[str]
    technologies: Sequence[str]


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
    shadow : DataFrame, optional
        What another unit of annual demand costs in its year, by fuel and year, where the solver says so.
    """

    objective: float
    results: Mapping[str, pd.DataFrame]
    production: pd.DataFrame
    use: pd.DataFrame
    life: Mapping[str, float]
    demand: pd.DataFrame
    shadow: pd.DataFrame | None = None


def describe(
    options: Options, sets: Sets, *, shadow: bool = False
) -> tuple[tuple[Variable, ...], tuple[Variable, ...]]:
    """Return inputs and outputs; `shadow` says whether there are shadow prices."""
    year, fuel = {"year": tuple(sets.years)}, {"fuel": tuple(sets.fuels)}
    price = f"{options.money}/{options.energy}"
    inputs = {
        "annual_demand": Variable("annual_demand", options.energy, dims={**fuel, **year}, minimum=0.0),
        "demand_factor": Variable("demand_factor", "1", dims=fuel, minimum=LEAST_DEMAND),
        "discount_rate": Variable("discount_rate", "1", minimum=1e-4, maximum=0.99),
        "carbon_tax": Variable(
            "carbon_tax", f"{options.money}/{options.mass}", dims={"emission": tuple(sets.emissions)}, minimum=0.0
        ),
    }
    outputs: tuple[Variable, ...] = (
        Variable("objective", options.money),
        Variable("base_demand", options.energy, dims={**fuel, **year}, minimum=0.0),
        Variable("levelised_cost", price, minimum=0.0),
        Variable("levelised_tax", price, minimum=0.0),
        Variable("electricity_cost", price, dims=year, minimum=0.0),
        Variable("electricity_tax", price, dims=year, minimum=0.0),
        Variable("energy_cost_index", "1", dims=year, minimum=0.0),
        Variable("carbon_tax_revenue", options.money, dims=year, minimum=0.0),
        Variable("emissions", options.mass, dims={"emission": tuple(sets.emissions), **year}),
        Variable("discounted_cost", options.money, dims={"technology": tuple(sets.technologies)}),
    )
    if options.fuels:
        fuels = {"fuel": tuple(options.fuels)}
        outputs += (Variable("fuel_cost", price, dims=fuels),)
        outputs += (Variable("shadow_price", price, dims={**fuels, **year}),) if shadow else ()
    return tuple(inputs[name] for name in options.coupled), outputs


def taxed(options: _Energy, inputs: Mapping[str, FloatArray], sets: Sets) -> _Energy:
    """Return options with the carbon tax by emission: that of the inputs, or of the emissions that patterns name."""
    if "carbon_tax" in inputs:
        return options.model_copy(
            update={"carbon_tax": dict(zip(sets.emissions, map(float, inputs["carbon_tax"]), strict=True))}
        )
    tax: dict[str, float] = {}
    for pattern, value in options.carbon_tax.items():
        tax |= dict.fromkeys(fnmatch.filter(sets.emissions, pattern) or [pattern], value)
    return options.model_copy(update={"carbon_tax": tax})


def demand_from(inputs: Mapping[str, FloatArray], sets: Sets, base: pd.DataFrame) -> pd.DataFrame | None:
    """Return annual demand by fuel and year as inputs say; None where it is the case's own, the base."""
    if not {"annual_demand", "demand_factor"} & inputs.keys():
        return None
    demand = demand_of(inputs["annual_demand"], sets) if "annual_demand" in inputs else base
    factor = pd.Series(inputs.get("demand_factor", np.ones(len(sets.fuels))), index=pd.Index(sets.fuels))
    return demand.assign(VALUE=demand["VALUE"] * demand["fuel"].map(factor))


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
    emission = results["AnnualTechnologyEmission"]
    bridge.check_tax(options.carbon_tax, sets.emissions)
    cost = bridge.annual_cost(results, rate, solution.life)
    tax = bridge.carbon_tax(emission, options.carbon_tax)
    index = bridge.cost_index(cost, technologies=options.technologies)
    total = bridge.emissions(emission, sinks=options.sinks)
    years = {"year": sets.years}
    outputs: dict[str, FloatArray] = {
        "objective": np.asarray(solution.objective),
        "base_demand": bridge.dense(solution.demand, {"fuel": sets.fuels, **years}),
        "energy_cost_index": bridge.dense(index, years),
        "carbon_tax_revenue": bridge.dense(frames.aggregate(tax, ["technology"]), years),
        "emissions": bridge.dense(total, {"emission": sets.emissions, **years}),
        "discounted_cost": bridge.dense(
            bridge.discounted_cost(results, rate, sets.years[0]), {"technology": sets.technologies}
        ),
    }
    produced = frames.aggregate(solution.production, ["technology"])
    unit = {name: bridge.unit_cost(paid, solution.production, solution.use)
            for name, paid in (("cost", cost), ("tax", tax))}  # fmt: skip
    for name, price in unit.items():
        electricity = _of(price, options.electricity, "electricity")
        outputs[f"electricity_{name}"] = bridge.dense(electricity, years)
        quantity = _of(produced, options.electricity, "electricity")
        outputs[f"levelised_{name}"] = np.asarray(bridge.levelised(electricity, quantity, rate))
    if options.fuels:
        outputs["fuel_cost"] = np.array(
            [bridge.levelised(_of(unit["cost"], f, "fuels"), _of(produced, f, "fuels"), rate) for f in options.fuels]
        )
        if solution.shadow is not None:
            outputs["shadow_price"] = bridge.dense(solution.shadow, {"fuel": options.fuels, **years})
    return outputs


def _of(frame: pd.DataFrame, fuel: str, option: str) -> pd.DataFrame:
    found = frame[frame["fuel"] == fuel].drop(columns="fuel")
    if found.empty:
        raise InvalidValueError(f"{option}: nothing makes {fuel}", option)
    return found
