"""The model description of an FMU, whether the FMU runs here or not."""

from __future__ import annotations

import contextlib
import json
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from trivium.errors import ResourcesError, StorageError
from trivium.model.fmu.description import add_capabilities, read_experiment
from trivium.model.horizon import DefaultExperiment
from trivium.storage import replace_file
from trivium.table import Table, aligned, as_html

#: Kinds of FMUs, by FMPy's name of their part of the model description.
_KINDS = {
    "coSimulation": "co-simulation",
    "modelExchange": "Model Exchange",
    "scheduledExecution": "scheduled execution",
}
#: Capabilities that are numbers, which FMPy leaves as text.
_NUMERIC = ("fixedInternalStepSize", "recommendedIntermediateInputSmoothness")
#: Variables that are printed before the rest is counted.
_ROWS = 40
#: Most variables whose names are validated: FMPy's grammar takes milliseconds a name.
MOST_NAMES = 1000


class Declaration(NamedTuple):
    """A variable as the model description declares it.

    Attributes
    ----------
    causality, variability, type : str
        As FMI names them.
    unit : str
        Empty where none is declared.
    start : float or int or bool or str or None
        None where none is declared; of an array, the text of the model description.
    minimum, maximum : float or None
    description : str
    """

    causality: str
    variability: str
    type: str
    unit: str
    start: float | int | bool | str | None
    minimum: float | None
    maximum: float | None
    description: str


