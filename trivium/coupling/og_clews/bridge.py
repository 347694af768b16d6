"""Between an energy model, in technologies, fuels and emissions, and a macro-economic one, in industries, by years.

There: what a technology costs a year is its investment as equal payments over its life, its fixed and its variable
operating cost, and what is paid for trade; what a fuel costs is what its makers cost, the fuels that they use
included. Back: annual demand by the elasticity of each sector, and the discount rate. Costs are real payments: a
carbon tax is kept apart from them.

Where OSeMOSYS has a region, results of all regions are put together. Prices come from what fuels cost (`unit_cost`) or
from the solver's shadow prices (`undiscounted`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from trivium.coupling import frames, schema, tables
from trivium.coupling.og_clews.schemas import ClewsInputSchema, OgCoreInputSchema
from trivium.coupling.tables import normalise
from trivium.coupling.transform import Table, Transform, apply
from trivium.errors import InvalidValueError
from trivium.model.contract import FloatArray

#: Tables of OSeMOSYS by name, as frames or as CSV files; or the folder that has them, such as MUIO's ``csv``.
Results = Mapping[str, pd.DataFrame | Path | str] | Path | str
#: Results of OSeMOSYS that are read, and their dimensions here; Trade besides is wanted where there is any.
WANTED = {
    "CapitalInvestment": ("technology", "year"),
    "AnnualFixedOperatingCost": ("technology", "year"),
    "AnnualVariableOperatingCost": ("technology", "year"),
    "AnnualTechnologyEmission": ("technology", "emission", "year"),
}
_CHAIN: TypeAdapter[list[Transform]] = TypeAdapter(list[Transform])
#: Technologies that an error names, and the digits below which a negative emission is rounding.
_NAMED, _ROUNDING = 5, 1e-6


def read(results: Results) -> dict[str, pd.DataFrame]:
    """Return results in one form: OSeMOSYS's or MUIO's columns become ours, regions are summed.

    Raises
    ------
    InvalidValueError
        Naming the result, column and row.
    """
    frame_by_name = {}
    if isinstance(results, str | Path):
        every = tables.read_folder(results)
        results = {name: every[name] for name in (*WANTED, "Trade") if name in every}
    for name, source in results.items():
        table = normalise(source, name) if isinstance(source, pd.DataFrame) else tables.read(source)
        if name == "Trade":
            frame_by_name[name] = table
            continue
        dims = WANTED.get(name)
        surplus = [dim for dim in frames.dims(table) if dim == "region" or (dims and dim not in dims)]
        frame_by_name[name] = frames.aggregate(table, surplus) if surplus else table
        if dims:
            schema.check(frame_by_name[name], name, dims=dims)
    return frame_by_name


def annual_cost(
    results: Mapping[str, pd.DataFrame],
    rate: float,
    life: Mapping[str, float],
    price: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Return what each technology costs a year, and each traded fuel as ``TRADE-<fuel>``.

    Parameters
    ----------
    results : Mapping[str, DataFrame]
        As `read` gives them, in one currency.
    rate : float
        Interest rate of the payments for investments.
    life : Mapping[str, float]
        Of technologies [years].
    price : Mapping[str, float], optional
        Of traded fuels; exports earn what imports cost.

    Returns
    -------
    DataFrame
        By technology and year.
    """
    missing = [name for name in list(WANTED)[:3] if name not in results]
    if missing:
        raise InvalidValueError(f"there is no result {', '.join(missing)}", missing[0])
    # a table without zeros may end with the last investment, before what is paid for it does
    last = max(int(results[name]["year"].max()) for name in list(WANTED)[:3] if len(results[name]))
    cost = frames.annualise(results["CapitalInvestment"], rate, life, until=last)
    for name in list(WANTED)[1:3]:
        cost = frames.add(cost, results[name])
    if "Trade" not in results:
        return cost
    bought = net_import(results["Trade"])
    bought = bought[bought["VALUE"] != 0].reset_index(drop=True)
    paid = bought["fuel"].map(price or {})
    frames.refuse(bought, "fuel", paid.isna(), "is traded and has no price")
    trade = pd.DataFrame(
        {"technology": "TRADE-" + bought["fuel"], "year": bought["year"], "VALUE": bought["VALUE"] * paid}
    )
    return frames.add(cost, trade)


