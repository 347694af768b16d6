"""From the variables of a model description to scalars.

Arrays of FMI 3.0 become one scalar an element, in row-major order and counted from 1: ``x[1]``, ``m[2,1]``. Structural
parameters that give dimensions have the values that the test case chooses, else their start values; they are no
parameters that can be set before an initialization, since the variables change with them. Left out are clocks,
variables that belong to a clock, and second names (aliases) of FMI 3.0.
"""

from __future__ import annotations

import base64
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
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
_REALS = ("Real", "Float32", "Float64")
#: Variability of what changes at events only.
_STEPPED = ("discrete", "tunable")
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
    causality : str
        As FMI names it: ``input``, ``output``, ``local`` and others.
    size : int
        Number of elements of the array; 1 for what is none.
    """

    variable: Variable
    reference: int
    type: str
    element: int = 0
    structural: bool = False
    variability: str = "continuous"
    causality: str = "local"
    size: int = 1

    @property
    def is_steady(self) -> bool:
        """Whether it is a parameter or a constant: it changes during a run only where a client changes it."""
        return self.variability in ("constant", "fixed") or self.causality in ("parameter", "structuralParameter")

    @property
    def continuous(self) -> bool:
        """Whether it may change at any time: a real number that does not change at events only."""
        return self.type in _REALS and self.variability not in _STEPPED


def is_structural(variable: FmuVariable) -> bool:
    """Return whether a variable is set in the configuration mode of FMI 3.0."""
    return variable.structural


def is_input(variable: FmuVariable) -> bool:
    """Return whether a variable is an input: from FMI 2.0 on they are set during the initialization, not before."""
    return variable.causality == "input"


def is_before(variable: FmuVariable) -> bool:
    """Return whether a variable is set before the initialization begins."""
    return not is_structural(variable) and not is_input(variable)


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
    dimensions : tuple of FmuVariable
        Structural parameters that give dimensions.
    """

    inputs: tuple[FmuVariable, ...]
    outputs: tuple[FmuVariable, ...]
    parameters: tuple[FmuVariable, ...]
    texts: tuple[FmuVariable, ...]
    numbers: tuple[FmuVariable, ...]
    dimensions: tuple[FmuVariable, ...]


def read_scalars(
    description: Any, directory: Path, name: str, structural: Mapping[str, int] = MappingProxyType({})
) -> Scalars:
    """Sort the variables of a model description.

    Parameters
    ----------
    description : fmpy.model_description.ModelDescription
    directory : Path
        The unpacked FMU.
    name : str
        For errors.
    structural : Mapping[str, int]
        Values of structural parameters that give dimensions.

    Raises
    ------
    ResourcesError
        For an input clock, which nothing here would tick, an array whose start values do not fill it, or a value of
        what is no structural parameter that gives dimensions, or cannot have it.
    """
    inputs: list[FmuVariable] = []
    outputs: list[FmuVariable] = []
    parameters: list[FmuVariable] = []
    texts: list[FmuVariable] = []
    numbers: list[FmuVariable] = []
    sizes: list[FmuVariable] = []
    starts: Mapping[int, list[str]] = {}
    if description.fmiVersion.startswith("3"):
        path = directory / "modelDescription.xml"
        root = ElementTree.parse(path).getroot()  # noqa: S314 - an FMU is code that runs here anyway  # nosec B314
        starts = _text_starts(root)
        _bound(description, root)
    before = _resize(description, structural, name) if structural else {}
    dimensions = {d.valueReference for v in description.modelVariables for d in v.dimensions} - {None}
    for declared in description.modelVariables:
        if declared.type == "Clock" and declared.causality == "input":
            raise ResourcesError(f"{name} has the input clock {declared.name}; FMUs that need clocks are not run here")
        if declared.type == "Clock" or declared.clocks or declared.alias is not None:
            continue
        elements = list(_elements(declared, description.fmiVersion, starts, name, before.get(declared.name)))
        is_text = elements and elements[0].variable.kind == "text"
        if not is_text:
            numbers += elements
        if declared.causality == "input" and not is_text:
            inputs += elements
        elif declared.valueReference in dimensions:
            sizes += elements
        elif _settable(declared, description.fmiVersion):
            parameters += elements
        if declared.causality == "output":
            (texts if is_text else outputs).extend(elements)
    return Scalars(tuple(inputs), tuple(outputs), tuple(parameters), tuple(texts), tuple(numbers), tuple(sizes))


def read_states(
    description: Any, numbers: Sequence[FmuVariable]
) -> tuple[tuple[FmuVariable, ...], tuple[FmuVariable, ...]]:
    """Return the continuous states and their derivatives, in the order of the model structure.

    Parameters
    ----------
    description : fmpy.model_description.ModelDescription
    numbers : sequence of FmuVariable
        All that can be read.

    Returns
    -------
    states, rates : tuple of FmuVariable
        Both empty where one of them is not named, or is an alias that cannot be read here.
    """
    elements: dict[tuple[int, str], list[FmuVariable]] = {}
    for number in numbers:
        if number.type in _REALS:
            name = number.variable.name
            owner = name.rpartition("[")[0] if name.endswith("]") else name
            for key in {name, owner}:  # a scalar may have brackets in its own name
                elements.setdefault((number.reference, key), []).append(number)
    states: list[FmuVariable] = []
    rates: list[FmuVariable] = []
    for unknown in description.derivatives:
        rate = unknown.variable
        pair = [elements.get((each.valueReference, each.name), []) for each in (rate.derivative, rate) if each]
        if len(pair) < 2 or not pair[0] or len(pair[0]) != len(pair[1]):
            return (), ()
        states += pair[0]
        rates += pair[1]
    return tuple(states), tuple(rates)


