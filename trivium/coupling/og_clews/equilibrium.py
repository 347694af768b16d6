"""OG-Core's solutions: steady states by small enough steps, and paths to them.

OG-Core looks for the steady state of a reform from that of its base, by Powell's hybrid method, which fails now and
then even for small shocks. So prices are guessed before from productivities, and where a search fails the half of the
shock is solved first, then the whole from there.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trivium.errors import ComponentError
from trivium.model.contract import FloatArray

Shock = Mapping[str, FloatArray]
#: A specification of OG-Core at a shock: of the base, or of the reform.
Specify = Callable[[Shock, bool], Any]
Solution = dict[str, Any]
#: How often a shock may be halved.
_HALVINGS = 4
#: What a reform takes from its base and from nowhere else: the scale of money, replacement rates of pensions.
_OF_BASE = ("factor", "theta")
#: Under which name a solution keeps the productivities that it is of.
_PRODUCTIVITY = "Z"


class _Serial:
    """What OG-Core takes for no client of Dask: it calls `scatter` even so."""

    def __bool__(self) -> bool:
        return False

    def scatter(self, value: Any, **_: Any) -> Any:
        return value


def solve(specify: Specify, none: Shock, shock: Shock, transition: bool) -> tuple[Solution, Solution]:
    """Return the solutions of base and reform; OG-Core's files go to ``base/`` and ``reform/``.

    Parameters
    ----------
    specify : callable
        Makes a specification; its folders are set here.
    none, shock : Mapping[str, FloatArray]
        Of the base and of the reform.
    transition : bool
        Whether paths are wanted, else steady states.

    Raises
    ------
    ComponentError
        When no equilibrium is found.
    """
    base = _guarded("base", lambda: _search(specify(none, True), None))
    reform = _guarded("reform", lambda: _approach(specify, shock, none, base, base, _HALVINGS))
    if not transition:
        return base, reform
    paths = []
    for name, of_base, steady, at in (("base", True, base, none), ("reform", False, reform, shock)):
        _write(Path(name), "SS", steady)
        paths.append(_guarded(f"{name}'s path", lambda of_base=of_base, at=at: _path(specify(at, of_base), of_base)))  # type: ignore[misc]
        _write(Path(name), "TPI", paths[-1])
    return paths[0], paths[1]


def _approach(specify: Specify, shock: Shock, at: Shock, guess: Solution, base: Solution, halvings: int) -> Solution:
    """Solve at a shock from the solution at another one."""
    specification = specify(shock, False)
    prices = np.asarray(guess["p_m"]) * guess[_PRODUCTIVITY] / _productivity(specification)
    start = {**guess, "p_m": prices / prices[-1], **{name: base[name] for name in _OF_BASE}}
    try:
        return _search(specification, start)
    except (RuntimeError, ValueError, AssertionError, FloatingPointError, np.linalg.LinAlgError):
        if not halvings:
            raise
    middle = {name: (at[name] + shock[name]) / 2 for name in shock}
    half = _approach(specify, middle, at, guess, base, halvings - 1)
    return _approach(specify, shock, middle, half, base, halvings - 1)


def _search(specification: Any, start: Solution | None) -> Solution:
    from ogcore import SS

    if start is not None:
        _write(Path("start"), "SS", start)
        specification.baseline_dir = str(Path("start").absolute())
    steady: Solution = SS.run_SS(specification, client=None)
    if not np.isfinite([steady["r_p"], steady["w"], steady["Y"]]).all():
        raise RuntimeError("the steady state is not finite")
    return steady | {_PRODUCTIVITY: _productivity(specification)}


def _productivity(specification: Any) -> FloatArray:
    """Return Z of the steady state by industry."""
    last: FloatArray = np.asarray(specification.Z, dtype=np.float64)[-1]
    return last


def _path(specification: Any, of_base: bool) -> Solution:
    from ogcore import TPI

    specification.baseline_dir = str(Path("base").absolute())
    specification.output_base = str(Path("base" if of_base else "reform").absolute())
    path: Solution = TPI.run_TPI(specification, client=_Serial())
    return path


def _guarded(label: str, solve_it: Callable[[], Solution]) -> Solution:
    try:
        return solve_it()
    except Exception as error:  # of OG-Core, paramtools, SciPy: of any kind
        raise ComponentError(f"OG-Core found no equilibrium: {label}: {type(error).__name__}: {error}") from error


def _write(folder: Path, kind: str, solution: Solution) -> None:
    path = folder / kind / f"{kind}_vars.pkl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(solution))
