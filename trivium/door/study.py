"""A study as an object of Python: a model, values of its parameters, and what is measured."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import ValidationError

from trivium.arguments import by_name
from trivium.document import wrong_fields
from trivium.door.experiment import describe, name_of
from trivium.door.model_path import ModelName, model_path, state_dir
from trivium.door.search import Read, Searching
from trivium.door.simulate import proposed_step
from trivium.errors import InvalidValueError
from trivium.model.fmu.description import read_fmu
from trivium.numbers import parse_number
from trivium.scratch import Scratch
from trivium.session.local import open_testcase
from trivium.settings import Settings
from trivium.simulation.embedded import is_testcase
from trivium.simulation.resources import Resources
from trivium.study import spec
from trivium.study.cache import Cache
from trivium.study.drive import State
from trivium.study.plan import Plan
from trivium.study.prepare import prepare
from trivium.study.process import run_apart
from trivium.study.progress import Progress
from trivium.study.read import SweepResults, open_results
from trivium.study.study import run_study
from trivium.study.where import Where
from trivium.suggestions import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

#: What a metric may be: the variable and the method, a threshold behind them where the method needs one.
Metric = tuple[str, str] | tuple[str, str, float] | Mapping[str, Any]
#: Most that the cache of runs holds [bytes].
_CACHE = 4_000_000_000
#: What the fields of a study's JSON are called here, where the names differ.
_NAMES = {
    "simulation_parameters.": "parameters.",
    "simulation.step_size": "step",
    "simulation: step_size": "step",
    "simulation: ": "",
    "simulation.variableFilter": "outputs",
    "simulation.interpolate_inputs": "interpolate",
    "simulation.": "",
    "sampling.method": "sampling",
    "sampling.": "",
    "find.": "",
    "find: ": "",
    "calibrate.": "",
    "calibrate: ": "",
    "optimize.": "",
    "optimize: ": "",
}


class Study(Searching):
    """An experiment that is run many times with other parameters: a model, a function or a coupled case.

    Everything is checked when the study is made. `run` uses a process a core, this process alone, or a Dask cluster,
    and may be called from a script, a notebook or a thread.

    Parameters
    ----------
    model : str or path or callable
        An FMU, the folder of a test case, or ``"cooling"``; a function, which takes its inputs by name and returns its
        outputs in a dictionary; or a coupled case, a ``.json`` file or a folder with a ``case.json``. Of the last two
        the outputs are the metrics, and what belongs to a simulation, from `stop_time` to `controller`, is left out.
    parameters : Mapping[str, sequence of float or float or str]
        Parameters, start values and inputs by name, with their values, or an expression as ``"linspace:0:1:11"``;
        docs/sweep.md lists the expressions. An input has its value over the whole run.
    stop_time : float, optional
        [s]; a model needs it.
    step : float, optional
        Time between two output points [s]; default: as the model proposes, fitted to the duration.
    communication_step : float, optional
        What the model takes at a time [s]; divides `step` into whole parts. Default: `step`.
    start_time : float
        [s]
    start_values : Mapping[str, float], optional
        What is the same in all runs.
    inputs : DataFrame, optional
        Inputs that follow a table, the same in all runs: indexed by time [s] or with a column ``time``; for FMUs.
    interpolate : bool
        Whether real inputs follow straight lines between rows of the table, or hold.
    metrics : Mapping[str, tuple], optional
        Numbers that a run is reduced to, as ``{"peak": ("x", "max"), "late": ("x", "time_above", 2.0)}``; docs/sweep.md
        lists the methods. Default: the final value of every output of an FMU, the key performance indicators of a test
        case.
    outputs : sequence of str, optional
        Variables whose trajectories are kept; default: none.
    sampling : {"grid", "zip", "latin_hypercube", "sobol", "saltelli", "morris", "fast"}
        How values make runs.
    runs, seed : int, optional
        Number of runs and seed of the random samplings.
    groups : Mapping[str, sequence of str], optional
        Parameters that ``saltelli`` and ``morris`` vary together, by the name of their group.
    controller : str
        What drives the inputs of a test case: ``hold``, ``rules``, ``look-ahead``.
    time_limit : float
        Longest time of one run [s].

    Raises
    ------
    InvalidValueError
        Naming each argument that is wrong.
    ResourcesError
        When the model cannot be used.

    Examples
    --------
    >>> import trivium
    >>> study = trivium.Study(
    ...     "FuelCycle.fmu",
    ...     {"bz.TBR": [1.05, 1.15]},
    ...     stop_time=1000,
    ...     metrics={"inventory": ("sds.inventory", "final")},
    ... )
    >>> study
    Study(FuelCycle.fmu: 2 runs over bz.TBR)
    >>> study.run(workers=0).frame()
         bz.TBR    inventory
    run
    0      1.05  2131.971599
    1      1.15  2965.089061
    """

    def __init__(
        self,
        model: ModelName | Callable[..., Mapping[str, Any]],
        parameters: Mapping[str, Any],
        *,
        stop_time: float | None = None,
        step: float | None = None,
        communication_step: float | None = None,
        start_time: float = 0.0,
        start_values: Mapping[str, float] | None = None,
        inputs: pd.DataFrame | None = None,
        interpolate: bool = False,
        metrics: Mapping[str, Metric] | None = None,
        outputs: Sequence[str] | None = None,
        sampling: Literal["grid", "zip", "latin_hypercube", "sobol", "saltelli", "morris", "fast"] = "grid",
        runs: int | None = None,
        seed: int = 0,
        groups: Mapping[str, Sequence[str]] | None = None,
        controller: str = "hold",
        time_limit: float = 3600.0,
    ) -> None:
        scratch = Scratch()
        self._folder, self._unpacked = scratch.path, state_dir() / "fmu"
        self._finalizer = weakref.finalize(self, scratch.close)
        content: dict[str, Any] = {
            "simulation_parameters": {
                name: _plain(values) for name, values in by_name(parameters, "parameters", '{"g": [9.8, 1.6]}').items()
            },
            "sampling": {"method": sampling, "runs": runs, "seed": seed, "groups": _grouped(groups)},
            "output": {"trajectories": bool(outputs)},
        }
        description = describe(model, content["simulation_parameters"], time_limit)
        if description is not None:
            simulated = {
                "stop_time": stop_time, "step": step, "communication_step": communication_step,
                "start_values": start_values, "inputs": inputs,
                "metrics": metrics, "outputs": outputs,
            }  # fmt: skip
            for name, value in simulated.items():
                if value is not None:
                    raise InvalidValueError(f"{name} belongs to the simulation of a model; leave it out.", name)
            self._name, content["experiment"] = name_of(model), description
        else:
            path = model_path(model)  # type: ignore[arg-type]  # no function
            self._name = path.name
            start, stop = parse_number(start_time, "start_time"), parse_number(stop_time, "stop_time")
            if not stop > start:
                raise InvalidValueError(f"stop_time {stop:g} s must be after start_time {start:g} s.", "stop_time")
            length, names, method = self._proposed(path, stop - start)
            content["paths"] = {"package_path": str(path)}
            content["simulation"] = {
                "variableFilter": "|".join(map(re.escape, _listed(outputs, "outputs"))) if outputs else ".*",
                "start_time": start,
                "stop_time": stop,
                "step_size": length if step is None else _plain(step),
                "communication_step": _plain(communication_step),
                "start_values": {
                    name: _plain(value) for name, value in by_name(start_values, "start_values", '{"g": 9.8}').items()
                },
                "inputs": None if inputs is None else str(self._write_inputs(inputs)),
                "interpolate_inputs": interpolate,
                "controller": controller,
                "time_limit": time_limit,
            }
            chosen = by_name(metrics, "metrics", '{"peak": ("x", "max")}').items()
            content["metrics"] = {name: _metric(name, metric) for name, metric in chosen}
            if metrics is None:
                content["metrics"] = {name: {"variable": name, "method": method} for name in names}
        self._content, self._outputs = content, _listed(outputs, "outputs") if outputs else []
        self.spec, self._plan = self._checked(content)
        self._file = self._written(self.spec, "study.json")

    def __len__(self) -> int:
        return self._plan.count

    def __repr__(self) -> str:
        runs = f"{len(self)} run{'s' if len(self) != 1 else ''}"
        return f"Study({self._name}: {runs} over {', '.join(self.spec.simulation_parameters) or 'nothing'})"

    def run(
        self,
        workers: int | None = None,
        scheduler: str | None = None,
        *,
        folder: str | os.PathLike[str] | None = None,
        cache: bool = True,
        progress: bool = False,
    ) -> SweepResults:
        """Run the study, or what is missing of it.

        Parameters
        ----------
        workers : int, optional
            Processes of this machine; default: one a core. With 0 the runs are simulated in this process, one after the
            other and without a limit of time; an FMU that crashes takes it along.
        scheduler : str, optional
            Address of a Dask scheduler, as ``tcp://host:8786``; takes the place of processes of this machine. Default:
            that of the settings, if there is one.
        folder : str or path, optional
            Where results are kept; the same study goes on there from what it has. Default: a temporary folder, which
            is removed with the results.
        cache : bool
            Whether runs that were simulated before, in any study, are taken from the cache, and new ones kept there.
        progress : bool
            Whether lines on stderr say how far the study is.

        Returns
        -------
        SweepResults
            ``frame()`` has a row for each run that is done; ``failures`` says why others failed.

        Raises
        ------
        InvalidValueError
            When the number of workers is negative, or the folder is a file.
        EngineError
            When the scheduler cannot be reached or the processes are lost; with a folder, the same call goes on.
        ConflictError
            When the folder holds something else.
        """
        return self._evaluate(
            self._file, workers, scheduler, folder=folder, cache=cache, progress=progress, read=open_results
        )

    def _evaluate(
        self,
        file: Path,
        workers: int | None,
        scheduler: str | None,
        *,
        folder: str | os.PathLike[str] | None,
        cache: bool,
        progress: bool,
        read: Callable[[Path], Read],
    ) -> Read:
        if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 0):
            raise InvalidValueError(
                f"workers must be 0, for this process, or a number of processes, not {workers!r}.", "workers"
            )
        if workers == 0 and scheduler:
            raise InvalidValueError("scheduler and workers=0 exclude each other.", "workers")
        if folder is not None:
            _check_folder(folder)
        scratch = Scratch() if folder is None else None
        out = scratch.path if scratch is not None else Path(folder or "").absolute()
        settings = Settings()
        address = None if workers == 0 else scheduler or settings.scheduler or None
        places = Where(self._unpacked, address, workers, settings.scheduler_wait)
        shown = Progress(sys.stderr) if progress else None
        try:
            self._run(file, out, places, state_dir() / "sweep" / "runs.sqlite" if cache else None, shown)
            results = read(out)
        except BaseException:
            if scratch is not None:
                scratch.close()
            raise
        if scratch is not None:
            weakref.finalize(results, scratch.close)
        return results

    def _write(self, content: Mapping[str, Any], name: str) -> Path:
        study, _ = self._checked(content)
        return self._written(study, name)

    def _written(self, study: spec.Study, name: str) -> Path:
        path = self._folder / name
        path.write_text(study.model_dump_json(by_alias=True, exclude_unset=True), encoding="utf-8")
        return path

    def _run(self, file: Path, out: Path, places: Where, cache: Path | None, shown: Progress | None) -> None:
        def on_progress(state: State) -> None:
            if shown is not None:
                shown(state)

        def say(text: str) -> None:
            if shown is not None:
                shown.say(text)

        if places.workers != 0:
            run_apart(file, out, places, None if cache is None else (cache, _CACHE), on_progress, say)
            return
        with contextlib.ExitStack() as stack:
            opened = None if cache is None else stack.enter_context(contextlib.closing(Cache(cache, _CACHE)))
            run_study(file, out, places, opened, on_progress, say)

    def _proposed(self, path: Path, duration: float) -> tuple[float, list[str], str]:
        """Return a step that divides the duration [s], and what is measured by default: names and the method."""
        if is_testcase(path):
            files = Resources.load(path)
            with contextlib.closing(open_testcase(path, self._unpacked)) as case:
                names = list(case.kpi_points)
                return float(files.step or case.step), names, "kpi"
        description = read_fmu(path, self._unpacked)
        step = proposed_step(description, duration)
        return duration / max(1, round(duration / step)), [v.variable.name for v in description.outputs], "final"

    def _write_inputs(self, inputs: Any) -> Path:
        if not hasattr(inputs, "columns"):
            raise InvalidValueError(f"inputs must be a pandas.DataFrame, not {type(inputs).__name__}.", "inputs")
        frame = inputs if "time" in inputs.columns else inputs.rename_axis("time").reset_index()
        path = self._folder / "inputs.csv"
        frame.to_csv(path, index=False)
        return path

    def _checked(self, content: Mapping[str, Any]) -> tuple[spec.Study, Plan]:
        try:
            study = spec.Study.model_validate(content)
        except ValidationError as error:
            lines = [f"{field}: {reason}" for field, reason in wrong_fields(error, spec.Study)]
            message = _renamed("\n".join(lines))
            raise InvalidValueError(message, message.partition(":")[0]) from error
        with _argument_names():
            plan, job = prepare(study, Path.cwd(), self._unpacked)
            for name in self._outputs:
                if name not in job.kept:
                    reason = f"outputs: {self._name} has no variable {name}.{did_you_mean(name, job.kept)}"
                    raise InvalidValueError(reason, "outputs")
        return study, plan


@contextlib.contextmanager
def _argument_names() -> Any:
    """Let refusals name the arguments of `Study`, not the fields of a study's file."""
    try:
        yield
    except InvalidValueError as error:
        raise InvalidValueError(_renamed(str(error)), _renamed(error.field)) from error


