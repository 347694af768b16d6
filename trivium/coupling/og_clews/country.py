"""Models of OG-Core, and a country's as a component, which may run in a Python of its own.

This file imports nothing of Trivium: it needs ogcore, with what ogcore requires, and the package of the country. Each
evaluation solves the baseline, or takes it from a cache, and from it the reform; the answers are ratios of the reform
to the baseline, and the reform's interest rate, for steady states or by year of the paths to them.

OG-Core looks for the steady state of a reform from that of its baseline, by Powell's hybrid method, which fails now and
then even for small shocks. So prices are guessed before from productivities, and where a search fails the half of the
shock is solved first, then the whole from there. A baseline whose industries differ much in their capital shares is
approached in the same way, from one in which they are equal.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import os
import pickle
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata, util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

#: A specification of OG-Core with a share, between 0 and 1, of the shock.
Specify = Callable[[float], Any]
Solution = dict[str, Any]
_CHANNELS = ("productivity", "consumption-tax", "all-industries")
_DEFAULTS: dict[str, Any] = {
    "package": "",
    "calibration": [],
    "years": [],
    "channels": ["all-industries"],
    "energy_industry": None,
    "energy_good": None,
    "energy_share": [],
    "good_share": 1.0,
    "recycle": False,
    "industries": [],
    "goods": [],
    "parameters": {},
    "reform": {},
    "cache": None,
}
#: How often a shock may be halved.
_HALVINGS = 4
#: What a reform takes from its baseline and from nowhere else: the scale of money, replacement rates of pensions.
_OF_BASE = ("factor", "theta")
#: How many baselines are kept.
_KEPT = 20
#: What a search that finds nothing raises.
_NOT_FOUND = (RuntimeError, ValueError, AssertionError, FloatingPointError, np.linalg.LinAlgError)


class _Serial:
    """What OG-Core takes for no client of Dask: it calls `scatter` even so."""

    def __bool__(self) -> bool:
        return False

    def scatter(self, value: Any, **_: Any) -> Any:
        return value


def describe(options: Mapping[str, Any]) -> tuple[list[SimpleNamespace], list[SimpleNamespace], str]:
    """Return inputs and outputs, and the label of all results; see `solve`."""
    choice = _complete(options)
    table = _table(choice)
    time = {"year": choice["years"]} if choice["years"] else {}
    industry = {"industry": _names(choice, "industries", table.get("M", 1))}
    good = {"good": _names(choice, "goods", table.get("I", 1))}
    inputs = [_variable("energy_cost_ratio", time, 0.05, 20.0), _variable("public_investment", time, -0.5, 0.5)]
    if choice["energy_good"] is not None:
        inputs.append(_variable("carbon_tax_rate", time, 0.0, 20.0))
    outputs = [
        _variable("interest_rate", time, -0.99),
        *(_variable(name, time, 0.0) for name in ("gdp_ratio", "wage_ratio")),
        _variable("consumption_ratio", {**good, **time}, 0.0),
        *(_variable(name, {**industry, **time}, 0.0) for name in ("output_ratio", "price_ratio")),
    ]
    versions = ", ".join(f"{name} {version}" for name, version in _versions(choice["package"], "ogcore").items())
    return inputs, outputs, f"OG-Core's model of a country, M={table.get('M', 1)} industries ({versions})"


def solve(inputs: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Solve a country's baseline, where it is not in the cache, and its reform.

    Parameters
    ----------
    inputs : Mapping
        ``energy_cost_ratio`` r of reform to baseline [1], ``public_investment`` that is added, of GDP [1], and
        ``carbon_tax_rate`` on what households spend on energy [1]; by year of `years`, or scalars.
    options : Mapping
        ``package`` (``ogphl``); ``calibration``, parameter files of the package that are laid over its own; ``years``
        of the paths, none for steady states; ``channels`` by which r enters; positions ``energy_industry`` and
        ``energy_good``; ``energy_share`` phi of each industry's costs; ``good_share`` of energy in that good;
        ``recycle``, whether households get back what the dearer good takes from them; ``parameters`` of both, and of
        the ``reform``; ``industries`` and ``goods``, their names; ``cache``, a folder.

    Raises
    ------
    ValueError
        Naming the option that is wrong.
    RuntimeError
        When no equilibrium is found.
    """
    from ogcore.parameters import Specifications

    choice = _complete(options)
    table = _table(choice)
    shock = {name: np.atleast_1d(np.asarray(value, dtype=np.float64)) for name, value in inputs.items()}
    plain = Specifications(baseline=True)
    plain.update_specifications(dict(table))
    if choice["years"] and choice["years"][0] < int(plain.start_year):
        raise ValueError(f"years: the model begins in {int(plain.start_year)}")
    reformed = plain
    if choice["reform"]:
        reformed = copy.deepcopy(plain)
        reformed.update_specifications(choice["reform"])
    written = hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()
    key = {"parameters": written, "python": sys.version, **_versions(choice["package"], "ogcore", "numpy", "scipy")}
    transition = bool(choice["years"])
    base = baseline(lambda share: _levelled(plain, share), key, transition, choice["cache"])
    changed = reform(lambda share: _shocked(reformed, choice, shock, base, share), base, transition)
    return _answers(choice["years"], plain, base, changed)


