"""Equations in the order in which they are solved: each alone, small linear systems at once, the rest by Newton."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import casadi as ca
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from trivium.errors import ResourcesError

#: Largest linear system that is solved by a formula.
_LINEAR = 4
#: Names and places that a refusal lists.
_LISTED = 5


@dataclass(frozen=True)
class Equation:
    """A residual that is to be zero, and where it stands."""

    residual: ca.SX
    place: str


@dataclass(frozen=True)
class Sorted:
    """Equations in order.

    Attributes
    ----------
    solved : list of (casadi.SX, casadi.SX)
        Unknowns and what they are, each in terms of the ones before it.
    iterated : list of casadi.SX
        Unknowns that Newton's method finds.
    residuals : list of casadi.SX
        What it makes zero, in terms of all unknowns.
    """

    solved: list[tuple[ca.SX, ca.SX]]
    iterated: list[ca.SX]
    residuals: list[ca.SX]


def sort(equations: Sequence[Equation], unknowns: Sequence[ca.SX]) -> Sorted:
    """Sort equations.

    Raises
    ------
    ResourcesError
        When there are too many or too few for some unknowns, as where the index must be reduced.
    """
    if not unknowns:
        return Sorted([], [], [])
    residuals, names = ca.vertcat(*(each.residual for each in equations)), ca.vertcat(*unknowns)
    pattern = ca.jacobian_sparsity(residuals, names) if len(equations) else ca.Sparsity(0, len(unknowns))
    _check_matching(equations, unknowns, pattern)
    _, rows, columns, row_blocks, *_ = pattern.btf()
    result = Sorted([], [], [])
    for first, last in itertools.pairwise(row_blocks):  # a lower triangle
        block = ca.vertcat(*(equations[row].residual for row in rows[first:last]))
        unknown = ca.vertcat(*(unknowns[column] for column in columns[first:last]))
        matrix = ca.jacobian(block, unknown)
        if last - first > _LINEAR or ca.depends_on(matrix, unknown):
            result.iterated.extend(unknowns[column] for column in columns[first:last])
            result.residuals.extend(equations[row].residual for row in rows[first:last])
            continue
        constant = ca.substitute(block, unknown, ca.SX.zeros(last - first))
        values = -constant / matrix if last - first == 1 else ca.solve(ca.densify(matrix), -constant)
        result.solved.extend((unknowns[columns[first + k]], values[k]) for k in range(last - first))
    return result


def match(pattern: ca.Sparsity) -> list[int]:
    """Return for each row of a pattern a column of its own; -1 where there is none."""
    rows, columns = pattern.get_triplet()
    if not rows:
        return [-1] * pattern.size1()
    graph = csr_array((np.ones(len(rows)), (rows, columns)), shape=pattern.shape)
    found: list[int] = maximum_bipartite_matching(graph, perm_type="column").tolist()
    return found


def _check_matching(equations: Sequence[Equation], unknowns: Sequence[ca.SX], pattern: ca.Sparsity) -> None:
    of_rows, of_columns = match(pattern), match(pattern.T)
    over = [equations[k].place for k, column in enumerate(of_rows) if column < 0]
    under = [str(unknowns[k]) for k, row in enumerate(of_columns) if row < 0]
    if not over and not under:
        return
    at = f" ({', '.join(dict.fromkeys(over[:_LISTED]))})" if over else ""
    left = f" nothing gives {', '.join(under[:_LISTED])}." if under else ""
    raise ResourcesError(
        f"the equations cannot be solved as they stand{at}:{left or ' they are too many.'} "
        "A model whose index must be reduced, as of a pendulum in Cartesian coordinates, is not covered"
    )
