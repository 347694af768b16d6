"""OG-Core's default parameters at other dimensions: fewer ages, fewer ability groups, two industries.

`update_specifications` of OG-Core cannot shrink its dimensions, so its table of defaults is edited before it is read.
What is put together is averaged or summed as its meaning asks; what cannot be known of two industries is an option.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trivium.model.contract import FloatArray

#: Industries, and the goods that they make one for one; the last one makes capital too.
INDUSTRIES = ("energy", "goods")
#: Ages of OG-Core's defaults: one for each year of life from 20 to 99.
_AGES = 80
#: Periods of a transition path, and those between which the budget closes; OG-Core's of 320 take many hours.
_PERIODS, _CLOSE_FROM, _CLOSE_TO = 120, 10, 80


def defaults(path: Path, ages: int, groups: list[list[int]], industries: Mapping[str, list[float]]) -> dict[str, Any]:
    """Return OG-Core's table of default parameters at other dimensions.

    Parameters
    ----------
    path : Path
        Its ``default_parameters.json``.
    ages : int
        Ages of adult life, S; divides 80.
    groups : list of list of int
        Which of the seven ability groups go together, J of them.
    industries : Mapping[str, list of float]
        ``capital_share`` and ``expenditure_share`` by industry.

    Returns
    -------
    dict
        What `ogcore.parameters.Specifications.defaults` may be.
    """
    table: dict[str, Any] = json.loads(path.read_text())
    years = _AGES // ages
    share = _value(table, "lambdas")

    def by_age(name: str) -> FloatArray:
        values = _value(table, name)
        return values.reshape(ages, years, *values.shape[1:])

    def summed(name: str) -> FloatArray:
        by_years = by_age(name).sum(axis=1)
        return np.stack([by_years[:, group].sum(axis=1) for group in groups], axis=1)

    ability = by_age("e").mean(axis=1)
    dying = _value(table, "rho")[0].reshape(ages, years)
    even = np.full(ages, 1 / ages)
    per_group, per_industry = np.zeros((1, len(groups))), np.zeros(len(INDUSTRIES))
    reduced: dict[str, Any] = {
        "S": ages,
        "J": len(groups),
        "M": len(INDUSTRIES),
        "I": len(INDUSTRIES),
        "T": _PERIODS,
        "tG1": _CLOSE_FROM,
        "tG2": _CLOSE_TO,
        "lambdas": np.array([share[group].sum() for group in groups]),
        "e": np.stack([ability[:, group] @ share[group] / share[group].sum() for group in groups], axis=1),
        "rho": 1 - np.prod(1 - dying, axis=1)[None],
        **{name: summed(name) for name in ("eta", "eta_RM", "zeta")},
        **{name: _value(table, name)[[group[0] for group in groups]] for name in ("beta_annual", "chi_b")},
        **dict.fromkeys((f"{income}_income_tax_noncompliance_rate" for income in ("labor", "capital")), per_group),
        **dict.fromkeys(("income_tax_filer", "wealth_tax_filer", "replacement_rate_adjust"), per_group + 1),
        **{name: _value(table, name)[:, ::years] for name in ("etr_params", "mtrx_params", "mtry_params")},
        # constant demographics: OG-Core computes the population itself, from the death rates
        "constant_demographics": True,
        "omega": even[None],
        "omega_SS": even,
        "omega_S_preTP": even,
        "imm_rates": np.zeros((1, ages)),
        "g_n": np.zeros(1),
        "g_n_ss": 0.0,
        # industries
        "gamma": np.array(industries["capital_share"]),
        "alpha_c": np.array(industries["expenditure_share"]),
        "gamma_g": per_industry,
        "epsilon": per_industry + 1,
        "c_min": per_industry,
        "Z": per_industry[None] + 1,
        "io_matrix": np.eye(len(INDUSTRIES)),
    }
    for name, value in reduced.items():
        table[name]["value"] = [{"value": value.tolist() if isinstance(value, np.ndarray) else value}]
    return table


def _value(table: Mapping[str, Any], name: str) -> FloatArray:
    return np.array(table[name]["value"][0]["value"], dtype=np.float64)