def baseline(specify: Specify, key: Mapping[str, Any], transition: bool, cache: str | None = None) -> Solution:
    """Return the solution of a baseline: from the cache, or solved and kept there.

    Parameters
    ----------
    specify : callable
        Makes the baseline's specification at share 1; between 0 and 1 those by which it may be approached.
    key : Mapping
        All that the solution depends on; JSON.
    transition : bool
        Whether the path is wanted, else the steady state.
    cache : str, optional
        A folder. Default: ``trivium/og-core`` in ``XDG_CACHE_HOME``, which is ``~/.cache`` where it is not set.

    Raises
    ------
    RuntimeError
        When no equilibrium is found.
    """
    own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = Path(cache or home / "trivium" / "og-core")
    steady = _cached(place, [key, own, "steady"], lambda: _guarded("baseline", lambda: _steady(specify)))
    if not transition:
        return steady
    _write(Path("base"), "SS", steady)

    def path() -> Solution:
        return _guarded("baseline's path", lambda: _path(specify(1.0), True))

    return _cached(place, [key, own, "path"], path) | {"steady": steady}


def reform(specify: Specify, base: Solution, transition: bool) -> Solution:
    """Return a reform's solution from that of its baseline, or raise `RuntimeError`; it writes files here."""
    start = base.get("steady", base)
    steady = _guarded("reform", lambda: approach(specify, _search, start))
    if not transition:
        return steady
    _write(Path("base"), "SS", start)
    _write(Path("base"), "TPI", base)
    _write(Path("reform"), "SS", steady)
    return _guarded("reform's path", lambda: _path(specify(1.0), False))


def approach(
    specify: Specify,
    search: Callable[[Any, Solution], Solution],
    base: Solution,
    span: tuple[float, float] = (0.0, 1.0),
    guess: Solution | None = None,
    halvings: int = _HALVINGS,
) -> Solution:
    """Solve at one share of a shock from the solution at another one, by way of the middle where a search fails.

    `search` takes a specification and what to start at; `span` is the share that `guess` is of, by default the
    baseline's solution, and the one that is wanted; `halvings` is how often the span may be halved.
    """
    at, to = span
    guess = base if guess is None else guess
    specification = specify(to)
    specification.baseline = False
    prices = np.asarray(guess["p_m"]) * guess["Z"] / np.asarray(specification.Z)[-1]
    start = {**guess, "p_m": prices / prices[-1], **{name: base[name] for name in _OF_BASE}}
    try:
        return search(specification, start)
    except _NOT_FOUND:
        if not halvings:
            raise
    middle = (at + to) / 2
    half = approach(specify, search, base, (at, middle), guess, halvings - 1)
    return approach(specify, search, base, (middle, to), half, halvings - 1)


