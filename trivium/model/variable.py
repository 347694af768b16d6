"""Scalar variables of a model, and the bounds of the plant's inputs where an FMU declares none."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["real", "integer", "boolean", "text"]


@dataclass(frozen=True, slots=True)
class Variable:
    """An input, output or parameter of a model.

    Attributes
    ----------
    name : str
    unit : str
        Unit of the value, ``"1"`` where it has none.
    description : str
    minimum, maximum : float or None
        Bounds [unit]; None where nothing is declared.
    start : float or None
        Value before anything is set [unit]; None for text.
    kind : {"real", "integer", "boolean", "text"}
        Type in the model; values are floats everywhere outside the model's own border. Only parameters may be text.
    text : str or None
        Start value of a text, base64 where the model holds bytes.
    """

    name: str
    unit: str = "1"
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None
    start: float | None = None
    kind: Kind = "real"
    text: str | None = None

    def metadata(self) -> dict[str, str | float | None]:
        """Return the variable as the routes ``/inputs`` and ``/measurements`` show it."""
        return {
            "Unit": self.unit,
            "Description": self.description,
            "Minimum": self.minimum,
            "Maximum": self.maximum,
        }

    def metadata_of_parameter(self) -> dict[str, str | float | None]:
        """Return the variable as the route ``/parameters`` shows it."""
        return {**self.metadata(), "Start": self.text if self.kind == "text" else self.start, "Type": self.kind}


#: Bounds of the plant's inputs by name, used where an FMU leaves them open: pattern, minimum, maximum.
#: Temperatures [K], speeds of pumps [rev/min] (nominal speeds are 1485 and 1480), of fans relative [1], valves and
#: switches [1], the number of running condenser water pumps [1]. Zero running pumps is left out because the plant's
#: pump law divides by their number. The disturbances and Head_required come from files and models, not from clients;
#: their bounds are what water and weather allow.
PLANT_INPUT_BOUNDS: tuple[tuple[re.Pattern[str], float, float], ...] = tuple(
    (re.compile(pattern), minimum, maximum)
    for pattern, minimum, maximum in (
        (r"CHI0\d(_CH?W\d)?", 0.0, 1.0),
        (r"C[DH]WP0\d_ONOFF", 0.0, 1.0),
        (r"C[DH]WP0\d_rpm", 0.0, 1500.0),
        (r"U_CT\d", 0.0, 1.0),
        (r"Ffan_CT\d_0\d", 0.0, 1.0),
        (r"Tchws_set_(CHI|HEX)", 278.15, 298.15),
        (r"CWP_activatedNumber", 1.0, 6.0),
        (r"CWP_speedInput", 0.0, 1500.0),
        (r"Twb_outside", 233.15, 318.15),
        (r"Mchw", 0.0, 1800.0),
        (r"Tchw_r", 273.15, 323.15),
        (r"Head_required", -100.0, 100.0),
    )
)


def with_plant_bounds(variables: Iterable[Variable]) -> tuple[Variable, ...]:
    """Fill the bounds that an FMU leaves open.

    Booleans get 0 and 1, known inputs of the plant those of :data:`PLANT_INPUT_BOUNDS`; what a variable declares itself
    is kept.

    Parameters
    ----------
    variables : iterable of Variable

    Returns
    -------
    tuple of Variable
        In the same order.
    """
    return tuple(_with_bounds(variable) for variable in variables)


def _with_bounds(variable: Variable) -> Variable:
    low: float | None = None
    high: float | None = None
    if variable.kind == "boolean":
        low, high = 0.0, 1.0
    else:
        for pattern, minimum, maximum in PLANT_INPUT_BOUNDS:
            if pattern.fullmatch(variable.name):
                low, high = minimum, maximum
                break
    return replace(
        variable,
        minimum=low if variable.minimum is None else variable.minimum,
        maximum=high if variable.maximum is None else variable.maximum,
    )
