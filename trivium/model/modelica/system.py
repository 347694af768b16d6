"""A model of Modelica as functions: rates, events, initialization."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import casadi as ca

from trivium.errors import ResourcesError
from trivium.model.modelica.dae import Dae
from trivium.model.modelica.discrete import Discrete
from trivium.model.modelica.events import Held
from trivium.model.modelica.expressions import Scope
from trivium.model.modelica.reduction import Reduction
from trivium.model.modelica.sorting import Equation, Sorted, match, sort
from trivium.model.modelica.variables import Variables

#: How a number that holds between events is followed.
STEADY, BY_TIME, BY_STATE = 0, 1, 2


@dataclass(frozen=True)
class Following:
    """How a held number is followed: see `STEADY`, `BY_TIME`, `BY_STATE`."""

    held: Held
    expression: ca.SX
    size: ca.SX
    slope: ca.SX
    by: int


class System:
    """A model.

    Parameters
    ----------
    dae : Dae

    Attributes
    ----------
    variables : Variables
        As they are declared.
    states, algebraics : list of Scalar
        Continuous states, without those that the equations give; all other variables that the equations give.
    functions : list of casadi.Function
        Of one vector, `vector`: ``rates``, ``implicit``, ``held``, ``discrete``, ``starts``, ``initial``.
    vector : Mapping of str to list of casadi.SX
        Its parts in order.
    following : list of Following
    solved_states : list of int
        States that initial equations give.
    iterated : list of casadi.SX
    messages : list of str
        Of assertions.
    conditions : list of casadi.SX
        Of when-equations.

    Raises
    ------
    ResourcesError
        With the place in the source, when it has what is not covered.
    """

    def __init__(self, dae: Dae) -> None:
        self.variables = Variables(dae)
        self.states, self.algebraics = self.variables.states, self.variables.algebraics
        self._rates, self._discrete = self.variables.rates, Discrete(self.variables)
        self._assemble()
        self.messages = self._discrete.messages

    def _equations(self, table: str) -> Iterator[Equation]:
        for entry in self.variables.dae.tables[table]:
            ((kind, content),) = entry.items()
            where = self.variables.dae.place(content["provenance"])
            if kind == "residual":
                rows = [(content["residual"], [Scope()])]
            elif content["scalar_view"] == "RowMajorProjection":
                rows = [(body, [Scope()]) for body in content["bodies"]]
            else:
                scopes = [Scope(binders) for binders in self.variables.expressions.over(content["domain"])]
                rows = [(body, scopes) for body in content["bodies"]]
            for row, scopes in rows:
                for scope in scopes:
                    for item in self.variables.expressions.at(row, scope).items:
                        yield Equation(item, where)

    def _assemble(self) -> None:
        ordered = self._sorted()
        unknowns = [*self._rates, *(scalar.symbol for scalar in self.algebraics)]
        self.iterated = ordered.iterated
        updates = list(self._discrete.updates().values())
        new, set_, ends, failed = self._discrete.actions([state.symbol for state in self.states])
        initial = list(self._equations("initialization_equation_operations"))
        held = self.variables.events.held  # all comparisons are known by now
        groups: list[list[ca.SX]] = [
            unknowns, ordered.residuals, [each.expression for each in held], [each.size for each in held], updates,
            self._discrete.conditions, new, set_, [ends], failed, [each.residual for each in initial],
            [scalar.symbol for scalar in self.variables.derived],
        ]  # fmt: skip
        solved = self._substituted(ordered.solved, groups)
        rates, residuals, expressions, sizes, updates, self.conditions, new, set_, last, failed, starts, derived = (
            solved
        )
        self.vector: dict[str, list[ca.SX]] = {
            "time": [self.variables.time],
            "states": [scalar.symbol for scalar in self.states],
            "inputs": [scalar.symbol for scalar in self.variables.inputs],
            "parameters": [scalar.symbol for scalar in self.variables.parameters],
            "discretes": [scalar.symbol for scalar in self.variables.discretes],
            "pre": [self.variables.pre[str(scalar.symbol)] for scalar in self.variables.discretes],
            "held": [each.symbol for each in held],
            "before": [each.before for each in held],
            "iterated": self.iterated,
            "conditions": self._discrete.before,
            "initially": [self._discrete.initially],
        }
        self.following = [
            self._follow(each, expression, size)
            for each, expression, size in zip(held, expressions, sizes, strict=True)
        ]
        self.solved_states, jacobian = self._initialization(initial, starts)
        s = ca.vertcat(*(symbol for part in self.vector.values() for symbol in part))
        guesses = {scalar.name: scalar.start for scalar in self.algebraics}
        outputs = {
            "rates": [*rates, *derived],
            "implicit": [*residuals, *_jacobian(residuals, self.iterated)],
            "held": [
                *(each.expression for each in self.following), *(each.size for each in self.following),
                *(each.slope for each in self.following),
            ],
            "discrete": [*updates, *self.conditions, *new, *set_, *last, *failed],
            "starts": [
                *(scalar.start for scalar in self.states), *(scalar.start for scalar in self.variables.discretes),
                *(guesses.get(symbol.name(), ca.SX(0)) for symbol in self.iterated),
            ],
            "initial": [*starts, *jacobian],
        }  # fmt: skip
        self.functions = [
            ca.Function(name, [s], [ca.densify(ca.vertcat(*parts)) if parts else ca.SX(0, 1)])
            for name, parts in outputs.items()
        ]

    def _sorted(self) -> Sorted:
        """Sort the equations; states that they give are none afterwards."""
        states, inputs = [scalar.symbol for scalar in self.states], self.variables.real_inputs
        reduction = Reduction(states, self._rates, self.variables.time, inputs)
        unknowns = [*self._rates, *(scalar.symbol for scalar in self.algebraics)]
        fixed = {scalar.name for scalar in self.states if scalar.fixed}
        reduced = reduction.reduce(list(self._equations("continuous_equation_operations")), unknowns, fixed)
        ordered = sort(reduced.equations, reduced.unknowns)
        rates = dict(zip((scalar.name for scalar in self.states), self._rates, strict=True))
        demoted = [scalar for scalar in self.states if scalar.name in reduced.demoted]
        self.algebraics = [*self.algebraics, *demoted]
        self.states = [scalar for scalar in self.states if scalar.name not in reduced.demoted]
        self._rates = [rates[scalar.name] for scalar in self.states]
        return ordered

    @staticmethod
    def _substituted(solved: Sequence[tuple[ca.SX, ca.SX]], groups: Sequence[Sequence[ca.SX]]) -> list[list[ca.SX]]:
        """Write expressions without the unknowns that are solved for."""
        flat = [item for group in groups for item in group]
        if solved and flat:
            symbols, definitions = [symbol for symbol, _ in solved], [value for _, value in solved]
            _, flat = ca.substitute_inplace(symbols, definitions, flat, False)
        result, place = [], 0
        for group in groups:
            result.append(list(flat[place : place + len(group)]))
            place += len(group)
        return result

    def _follow(self, held: Held, expression: ca.SX, size: ca.SX) -> Following:
        continuous = ca.vertcat(*self.vector["states"], *self.variables.real_inputs, *self.iterated)
        none = ca.SX(0)
        if continuous.numel() and ca.depends_on(expression, continuous):
            return Following(held, expression, size, none, BY_STATE)
        if not ca.depends_on(expression, self.variables.time):
            return Following(held, expression, size, none, STEADY)
        slope = ca.jacobian(expression, self.variables.time)
        if ca.depends_on(slope, self.variables.time):
            return Following(held, expression, size, none, BY_STATE)
        return Following(held, expression, size, ca.densify(slope), BY_TIME)

    def _initialization(
        self, equations: Sequence[Equation], residuals: Sequence[ca.SX]
    ) -> tuple[list[int], list[ca.SX]]:
        """Return which states initial equations give, and the derivatives of their residuals."""
        if not residuals:
            return [], []
        free = [place for place, scalar in enumerate(self.states) if not scalar.fixed]
        symbols = [self.states[place].symbol for place in free]
        columns: list[int] = [-1] * len(residuals)
        if symbols:
            columns = match(ca.jacobian_sparsity(ca.vertcat(*residuals), ca.vertcat(*symbols)))
        over = [equations[k].place for k, column in enumerate(columns) if column < 0]
        if over:
            raise ResourcesError(
                f"{over[0]}: this initial equation gives no state that is not fixed or given by another one; "
                "initial equations of other variables than states are not covered where they give no state"
            )
        chosen = [free[column] for column in columns]
        return chosen, _jacobian(residuals, [self.states[place].symbol for place in chosen])


def _jacobian(residuals: Sequence[ca.SX], unknowns: Sequence[ca.SX]) -> list[ca.SX]:
    """Return derivatives of residuals, row by row."""
    if not residuals or not unknowns:
        return []
    matrix = ca.densify(ca.jacobian(ca.vertcat(*residuals), ca.vertcat(*unknowns)))
    return [matrix[i, j] for i in range(len(residuals)) for j in range(len(unknowns))]
