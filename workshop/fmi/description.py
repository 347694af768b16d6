"""Write modelDescription.xml (FMI 2.0.4)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable

import casadi as ca

from workshop.fmi.equations import Equations
from workshop.fmi.spec import Model, Variable
from workshop.fmi.units import SI_BASE, parse_unit

__all__ = ["describe"]

_IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]*(\[\d+(,\d+)*\])?"
_STRUCTURED = re.compile(rf"{_IDENTIFIER}(\.{_IDENTIFIER})*$")


def describe(model: Model, equations: Equations, guid: str, sources: Iterable[str]) -> str:
    """Describe the FMU.

    Value references count inputs, outputs, parameters, states, derivatives and local variables, in this order, as the C
    tables do; so the position of a variable in ModelVariables is its value reference plus one.

    Parameters
    ----------
    model : Model
        The plant.
    equations : Equations
        Its derived functions, for the dependencies.
    guid : str
        GUID in braces.
    sources : iterable of str
        C files of the FMU's ``sources`` folder.

    Returns
    -------
    str
        The XML document.
    """
    states = _states(model)
    names = [v.name for group in (model.inputs, model.outputs, model.parameters, states, model.locals) for v in group]
    root = ET.Element(
        "fmiModelDescription",
        fmiVersion="2.0",
        modelName=model.name,
        guid=guid,
        description=model.description,
        version=model.version,
        generationTool="workshop.fmi (CasADi to C)",
        variableNamingConvention="structured" if all(map(_STRUCTURED.match, names)) else "flat",
        numberOfEventIndicators="0",
    )
    common = {
        "modelIdentifier": model.name,
        "needsExecutionTool": "false",
        "canBeInstantiatedOnlyOncePerProcess": "false",
        "canNotUseMemoryManagementFunctions": "true",
        "canGetAndSetFMUstate": "true",
        "canSerializeFMUstate": "true",
        "providesDirectionalDerivative": "true",
    }
    interfaces = []
    if model.pulses is None:  # pulses would be time events, which the model exchange of csrc/stiff does not have
        interfaces.append(ET.SubElement(root, "ModelExchange", {**common, "completedIntegratorStepNotNeeded": "true"}))
    simulation = ET.SubElement(
        root,
        "CoSimulation",
        {
            **common,
            "canHandleVariableCommunicationStepSize": "true",
            "canInterpolateInputs": "false",
            "maxOutputDerivativeOrder": "0",
            "canRunAsynchronuously": "false",
        },
    )
    interfaces.append(simulation)
    files = list(sources)
    for element in interfaces:
        if files:
            listing = ET.SubElement(element, "SourceFiles")
            for file in files:
                ET.SubElement(listing, "File", name=file)
    groups = (model.inputs, model.outputs, model.parameters, states, model.locals)
    _units(root, (v for group in groups for v in group), model.time_unit)
    categories = ET.SubElement(root, "LogCategories")
    ET.SubElement(categories, "Category", name="logStatusError", description="Refusals and failures, always logged")
    ET.SubElement(categories, "Category", name="logAll", description="All messages")
    experiment = {"startTime": "0", "stopTime": _real(model.stop_time)}
    if model.pulses is None:  # the steps of a pulsed model follow its pulses, not a tolerance
        experiment["tolerance"] = _real(model.tolerance)
    ET.SubElement(root, "DefaultExperiment", {**experiment, "stepSize": _real(model.step_size)})
    _variables(root, model, states)
    _structure(root, model, equations)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _real(value: float) -> str:
    return repr(float(value))


def _states(model: Model) -> list[Variable]:
    """All continuous states as model exchange orders them: first and second filter stages, then the stiff block."""
    states = []
    for stage, text in (("s1", "first"), ("s2", "second")):
        for name, index in zip(model.filter_names, model.filter_input, strict=True):
            of = model.inputs[index]
            text_of = f"Input {of.name} after the {text} stage of its filter"
            states.append(Variable(f"{name}.{stage}", text_of, of.unit, of.start, nominal=of.nominal))
    return [*states, *model.states]


def _rate_unit(unit: str, time_unit: str) -> str:
    unit = "K" if unit == "degC" else unit
    return f"({unit})/{time_unit}" if "/" in unit else f"{unit}/{time_unit}"


def _units(root: ET.Element, variables: Iterable[Variable], time_unit: str) -> None:
    plain = {v.unit for v in variables}
    definitions = ET.SubElement(root, "UnitDefinitions")
    for name in sorted(plain | {_rate_unit(unit, time_unit) for unit in plain}):
        unit = parse_unit(name)
        base = {key: str(unit.exponents[key]) for key in SI_BASE if key in unit.exponents}
        if unit.factor != 1.0:
            base["factor"] = _real(unit.factor)
        if unit.offset != 0.0:
            base["offset"] = _real(unit.offset)
        element = ET.SubElement(definitions, "Unit", name=name)
        ET.SubElement(element, "BaseUnit", base)
        if name == "K":
            ET.SubElement(element, "DisplayUnit", name="degC", offset="-273.15")


def _variables(root: ET.Element, model: Model, states: list[Variable]) -> None:
    listing = ET.SubElement(root, "ModelVariables")
    count = 0

    def add(variable: Variable, attributes: dict[str, str], real: dict[str, str]) -> None:
        nonlocal count
        scalar = {"name": variable.name, "valueReference": str(count), "description": variable.description}
        element = ET.SubElement(listing, "ScalarVariable", {**scalar, **attributes})
        ET.SubElement(element, "Real", real)
        count += 1

    def real(variable: Variable, *, start: bool) -> dict[str, str]:
        result = {"unit": variable.unit}
        for name in ("min", "max", "nominal"):
            if (value := getattr(variable, name)) is not None:
                result[name] = _real(value)
        if start:
            result["start"] = _real(variable.start)
        return result

    for variable in model.inputs:
        add(variable, {"causality": "input", "variability": "continuous"}, real(variable, start=True))
    for variable in model.outputs:
        attributes = {"causality": "output", "variability": "continuous", "initial": "calculated"}
        add(variable, attributes, real(variable, start=False))
    for variable in model.parameters:
        attributes = {"causality": "parameter", "variability": "fixed", "initial": "exact"}
        add(variable, attributes, real(variable, start=True))
    local = {"causality": "local", "variability": "continuous", "initial": "calculated"}
    first = count
    for variable in states:
        add(variable, local, real(variable, start=False))
    for index, state in enumerate(states):
        unit = _rate_unit(state.unit, model.time_unit)
        rate = Variable(f"der({state.name})", f"Derivative of {state.name} with respect to time", unit, 0.0)
        add(rate, local, {"unit": unit, "derivative": str(first + index + 1)})
    for variable in model.locals:
        add(variable, local, real(variable, start=False))


def _structure(root: ET.Element, model: Model, equations: Equations) -> None:
    """ModelStructure: outputs and derivatives with their dependencies, all unknowns of initialization."""
    nu, ny, nx, nf = len(model.inputs), len(model.outputs), len(model.states), model.n_filters
    first_state = nu + ny + len(model.parameters) + 1
    first_rate = first_state + 2 * nf + nx
    # columns of the pattern are [x, v, u]; v is the second stage of the filters
    position = [first_state + 2 * nf + k for k in range(nx)]
    position += [first_state + nf + k for k in range(nf)]
    position += [k + 1 for k in range(nu)]
    pattern: list[list[int]] = [[] for _ in range(nx + ny)]
    for row, column in zip(*_triplet(equations.dependencies), strict=True):
        pattern[row].append(position[column])

    structure = ET.SubElement(root, "ModelStructure")

    def add(parent: ET.Element, index: int, dependencies: Iterable[int]) -> None:
        listed = " ".join(map(str, sorted(set(dependencies))))
        ET.SubElement(parent, "Unknown", index=str(index), dependencies=listed)

    if ny:
        outputs = ET.SubElement(structure, "Outputs")
        for k in range(ny):
            add(outputs, nu + k + 1, pattern[nx + k])
    derivatives = ET.SubElement(structure, "Derivatives")
    for k, index in enumerate(model.filter_input):
        add(derivatives, first_rate + k, (index + 1, first_state + k))
    for k in range(nf):
        add(derivatives, first_rate + nf + k, (first_state + k, first_state + nf + k))
    for k in range(nx):
        add(derivatives, first_rate + 2 * nf + k, pattern[k])
    # no dependencies given here: initial values may depend on every input and parameter
    initial = ET.SubElement(structure, "InitialUnknowns")
    for k in [*range(nu + 1, nu + ny + 1), *range(first_state, first_rate + 2 * nf + nx)]:
        ET.SubElement(initial, "Unknown", index=str(k))


def _triplet(pattern: ca.Sparsity) -> tuple[list[int], list[int]]:
    rows, columns = pattern.get_triplet()
    return list(rows), list(columns)
