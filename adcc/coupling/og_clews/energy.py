"""An OSeMOSYS case in the YAML of tz-osemosys as a component, solved by HiGHS."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from adcc.core.export import require
from adcc.core.model import FloatArray
from adcc.coupling.component import Variable
from adcc.coupling.og_clews import bridge, exchange
from adcc.coupling.og_clews.exchange import Sets, Solution
from adcc.errors import ComponentError, InvalidValueError

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
    given = exchange.checked(Options, options)
    return exchange.describe(given, _own(_load(given))[0])


def solve(inputs: Mapping[str, FloatArray], options: Mapping[str, Any]) -> dict[str, FloatArray]:
    """Solve the case in the working directory.

    Parameters
    ----------
    inputs : Mapping[str, FloatArray]
        ``annual_demand`` by fuel and year, ``discount_rate`` [1/year]: those that are coupled.
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
    given = exchange.checked(Options, options)
    content = _load(given)
    sets, base, own_rate = _own(content)
    rate = float(inputs.get("discount_rate", given.discount_rate or own_rate))
    if "annual_demand" in inputs:
        wanted = bridge.clews_input(exchange.demand_of(inputs["annual_demand"], sets), base, rate)
        for fuel in content["commodities"]:
            rows = zip(wanted.fuel, wanted.year, wanted.SpecifiedAnnualDemand, strict=True)
            scaled = {year: value for name, year, value in rows if name == fuel["id"]}
            fuel.update({"demand_annual": scaled} if scaled else {})
    found = solution(build(content, rate, given.carbon_tax), base)
    _save(found)
    return exchange.answers(given, sets, found, rate)


def build(content: dict[str, Any], rate: float, tax: Mapping[str, float]) -> Any:
    """Return the case as a model of tz-osemosys, at a discount rate and with a carbon tax."""
    from tz.osemosys import Model

    content["discount_rate"] = rate
    for impact in content["impacts"]:
        if impact["id"] in tax:
            impact["penalty"] = tax[impact["id"]]
    absent = set(tax) - {impact["id"] for impact in content["impacts"]}
    if absent:
        raise InvalidValueError(f"carbon_tax: the case has no emission {', '.join(sorted(absent))}", "carbon_tax")
    return Model(**content)


def solution(model: Any, demand: pd.DataFrame) -> Solution:
    """Solve a model by HiGHS.

    Raises
    ------
    ComponentError
        When there is no optimal solution.
    """
    status, condition = model.solve(solver_name="highs", solution_vars=list(_RESULTS), threads=1)
    if status != "ok":
        raise ComponentError(f"HiGHS found no optimal solution: {condition}")
    solved = model.solution
    tables = {name: _table(solved[name]) for name in bridge.WANTED}
    split = model._data["YearSplit"]  # of no name outside
    made, used = (
        _table((solved[f"RateOf{name}ByTechnology"] * split).sum("TIMESLICE")) for name in ("Production", "Use")
    )
    life = model._data["OperationalLife"].isel(REGION=0).to_series().to_dict()
    return Solution(float(np.sum(model.objective)), tables, made, used, life, demand)


def _table(array: Any) -> pd.DataFrame:
    long = array.rename("VALUE").to_series().dropna().reset_index().rename(columns=_NAMES)
    return long.groupby([name for name in long if name not in ("region", "VALUE")], as_index=False)["VALUE"].sum()


def _save(found: Solution) -> None:
    Path("results").mkdir()
    for name, table in (*found.results.items(), ("Production", found.production), ("Use", found.use)):
        table.rename(columns=str.upper).to_csv(Path("results") / f"{name}.csv", index=False)


def _own(content: Mapping[str, Any]) -> tuple[Sets, pd.DataFrame, float]:
    """Return the case's own sets, annual demand by fuel and year, and discount rate."""
    from tz.osemosys import Model

    data = Model(**copy.deepcopy(dict(content))).to_xr_ds()
    both = data["SpecifiedAnnualDemand"].fillna(0) + data["AccumulatedAnnualDemand"].fillna(0)
    demand = _table(both)
    fuels = [fuel for fuel in data["FUEL"].values.tolist() if demand[demand["fuel"] == fuel]["VALUE"].sum() > 0]
    sets = Sets([int(year) for year in data["YEAR"].values], fuels, data["EMISSION"].values.tolist())
    demand = demand[demand["fuel"].isin(fuels)].astype({"year": int}).reset_index(drop=True)
    return sets, demand, float(data["DiscountRate"].values.ravel()[0])


def _load(options: Options) -> dict[str, Any]:
    require("tz.osemosys", "ogclews")
    from tz.osemosys.io.load_model import load_cfg

    try:
        content: dict[str, Any] = load_cfg(options.case)
    except Exception as error:  # of YAML, of its expressions: of any kind
        raise InvalidValueError(f"{options.case} cannot be read: {error}", "case") from error
    missing = {"time_definition", "regions", "commodities", "impacts", "technologies"} - set(content)
    if missing:
        raise InvalidValueError(f"{options.case} has no {', '.join(sorted(missing))}", "case")
    return content
