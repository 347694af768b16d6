"""First derivatives of the equations of an FMU: directional derivatives, or central differences of Model Exchange."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from trivium.model.contract import FloatArray
from trivium.model.fmu.description import FmuDescription
from trivium.model.fmu.scalars import FmuVariable
from trivium.model.variable import Variable

#: Half of the distance of a central difference, as a share of the scale of what is varied: the cube root of what a
#: double resolves, where the error of the formula and that of rounding are equal.
SHARE = 6e-6

#: Takes value references of unknowns, that of the known variable, the direction and the number of all elements.
_Setter = Callable[[FloatArray], None]
Directional = Callable[[Sequence[int], int, Sequence[float], int], FloatArray]


class _Equations(Protocol):
    """What central differences need of a model."""

    def _hold(self, inputs: FloatArray) -> None: ...

    def _set_continuous(self, inputs: FloatArray) -> None: ...

    def _set_states(self, states: FloatArray) -> None: ...

    def _values(self, variables: Sequence[FmuVariable]) -> FloatArray: ...

    @property
    def description(self) -> FmuDescription:
        """The FMU."""


def can_differentiate(description: FmuDescription) -> bool:
    """Return whether derivatives of the equations can be had: it needs states with names, unless there are none."""
    named = bool(description.states) or not description.n_states
    return named and (description.interface == "me" or (description.directional and bool(description.states)))


def by_directions(directional: Directional, rows: Sequence[FmuVariable], columns: Sequence[FmuVariable]) -> FloatArray:
    """Return the derivatives of real variables by others, shape (n_rows, n_columns).

    Parameters
    ----------
    directional : Callable
        See `Directional`.
    rows, columns : sequence of FmuVariable
        Elements of one array need not be complete.
    """
    matrix = np.empty((len(rows), len(columns)))
    if not rows:
        return matrix
    sizes = {row.reference: row.size for row in rows}
    firsts = dict(zip(sizes, itertools.accumulate(sizes.values(), initial=0), strict=False))
    places = [firsts[row.reference] + row.element for row in rows]
    for j, column in enumerate(columns):
        seed = [0.0] * column.size
        seed[column.element] = 1.0
        matrix[:, j] = directional(list(sizes), column.reference, seed, sum(sizes.values()))[places]
    return matrix


def by_differences(
    model: _Equations, inputs: FloatArray, columns: Sequence[int], rows: Sequence[FmuVariable], states: FloatArray
) -> FloatArray:
    """Return the derivatives of real variables by states and inputs, shape (n_rows, n_states + n_columns).

    Parameters
    ----------
    model : ExchangeModel
        Of Model Exchange, in continuous time; its states and inputs are left as they were.
    inputs : FloatArray, shape (n_inputs,)
    columns : sequence of int
        Positions of the inputs by which.
    rows : sequence of FmuVariable
    states : FloatArray, shape (n_states,)
    """
    described = model.description
    matrix = np.empty((len(rows), len(states) + len(columns)))

    def at(varied: FloatArray, place: int, value: float, put: _Setter) -> FloatArray:
        moved = varied.copy()
        moved[place] = value
        put(moved)
        return model._values(rows)

    def setter(column: int) -> _Setter:
        return model._set_continuous if described.inputs[column].continuous else model._hold

    named: list[tuple[FloatArray, int, Variable, _Setter]]
    named = [(states, i, described.states[i].variable, model._set_states) for i in range(len(states))]
    named += [(inputs, i, described.inputs[i].variable, setter(i)) for i in columns]
    for j, (varied, place, variable, put) in enumerate(named):
        low, high = variable.around(float(varied[place]), SHARE)
        upper, lower = (at(varied, place, value, put) for value in (high, low))
        matrix[:, j] = (upper - lower) / (high - low) if high > low else 0.0
        put(varied)
    return matrix
