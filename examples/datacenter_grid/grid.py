"""An electricity system whose price follows demand, and an operator who follows the price.

The system is an invented region: its figures are round numbers in the usual range, no forecast of any market. Plants
are dispatched, and new ones built, at least cost over representative weeks: a linear program, solved by HiGHS. The
fleet of a technology is no single plant but a range of them, from the most to the least efficient, offered in blocks.
Between blocks offers are interpolated, as day-ahead exchanges do it, so that the price is continuous in demand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

HOURS_A_YEAR = 8760.0
#: Technologies that burn something: capacity that is there [MW], marginal cost of the best and the worst plant
#: [EUR/MWh], number of blocks, cost of new capacity a year [EUR/(MW a)], emissions [t/MWh].
THERMAL = {
    "nuclear": (900.0, 12.0, 14.0, 1, np.inf, 0.0),
    "coal": (700.0, 48.0, 62.0, 6, np.inf, 0.90),
    "gas": (1200.0, 66.0, 92.0, 10, 90e3, 0.36),
    "peaker": (500.0, 118.0, 165.0, 8, 55e3, 0.55),
}
#: Technologies that the weather drives: capacity that is there [MW], cost of new capacity a year [EUR/(MW a)].
WEATHER = {"wind": (900.0, 115e3), "solar": (700.0, 62e3)}
#: What a megawatt hour that is not served costs [EUR/MWh].
UNSERVED = 3000.0
#: Curtailing costs nothing, but a hair more than nothing, so that the answer is one.
CURTAILED = 1e-3


def profiles(weeks: Mapping[str, Mapping[str, float]]) -> dict[str, np.ndarray]:
    """Return demand of the region without its data centres, and what wind and sun give of a megawatt, by hour.

    Parameters
    ----------
    weeks : Mapping
        Of each representative week: ``day`` of the year and number of ``hours``.

    Returns
    -------
    dict
        ``demand`` [MW], ``wind`` and ``solar`` [MW/MW], all weeks one after the other.
    """
    rng = np.random.default_rng(20240501)
    found: dict[str, list[np.ndarray]] = {"demand": [], "wind": [], "solar": []}
    for week in weeks.values():
        hour = np.arange(int(week["hours"]))
        season = np.cos(2 * np.pi * (week["day"] + hour / 24 - 15) / 365)  # 1 in the middle of January
        day = 1 + 0.16 * np.sin(2 * np.pi * (hour % 24 - 9) / 24) + 0.07 * np.sin(4 * np.pi * (hour % 24 - 6) / 24)
        working = np.where(hour // 24 % 7 < 5, 1.0, 0.88)
        found["demand"].append(2100 * (1 + 0.12 * season) * day * working)
        gusts = np.empty(len(hour))
        level = 0.0
        for i, shock in enumerate(rng.standard_normal(len(hour))):
            level = 0.95 * level + 0.31 * shock
            gusts[i] = level
        found["wind"].append(1 / (1 + np.exp(-(-0.9 + 0.5 * season + 1.3 * gusts))))
        height = np.sin(2 * np.pi * (hour % 24 - 6) / 24) * (0.75 - 0.35 * season)
        found["solar"].append(np.maximum(height, 0.0) * 0.9)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def dispatch(inputs: Mapping[str, np.ndarray], options: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Find the cheapest system that serves the region and its data centres.

    Parameters
    ----------
    inputs : Mapping
        ``cooling_<week>`` [MW], shape (hours,): electricity for cooling one data centre; ``heat_<week>`` [MWh]: what
        its computers turn into heat over the week.
    options : Mapping
        ``sites``: data centres in the region; ``weeks``: of each ``day``, ``hours`` and ``share`` of the year.

    Returns
    -------
    dict
        ``price_<week>`` [EUR/MWh], shape (hours,); ``cooling`` [MWh/a] of one data centre; ``mean_price`` [EUR/MWh];
        ``emissions`` [t/a] and ``new_capacity`` [MW] of the system.
    """
    weeks, sites = options["weeks"], float(options["sites"])
    given = profiles(weeks)
    cooling = np.concatenate([inputs[f"cooling_{name}"] for name in weeks])
    hours = [int(week["hours"]) for week in weeks.values()]
    computing = np.concatenate(
        [np.full(n, float(inputs[f"heat_{name}"]) / n) for name, n in zip(weeks, hours, strict=True)]
    )
    # how many hours of a year an hour stands for
    weight = np.concatenate(
        [np.full(n, week["share"] * HOURS_A_YEAR / n) for n, week in zip(hours, weeks.values(), strict=True)]
    )
    demand = given["demand"] + sites * (computing + cooling)
    capacities, generation = solve(demand, given, weight)
    price = prices(capacities, generation)
    burnt = sum(THERMAL[name][5] * generation[name].sum(axis=0) for name in THERMAL)
    split = np.split(price, np.cumsum(hours)[:-1])
    return {
        **{f"price_{name}": part for name, part in zip(weeks, split, strict=True)},
        "cooling": weight @ cooling,
        "mean_price": weight @ (price * demand) / (weight @ demand),
        "emissions": weight @ burnt,
        "new_capacity": np.array(sum(capacities[name] - _there(name) for name in capacities)),
    }


