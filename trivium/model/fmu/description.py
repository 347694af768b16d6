"""What an FMU says about itself, and its files on disk."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from xml.etree import ElementTree

from trivium.errors import ResourcesError
from trivium.model.fmu.archive import find_library, unpack
from trivium.model.fmu.scalars import FmuVariable, read_scalars, read_states, to_number
from trivium.model.horizon import DefaultExperiment

#: How an FMU is run: it steps itself (co-simulation), or a solver of ours integrates its equations (Model Exchange).
Interface = Literal["cs", "me"]
INTERFACES: tuple[Interface, ...] = ("cs", "me")
#: What is read here.
VERSIONS = ("1.0", "2.0", "3.0")


@dataclass(frozen=True)
class Recording:
    """What of an FMU is measured and recorded beside its outputs.

    Attributes
    ----------
    measured : str or None
        Regular expression over whole names; None for the outputs alone, or the local variables of an FMU without any.
    recorded : str or None
        Regular expression over whole names; None for nothing.
    all : bool
        Whether, in place of a pattern, everything is recorded that changes by itself, where that is not too much: see
        `trivium.model.fmu.recording`.
    """

    measured: str | None = None
    recorded: str | None = None
    all: bool = False


@dataclass(frozen=True)
class FmuDescription:
    """An unpacked FMU.

    Attributes
    ----------
    name : str
        Model name.
    directory : Path
        The unpacked FMU.
    library : Path
        Its binary for this platform.
    guid, identifier : str
        What its instances are made with.
    inputs, outputs : tuple of FmuVariable
        In the order of the model description.
    parameters : tuple of FmuVariable
        What may be set before initialization and is no input: parameters, and start values of other variables.
    texts : tuple of FmuVariable
        Outputs that are text.
    can_snapshot : bool
        Whether it says that its state can be got, set and serialized.
    one_instance : bool
        Whether it says that a process may hold only one instance.
    experiment : DefaultExperiment
        What it proposes.
    path : Path
        The ``.fmu`` file.
    interface : {"cs", "me"}
        How it is run; the identifier and the abilities are those of this interface.
    n_states, n_indicators : int
        Continuous states and event indicators of Model Exchange; from FMI 3.0 on without counting elements of arrays.
    version : str
        Of FMI: one of `VERSIONS`.
    has_event_mode : bool
        Whether a co-simulation of FMI 3.0 has an event mode.
    numbers : tuple of FmuVariable
        Every number that can be read, whatever its causality.
    fixed_step : float or None
        Step size of a co-simulation's own solver [s]; None where none is declared.
    variable_step : bool
        Whether a co-simulation takes steps of different lengths.
    dimensions : tuple of FmuVariable
        Structural parameters that give sizes of arrays; their start values are those that were chosen.
    structural : Mapping[str, int]
        What was chosen of them.
    recording : Recording
        What else than the outputs was selected; the outputs contain it.
    n_strict : int
        So many of the outputs, the first ones, must be finite numbers.
    n_measured : int
        So many of the outputs, the first ones, are measurements; the others are recorded only.
    interpolates : bool
        Whether a co-simulation takes derivatives of its real inputs, so that they change within a step.
    states, rates : tuple of FmuVariable
        Continuous states and their derivatives by time, as far as the FMU names them.
    directional : bool
        Whether it says that it gives directional derivatives.
    """

    name: str
    directory: Path
    library: Path
    guid: str
    identifier: str
    inputs: tuple[FmuVariable, ...]
    outputs: tuple[FmuVariable, ...]
    parameters: tuple[FmuVariable, ...]
    texts: tuple[FmuVariable, ...]
    can_snapshot: bool
    one_instance: bool
    experiment: DefaultExperiment
    path: Path
    interface: Interface
    n_states: int
    n_indicators: int
    version: str
    has_event_mode: bool
    numbers: tuple[FmuVariable, ...] = ()
    fixed_step: float | None = None
    variable_step: bool = False
    dimensions: tuple[FmuVariable, ...] = ()
    structural: Mapping[str, int] = field(default_factory=dict, hash=False)
    recording: Recording = Recording()
    n_strict: int = 0
    n_measured: int = 0
    interpolates: bool = False
    states: tuple[FmuVariable, ...] = ()
    rates: tuple[FmuVariable, ...] = ()
    directional: bool = False

    @property
    def unit_step(self) -> float | None:
        """What the length of every step must be a multiple of [s], where the FMU takes steps of one length only."""
        if self.interface == "me" or self.variable_step:
            return None
        step = self.fixed_step or self.experiment.step
        return step if step is not None and 0 < step < math.inf else None


def read_model_description(directory: Path, name: str) -> tuple[Any, str]:
    """Return FMPy's reading of the model description of an unpacked FMU, and the version that it is read as.

    Raises
    ------
    ResourcesError
        Naming the FMU, when there is none, it cannot be read, or is of a draft of FMI.
    """
    import fmpy

    file = directory / "modelDescription.xml"
    if not file.is_file():
        raise ResourcesError(f"{name} is no FMU: it holds no modelDescription.xml")
    with _translated(name):
        version = _version(file, name)
        return fmpy.read_model_description(str(directory), validate=False), version


@contextlib.contextmanager
def _translated(name: str) -> Iterator[None]:
    """Translate whatever is raised by what a model description says: FMPy, parsers and conversions raise all kinds."""
    try:
        yield
    except ResourcesError:
        raise
    except Exception as error:
        raise ResourcesError(f"the model description of {name} cannot be read: {error}") from error


def read_fmu(
    path: Path,
    cache: Path,
    interface: Interface | None = None,
    structural: Mapping[str, int] = MappingProxyType({}),
) -> FmuDescription:
    """Unpack an FMU and read its model description.

    Parameters
    ----------
    path : Path
        The ``.fmu`` file.
    cache : Path
        Where FMUs are unpacked, once, under the hash of their content.
    interface : {"cs", "me"}, optional
        Default: co-simulation where the FMU offers it, else Model Exchange.
    structural : Mapping[str, int]
        Values of structural parameters of FMI 3.0 that give sizes of arrays.

    Raises
    ------
    ResourcesError
        When the file is no FMU of FMI 1.0 to 3.0, does not offer the interface, has no binary for this platform, needs
        clocks, or has no such structural parameter.
    """
    path = path.absolute()
    directory = unpack(path, cache.absolute())
    description, version = read_model_description(directory, path.name)
    offered = {"cs": description.coSimulation, "me": description.modelExchange}
    selected = interface or ("me" if offered["cs"] is None else "cs")
    if version not in VERSIONS or offered[selected] is None:
        has = " and ".join(_interfaces(description)) or "no interface known here"
        label = _NAMES[interface] if interface else "co-simulation or Model Exchange"
        raise ResourcesError(
            f"{path.name} is FMI {description.fmiVersion} with {has}; {label} of FMI 1.0, 2.0 or 3.0 is needed"
        )
    with _translated(path.name):
        return _described(path, directory, description, version, selected, structural)


def _described(
    path: Path, directory: Path, description: Any, version: str, selected: Interface, structural: Mapping[str, int]
) -> FmuDescription:
    entry = {"cs": description.coSimulation, "me": description.modelExchange}[selected]
    if version == "1.0" and selected == "cs":
        add_capabilities(entry, (directory / "modelDescription.xml").read_bytes())
    scalars = read_scalars(description, directory, path.name, structural)
    states, rates = read_states(description, scalars.numbers)
    return FmuDescription(
        name=description.modelName,
        directory=directory,
        library=find_library(directory, entry.modelIdentifier, version, path.name),
        guid=description.guid,
        identifier=entry.modelIdentifier,
        inputs=scalars.inputs,
        outputs=scalars.outputs,
        parameters=scalars.parameters,
        texts=scalars.texts,
        can_snapshot=bool(entry.canGetAndSetFMUstate and entry.canSerializeFMUstate) and version != "1.0",
        one_instance=bool(entry.canBeInstantiatedOnlyOncePerProcess),
        experiment=read_experiment(description.defaultExperiment),
        path=path,
        interface=selected,
        n_states=int(description.numberOfContinuousStates or 0),
        n_indicators=int(description.numberOfEventIndicators or 0),
        version=version,
        has_event_mode=bool(getattr(entry, "hasEventMode", False)),
        numbers=scalars.numbers,
        fixed_step=to_number(getattr(entry, "fixedInternalStepSize", None)),
        variable_step=bool(getattr(entry, "canHandleVariableCommunicationStepSize", False)),
        dimensions=scalars.dimensions,
        structural=dict(structural),
        n_strict=len(scalars.outputs),
        n_measured=len(scalars.outputs),
        interpolates=bool(getattr(entry, "canInterpolateInputs", False)) and version != "3.0",
        states=states,
        rates=rates,
        directional=version != "1.0" and _gives_directions(directory / "modelDescription.xml", selected),
    )


#: Interfaces of FMI, by FMPy's name of their part of the model description.
_PARTS = {
    "coSimulation": "co-simulation",
    "modelExchange": "Model Exchange",
    "scheduledExecution": "scheduled execution",
}
_NAMES: dict[Interface, str] = {"cs": "co-simulation", "me": "Model Exchange"}


def _interfaces(description: Any) -> list[str]:
    """Return the names of the interfaces that an FMU offers, also of those that are not run here."""
    return [name for part, name in _PARTS.items() if getattr(description, part) is not None]


def _version(file: Path, name: str) -> str:
    """Return which of `VERSIONS` an FMU is read as: minor versions of FMI 3 as 3.0, others as they are.

    Raises
    ------
    ResourcesError
        For a draft, whose functions differ from those of the version that it became.
    """
    declared = ""
    # FMPy reports what is wrong; `iterparse` leaves a file open that it opened itself and was not read to its end
    with contextlib.suppress(ElementTree.ParseError, OSError), file.open("rb") as opened:
        _, root = next(ElementTree.iterparse(opened, events=("start",)))  # noqa: S314 - runs here  # nosec B314
        declared = root.get("fmiVersion", "")
    if "-" in declared:
        raise ResourcesError(
            f"{name} is of FMI {declared}, a draft whose functions differ from those of FMI "
            f"{declared.partition('-')[0]}; export it again with a tool that writes FMI 3.0, 2.0 or 1.0"
        )
    return "3.0" if declared.startswith("3.") else declared


def _gives_directions(file: Path, interface: Interface) -> bool:
    """Return whether an interface has directional derivatives, which FMPy reads of FMI 2.0 only."""
    tag = {"cs": "CoSimulation", "me": "ModelExchange"}[interface]
    entry = ElementTree.parse(file).getroot().find(tag)  # noqa: S314 - read before  # nosec B314
    names = ("providesDirectionalDerivative", "providesDirectionalDerivatives")
    return entry is not None and any(entry.get(name) in ("true", "1") for name in names)


def add_capabilities(entry: Any, document: bytes) -> None:
    """Add the capabilities of a co-simulation of FMI 1.0 to FMPy's reading, which leaves them out.

    Parameters
    ----------
    entry : fmpy.model_description.CoSimulation
    document : bytes
        The model description, which FMPy has read.
    """
    root = ElementTree.fromstring(document)  # noqa: S314  # nosec B314 - read before
    for capabilities in root.iterfind(".//Capabilities"):
        for name, value in capabilities.attrib.items():
            if isinstance(getattr(entry, name, None), bool):
                setattr(entry, name, value in ("true", "1"))


def read_experiment(proposed: Any) -> DefaultExperiment:
    """Return the default experiment of a model description of FMPy, which may be None."""
    if proposed is None:
        return DefaultExperiment()
    return DefaultExperiment(
        start=to_number(proposed.startTime),
        stop=to_number(proposed.stopTime),
        step=to_number(proposed.stepSize),
        tolerance=to_number(proposed.tolerance),
    )