def discounted_cost(results: Mapping[str, pd.DataFrame], rate: float, base: int) -> pd.DataFrame:
    """Return what each technology costs in all years, discounted to the base year, without salvage values.

    As in OSeMOSYS, investments are paid at the beginnings of years and operating costs in their middle.
    """
    operating = frames.add(results["AnnualFixedOperatingCost"], results["AnnualVariableOperatingCost"])
    halfway = frames.discount(operating, rate, base).assign(VALUE=lambda table: table["VALUE"] / (1 + rate) ** 0.5)
    return frames.aggregate(frames.add(frames.discount(results["CapitalInvestment"], rate, base), halfway), ["year"])


def net_import(trade: pd.DataFrame) -> pd.DataFrame:
    """Return imports less exports by fuel and year; OSeMOSYS counts what leaves a region as positive."""
    schema.check(trade, "Trade", integers=("year",))
    frames.need(trade, ["fuel", "year"])
    total = frames.aggregate(trade, [dim for dim in frames.dims(trade) if dim not in ("fuel", "year")])
    return total.assign(VALUE=-total["VALUE"])


def unit_cost(cost: pd.DataFrame, production: pd.DataFrame, use: pd.DataFrame) -> pd.DataFrame:
    """Return what fuels cost, each year: the average over their makers, with the fuels that those use.

    A technology's cost k_t and the fuels u_tg that it uses are shared between the fuels p_tf that it makes by their
    energy, s_tf = p_tf / p_t. Then c_f P_f = sum over technologies t of s_tf (k_t + sum over fuels g of u_tg c_g), P_f
    being all production of f: the price model of input-output analysis (Miller and Blair, Input-Output Analysis, 2009,
    section 2.6), solved for c.

    Parameters
    ----------
    cost : DataFrame
        By technology and year.
    production, use : DataFrame
        By technology, fuel and year.

    Returns
    -------
    DataFrame
        By fuel and year; fuels that nobody makes in a year are left out.
    """
    technologies = sorted({*cost["technology"], *production["technology"], *use["technology"]})
    fuels = sorted({*production["fuel"], *use["fuel"]})
    years = sorted({*production["year"]})
    k = dense(cost, {"technology": technologies, "year": years})
    p = dense(production, {"year": years, "technology": technologies, "fuel": fuels})
    u = dense(use, {"year": years, "technology": technologies, "fuel": fuels})
    made = p.sum(axis=2, keepdims=True)
    share = np.divide(p, made, out=np.zeros_like(p), where=made > 0)
    total = p.sum(axis=1)
    system = np.einsum("yf,fg->yfg", total, np.eye(len(fuels))) - np.einsum("ytf,ytg->yfg", share, u)
    absent = total <= 0
    system[absent] = np.eye(len(fuels))[np.nonzero(absent)[1]]
    spent = np.einsum("ytf,ty->yf", share, k)
    price = np.linalg.solve(system, np.where(absent, 0.0, spent)[..., None])[..., 0]
    table = pd.DataFrame(
        {"fuel": np.tile(fuels, len(years)), "year": np.repeat(years, len(fuels)), "VALUE": price.ravel()}
    )
    return table[~absent.ravel()].reset_index(drop=True)


def levelised(unit: pd.DataFrame, quantity: pd.DataFrame, rate: float) -> float:
    """Return the levelised cost: present value of all cost over that of all quantity, both at the years' ends.

    Parameters
    ----------
    unit, quantity : DataFrame
        Cost of a unit, and units, by year.
    rate : float
    """
    base = int(quantity["year"].min())
    weight = frames.discount(quantity, rate, base)
    paid = frames.combine(weight, unit, "multiply")
    return float(paid["VALUE"].sum() / weight["VALUE"].sum())


def undiscounted(dual: pd.DataFrame, rate: float, base: int) -> pd.DataFrame:
    """Return shadow prices of a year's money, of the duals of an objective that is discounted to the base year.

    What is paid during a year is discounted from its middle, as in OSeMOSYS. MUIO's own tables of duals are
    undiscounted already.

    Parameters
    ----------
    dual : DataFrame
        By year, and any other dimension.
    rate : float
    base : int
        First year of the model.
    """
    return dual.assign(VALUE=dual["VALUE"] * (1 + rate) ** (dual["year"] - base + 0.5))