def solve(
    demand: np.ndarray, given: Mapping[str, np.ndarray], weight: np.ndarray
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Solve the linear program.

    Returns
    -------
    tuple of dict
        Capacity by technology [MW]; generation by technology [MW], shape (n_blocks, hours).

    Raises
    ------
    RuntimeError
        When HiGHS finds no optimum.
    """
    n = len(demand)
    new = [name for name in (*THERMAL, *WEATHER) if np.isfinite(_cost_of_new(name))]
    blocks = [(name, cost) for name in THERMAL for cost in offers(name)] + [(name, 0.0) for name in WEATHER]
    # unknowns: new capacities, blocks by hour, what is not served by hour
    cost = np.concatenate([[_cost_of_new(name) for name in new], *(weight * c for _, c in blocks), weight * UNSERVED])
    eye = sparse.identity(n)
    balance = sparse.hstack([sparse.csr_matrix((n, len(new))), *([eye] * (len(blocks) + 1))], format="csr")
    rows, limits = [], []
    for place, (name, _) in enumerate(blocks):
        share = given[name] if name in WEATHER else np.full(n, 1 / THERMAL[name][3])
        left = sparse.lil_matrix((n, len(new)))
        if name in new:
            left[:, new.index(name)] = -share.reshape(-1, 1)
        zeros = [sparse.csr_matrix((n, n))] * (len(blocks) + 1)
        zeros[place] = eye
        rows.append(sparse.hstack([left, *zeros], format="csr"))
        limits.append(share * _there(name))
    found = linprog(
        cost / cost.max(),
        A_ub=sparse.vstack(rows, format="csr"),
        b_ub=np.concatenate(limits),
        A_eq=balance,
        b_eq=demand,
        bounds=(0, None),
        method="highs",
    )
    if found.status != 0:
        raise RuntimeError(f"HiGHS: {found.message}")
    built = dict(zip(new, found.x[: len(new)], strict=True))
    capacities = {name: _there(name) + float(built.get(name, 0.0)) for name in (*THERMAL, *WEATHER)}
    table = found.x[len(new) : len(new) + len(blocks) * n].reshape(len(blocks), n)
    names = np.array([name for name, _ in blocks])
    return capacities, {name: table[names == name] for name in capacities}


def prices(capacities: Mapping[str, float], generation: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the price by hour [EUR/MWh]: the offer that thermal generation reaches, interpolated between blocks."""
    steps, costs = [0.0], [offers("nuclear")[0]]
    for name, (_, low, high, count, *_) in THERMAL.items():
        for block in range(count):
            steps.append(steps[-1] + capacities[name] / count)
            costs.append(low + (high - low) * (block + 1) / count)
    thermal = sum(generation[name].sum(axis=0) for name in THERMAL)
    return np.interp(thermal, steps, costs)


def offers(name: str) -> np.ndarray:
    """Return the marginal costs of a technology's blocks [EUR/MWh]: each the middle of its share of the range."""
    _, low, high, count, *_ = THERMAL[name]
    return low + (high - low) * (np.arange(count) + 0.5) / count


def operate(inputs: Mapping[str, np.ndarray], options: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Set the temperature of the chilled water by the price: warmer while it is high, colder while it is low.

    Parameters
    ----------
    inputs : Mapping
        ``price_<week>`` [EUR/MWh], shape (hours,).
    options : Mapping
        ``set_point`` [K]; ``swing``: how far from it the operator goes at most [K]; ``at``: the relative distance of
        the price from the week's mean at which that is reached; ``weeks``.

    Returns
    -------
    dict
        ``set_point_<week>`` [K], shape (hours,).
    """
    found = {}
    for name in options["weeks"]:
        price = inputs[f"price_{name}"]
        dear = (price / price.mean() - 1) / options["at"]
        found[f"set_point_{name}"] = options["set_point"] + options["swing"] * np.clip(dear, -1, 1)
    return found


def _there(name: str) -> float:
    return (THERMAL.get(name) or WEATHER[name])[0]


def _cost_of_new(name: str) -> float:
    return float(THERMAL[name][4]) if name in THERMAL else WEATHER[name][1]