@dataclass(frozen=True, repr=False)
class Info:
    """The model description of an FMU; `str` makes a table of it, notebooks show one.

    Attributes
    ----------
    path : Path
        The ``.fmu`` file.
    name, description, version, author, tool, date : str
        Model name and further metadata; empty where the FMU declares none.
    fmi : str
        Version of FMI.
    kinds : Mapping[str, Mapping[str, Any]]
        ``co-simulation``, ``Model Exchange``, ``scheduled execution``: capabilities that are declared, by FMI's names.
    platforms : tuple of str
        Folders of binaries; ``sources`` where there is source code.
    experiment : DefaultExperiment
        The default experiment: start, stop, step [s] and relative tolerance [1].
    states, indicators : int
        Numbers of continuous states and of event indicators.
    units : Mapping[str, str]
        Units that are defined, each with its base units where they are declared: ``{"km/h": "0.277778 m.s-1"}``.
    variables : Table of Declaration
        By name.
    findings : tuple of str or None
        What ``fmpy validate`` finds wrong; None where that was not looked for. Names of variables are validated where
        there are no more than `MOST_NAMES`.
    qualification : str
        What the FMU really does with its state; empty where that was not tried.
    """

    path: Path
    name: str
    description: str
    version: str
    author: str
    tool: str
    date: str
    fmi: str
    kinds: Mapping[str, Mapping[str, Any]]
    platforms: tuple[str, ...]
    experiment: DefaultExperiment
    states: int
    indicators: int
    units: Mapping[str, str]
    variables: Table[Declaration]
    findings: tuple[str, ...] | None = None
    qualification: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """Return the number of variables by causality, the most frequent first."""
        return dict(Counter(variable.causality for variable in self.variables.values()).most_common())

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON holds it."""
        plain = {key: value for key, value in vars(self).items() if key not in ("path", "experiment", "variables")}
        return {
            "file": str(self.path),
            **plain,
            "findings": None if self.findings is None else list(self.findings),
            "units": dict(self.units),
            "kinds": {kind: dict(capabilities) for kind, capabilities in self.kinds.items()},
            "platforms": list(self.platforms),
            "experiment": asdict(self.experiment),
            "counts": self.counts,
            "variables": {name: variable._asdict() for name, variable in self.variables.items()},
        }

    def text(self, rows: int | None = None) -> str:
        """Return a table.

        Parameters
        ----------
        rows : int, optional
            Most variables; default: all.
        """
        return f"{aligned(self._summary())}\n\n{self.variables.text(rows)}"

    def __str__(self) -> str:
        return self.text(_ROWS)

    def __repr__(self) -> str:
        return f"Info({self.path.name}: {self.name}, FMI {self.fmi}, {', '.join(self.kinds)})"

    def _repr_html_(self) -> str:
        return as_html([[self.name, self.path.name], *self._summary()]) + self.variables._repr_html_()

    def _summary(self) -> list[list[str]]:
        experiment = ", ".join(
            f"{key} {value:g}" for key, value in asdict(self.experiment).items() if value is not None
        )
        capabilities = [[kind, _listed(declared)] for kind, declared in self.kinds.items()]
        lines = [
            ["model", self.name],
            ["file", self.path.name],
            ["FMI", self.fmi],
            *capabilities,
            ["inputs in a step", ", ".join(f"{kind}: {self._within_a_step(kind)}" for kind in self.kinds)],
            ["tool", self.tool],
            ["version", self.version],
            ["author", self.author],
            ["date", self.date],
            ["description", self.description],
            ["platforms", ", ".join(self.platforms)],
            ["experiment", experiment],
            ["states", f"{self.states}, event indicators {self.indicators}"],
            ["units", ", ".join(self.units)],
            ["variables", ", ".join(f"{count} {causality}" for causality, count in self.counts.items())],
        ]
        lines += [["qualification", self.qualification]]
        lines += [["finding", finding] for finding in self.findings or ()]
        lines += [["findings", "none"]] if self.findings == () else []
        return [line for line in lines if line[1] or line[0] in self.kinds]

    def _within_a_step(self, kind: str) -> str:
        """Return what continuous inputs do within a step."""
        lines = kind == "Model Exchange" or (bool(self.kinds[kind].get("canInterpolateInputs")) and self.fmi < "3")
        return "follow lines" if lines else "hold"


def read_info(path: Path) -> Info:
    """Return the model description of an FMU, which is neither unpacked nor loaded.

    Parameters
    ----------
    path : Path
        The ``.fmu`` file.

    Raises
    ------
    ResourcesError
        When it is no FMU.
    """
    from fmpy import read_model_description

    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
            declared = read_model_description(str(path), validate=False)
            if declared.fmiVersion == "1.0" and declared.coSimulation is not None:
                add_capabilities(declared.coSimulation, archive.read("modelDescription.xml"))
    except OSError as error:
        raise ResourcesError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # FMPy lets errors of its XML parser through
        raise ResourcesError(f"{path.name} is no FMU: {error}") from error
    return Info(
        path=path,
        name=declared.modelName,
        description=declared.description or "",
        version=declared.version or "",
        author=declared.author or "",
        tool=declared.generationTool or "",
        date=declared.generationDateAndTime or "",
        fmi=declared.fmiVersion,
        kinds={kind: _capabilities(getattr(declared, key)) for key, kind in _KINDS.items() if getattr(declared, key)},
        platforms=_platforms(members),
        experiment=read_experiment(declared.defaultExperiment),
        states=int(declared.numberOfContinuousStates or 0),
        indicators=int(declared.numberOfEventIndicators or 0),
        units={unit.name: _base(unit.baseUnit) for unit in declared.unitDefinitions},
        variables=Table({v.name: _declaration(v) for v in declared.modelVariables}, Declaration._fields),
    )


def validate(path: Path, stored: Path | None = None) -> tuple[str, ...]:
    """Return what ``fmpy validate`` finds wrong with an FMU.

    Parameters
    ----------
    path : Path
        The ``.fmu`` file.
    stored : Path, optional
        A file that keeps the findings.
    """
    from fmpy import read_model_description
    from fmpy.model_description import ValidationError

    if stored is not None:
        with contextlib.suppress(OSError, ValueError):
            return tuple(json.loads(stored.read_bytes()))
    findings: tuple[str, ...] = ()
    try:
        few = len(read_model_description(str(path), validate=False).modelVariables) <= MOST_NAMES
        read_model_description(str(path), validate_variable_names=few, validate_model_structure=True)
    except ValidationError as error:
        findings = tuple(str(problem) for problem in error.problems)
    except Exception as error:  # FMPy lets errors of its XML parser through
        findings = (str(error),)
    if stored is not None:
        with contextlib.suppress(StorageError):  # then it is validated again
            replace_file(stored, json.dumps(findings).encode())
    return findings


def _base(base: Any) -> str:
    """Return the base units of a unit; empty where none are declared."""
    if base is None:
        return ""
    exponents = {name: int(getattr(base, name) or 0) for name in ("kg", "m", "s", "A", "K", "mol", "cd", "rad")}
    power = ".".join(f"{name}{'' if exponent == 1 else exponent}" for name, exponent in exponents.items() if exponent)
    factor, offset = float(base.factor or 1), float(base.offset or 0)
    scaled = power if factor == 1 else f"{factor:g} {power}".strip()
    return f"{scaled} + {offset:g}" if offset else scaled


def _capabilities(part: Any) -> dict[str, Any]:
    """Return the attributes of a part of the model description that are set."""
    import attrs

    declared = attrs.asdict(part, recurse=False)
    plain = {key: value for key, value in declared.items() if isinstance(value, bool | int | float | str)}
    supported = {key: value for key, value in plain.items() if value and key != "modelIdentifier"}
    return {**supported, **{key: float(supported[key]) for key in _NUMERIC if key in supported}}


def _listed(capabilities: Mapping[str, Any]) -> str:
    return ", ".join(key if value is True else f"{key} {value}" for key, value in capabilities.items())


def _platforms(members: list[str]) -> tuple[str, ...]:
    parts = [name.split("/") for name in members]
    binaries = {part[1] for part in parts if part[0] == "binaries" and len(part) > 2 and part[-1]}
    sources = ["sources"] if any(part[0] == "sources" and part[-1] for part in parts) else []
    return (*sorted(binaries), *sources)


def _declaration(declared: Any) -> Declaration:
    def attribute(key: str) -> Any:
        value = getattr(declared, key, None)
        return (
            value if value is not None or declared.declaredType is None else getattr(declared.declaredType, key, None)
        )

    return Declaration(
        declared.causality or "",
        declared.variability or "",
        declared.type,
        attribute("unit") or "",
        _start(declared),
        _number(attribute("min")),
        _number(attribute("max")),
        declared.description or "",
    )


def _start(declared: Any) -> float | int | bool | str | None:
    start: str | None = declared.start
    if start is None or declared.shape or declared.type in ("String", "Binary", "Clock"):
        return start
    if declared.type == "Boolean":
        return start in ("true", "1")
    return float(start) if declared.type in ("Real", "Float32", "Float64") else int(start)


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)
