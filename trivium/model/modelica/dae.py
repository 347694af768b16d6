"""What rumoca makes of a Modelica model: its equations after flattening, in the form of its ``dae`` stage.

The form is one of tables that name each other's rows by number. Only the version of rumoca that the extra ``modelica``
pins is read: `SCHEMA` is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trivium.errors import ResourcesError
from trivium.extras import command

#: Version of the form.
SCHEMA = 43
#: How many rows of expressions a quotient has besides its own.
_QUOTIENT_ROWS = 6
#: Tables that must be empty, and what they hold.
_MISSING = {
    "model_event_transactions": "an algorithm with when",
    "previous_values": "previous() of a clocked model",
    "terminals": "terminal()",
    "delays": "delay()",
}


class Dae:
    """The tables of a model.

    Parameters
    ----------
    content : Mapping
        What rumoca returns.

    Raises
    ------
    ResourcesError
        When it is of another version, or the model has what is not covered here, with the place in the source.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        if content.get("schema_version") != SCHEMA:
            raise ResourcesError(
                f"this version of rumoca writes the form {content.get('schema_version')}, and {SCHEMA} is read; "
                f"install the version of the extra: {command('modelica')}"
            )
        self._files = {number: (name, text.encode()) for number, name, text in content["source_map"]["files"]}
        self.tables: Mapping[str, Any] = content["storage"]
        self.variables: list[Any] = self.tables["variables"]
        arena = self.tables["expressions"]
        self.nodes: dict[int, Any] = {}
        self.provenance: dict[int, Any] = {}
        self.operands: dict[int, list[int]] = {}
        self.subscripts: dict[int, list[Any]] = {}
        number = operand = subscript = 0
        for node, provenance in zip(arena["nodes"], arena["provenance"], strict=True):
            self.nodes[number], self.provenance[number] = node, provenance
            ((kind, fields),) = node.items()
            if isinstance(fields, dict):
                count = fields.get("operand_count", 0)
                self.operands[number] = arena["operands"][operand : operand + count]
                operand += count
                count = fields.get("subscript_count", 0)
                self.subscripts[number] = [each["kind"] for each in arena["subscripts"][subscript : subscript + count]]
                subscript += count
            number += 1
            if kind == "runtime_quotient_owner" and "model" in fields["kind"]:
                number += _QUOTIENT_ROWS
        for table, feature in _MISSING.items():
            if self.tables[table]:
                raise self.refusal(feature, self.tables[table][0].get("provenance"))

    def shape(self, variable: Mapping[str, Any]) -> tuple[int, ...]:
        """Return the dimensions of a variable."""
        return tuple(self.tables["value_types"][variable["value_type"]]["dimensions"])

    def type(self, variable: Mapping[str, Any]) -> str:
        """Return the type of a variable's elements: ``real``, ``integer``, ``boolean``, ``enumeration``, ``string``."""
        return str(self.tables["value_types"][variable["value_type"]]["scalar"])

    def place(self, provenance: Any) -> str:
        """Return where something stands in the source, as ``Model.mo:12``; empty where nobody knows."""
        span = (provenance or {}).get("span")
        if span is None or span["source"] not in self._files:
            return ""
        name, text = self._files[span["source"]]
        line = text[: span["start"]].count(b"\n") + 1
        return f"{str(name).rpartition('/')[2]}:{line}"

    def source(self, provenance: Any) -> str:
        """Return the text of the source that something stands for."""
        span = (provenance or {}).get("span")
        if span is None or span["source"] not in self._files:
            return ""
        text: bytes = self._files[span["source"]][1]
        return text[span["start"] : span["end"]].decode(errors="replace")

    def refusal(self, feature: str, provenance: Any) -> ResourcesError:
        """Return the error for a feature of Modelica that is not covered."""
        place = self.place(provenance)
        return ResourcesError(
            f"{place + ': ' if place else ''}{feature} is not covered by the translation of .mo files"
        )
