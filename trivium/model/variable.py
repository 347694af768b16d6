"""Scalar variables of a model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self

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

    def bounded(self, minimum: float | None, maximum: float | None) -> Self:
        """Return the variable with bounds [unit] where it declares none."""
        return replace(
            self,
            minimum=minimum if self.minimum is None else self.minimum,
            maximum=maximum if self.maximum is None else self.maximum,
        )

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
