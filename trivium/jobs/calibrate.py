"""The kind ``calibrate``: the parameters of a model fitted to a file of the server, as `trivium calibrate` does it."""

from __future__ import annotations

import contextlib
import json

import orjson

from trivium.jobs import sweep
from trivium.jobs.kinds import Kind
from trivium.recorder import Outcome, Recorder
from trivium.settings import Settings
from trivium.study.search.goals import Calibrate


class Spec(sweep.Spec):
    """A study with what was measured, and the folder of TRIVIUM_STUDIES that its files are in."""

    calibrate: Calibrate


def run(spec: Spec, recorder: Recorder, settings: Settings) -> Outcome:
    """Calibrate, or go on where an earlier attempt was.

    Raises
    ------
    TriviumError
        As `trivium.study.study.run_study`.
    """
    from trivium.study.cache import Cache
    from trivium.study.drive import State
    from trivium.study.progress import describe
    from trivium.study.study import run_study
    from trivium.study.where import Where

    path, out = recorder.folder / "study.json", recorder.folder / "results"
    path.write_bytes(orjson.dumps(spec.study(settings), option=orjson.OPT_INDENT_2))

    def on_progress(state: State) -> None:
        counts = {"runs": state.total, "done": state.done, "failed": state.failed, "cached": state.cached}
        recorder.progress(describe(state), None, **counts, rate=state.rate)

    def say(text: str) -> None:
        print(text, flush=True)  # noqa: T201, into the job's log

    places = Where(settings.state_dir / "fmu", settings.scheduler or None)
    with contextlib.closing(Cache(settings.state_dir / "sweep" / "runs.sqlite", sweep.CACHE)) as cache:
        run_study(path, out, places, cache, on_progress, say)
    names = ("calibration.json", "fit.csv", "report.html")
    files = {"study.json": path} | {f"results/{name}": out / name for name in names}
    found = json.loads((out / "calibration.json").read_text(encoding="utf-8"))
    values = {each["name"]: each["value"] for each in found["parameters"]}
    return Outcome(files, values, found["message"], None)


def check(spec: Spec, settings: Settings) -> None:
    """Check a study against its model and its data.

    Raises
    ------
    InvalidValueError
        Naming every field that does not fit.
    """
    from trivium.study.search.data import read_data

    read_data(Calibrate.model_validate(spec.study(settings)["calibrate"]))
    sweep.check(spec, settings)


_EXAMPLE = {
    "folder": "fuel_cycle",
    "paths": {"package_path": "FuelCycle.fmu"},
    "simulation": {"stop_time": 2400, "step_size": 24},
    "simulation_parameters": {"bz.TBR": "range:1:1.5", "plasma.Burn_Fraction": "range:0.02:0.08"},
    "calibrate": {"data": "measured.csv", "measured": {"sds.inventory": {"column": "inventory", "deviation": 5}}},
}
KIND = Kind("Fit parameters of a model to what was measured.", Spec, run, _EXAMPLE, check)