def emissions(emission: pd.DataFrame, *, sinks: bool = False) -> pd.DataFrame:
    """Return emissions by emission and year, checked.

    Parameters
    ----------
    emission : DataFrame
        By technology, emission and year. A technology may take up what others emit.
    sinks : bool
        Whether a whole system may take up more than it emits.

    Raises
    ------
    InvalidValueError
        When it does and must not; naming emission, year and technologies.
    """
    total = frames.aggregate(emission, ["technology"])
    wrong = total[total["VALUE"] < -_ROUNDING]
    if wrong.empty or sinks:
        return total
    name, year, value = wrong.iloc[0][["emission", "year", "VALUE"]]
    named = _least(emission[(emission["emission"] == name) & (emission["year"] == year)])
    reason = f"emissions of {name} in {year} are negative, {value:.6g}, because of {named}"
    raise InvalidValueError(f"{reason}; where land takes up more than is emitted, say sinks", "sinks")


def carbon_tax(emission: pd.DataFrame, tax: Mapping[str, float]) -> pd.DataFrame:
    """Return what technologies pay a year for what they emit.

    Parameters
    ----------
    emission : DataFrame
        By technology, emission and year.
    tax : Mapping[str, float]
        By emission; others are free.
    """
    paid = emission.assign(VALUE=emission["VALUE"] * emission["emission"].map(tax).fillna(0.0))
    return frames.aggregate(paid, ["emission"])


def to_macro(
    results: Results,
    rate: float,
    life: Mapping[str, float],
    tax: Mapping[str, float],
    price: Mapping[str, float] | None = None,
    base: int | None = None,
    *,
    technologies: Sequence[str] = ("*",),
    sinks: bool = False,
) -> OgCoreInputSchema:
    """Return the series that a macro-economic model wants.

    Parameters
    ----------
    results : Mapping[str, DataFrame], or a folder
        Results of OSeMOSYS in either style; costs in one currency.
    rate, life, price
        As in `annual_cost`.
    tax : Mapping[str, float]
        As in `carbon_tax`.
    base : int, optional
        Year of which the cost index is 1; by default the first.
    technologies : sequence of str
        Patterns such as ``PWR*`` of the technologies whose cost is the index: where the case has land or water too,
        those that make energy.
    sinks : bool
        As in `emissions`.

    Returns
    -------
    OgCoreInputSchema
        Years; the cost of the energy system as an index; revenue from the carbon tax.

    Raises
    ------
    InvalidValueError
        When a taxed emission is not there, or the cost or an emission is negative; naming the technologies.
    """
    frame_by_name = read(results)
    emission = frame_by_name.get("AnnualTechnologyEmission")
    if emission is None:
        raise InvalidValueError("there is no result AnnualTechnologyEmission", "AnnualTechnologyEmission")
    check_tax(tax, set(emission["emission"]))
    emissions(emission, sinks=sinks)
    index = cost_index(annual_cost(frame_by_name, rate, life, price), base, technologies)
    paid = frames.aggregate(carbon_tax(emission, tax), ["technology"])
    revenue = index[["year"]].merge(paid, on="year", how="left").fillna({"VALUE": 0.0})
    return OgCoreInputSchema(
        years=index["year"].tolist(),
        energy_cost_index=index["VALUE"].tolist(),
        carbon_tax_revenue=revenue["VALUE"].tolist(),
    )


def check_tax(tax: Mapping[str, float], present: Collection[str]) -> None:
    """Refuse a tax on an emission that is not there: it would be a tax on nothing.

    Raises
    ------
    InvalidValueError
        Naming the emission, and those that are there.
    """
    absent = sorted(set(tax) - set(present))
    if absent:
        rest = f"; it has: {', '.join(sorted(present)) or 'none'}"
        raise InvalidValueError(f"carbon_tax: the case has no emission {', '.join(absent)}{rest}", "carbon_tax")


