"""What a model of Modelica does at events: conditions, new values of discrete variables, actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import casadi as ca

from trivium.model.modelica.expressions import Scope
from trivium.model.modelica.variables import Variables


class Discrete:
    """The discrete part of a model.

    Parameters
    ----------
    variables : Variables

    Attributes
    ----------
    initially : casadi.SX
        Whether the model is being initialized.
    conditions, before : list of casadi.SX
        Of when-equations, and what stands for their values before an event.
    messages : list of str
        Of assertions.
    """

    def __init__(self, variables: Variables) -> None:
        self._variables, self._dae, self._expressions = variables, variables.dae, variables.expressions
        self.initially = ca.SX.sym("initially")
        self.conditions: list[ca.SX] = []
        self.before: list[ca.SX] = []
        self.messages: list[str] = []
        self._numbers: dict[int, int] = {}

    def updates(self) -> dict[str, ca.SX]:
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
                    symbols = self._variables.coordinates["discrete_value", target].items
                    values = self._branch_values(owner, action["value"], len(symbols))
                    for symbol, value in zip(symbols, values, strict=True):
                        branches.setdefault(str(symbol), []).append((active, value))
        updates = {}
        for scalar in self._variables.discretes:
            update = self._variables.pre[str(scalar.symbol)]
            for active, value in reversed(branches.get(str(scalar.symbol), [])):
                update = value if active.is_constant() else ca.if_else(active, value, update)
            updates[str(scalar.symbol)] = update
        for entry in self._dae.tables["initial_discrete_values"]:
            symbols = self._variables.coordinates["discrete_value", entry["target"]].items
            values = self._expressions.at(entry["value"]).items
            for symbol, value in zip(symbols, values, strict=True):
                updates[str(symbol)] = ca.if_else(self.initially, value, updates[str(symbol)])
        return updates

    def actions(self, states: Sequence[ca.SX]) -> tuple[list[ca.SX], list[ca.SX], ca.SX, list[ca.SX]]:
        """Return new values of states, whether they are set, whether the simulation ends, failed assertions."""
        values, set_ = list(states), [ca.SX(0) for _ in states]
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
                target = self._variables.coordinates["state", content["state"]].items
                value = self._expressions.at(content["value"]).items
                for symbol, new in zip(target, value, strict=True):
                    place = next(k for k, each in enumerate(states) if each.name() == symbol.name())
                    values[place] = ca.if_else(active, new, values[place])
                    set_[place] = ca.if_else(active, 1, set_[place])
        return values, set_, ends, failed

    def _condition(self, number: int) -> ca.SX:
        """Return whether a condition holds."""
        entry = self._dae.tables["conditions"][number]
        node = entry["node"]
        if node in ("always", "initial"):
            return ca.SX(1) if node == "always" else self.initially
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
        return self._variables.events.tick(number, self._variables.time, period, phase)

    def _begins(self, number: int) -> ca.SX:
        """Return whether a condition has become true."""
        node = self._dae.tables["conditions"][number]["node"]
        if isinstance(node, dict) and "any_rise" in node:
            left, right = (self._begins(node["any_rise"][side]) for side in ("lhs", "rhs"))
            return ca.if_else(left, 1, right)
        if number not in self._numbers:
            self._numbers[number] = len(self.conditions)
            self.conditions.append(self._condition(number))
            self.before.append(ca.SX.sym(f"condition{len(self.before)}"))
        place = self._numbers[number]
        begins = self.conditions[place] * (1 - self.before[place])
        if ca.depends_on(self.conditions[place], self.initially):
            return begins
        return begins * (1 - self.initially)

    def _acts(self, action: Mapping[str, Any]) -> ca.SX:
        """Return whether something is done in an event."""
        begins, guard = self._begins(action["trigger"]), action["guard"]
        return begins if guard == action["trigger"] else ca.if_else(begins, self._condition(guard), 0)

    def _active(self, activation: Any) -> ca.SX:
        return ca.SX(1) if activation == "always" else self._begins(activation["when"]["trigger"])

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
            if all(str(item) in self._variables.pre for item in target.items):
                return list(zip(target.items, values, strict=True))
        raise self._dae.refusal("an equation of a discrete variable that is not solved for it", provenance)
