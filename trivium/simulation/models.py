"""The model of a test case: which engine runs its FMU, and how, as its ``testcase.toml`` and its qualification say."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

from trivium.errors import ResourcesError
from trivium.model.fmu.choice import choose_engine
from trivium.model.fmu.description import FmuDescription, Interface, Recording, read_fmu
from trivium.model.fmu.fmu_model import TOLERANCE, FmuModel, Setup, Solving
from trivium.model.fmu.isolated import make_model
from trivium.model.fmu.qualification import qualify
from trivium.model.fmu.recording import select
from trivium.model.fmu.trying import First
from trivium.model.fmu.verdict import Qualification
from trivium.simulation.boundary import Disturbances
from trivium.simulation.initialization import read_observation
from trivium.simulation.plant import plant_of
from trivium.simulation.resources import Resources


def open_model(resources: Resources, cache: Path) -> FmuModel:
    """Load the FMU of a test case, which is qualified where that was not done yet.

    Parameters
    ----------
    resources : Resources
    cache : Path
        Where FMUs are unpacked.

    Raises
    ------
    ResourcesError
        When the FMU cannot be unpacked, is of the wrong kind, its engine is not installed, or it cannot restore its
        state although the test case asks for that.
    ModelError
        When its binary cannot be loaded.
    """
    description = _read(resources, cache)
    setup = _setup(resources, description, cache)
    found = qualified(resources, cache, setup)
    isolate = found.isolate if resources.isolate is None else resources.isolate
    model = make_model(select(description, setup.recording), setup.engine, setup.solving, isolate=isolate)
    model.qualification = found
    if resources.state == "restore" and (not model.can_snapshot or (found.decided and not found.can_restore)):
        model.close()
        raise ResourcesError(f'testcase.toml: fmu.state is "restore", but of {resources.fmu.name} the {found}')
    insists = resources.state == "restore" or found.can_restore
    model.can_snapshot = model.can_snapshot and insists and resources.state != "replay"
    return model


def choose(resources: Resources, cache: Path) -> Setup:
    """Return how the FMU of a test case is run, with ``auto`` decided; see `open_model`."""
    return _setup(resources, _read(resources, cache), cache)


def qualified(resources: Resources, cache: Path, setup: Setup) -> Qualification:
    """Return what the FMU of a test case does in a setup, from the beginning of the test case on; see `qualify`."""
    alone = len(resources.paths) == 1 and resources.step is None
    return qualify(setup, cache, "" if alone else resources.fingerprint, partial(_first, resources))


def _read(resources: Resources, cache: Path) -> FmuDescription:
    return read_fmu(resources.fmu, cache, cast("Interface | None", resources.interface), dict(resources.structural))


def _setup(resources: Resources, description: FmuDescription, cache: Path) -> Setup:
    solving = Solving(
        resources.tolerance,
        resources.absolute_tolerance,
        resources.restart,
        resources.solver,
        default=None if resources.alone else TOLERANCE,
    )
    inputs, outputs = ({v.variable.name for v in group} for group in (description.inputs, description.outputs))
    is_plant = plant_of(inputs, outputs, resources.plant_files) is not None
    recording = Recording(resources.measured, resources.recorded, all=not is_plant)
    interface = cast("Interface | None", resources.interface)
    setup = Setup(resources.fmu, resources.engine, interface, solving, recording, resources.structural)
    if resources.engine != "auto":
        return setup
    return replace(setup, engine=choose_engine(description, setup, partial(qualified, resources, cache)))


def _first(resources: Resources) -> First:
    """Return how the model of a test case begins, where its files say so."""
    observation, boundary = resources.initialization_observation, resources.disturbances
    inputs = {} if observation is None else read_observation(observation)
    if boundary is None:
        return First(step=resources.step, inputs=inputs)
    disturbances = Disturbances.read(boundary)
    inputs |= dict(zip(disturbances.names, disturbances.values[0].tolist(), strict=True))
    return First(max(0.0, disturbances.time0), resources.step or disturbances.interval, inputs)
