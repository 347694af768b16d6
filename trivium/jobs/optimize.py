"""The kind ``optimize``: a study that makes metrics least or greatest, as `trivium optimize` runs it."""

from __future__ import annotations

from trivium.extras import is_installed, missing
from trivium.jobs import sweep
from trivium.jobs.kinds import Kind
from trivium.study.search.goals import Optimize

if not is_installed("optuna", "cmaes"):
    raise missing("The kind of job optimize", "optimize")


class Spec(sweep.Spec):
    """A study with an objective, and the folder of TRIVIUM_STUDIES that its files are in."""

    optimize: Optimize


_EXAMPLE = {
    "folder": "fuel_cycle",
    "paths": {"package_path": "FuelCycle.fmu"},
    "simulation": {"stop_time": 240, "step_size": 1},
    "simulation_parameters": {"bz.TBR": "range:1.05:1.2", "tep.DIR": "range:0:0.9"},
    "metrics": {"inventory": {"variable": "sds.inventory", "method": "final"}},
    "output": {"trajectories": False},
    "optimize": {"maximize": ["inventory"], "runs": 20},
}
KIND = Kind("Choose parameters that make metrics of a model least or greatest.", Spec, sweep.run, _EXAMPLE, sweep.check)
