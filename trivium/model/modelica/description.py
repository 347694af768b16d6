"""The variables of the FMU of a model, and its modelDescription.xml."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

from trivium.model.modelica.system import System
from trivium.model.modelica.variables import Scalar

_TYPES = {
    "real": ("Real", "r"),
    "integer": ("Integer", "i"),
    "enumeration": ("Integer", "i"),
    "boolean": ("Boolean", "b"),
}


@dataclass(frozen=True)
class Entry:
    """A variable of the FMU; its value reference is its place in the list.

    Attributes
    ----------
    name, type, causality, variability : str
        As FMI 2.0 has them.
    part : str
        Where its value is, as csrc/modelica.c has it.
    place : int
        Its place there.
    when : str
        When it may be set: ``a`` always, ``b`` before the initialization ends, ``n`` never.
    start : float or None
    scalar : Scalar or None
        What the model says of it.
    derivative_of : int or None
        Value reference of the state.
    """

    name: str
    type: str
    causality: str
    variability: str
    part: str
    place: int
    when: str = "n"
    start: float | None = None
    scalar: Scalar | None = None
    derivative_of: int | None = None


def list_entries(system: System, numbers: Mapping[str, Sequence[float]]) -> list[Entry]:
    """Return the variables.

    Parameters
    ----------
    system : System
    numbers : Mapping
        Start values: of ``parameters``, ``inputs``, ``states``, with nan where it depends on parameters.
    """
    entries = [Entry("time", "Real", "independent", "continuous", "t", 0)]
    for place, (scalar, start) in enumerate(zip(system.variables.parameters, numbers["parameters"], strict=True)):
        entries.append(_entry(scalar, "parameter", "fixed", "p", place, "b", start))
    for place, (scalar, start) in enumerate(zip(system.variables.inputs, numbers["inputs"], strict=True)):
        variability = "continuous" if scalar.type == "real" else "discrete"
        entries.append(_entry(scalar, "input", variability, "u", place, "a", start))
    first = len(entries)
    for place, (scalar, start) in enumerate(zip(system.states, numbers["states"], strict=True)):
        settable = place not in system.solved_states and math.isfinite(start)
        entries.append(
            _entry(
                scalar,
                _causality(scalar),
                "continuous",
                "x",
                place,
                "b" if settable else "n",
                start if settable else None,
            )
        )
    for place, scalar in enumerate(system.states):
        entries.append(
            Entry(f"der({scalar.name})", "Real", "local", "continuous", "r", place, derivative_of=first + place)
        )
    offset = len(system.states)
    for place, scalar in enumerate(system.algebraics):
        entries.append(_entry(scalar, _causality(scalar), "continuous", "r", offset + place))
    offset += len(system.algebraics)
    for place, scalar in enumerate(system.variables.derived):
        entries.append(_entry(scalar, "calculatedParameter", "fixed", "r", offset + place))
    for place, scalar in enumerate(system.variables.discretes):
        entries.append(_entry(scalar, _causality(scalar), "discrete", "d", place))
    return entries


def _entry(
    scalar: Scalar, causality: str, variability: str, part: str, place: int, when: str = "n", start: float | None = None
) -> Entry:
    # what is no real number cannot be continuous, and is held in results as a number
    type_ = _TYPES[scalar.type][0] if part != "r" or scalar.type == "real" else "Real"
    if type_ != "Real" and variability == "continuous":
        variability = "discrete"
    return Entry(scalar.name, type_, causality, variability, part, place, when, start, scalar)


def _causality(scalar: Scalar) -> str:
    return "output" if scalar.declared["attributes"]["causality"] == "output" else "local"


def type_code(entry: Entry) -> str:
    """Return the type of a variable as csrc/modelica.c has it."""
    return {"Real": "r", "Integer": "i", "Boolean": "b"}[entry.type]


def write_description(
    model: str, guid: str, entries: Sequence[Entry], indicators: int, bounds: Mapping[str, Any]
) -> str:
    """Return modelDescription.xml.

    Parameters
    ----------
    model : str
        Full name of the model.
    guid : str
    entries : sequence of Entry
    indicators : int
        Number of event indicators.
    bounds : Mapping of str to (float or None, float or None)
        Least and greatest value of variables, by the name of the declared variable.
    """
    units = sorted({_unit(entry) for entry in entries} - {""})
    variables = "\n".join(_variable(reference, entry, bounds) for reference, entry in enumerate(entries))
    outputs = [k for k, entry in enumerate(entries, 1) if entry.causality == "output"]
    rates = [k for k, entry in enumerate(entries, 1) if entry.derivative_of is not None]
    computed = [k for k, entry in enumerate(entries, 1) if entry.when == "n" and entry.part in "xr"]
    sections = [("Outputs", outputs), ("Derivatives", rates), ("InitialUnknowns", sorted({*computed, *outputs}))]
    structure = "\n".join(f"<{name}>{_unknowns(indices)}</{name}>" for name, indices in sections if indices)
    identifier = identifier_of(model)
    defined = "".join(f"<Unit name={quoteattr(unit)}/>" for unit in units)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<fmiModelDescription fmiVersion="2.0" modelName={quoteattr(model)} guid="{guid}" generationTool="Trivium with rumoca"
 variableNamingConvention="structured" numberOfEventIndicators="{indicators}">
<ModelExchange modelIdentifier="{identifier}" canGetAndSetFMUstate="true" canSerializeFMUstate="true">
<SourceFiles><File name="modelica.c"/></SourceFiles></ModelExchange>
<CoSimulation modelIdentifier="{identifier}" canHandleVariableCommunicationStepSize="true" canGetAndSetFMUstate="true"
 canSerializeFMUstate="true"><SourceFiles><File name="modelica.c"/></SourceFiles></CoSimulation>
{f"<UnitDefinitions>{defined}</UnitDefinitions>" if defined else ""}
<LogCategories><Category name="logStatusError"/></LogCategories>
<ModelVariables>
{variables}
</ModelVariables>
<ModelStructure>
{structure}
</ModelStructure>
</fmiModelDescription>
"""