def _settable(declared: Any, version: str) -> bool:
    """Whether a variable may be set before initialization, and what it is before is known."""
    if declared.start is None or declared.variability == "constant":
        return False
    if version.startswith("1"):  # has no `initial`: what has a start value may be set
        return declared.causality in ("input", "output", "local", "parameter")
    return declared.causality in ("input", "parameter", "structuralParameter", "output", "local") and (
        declared.initial in ("exact", "approx")
    )


def _resize(description: Any, structural: Mapping[str, int], name: str) -> dict[str, tuple[int, ...]]:
    """Give structural parameters values, and arrays the shapes that follow; return the shapes that were others."""
    sizes = {v.name: v for v in description.modelVariables if v.causality == "structuralParameter"}
    used = {
        dimension.variable.name for v in description.modelVariables for dimension in v.dimensions if dimension.variable
    }
    for parameter, value in structural.items():
        if parameter not in used:
            known = ", ".join(sorted(used)) or "none"
            raise ResourcesError(
                f"{name} has no structural parameter {parameter} that gives sizes of arrays; it has: {known}"
            )
        low, high = (to_number(getattr(sizes[parameter], bound)) for bound in ("min", "max"))
        if value < (1 if low is None else low) or value > (math.inf if high is None else high):
            raise ResourcesError(
                f"{name}: the structural parameter {parameter} cannot be {value}; it must be from "
                f"{1 if low is None else low:g} to {'any number' if high is None else f'{high:g}'}"
            )
        sizes[parameter].start = str(value)
    before = {}
    for variable in description.modelVariables:
        shape = tuple(int(d.start if d.variable is None else d.variable.start) for d in variable.dimensions)
        if shape != (variable.shape or ()):
            before[variable.name], variable.shape = variable.shape, shape
    return before


def _rearranged(starts: Sequence[str | None], before: tuple[int, ...], shape: tuple[int, ...]) -> list[str | None]:
    """Return start values of an array of another shape: those of places that both have, else none."""
    values = dict(zip(itertools.product(*map(range, before)), starts, strict=False))
    return [values.get(place) for place in itertools.product(*map(range, shape))]


def _elements(
    declared: Any,
    version: str,
    texts: Mapping[int, list[str]],
    name: str,
    resized: tuple[int, ...] | None,
) -> Iterator[FmuVariable]:
    """Yield the scalars of a variable; where it was resized, its shape before is an argument."""
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
    elif resized is not None:
        starts = _rearranged(starts, resized, shape)
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
            declared.causality or "local",
            size,
        )


def _variable(declared: Any, type_: str, suffix: str, start: str | None) -> Variable:
    kind = _KINDS[type_]

    def attribute(key: str) -> Any:
        value = getattr(declared, key, None)
        if value is None and declared.declaredType is not None:
            return getattr(declared.declaredType, key, None)
        return value

    items = _items(declared)
    lowest, highest = limits(type_) if type_ in _NARROW else (None, None)
    if items:
        lowest, highest = min(items.values()), max(items.values())
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
        items=items,
        tunable=(declared.causality, declared.variability) == ("parameter", "tunable")
        or (declared.causality == "input" and kind == "text"),
        binary=type_ == "Binary",
        causality=declared.causality or "local",
        nominal=to_number(attribute("nominal")),
    )


def _items(declared: Any) -> dict[str, float]:
    """Return the items of an enumeration; empty for all else."""
    if declared.type != "Enumeration" or declared.declaredType is None:
        return {}
    return {item.name: float(item.value) for item in declared.declaredType.items}


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


def _bound(description: Any, root: ElementTree.Element) -> None:
    """Complete the bounds of unsigned integers, which FMPy leaves out."""
    bounds = {v.get("name"): (v.get("min"), v.get("max")) for v in root.iterfind("ModelVariables/*") if v.tag[0] == "U"}
    for variable in description.modelVariables:
        variable.min, variable.max = bounds.get(variable.name, (variable.min, variable.max))


def _text_starts(root: ElementTree.Element) -> dict[int, list[str]]:
    """Read the start values of texts of FMI 3.0: FMPy keeps the first element of an array only."""
    variables: Iterable[ElementTree.Element] = root.iterfind("ModelVariables/*")
    aliases = {
        int(variable.get("valueReference", "-1")): [start.get("value", "") for start in variable.iterfind("Start")]
        for variable in variables
        if variable.tag in ("String", "Binary")
    }
    return {reference: starts for reference, starts in aliases.items() if starts}
