"""The kind ``sweep``: a study as `trivium sweep` runs it, on files of the server's own studies only."""

from __future__ import annotations

import contextlib
import traceback
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationInfo, model_validator

from trivium import locations
from trivium.errors import InvalidValueError, ResourcesError
from trivium.extras import is_installed, missing
from trivium.jobs.kinds import Kind
from trivium.names import FolderName
from trivium.recorder import Outcome, Recorder
from trivium.session.catalogue import Catalogue
from trivium.settings import Settings
from trivium.study.spec import Study
from trivium.study.tricys import translate_document
from trivium.study.tricys_form import Analysis, Auditor
from trivium.suggestions import near_or_all

if not is_installed("distributed", "h5py", "numba"):
    raise missing("The kind of job sweep", "sweep")

#: Most that the cache of runs holds [bytes].
CACHE = 4 * 10**9
#: What of the results is no result.
_WORKING = (".lock", "-wal", "-shm", "-journal")
#: What makes several studies of one.
_SECTIONS = {"sensitivity_analysis", "auditor"}


class Spec(Study):
    """A study of a test case of the server, or of files in a folder of TRIVIUM_STUDIES: file names are relative to it.

    Test cases are those of ``GET /testcases``, and the shipped ones.
    """

    folder: FolderName | None = None
    sensitivity_analysis: Analysis | None = None
    auditor: Auditor | None = None

    @model_validator(mode="after")
    def _knows_the_test_case(self, info: ValidationInfo[Settings]) -> Spec:
        if self.testcase is not None:
            testcase_folder(self.testcase, info.context)
        return self

    @model_validator(mode="after")
    def _stays_inside(self, info: ValidationInfo[Settings]) -> Spec:
        place = self._place(info.context).resolve()
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
            "calibrate.data": None if self.calibrate is None else self.calibrate.data,
        }
        named = [(field, path) for field, path in files.items() if path is not None]
        named += [(f"simulation_parameters.{field}", Path(name)) for field, name in self._files()]
        if named and self.folder is None:
            raise ValueError(f"folder: names the folder of studies that {named[0][0]} is in")
        for field, path in named:
            if not (place / path).resolve().is_relative_to(place):
                raise ValueError(f"{field}: {path} is outside the folder {self.folder}")
        for case, document in self.studies(info.context).items():
            for name in _files_in(document.get("simulation_parameters", {})):
                if not Path(name).resolve().is_relative_to(place):
                    raise ValueError(f"sensitivity_analysis: a file of {case} is outside the folder {self.folder}")
        for field in ("paths.package_path", "experiment", "calibrate.data"):
            needed = files[field]
            if needed is not None and not (place / needed).exists():
                raise ValueError(f"{field}: there is no {needed} in the folder {self.folder}")
        return self

    @property
    def name(self) -> str:
        """What the study is called: its folder, or its test case."""
        return self.folder or str(self.testcase)

    def _place(self, settings: Settings) -> Path:
        """Return what file names are relative to."""
        return settings.studies / (self.folder or ".")

    def _files(self) -> list[tuple[str, str]]:
        """Return parameters and what they name as files."""
        files = [] if self.table is None else [("file", self.table.strip().removeprefix("file:"))]
        for name, values in self.simulation_parameters.items():
            for value in values if isinstance(values, list) else [values]:
                if isinstance(value, str) and value.strip().startswith("file:"):
                    text = value.strip().removeprefix("file:")
                    files += [(name, text), (name, text.rpartition(":")[0])]  # perhaps with a column
        return files

    def studies(self, settings: Settings) -> dict[str, dict[str, Any]]:
        """Return the studies of all cases, as `study`, by name; one without a name where there are no cases."""
        sections = self.model_dump(mode="json", by_alias=True, include=_SECTIONS, exclude_none=True)
        if not sections:
            return {"": self.study(settings)}
        translated = translate_document(self.study(settings) | sections, self._place(settings) / "study.json")
        return {} if translated is None else translated.studies

    def study(self, settings: Settings) -> dict[str, Any]:
        """Return the study of a server with whole file names, so that it may lie anywhere."""
        place = self._place(settings)

        def absolute(value: Any) -> Any:
            if isinstance(value, list):
                return [absolute(item) for item in value]
            if isinstance(value, str) and value.strip().startswith("file:"):
                return f"file:{place / value.strip().removeprefix('file:')}"
            return value

        content = self.model_dump(mode="json", by_alias=True, exclude={"folder", *_SECTIONS}, exclude_none=True)
        if self.paths.package_path is not None:
            content["paths"]["package_path"] = str(place / self.paths.package_path)
        if self.testcase is not None:
            del content["testcase"]
            content["paths"]["package_path"] = str(testcase_folder(self.testcase, settings))
        if isinstance(self.experiment, Path):
            content["experiment"] = str(place / self.experiment)
        if self.simulation is not None and self.simulation.inputs is not None:
            content["simulation"]["inputs"] = str(place / self.simulation.inputs)
        if self.calibrate is not None:
            content["calibrate"]["data"] = str(place / self.calibrate.data)
        content["simulation_parameters"] = {name: absolute(value) for name, value in self.simulation_parameters.items()}
        if self.table is not None:
            content["simulation_parameters"]["file"] = str(place / self.table.strip().removeprefix("file:"))
        return content


