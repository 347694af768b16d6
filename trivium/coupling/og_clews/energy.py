"""An OSeMOSYS case in the YAML of tz-osemosys as a component, solved by HiGHS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trivium.coupling.og_clews import bridge, exchange
from trivium.coupling.og_clews.exchange import Sets, Solution
from trivium.coupling.og_clews.schemas import ClewsInputSchema
from trivium.errors import ComponentError, InvalidValueError
from trivium.extras import require
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable

_RESULTS = (*bridge.WANTED, "RateOfProductionByTechnology", "RateOfUseByTechnology")
_NAMES = {"REGION": "region", "TECHNOLOGY": "technology", "FUEL": "fuel", "EMISSION": "emission", "YEAR": "year"}


class Options(exchange.Options):
    """What a case file says; see `exchange.Options`.

    Attributes
    ----------
    case : str
        The YAML file.
    """

    case: str


def describe(options: Mapping[str, Any]) -> tuple[tuple[Variable, ...], tuple[Variable, ...]]:
    """Return inputs and outputs; the case's file is in the working directory."""
    parsed = exchange.checked(Options, options)
    return exchange.describe(parsed, Case.read(parsed.case).sets)


def solve(inputs: Mapping[str, FloatArray], options: Mapping[str, Any]) -> dict[str, FloatArray]:
    """Solve the case in the working directory.

    Parameters
    ----------
    inputs : Mapping[str, FloatArray]
        Those that are coupled; see `exchange.describe`.
    options : Mapping[str, Any]
        See `Options`.

    Returns
    -------
    dict of str to FloatArray
        See `exchange.describe`. ``results/`` has the tables.

    Raises
    ------
    InvalidValueError
        Naming the option, or the column and row, that is wrong.
    ComponentError
        When there is no optimal solution.
    MissingExtraError
        When tz-osemosys is not installed.
    """
    parsed = exchange.checked(Options, options)
    case = Case.read(parsed.case)
    parsed = exchange.taxed(parsed, inputs, case.sets)
    if parsed.electricity not in case.data["FUEL"]:
        raise InvalidValueError(f"electricity: the case has no fuel {parsed.electricity}", "electricity")
    rate = float(inputs.get("discount_rate", parsed.discount_rate or case.rate))
    case.set_rate(rate)
    case.set_tax(parsed.carbon_tax)
    demand = exchange.demand_from(inputs, case.sets, case.demand)
    if demand is not None:
        case.set_demand(bridge.clews_input(demand, case.demand, rate))
    optimum = solution(case)
    _save(optimum)
    return exchange.answers(parsed, case.sets, optimum, rate)


@dataclass(frozen=True)
class Case:
    """A case as tz-osemosys holds it: reading one takes it longer than solving it, so the parameters are changed here.

    Attributes
    ----------
    model : tz.osemosys.Model
    data : xarray.Dataset
        Its parameters by OSeMOSYS's names.
    single_rate : bool
        Whether technologies have no cost of capital of their own, which then is the discount rate.
    demand : DataFrame
        The case's own annual demand by fuel and year.
    rate : float
        The case's own discount rate [1/year].
    """

    model: Any
    data: Any
    single_rate: bool
    sets: Sets
    demand: pd.DataFrame
    rate: float

    @classmethod
    def read(cls, name: str) -> Case:
        """Read a file in the working directory.

        Raises
        ------
        InvalidValueError
            When it is no case.
        """
        require("tz.osemosys", "ogclews")
        from tz.osemosys import Model
        from tz.osemosys.io.load_model import load_cfg

        try:
            content = load_cfg(name)
            model = Model(**content)
            data = model.to_xr_ds()
        except Exception as error:  # of YAML, of its expressions, of schemas: of any kind
            raise InvalidValueError(f"{name} cannot be read: {error}", "case") from error
        demand = _table(data["SpecifiedAnnualDemand"].fillna(0) + data["AccumulatedAnnualDemand"].fillna(0))
        asked = demand.groupby("fuel")["VALUE"].sum()
        fuels = [fuel for fuel in data["FUEL"].values.tolist() if asked[fuel] > 0]
        years, technologies = [int(year) for year in data["YEAR"].values], data["TECHNOLOGY"].values.tolist()
        sets = Sets(years, fuels, data["EMISSION"].values.tolist(), technologies)
        rates = np.unique(data["DiscountRate"].values)
        if len(rates) != 1:
            raise InvalidValueError(f"{name}: all regions must have one discount_rate", "case")
        positive = demand[demand["fuel"].isin(fuels)].reset_index(drop=True)
        return cls(model, data, content.get("cost_of_capital") is None, sets, positive, float(rates[0]))

    def set_rate(self, rate: float) -> None:
        """Set the discount rate."""
        for name in ("DiscountRate", "DiscountRateIdv")[: 1 + self.single_rate]:
            self.data[name] = self.data[name] * 0 + rate

    def set_tax(self, tax: Mapping[str, float]) -> None:
        """Set the penalties of emissions, the same in all years.

        Raises
        ------
        InvalidValueError
            When there is no such emission.
        """
        for emission, value in tax.items():
            if emission not in self.sets.emissions:
                raise InvalidValueError(f"carbon_tax: the case has no emission {emission}", "carbon_tax")
            penalty = self.data["EmissionsPenalty"].fillna(0.0)
            self.data["EmissionsPenalty"] = penalty.where(penalty["EMISSION"] != emission, value)

    def set_demand(self, demand: ClewsInputSchema) -> None:
        """Scale annual demand, in all regions alike."""
        places = pd.MultiIndex.from_arrays([demand.fuel, demand.year], names=["FUEL", "YEAR"])
        ratio = pd.Series(demand.ratio, index=places).to_xarray()
        for name in ("SpecifiedAnnualDemand", "AccumulatedAnnualDemand"):
            base = self.data[name]
            self.data[name] = (base * ratio.reindex_like(base["FUEL"]).fillna(1.0)).transpose(*base.dims)

    def build(self) -> Any:
        """Return the model with its linear program made."""
        self.model._data = self.data
        self.model._build_model()
        return self.model


def solution(case: Case) -> Solution:
    """Solve a case by HiGHS.

    Raises
    ------
    ComponentError
        When there is no optimal solution.
    """
    model = case.build()
    status, condition = model.solve(solver_name="highs", solution_vars=list(_RESULTS), threads=1, io_api="direct")
    if status != "ok":
        raise ComponentError(f"HiGHS found no optimal solution: {condition}")
    solved, split = model.solution, case.data["YearSplit"]
    tables = {name: _table(solved[name]) for name in bridge.WANTED}
    made, used = (
        _table((solved[f"RateOf{name}ByTechnology"] * split).sum("TIMESLICE")) for name in ("Production", "Use")
    )
    life = case.data["OperationalLife"].isel(REGION=0).to_series().to_dict()
    return Solution(float(np.sum(model.objective)), tables, made, used, life, case.demand)


def _table(array: Any) -> pd.DataFrame:
    long = array.rename("VALUE").to_series().dropna().reset_index().rename(columns=_NAMES)
    return long.groupby([name for name in long if name not in ("region", "VALUE")], as_index=False)["VALUE"].sum()


def _save(optimum: Solution) -> None:
    Path("results").mkdir(exist_ok=True)
    for name, table in (*optimum.results.items(), ("Production", optimum.production), ("Use", optimum.use)):
        table.rename(columns=str.upper).to_csv(Path("results") / f"{name}.csv", index=False)
