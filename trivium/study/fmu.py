"""What a sweep needs to know of an FMU: all its scalars, what may be set before a run, what may be recorded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trivium.errors import InvalidValueError, ResourcesError
from trivium.model.fmu.description import FmuDescription, read_fmu
from trivium.model.fmu.scalars import to_number
from trivium.model.variable import Kind as VariableKind
from trivium.model.variable import Variable
from trivium.numbers import parse_input
from trivium.suggestions import did_you_mean

Kind = Literal["Real", "Integer", "Boolean"]
_KINDS: dict[str, Kind] = {"Real": "Real", "Integer": "Integer", "Enumeration": "Integer", "Boolean": "Boolean"}
_WHAT: dict[Kind, VariableKind] = {"Real": "real", "Integer": "integer", "Boolean": "boolean"}
_ORDER = {"Real": 0, "Integer": 1, "Boolean": 2}


@dataclass(frozen=True)
class Scalar:
    """A number in an FMU.

    Attributes
    ----------
    name, unit : str
    reference : int
        Value reference.
    kind : {"Real", "Integer", "Boolean"}
        By which function it is got and set.
    settable : bool
        Whether it may be set before the initialization.
    is_input : bool
    minimum, maximum : float or None
    """

    name: str
    unit: str
    reference: int
    kind: Kind
    settable: bool
    is_input: bool
    minimum: float | None
    maximum: float | None


@dataclass(frozen=True)
class Fmu:
    """A co-simulation FMU of FMI 2.0.

    Attributes
    ----------
    description : FmuDescription
    scalars : Mapping[str, Scalar]
        All numbers, by name.
    """

    description: FmuDescription
    scalars: Mapping[str, Scalar]

    def matching(self, expression: str) -> list[Scalar]:
        """Return the scalars whose whole names match, in the order that they are read in: by kind, then as declared.

        The time is always there, so an expression may name it or not.

        Raises
        ------
        InvalidValueError
            When none matches.
        """
        pattern = re.compile(expression)
        found = [scalar for name, scalar in self.scalars.items() if pattern.fullmatch(name)]
        if not found:
            raise InvalidValueError(
                f"simulation.variableFilter: {expression!r} matches no variable of {self.description.path.name}",
                "simulation.variableFilter",
            )
        return in_order(found)

    def settable(self, name: str, field: str) -> Scalar:
        """Return what may be set before a run.

        Raises
        ------
        InvalidValueError
            Naming the field, when there is no such scalar or it is given by the model.
        """
        scalar = self.scalars.get(name)
        if scalar is None:
            near = did_you_mean(name, [scalar.name for scalar in self.scalars.values() if scalar.settable])
            raise InvalidValueError(f"{field}: {self.description.path.name} has no variable {name}.{near}", field)
        if not scalar.settable:
            raise InvalidValueError(f"{field}: {name} cannot be set before a run; the model computes it", field)
        return scalar


def in_order(scalars: Iterable[Scalar]) -> list[Scalar]:
    """Return scalars in the order that they are read in."""
    return sorted(scalars, key=lambda scalar: _ORDER[scalar.kind])


def open_fmu(path: Path, cache: Path) -> Fmu:
    """Read an FMU.

    Raises
    ------
    ResourcesError
        When it is no co-simulation FMU of FMI 2.0 that runs here.
    """
    from fmpy import read_model_description

    about = read_fmu(path, cache, "cs")
    if about.version != "2.0":
        raise ResourcesError(f"{path.name} is FMI {about.version}; a sweep runs co-simulation FMUs of FMI 2.0")
    declared = read_model_description(str(about.directory), validate=False).modelVariables
    scalars = {}
    for variable in declared:
        if variable.type in _KINDS:
            given = variable.start is not None and variable.variability != "constant"
            scalars[variable.name] = Scalar(
                variable.name,
                variable.unit or getattr(variable.declaredType, "unit", None) or "1",
                variable.valueReference,
                _KINDS[variable.type],
                variable.causality == "input" or (given and variable.initial in ("exact", "approx")),
                variable.causality == "input",
                to_number(variable.min),
                to_number(variable.max),
            )
    return Fmu(about, scalars)


def check_values(scalar: Scalar, values: Sequence[float], field: str) -> None:
    """Refuse values that a scalar cannot have.

    Raises
    ------
    InvalidValueError
        Naming the field, the value and the bound that is broken.
    """
    variable = Variable(
        scalar.name, scalar.unit, minimum=scalar.minimum, maximum=scalar.maximum, kind=_WHAT[scalar.kind]
    )
    for value in values:
        try:
            parse_input(value, variable)
        except InvalidValueError as error:
            raise InvalidValueError(f"{field}: {error}", field) from error
