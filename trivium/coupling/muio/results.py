"""Results of a run as MUIO has them: ``res/<run>/csv``, and the files of ``view`` that its screens show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import orjson
import pandas as pd

from trivium.coupling import frames
from trivium.coupling.muio.parameters import read_json
from trivium.coupling.og_clews import bridge, optimum
from trivium.coupling.og_clews.mathprog import Case, recovery

#: MUIO's letter of a dimension, and what its view calls it.
_LETTERS = {
    "region": ("r", ""),
    "technology": ("t", "Tech"),
    "fuel": ("f", "Comm"),
    "emission": ("e", "Emi"),
    "storage": ("s", "Stg"),
    "constraint": ("cn", "Con"),
    "mode_of_operation": ("m", "MoId"),
    "timeslice": ("l", "Ts"),
    "year": ("y", ""),
}
_DIGITS = 4


class View(NamedTuple):
    """Where MUIO's screens look for a result: the file of ``view``, and the id in it."""

    group: str
    id: str


#: Variables of the model that MUIO shows.
VARIABLES: Mapping[str, View] = {
    "TotalTechnologyModelPeriodActivity": View("RT", "TTMPA"),
    "AccumulatedNewCapacity": View("RYT", "ANC"),
    "CapitalInvestment": View("RYT", "CI"),
    "AnnualFixedOperatingCost": View("RYT", "AFOC"),
    "AnnualVariableOperatingCost": View("RYT", "AVOC"),
    "NewCapacity": View("RYT", "NC"),
    "NumberOfNewTechnologyUnits": View("RYT", "NONTU"),
    "SalvageValue": View("RYT", "SV"),
    "TotalCapacityAnnual": View("RYT", "TCA"),
    "TechnologyEmissionsPenalty": View("RYT", "TEP"),
    "NewStorageCapacity": View("RYS", "NSC"),
    "AccumulatedNewStorageCapacity": View("RYS", "ANSC"),
    "SalvageValueStorage": View("RYS", "SVS"),
    "CapitalInvestmentStorage": View("RYS", "CIS"),
    "TotalAnnualTechnologyActivityByMode": View("RYTM", "TATABM"),
    "InputToNewCapacity": View("RYTC", "ITNC"),
    "InputToTotalCapacity": View("RYTC", "ITTC"),
    "AnnualTechnologyEmission": View("RYTE", "ATE"),
    "Demand": View("RYCTs", "D"),
    "AnnualTechnologyEmissionByMode": View("RYTEM", "ATEBM"),
    "EmissionByActivityChange": View("RYTEM", "EBAC"),
    "RateOfActivity": View("RYTMTs", "ROA"),
}
#: Results that follow from them.
DERIVED: Mapping[str, View] = {
    "AnnualizedInvestmentCost": View("RYT", "AIC"),
    "TotalStorageCapacity": View("RYS", "TSC"),
    "ProductionByTechnologyByMode": View("RYTCMTs", "PBT"),
    "RateOfProductionByTechnologyByMode": View("RYTCMTs", "ROPBT"),
    "UseByTechnologyByMode": View("RYTCMTs", "UBT"),
    "RateOfUseByTechnologyByMode": View("RYTCMTs", "ROUBT"),
}
#: Constraints whose duals MUIO shows, undiscounted, and what they are of.
DUALS: Mapping[str, tuple[View, tuple[str, ...]]] = {
    "E8_AnnualEmissionsLimit": (View("RYE", "AEL_d"), ("region", "emission", "year")),
    "EBb4_EnergyBalanceEachYear4_ICR": (View("RYC", "EB_d"), ("region", "fuel", "year")),
    "UDC1_UserDefinedConstraintInequality": (View("RYCn", "UDCI_d"), ("region", "constraint", "year")),
    "UDC2_UserDefinedConstraintEquality": (View("RYCn", "UDCE_d"), ("region", "constraint", "year")),
}
_OBJECTIVE = View("R", "OV")


def tables(case: Case, optimal: optimum.Optimum) -> Iterator[tuple[str, View, pd.DataFrame]]:
    """Return all results that MUIO shows: name, place in its view, and table.

    Parameters
    ----------
    case : Case
        As it was solved.
    optimal : Optimum
        With duals.
    """
    variables, constraints = optimal.kinds()
    found = {name: optimal.table(name, case.declared.variables[name], zeros=True)
             for name in variables if name in VARIABLES}  # fmt: skip
    for name, table in (*found.items(), *_derived(case, found)):
        yield name, VARIABLES.get(name) or DERIVED[name], table
    for name, (view, dims) in DUALS.items():
        if name in constraints:
            dual = optimal.dual(name, dims)
            yield name, view, bridge.undiscounted(dual, case.rate, case.years[0])


