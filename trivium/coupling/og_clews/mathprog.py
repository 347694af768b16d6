"""A classic OSeMOSYS case as a component: a model in GNU MathProg and its data, solved by GLPK, CBC or HiGHS.

GLPK's ``glpsol`` generates the linear program, once: that takes most of the time. The solver returns what is built and
what runs, from which all results follow here in the same way for every version of the model (long, short, fast, and
those of MUIO), with the parameters that `mathdata` reads from the data. GLPK's files for other solvers lack the
constant of the objective, which is no small thing: the fixed cost of all residual capacity. glpsol prints it, and it is
added to what solvers return.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field

from trivium.coupling import frames
from trivium.coupling.og_clews import bridge, exchange, optimum, otoole
from trivium.coupling.og_clews.exchange import Sets, Solution
from trivium.coupling.og_clews.mathdata import Data, Declarations, Parameter, without_comments
from trivium.errors import InvalidValueError
from trivium.experiment.runner import STDOUT, run
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable

#: Parameters of OSeMOSYS that results follow from.
_PARAMETERS = (
    "DiscountRate",
    "YearSplit",
    "SpecifiedAnnualDemand",
    "AccumulatedAnnualDemand",
    "SpecifiedDemandProfile",
    "OperationalLife",
    "ResidualCapacity",
    "CapitalCost",
    "FixedCost",
    "VariableCost",
    "InputActivityRatio",
    "OutputActivityRatio",
    "EmissionActivityRatio",
    "EmissionsPenalty",
)
_CONSTANT = re.compile(r"constant term (\S+) ignored")
_MODEL, _DATA, _MPS = "model.mod", "data.dat", "model.mps"


class Options(exchange.Options):
    """What a case file says; see `exchange.Options`.

    Attributes
    ----------
    model, data : str
        The model in MathProg and its data; or a folder of otoole's CSV files, or its ``datapackage.json``.
    config : str
        otoole's configuration, where the data is a folder or a package.
    solver : {"cbc", "glpsol", "highs"}
    timeout : float
        Longest time of each program [s].
    """

    model: str
    data: str
    config: str = "config.yaml"
    solver: Literal["cbc", "glpsol", "highs"] = "cbc"
    timeout: Annotated[float, Field(gt=0)] = 3600.0


@dataclass(frozen=True)
class Case:
    """A model and its data.

    Attributes
    ----------
    model : str
        Without comments.
    declared : Declarations
    data : Data
    parameters : Mapping[str, Parameter]
        Those of `_PARAMETERS`.
    """

    model: str
    declared: Declarations
    data: Data
    parameters: Mapping[str, Parameter]

    @classmethod
    def read(cls, model: str, data: str, label: str) -> Case:
        """Read a model and its data, given as texts without comments.

        Raises
        ------
        InvalidValueError
            When the model is no OSeMOSYS, or the data cannot be read.
        """
        declared = Declarations.read(model)
        missing = [name for name in _PARAMETERS if name not in declared.parameters]
        if missing:
            raise InvalidValueError(f"the model is no OSeMOSYS: it has no parameter {', '.join(missing)}", "model")
        case = cls.of(model, declared, Data(data, label, declared))
        if not (case.years and case.rate):
            raise InvalidValueError(f"{label} has no years", "data")
        return case

    @classmethod
    def of(cls, model: str, declared: Declarations, data: Data) -> Case:
        """Return the case of a model with other data."""
        return cls(model, declared, data, {name: data.parameter(name) for name in _PARAMETERS})

    @property
    def rate(self) -> float:
        """The discount rate.

        Raises
        ------
        InvalidValueError
            When regions differ.
        """
        rates = self.everywhere("DiscountRate")["VALUE"].unique()
        if len(rates) != 1 or not rates[0] > 0:
            raise InvalidValueError("all regions must have one DiscountRate, above 0", "data")
        return float(rates[0])

    @property
    def demand(self) -> pd.DataFrame:
        """Annual demand by fuel and year, of the fuels that have any."""
        names = ("SpecifiedAnnualDemand", "AccumulatedAnnualDemand")
        total = frames.aggregate(frames.add(*map(self.everywhere, names)), ["region"])
        fuels = list(dict.fromkeys(total[total["VALUE"] != 0]["fuel"]))
        every = pd.MultiIndex.from_product([fuels, self.years], names=["fuel", "year"])
        return total.set_index(["fuel", "year"])["VALUE"].reindex(every, fill_value=0.0).reset_index()

    @property
    def years(self) -> list[int]:
        """The years of the case, in order."""
        return sorted(int(year) for year in self.data.coordinates("year"))

    @property
    def sets(self) -> Sets:
        """What the case is defined over."""
        ratio = self.parameters["EmissionActivityRatio"].table
        emissions = sorted(ratio[ratio["VALUE"] != 0]["emission"].unique())
        technologies = [str(name) for name in self.data.coordinates("technology")]
        return Sets(self.years, list(dict.fromkeys(self.demand["fuel"])), emissions, technologies)

    @property
    def life(self) -> dict[str, float]:
        """Lives of technologies [years]."""
        life = self.parameters["OperationalLife"]
        known = life.table.groupby("technology")["VALUE"].first().to_dict()
        return {str(name): float(known.get(name, life.default)) for name in self.data.coordinates("technology")}

    def everywhere(self, name: str) -> pd.DataFrame:
        """Return a parameter as a table, its default written out where that is not 0."""
        parameter = self.parameters[name]
        dims = self.declared.parameters[name]
        return parameter.everywhere({dim: self.data.coordinates(dim) for dim in dims} if parameter.default else {})

    def with_rate(self, rate: float) -> Case:
        """Return the case at another discount rate: also that of each technology, and what follows from both."""
        regions = self.data.coordinates("region")
        data = self.data.replaced("DiscountRate", pd.DataFrame({"region": regions, "VALUE": rate}), rate)
        life = pd.DataFrame({"technology": list(self.life), "VALUE": list(self.life.values())})
        each = {
            "DiscountRateIdv": pd.Series(rate, life.index),
            "CapitalRecoveryFactor": recovery(life["VALUE"], rate),  # MUIO's data has them ready
            "PvAnnuity": annuity(life["VALUE"], rate),
        }
        for name in filter(data.has, each):
            table = frames.expand(life.assign(VALUE=each[name]), "region", regions)
            data = data.replaced(name, table[["region", "technology", "VALUE"]])
        return self.of(self.model, self.declared, data)

    def with_demand(self, ratio: pd.DataFrame) -> Case:
        """Return the case with annual demand times a ratio by fuel and year, in all regions alike."""
        data = self.data
        for name in ("SpecifiedAnnualDemand", "AccumulatedAnnualDemand"):
            base = self.everywhere(name)
            if len(base):
                scaled = base.merge(ratio.rename(columns={"VALUE": "ratio"}), on=["fuel", "year"], how="left")
                table = base.assign(VALUE=base["VALUE"] * scaled["ratio"].fillna(1.0).to_numpy())
                data = data.replaced(name, table)
        return self.of(self.model, self.declared, data)

    def with_tax(self, tax: Mapping[str, float]) -> Case:
        """Return the case with other penalties of some emissions, the same in all regions and years."""
        bridge.check_tax(tax, self.sets.emissions)
        base = self.everywhere("EmissionsPenalty")
        taxed = pd.DataFrame({"emission": list(tax), "VALUE": [float(value) for value in tax.values()]})
        table = frames.expand(frames.expand(taxed, "region", self.data.coordinates("region")), "year", self.years)
        dims = list(self.declared.parameters["EmissionsPenalty"])
        rest = base[~base["emission"].isin(list(tax))]
        return self.of(self.model, self.declared, self.data.replaced(
            "EmissionsPenalty", pd.concat([table, rest], ignore_index=True)[[*dims, "VALUE"]]
        ))  # fmt: skip

    def solve(self, solver: optimum.Solver, timeout: float, *, duals: bool = False) -> tuple[optimum.Optimum, float]:
        """Generate the linear program in the working directory and solve it; return the constant of the objective too.

        Raises
        ------
        ComponentError
            When a program is not there, fails, or finds no optimal solution.
        """
        Path(_MODEL).write_text(re.split(r"\bsolve\s*;|\bend\s*;", self.model, maxsplit=1)[0] + "\nend;\n")
        Path(_DATA).write_text(self.data.text)
        log = Path(STDOUT)
        start = log.stat().st_size if log.exists() else 0
        run(["glpsol", "-m", _MODEL, "-d", _DATA, "--wfreemps", _MPS, "--check"], Path(), timeout)
        with log.open("rb") as printed:
            printed.seek(start)
            found = _CONSTANT.findall(printed.read().decode(errors="replace"))
        return optimum.solve(Path(_MPS), solver, timeout, duals=duals), float(found[-1]) if found else 0.0


def recovery(life: pd.Series, rate: float) -> pd.Series:
    """Return OSeMOSYS's CapitalRecoveryFactor: payments at the beginnings of the years of a life."""
    return (1 - (1 + rate) ** -1.0) / (1 - (1 + rate) ** -life)


