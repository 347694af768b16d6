"""Coefficients of the Rosenbrock method that the co-simulation integrator uses.

A Rosenbrock method for ``y' = f(t, y)`` needs one linear system with the matrix ``W = I / (gamma h) - J`` a stage::

    W k_i = f(t + alpha_i h, y + sum_j a_ij k_j) + sum_j (c_ij / h) k_j + gamma_i h df/dt,   j < i
    y_new = y + sum_j a_sj k_j + k_s,   error estimate k_s           (stiffly accurate, s stages)

This is the form without matrix-vector products of Hairer and Wanner, *Solving Ordinary Differential Equations II*
(1996), section IV.7, equations (7.24) and (7.25).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["RODAS4P", "Rosenbrock"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rosenbrock:
    """A stiffly accurate Rosenbrock method with an embedded one.

    Parameters
    ----------
    name, source : str
        Name of the method and where the coefficients come from.
    gamma : float
        Diagonal coefficient.
    a, c : tuple of tuple of float
        Strictly lower triangles of the transformed coefficients, row by row (the first row, empty, left out).
    alpha : tuple of float
        Stage times as fractions of the step.
    gamma_sum : tuple of float
        Weights of ``h df/dt`` in each stage.
    """

    name: str
    source: str
    gamma: float
    a: tuple[tuple[float, ...], ...]
    c: tuple[tuple[float, ...], ...]
    alpha: tuple[float, ...]
    gamma_sum: tuple[float, ...]

    @property
    def stages(self) -> int:
        """Number of stages."""
        return len(self.alpha)

    def matrices(self) -> tuple[Array, Array]:
        """Square matrices a and c, shape (stages, stages), zero on and above the diagonal."""
        a, c = np.zeros((self.stages, self.stages)), np.zeros((self.stages, self.stages))
        for i, (row_a, row_c) in enumerate(zip(self.a, self.c, strict=True), start=1):
            a[i, :i], c[i, :i] = row_a, row_c
        return a, c


_RODAS4P_A5 = (-7.170454962423024, -4.741636671481785, -16.31002631330971, -1.062004044111401)

RODAS4P = Rosenbrock(
    name="RODAS4P",
    source=(
        "G. Steinebach, Order-reduction of ROW-methods for DAEs and method of lines applications, "
        "TH Darmstadt preprint 1741 (1995); also in E. Hairer's rodas.f as method 3"
    ),
    gamma=0.25,
    a=(
        (3.0,),
        (1.831036793486759, 0.4955183967433795),
        (2.304376582692669, -0.05249275245743001, -1.176798761832782),
        _RODAS4P_A5,
        (*_RODAS4P_A5, 1.0),
    ),
    c=(
        (-12.0,),
        (-8.791795173947035, -2.207865586973518),
        (10.81793056857153, 6.780270611428266, 19.53485944642410),
        (34.19095006749676, 15.49671153725963, 54.74760875964130, 14.16005392148534),
        (34.62605830930532, 15.30084976114473, 56.99955578662667, 18.40807009793095, -5.714285714285717),
    ),
    alpha=(0.0, 0.75, 0.21, 0.63, 1.0, 1.0),
    gamma_sum=(0.25, -0.5, -0.023504, -0.0362, 0.0, 0.0),
)
