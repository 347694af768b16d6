"""The variables of a model of Modelica: what stands for each in equations."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import casadi as ca

from trivium.model.modelica.dae import Dae
from trivium.model.modelica.events import Events
from trivium.model.modelica.expressions import Expressions
from trivium.model.modelica.values import Value, places

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


class Variables:
    """All of a model.

    Parameters
    ----------
    dae : Dae

    Attributes
    ----------
    parameters, inputs, states, discretes, algebraics, derived : list of Scalar
        Parameters that may be set; inputs; continuous states; what changes at events; all other variables that the
        equations give; parameters that follow from others.
    rates : list of casadi.SX
        Derivatives of the states.
    pre : Mapping of str to casadi.SX
        What stands for a discrete variable's value before an event, by the name of its symbol.
    coordinates : Mapping
        What stands for a variable, by its role and number.
    expressions : Expressions
        In terms of them.
    """

    def __init__(self, dae: Dae) -> None:
        self.dae, self.events, self.time = dae, Events(), ca.SX.sym("time")
        self.pre: dict[str, ca.SX] = {}
        self.coordinates: dict[tuple[str, int], Value] = {}
        self.expressions = Expressions(dae, self.coordinates, self.time, self.events, self._parameter)
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
        self.rates = [ca.SX.sym(f"der({scalar.name})") for scalar in self.states]
        self._name_rates(kinds)

    @property
    def real_inputs(self) -> list[ca.SX]:
        """What stands for inputs that may change at any time."""
        return [scalar.symbol for scalar in self.inputs if scalar.type == "real"]

    def attribute(self, scalar: Scalar, name: str) -> float | None:
        """Return an attribute of a variable, as ``min``; None where it has none, or no constant one."""
        row = scalar.declared["attributes"][name]
        if row is None:
            return None
        value = self.expressions.at(row)
        return float(value.items[0]) if len(value.items) == 1 and value.items[0].is_constant() else None

    def _role(self, variable: Mapping[str, Any], frozen: frozenset[str]) -> str:
        role = str(variable["role"])
        attributes = variable["attributes"]
        if self.dae.type(variable) == "string":
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
        ((kind, fields),) = self.dae.nodes[row].items()
        if kind in ("literal",):
            return True
        if kind == "unary":
            return self._is_literal(fields["operand"])
        if kind in ("array", "builtin"):
            return all(self._is_literal(operand) for operand in self.dae.operands[row])
        return kind == "binary" and self._is_literal(fields["lhs"]) and self._is_literal(fields["rhs"])

    def _frozen(self) -> frozenset[str]:
        """Return parameters that a clock has taken the values of: setting them would be in vain."""
        words = {
            word
            for clock in self.dae.tables["clocks"]
            for word in re.findall(r"\w+", self.dae.source(clock["provenance"]))
        }
        names = (variable["name"] for variable in self.dae.variables)
        return frozenset(name for name in names if re.split(r"[.\[]", name)[-1] in words)

    def _declare(self, index: int, kind: str) -> None:
        variable = self.dae.variables[index]
        if kind in ("derived", "text"):
            return  # its expression stands for it
        shape = self.dae.shape(variable)
        names = [variable["name"] + self._suffix(place) for place in places(shape)]
        value = Value(shape, tuple(ca.SX.sym(name) for name in names))
        self.coordinates[kind, index] = value
        if kind == "algebraic":
            self.coordinates["output", index] = value
        if kind == "state":
            self.coordinates["pre_state", index] = value
        if kind in _DISCRETE:
            before = Value(shape, tuple(ca.SX.sym(f"pre({name})") for name in names))
            for name in _DISCRETE:
                self.coordinates[name, index], self.coordinates[f"pre_{name}", index] = value, before
            self.pre |= {str(item): pre for item, pre in zip(value.items, before.items, strict=True)}

    @staticmethod
    def _suffix(place: Sequence[int]) -> str:
        return f"[{','.join(map(str, place))}]" if place else ""

    def _scalars(self, kinds: Mapping[int, str], *chosen: str) -> list[Scalar]:
        scalars: list[Scalar] = []
        for index, kind in kinds.items():
            if kind not in chosen:
                continue
            variable = self.dae.variables[index]
            shape, attributes = self.dae.shape(variable), variable["attributes"]
            names = [variable["name"] + self._suffix(place) for place in places(shape)]
            symbols = self._parameter(index).items if kind == "derived" else self.coordinates[kind, index].items
            start = attributes["binding"] if kind == "parameter" and attributes["binding"] is not None else None
            start = attributes["start"] if start is None else start
            starts = (ca.SX(0),) * len(names) if start is None else self.expressions.at(start).items
            starts = starts * len(names) if len(starts) == 1 else starts
            fixed = attributes["fixed"] or [False]
            fixed = fixed * len(names) if len(fixed) == 1 else fixed
            kind_of = self.dae.type(variable)
            scalars += [
                Scalar(name, symbol, variable, kind_of, begin, hold)
                for name, symbol, begin, hold in zip(names, symbols, starts, fixed, strict=True)
            ]
        return scalars

    def _parameter(self, index: int) -> Value:
        if ("parameter", index) not in self.coordinates:
            attributes = self.dae.variables[index]["attributes"]
            given = {entry["target"]: entry["value"] for entry in self.dae.tables["initial_parameter_values"]}
            row = given.get(index, attributes["binding"] if attributes["binding"] is not None else attributes["start"])
            if row is None:
                raise self.dae.refusal("a parameter without a value", self.dae.variables[index]["declaration"])
            self.coordinates["parameter", index] = self.expressions.at(row)
        return self.coordinates["parameter", index]

    def _name_rates(self, kinds: Mapping[int, str]) -> None:
        place = 0
        for index, kind in kinds.items():
            if kind == "state":
                shape = self.dae.shape(self.dae.variables[index])
                size = math.prod(shape)
                self.coordinates["derivative", index] = Value(shape, tuple(self.rates[place : place + size]))
                place += size
