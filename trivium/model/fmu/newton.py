"""What CVODE's Newton iteration costs: a Jacobian that is kept, and LAPACK in place of SUNDIALS' own elimination.

Where inputs change at every step CVODE starts anew at every step, and then asks for a new Jacobian: n evaluations of
the FMU for n states, most of the time of a step. Yet a Jacobian need not be exact, only good enough for the iteration
to converge. So the last one is given again, and a new one is made when CVODE asks a second time, which it does when the
iteration failed or many steps have gone by. What the solver accepts is held to the tolerance as before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, c_double, c_int, c_void_p, cast
from typing import Any

import numpy as np
from fmpy.sundials import libraries

from trivium.model.contract import FloatArray

#: More states than this: the Jacobian would be large in every snapshot, and sparse besides.
MOST_STATES = 1000
_INCREMENT = float(np.sqrt(np.finfo(np.float64).eps))
_JACOBIAN = CFUNCTYPE(c_int, c_double, *[c_void_p] * 7)
_SETUP = CFUNCTYPE(c_int, c_void_p, c_void_p)
_SOLVE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_void_p, c_double)
#: Entries of a SUNLinearSolver's table of operations that are looked through.
_OPERATIONS = 15

_vector = libraries.sundials_nvecserial.N_VGetArrayPointer_Serial
_vector.argtypes, _vector.restype = [c_void_p], POINTER(c_double)
_matrix = libraries.sundials_sunmatrixdense.SUNDenseMatrix_Data
_matrix.argtypes, _matrix.restype = [c_void_p], POINTER(c_double)
_set_jacobian = libraries.sundials_cvode.CVodeSetJacFn
_set_jacobian.argtypes, _set_jacobian.restype = [c_void_p, _JACOBIAN], c_int


class Newton:
    """Gives one CVODE its Jacobians and solves its linear systems.

    Parameters
    ----------
    cvode, linear_solver : c_void_p
        As FMPy made them, with a dense matrix.
    derivatives : Callable
        Takes time [s] and states, shape (n,), and returns the derivatives; raises where the FMU fails.
    scale : FloatArray, shape (n,)
        Nominal values of the states.
    kept : FloatArray, shape (n, n), optional
        A Jacobian to begin with.
    """

    def __init__(
        self,
        cvode: Any,
        linear_solver: Any,
        derivatives: Callable[[float, FloatArray], FloatArray],
        scale: FloatArray,
        jacobian: FloatArray | None = None,
    ) -> None:
        from scipy.linalg.lapack import dgetrf, dgetrs
        from threadpoolctl import ThreadpoolController

        self._derivatives, self._scale = derivatives, scale
        self._factorize, self._substitute = dgetrf, dgetrs
        self._threads = ThreadpoolController()
        #: The last Jacobian, columns as rows.
        self.kept = jacobian
        #: How many Jacobians were made.
        self.made = 0
        self._may_keep = True
        self._callbacks = (_JACOBIAN(self._jacobian), _SETUP(self._setup), _SOLVE(self._solve))
        _set_jacobian(cvode, self._callbacks[0])
        _replace(linear_solver, self._callbacks[1], self._callbacks[2])

    def alone(self) -> contextlib.AbstractContextManager[Any]:
        """Keep LAPACK to one thread for a while: systems of this size are not worth more, which would only wait."""
        limit: contextlib.AbstractContextManager[Any] = self._threads.limit(limits=1, user_api="blas")
        return limit

    def restarted(self) -> None:
        """Let the next Jacobian be the last one."""
        self._may_keep = True

    def _jacobian(self, time: float, states: int, derivatives: int, matrix: int, *_: Any) -> int:
        n = len(self._scale)
        columns = np.ctypeslib.as_array(_matrix(matrix), (n, n))
        if self._may_keep and self.kept is not None:
            columns[:] = self.kept
        else:
            try:
                columns[:] = self._differences(time, _values(states, n), _values(derivatives, n))
            except Exception:  # the FMU fails near the solution: a smaller step may help
                return 1
            self.kept = columns.copy()
            self.made += 1
        self._may_keep = False
        return 0

    def _differences(self, time: float, states: FloatArray, derivatives: FloatArray) -> FloatArray:
        """Return the Jacobian by differences, a state at a time, columns as rows."""
        columns, varied, before = np.empty((len(states), len(states))), states.copy(), derivatives.copy()
        for j, value in enumerate(states.tolist()):
            varied[j] = value + _INCREMENT * max(abs(value), self._scale[j])
            columns[j] = (self._derivatives(time, varied) - before) / (varied[j] - value)
            varied[j] = value
        return columns

    def _setup(self, _solver: int, matrix: int) -> int:
        n = len(self._scale)
        self._factors, self._pivots, info = self._factorize(np.ctypeslib.as_array(_matrix(matrix), (n, n)).T)
        return int(info > 0)

    def _solve(self, _solver: int, _matrix: int, solution: int, right: int, _tolerance: float) -> int:
        n = len(self._scale)
        result, info = self._substitute(self._factors, self._pivots, _values(right, n))
        _values(solution, n)[:] = result
        return int(info != 0)


def _values(vector: int, n: int) -> FloatArray:
    return np.ctypeslib.as_array(_vector(vector), (n,))


def _replace(linear_solver: Any, setup: Any, solve: Any) -> None:
    """Put two operations in place of those of SUNDIALS' dense solver, which are found by their addresses.

    A SUNLinearSolver is a struct of content, table of operations and context; a solver of one's own is meant to be made
    so (SUNDIALS' documentation, section 11.1), but the order of the table is that of a version.
    """
    library = libraries.sundials_sunlinsoldense
    table = cast(cast(linear_solver, POINTER(c_void_p))[1], POINTER(c_void_p))
    ours = {
        cast(library.SUNLinSolSetup_Dense, c_void_p).value: cast(setup, c_void_p).value,
        cast(library.SUNLinSolSolve_Dense, c_void_p).value: cast(solve, c_void_p).value,
    }
    patched = [index for index in range(_OPERATIONS) if table[index] in ours]
    if len(patched) == len(ours):  # otherwise it stays as it is
        for index in patched:
            table[index] = ours[table[index]]
