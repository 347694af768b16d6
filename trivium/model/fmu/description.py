"""What an FMU says about itself, and its files on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from trivium.errors import ResourcesError
from trivium.model.contract import DefaultExperiment
from trivium.model.fmu.archive import find_library, unpack
from trivium.model.fmu.scalars import FmuVariable, read_scalars, to_number

#: How an FMU is run: it steps itself (co-simulation), or a solver of ours integrates its equations (Model Exchange).
Interface = Literal["cs", "me"]
INTERFACES: tuple[Interface, ...] = ("cs", "me")
#: What is read here.
VERSIONS = ("1.0", "2.0", "3.0")


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


def read_fmu(path: Path, cache: Path, interface: Interface | None = None) -> FmuDescription:
    """Unpack an FMU and read its model description.

    Parameters
    ----------
    path : Path
        The ``.fmu`` file.
    cache : Path
        Where FMUs are unpacked, once, under the hash of their content.
    interface : {"cs", "me"}, optional
        Default: co-simulation where the FMU offers it, else Model Exchange.

    Raises
    ------
    ResourcesError
        When the file is no FMU of FMI 1.0 to 3.0, does not offer the interface, or has no binary for this platform.
    """
    from fmpy import read_model_description

    path = path.absolute()
    directory = unpack(path, cache.absolute())
    if not (directory / "modelDescription.xml").is_file():
        raise ResourcesError(f"{path.name} is no FMU: it holds no modelDescription.xml")
    try:
        description = read_model_description(str(directory), validate=False)
    except Exception as error:  # FMPy lets errors of its XML parser through
        raise ResourcesError(f"the model description of {path.name} cannot be read: {error}") from error
    version = "3.0" if description.fmiVersion.startswith("3.") else description.fmiVersion
    offered = {"cs": description.coSimulation, "me": description.modelExchange}
    selected = interface or ("me" if offered["cs"] is None else "cs")
    if version not in VERSIONS or offered[selected] is None:
        names = {"cs": "co-simulation", "me": "Model Exchange"}
        has = " and ".join(names[key] for key in INTERFACES if offered[key] is not None) or "no interface known here"
        label = names[interface] if interface else "co-simulation or Model Exchange"
        raise ResourcesError(
            f"{path.name} is FMI {description.fmiVersion} with {has}; {label} of FMI 1.0, 2.0 or 3.0 is needed"
        )
    entry = offered[selected]
    scalars = read_scalars(description, directory, path.name)
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
    )


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
