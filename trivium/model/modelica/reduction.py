"""Reduction of the index: equations between states are differentiated, and states that they give are none any more.

The method is that of Pantelides (1988) with dummy derivatives (Mattsson and Söderlind, 1993), chosen once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import casadi as ca

from trivium.errors import ResourcesError
from trivium.model.modelica.sorting import Equation, match

#: Most times that an equation is differentiated.
_ROUNDS = 5


@dataclass(frozen=True)
class Reduced:
    """Equations that can be solved.

    Attributes
    ----------
    equations : list of Equation
    unknowns : list of casadi.SX
        What they are solved for.
    demoted : frozenset of str
        Names of states that they give.
    """

    equations: list[Equation]
    unknowns: list[ca.SX]
    demoted: frozenset[str] = frozenset()


class Reduction:
    """Differentiates equations of a model.

    Parameters
    ----------
    states : sequence of casadi.SX
        What is differentiated in the model.
    rates : sequence of casadi.SX
        Their derivatives.
    time : casadi.SX
    inputs : sequence of casadi.SX
        Continuous inputs, whose derivatives nobody knows.
    """

    def __init__(self, states: Sequence[ca.SX], rates: Sequence[ca.SX], time: ca.SX, inputs: Sequence[ca.SX]) -> None:
        self._lower = {symbol.name(): symbol for symbol in states}
        self._declared = frozenset(self._lower)
        self._rates = {symbol.name(): rate for symbol, rate in zip(states, rates, strict=True)}
        self._time, self._inputs = time, inputs

    def reduce(self, equations: Sequence[Equation], unknowns: Sequence[ca.SX], fixed: Collection[str]) -> Reduced:
        """Return equations that can be solved, or these ones where nothing helps.

        Parameters
        ----------
        equations : sequence of Equation
        unknowns : sequence of casadi.SX
            Rates of the states, and all else that they give.
        fixed : collection of str
            States whose start values are fixed: others are given up first.

        Raises
        ------
        ResourcesError
            When an input would have to be differentiated.
        """
        unsolved = Reduced(list(equations), list(unknowns))
        active, variables, done = list(equations), list(unknowns), list[Equation]()
        for _ in range(_ROUNDS):
            if len(active) != len(variables) or not active:
                return unsolved
            pattern = ca.jacobian_sparsity(_column(active), ca.vertcat(*variables))
            columns = match(pattern)
            over = [row for row, column in enumerate(columns) if column < 0]
            if not over:
                break
            rows = _reached(pattern, columns, over)
            for column in sorted(columns[row] for row in rows if columns[row] >= 0):
                self._lower[variables[column].name()] = variables[column]
                variables[column] = self._rate(variables[column])
            for row in sorted(rows):
                done.append(active[row])
                active[row] = self._differentiated(active[row])
        else:
            return unsolved
        if not done:
            return unsolved
        # what was differentiated on the way, and is no state, is an unknown for certain
        order = sorted(self._lower, key=lambda name: (name in self._declared, name in fixed))
        chosen = _given(done, [self._lower[name] for name in order])
        if chosen is None or not set(order) - self._declared <= chosen:
            return unsolved
        return Reduced(
            [*done, *active], [*(self._lower[name] for name in order if name in chosen), *variables],
            frozenset(chosen & self._declared),
        )  # fmt: skip

    def _rate(self, symbol: ca.SX) -> ca.SX:
        name = symbol.name()
        if name not in self._rates:
            self._rates[name] = ca.SX.sym(f"der({name})")
        return self._rates[name]

    def _differentiated(self, equation: Equation) -> Equation:
        """Return the derivative of an equation with respect to time; what changes at events only is constant."""
        residual = equation.residual
        for symbol in self._inputs:
            if ca.depends_on(residual, symbol):
                raise ResourcesError(
                    f"{equation.place}: the derivative of the input {symbol.name()} is needed, which nobody knows"
                )
        total = ca.jacobian(residual, self._time)
        for symbol in ca.symvar(residual):
            if symbol.name() in self._rates:
                total += ca.jacobian(residual, symbol) * self._rates[symbol.name()]
        return Equation(ca.densify(total), equation.place)


def _column(equations: Sequence[Equation]) -> ca.SX:
    return ca.vertcat(*(equation.residual for equation in equations))


def _reached(pattern: ca.Sparsity, columns: Sequence[int], start: Sequence[int]) -> set[int]:
    """Return the equations that compete for the same unknowns as those that have none."""
    of_column = {column: row for row, column in enumerate(columns) if column >= 0}
    entries: dict[int, list[int]] = {}
    for row, column in zip(*pattern.get_triplet(), strict=True):
        entries.setdefault(row, []).append(column)
    reached, left = set(start), list(start)
    while left:
        for column in entries.get(left.pop(), []):
            row = of_column[column]
            if row not in reached:
                reached.add(row)
                left.append(row)
    return reached


def _given(equations: Sequence[Equation], candidates: Sequence[ca.SX]) -> set[str] | None:
    """Return the names of unknowns that equations give, the first candidates first; None where they give too few."""
    symbols = [{each.name() for each in ca.symvar(equation.residual)} for equation in equations]
    owner: dict[str, int] = {}

    def augment(row: int, seen: set[str]) -> bool:
        for candidate in candidates:
            name = candidate.name()
            if name not in symbols[row] or name in seen:
                continue
            seen.add(name)
            if name not in owner or augment(owner[name], seen):
                owner[name] = row
                return True
        return False

    return set(owner) if all(augment(row, set()) for row in range(len(equations))) else None
