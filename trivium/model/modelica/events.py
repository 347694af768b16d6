"""What changes at events only: comparisons of continuous expressions, and whole parts of them.

The equations see a symbol for each, which holds between events. What it stands for is kept here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import casadi as ca

#: ``above``: whether it is positive; ``least``: whether it is not negative; ``floor``: the greatest integer not above;
#: ``clock``: the same, of a clock.
Kind = Literal["above", "least", "floor", "clock"]


@dataclass(frozen=True)
class Held:
    """A number that holds between events.

    Attributes
    ----------
    symbol, before : casadi.SX
        Its value now, and at the end of the event before.
    kind : Kind
        How it follows from the expression.
    expression : casadi.SX
    size : casadi.SX
        How large the terms of the expression are: rounding is measured by it.
    """

    symbol: ca.SX
    before: ca.SX
    kind: Kind
    expression: ca.SX
    size: ca.SX


class Events:
    """All of a model."""

    def __init__(self) -> None:
        self.held: list[Held] = []
        self._known: dict[tuple[str, str], Held] = {}

    def compare(self, operator: str, left: ca.SX, right: ca.SX) -> ca.SX:
        """Return whether a comparison holds: ``less``, ``less_equal``, ``greater``, ``greater_equal``."""
        over = left - right if operator.startswith("greater") else right - left
        if over.is_constant():
            return ca.SX(int(float(over) >= 0 if operator.endswith("equal") else float(over) > 0))
        return self._hold("least" if operator.endswith("equal") else "above", over, ca.fabs(left) + ca.fabs(right))

    def floor(self, expression: ca.SX) -> ca.SX:
        """Return the greatest integer that is not above an expression."""
        if expression.is_constant():
            return ca.floor(expression)
        return self._hold("floor", expression, ca.fabs(expression))

    def tick(self, clock: int, time: ca.SX, period: float, phase: float) -> ca.SX:
        """Return whether a periodic clock ticks in this event."""
        count = self._hold("clock", (time - phase) / period, ca.SX(1), f"clock {clock}")
        held = self._known["clock", f"clock {clock}"]
        return ca.ne(count, held.before) * (count >= 0)  # none before the first

    def _hold(self, kind: Kind, expression: ca.SX, size: ca.SX, name: str = "") -> ca.SX:
        key = (kind, name or str(expression))
        if key not in self._known:
            number = len(self.held)
            held = Held(ca.SX.sym(f"held{number}"), ca.SX.sym(f"before{number}"), kind, expression, size)
            self.held.append(held)
            self._known[key] = held
        return self._known[key].symbol