def annuity(life: pd.Series, rate: float) -> pd.Series:
    """Return OSeMOSYS's PvAnnuity: the present value of a payment of 1 at the beginnings of the years of a life."""
    return (1 - (1 + rate) ** -life) * (1 + rate) / rate


def describe(options: Mapping[str, Any]) -> tuple[tuple[Variable, ...], tuple[Variable, ...]]:
    """Return inputs and outputs; model and data are in the working directory."""
    parsed = exchange.checked(Options, options)
    return exchange.describe(parsed, _read(parsed).sets, shadow=True)


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
        See `exchange.describe`.

    Raises
    ------
    InvalidValueError
        Naming the option, or the column and row, that is wrong.
    ComponentError
        When a program is not there, fails, or finds no optimal solution.
    """
    parsed = exchange.checked(Options, options)
    case = _read(parsed)
    parsed = exchange.taxed(parsed, inputs, case.sets)
    changed = with_inputs(case, inputs, parsed)
    optimal, constant = changed.solve(parsed.solver, parsed.timeout, duals=bool(parsed.fuels))
    found = solution(changed, optimal, constant, case.demand, shadow=bool(parsed.fuels))
    return exchange.answers(parsed, case.sets, found, changed.rate)


def with_inputs(case: Case, inputs: Mapping[str, FloatArray], options: exchange.Options) -> Case:
    """Return a case with what comes from elsewhere and what options replace.

    Raises
    ------
    InvalidValueError
        Naming the option, or the column and row, that is wrong.
    """
    changed, rate = case, inputs.get("discount_rate", options.discount_rate)
    if rate is not None:
        changed = changed.with_rate(float(rate))
    demand = exchange.demand_from(inputs, case.sets, case.demand)
    if demand is not None:
        wanted = bridge.clews_input(demand, case.demand, changed.rate)
        ratio = pd.DataFrame({"fuel": wanted.fuel, "year": wanted.year, "VALUE": wanted.ratio})
        changed = changed.with_demand(ratio)
    return changed.with_tax(options.carbon_tax) if options.carbon_tax else changed


def solution(
    case: Case, optimal: optimum.Optimum, constant: float, demand: pd.DataFrame, *, shadow: bool = False
) -> Solution:
    """Return all results that follow from what is built and what runs.

    Parameters
    ----------
    case : Case
        As it was solved.
    optimal : Optimum
        Has the variables NewCapacity and RateOfActivity.
    constant : float
        Of the objective.
    demand : DataFrame
        Of the base, by fuel and year.
    shadow : bool
        Whether shadow prices are wanted.
    """
    built, rate = (optimal.table(name, case.declared.variables[name]) for name in ("NewCapacity", "RateOfActivity"))
    parameters = case.parameters
    activity = frames.aggregate(parameters["YearSplit"].times(rate), ["timeslice"])
    running = {name: frames.aggregate(parameters[name].times(activity), ["mode_of_operation"])
               for name in ("VariableCost", "EmissionActivityRatio")}  # fmt: skip
    results = {
        "CapitalInvestment": parameters["CapitalCost"].times(built),
        "AnnualFixedOperatingCost": parameters["FixedCost"].times(_capacity(built, case)),
        "AnnualVariableOperatingCost": running["VariableCost"],
        "AnnualTechnologyEmission": running["EmissionActivityRatio"],
    }
    made, used = (
        frames.aggregate(parameters[f"{side}ActivityRatio"].times(activity), ["mode_of_operation", "region"])
        for side in ("Output", "Input")
    )
    prices = shadow_prices(case, optimal) if shadow else None
    return Solution(optimal.objective + constant, results, made, used, case.life, demand, prices)


def shadow_prices(case: Case, optimal: optimum.Optimum) -> pd.DataFrame:
    """Return what another unit of annual demand would cost in its year, by fuel and year.

    A unit more is distributed over the year, and between the balances of time slices and of the year, as the case's
    demand is; for a fuel without demand evenly over the year. Regions are averaged by their demand.

    Raises
    ------
    InvalidValueError
        When the solver has no duals, or the model no balances of OSeMOSYS's names.
    """
    _, constraints = optimal.kinds()
    if not any(name.startswith("EBa11_") for name in constraints):
        reason = "the model has no constraint EBa11" if constraints else "a case with whole numbers has no duals"
        raise InvalidValueError(f"fuels: there are no shadow prices: {reason}", "fuels")
    weight = _weights(case)
    parts = []
    for start, dims in (("EBa11_", ("region", "timeslice", "fuel", "year")), ("EBb4_", ("region", "fuel", "year"))):
        share = Parameter(weight["timeslice" in dims])
        parts += [share.times(optimal.dual(name, dims)) for name in constraints if name.startswith(start)]
    each = pd.concat([part[["fuel", "year", "VALUE"]] for part in parts], ignore_index=True)
    total = each.groupby(["fuel", "year"], sort=False, as_index=False)["VALUE"].sum()
    return bridge.undiscounted(total, case.rate, case.years[0])


def _weights(case: Case) -> dict[bool, pd.DataFrame]:
    """Return the share of a unit of annual demand in the balances of the year, and in those of time slices."""
    annual = case.everywhere("AccumulatedAnnualDemand")
    sliced = case.parameters["SpecifiedDemandProfile"].times(case.everywhere("SpecifiedAnnualDemand"))
    idle = [fuel for fuel in case.data.coordinates("fuel") if fuel not in set(case.demand["fuel"])]
    regions = case.data.coordinates("region")
    even = case.everywhere("YearSplit")
    for dim, coordinates in (("fuel", idle), ("region", regions)):
        even = frames.expand(even, dim, coordinates)
    sliced = pd.concat([sliced, even[list(sliced.columns)]], ignore_index=True)
    total = pd.concat([sliced, annual]).groupby(["fuel", "year"])["VALUE"].sum().rename("total").reset_index()
    shares = {}
    for within, frame in ((True, sliced), (False, annual)):
        both = frame.merge(total, on=["fuel", "year"])
        positive = both[both["total"] > 0]
        shares[within] = positive.assign(VALUE=positive["VALUE"] / positive["total"]).drop(columns="total")
    # the balance of the year holds for fuels without demand too
    every = frames.expand(total[total["fuel"].isin(idle)].rename(columns={"total": "VALUE"}), "region", regions)
    share = every.assign(VALUE=1 / len(regions))[list(annual.columns)]
    shares[False] = pd.concat([shares[False], share], ignore_index=True)
    return shares


def _capacity(built: pd.DataFrame, case: Case) -> pd.DataFrame:
    years = pd.DataFrame({"at": case.years})
    life = case.parameters["OperationalLife"]
    lives = life.times(built.assign(VALUE=1.0)).rename(columns={"VALUE": "life"})
    standing = built.merge(lives).merge(years, how="cross")
    age = standing["at"] - standing["year"]
    standing = standing[(age >= 0) & (age < standing["life"])]
    active = standing.drop(columns=["year", "life"]).rename(columns={"at": "year"})
    places = ["region", "technology", "year"]
    total = active.groupby(places, as_index=False)["VALUE"].sum()
    return frames.add(total[[*places, "VALUE"]], case.everywhere("ResidualCapacity"))


def _read(options: Options) -> Case:
    model = without_comments(options.model)
    if otoole.is_case(Path(options.data)):
        data = otoole.data_text(Path(options.data), Path(options.config), Declarations.read(model))
    else:
        data = without_comments(options.data)
    return Case.read(model, data, options.data)