def _unknowns(indices: Sequence[int]) -> str:
    return "".join(f'<Unknown index="{k}"/>' for k in indices)


def identifier_of(model: str) -> str:
    """Return the model identifier of a model."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in model)


def _unit(entry: Entry) -> str:
    unit = entry.scalar.declared["attributes"]["unit"] if entry.scalar is not None and entry.type == "Real" else None
    return unit or ""


def _variable(reference: int, entry: Entry, bounds: Mapping[str, Any]) -> str:
    attributes = {
        "name": entry.name,
        "valueReference": reference,
        "causality": entry.causality,
        "variability": entry.variability,
    }
    if entry.scalar is not None and entry.scalar.declared["attributes"]["description"]:
        attributes["description"] = entry.scalar.declared["attributes"]["description"]
    if entry.causality not in ("independent", "input"):
        attributes["initial"] = "exact" if entry.when == "b" else "calculated"
    details: dict[str, Any] = {}
    if _unit(entry):
        details["unit"] = _unit(entry)
    if entry.start is not None:
        details["start"] = _number(entry.start, entry.type)
    if entry.scalar is not None and entry.type != "Boolean":
        for key, bound in zip(("min", "max"), bounds.get(entry.scalar.declared["name"], (None, None)), strict=True):
            if bound is not None:
                details[key] = _number(bound, entry.type)
    if entry.derivative_of is not None:
        details["derivative"] = entry.derivative_of + 1
    content = f"<{entry.type}{' ' if details else ''}{_attributes(details)}/>"
    return f"<ScalarVariable {_attributes(attributes)}>{content}</ScalarVariable>"


def _number(value: float, type_: str) -> str:
    if type_ == "Boolean":
        return str(value > 0.5).lower()
    return str(round(value)) if type_ == "Integer" else repr(float(value))


def _attributes(values: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={quoteattr(str(value))}" for key, value in values.items())
