"""A linear model of a simulation about a moment of it.

It has one of two kinds, which `Linearization.kind` names. Each line is exact to first order; ``x0`` and so on are the
fields `x`, `u`, `d`, `y` and `dx`:

``continuous``
    The Jacobians of the model's own equations, whose states ``x`` are the model's::

        dx/dt = dx0 + A (x - x0) + B (u - u0) + E (d - d0)
        y     = y0  + C (x - x0) + D (u - u0) + F (d - d0)

``discrete``
    The map over one control step, inputs held over it. ``y[k]`` is what `advance` returns at the end of step ``k``::

        x[k+1] = x0 + dx0 + A (x[k] - x0) + B (u[k] - u0) + E (d[k] - d0)
        y[k]   = y0       + C (x[k] - x0) + D (u[k] - u0) + F (d[k] - d0)

The states of a discrete kind that was found by simulated steps are identified from what these return. They are 0 now,
stay 0 under unchanged inputs, and ``free[k]``, the outputs under unchanged inputs, takes the place of ``y0``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from trivium.errors import InvalidValueError
from trivium.model.variable import Variable
from trivium.table import Table

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
#: Whether time is continuous or goes in control steps.
LinearKind = Literal["continuous", "discrete"]
#: Where the derivatives come from: the FMU, differences of its equations, differences of simulated steps.
LinearMethod = Literal["directional", "differences", "steps"]
#: Matrices, and the groups of variables that their rows and columns are.
MATRICES: dict[str, tuple[str, str]] = {
    "A": ("states", "states"),
    "B": ("states", "inputs"),
    "C": ("outputs", "states"),
    "D": ("outputs", "inputs"),
    "E": ("states", "disturbances"),
    "F": ("outputs", "disturbances"),
}
#: Vectors, and the group of variables that each has a value of.
VECTORS: dict[str, str] = {"x": "states", "u": "inputs", "d": "disturbances", "y": "outputs", "dx": "states"}
#: Groups of variables.
GROUPS = ("states", "inputs", "disturbances", "outputs")


class Linearization:
    """A linear model about a moment; the module describes the equations.

    Parameters
    ----------
    kind : {"continuous", "discrete"}
    method : {"directional", "differences", "steps"}
        Where the derivatives come from.
    time : float
        The moment [s].
    step : float or None
        Length of a step [s]; None for the continuous kind.
    groups : Mapping[str, Table of Variable]
        ``states`` (n), ``inputs`` (m), ``disturbances`` (q) and ``outputs`` (p), each with units.
    arrays : Mapping[str, array]
        ``A`` (n, n), ``B`` (n, m), ``C`` (p, n), ``D`` (p, m), ``E`` (n, q), ``F`` (p, q) [unit of the row over that of
        the column, a second where the row is a rate]; ``x`` (n,), ``u`` (m,), ``d`` (q,), ``y`` (p,) and ``dx`` (n,);
        ``free`` (k, p), the outputs at the ends of the coming steps under unchanged inputs, without rows where the
        states are the model's.
    misfit : float
        How far identified states miss the responses that they were identified from, the largest error as a share of
        the largest response of the output [1]; 0 where the states are the model's.
    """

    def __init__(
        self,
        kind: LinearKind,
        method: LinearMethod,
        time: float,
        step: float | None,
        groups: dict[str, Table[Variable]],
        arrays: dict[str, Any],
        misfit: float = 0.0,
    ) -> None:
        self.kind, self.method, self.time, self.step, self.misfit = kind, method, time, step, misfit
        self.states, self.inputs, self.disturbances, self.outputs = (groups[name] for name in GROUPS)
        shapes = {name: tuple(len(groups[group]) for group in pair) for name, pair in MATRICES.items()}
        shapes |= {name: (len(groups[group]),) for name, group in VECTORS.items()}
        shapes["free"] = (-1, len(groups["outputs"])) if len(groups["outputs"]) else (len(arrays["free"]), 0)
        self._arrays = {
            name: np.asarray(arrays[name], dtype=np.float64).reshape(shape) for name, shape in shapes.items()
        }

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.kind, self.method, self.time, self.step, self.groups, dict(self._arrays), self.misfit

    def __reduce__(self) -> tuple[Any, ...]:
        return Linearization, self.__getnewargs__()

    def __getattr__(self, name: str) -> FloatArray:
        if name in MATRICES or name in VECTORS or name == "free":
            return self._arrays[name]
        raise AttributeError(name)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(group)} {name}" for name, group in self.groups.items())
        step = "" if self.step is None else f", step {self.step:g} s"
        return f"Linearization({self.kind} by {self.method} at {self.time:g} s{step}: {sizes})"

    @property
    def groups(self) -> dict[str, Table[Variable]]:
        """The variables by group."""
        return {name: getattr(self, name) for name in GROUPS}

    @property
    def arrays(self) -> dict[str, FloatArray]:
        """All matrices and vectors by name."""
        return dict(self._arrays)

    def frame(self, name: str) -> pd.DataFrame:
        """Return a matrix as a DataFrame of pandas, whose rows and columns have the names of their variables.

        Parameters
        ----------
        name : {"A", "B", "C", "D", "E", "F"}
        """
        import pandas as pd

        rows, columns = (list(getattr(self, group)) for group in MATRICES[name])
        return pd.DataFrame(self._arrays[name], index=rows, columns=columns)

    def discrete(self, step: float) -> Linearization:
        """Return the discrete kind of a continuous one, inputs held over steps (exact for the linear model).

        Parameters
        ----------
        step : float
            [s]

        Raises
        ------
        InvalidValueError
            When it is discrete already, or the step is not positive.
        """
        from scipy.linalg import expm

        if self.kind != "continuous":
            raise InvalidValueError(f"It is discrete already, with a step of {self.step:g} s.", "step")
        if not (np.isfinite(step) and step > 0.0):
            raise InvalidValueError(f"Invalid value {step} for parameter step. Value must be greater than 0.", "step")
        n, m, q = len(self.states), len(self.inputs), len(self.disturbances)
        # the inputs and the rates now as further states that stand still: one exponential gives all integrals
        block = np.zeros((n + m + q + 1, n + m + q + 1))
        block[:n] = np.concatenate((self.A, self.B, self.E, self.dx[:, np.newaxis]), axis=1)
        moved = expm(block * step)[:n]
        after = dict(zip("ABE", np.split(moved[:, :-1], (n, n + m), axis=1), strict=True))
        arrays = {
            **self._arrays,
            **after,
            "C": self.C @ after["A"],
            "D": self.C @ after["B"] + self.D,
            "F": self.C @ after["E"] + self.F,
            "dx": moved[:, -1],
            "y": self.y + self.C @ moved[:, -1],
        }
        return Linearization("discrete", self.method, self.time, float(step), self.groups, arrays)
