"""A model of Modelica as functions: rates, events, initialization."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import casadi as ca

from trivium.errors import ResourcesError
from trivium.model.modelica.dae import Dae
from trivium.model.modelica.events import Events, Held
from trivium.model.modelica.expressions import Expressions, Scope
from trivium.model.modelica.reduction import Reduction
from trivium.model.modelica.sorting import Equation, Sorted, match, sort
from trivium.model.modelica.values import Value, places

#: How a number that holds between events is followed.
STEADY, BY_TIME, BY_STATE = 0, 1, 2
_DISCRETE = ("discrete_real", "discrete_value")


@dataclass(frozen=True)
class Scalar:
    """An element of a variable.

    Attributes
    ----------
    name : str
        With its subscripts.
    symbol : casadi.SX
        What stands for it in equations.
    declared : Mapping
        rumoca's row of the variable.
    type : str
        ``real``, ``integer``, ``boolean`` or ``enumeration``.
    start : casadi.SX
        Its start value, in terms of parameters.
    fixed : bool
        Whether the start value is an initial equation.
    """

    name: str
    symbol: ca.SX
    declared: Mapping[str, Any]
    type: str
    start: ca.SX
    fixed: bool


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
    parameters, inputs, states, discretes, algebraics, derived : list of Scalar
        Parameters that may be set; inputs; continuous states; what changes at events; all other variables that the
        equations give; parameters that follow from others.
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
        self._dae, self._events, self._time = dae, Events(), ca.SX.sym("time")
        self._initially = ca.SX.sym("initially")
        self._before: list[ca.SX] = []
        self._coordinates: dict[tuple[str, int], Value] = {}
        self._expressions = Expressions(dae, self._coordinates, self._time, self._events, self._parameter)
        frozen = self._frozen()
        indices = range(len(dae.variables))
        kinds = {index: self._role(dae.variables[index], frozen) for index in indices}
        # what stands for a variable must be there before start values and bindings are read
        for index in indices:
            self._declare(index, kinds[index])
        self.parameters = self._scalars(kinds, "parameter")
        self.derived = self._scalars(kinds, "derived")
        self.inputs = self._scalars(kinds, "input")
        self.states = self._scalars(kinds, "state")
        self.discretes = self._scalars(kinds, *_DISCRETE)
        self.algebraics = self._scalars(kinds, "algebraic")
        self._rates = [ca.SX.sym(f"der({scalar.name})") for scalar in self.states]
        self._name_rates(kinds)
        self._pre = [self._pre_of[str(scalar.symbol)] for scalar in self.discretes]
        self.conditions: list[ca.SX] = []
        self._initial_only: list[bool] = []
        self._numbers: dict[int, int] = {}
        self.messages: list[str] = []
        self._assemble()

    # ---- variables ----

    def attribute(self, scalar: Scalar, name: str) -> float | None:
        """Return an attribute of a variable, as ``min``; None where it has none, or no constant one."""
        row = scalar.declared["attributes"][name]
        if row is None:
            return None
        value = self._expressions.at(row)
        return float(value.items[0]) if len(value.items) == 1 and value.items[0].is_constant() else None

    def _role(self, variable: Mapping[str, Any], frozen: frozenset[str]) -> str:
        role = str(variable["role"])
        attributes = variable["attributes"]
        if self._dae.type(variable) == "string":
            return "text"
        if role in ("parameter", "constant"):
            binding = attributes["binding"]
            constant = binding is None or self._is_literal(binding)
            settable = attributes["is_tunable"] and variable["name"] not in frozen
            return "parameter" if constant and settable else "derived"
        if role == "output":
            return "algebraic" if variable["variability"] == "continuous" else "discrete_value"
        return role

    def _is_literal(self, row: int) -> bool:
        """Return whether an expression has no variable."""
        ((kind, fields),) = self._dae.nodes[row].items()
        if kind in ("literal",):
            return True
        if kind == "unary":
            return self._is_literal(fields["operand"])
        if kind in ("array", "builtin"):
            return all(self._is_literal(operand) for operand in self._dae.operands[row])
        return kind == "binary" and self._is_literal(fields["lhs"]) and self._is_literal(fields["rhs"])

    def _frozen(self) -> frozenset[str]:
        """Return parameters that a clock has taken the values of: setting them would be in vain."""
        words = {
            word
            for clock in self._dae.tables["clocks"]
            for word in re.findall(r"\w+", self._dae.source(clock["provenance"]))
        }
        names = (variable["name"] for variable in self._dae.variables)
        return frozenset(name for name in names if re.split(r"[.\[]", name)[-1] in words)

    def _declare(self, index: int, kind: str) -> None:
        variable = self._dae.variables[index]
        if kind in ("derived", "text"):
            return  # its expression stands for it
        shape = self._dae.shape(variable)
        names = [variable["name"] + self._suffix(place) for place in places(shape)]
        value = Value(shape, tuple(ca.SX.sym(name) for name in names))
        self._coordinates[kind, index] = value
        if kind == "algebraic":
            self._coordinates["output", index] = value
        if kind == "state":
            self._coordinates["pre_state", index] = value
        if kind in _DISCRETE:
            before = Value(shape, tuple(ca.SX.sym(f"pre({name})") for name in names))
            for name in _DISCRETE:
                self._coordinates[name, index], self._coordinates[f"pre_{name}", index] = value, before
            self._pre_of |= {str(item): pre for item, pre in zip(value.items, before.items, strict=True)}

    @cached_property
    def _pre_of(self) -> dict[str, ca.SX]:
        return {}

    @staticmethod
    def _suffix(place: Sequence[int]) -> str:
        return f"[{','.join(map(str, place))}]" if place else ""

    def _scalars(self, kinds: Mapping[int, str], *chosen: str) -> list[Scalar]:
        scalars: list[Scalar] = []
        for index, kind in kinds.items():
            if kind not in chosen:
                continue
            variable = self._dae.variables[index]
            shape, attributes = self._dae.shape(variable), variable["attributes"]
            names = [variable["name"] + self._suffix(place) for place in places(shape)]
            symbols = self._parameter(index).items if kind == "derived" else self._coordinates[kind, index].items
            start = attributes["binding"] if kind == "parameter" and attributes["binding"] is not None else None
            start = attributes["start"] if start is None else start
            starts = (ca.SX(0),) * len(names) if start is None else self._expressions.at(start).items
            starts = starts * len(names) if len(starts) == 1 else starts
            fixed = attributes["fixed"] or [False]
            fixed = fixed * len(names) if len(fixed) == 1 else fixed
            kind_of = self._dae.type(variable)
            scalars += [
                Scalar(name, symbol, variable, kind_of, begin, hold)
                for name, symbol, begin, hold in zip(names, symbols, starts, fixed, strict=True)
            ]
        return scalars

    def _parameter(self, index: int) -> Value:
        if ("parameter", index) not in self._coordinates:
            attributes = self._dae.variables[index]["attributes"]
            given = {entry["target"]: entry["value"] for entry in self._dae.tables["initial_parameter_values"]}
            row = given.get(index, attributes["binding"] if attributes["binding"] is not None else attributes["start"])
            if row is None:
                raise self._dae.refusal("a parameter without a value", self._dae.variables[index]["declaration"])
            self._coordinates["parameter", index] = self._expressions.at(row)
        return self._coordinates["parameter", index]

    def _name_rates(self, kinds: Mapping[int, str]) -> None:
        place = 0
        for index, kind in kinds.items():
            if kind == "state":
                shape = self._dae.shape(self._dae.variables[index])
                size = math.prod(shape)
                self._coordinates["derivative", index] = Value(shape, tuple(self._rates[place : place + size]))
                place += size

    # ---- equations ----

    def _equations(self, table: str) -> Iterator[Equation]:
        for entry in self._dae.tables[table]:
            ((kind, content),) = entry.items()
            where = self._dae.place(content["provenance"])
            if kind == "residual":
                rows = [(content["residual"], [Scope()])]
            elif content["scalar_view"] == "RowMajorProjection":
                rows = [(body, [Scope()]) for body in content["bodies"]]
            else:
                scopes = [Scope(binders) for binders in self._expressions.over(content["domain"])]
                rows = [(body, scopes) for body in content["bodies"]]
            for row, scopes in rows:
                for scope in scopes:
                    for item in self._expressions.at(row, scope).items:
                        yield Equation(item, where)

    def _condition(self, number: int) -> ca.SX:
        """Return whether a condition holds."""
        entry = self._dae.tables["conditions"][number]
        node = entry["node"]
        if node in ("always", "initial"):
            return ca.SX(1) if node == "always" else self._initially
        ((kind, content),) = node.items()
        if kind == "relation":
            relation = self._dae.tables["relations"][content]
            if "relation" not in relation:
                raise self._dae.refusal("this condition", entry["provenance"])
            return self._expressions.at(relation["relation"]["expression"]).scalar
        if kind == "discrete":
            return self._expressions.at(content).scalar
        if kind == "clock":
            return self._tick(content)
        if kind == "not":
            return 1 - self._condition(content)
        left, right = self._condition(content["lhs"]), self._condition(content["rhs"])
        return ca.if_else(left, right, 0) if kind == "and" else ca.if_else(left, 1, right)

    def _tick(self, number: int) -> ca.SX:
        clock = self._dae.tables["clocks"][number]
        periodic = clock["kind"].get("periodic")
        if periodic is None or periodic["anchor"] != "absolute":
            raise self._dae.refusal("this clock", clock["provenance"])
        period, phase = (
            fraction["num"] / fraction["den"] for fraction in map(periodic["lattice"].get, ("period", "phase"))
        )
        return self._events.tick(number, self._time, period, phase)

    def _begins(self, number: int) -> ca.SX:
        """Return whether a condition has become true."""
        node = self._dae.tables["conditions"][number]["node"]
        if isinstance(node, dict) and "any_rise" in node:
            left, right = (self._begins(node["any_rise"][side]) for side in ("lhs", "rhs"))
            return ca.if_else(left, 1, right)
        if number not in self._numbers:
            self._numbers[number] = len(self.conditions)
            self.conditions.append(self._condition(number))
            self._before.append(ca.SX.sym(f"condition{len(self._before)}"))
        place = self._numbers[number]
        begins = self.conditions[place] * (1 - self._before[place])
        if ca.depends_on(self.conditions[place], self._initially):
            return begins
        return begins * (1 - self._initially)

    def _acts(self, action: Mapping[str, Any]) -> ca.SX:
        """Return whether something is done in an event."""
        begins, guard = self._begins(action["trigger"]), action["guard"]
        return begins if guard == action["trigger"] else ca.if_else(begins, self._condition(guard), 0)

    def _active(self, activation: Any) -> ca.SX:
        return ca.SX(1) if activation == "always" else self._begins(activation["when"]["trigger"])

    def _updates(self) -> dict[str, ca.SX]:
        """Return what discrete variables become, by the names of their symbols."""
        branches: dict[str, list[tuple[ca.SX, ca.SX]]] = {}
        for entry in self._dae.tables["discrete_real_equations"]:
            active = self._active(entry["activation"])
            for symbol, value in self._assigned(entry["residual"], entry["provenance"]):
                branches.setdefault(str(symbol), []).append((active, value))
        for owner in self._dae.tables["discrete_value_owners"]:
            for branch in owner["branches"]:
                active = self._active(branch["activation"])
                for target, action in zip(owner["targets"], branch["values"], strict=True):
                    symbols = self._coordinates["discrete_value", target].items
                    values = self._branch_values(owner, action["value"], len(symbols))
                    for symbol, value in zip(symbols, values, strict=True):
                        branches.setdefault(str(symbol), []).append((active, value))
        updates = {}
        for scalar, before in zip(self.discretes, self._pre, strict=True):
            update = before
            for active, value in reversed(branches.get(str(scalar.symbol), [])):
                update = value if active.is_constant() else ca.if_else(active, value, update)
            updates[str(scalar.symbol)] = update
        for entry in self._dae.tables["initial_discrete_values"]:
            symbols = self._coordinates["discrete_value", entry["target"]].items
            values = self._expressions.at(entry["value"]).items
            for symbol, value in zip(symbols, values, strict=True):
                updates[str(symbol)] = ca.if_else(self._initially, value, updates[str(symbol)])
        return updates

    def _branch_values(self, owner: Mapping[str, Any], row: int, size: int) -> Sequence[ca.SX]:
        structure = owner["structure"]
        if structure is None or structure["scalar_view"] == "RowMajorProjection":
            values = self._expressions.at(row).items
        else:
            values = tuple(
                self._expressions.at(row, Scope(binders)).scalar
                for binders in self._expressions.over(structure["domain"])
            )
        values = values * size if len(values) == 1 else values
        if len(values) != size:
            raise self._dae.refusal("a loop over some elements of a discrete array", owner["provenance"])
        return values

    def _assigned(self, row: int, provenance: Any) -> list[tuple[ca.SX, ca.SX]]:
        """Return which discrete variables a residual gives, and their values."""
        node = self._dae.nodes[row].get("binary")
        if node is not None and node["operator"] == "subtract":
            target, value = self._expressions.at(node["lhs"]), self._expressions.at(node["rhs"])
            values = value.items * len(target.items) if len(value.items) == 1 else value.items
            if all(str(item) in self._pre_of for item in target.items):
                return list(zip(target.items, values, strict=True))
        raise self._dae.refusal("an equation of a discrete variable that is not solved for it", provenance)

    def _actions(self) -> tuple[list[ca.SX], list[ca.SX], ca.SX, list[ca.SX]]:
        """Return new values of states, whether they are set, whether the simulation ends, failed assertions."""
        symbols = [state.symbol for state in self.states]
        values, set_ = list(symbols), [ca.SX(0) for _ in symbols]
        ends, failed = ca.SX(0), []
        for action in self._dae.tables["event_actions"]:
            ((kind, content),) = action["kind"].items()
            if kind == "assert":
                failed.append(self._condition(action["guard"]))
                self.messages.append(self._expressions.text(content["message"]))
            elif kind == "terminate":
                ends = ca.if_else(self._acts(action), 1, ends)
            elif kind == "reinitialize":
                active = self._acts(action)
                target = self._coordinates["state", content["state"]].items
                value = self._expressions.at(content["value"]).items
                for symbol, new in zip(target, value, strict=True):
                    place = next(k for k, each in enumerate(symbols) if each.name() == symbol.name())
                    values[place] = ca.if_else(active, new, values[place])
                    set_[place] = ca.if_else(active, 1, set_[place])
        return values, set_, ends, failed

    def _assemble(self) -> None:
        ordered = self._sorted()
        unknowns = [*self._rates, *(scalar.symbol for scalar in self.algebraics)]
        self.iterated = ordered.iterated
        updates = list(self._updates().values())
        new, set_, ends, failed = self._actions()
        initial = list(self._equations("initialization_equation_operations"))
        held = self._events.held  # all comparisons are known by now
        groups: list[list[ca.SX]] = [
            unknowns, ordered.residuals, [each.expression for each in held], [each.size for each in held], updates,
            self.conditions, new, set_, [ends], failed, [each.residual for each in initial],
            [scalar.symbol for scalar in self.derived],
        ]  # fmt: skip
        solved = self._substituted(ordered.solved, groups)
        rates, residuals, expressions, sizes, updates, self.conditions, new, set_, last, failed, starts, derived = (
            solved
        )
        self.vector: dict[str, list[ca.SX]] = {
            "time": [self._time],
            "states": [scalar.symbol for scalar in self.states],
            "inputs": [scalar.symbol for scalar in self.inputs],
            "parameters": [scalar.symbol for scalar in self.parameters],
            "discretes": [scalar.symbol for scalar in self.discretes],
            "pre": self._pre,
            "held": [each.symbol for each in held],
            "before": [each.before for each in held],
            "iterated": self.iterated,
            "conditions": self._before,
            "initially": [self._initially],
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
                *(scalar.start for scalar in self.states), *(scalar.start for scalar in self.discretes),
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
        reals = [scalar.symbol for scalar in self.inputs if scalar.type == "real"]
        reduction = Reduction([scalar.symbol for scalar in self.states], self._rates, self._time, reals)
        unknowns = [*self._rates, *(scalar.symbol for scalar in self.algebraics)]
        fixed = {scalar.name for scalar in self.states if scalar.fixed}
        reduced = reduction.reduce(list(self._equations("continuous_equation_operations")), unknowns, fixed)
        ordered = sort(reduced.equations, reduced.unknowns)
        rates = dict(zip((scalar.name for scalar in self.states), self._rates, strict=True))
        self.algebraics += [scalar for scalar in self.states if scalar.name in reduced.demoted]
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
        reals = [scalar.symbol for scalar in self.inputs if scalar.type == "real"]
        continuous = ca.vertcat(*self.vector["states"], *reals, *self.iterated)
        none = ca.SX(0)
        if continuous.numel() and ca.depends_on(expression, continuous):
            return Following(held, expression, size, none, BY_STATE)
        if not ca.depends_on(expression, self._time):
            return Following(held, expression, size, none, STEADY)
        slope = ca.jacobian(expression, self._time)
        if ca.depends_on(slope, self._time):
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
