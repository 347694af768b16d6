"""From rumoca's rows of expressions to CasADi's symbols."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import casadi as ca

from trivium.errors import ResourcesError
from trivium.model.modelica.dae import Dae
from trivium.model.modelica.events import Events
from trivium.model.modelica.values import (
    Value,
    choose,
    combine,
    concatenate,
    number,
    product,
    promote,
    select,
    stack,
    total,
    transpose,
)

_COMPARISONS = ("less", "less_equal", "greater", "greater_equal")
_ELEMENTWISE: dict[str, Callable[[ca.SX, ca.SX], ca.SX]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a**b,
    "multiply": lambda a, b: a * b,
    "equal": ca.eq,
    "not_equal": ca.ne,
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "and": lambda a, b: ca.if_else(a, b, 0),
    "or": lambda a, b: ca.if_else(a, 1, b),
}
_FUNCTIONS: dict[str, Callable[..., ca.SX]] = {
    "abs": ca.fabs, "sign": ca.sign, "sqrt": ca.sqrt, "sin": ca.sin, "cos": ca.cos, "tan": ca.tan, "asin": ca.asin,
    "acos": ca.acos, "atan": ca.atan, "sinh": ca.sinh, "cosh": ca.cosh, "tanh": ca.tanh, "exp": ca.exp, "log": ca.log,
    "log10": ca.log10,
}  # fmt: skip


@dataclass(frozen=True)
class Scope:
    """Where an expression is evaluated.

    Attributes
    ----------
    binders : Mapping
        Values of loop variables, by domain and ordinal.
    arguments : tuple of Value
        Of the function whose body it is in.
    assigned : Mapping
        What the function has assigned, by value and ordinal.
    quiet : bool
        Whether comparisons make no events: inside ``noEvent`` and in functions.
    """

    binders: Mapping[tuple[int, int], int] = field(default_factory=dict)
    arguments: tuple[Value, ...] = ()
    assigned: Mapping[tuple[int, int], Value] = field(default_factory=dict)
    quiet: bool = False


class Expressions:
    """Evaluates expressions of a model.

    Parameters
    ----------
    dae : Dae
    coordinates : Mapping
        Symbols by kind and variable: ``("state", 3)``, ``("pre_discrete_value", 5)``.
    time : casadi.SX
    events : Events
    parameter : Callable
        Returns the value of a parameter that follows from others, by its variable.
    """

    def __init__(
        self,
        dae: Dae,
        coordinates: Mapping[tuple[str, int], Value],
        time: ca.SX,
        events: Events,
        parameter: Callable[[int], Value],
    ) -> None:
        self._dae, self._coordinates, self._time, self._events = dae, coordinates, time, events
        self._parameter = parameter
        self._known: dict[tuple[int, bool], Value] = {}

    def at(self, row: int, scope: Scope | None = None) -> Value:
        """Return the value of an expression.

        Raises
        ------
        ResourcesError
            With the place in the source, when it has what is not covered.
        """
        scope = scope or Scope()
        plain = not scope.binders and not scope.arguments
        if plain and (row, scope.quiet) in self._known:
            return self._known[row, scope.quiet]
        ((kind, fields),) = self._dae.nodes[row].items()
        method: Callable[[int, Any, Scope], Value] | None = getattr(self, f"_{kind}", None)
        if method is None:
            raise self._refusal(kind.replace("_", " "), row)
        try:
            value = method(row, fields, scope)
        except ValueError as error:
            raise ResourcesError(f"{self._dae.place(self._dae.provenance[row])}: {error}") from error
        if plain:
            self._known[row, scope.quiet] = value
        return value

    def text(self, row: int) -> str:
        """Return the text of a message; where it is no constant, the place in the source alone."""
        node = self._dae.nodes[row]
        literal = node.get("literal", {}) if isinstance(node, dict) else {}
        place = self._dae.place(self._dae.provenance[row])
        return f"{place}: {literal['string']}" if "string" in literal else place

    def over(self, domain: int) -> Iterator[dict[tuple[int, int], int]]:
        """Yield the values of the loop variables of a domain, the last one changing fastest."""
        binders = self._dae.tables["domains"][domain]["domain"]["binders"]
        ranges = [range(b["lower"], b["upper"] + (1 if b["step"] > 0 else -1), b["step"]) for b in binders]
        for values in itertools.product(*ranges):
            yield {(domain, ordinal): value for ordinal, value in enumerate(values)}

    def _refusal(self, feature: str, row: int) -> ResourcesError:
        return self._dae.refusal(feature, self._dae.provenance[row])

    def _literal(self, row: int, fields: Mapping[str, Any], scope: Scope) -> Value:
        ((kind, content),) = fields.items()
        if kind == "string":
            raise self._refusal("a text in an equation", row)
        return number(float(content))

    def _coordinate(self, row: int, fields: Any, scope: Scope) -> Value:
        if fields == "time":
            return number(self._time)
        ((kind, content),) = fields.items()
        if kind == "binder":
            return number(scope.binders[content["domain"], content["ordinal"]])
        if kind == "function_parameter":
            return scope.arguments[int(content["ordinal"])]
        if kind == "parameter":
            return self._parameter(int(content))
        if not isinstance(content, int) or (kind, content) not in self._coordinates:
            raise self._refusal(kind.replace("_", " "), row)
        return self._coordinates[kind, content]

    def _unary(self, row: int, fields: Mapping[str, Any], scope: Scope) -> Value:
        value = self.at(fields["operand"], scope)
        operator = fields["operator"]
        if operator == "not":
            return value.map(lambda item: 1 - item)
        return value.map(lambda item: -item) if operator == "negate" else value

    def _binary(self, row: int, fields: Mapping[str, Any], scope: Scope) -> Value:
        operator: str = fields["operator"]
        left, right = self.at(fields["lhs"], scope), self.at(fields["rhs"], scope)
        if operator in _COMPARISONS and not scope.quiet:
            return combine(left, right, lambda a, b: self._events.compare(operator, a, b))
        if operator == "multiply":
            return product(left, right)
        return combine(left, right, _ELEMENTWISE[operator.removeprefix("elementwise_")])

    def _conditional(self, row: int, fields: Mapping[str, Any], scope: Scope) -> Value:
        operands = self._dae.operands[row]
        value = self.at(operands[-1], scope)
        for place in range(len(operands) - 3, -1, -2):
            condition = self.at(operands[place], scope).scalar
            value = choose(condition, self.at(operands[place + 1], scope), value)
        return value

    def _array(self, row: int, fields: Mapping[str, Any], scope: Scope) -> Value:
        return stack([self.at(operand, scope) for operand in self._dae.operands[row]])

    def _comprehension(self, row: int, fields: Mapping[str, Any], scope: Scope) -> Value:
        values = [
            self.at(fields["body"], replace(scope, binders={**scope.binders, **binders}))
            for binders in self.over(fields["domain"])
        ]
        extents = self._dae.tables["domains"][fields["domain"]]["domain"]["binders"]
        if len(extents) > 1:
            raise self._refusal("an array of several loop variables", row)
        return stack(values)

    def _range(self, row: int, fields: Mapping[str, Any], scope: Scope) -> Value:
        start, stop = (self.at(fields[f"{end}_expression"], scope).scalar for end in ("start", "stop"))
        explicit = fields["explicit_step_expression"]
        step = ca.SX(1) if explicit is None else self.at(explicit, scope).scalar
        if not (start.is_constant() and stop.is_constant() and step.is_constant()):
            raise self._refusal("a range whose ends are no constants", row)
        first, last, width = float(start), float(stop), float(step)
        count = max(0, math.floor((last - first) / width + 1e-9) + 1)
        return stack([number(first + width * k) for k in range(count)])

    def _index(self, row: int, fields: Mapping[str, Any], scope: Scope) -> Value:
        subscripts: list[Value | None] = []
        for subscript in self._dae.subscripts[row]:
            if subscript == "whole":
                subscripts.append(None)
                continue
            ((_, content),) = subscript.items()
            subscripts.append(self.at(content, scope))
        return select(self.at(fields["base"], scope), subscripts)

    def _call(self, row: int, fields: Mapping[str, Any], scope: Scope) -> Value:
        function = self._dae.tables["functions"][fields["function"]]
        arguments = tuple(self.at(operand, scope) for operand in self._dae.operands[row])
        if function["external"] is not None:
            raise self._refusal(f"the external function {function['name']}", row)
        assigned: dict[tuple[int, int], Value] = {}
        counts: dict[int, int] = {}
        for statement in function["statements"]:
            ((kind, content),) = statement.items()
            if kind == "assignment":
                assignments = [content]
            elif kind == "assignment_group":
                assignments = content["assignments"]
            elif kind == "assertion":
                continue
            else:
                raise self._refusal(f"a loop in the function {function['name']}", row)
            inner = Scope({}, arguments, dict(assigned), quiet=True)
            for assignment in assignments:
                target = assignment["target"]
                ordinal = counts.get(target, 0)
                assigned[target, ordinal] = self.at(assignment["rhs"], inner)
                counts[target] = ordinal + 1
        output = fields["output"]
        return assigned[output, counts[output] - 1]

    def _function_value(self, row: int, fields: Mapping[str, Any], scope: Scope) -> Value:
        return scope.assigned[fields["value"], fields["definition_ordinal"]]

    def _runtime_quotient_owner(self, row: int, fields: Mapping[str, Any], scope: Scope) -> Value:
        left, right = self.at(fields["lhs"], scope), self.at(fields["rhs"], scope)
        return combine(left, right, lambda a, b: self._quotient(fields["builtin"], a, b, quiet=scope.quiet))

    def _quotient(self, name: str, left: ca.SX, right: ca.SX, *, quiet: bool) -> ca.SX:
        whole = self._floor(left / right, quiet=quiet)
        if name == "mod":
            return left - whole * right
        positive = left / right >= 0 if quiet else self._events.compare("greater_equal", left / right, ca.SX(0))
        toward_zero = ca.if_else(positive, whole, -self._floor(-left / right, quiet=quiet))
        return toward_zero if name == "div" else left - toward_zero * right

    def _floor(self, item: ca.SX, *, quiet: bool) -> ca.SX:
        return ca.floor(item) if quiet else self._events.floor(item)

    def _builtin(self, row: int, fields: Mapping[str, Any], scope: Scope) -> Value:
        name: str = fields["builtin"]
        operands = self._dae.operands[row]
        if name == "no_event":
            return self.at(operands[0], replace(scope, quiet=True))
        if name in ("smooth", "homotopy"):
            return self.at(operands[name == "smooth"], scope)
        values = [self.at(operand, scope) for operand in operands]
        if name in _FUNCTIONS:
            return values[0].map(_FUNCTIONS[name])
        if name == "atan2":
            return combine(values[0], values[1], ca.atan2)
        if name in ("floor", "integer"):
            return values[0].map(lambda item: self._floor(item, quiet=scope.quiet))
        if name == "ceil":
            return values[0].map(lambda item: -self._floor(-item, quiet=scope.quiet))
        if name in ("div", "mod", "rem"):
            return combine(values[0], values[1], lambda a, b: self._quotient(name, a, b, quiet=scope.quiet))
        shaped = _shaped(name, values)
        if shaped is None:
            raise self._refusal(f"{name}()", row)
        return shaped


def _shaped(name: str, values: Sequence[Value]) -> Value | None:
    """Return the value of a function of arrays; None where it is not known."""
    if name in ("min", "max"):
        least = ca.fmin if name == "min" else ca.fmax
        if len(values) == 2:
            return combine(values[0], values[1], least)
        result = values[0].items[0]
        for item in values[0].items[1:]:
            result = least(result, item)
        return number(result)
    if name == "sum":
        return number(total(values[0].items))
    if name == "product":
        return number(math.prod(values[0].items, start=ca.SX(1)))
    if name == "transpose":
        return transpose(values[0])
    if name in ("promoted_cat1", "promoted_cat2"):
        return concatenate(values, int(name[-1]) - 1)
    if name == "vector":
        return Value((len(values[0].items),), values[0].items)
    if name == "matrix":
        return promote(values[0])
    if name == "scalar":
        return number(values[0].scalar)
    if name in ("zeros", "ones", "fill"):
        filled = {"zeros": number(0), "ones": number(1)}.get(name) or values[0]
        shape = tuple(int(float(size.scalar)) for size in values[name == "fill" :])
        return Value(shape, filled.items * math.prod(shape))
    if name == "identity":
        size = int(float(values[0].scalar))
        return Value((size, size), tuple(ca.SX(float(i == j)) for i in range(size) for j in range(size)))
    if name == "size" and len(values) == 2:
        return number(values[0].shape[int(float(values[1].scalar)) - 1])
    if name == "linspace":
        count = int(float(values[2].scalar))
        first, last = values[0].scalar, values[1].scalar
        return stack([number(first + (last - first) * k / (count - 1)) for k in range(count)])
    if name == "cross":
        (a, b, c), (d, e, f) = values[0].items, values[1].items
        return Value((3,), (b * f - c * e, c * d - a * f, a * e - b * d))
    return None
