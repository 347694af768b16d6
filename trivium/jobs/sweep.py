"""The kind ``sweep``: a study as `trivium sweep` runs it, on files of the server's own studies only."""

from __future__ import annotations

import contextlib
import traceback
from pathlib import Path
from typing import Annotated, Any

import orjson
from pydantic import Field, ValidationInfo, model_validator

from trivium.errors import InvalidValueError, ResourcesError
from trivium.extras import is_installed, missing
from trivium.jobs.kinds import Kind
from trivium.recorder import Outcome, Recorder
from trivium.settings import Settings
from trivium.study.spec import Study

if not is_installed("distributed", "h5py", "numba"):
    raise missing("The kind of job sweep", "sweep")

#: Most that the cache of runs holds [bytes].
_CACHE = 4 * 10**9
#: What of the results is no result.
_WORKING = (".lock", "-wal", "-shm", "-journal")


class Spec(Study):
    """A study, and the folder of TRIVIUM_STUDIES that its files are in: file names are relative to it."""

    folder: Annotated[str, Field(pattern=r"^\w[\w.-]*$")]

    @model_validator(mode="after")
    def _stays_inside(self, info: ValidationInfo[Settings]) -> Spec:
        place = (info.context.studies / self.folder).resolve()
        if not place.is_dir():
            raise ValueError(f"there is no folder {self.folder} of studies on this server")
        if self.paths.scratch_dir is not None:
            raise ValueError("paths.scratch_dir is the server's choice, and must be left out")
        if self.experiment is not None and not isinstance(self.experiment, Path):
            raise ValueError("experiment must be the name of a file of the folder that describes it")
        files = {
            "paths.package_path": self.paths.package_path,
            "simulation.inputs": None if self.simulation is None else self.simulation.inputs,
            "experiment": self.experiment,
        }
        named = [(field, path) for field, path in files.items() if path is not None]
        named += [(f"simulation_parameters.{field}", Path(name)) for field, name in self._files()]
        for field, path in named:
            if not (place / path).resolve().is_relative_to(place):
                raise ValueError(f"{field}: {path} is outside the folder {self.folder}")
        for field in ("paths.package_path", "experiment"):
            needed = files[field]
            if needed is not None and not (place / needed).exists():
                raise ValueError(f"{field}: there is no {needed} in the folder {self.folder}")
        return self

    def _files(self) -> list[tuple[str, str]]:
        """Return parameters and what they name as files."""
        files = [] if self.table is None else [("file", self.table.strip().removeprefix("file:"))]
        for name, values in self.simulation_parameters.items():
            for value in values if isinstance(values, list) else [values]:
                if isinstance(value, str) and value.strip().startswith("file:"):
                    text = value.strip().removeprefix("file:")
                    files += [(name, text), (name, text.rpartition(":")[0])]  # perhaps with a column
        return files

    def study(self, settings: Settings) -> dict[str, Any]:
        """Return the study of a server with whole file names, so that it may lie anywhere."""
        place = settings.studies / self.folder

        def absolute(value: Any) -> Any:
            if isinstance(value, list):
                return [absolute(item) for item in value]
            if isinstance(value, str) and value.strip().startswith("file:"):
                return f"file:{place / value.strip().removeprefix('file:')}"
            return value

        content = self.model_dump(mode="json", by_alias=True, exclude={"folder"}, exclude_none=True)
        if self.paths.package_path is not None:
            content["paths"]["package_path"] = str(place / self.paths.package_path)
        if isinstance(self.experiment, Path):
            content["experiment"] = str(place / self.experiment)
        if self.simulation is not None and self.simulation.inputs is not None:
            content["simulation"]["inputs"] = str(place / self.simulation.inputs)
        content["simulation_parameters"] = {name: absolute(value) for name, value in self.simulation_parameters.items()}
        if self.table is not None:
            content["simulation_parameters"]["file"] = str(place / self.table.strip().removeprefix("file:"))
        return content


def run(spec: Spec, recorder: Recorder, settings: Settings) -> Outcome:
    """Run a study, or what an earlier attempt left of it.

    Raises
    ------
    TriviumError
        As `trivium.study.study.run_study`.
    """
    from trivium.study.cache import Cache
    from trivium.study.drive import State
    from trivium.study.progress import describe
    from trivium.study.read import open_results
    from trivium.study.report import write_report
    from trivium.study.study import Where, run_study

    state_dir = settings.state_dir
    path, out = recorder.folder / "study.json", recorder.folder / "results"
    path.write_bytes(orjson.dumps(spec.study(settings), option=orjson.OPT_INDENT_2))

    def on_progress(state: State) -> None:
        counts = {"runs": state.total, "done": state.done, "failed": state.failed, "cached": state.cached}
        part = state.done / state.total if state.total else None
        recorder.progress(describe(state), part, **counts, rate=state.rate, eta=state.eta)

    def say(text: str) -> None:
        print(text, flush=True)  # noqa: T201, into the job's log

    with contextlib.closing(Cache(state_dir / "sweep" / "runs.sqlite", _CACHE)) as cache:
        state = run_study(path, out, Where(state_dir / "fmu", settings.scheduler or None), cache, on_progress, say)
    on_progress(state)
    try:
        with open_results(out) as results:
            write_report(results, out / "report.html", spec.folder)
    except Exception:  # the results are there, and are not to be lost for a page about them
        traceback.print_exc()
    made = sorted(file for file in out.rglob("*") if file.is_file() and not file.name.endswith(_WORKING))
    files = {"study.json": path} | {f"results/{file.relative_to(out)}": file for file in made}
    error = "all runs failed" if state.failed == state.total else None
    values = {"runs": state.total, "failed": state.failed, "cached": state.cached}
    return Outcome(files, values, "completed" if not state.failed else "completed with failed runs", error)


def check(spec: Spec, settings: Settings) -> None:
    """Check a study against its model, in a process of its own.

    Raises
    ------
    InvalidValueError
        Naming every field that does not fit the model.
    """
    from trivium.study.checking import check_apart

    try:
        check_apart(spec.study(settings), settings.studies / spec.folder, settings.state_dir / "fmu")
    except ResourcesError as error:
        raise InvalidValueError(f"Bad input for parameter paths.package_path. {error}", "paths.package_path") from error


_EXAMPLE = {
    "folder": "fuel_cycle",
    "paths": {"package_path": "FuelCycle.fmu"},
    "simulation": {"variableFilter": "sds.inventory", "stop_time": 240, "step_size": 1},
    "simulation_parameters": {"bz.TBR": [1.05, 1.1]},
}
KIND = Kind("Run a model many times with other parameters.", Spec, run, _EXAMPLE, check)
