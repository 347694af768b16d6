"""A classic OSeMOSYS case as a component: a model in GNU MathProg and its data, solved by GLPK, CBC or HiGHS.

GLPK's ``glpsol`` reads both, says what the parameters are and writes the linear program; the solver answers what is
built and what runs, from which all results follow here in the same way for every version of the model (long, short,
fast). Neither of GLPK's files for other solvers holds the constant of the objective, which is no small thing: the fixed
cost of all residual capacity. It is a remark in the one that is read for it, and added to what solvers answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from trivium.coupling import frames, tables
from trivium.coupling.og_clews import bridge, exchange, optimum
from trivium.coupling.og_clews.exchange import Sets, Solution
from trivium.errors import ComponentError, InvalidValueError
from trivium.experiment.runner import run
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable

#: Parameters of OSeMOSYS that results follow from, and the sets that they are of.
_PARAMETERS = {
    "DiscountRate": "r",
    "YearSplit": "ly",
    "SpecifiedAnnualDemand": "rfy",
    "AccumulatedAnnualDemand": "rfy",
    "OperationalLife": "rt",
    "ResidualCapacity": "rty",
    "CapitalCost": "rty",
    "FixedCost": "rty",
    "VariableCost": "rtmy",
    "InputActivityRatio": "rtfmy",
    "OutputActivityRatio": "rtfmy",
    "EmissionActivityRatio": "rtemy",
    "EmissionsPenalty": "rey",
}
_SETS = {
    "r": "REGION",
    "t": "TECHNOLOGY",
    "f": "FUEL",
    "e": "EMISSION",
    "m": "MODE_OF_OPERATION",
    "l": "TIMESLICE",
    "y": "YEAR",
}
_ACTIVITY = ("region", "timeslice", "technology", "mode_of_operation", "year")
_COMMENT = re.compile(r"/\*.*?\*/|\"[^\"\n]*\"|'[^'\n]*'|#[^\n]*", re.DOTALL)
_CONSTANT = re.compile(r"\\\* constant term = (\S+) \*\\")
_PLACE, _DATA, _LP, _MPS = "model.mod", "data.dat", "model.lp", "model.mps"


class Options(exchange.Options):
    """What a case file says; see `exchange.Options`.

    Attributes
    ----------
    model, data : str
        The model in MathProg and its data.
    solver : {"cbc", "glpsol", "highs"}
    timeout : float
        Longest time of each program [s].
    """

    model: str
    data: str
    solver: Literal["cbc", "glpsol", "highs"] = "cbc"
    timeout: Annotated[float, Field(gt=0)] = 3600.0


def describe(options: Mapping[str, Any]) -> tuple[tuple[Variable, ...], tuple[Variable, ...]]:
    """Return inputs and outputs; model and data are in the working directory."""
    parsed = exchange.checked(Options, options)
    parameters = _generate(parsed, _without_comments(parsed.data))
    return exchange.describe(parsed, _sets(parameters, _demand(parameters)))


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
        See `exchange.describe`.

    Raises
    ------
    InvalidValueError
        Naming the option, or the column and row, that is wrong.
    ComponentError
        When a program is not there, fails, or finds no optimal solution.
    """
    parsed = exchange.checked(Options, options)
    text = _without_comments(parsed.data)
    parameters = _generate(parsed, text)
    demand = _demand(parameters)
    sets = _sets(parameters, demand)
    rates = parameters["DiscountRate"]["VALUE"]
    rate = float(inputs.get("discount_rate", parsed.discount_rate or rates.iloc[0]))
    text = _replaced(text, "DiscountRate", pd.DataFrame(), rate)
    if "annual_demand" in inputs:
        coupled = bridge.clews_input(exchange.demand_of(inputs["annual_demand"], sets), demand, rate)
        ratio = pd.DataFrame({"fuel": coupled.fuel, "year": coupled.year, "VALUE": coupled.ratio})
        for name in ("SpecifiedAnnualDemand", "AccumulatedAnnualDemand"):
            base = parameters[name][parameters[name]["fuel"].isin(sets.fuels)]
            text = _replaced(text, name, frames.combine(base, ratio, "multiply"))
    if parsed.carbon_tax:
        text = _replaced(text, "EmissionsPenalty", _penalty(parameters, parsed.carbon_tax))
    changed = _generate(parsed, text)
    optimal = optimum.solve(Path(_MPS), parsed.solver, parsed.timeout)
    return exchange.answers(parsed, sets, solution(changed, optimal, objective_constant(Path(_LP)), demand), rate)


