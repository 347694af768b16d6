"""OG-Core as a component: what an energy cost does to an economy of overlapping generations and two industries.

Each evaluation solves the base (energy at its base cost, no carbon tax), or takes it from the cache, and from it the
reform, as OG-Core is meant to be used; the answers are the reform's, and ratios of reform to base. `solve` is meant for
a process of its own: OG-Core prints, keeps global state, writes files where it runs, and its solves may fail.

How the ratio r of energy costs enters (``channel``), with the carbon tax t on top as a wedge on what households pay:

===================  ================================================================================================
``productivity``     Z_energy / r: energy takes r times the capital and labour
``consumption-tax``  1 + tau' = r (1 + tau) on energy that households buy
``all-industries``   Z_j / (1 + phi_j (r - 1)) for every industry j, phi the shares of energy in its cost
===================  ================================================================================================
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from trivium.coupling.og_clews import country, reduce
from trivium.coupling.og_clews.reduce import INDUSTRIES, defaults
from trivium.errors import ComponentError, InvalidValueError
from trivium.extras import require
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable

Share = Annotated[float, Field(gt=0, lt=1)]
_ENERGY = INDUSTRIES.index("energy")
#: Ages S and groups of OG-Core's seven abilities: the size that solves in seconds, and its own.
_SIZES: dict[str, tuple[int, list[list[int]]]] = {
    "reduced": (40, [[0, 1, 2], [3, 4, 5, 6]]),
    "full": (80, [[j] for j in range(7)]),
}


class Options(BaseModel):
    """What a case file says of the macro model; every field has a default.

    Attributes
    ----------
    size : {"reduced", "full"}
        Dimensions: 40 ages and 2 ability groups, or OG-Core's 80 and 7. Either has two industries.
    channel : str
        How the cost of energy enters.
    capital_share, expenditure_share : dict of str to float
        gamma and alpha_c by industry.
    energy_share : dict of str to float
        phi by industry, for ``all-industries``.
    transition : bool
        Whether the path to the steady state is solved too; inputs and outputs then are by year.
    years : list of int
        The years of the path that are exchanged, growing; costs hold after the last one.
    parameters : dict
        Further parameters of OG-Core, of base and reform.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: Literal["reduced", "full"] = "reduced"
    channel: Literal["productivity", "consumption-tax", "all-industries"] = "productivity"
    capital_share: dict[str, Share] = {"energy": 0.5, "goods": 0.35}
    expenditure_share: dict[str, Share] = {"energy": 0.05, "goods": 0.95}
    energy_share: dict[str, Annotated[float, Field(ge=0, le=1)]] = {"energy": 1.0, "goods": 0.04}
    transition: bool = False
    years: list[int] = []
    parameters: dict[str, Any] = {}

    @model_validator(mode="after")
    def _fits(self) -> Options:
        for name in ("capital_share", "expenditure_share", "energy_share"):
            if set(getattr(self, name)) != set(INDUSTRIES):
                raise ValueError(f"{name} must name the industries {', '.join(INDUSTRIES)}")
        if abs(sum(self.expenditure_share.values()) - 1) > 1e-9:
            raise ValueError("expenditure_share must add up to 1")
        if self.transition != bool(self.years):
            raise ValueError("years belong to a transition path, which needs them")
        if sorted(set(self.years)) != self.years:
            raise ValueError("years must grow")
        return self

    @property
    def label(self) -> str:
        """What is calibrated in this model and what is not, for every result."""
        ages, groups = _SIZES[self.size]
        return (
            f"OG-Core, {self.size} dimensions (S={ages} ages, J={len(groups)} ability groups, M=I={len(INDUSTRIES)} "
            "industries, constant demographics), not calibrated to any country"
        )


def describe(options: Mapping[str, Any]) -> tuple[tuple[Variable, ...], tuple[Variable, ...], str]:
    """Return inputs and outputs, and the label of all results.

    Raises
    ------
    InvalidValueError
        Naming the option that is wrong.
    """
    parsed = _options(options)
    time = {"year": tuple(parsed.years)} if parsed.transition else {}
    industry = {"industry": INDUSTRIES}
    inputs = (
        Variable("energy_cost_ratio", "1", dims=time, minimum=0.05, maximum=20.0),
        Variable("carbon_tax_rate", "1", dims=time, minimum=0.0, maximum=20.0),
    )
    outputs = (
        Variable("interest_rate", "1", dims=time, minimum=-0.99),
        Variable("gdp_ratio", "1", dims=time, minimum=0.0),
        Variable("wage_ratio", "1", dims=time, minimum=0.0),
        Variable("output_ratio", "1", dims={**industry, **time}, minimum=0.0),
        Variable("price_ratio", "1", dims={**industry, **time}, minimum=0.0),
    )
    return inputs, outputs, parsed.label


