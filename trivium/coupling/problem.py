"""A case made ready: its components, connections and order, and the unknowns of the iteration."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trivium.coupling import spec
from trivium.coupling.acceleration import Method
from trivium.coupling.connection import Link, check_units
from trivium.coupling.course import Course
from trivium.coupling.graph import Edge, Order, arrange
from trivium.coupling.residual import Part
from trivium.coupling.transform import files
from trivium.errors import InvalidValueError
from trivium.experiment.contract import Experiment
from trivium.experiment.kinds import make
from trivium.experiment.runner import inside
from trivium.experiment.spec import Input
from trivium.model.contract import FloatArray
from trivium.model.variable import Variable
from trivium.settings import Settings

#: What tearing a connection costs whose target has no initial value; an element costs 1.
_WITHOUT_INITIAL = 1e12


@dataclass(frozen=True)
class Problem:
    """A case made ready.

    Attributes
    ----------
    case : Case
    components : Mapping[str, Experiment]
    links : tuple of Link
    order : Order
    constants : Mapping[str, FloatArray]
        Inputs without connection, by ``component.input``.
    parts : tuple of Part
        The torn inputs, which make the vector of unknowns in this order.
    targets : tuple of Variable
        The same as variables.
    start : FloatArray, shape (n,)
    """

    case: spec.Case
    components: Mapping[str, Experiment]
    links: tuple[Link, ...]
    order: Order
    constants: Mapping[str, FloatArray]
    parts: tuple[Part, ...]
    targets: tuple[Variable, ...]
    start: FloatArray

    @property
    def method(self) -> Method:
        """Return how iterates are made: Anderson with alpha 1; with a given alpha alone, constant damping."""
        name = self.case.method or ("anderson" if self.case.alpha is None else "constant")
        return Method(name, 1.0 if self.case.alpha is None else self.case.alpha, self.case.depth)

    @property
    def course(self) -> Course:
        """Return how the iteration goes on."""
        return Course(self.parts, self.method, self.case.patience, self.case.max_iterations)

    @property
    def fingerprint(self) -> str:
        """Return a hash of the `identity`."""
        return hashlib.sha256(json.dumps(self.identity, sort_keys=True).encode()).hexdigest()

    @property
    def identity(self) -> dict[str, str]:
        """Return hashes of all that determines iterates, by what it is: not of when the iteration ends."""
        ends = {"description", "max_iterations", "patience", "probe", "tolerance", "components"}
        parts = {name: json.dumps(value) for name, value in self.case.model_dump(mode="json", exclude=ends).items()}
        for name, component in self.components.items():
            described = self.case.components[name].model_dump_json(include={"inputs", "outputs"})
            parts[f"components.{name}.variables"] = described
            parts |= {f"components.{name}.{part}": text for part, text in component.identity.items()}
        for link in self.links:
            for name in files(link.spec.transform):
                with contextlib.suppress(OSError):  # one that is missing is reported when it is read
                    parts[f"file {name}"] = hashlib.sha256(inside(link.folder, name).read_bytes()).hexdigest()
        return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in parts.items()}


def prepare(case: spec.Case, folder: Path, settings: Settings) -> Problem:
    """Make a case ready.

    Parameters
    ----------
    case : Case
    folder : Path
        What its file names are relative to.
    settings : Settings
        Of test cases: the default one, and the folder for unpacked FMUs.

    Raises
    ------
    InvalidValueError
        Naming the field that is wrong.
    ComponentError
        When a component cannot describe itself.
    """
    components = {
        name: make(description, folder, settings, name, f"components.{name}")
        for name, description in case.components.items()
    }
    return connect(case, components, folder)


def connect(case: spec.Case, components: Mapping[str, Experiment], folder: Path) -> Problem:
    """Make a case ready whose components are there.

    Parameters
    ----------
    case : Case
        Its connections, initial values and settings count.
    components : Mapping[str, Experiment]
        By the names that they have in the case.
    folder : Path
        What file names of transforms are relative to.

    Raises
    ------
    InvalidValueError
        Naming the field that is wrong.
    """
    described: dict[str, Mapping[str, Input]] = {name: each.inputs for name, each in case.components.items()}
    links = tuple(_link(place, each, components, folder) for place, each in enumerate(case.connections))
    check_units(links)
    edges = [_edge(link, described) for link in links]
    order = arrange(list(components), edges, case.scheme)
    constants, starts, parts, targets = {}, [], [], []
    torn = {links[i].spec.target for i in order.torn}
    fed = {link.spec.target for link in links}
    for name, component in components.items():
        for variable in component.inputs:
            end, description = f"{name}.{variable.name}", described[name].get(variable.name, Input())
            if end in fed and end not in torn:
                continue
            value = _initial(end, variable, description)
            if end in torn:
                starts.append(value.ravel())
                parts.append(_part(end, variable, description, case.tolerance))
                targets.append(variable)
            else:
                constants[end] = value
    start = np.concatenate(starts) if starts else np.zeros(0)
    return Problem(case, components, links, order, constants, tuple(parts), tuple(targets), start)


def _part(name: str, variable: Variable, description: Input, tolerance: float) -> Part:
    relative = tolerance if description.relative is None else description.relative
    return Part(name, variable.size, description.absolute, relative, description.scale, variable.lower, variable.upper)


def _initial(name: str, variable: Variable, description: Input) -> FloatArray:
    field = f"components.{name.replace('.', '.inputs.')}.initial"
    if description.initial is None:
        raise InvalidValueError(f"{field}: {name} needs a value: it has no connection, or one that is iterated", field)
    try:
        return variable.check(description.initial)
    except ValueError as error:
        raise InvalidValueError(f"{field}: {error}", field) from error


def _edge(link: Link, described: Mapping[str, Mapping[str, Input]]) -> Edge:
    target, _, name = link.spec.target.partition(".")
    description = described[target].get(name)
    has_initial = description is not None and description.initial is not None
    cost = link.target.size + (0.0 if has_initial else _WITHOUT_INITIAL)
    return Edge(tuple(dict.fromkeys(end.partition(".")[0] for end in link.spec.sources)), target, cost)


def _link(place: int, connection: spec.Connection, components: Mapping[str, Experiment], folder: Path) -> Link:
    def find(end: str, side: str) -> Variable:
        component, _, name = end.partition(".")
        variables: tuple[Variable, ...] = getattr(components[component], side)
        for variable in variables:
            if variable.name == name:
                return variable
        names = ", ".join(variable.name for variable in variables) or "none"
        raise InvalidValueError(
            f"connections.{place}: {component} has no {side[:-1]} {name}; it has: {names}", f"connections.{place}"
        )

    sources = {end: find(end, "outputs") for end in connection.sources}
    return Link(connection, sources, find(connection.target, "inputs"), folder)
