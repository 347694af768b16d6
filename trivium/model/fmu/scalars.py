"""From the variables of a model description to scalars.

Arrays of FMI 3.0 become one scalar an element, in row-major order and counted from 1: ``x[1]``, ``m[2,1]``. Dimensions
that structural parameters give are those of their start values; such parameters cannot be set, since the variables
would change with them. Left out are clocks, variables that belong to a clock, and second names (aliases) of FMI 3.0.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from trivium.errors import ResourcesError
from trivium.model.variable import Kind, Variable

_KINDS: dict[str, Kind] = {
    "Real": "real",
    "Float32": "real",
    "Float64": "real",
    "Integer": "integer",
    "Boolean": "boolean",
    "String": "text",
    "Binary": "text",
    **{f"{sign}Int{bits}": "integer" for sign in ("", "U") for bits in (8, 16, 32, 64)},
}
#: Types of FMI 3.0 whose range gives bounds.
_NARROW = frozenset({"Int8", "UInt8", "Int16", "UInt16", "Int32", "UInt32"})


@dataclass(frozen=True)
class FmuVariable:
    """A scalar at the border of an FMU.

    Attributes
    ----------
    variable : Variable
    reference : int
        Value reference; elements of an array share it.
    type : str
        As FMI's functions name it: ``Real``, ``Int8``, ``Binary``; an enumeration is ``Integer`` or ``Int64``.
    element : int
        Position in the array; 0 for what is none.
    structural : bool
        Whether it is a structural parameter.
    variability : str
        As FMI names it: ``continuous``, ``discrete``, ``tunable`` and others.
    """

    variable: Variable
    reference: int
    type: str
    element: int = 0
    structural: bool = False
    variability: str = "continuous"


@dataclass(frozen=True)
class Scalars:
    """All scalars at the border of an FMU, in the order of the model description.

    Attributes
    ----------
    inputs, outputs : tuple of FmuVariable
        Numbers only.
    parameters : tuple of FmuVariable
        What may be set before initialization and is no number among the inputs.
    texts : tuple of FmuVariable
        Outputs that are text.
    numbers : tuple of FmuVariable
        Every number, whatever its causality.
    """

    inputs: tuple[FmuVariable, ...]
    outputs: tuple[FmuVariable, ...]
    parameters: tuple[FmuVariable, ...]
    texts: tuple[FmuVariable, ...]
    numbers: tuple[FmuVariable, ...]


def read_scalars(description: Any, directory: Path, name: str) -> Scalars:
    """Sort the variables of a model description.

    Parameters
    ----------
    description : fmpy.model_description.ModelDescription
    directory : Path
        The unpacked FMU.
    name : str
        For errors.

    Raises
    ------
    ResourcesError
        For an input clock, which nothing here would tick, or an array whose start values do not fill it.
    """
    inputs: list[FmuVariable] = []
    outputs: list[FmuVariable] = []
    parameters: list[FmuVariable] = []
    texts: list[FmuVariable] = []
    numbers: list[FmuVariable] = []
    starts = _text_starts(directory) if description.fmiVersion.startswith("3") else {}
    dimensions = {d.valueReference for v in description.modelVariables for d in v.dimensions} - {None}
    for declared in description.modelVariables:
        if declared.type == "Clock" and declared.causality == "input":
            raise ResourcesError(f"{name} has the input clock {declared.name}; FMUs that need clocks are not run here")
        if declared.type == "Clock" or declared.clocks or declared.alias is not None:
            continue
        elements = list(_elements(declared, description.fmiVersion, starts, name))
        is_text = elements and elements[0].variable.kind == "text"
        if not is_text:
            numbers += elements
        if declared.causality == "input" and not is_text:
            inputs += elements
        elif _settable(declared, description.fmiVersion) and declared.valueReference not in dimensions:
            parameters += elements
        if declared.causality == "output":
            (texts if is_text else outputs).extend(elements)
    return Scalars(tuple(inputs), tuple(outputs), tuple(parameters), tuple(texts), tuple(numbers))


def _settable(declared: Any, version: str) -> bool:
    """Whether a variable may be set before initialization, and what it is before is known."""
    if declared.start is None or declared.variability == "constant":
        return False
    if version.startswith("1"):  # has no `initial`: what has a start value may be set
        return declared.causality in ("input", "output", "local", "parameter")
    return declared.causality in ("input", "parameter", "structuralParameter", "output", "local") and (
        declared.initial in ("exact", "approx")
    )


def _elements(declared: Any, version: str, texts: Mapping[int, list[str]], name: str) -> Iterator[FmuVariable]:
    """Yield the scalars of a variable."""
    enumeration = "Int64" if version.startswith("3") else "Integer"
    type_ = enumeration if declared.type == "Enumeration" else declared.type
    kind = _KINDS[type_]
    shape = declared.shape or ()
    size = int(np.prod(shape, dtype=int))
    starts: Sequence[str | None]
    if declared.start is None:
        starts = [None] * size
    elif kind == "text":
        starts = texts.get(declared.valueReference, [declared.start])
    else:
        starts = declared.start.split() if shape else [declared.start]
    if len(starts) == 1:
        starts = [starts[0]] * size  # FMI 3.0: one value is for all elements
    if len(starts) != size:
        raise ResourcesError(f"{name}: {declared.name} has {size} elements, but {len(starts)} start values")
    places = itertools.product(*(range(1, n + 1) for n in shape))
    for element, (place, start) in enumerate(zip(places, starts, strict=True)):
        suffix = f"[{','.join(map(str, place))}]" if place else ""
        yield FmuVariable(
            _variable(declared, type_, suffix, start),
            declared.valueReference,
            type_,
            element,
            declared.causality == "structuralParameter",
            declared.variability or "continuous",
        )


def _variable(declared: Any, type_: str, suffix: str, start: str | None) -> Variable:
    kind = _KINDS[type_]

    def attribute(key: str) -> Any:
        value = getattr(declared, key, None)
        if value is None and declared.declaredType is not None:
            return getattr(declared.declaredType, key, None)
        return value

    lowest, highest = limits(type_) if type_ in _NARROW else (None, None)
    minimum, maximum = to_number(attribute("min")), to_number(attribute("max"))
    text = start
    if type_ == "Binary" and start is not None:
        text = base64.b64encode(bytes.fromhex(start)).decode()
    return Variable(
        name=declared.name + suffix,
        unit=attribute("unit") or "1",
        description=declared.description or "",
        minimum=lowest if minimum is None else minimum,
        maximum=highest if maximum is None else maximum,
        start=None if kind == "text" else to_number(start),
        kind=kind,
        text=text if kind == "text" else None,
    )


def limits(type_: str) -> tuple[float, float]:
    """Return the least and the greatest number of a type that is no double."""
    if type_ == "Boolean":
        return 0.0, 1.0
    if type_ == "Float32":
        highest = float(np.finfo(np.float32).max)
        return -highest, highest
    limits = np.iinfo({"Integer": "int32"}.get(type_, type_.lower()))
    highest = float(limits.max)
    # of 64 bits the greatest is no double; the next lower one is taken
    return float(limits.min), highest if int(highest) <= limits.max else float(np.nextafter(highest, 0.0))


def to_number(text: str | bool | float | None) -> float | None:
    """Return a value of a model description as a number; None where it has none."""
    if text is None:
        return None
    return {"true": 1.0, "false": 0.0}[text] if text in ("true", "false") else float(text)


def _text_starts(directory: Path) -> dict[int, list[str]]:
    """Read the start values of texts of FMI 3.0: FMPy keeps the first element of an array only."""
    path = directory / "modelDescription.xml"
    root = ElementTree.parse(path).getroot()  # noqa: S314 - an FMU is code that runs here anyway  # nosec B314
    variables: Iterable[ElementTree.Element] = root.iterfind("ModelVariables/*")
    aliases = {
        int(variable.get("valueReference", "-1")): [start.get("value", "") for start in variable.iterfind("Start")]
        for variable in variables
        if variable.tag in ("String", "Binary")
    }
    return {reference: starts for reference, starts in aliases.items() if starts}
