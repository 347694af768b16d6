"""A case made ready: its components, connections and order, and the unknowns of the iteration."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trivium import locations
from trivium.coupling import call, plant, spec
from trivium.coupling.acceleration import Method
from trivium.coupling.component import Component, Variable
from trivium.coupling.connection import Link, check_units
from trivium.coupling.graph import Edge, Order, arrange
from trivium.coupling.process_component import ProcessComponent
from trivium.coupling.python_component import PythonComponent, call_resolved, copy_files, request_of
from trivium.coupling.residual import Part
from trivium.coupling.runner import inside
from trivium.coupling.transform import files
from trivium.errors import InvalidValueError
from trivium.model.contract import FloatArray
from trivium.settings import Settings

#: What tearing a connection costs whose target has no initial value; an element costs 1.
_WITHOUT_INITIAL = 1e12
#: Longest time that a component may take to describe itself [s].
_DESCRIBING = 600.0


@dataclass(frozen=True)
class Problem:
    """A case made ready.

    Attributes
    ----------
    case : Case
    components : Mapping[str, Component]
    links : tuple of Link
    order : Order
    constants : Mapping[str, FloatArray]
        Inputs without connection, by ``component.input``.
    parts : tuple of Part
        The torn inputs, which make the vector of unknowns in this order.
    targets : tuple of Variable
        The same as variables.
    start : FloatArray, shape (n,)
    notes : Mapping[str, str]
        What components say of their results as a whole.
    """

    case: spec.Case
    components: Mapping[str, Component]
    links: tuple[Link, ...]
    order: Order
    constants: Mapping[str, FloatArray]
    parts: tuple[Part, ...]
    targets: tuple[Variable, ...]
    start: FloatArray
    notes: Mapping[str, str]

    @property
    def method(self) -> Method:
        """Return how iterates are made: Anderson with alpha 1; with a given alpha alone, constant damping."""
        name = self.case.method or ("anderson" if self.case.alpha is None else "constant")
        return Method(name, 1.0 if self.case.alpha is None else self.case.alpha, self.case.depth)

    @property
    def fingerprint(self) -> str:
        """Return a hash of all that determines iterates: not of when the iteration ends."""
        ends = {"description", "max_iterations", "patience", "probe", "tolerance"}
        found = hashlib.sha256(self.case.model_dump_json(exclude=ends).encode())
        for name, component in sorted(self.components.items()):
            found.update(f"\n{name} {component.fingerprint}".encode())
        for link in self.links:
            for name in files(link.spec.transform):
                with contextlib.suppress(OSError):  # one that is not there is told when it is read
                    found.update(inside(link.folder, name).read_bytes())
        return found.hexdigest()


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
    components: dict[str, Component] = {}
    notes: dict[str, str] = {}
    for name, one in case.components.items():
        inputs, outputs, note = _variables(name, one, folder)
        if note:
            notes[name] = note
        components[name] = _component(name, one, inputs, outputs, folder, settings)
    return connect(case, components, folder, notes)


def connect(
    case: spec.Case, components: Mapping[str, Component], folder: Path, notes: Mapping[str, str] | None = None
) -> Problem:
    """Make a case ready whose components are there.

    Parameters
    ----------
    case : Case
        Its connections, initial values and settings count.
    components : Mapping[str, Component]
        By the names that they have in the case.
    folder : Path
        What file names of transforms are relative to.
    notes : Mapping[str, str], optional
        What components say of their results as a whole.

    Raises
    ------
    InvalidValueError
        Naming the field that is wrong.
    """
    given: dict[str, Mapping[str, spec.Input]] = {name: one.inputs for name, one in case.components.items()}
    links = tuple(_link(place, one, components, folder) for place, one in enumerate(case.connections))
    check_units(links)
    edges = [_edge(link, given) for link in links]
    order = arrange(list(components), edges, case.scheme)
    constants, starts, parts, targets = {}, [], [], []
    torn = {links[i].spec.target for i in order.torn}
    fed = {link.spec.target for link in links}
    for name, component in components.items():
        for variable in component.inputs:
            whole, about = f"{name}.{variable.name}", given[name].get(variable.name, spec.Input())
            if whole in fed and whole not in torn:
                continue
            value = _initial(whole, variable, about)
            if whole in torn:
                starts.append(value.ravel())
                parts.append(_part(whole, variable, about, case.tolerance))
                targets.append(variable)
            else:
                constants[whole] = value
    start = np.concatenate(starts) if starts else np.zeros(0)
    return Problem(case, components, links, order, constants, tuple(parts), tuple(targets), start, notes or {})


def _part(name: str, variable: Variable, about: spec.Input, tolerance: float) -> Part:
    relative = tolerance if about.relative is None else about.relative
    return Part(name, variable.size, about.absolute, relative, about.scale, variable.lower, variable.upper)


def _initial(name: str, variable: Variable, about: spec.Input) -> FloatArray:
    field = f"components.{name.replace('.', '.inputs.')}.initial"
    if about.initial is None:
        raise InvalidValueError(f"{field}: {name} needs a value: it has no connection, or one that is iterated", field)
    try:
        return variable.check(about.initial)
    except ValueError as error:
        raise InvalidValueError(f"{field}: {error}", field) from error


def _edge(link: Link, given: Mapping[str, Mapping[str, spec.Input]]) -> Edge:
    target, _, name = link.spec.target.partition(".")
    about = given[target].get(name)
    known = about is not None and about.initial is not None
    cost = link.target.size + (0.0 if known else _WITHOUT_INITIAL)
    return Edge(tuple(dict.fromkeys(end.partition(".")[0] for end in link.spec.sources)), target, cost)


def _link(place: int, one: spec.Connection, components: Mapping[str, Component], folder: Path) -> Link:
    def find(end: str, side: str) -> Variable:
        component, _, name = end.partition(".")
        known: tuple[Variable, ...] = getattr(components[component], side)
        for variable in known:
            if variable.name == name:
                return variable
        names = ", ".join(variable.name for variable in known) or "none"
        raise InvalidValueError(
            f"connections.{place}: {component} has no {side[:-1]} {name}; it has: {names}", f"connections.{place}"
        )

    return Link(one, {end: find(end, "outputs") for end in one.sources}, find(one.target, "inputs"), folder)


def _variables(name: str, one: spec.Component, folder: Path) -> tuple[tuple[Variable, ...], tuple[Variable, ...], str]:
    described: Mapping[str, Any] = {}
    if isinstance(one, spec.Python) and one.describe is not None:
        described = _described(name, one, folder)
    sides = {"inputs": one.inputs, "outputs": one.outputs}
    found = [_side(f"components.{name}.{side}", own, described.get(side)) for side, own in sides.items()]
    return found[0], found[1], described.get("note", "")


def _side(field: str, own: Mapping[str, spec.Output], described: Mapping[str, Any] | None) -> tuple[Variable, ...]:
    if described is not None:
        for name, one in own.items():
            if name not in described:
                raise InvalidValueError(f"{field}.{name}: the component describes no such variable", field)
            if one.unit is not None or one.dims is not None:
                raise InvalidValueError(f"{field}.{name}: unit and dims are described by the component", field)
    found = []
    for name in own if described is None else described:
        given, known = own.get(name, spec.Output()), (described or {}).get(name, {})
        dims = known.get("dims", given.dims or {})
        lower, upper = (_bound(getattr(given, end), known.get(end)) for end in ("lower", "upper"))
        found.append(
            Variable(
                name,
                known.get("unit", given.unit or "1"),
                {dim: tuple(at) for dim, at in dims.items()},
                -math.inf if lower is None else lower,
                math.inf if upper is None else upper,
            )
        )
    return tuple(found)


def _bound(given: float | None, described: float | None) -> float | None:
    return described if given is None else given


def _described(name: str, one: spec.Python, folder: Path) -> Mapping[str, Any]:
    request = request_of(one.describe or "", one.options, folder, describe=True)
    with tempfile.TemporaryDirectory(prefix="trivium-") as place:
        copy_files(one.files, folder, Path(place))
        call_resolved(name, "describe", {call.REQUEST: request}, Path(place), _DESCRIBING, {})
        found: Mapping[str, Any] = json.loads((Path(place) / call.DESCRIBED).read_bytes())
    return found


def _component(
    name: str,
    one: spec.Component,
    inputs: tuple[Variable, ...],
    outputs: tuple[Variable, ...],
    folder: Path,
    settings: Settings,
) -> Component:
    if isinstance(one, spec.Plant):
        return _plant(name, one, inputs, outputs, folder, settings)
    if isinstance(one, spec.Process):
        listed = {"inputs.json": [v.name for v in inputs]}, {"outputs.json": [v.name for v in outputs]}
        return ProcessComponent(
            name,
            inputs,
            outputs,
            one.argv,
            folder,
            files=one.files,
            written=listed[0] if one.input_files is None else one.input_files,
            read=listed[1] if one.output_files is None else one.output_files,
            timeout=one.timeout,
            deterministic=one.deterministic,
        )
    return PythonComponent(
        name,
        inputs,
        outputs,
        one.function,
        one.options,
        folder,
        files=one.files,
        timeout=one.timeout,
        apart=one.process,
        deterministic=one.deterministic,
    )


def _plant(
    name: str,
    one: spec.Plant,
    inputs: tuple[Variable, ...],
    outputs: tuple[Variable, ...],
    folder: Path,
    settings: Settings,
) -> Component:
    resources = _resources(one, folder, settings)
    if not resources.exists():
        field = f"components.{name}.path"
        raise InvalidValueError(f"{field}: there is no {one.path or resources}", field)
    options = {
        "resources": str(resources.resolve()),
        "state_dir": str(settings.state_dir.absolute() / "coupling"),
        "start_time": one.start_time,
        "end_time": one.end_time,
        "step": one.step,
        "controller": one.controller,
        "inputs": {key: each.sets or key for key, each in one.inputs.items()},
        "outputs": {key: _reduction(key, each) for key, each in one.outputs.items()},
    }
    return PythonComponent(
        name,
        inputs,
        outputs,
        "trivium.coupling.plant:simulate",
        options,
        folder,
        timeout=one.timeout,
        deterministic=one.deterministic,
        extra=plant.fingerprint(resources),
    )


def _resources(one: spec.Plant, folder: Path, settings: Settings) -> Path:
    """Return where a test case lies: the shipped one that is named, a path of the case, else the server's."""
    if one.testcase is not None:
        return locations.shipped_testcase(one.testcase)
    return settings.resources if one.path is None else folder / one.path


def _reduction(name: str, one: spec.PlantOutput) -> dict[str, Any]:
    parts = [len(at) for at in (one.dims or {}).values()]
    return {"of": one.of or [name], "method": one.method, "parts": parts[0] if parts else None}
