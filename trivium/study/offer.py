"""What a model offers to studies, found in a process of its own.

An offer is kept beside the unpacked FMUs until the model's files change.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trivium import __version__
from trivium.control.controller import suitable
from trivium.errors import EngineError, SettingsError, TriviumError
from trivium.experiment.conditions import Conditions
from trivium.experiment.horizon import Horizon
from trivium.forks import LostError
from trivium.model.variable import Variable
from trivium.simulation.embedded import is_testcase
from trivium.storage import replace_file
from trivium.study.asking import ask, warm_up

#: How long a model may take to be opened and measured [s].
_PATIENCE = 120.0
#: Steps that are simulated to see how long one takes.
_STEPS = 10
#: The controllers that are tried first: one has figures that a study may vary, the other drives every model.
_RULES, _HOLD = "rules", "hold"


def offer_of(model: Path, cache: Path, *, study: bool = True) -> dict[str, Any]:
    """Return what a model offers to studies.

    Parameters
    ----------
    model : Path
        An FMU or the folder of a test case.
    cache : Path
        Folder for unpacked FMUs.
    study : bool
        Whether a study is expected soon, which is checked in a process like that which finds offers.

    Returns
    -------
    dict
        ``parameters``, ``variables``: records with name, unit, description, and of parameters minimum, maximum, start
        and kind (set point, control input, rule, parameter); ``indicators``: records; ``controllers``, the usual one
        first; ``boundary``: units of boundary data by name; ``periods`` by name: start and end [s]; ``start``,
        ``stop``, ``step``; ``seconds``: time of a step, ``beginning``: that of an initialization.

    Raises
    ------
    TriviumError
        When the model cannot be used, or takes too long.
    """
    file = cache / "offers" / f"{_stamp(model)}.json"
    with contextlib.suppress(OSError, ValueError):
        kept: dict[str, Any] = json.loads(file.read_bytes())
        if study:
            warm_up()
        return kept
    request = {"model": str(model.absolute()), "cache": str(cache.absolute())}
    try:
        offer: dict[str, Any] = ask("trivium.study.offer:describe", request, _PATIENCE)
    except TimeoutError:
        raise EngineError(f"{model.name} was not opened within {_PATIENCE:g} s") from None
    except LostError as error:
        raise EngineError(f"the process that opens {model.name} is gone: {error}") from error
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, json.dumps(offer).encode())
    return offer


def _stamp(model: Path) -> str:
    """Return what changes with the files of a model."""
    files = sorted(file for file in model.rglob("*") if file.is_file()) if model.is_dir() else [model]
    stamps = [(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files]
    return hashlib.sha256(repr((__version__, stamps)).encode()).hexdigest()[:32]


def describe(request: Mapping[str, str]) -> dict[str, Any]:
    """Open the model of a request of `offer_of` in this process, and return what it offers."""
    model, cache = Path(request["model"]), Path(request["cache"])
    return _of_testcase(model, cache) if is_testcase(model) else _of_fmu(model, cache)


def _of_testcase(folder: Path, cache: Path) -> dict[str, Any]:
    from trivium.experiment.testcase import CaseRuns
    from trivium.simulation.plant import plant_of

    try:
        runs = CaseRuns(folder, cache, None, _RULES)
    except SettingsError:  # they are for another plant
        runs = CaseRuns(folder, cache, None, _HOLD)
    with contextlib.closing(runs):
        case = runs.case
        inputs = {variable.name: variable for variable in case.actions.variables}
        ahead = case.forecast_points
        plant = plant_of({*inputs, *ahead}, {*case.measurements})
        usual = _HOLD if plant is None else plant.controller
        set_points = set() if plant is None else {name for name in plant.set_points.values() if name in inputs}
        set_points |= {name for name, each in inputs.items() if "set point" in each.description.lower()}
        parameters = [_parameter(inputs[name], "set point") for name in inputs if name in set_points]
        parameters += [_parameter(each, "control input") for name, each in inputs.items() if name not in set_points]
        parameters += [_parameter(each, "figure of the controller") for each in runs.figures.values()]
        parameters += [_parameter(each, "parameter") for each in case.stepper.model.parameters if each.kind != "text"]
        periods = {name: [each.start, each.end] for name, each in case.evaluation.periods.items()}
        start = next((each[0] for each in periods.values()), 0.0)
        began = time.perf_counter()
        case.initialize(start, start + _STEPS * case.step)
        stepped = time.perf_counter()
        for _ in range(_STEPS):
            case.advance({})
        return {
            "testcase": True,
            "parameters": parameters,
            "variables": _records(case.measurements.values()),
            "shown": [] if plant is None else [name for name in plant.charted if name in case.measurements],
            "indicators": [{"name": name, **indicator._asdict()} for name, indicator in case.evaluation.about.items()],
            "controllers": sorted(suitable(inputs), key=lambda name: (name != usual, name)),
            "boundary": {name: point.unit for name, point in ahead.items()},
            "periods": periods,
            "start": start,
            "stop": start + 86400.0,
            "step": case.step,
            "beginning": stepped - began,
            "seconds": (time.perf_counter() - stepped) / _STEPS,
        }


def _of_fmu(file: Path, cache: Path) -> dict[str, Any]:
    from trivium.experiment.fmu import FmuSimulation

    def opened(start: float, step: float, count: int) -> FmuSimulation:
        return FmuSimulation(Conditions(str(file), str(cache), "", Horizon(start, step, count)))

    proposed = opened(0.0, 1.0, 1).description
    start = float(proposed.experiment.start or 0.0)
    stop = proposed.experiment.stop
    stop = float(stop) if stop is not None and stop > start else start + 1.0
    step = float(proposed.experiment.step or (stop - start) / 500)
    step = (stop - start) / max(1, round((stop - start) / step))
    simulation = opened(start, step, _STEPS)
    began = time.perf_counter()
    with contextlib.closing(simulation):
        table = np.empty((_STEPS + 1, 0))
        with contextlib.suppress(TriviumError):  # with its start values it may not run
            simulation._run({}, table)
        outputs = [each.variable for each in proposed.outputs if each.variable.kind != "text"]
        return {
            "testcase": False,
            "parameters": [_parameter(each, "parameter") for each in simulation.inputs if each.kind != "text"],
            "variables": _records(simulation.recordable.values()),
            "shown": [each.name for each in outputs][:8],
            "indicators": [],
            "controllers": [],
            "boundary": {},
            "periods": {},
            "start": start,
            "stop": stop,
            "step": step,
            "beginning": 0.0,
            "seconds": (time.perf_counter() - began) / _STEPS,
        }


def _parameter(variable: Variable, kind: str) -> dict[str, Any]:
    return {
        **_record(variable),
        "minimum": variable.minimum,
        "maximum": variable.maximum,
        "start": variable.start,
        "kind": kind,
    }


def _records(variables: Iterable[Variable]) -> list[dict[str, Any]]:
    return [_record(variable) for variable in variables]


def _record(variable: Variable) -> dict[str, Any]:
    return {"name": variable.name, "unit": variable.unit, "description": variable.description}