def testcase_folder(testcase: str, settings: Settings) -> Path:
    """Return where a test case of a server lies; its own names come before those of the shipped ones.

    Raises
    ------
    ValueError
        When it has none of that name, or a client uploaded it.
    """
    catalogue = Catalogue(settings)
    names = catalogue.names()
    if testcase not in names:
        if testcase in locations.TESTCASES:
            return locations.shipped_testcase(testcase)
        every = [*names, *locations.TESTCASES]
        raise ValueError(f"testcase: there is no test case {testcase} on this server.{near_or_all(testcase, every)}")
    path = catalogue.path(testcase)
    if catalogue.own_cache(path) is not None:
        raise ValueError(f"testcase: a client uploaded {testcase}; such FMUs run in sessions alone, which confine them")
    return path.absolute()


def _files_in(value: Any) -> list[str]:
    """Return the whole names of files that values of parameters name."""
    if isinstance(value, dict):
        table = value.get("file")
        names = [name for each in value.values() for name in _files_in(each)]
        return [*names, table] if isinstance(table, str) else names
    if isinstance(value, list):
        return [name for each in value for name in _files_in(each)]
    if isinstance(value, str) and value.startswith("file:"):
        text = value.removeprefix("file:")
        return [text, text.rpartition(":")[0] or text]  # perhaps with a column
    return []


def run(spec: Spec, recorder: Recorder, settings: Settings) -> Outcome:
    """Run a study or all its cases, or what an earlier attempt left of them.

    Raises
    ------
    TriviumError
        As `trivium.study.study.run_study`.
    """
    recorder.progress("Preparing the study", 0.0)
    from trivium.study.cache import Cache
    from trivium.study.drive import State
    from trivium.study.progress import describe
    from trivium.study.read import open_results
    from trivium.study.report import write_report
    from trivium.study.study import run_study
    from trivium.study.where import Where

    state_dir = settings.state_dir
    studies = spec.studies(settings)
    states: dict[str, State] = {}
    files: dict[str, Path] = {}

    def on_progress(state: State) -> None:
        ended = state.done + state.ahead
        counts = {"runs": state.total, "done": ended, "failed": state.failed, "cached": state.cached}
        share = ended / state.total if state.total else 0.0
        part = (len(states) + share) / len(studies)
        label = f"case {len(states) + 1} of {len(studies)}: " if len(studies) > 1 else ""
        recorder.progress(f"{label}{describe(state)}", part, **counts, rate=state.rate, eta=state.eta)

    def say(text: str) -> None:
        print(text, flush=True)  # noqa: T201, into the job's log
        recorder.progress(text[:1].upper() + text[1:])

    with contextlib.closing(Cache(state_dir / "sweep" / "runs.sqlite", CACHE)) as cache:
        for case, document in studies.items():
            path, out = recorder.folder / case / "study.json", recorder.folder / "results" / case
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
            state = run_study(path, out, Where.from_settings(settings), cache, on_progress, say)
            on_progress(state)
            states[case] = state
            files[str(path.relative_to(recorder.folder))] = path
            try:
                with open_results(out) as results:
                    write_report(results, out / "report.html", case or spec.name)
            except Exception:  # the results are there, and are not to be lost for a page about them
                traceback.print_exc()
    made = sorted((recorder.folder / "results").rglob("*"))
    made = [file for file in made if file.is_file() and not file.name.endswith(_WORKING)]
    files |= {str(file.relative_to(recorder.folder)): file for file in made}
    runs, failed = (sum(getattr(state, name) for state in states.values()) for name in ("total", "failed"))
    error = "all runs failed" if failed == runs else None
    values = {"runs": runs, "failed": failed, "cached": sum(state.cached for state in states.values())}
    return Outcome(files, values, "completed" if not failed else "completed with failed runs", error)


def prepare() -> None:
    """Import what `run` needs, and start the process that those of runs are forked from."""
    from trivium.experiment import preload  # noqa: F401
    from trivium.study import cache, report, study, where  # noqa: F401, for their imports

    where.warm_up()


def check(spec: Spec, settings: Settings) -> None:
    """Check a study against its model, in a process of its own.

    Raises
    ------
    InvalidValueError
        Naming every field that does not fit the model.
    """
    from trivium.study.checking import check_apart

    place = settings.studies / (spec.folder or ".")
    try:
        for document in spec.studies(settings).values():
            check_apart(document, place, settings.state_dir / "fmu", settings.job_runs)
    except ResourcesError as error:
        raise InvalidValueError(f"Bad input for parameter paths.package_path. {error}", "paths.package_path") from error


_EXAMPLE = {
    "folder": "fuel_cycle",
    "paths": {"package_path": "FuelCycle.fmu"},
    "simulation": {"variableFilter": "sds.inventory", "stop_time": 2400, "step_size": 1},
    "simulation_parameters": {"bz.TBR": [1.05, 1.1, 1.2], "plasma.Burn_Fraction": [0.02, 0.05, 0.1]},
    "metrics": {"start": {"variable": "sds.inventory", "method": "startup_inventory"}},
}
KIND = Kind("Run a model many times with other parameters.", Spec, run, _EXAMPLE, check, prepare)