def solve(inputs: Mapping[str, FloatArray], options: Mapping[str, Any]) -> dict[str, FloatArray]:
    """Solve base and reform, in the working directory.

    Parameters
    ----------
    inputs : Mapping[str, FloatArray]
        ``energy_cost_ratio`` r of reform to base, ``carbon_tax_rate`` t on the energy that households buy [1];
        scalars, or by year of a transition path.
    options : Mapping[str, Any]
        See `Options`.

    Returns
    -------
    dict of str to FloatArray
        ``interest_rate`` [1/year] of households' portfolio r_p, and the ratios of reform to base of GDP, wage, and by
        industry of output and price. All results are in ``macro.json`` too.

    Raises
    ------
    InvalidValueError
        Naming the option that is wrong.
    ComponentError
        When no equilibrium is found.
    MissingExtraError
        When OG-Core is not installed.
    """
    parsed = _options(options)
    require("ogcore", "ogclews")
    shock = {name: np.atleast_1d(np.asarray(value, dtype=np.float64)) for name, value in inputs.items()}
    none = {name: np.full_like(value, name == "energy_cost_ratio") for name, value in shock.items()}

    def shocked(share: float) -> Any:
        return _specify(parsed, {name: none[name] + share * (value - none[name]) for name, value in shock.items()})

    try:
        base = country.baseline(lambda _: _specify(parsed, none), _base_key(parsed), parsed.transition)
        reform = country.reform(shocked, base, parsed.transition)
    except RuntimeError as error:
        raise ComponentError(str(error)) from error
    years = _years(parsed)
    outputs = _answers(parsed, base, reform, years)
    header = {"label": parsed.label, "channel": parsed.channel, "years_per_period": years}
    Path("macro.json").write_text(
        json.dumps(header | {name: value.tolist() for name, value in outputs.items()}, indent=1)
    )
    return outputs


def _options(options: Mapping[str, Any]) -> Options:
    try:
        return Options.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "options"
        raise InvalidValueError(f"{field}: {first['msg']}", field) from error


def revision(options: Options, shock: Mapping[str, FloatArray], start: int, years: float) -> dict[str, Any]:
    """Return OG-Core's parameters that a shock changes.

    Parameters
    ----------
    options : Options
    shock : Mapping[str, FloatArray]
        By year of `options.years`, or of length one.
    start : int
        First year of the path.
    years : float
        Length of a period [years].
    """
    ratio, tax = (_by_period(options, shock[name], start, years) for name in ("energy_cost_ratio", "carbon_tax_rate"))
    productivity, wedge = np.ones((ratio.size, len(INDUSTRIES))), np.zeros((ratio.size, len(INDUSTRIES)))
    wedge[:, _ENERGY] = tax
    if options.channel == "productivity":
        productivity[:, _ENERGY] = 1 / ratio
    elif options.channel == "consumption-tax":
        wedge[:, _ENERGY] = ratio * (1 + tax) - 1
    else:
        share = np.array([options.energy_share[name] for name in INDUSTRIES])
        productivity = 1 / (1 + share * (ratio[:, None] - 1))
    return {"Z": productivity.tolist(), "tau_c": wedge.tolist()}


def _by_period(options: Options, values: FloatArray, start: int, years: float) -> FloatArray:
    if not options.transition:
        return values
    periods = np.arange(start, options.years[-1] + years, years)
    return np.asarray(np.interp(periods, options.years, values))


def _years(options: Options) -> float:
    """Return the length of a period [years]: OG-Core has 80 years of adult life."""
    return 80 / _SIZES[options.size][0]


def _base_key(options: Options) -> dict[str, Any]:
    """Return all that the base depends on: not how a shock enters, and of the years the first."""
    sources = b"".join(Path(str(module)).read_bytes() for module in (__file__, reduce.__file__))
    named = options.model_dump(include={"size", "capital_share", "expenditure_share", "transition", "parameters"})
    versions = {name: metadata.version(name) for name in ("ogcore", "numpy", "scipy")}
    return named | versions | {"start": options.years[:1], "code": hashlib.sha256(sources).hexdigest()}


def _specify(options: Options, shock: Mapping[str, FloatArray]) -> Any:
    import ogcore
    from ogcore.parameters import Specifications

    ages, groups = _SIZES[options.size]
    industries = {
        name: [getattr(options, name)[i] for i in INDUSTRIES] for name in ("capital_share", "expenditure_share")
    }
    path = Path(ogcore.__file__).parent / "default_parameters.json"
    sized = type("Sized", (Specifications,), {"defaults": defaults(path, ages, groups, industries)})
    specification = sized(baseline=True)
    start = options.years[0] if options.transition else int(specification.start_year)
    changes = revision(options, shock, start, _years(options))
    specification.update_specifications({"start_year": start, **options.parameters, **changes})
    return specification


def _answers(
    options: Options, base: Mapping[str, Any], reform: Mapping[str, Any], years: float
) -> dict[str, FloatArray]:
    def at_years(value: Any) -> FloatArray:
        series = np.asarray(value, dtype=np.float64)
        if not options.transition:
            return series.reshape(series.shape[-1:] if series.ndim else ())
        periods = options.years[0] + years * np.arange(len(series))
        columns = series.reshape(len(series), -1).T
        read = np.array([np.interp(options.years, periods, column) for column in columns])
        return read[0] if series.ndim == 1 else read

    def ratio(name: str) -> FloatArray:
        return at_years(reform[name]) / at_years(base[name])

    return {
        "interest_rate": (1 + at_years(reform["r_p"])) ** (1 / years) - 1,
        "gdp_ratio": ratio("Y"),
        "wage_ratio": ratio("w"),
        "output_ratio": ratio("Y_m"),
        "price_ratio": ratio("p_m"),
    }