def _renamed(text: str) -> str:
    for field, argument in _NAMES.items():
        text = text.replace(field, argument)
    return text


def _check_folder(folder: Any) -> None:
    if not isinstance(folder, str | os.PathLike):
        raise InvalidValueError(f"folder must be the path of a folder, not {folder!r:.100}.", "folder")
    path = Path(folder).absolute()
    file = next((place for place in (path, *path.parents) if place.exists() and not place.is_dir()), None)
    if file is not None:
        raise InvalidValueError(f"folder must be a folder for the results, and {file} is a file.", "folder")


def _metric(name: str, metric: Any) -> Any:
    if isinstance(metric, Mapping):
        return dict(metric)
    if isinstance(metric, Sequence) and not isinstance(metric, str) and 2 <= len(metric) <= 3:
        return dict(zip(("variable", "method", "threshold"), map(_plain, metric), strict=False))
    raise InvalidValueError(
        f'metrics.{name} must be a variable and a method, as ("x", "final"), not {metric!r}.', "metrics"
    )


def _plain(value: Any) -> Any:
    """Return numbers and arrays of NumPy, series and ranges as JSON holds them."""
    if isinstance(value, np.generic | np.ndarray) or hasattr(value, "to_list"):
        return np.asarray(value).tolist()
    return list(value) if isinstance(value, range | tuple) else value


def _grouped(groups: Mapping[str, Sequence[str]] | None) -> dict[str, list[str]]:
    members = by_name(groups, "groups", '{"blanket": ["bz.TBR", "bz.T"]}')
    return {name: _listed(each, f"groups.{name}") for name, each in members.items()}


def _listed(names: Sequence[str], field: str) -> list[str]:
    if isinstance(names, str):
        raise InvalidValueError(f"{field} must be a list of names: [{names!r}].", field)
    return list(names)