def objective_constant(path: Path) -> float:
    """Return the constant of the objective, which GLPK writes as a remark into a file in CPLEX's format."""
    with path.open() as lines:
        for line in lines:
            match = _CONSTANT.match(line)
            if match:
                return float(match[1])
            if line.startswith("Subject To"):
                break
    return 0.0


def solution(
    parameters: Mapping[str, pd.DataFrame], optimal: optimum.Optimum, constant: float, demand: pd.DataFrame
) -> Solution:
    """Return all results that follow from what is built and what runs.

    Parameters
    ----------
    parameters : Mapping[str, DataFrame]
        Parameters of the case; those that are not in a table are 0.
    optimal : Optimum
        Has the variables NewCapacity and RateOfActivity.
    constant : float
        Of the objective.
    demand : DataFrame
        Of the base, by fuel and year.
    """
    built = optimal.table("NewCapacity", ("region", "technology", "year"))
    rate = optimal.table("RateOfActivity", _ACTIVITY)
    activity = frames.aggregate(_times(rate, parameters["YearSplit"]), ["timeslice"])
    results = {
        "CapitalInvestment": _times(built, parameters["CapitalCost"]),
        "AnnualFixedOperatingCost": _times(_capacity(built, parameters), parameters["FixedCost"]),
        "AnnualVariableOperatingCost": frames.aggregate(
            _times(activity, parameters["VariableCost"]), ["mode_of_operation"]
        ),
        "AnnualTechnologyEmission": frames.aggregate(
            _times(activity, parameters["EmissionActivityRatio"]), ["mode_of_operation"]
        ),
    }
    made, used = (
        frames.aggregate(_times(activity, parameters[f"{side}ActivityRatio"]), ["mode_of_operation", "region"])
        for side in ("Output", "Input")
    )
    life = parameters["OperationalLife"].groupby("technology")["VALUE"].first().to_dict()
    return Solution(optimal.objective + constant, results, made, used, life, demand)


