"""Newton's linear systems of large models in CVODE: GMRES, preconditioned by a Jacobian that is kept.

Where inputs change at every step CVODE starts anew at every step and wants a new Jacobian: n evaluations of the FMU for
n states, most of the time of a step. GMRES needs no Jacobian, only products with it, which are one evaluation each, and
few of them where it is preconditioned. A preconditioner need not be exact, so the last Jacobian is taken for it and a
new one is made when CVODE asks a second time. Its age changes how long an iteration takes, not what it converges to:
the linear systems are solved to CVODE's own tolerance (SUNDIALS' documentation, sections 3.2.5 and 8.4.6).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, c_double, c_int, c_void_p
from typing import Any

import numpy as np
from fmpy.sundials import libraries

from trivium.errors import ModelError
from trivium.model.contract import FloatArray

#: Fewer states than this: a new Jacobian is cheap, and CVODE's own dense solver is used as FMPy uses it.
FEWEST_STATES = 50
#: More states than this: the Jacobian would be large in every snapshot, and sparse besides.
MOST_STATES = 1000
_INCREMENT = float(np.sqrt(np.finfo(np.float64).eps))
_LEFT = 1  # SUN_PREC_LEFT
#: Relative change of a step and order that CVODE asks a new factorization for; 0.3 there, where it must be exact.
_GAMMA_CHANGE = 3.0
_SETUP = CFUNCTYPE(c_int, c_double, c_void_p, c_void_p, c_int, POINTER(c_int), c_double, c_void_p)
_SOLVE = CFUNCTYPE(c_int, c_double, c_void_p, c_void_p, c_void_p, c_void_p, c_double, c_double, c_int, c_void_p)


def _declare(library: Any, name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments
    return function


_values = _declare(libraries.sundials_nvecserial, "N_VGetArrayPointer_Serial", POINTER(c_double), c_void_p)
_gmres = _declare(libraries.sundials_cvode, "SUNLinSol_SPGMR", c_void_p, c_void_p, c_int, c_int, c_void_p)
_attach = _declare(libraries.sundials_cvode, "CVodeSetLinearSolver", c_int, c_void_p, c_void_p, c_void_p)
_refactor = _declare(libraries.sundials_cvode, "CVodeSetDeltaGammaMaxLSetup", c_int, c_void_p, c_double)
_precondition = _declare(libraries.sundials_cvode, "CVodeSetPreconditioner", c_int, c_void_p, _SETUP, _SOLVE)


class Krylov:
    """Solves the linear systems of one CVODE.

    Parameters
    ----------
    cvode, vector, context : c_void_p
        As FMPy made them: the solver, a vector of its length and the context of both.
    derivatives : Callable
        Takes time [s] and states, shape (n,), and returns the derivatives; raises where the FMU fails.
    scale : FloatArray, shape (n,)
        Nominal values of the states.
    """

    def __init__(
        self,
        cvode: Any,
        vector: Any,
        context: Any,
        derivatives: Callable[[float, FloatArray], FloatArray],
        scale: FloatArray,
    ) -> None:
        from scipy.linalg.lapack import dgetrf, dgetrs
        from threadpoolctl import ThreadpoolController

        self._derivatives, self._scale = derivatives, scale
        self._factorize, self._substitute = dgetrf, dgetrs
        self._threads = ThreadpoolController()
        self._matrix = np.empty((len(scale), len(scale)), order="F")
        #: The last Jacobian, shape (n, n); set to begin with another.
        self.kept: FloatArray | None = None
        #: How many Jacobians were made.
        self.made = 0
        self._may_keep = True
        self._callbacks = (_SETUP(self._setup), _SOLVE(self._solve))
        if _attach(cvode, _gmres(vector, _LEFT, 0, context), None) or _precondition(cvode, *self._callbacks):
            raise ModelError("CVODE takes no linear solver")
        _refactor(cvode, _GAMMA_CHANGE)

    def alone(self) -> contextlib.AbstractContextManager[Any]:
        """Keep LAPACK to one thread for a while: systems of this size are not worth more, which would only wait."""
        limit: contextlib.AbstractContextManager[Any] = self._threads.limit(limits=1, user_api="blas")
        return limit

    def restarted(self) -> None:
        """Let the next Jacobian be the last one."""
        self._may_keep = True

    def _setup(
        self, time: float, states: int, slopes: int, reuse: int, made: Any, gamma: float, _data: int | None
    ) -> int:
        jacobian = self.kept if reuse or self._may_keep else None
        self._may_keep = False
        made[0] = int(jacobian is None)
        if jacobian is None:
            n = len(self._scale)
            try:
                jacobian = self._differences(time, _array(states, n), _array(slopes, n))
            except Exception:  # the FMU fails near the solution: a smaller step may help
                return 1
            self.kept = jacobian
            self.made += 1
        np.multiply(jacobian, -gamma, out=self._matrix)
        np.einsum("ii->i", self._matrix)[:] += 1.0
        self._factors, self._pivots, info = self._factorize(self._matrix, overwrite_a=True)
        return int(info > 0)

    def _differences(self, time: float, states: FloatArray, slopes: FloatArray) -> FloatArray:
        """Return the Jacobian by differences, a state at a time."""
        jacobian, varied, before = np.empty_like(self._matrix), states.copy(), slopes.copy()
        for j, value in enumerate(states.tolist()):
            varied[j] = value + _INCREMENT * max(abs(value), self._scale[j])
            jacobian[:, j] = (self._derivatives(time, varied) - before) / (varied[j] - value)
            varied[j] = value
        return jacobian

    def _solve(
        self,
        _time: float,
        _states: int,
        _slopes: int,
        right: int,
        solution: int,
        _gamma: float,
        _tolerance: float,
        _side: int,
        _data: int | None,
    ) -> int:
        n = len(self._scale)
        result, info = self._substitute(self._factors, self._pivots, _array(right, n))
        _array(solution, n)[:] = result
        return int(info != 0)


def _array(vector: int, n: int) -> FloatArray:
    return np.ctypeslib.as_array(_values(vector), (n,))