def _steady(specify: Specify) -> Solution:
    try:
        return _cold(specify(1.0))
    except _NOT_FOUND as error:
        if specify(1.0).M == 1:
            raise
        print(f"the baseline is approached from equal industries: {error}", file=sys.stderr)  # noqa: T201
    return approach(specify, _search, _cold(specify(0.0)))


def _cold(specification: Any) -> Solution:
    specification.baseline = True
    return _search(specification, None)


def _search(specification: Any, start: Solution | None) -> Solution:
    from ogcore import SS

    if start is not None:
        _write(Path("start"), "SS", start)
        specification.baseline_dir = str(Path("start").absolute())
    steady: Solution = SS.run_SS(specification, client=None)
    prices = np.asarray(steady["p_m"], dtype=np.float64)
    if not np.isfinite([steady["r_p"], steady["w"], steady["Y"], *prices.ravel()]).all() or (prices <= 0).any():
        raise RuntimeError("the steady state is not finite, or has prices below zero")
    return steady | {"Z": np.asarray(specification.Z, dtype=np.float64)[-1]}


def _path(specification: Any, of_base: bool) -> Solution:
    from ogcore import TPI

    specification.baseline = of_base
    specification.baseline_dir = str(Path("base").absolute())
    specification.output_base = str(Path("base" if of_base else "reform").absolute())
    path: Solution = TPI.run_TPI(specification, client=_Serial())
    return path


def _guarded(label: str, solve_it: Callable[[], Solution]) -> Solution:
    try:
        return solve_it()
    except Exception as error:  # of OG-Core, paramtools, SciPy: of any kind
        raise RuntimeError(f"OG-Core found no equilibrium: {label}: {type(error).__name__}: {error}") from error


def _write(folder: Path, kind: str, solution: Solution) -> None:
    path = folder / kind / f"{kind}_vars.pkl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(solution))


def _cached(folder: Path, key: Any, make: Callable[[], Solution]) -> Solution:
    """Return a solution of the cache, or make it and keep it there; where nothing can be written, nothing is kept."""
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    path = folder / f"{name[:32]}.pkl"
    with contextlib.suppress(OSError, EOFError, pickle.UnpicklingError):
        kept: Solution = pickle.loads(path.read_bytes())  # noqa: S301  # nosec B301 - written below
        return kept
    solution = make()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(pickle.dumps(solution))
        fresh.replace(path)
        for old in sorted(folder.iterdir(), key=lambda each: each.stat().st_mtime)[:-_KEPT]:
            old.unlink()
    return solution


# A country's model


def _complete(options: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(options) - set(_DEFAULTS))
    if unknown:
        raise ValueError(f"{unknown[0]}: there is no such option; there are {', '.join(_DEFAULTS)}")
    choice = _DEFAULTS | dict(options)
    if not choice["package"]:
        raise ValueError("package: the country's package must be named, such as ogphl")
    if sorted(set(choice["years"])) != choice["years"]:
        raise ValueError("years must grow")
    wrong = sorted(set(choice["channels"]) - set(_CHANNELS))
    if wrong:
        raise ValueError(f"channels: {wrong[0]} is none of {', '.join(_CHANNELS)}")
    for channel, needed in zip(_CHANNELS, ("energy_industry", "energy_good", "energy_share"), strict=True):
        if channel in choice["channels"] and choice[needed] in (None, []):
            raise ValueError(f"{needed}: the channel {channel} needs it")
    return choice


def _table(choice: Mapping[str, Any]) -> dict[str, Any]:
    """Return the country's parameters: its own, those of further files, and those of the options."""
    package = choice["package"]
    module = util.find_spec(package)
    if module is None or not module.submodule_search_locations:
        raise ValueError(f"package: {package} is not installed in the environment of {sys.executable}")
    folder = Path(module.submodule_search_locations[0])
    table: dict[str, Any] = {}
    for name in (f"{package}_default_parameters.json", *choice["calibration"]):
        table.update(json.loads((folder / name).read_text(encoding="utf-8")))
    table.update(choice["parameters"])
    return table