def _derived(case: Case, found: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, pd.DataFrame]]:
    rate = found["RateOfActivity"]
    rate = rate[rate["VALUE"] != 0]
    activity = case.parameters["YearSplit"].times(rate)
    for side, ratio in (("Production", "OutputActivityRatio"), ("Use", "InputActivityRatio")):
        for start, frame in (("", activity), ("RateOf", rate)):
            yield f"{start}{side}ByTechnologyByMode", case.parameters[ratio].times(frame)
    if "CapitalInvestment" in found:
        yield "AnnualizedInvestmentCost", _annualised(case, found["CapitalInvestment"])
    if "AccumulatedNewStorageCapacity" in found and case.data.has("ResidualStorageCapacity"):
        residual = case.data.parameter("ResidualStorageCapacity").table
        yield "TotalStorageCapacity", frames.add(found["AccumulatedNewStorageCapacity"], residual)


def _annualised(case: Case, investment: pd.DataFrame) -> pd.DataFrame:
    """Return investments as payments at the beginnings of the years of a life, at the rate of each technology."""
    own = case.data.parameter("DiscountRateIdv")
    rates = own.table.groupby("technology")["VALUE"].first().to_dict()
    parts = []
    for technology, rows in investment[investment["VALUE"] != 0].groupby("technology"):
        years = case.life[str(technology)]
        factor = float(recovery(pd.Series([years]), rates.get(technology, own.default))[0])
        offsets = frames.expand(rows.assign(VALUE=rows["VALUE"] * factor), "age", range(int(years)))
        parts.append(offsets.assign(year=offsets["year"] + offsets["age"]).drop(columns="age"))
    if not parts:
        return investment.iloc[:0]
    paid = pd.concat(parts)
    paid = paid[paid["year"] <= case.years[-1]]
    return paid.groupby(["region", "technology", "year"], as_index=False)["VALUE"].sum()


def write(case: Case, optimal: optimum.Optimum, folder: Path, run: str) -> None:
    """Write the results of a run into a case of MUIO, in its tables and for its screens.

    As there, the objective is the solver's, without the constant that GLPK leaves out, and figures have four digits.

    Parameters
    ----------
    case : Case
        As it was solved.
    optimal : Optimum
    folder : Path
        Of the case.
    run : str
    """
    csv = folder / "res" / run / "csv"
    csv.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"r": ["RE1"], "ObjectiveValue": [optimal.objective]}).to_csv(csv / "ObjectiveValue.csv", index=False)
    groups: dict[str, dict[str, list[dict[str, object]]]] = {
        _OBJECTIVE.group: {_OBJECTIVE.id: [{"ObjectiveValue": optimal.objective}]}
    }
    for name, view, table in tables(case, optimal):
        rounded = table.assign(VALUE=table["VALUE"].round(_DIGITS) + 0.0)
        letters = {dim: _LETTERS[dim][0] for dim in frames.dims(rounded)}
        rounded.rename(columns={**letters, "VALUE": name}).to_csv(csv / f"{name}.csv", index=False)
        groups.setdefault(view.group, {})[view.id] = _records(rounded, view.group)
    (folder / "view").mkdir(exist_ok=True)
    for group, by_id in groups.items():
        path = folder / "view" / f"{group}.json"
        content = read_json(path) if path.is_file() else {}
        for key, records in by_id.items():
            content.setdefault(key, {})[run] = records
        path.write_bytes(orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS))


def _records(table: pd.DataFrame, group: str) -> list[dict[str, object]]:
    """Return a table as MUIO's view has it: a record for each place, with a value for each year."""
    if group == "RT":
        return [dict(zip(table["technology"], table["VALUE"], strict=True))]
    places = [dim for dim in frames.dims(table) if _LETTERS[dim][1]]
    if table.empty:
        return []
    wide = table.pivot_table(index=places, columns="year", values="VALUE", aggfunc="sum", sort=False).fillna(0.0)
    columns = [str(year) for year in wide.columns]
    names = [_LETTERS[place][1] for place in places]
    records: list[dict[str, object]] = []
    for key, values in zip(wide.index.to_list(), wide.to_numpy(), strict=True):
        head = dict(zip(names, key if isinstance(key, tuple) else (key,), strict=True))
        records.append({**head, **dict(zip(columns, map(float, values), strict=True))})
    return records