def _capacity(built: pd.DataFrame, parameters: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    years = pd.DataFrame({"at": parameters["YearSplit"]["year"].unique()})
    standing = built.merge(parameters["OperationalLife"].rename(columns={"VALUE": "life"})).merge(years, how="cross")
    age = standing["at"] - standing["year"]
    standing = standing[(age >= 0) & (age < standing["life"])]
    active = standing.drop(columns=["year", "life"]).rename(columns={"at": "year"})
    places = ["region", "technology", "year"]
    total = active.groupby(places, as_index=False)["VALUE"].sum()
    return frames.add(total[[*places, "VALUE"]], parameters["ResidualCapacity"])


def _times(frame: pd.DataFrame, parameter: pd.DataFrame) -> pd.DataFrame:
    """Return a product; where the parameter has no row it is 0, and so is the product."""
    shared = [name for name in frames.dims(frame) if name in parameter.columns]
    both = frame.merge(parameter.rename(columns={"VALUE": "by"}), on=shared)
    return both.assign(VALUE=both["VALUE"] * both["by"])[[*[n for n in both if n not in ("VALUE", "by")], "VALUE"]]


def _generate(options: Options, data: str) -> dict[str, pd.DataFrame]:
    """Let glpsol read model and data and write the linear program; return the parameters."""
    model = _without_comments(options.model)
    declared = set(re.findall(r"\bparam\s+(\w+)", model))
    missing = [name for name in _PARAMETERS if name not in declared]
    if missing:
        raise InvalidValueError(f"{options.model} is no OSeMOSYS: it has no parameter {', '.join(missing)}", "model")
    statements = "\n".join(_table(name, letters) for name, letters in _PARAMETERS.items())
    before, solving, after = re.split(r"(\bsolve\s*;|\bend\s*;|\Z)", model, maxsplit=1)
    Path(_PLACE).write_text(f"{before}\n{statements}\n{solving}{after}")
    Path(_DATA).write_text(data)
    for name in _PARAMETERS:
        Path(f"{name}.csv").unlink(missing_ok=True)
    argv = ["glpsol", "-m", _PLACE, "-d", _DATA, "--wlp", _LP, "--wfreemps", _MPS, "--check"]
    run(argv, Path(), options.timeout)
    parameters = {name: tables.read(Path(f"{name}.csv")) for name in _PARAMETERS}
    if parameters["DiscountRate"]["VALUE"].nunique() != 1:
        raise InvalidValueError(f"{options.data}: all regions must have one DiscountRate, above 0", "data")
    return parameters


def _table(name: str, letters: str) -> str:
    domain = ", ".join(f"{letter}_ in {_SETS[letter]}" for letter in letters)
    place = f"{name}[{','.join(f'{letter}_' for letter in letters)}]"
    columns = ", ".join(f"{letter}_ ~ {_SETS[letter]}" for letter in letters)
    return f'table trivium_{name} {{{domain}: {place} <> 0}} OUT "CSV" "{name}.csv": {columns}, {place} ~ VALUE;'


def _sets(parameters: Mapping[str, pd.DataFrame], demand: pd.DataFrame) -> Sets:
    years = sorted(int(year) for year in parameters["YearSplit"]["year"].unique())
    emissions = sorted(parameters["EmissionActivityRatio"]["emission"].unique())
    return Sets(years, list(dict.fromkeys(demand["fuel"])), emissions)


def _demand(parameters: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    both = frames.add(parameters["SpecifiedAnnualDemand"], parameters["AccumulatedAnnualDemand"])
    total = frames.aggregate(both, ["region"])
    fuels, years = list(dict.fromkeys(total["fuel"])), sorted(parameters["YearSplit"]["year"].unique())
    every = pd.MultiIndex.from_product([fuels, years], names=["fuel", "year"])
    return total.set_index(["fuel", "year"])["VALUE"].reindex(every, fill_value=0.0).reset_index()


def _penalty(parameters: Mapping[str, pd.DataFrame], tax: Mapping[str, float]) -> pd.DataFrame:
    ratio = parameters["EmissionActivityRatio"]
    absent = set(tax) - set(ratio["emission"])
    if absent:
        raise InvalidValueError(f"carbon_tax: the case has no emission {', '.join(sorted(absent))}", "carbon_tax")
    places = ratio[["region", "emission", "year"]].drop_duplicates()
    taxed = places[places["emission"].isin(list(tax))]
    untaxed = parameters["EmissionsPenalty"][~parameters["EmissionsPenalty"]["emission"].isin(list(tax))]
    return pd.concat([taxed.assign(VALUE=taxed["emission"].map(tax)), untaxed], ignore_index=True)


def _replaced(data: str, name: str, table: pd.DataFrame, default: float = 0.0) -> str:
    """Return data with another table for a parameter."""
    statement = re.compile(rf"\bparam\s+(?:default\s+\S+\s*:\s*)?{name}\b[^;]*;")
    rows = "\n".join(" ".join(map(_token, row)) for row in table.itertuples(index=False))
    changed, times = statement.subn(f"param {name} default {default!r} :=\n{rows}\n;", data, count=1)
    if not times:
        raise InvalidValueError(f"the data has no parameter {name} of its own statement", "data")
    return changed


def _token(value: Any) -> str:
    return (
        repr(float(value))
        if isinstance(value, float | np.floating)
        else f"'{value}'"
        if isinstance(value, str)
        else str(value)
    )


def _without_comments(name: str) -> str:
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ComponentError(f"{name} cannot be read: {error}") from error
    return _COMMENT.sub(lambda match: match[0] if match[0][0] in "\"'" else " ", text)