def _levelled(plain: Any, share: float) -> Any:
    """Return the baseline with this share of the differences between its industries."""
    specification = copy.deepcopy(plain)
    if share != 1:
        mean = np.mean(specification.gamma)
        specification.gamma = mean + share * (specification.gamma - mean)
        specification.Z = 1 + share * (specification.Z - 1)
    return specification


def _shocked(reformed: Any, choice: Mapping[str, Any], shock: Mapping[str, Any], base: Solution, share: float) -> Any:
    """Return the reform's specification with a share of its shock; costs hold after the last year."""
    specification = copy.deepcopy(reformed)
    periods = int(specification.T + specification.S)
    years = specification.start_year + _period(specification) * np.arange(periods)

    def path(name: str, neutral: float, after: float | None = None) -> Any:
        values = shock.get(name, np.full(1, neutral))
        if choice["years"] and values.size > 1:
            values = np.interp(years, choice["years"], values, right=after)
        return neutral + share * (np.broadcast_to(values, periods) - neutral)

    ratio, tax = path("energy_cost_ratio", 1.0), path("carbon_tax_rate", 0.0)
    push, wedge = np.zeros((periods, specification.M)), np.zeros(periods)
    if "all-industries" in choice["channels"]:
        push += np.outer(ratio - 1, choice["energy_share"])
    if "productivity" in choice["channels"]:
        push[:, choice["energy_industry"]] = ratio - 1
    if "consumption-tax" in choice["channels"]:
        wedge = choice["good_share"] * (ratio - 1)
    specification.Z = specification.Z[:periods] / (1 + push)
    specification.alpha_I = specification.alpha_I[:periods] + path("public_investment", 0.0, after=0.0)
    if choice["energy_good"] is not None:
        good = choice["energy_good"]
        rates = np.array(specification.tau_c[:periods], dtype=np.float64)
        before = rates[:, good].copy()
        dearer = (1 + wedge) * (1 + before) - 1
        rates[:, good] = (1 + dearer) * (1 + tax) - 1
        specification.tau_c = rates
        if choice["recycle"]:
            spent = np.reshape(base["p_i"] * base["C_i"], (-1, specification.I))[:, good] / np.ravel(base["Y"])
            spent = np.append(spent, np.full(periods, spent[-1]))[:periods]
            specification.alpha_T = np.maximum(specification.alpha_T[:periods] + (dearer - before) * spent, 0)
    return specification


def _answers(years: list[int], plain: Any, base: Solution, changed: Solution) -> dict[str, Any]:
    period = _period(plain)

    def read(solution: Solution, name: str, columns: int | None = None) -> Any:
        series = np.asarray(solution[name], dtype=np.float64)
        if not years:
            return series.reshape(columns) if columns else series.reshape(())
        table = series.reshape(len(series), -1)
        at = int(plain.start_year) + period * np.arange(len(series))
        paths = np.array([np.interp(years, at, column) for column in table.T])
        return paths if columns else paths[0]

    def ratio(name: str, columns: int | None = None) -> Any:
        return read(changed, name, columns) / read(base, name, columns)

    return {
        "interest_rate": (1 + read(changed, "r_p")) ** (1 / period) - 1,
        "gdp_ratio": ratio("Y"),
        "wage_ratio": ratio("w"),
        "consumption_ratio": ratio("C_i", int(plain.I)),
        "output_ratio": ratio("Y_m", int(plain.M)),
        "price_ratio": ratio("p_m", int(plain.M)),
    }


def _period(specification: Any) -> float:
    """Return the length of a period [years]."""
    return float(specification.ending_age - specification.starting_age) / float(specification.S)


def _names(choice: Mapping[str, Any], kind: str, count: int) -> list[Any]:
    names = choice[kind] or list(range(int(count)))
    if len(names) != count:
        raise ValueError(f"{kind}: the model has {count}, not {len(names)}")
    return list(names)


def _variable(name: str, dims: Mapping[str, Iterable[Any]], low: float, high: float = float("inf")) -> SimpleNamespace:
    return SimpleNamespace(name=name, unit="1", dims=dims, lower=low, upper=high)


def _versions(*packages: str) -> dict[str, str]:
    versions = {}
    for name in packages:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions
