"""The checks of the model: real steps through every engine and interface that it has, and the optional engines."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from trivium.doctor.check import Check
from trivium.errors import TriviumError
from trivium.extras import require, version_of

if TYPE_CHECKING:
    from trivium.settings import Settings
    from trivium.simulation.resources import Resources


def assimulo() -> Iterator[Check]:
    """Import Assimulo's solvers."""
    require("assimulo.solvers", "assimulo")
    yield Check("assimulo", "ready", f"Assimulo {version_of('assimulo')}")


def pyfmi(settings: Settings) -> Iterator[Check]:
    """Judge PyFMI and Assimulo by their versions first: to import a wrong pair says less than they do.

    A pair that does not fit is a failure only where the engine pyfmi is asked for; ``auto`` takes FMPy then.
    """
    from trivium.model.fmu.abi import pyfmi_problem

    required = _wanted_engine(settings) == "pyfmi"
    if problem := pyfmi_problem():
        present = version_of("pyfmi") is not None
        yield Check("pyfmi", "failed" if required else "note" if present else "missing", f"engine pyfmi: {problem}")
        return
    try:
        importlib.import_module("trivium.model.fmu.pyfmi_")
    except TriviumError as error:
        yield Check("pyfmi", "failed" if required else "note", str(error))
        return
    yield Check("pyfmi", "ready", f"PyFMI {version_of('pyfmi')} with Assimulo {version_of('assimulo')}")


def step(settings: Settings) -> Iterator[Check]:
    """Step the model through every engine that is usable, with what the FMU offers."""
    from trivium.model.fmu.description import INTERFACES, read_fmu
    from trivium.model.fmu.registry import ENGINES, adapter
    from trivium.simulation.models import choose, qualified
    from trivium.simulation.resources import Resources

    cache = settings.state_dir / "fmu"
    resources = replace(Resources.load(settings.resources), engine=_wanted_engine(settings))
    description = read_fmu(resources.fmu, cache)
    served = choose(resources, cache)
    binaries = ", ".join(sorted(path.name for path in (description.directory / "binaries").iterdir()))
    yield Check(
        "model",
        "ready",
        f"{settings.resources}: {resources.fmu.name} is FMI {description.version} with binaries for {binaries}; "
        f"{description.library.name} is used",
    )
    for engine, interface in itertools.product(ENGINES.names(), INTERFACES):
        name = f"{engine} {interface}"
        try:
            offered = read_fmu(resources.fmu, cache, interface)
        except TriviumError:
            continue  # the FMU does not offer it
        serves = engine == served.engine and interface == (served.interface or description.interface)
        try:
            adapter(engine, offered)
        except TriviumError as error:  # those that are not used may be unusable
            if serves:
                yield Check("step", "failed", f"the engine {engine} is asked for: {error}")
            continue
        found = qualified(resources, cache, replace(served, engine=engine, interface=interface))
        if found.error:
            yield Check(name, "failed" if serves else "note", f"{name} cannot step the model: {found.error}")
            continue
        yield Check(
            name,
            "ready" if found.verdict == "exact" else "note",
            f"stepped the model {found.steps} times, {found.step_ms:.2f} ms a step; {found}",
        )
        if found.jumps:
            yield Check("jumps", "note", f"{name}: not continuous at communication points: {_some(found.jumps)}")
        if serves:
            yield _advance(resources, cache, settings.state_dir / "history", name)


def _wanted_engine(settings: Settings) -> str:
    """Return the engine that the test case asks for, else the setting."""
    from trivium.simulation.resources import Resources

    try:
        engine = Resources.load(settings.resources).engine
    except (TriviumError, OSError):  # reported by the check of the model
        return settings.engine
    return settings.engine if engine == "auto" else engine


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def _advance(resources: Resources, cache: Path, history: Path, engine: str) -> Check:
    """Take a control step of the whole test case, as a request does; the FMU has shown that it survives one."""
    from trivium.evaluation.testcase import TestCase
    from trivium.simulation.models import open_model

    try:
        case = TestCase.open(resources, open_model(resources, cache), history)
        try:
            case.advance()
        finally:
            case.close()
    except TriviumError as error:
        return Check("step", "failed", f"a control step of the test case fails: {error}")
    return Check("step", "ready", f"a control step with {engine}, which serves this model")
