"""The checks of ``trivium doctor``: what serving needs, and a real step of the plant through every engine.

Each check is a line of its own and never stops the others; those that failed decide the exit code.
"""

from __future__ import annotations

import importlib
import json
import platform
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from trivium.core.resources import Resources
from trivium.errors import TriviumError
from trivium.fmu.abi import installed, pyfmi_problem
from trivium.settings import Settings

#: What serving needs; imported one by one.
PACKAGES = ("flask", "fmpy", "gunicorn", "numpy", "orjson")


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes
    ----------
    name : str
    status : {"ok", "note", "failed"}
        A note is worth knowing and fails nothing.
    text : str
    """

    name: str
    status: str
    text: str


def examine(settings: Settings) -> Iterator[Check]:
    """Yield every check as it is done, the quick ones first.

    Parameters
    ----------
    settings : Settings
    """
    yield Check("python", "ok", f"Python {platform.python_version()} on {platform.platform()}")
    for package in PACKAGES:
        yield _package(package)
    yield _pyfmi(wanted=_wanted_engine(settings) == "pyfmi")
    yield _state_directory(settings.state_dir)
    yield _port(settings.host, settings.port)
    yield from _test_case(settings)


def report(settings: Settings, *, as_json: bool, say: Callable[[str], None]) -> int:
    """Say what was found.

    Parameters
    ----------
    settings : Settings
    as_json : bool
        One JSON object instead of lines.
    say : callable
        Takes each line.

    Returns
    -------
    int
        0 when nothing failed.

    Raises
    ------
    TriviumError
        Naming all that failed, unless as JSON.
    """
    checks = []
    for check in examine(settings):
        checks.append(check)
        if not as_json and check.status != "failed":
            say(("" if check.status == "ok" else "note: ") + check.text)
    failed = [check.text for check in checks if check.status == "failed"]
    if as_json:
        say(json.dumps({"works": not failed, "checks": [asdict(check) for check in checks]}, indent=2))
        return int(bool(failed))
    if failed:
        raise TriviumError("; ".join(failed))
    say("everything works")
    return 0


def _package(name: str) -> Check:
    try:
        importlib.import_module(name)
    except Exception as error:  # a broken compiled package may raise anything
        return Check(name, "failed", f"{name} cannot be imported: {type(error).__name__}: {error}")
    return Check(name, "ok", f"{name} {installed(name)}")


def _wanted_engine(settings: Settings) -> str:
    """Return the engine that the test case asks for, else the setting."""
    try:
        engine = Resources.load(settings.resources).engine
    except TriviumError:  # told by the check of the test case
        return settings.engine
    return settings.engine if engine == "auto" else engine


def _pyfmi(*, wanted: bool) -> Check:
    """Judge PyFMI and Assimulo by their versions first: importing a wrong pair tells less than they do.

    A pair that does not fit fails only where the engine pyfmi is asked for; ``auto`` takes FMPy then.
    """
    bad = "failed" if wanted else "note"
    if problem := pyfmi_problem():
        return Check("pyfmi", bad, f"engine pyfmi: {problem}")
    try:
        importlib.import_module("trivium.fmu.pyfmi_")
    except TriviumError as error:
        return Check("pyfmi", bad, str(error))
    return Check("pyfmi", "ok", f"PyFMI {installed('pyfmi')} with Assimulo {installed('assimulo')}")


def _state_directory(folder: Path) -> Check:
    from trivium.core.history import History

    try:
        History(folder / "history", ["time"]).close()
    except TriviumError as error:
        return Check("state", "failed", str(error))
    free = shutil.disk_usage(folder).free
    text = f"state directory {folder}, {free / 1e9:.1f} GB free"
    return Check("state", "ok" if free > 1e9 else "note", text)


def _port(host: str, port: int) -> Check:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            return Check("port", "note", f"port {port} of {host} cannot be taken now: {error.strerror or error}")
    return Check("port", "ok", f"port {port} of {host} is free")


def _test_case(settings: Settings) -> Iterator[Check]:
    """Step the plant through every engine that is usable, with what the FMU offers."""
    from trivium.fmu.choice import unusable
    from trivium.fmu.description import INTERFACES, read_fmu
    from trivium.fmu.probe import probe
    from trivium.fmu.registry import ENGINES, choose

    cache = settings.state_dir / "fmu"
    try:
        resources = replace(Resources.load(settings.resources), engine=_wanted_engine(settings))
        inputs = _first_inputs(resources)
        description = read_fmu(resources.fmu, cache)
        served = choose(resources, cache)
    except TriviumError as error:
        yield Check("test case", "failed", str(error))
        return
    yield Check("test case", "ok", f"test case {settings.resources}")
    binaries = ", ".join(sorted(path.name for path in (description.directory / "binaries").iterdir()))
    yield Check(
        "platforms",
        "ok",
        f"{resources.fmu.name} is FMI {description.version} with binaries for {binaries}; "
        f"{description.library.name} is used",
    )
    for engine in ENGINES:
        if engine == "pyfmi" and (problem := unusable(description)):
            if served.engine == engine:
                yield Check("engine pyfmi", "failed", f"the engine pyfmi is asked for: {problem}")
            continue
        for interface in INTERFACES:
            try:
                read_fmu(resources.fmu, cache, interface)
            except TriviumError:
                continue  # the FMU does not offer it
            is_served = engine == served.engine and interface == (served.interface or description.interface)
            found = probe(replace(served, engine=engine, interface=interface), cache, inputs, step=resources.step)
            name = f"{engine} {interface}"
            if found.error:
                yield Check(name, "failed" if is_served else "note", f"{name} cannot step the plant: {found.error}")
                continue
            if is_served:
                yield from _advance(resources, cache, settings.state_dir / "history")
            about = {"exact": "", "inexact": f" (relative difference {found.difference:.1e})"}
            yield Check(
                name,
                "ok" if found.restore == "exact" else "note",
                f"{name} stepped the plant {found.steps} times, {found.step_ms:.2f} ms a step; restore is "
                f"{found.restore}{about.get(found.restore, f': {found.reason}')}{', this one serves' * is_served}",
            )


def _first_inputs(resources: Resources) -> dict[str, float]:
    """Return what the plant's inputs are first, where the test case says so."""
    from trivium.core.boundary import Disturbances
    from trivium.core.initialization import read_observation

    observation, boundary = resources.initialization_observation, resources.disturbances
    inputs = {} if observation is None else read_observation(observation)
    if boundary is not None:
        disturbances = Disturbances.read(boundary)
        inputs |= dict(zip(disturbances.names, disturbances.values[0].tolist(), strict=True))
    return inputs


def _advance(resources: Resources, cache: Path, history: Path) -> Iterator[Check]:
    """Take a control step of the whole test case, as a request does; the FMU has proved that it survives one."""
    from trivium.core.testcase import TestCase
    from trivium.fmu.registry import open_model

    try:
        case = TestCase.open(resources, open_model(resources, cache), history)
        try:
            case.advance({})
        finally:
            case.close()
    except TriviumError as error:
        yield Check("control step", "failed", f"a control step of the test case fails: {error}")