def cost_index(cost: pd.DataFrame, base: int | None = None, technologies: Sequence[str] = ("*",)) -> pd.DataFrame:
    """Return the cost of a system by year, divided by that of a base year.

    Parameters
    ----------
    cost : DataFrame
        By technology and year.
    base, technologies
        As in `to_macro`.

    Raises
    ------
    InvalidValueError
        When the cost of a year is not above zero; naming the technologies that earn the most.
    """
    mask = [any(fnmatchcase(name, pattern) for pattern in technologies) for name in cost["technology"]]
    chosen = cost[mask]
    if chosen.empty:
        raise InvalidValueError(f"no technology is called {' or '.join(technologies)}", "technologies")
    total = frames.aggregate(chosen, ["technology"]).sort_values("year")
    wrong = total[total["VALUE"] <= 0]
    if not wrong.empty:
        year, value = wrong.iloc[0][["year", "VALUE"]]
        named = _least(chosen[chosen["year"] == year])
        reason = f"the energy cost index has no meaning: in {year:.0f} all costs together are {value:.6g}"
        mend = "say by technologies which are the energy system"
        raise InvalidValueError(f"{reason}, because of {named}; {mend}", "technologies")
    return frames.index(total, int(total["year"].iloc[0]) if base is None else base)


def _least(frame: pd.DataFrame) -> str:
    """Return the technologies with the least values, in words."""
    each = frame.groupby("technology")["VALUE"].sum().sort_values()
    negative = each[each < 0]
    named = ", ".join(f"{name} ({value:.6g})" for name, value in negative.head(_NAMED).items())
    return named + (f" and {len(negative) - _NAMED} more" if len(negative) > _NAMED else "") or "costs of zero"


def to_energy(
    demand: pd.DataFrame,
    ratio: Mapping[str, float],
    elasticity: Mapping[str, float],
    interest: float | Sequence[float],
) -> ClewsInputSchema:
    """Return what an energy model wants of a macro-economic one.

    Annual demand is scaled and not its profile within the year: in OSeMOSYS the profile is shares of the year that add
    up to 1, so scaling it would break it, or change nothing.

    Parameters
    ----------
    demand : DataFrame
        Of the base, in either style, by sector (a fuel) and year.
    ratio : Mapping[str, float]
        Activity of reform to base, by sector.
    elasticity : Mapping[str, float]
        Of demand to activity, by sector.
    interest : float or sequence of float
        Annual interest rate; of several the mean.
    """
    base = read({"SpecifiedAnnualDemand": demand})["SpecifiedAnnualDemand"]
    activity = pd.DataFrame({"fuel": list(ratio), "VALUE": [float(value) for value in ratio.values()]})
    chain = [{"kind": "elasticity", "of": dict(elasticity), "dim": "fuel"}]
    response = apply(_CHAIN.validate_python(chain), Table(activity, "1")).frame
    return clews_input(frames.combine(base, response, "multiply"), base, float(np.mean(interest)))


def clews_input(demand: pd.DataFrame, base: pd.DataFrame, rate: float) -> ClewsInputSchema:
    """Return demand by fuel and year, beside its ratio to the base, and the discount rate, checked.

    What is zero in the base stays zero.

    Raises
    ------
    InvalidValueError
        Naming column and row.
    """
    both = demand.merge(base.rename(columns={"VALUE": "base"}), on=["fuel", "year"], how="left")
    none = ~(both["base"] > 0)
    frames.refuse(both, "fuel", none & (both["VALUE"] != 0), "has no demand in the base")
    ratio = (both["VALUE"] / both["base"].mask(none)).fillna(1.0)
    table = both.rename(columns={"VALUE": "SpecifiedAnnualDemand"}).assign(ratio=ratio)
    return ClewsInputSchema.from_frame(table.drop(columns="base"), "annual demand", DiscountRate=rate)


def dense(frame: pd.DataFrame, axes: Mapping[str, Sequence[Any]]) -> FloatArray:
    """Return a table as an array over coordinates; what is not in the table is 0, what is elsewhere is left out."""
    array = np.zeros([len(at) for at in axes.values()])
    places = [pd.Index(at).get_indexer(frame[name]) for name, at in axes.items()]
    inside = np.all([place >= 0 for place in places], axis=0)
    np.add.at(array, tuple(place[inside] for place in places), frame["VALUE"].to_numpy()[inside])
    return array
