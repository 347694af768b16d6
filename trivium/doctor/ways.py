"""The checks of what extras bring: sweep, converge, dashboard, Gymnasium, OG-CLEWS."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trivium import locations
from trivium.doctor.check import Check
from trivium.errors import ModelError
from trivium.extras import is_installed, missing, require

if TYPE_CHECKING:
    from trivium.settings import Settings

#: Runs of the study that is tried, and its length in the units of the fuel cycle's time.
_RUNS, _LENGTH = 2, 10.0
#: Two components, y = x / 2 and x = y + 1; together x = 2.
_CASE = {
    "components": {
        "half": {
            "kind": "python",
            "callable": "trial:half",
            "process": False,
            "inputs": {"x": {"initial": 0.0}},
            "outputs": {"y": {}},
        },
        "next": {
            "kind": "python",
            "callable": "trial:successor",
            "process": False,
            "inputs": {"y": {}},
            "outputs": {"x": {}},
        },
    },
    "connections": [{"from": "half.y", "to": "next.y"}, {"from": "next.x", "to": "half.x"}],
    "tolerance": 1e-9,
}
_FUNCTIONS = """\
def half(inputs, options):
    return {"y": inputs["x"] / 2}


def successor(inputs, options):
    return {"x": inputs["y"] + 1}
"""


def sweep(settings: Settings, folder: Path) -> Iterator[Check]:
    """Run two runs of a small study on a worker process."""
    for module in ("distributed", "h5py", "numba"):
        require(module, "sweep")
    from trivium.engine import Engine
    from trivium.study.drive import Drive
    from trivium.study.opening import open_store
    from trivium.study.prepare import prepare
    from trivium.study.spec import load_study

    began = time.monotonic()
    path = folder / "study.json"
    content = {
        "paths": {"package_path": str(locations.examples() / "fuel_cycle" / "FuelCycle.fmu")},
        "simulation": {"stop_time": _LENGTH, "step_size": 1, "variableFilter": "sds.inventory"},
        "simulation_parameters": {"bz.TBR": [1.05, 1.2]},
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    study = load_study(path)
    plan, job = prepare(study, folder, settings.state_dir / "fmu")
    with contextlib.closing(open_store(folder / "sweep", plan, job, study)) as store:
        drive = Drive(plan, job, store, None, lambda _: None)
        # a new instance for each run: to find out whether one can be reused takes longer than all else
        state = drive.run(lambda: (Engine(settings.scheduler or None, 1, wait=settings.scheduler_wait), "fresh"), None)
    if (state.done, state.failed) != (_RUNS, 0):
        raise ModelError(f"{state.failed} of {_RUNS} runs of a small study failed")
    at = f"the scheduler {settings.scheduler}" if settings.scheduler else "a worker process"
    yield Check("sweep", "ready", f"{_RUNS} runs of a small study on {at} in {time.monotonic() - began:.1f} s")


def converge(settings: Settings, folder: Path) -> Iterator[Check]:
    """Converge two small components."""
    for module in ("matplotlib", "pint", "plotly"):
        require(module, "coupling")
    from trivium.coupling.run import run_case
    from trivium.coupling.spec import load_case

    (folder / "trial.py").write_text(_FUNCTIONS, encoding="utf-8")
    (folder / "case.json").write_text(json.dumps(_CASE), encoding="utf-8")
    _, result, _ = run_case(load_case(folder), folder, folder / "converge", settings, cached=False)
    x = float(result.evaluations["next"].outputs["x"]) if result.converged else float("nan")
    if not abs(x - 2.0) < 1e-6:
        raise ModelError(f"two small components did not converge to 2: {result.ending}, {x:g}")
    yield Check("converge", "ready", f"two small components converged in {len(result.iterations)} iterations")


def dashboard(_: Settings, __: Path) -> Iterator[Check]:
    """Import the pages."""
    require("dash", "dashboard")
    importlib.import_module("trivium.dashboard.site")
    yield Check("dashboard", "ready", f"Dash {importlib.metadata.version('dash')}")


def gym(_: Settings, __: Path) -> Iterator[Check]:
    """Register the environment of Gymnasium."""
    gymnasium = require("gymnasium", "gym")
    registered = gymnasium.spec(importlib.import_module("trivium.gym").ENV_ID)
    yield Check("gym", "ready", f"{registered.id} with Gymnasium {importlib.metadata.version('gymnasium')}")


def ogclews(_: Settings, __: Path) -> Iterator[Check]:
    """Look for OG-Core, whose import takes many seconds, and import the other packages."""
    if not is_installed("ogcore"):
        raise missing("ogcore", "ogclews")
    for module in ("highspy", "tz.osemosys"):
        require(module, "ogclews")
    versions = (f"{name} {importlib.metadata.version(name)}" for name in ("ogcore", "tz-osemosys", "highspy"))
    yield Check("ogclews", "ready", ", ".join(versions))


#: The checks by what they try.
WAYS: Mapping[str, Callable[[Settings, Path], Iterator[Check]]] = {
    "sweep": sweep,
    "converge": converge,
    "dashboard": dashboard,
    "gym": gym,
    "ogclews": ogclews,
}
