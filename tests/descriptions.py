"""Model descriptions of our own FMUs in FMI 1.0, 2.0 and 3.0."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

if TYPE_CHECKING:
    from tests.own_fmus import Spec, Var

#: FMI 3.0's types: letter in model.h, C type.
TYPES = {
    "Float64": ("d", "double"), "Float32": ("f", "float"), "Boolean": ("b", "bool"),
    "Int8": ("c", "int8_t"), "UInt8": ("C", "uint8_t"), "Int16": ("s", "int16_t"), "UInt16": ("S", "uint16_t"),
    "Int32": ("i", "int32_t"), "UInt32": ("I", "uint32_t"), "Int64": ("l", "int64_t"), "UInt64": ("L", "uint64_t"),
    "Enumeration": ("l", "int64_t"), "String": ("t", "Text"), "Binary": ("x", "Bytes"),
}  # fmt: skip
_OLD = {"Float64": "Real", "Int32": "Integer", "Boolean": "Boolean", "String": "String"}


def model_description(spec: Spec, version: str, interface: str) -> str:
    """Return the model description of a model in a version of FMI."""
    return {"1.0": _fmi1, "2.0": _fmi2, "3.0": _fmi3}[version](spec, interface)


def _experiment(keys: str) -> str:
    values = {"startTime": "0", "stopTime": "100", "tolerance": "1e-9", "stepSize": "0.5"}
    return "<DefaultExperiment " + " ".join(f'{key}="{values[key]}"' for key in keys.split()) + "/>"


def _slopes(spec: Spec) -> str:
    return ' canInterpolateInputs="true"' if spec.slopes else ""


def _units(spec: Spec, tag: str, key: str) -> str:
    units = sorted({v.unit for v in spec.variables} - {""})
    if not units:
        return ""
    return f"<UnitDefinitions>{''.join(f'<{tag} {key}={quoteattr(unit)}/>' for unit in units)}</UnitDefinitions>"


def _described(v: Var) -> str:
    return f"name={quoteattr(v.name)}" + (f" description={quoteattr(v.description)}" if v.description else "")


def _more(v: Var) -> str:
    return v.more + (f" unit={quoteattr(v.unit)}" if v.unit else "")


def _fmi1(spec: Spec, interface: str) -> str:
    variables = []
    for reference, v in enumerate(spec.variables, 1):
        causality = {"parameter": "internal", "local": "internal"}.get(v.causality, v.causality)
        variability = "parameter" if v.causality == "parameter" else v.variability
        start = f' start={quoteattr(v.start)} fixed="true"' if v.start is not None and v.causality != "input" else ""
        start = f' start="{v.start}"' if v.causality == "input" else start
        value = f"<{_OLD[v.type]}{start} {_more(v)}/>"
        variables.append(
            f'<ScalarVariable {_described(v)} valueReference="{reference}" variability="{variability}" '
            f'causality="{causality}">{value}</ScalarVariable>'
        )
    kind = (
        '<Implementation><CoSimulation_StandAlone><Capabilities canHandleVariableCommunicationStepSize="true"'
        f"{_slopes(spec)}/></CoSimulation_StandAlone></Implementation>"
        if interface == "cs"
        else ""
    )
    n = sum(bool(v.derivative) for v in spec.variables)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<fmiModelDescription fmiVersion="1.0" modelName="{spec.name}" '
        f'modelIdentifier="{spec.name}" guid="{spec.name}" numberOfContinuousStates="{n}" '
        f'numberOfEventIndicators="{len(spec.indicators)}">'
        f"{_units(spec, 'BaseUnit', 'unit')}"
        f"{_experiment('startTime stopTime tolerance')}<ModelVariables>{''.join(variables)}</ModelVariables>{kind}"
        "</fmiModelDescription>"
    )


def _fmi2(spec: Spec, _interface: str) -> str:
    variables = []
    for reference, v in enumerate(_old(spec), 1):
        exact = ' initial="exact"' if v.start is not None and v.causality in ("output", "local") else ""
        start = f" start={quoteattr(v.start)}" if v.start is not None else ""
        derivative = f' derivative="{spec.reference(v.derivative)}"' if v.derivative else ""
        variables.append(
            f'<ScalarVariable {_described(v)} valueReference="{reference}" causality="{v.causality}" '
            f'variability="{v.variability}"{exact}><{_OLD[v.type]}{start}{derivative} {_more(v)}/></ScalarVariable>'
        )
    can = 'canGetAndSetFMUstate="true" canSerializeFMUstate="true"' + spec.derivatives("providesDirectionalDerivative")
    outputs = _unknowns(spec, "Unknown", "index", "output")
    steps = f'canHandleVariableCommunicationStepSize="true"{_slopes(spec)}'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<fmiModelDescription fmiVersion="2.0" modelName="{spec.name}" '
        f'guid="{spec.name}" numberOfEventIndicators="{len(spec.indicators)}">'
        f'<ModelExchange modelIdentifier="{spec.name}" {can}/>{_cosimulation(spec, f"{steps} {can}")}'
        f"{_units(spec, 'Unit', 'name')}"
        f"{_experiment('startTime stopTime tolerance stepSize')}<ModelVariables>{''.join(variables)}</ModelVariables>"
        f"<ModelStructure>{f'<Outputs>{outputs}</Outputs>' if outputs else ''}"
        f"<Derivatives>{_unknowns(spec, 'Unknown', 'index', 'derivative')}</Derivatives>"
        f"<InitialUnknowns>{_unknowns(spec, 'Unknown', 'index', 'initial')}</InitialUnknowns></ModelStructure>"
        "</fmiModelDescription>"
    )


def _old(spec: Spec) -> list[Var]:
    """Return the variables whose types FMI 2.0 has too; the others come last."""
    return [v for v in spec.variables if v.type in _OLD]


def _cosimulation(spec: Spec, attributes: str) -> str:
    return "" if spec.exchange_only else f'<CoSimulation modelIdentifier="{spec.name}" {attributes}/>'


def _unknowns(spec: Spec, tag: str, key: str, which: str) -> str:
    chosen = {
        "output": lambda v: v.causality == "output",
        "derivative": lambda v: bool(v.derivative),
        "indicator": lambda v: v.name in spec.indicators,
        "initial": lambda v: (
            bool(v.derivative) or v.causality == "calculatedParameter" or (v.causality == "output" and v.start is None)
        ),
    }[which]
    variables = _old(spec) if key == "index" else spec.variables
    return "".join(f'<{tag} {key}="{i}"/>' for i, v in enumerate(variables, 1) if chosen(v))


def _fmi3(spec: Spec, _interface: str) -> str:
    variables = ['<Float64 name="time" valueReference="0" causality="independent" variability="continuous"/>']
    for reference, v in enumerate(spec.variables, 1):
        attributes = (
            f'{_described(v)} valueReference="{reference}" causality="{v.causality}" variability="{v.variability}"'
        )
        if v.start is not None and v.causality in ("output", "local"):
            attributes += ' initial="exact"'
        if v.derivative:
            attributes += f' derivative="{spec.reference(v.derivative)}"'
        if v.type == "Enumeration":
            attributes += ' declaredType="Level"'
        inside = "".join(
            f'<Dimension valueReference="{spec.reference(n)}"/>' if isinstance(n, str) else f'<Dimension start="{n}"/>'
            for n in v.shape
        )
        if v.start is not None and v.type in ("String", "Binary"):
            inside += "".join(f"<Start value={quoteattr(text)}/>" for text in v.start.split("|"))
        elif v.start is not None:
            attributes += f" start={quoteattr(v.start)}"
        variables.append(f"<{v.type} {attributes} {_more(v)}>{inside}</{v.type}>")
    can = 'canGetAndSetFMUState="true" canSerializeFMUState="true"' + spec.derivatives("providesDirectionalDerivatives")
    events = ' hasEventMode="true" canReturnEarlyAfterIntermediateUpdate="true"' if spec.events else ""
    steps = f'canHandleVariableCommunicationStepSize="true" {can}{events}'
    level = (
        '<TypeDefinitions><EnumerationType name="Level"><Item name="low" value="1"/><Item name="high" value="2"/>'
        "</EnumerationType></TypeDefinitions>"
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<fmiModelDescription fmiVersion="3.0" modelName="{spec.name}" '
        f'instantiationToken="{spec.name}"><ModelExchange modelIdentifier="{spec.name}" {can}/>'
        f"{_cosimulation(spec, steps)}"
        f"{_units(spec, 'Unit', 'name')}{level}{_experiment('startTime stopTime tolerance stepSize')}"
        f"<ModelVariables>{''.join(variables)}</ModelVariables><ModelStructure>"
        f"{_unknowns(spec, 'Output', 'valueReference', 'output')}"
        f"{_unknowns(spec, 'ContinuousStateDerivative', 'valueReference', 'derivative')}"
        f"{_unknowns(spec, 'InitialUnknown', 'valueReference', 'initial')}"
        f"{_unknowns(spec, 'EventIndicator', 'valueReference', 'indicator')}</ModelStructure></fmiModelDescription>"
    )
