"""Units of variables in terms of the seven SI base units, as modelDescription.xml wants them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

__all__ = ["SI_BASE", "Unit", "parse_unit"]

SI_BASE = ("kg", "m", "s", "A", "K", "mol", "cd", "rad")

# name -> (exponents by base unit, factor); Pa, W and so on by the SI Brochure (BIPM 2019), section 2.3.4
_SYMBOLS: dict[str, tuple[dict[str, int], float]] = {
    **{name: ({name: 1}, 1.0) for name in SI_BASE},
    "1": ({}, 1.0),
    "g": ({"kg": 1}, 1e-3),
    "t": ({"kg": 1}, 1e3),
    "cm": ({"m": 1}, 1e-2),
    "mm": ({"m": 1}, 1e-3),
    "km": ({"m": 1}, 1e3),
    "l": ({"m": 3}, 1e-3),
    "min": ({"s": 1}, 60.0),
    "h": ({"s": 1}, 3600.0),
    "d": ({"s": 1}, 86400.0),
    "Hz": ({"s": -1}, 1.0),
    "rpm": ({"s": -1}, 1.0 / 60.0),
    "deg": ({"rad": 1}, math.pi / 180.0),
    "N": ({"kg": 1, "m": 1, "s": -2}, 1.0),
    "Pa": ({"kg": 1, "m": -1, "s": -2}, 1.0),
    "kPa": ({"kg": 1, "m": -1, "s": -2}, 1e3),
    "bar": ({"kg": 1, "m": -1, "s": -2}, 1e5),
    "J": ({"kg": 1, "m": 2, "s": -2}, 1.0),
    "kJ": ({"kg": 1, "m": 2, "s": -2}, 1e3),
    "MJ": ({"kg": 1, "m": 2, "s": -2}, 1e6),
    "W": ({"kg": 1, "m": 2, "s": -3}, 1.0),
    "kW": ({"kg": 1, "m": 2, "s": -3}, 1e3),
    "MW": ({"kg": 1, "m": 2, "s": -3}, 1e6),
    "V": ({"kg": 1, "m": 2, "s": -3, "A": -1}, 1.0),
    "ppm": ({}, 1e-6),
    "%": ({}, 1e-2),
}
_TOKEN = re.compile(r"(?P<symbol>[A-Za-z%]+|1)(?P<exponent>-?\d+)?|(?P<operator>[./()])")


@dataclass(frozen=True)
class Unit:
    """A unit: value in SI = factor * value + offset, with the exponents of the base units."""

    name: str
    exponents: dict[str, int] = field(default_factory=dict)
    factor: float = 1.0
    offset: float = 0.0


def parse_unit(name: str) -> Unit:
    """Read a unit such as ``"kg/s"``, ``"J/(kg.K)"`` or ``"m3/s"`` (Modelica's form: ``.`` is a product).

    Parameters
    ----------
    name : str
        The unit.

    Returns
    -------
    Unit

    Raises
    ------
    ValueError
        When a symbol is unknown or the form is not understood.
    """
    if name == "degC":
        return Unit(name, {"K": 1}, 1.0, 273.15)
    tokens: list[re.Match[str]] = []
    position = 0
    while position < len(name):
        match = _TOKEN.match(name, position)
        if match is None:
            raise ValueError(f"unit {name!r} is not understood at {name[position:]!r}")
        tokens.append(match)
        position = match.end()
    exponents, factor, rest = _product(name, tokens)
    if rest:
        raise ValueError(f"unit {name!r} has an unmatched parenthesis")
    return Unit(name, {base: exponents[base] for base in SI_BASE if exponents.get(base)}, factor)


def _product(name: str, tokens: list[re.Match[str]]) -> tuple[dict[str, int], float, list[re.Match[str]]]:
    """Read a chain of factors up to the end or a closing parenthesis; returns what is left as well."""
    exponents: dict[str, int] = {}
    factor, sign, expect_factor = 1.0, 1, True
    while tokens:
        token, tokens = tokens[0], tokens[1:]
        operator = token["operator"]
        if operator == ")":
            tokens = [token, *tokens]
            break
        if expect_factor and operator == "(":
            inner, inner_factor, tokens = _product(name, tokens)
            if not tokens:
                raise ValueError(f"unit {name!r} has an unmatched parenthesis")
            tokens, power = tokens[1:], sign
        elif expect_factor and operator is None:
            if token["symbol"] not in _SYMBOLS:
                raise ValueError(f"unit {name!r} has the unknown symbol {token['symbol']!r}")
            inner, inner_factor = _SYMBOLS[token["symbol"]]
            power = sign * int(token["exponent"] or 1)
        elif not expect_factor and operator in (".", "/"):
            sign, expect_factor = (1 if operator == "." else -1), True
            continue
        else:
            raise ValueError(f"unit {name!r} is not understood at {token.group()!r}")
        for base, exponent in inner.items():
            exponents[base] = exponents.get(base, 0) + power * exponent
        factor *= inner_factor**power
        expect_factor = False
    if expect_factor:
        raise ValueError(f"unit {name!r} is incomplete")
    return exponents, factor, tokens
