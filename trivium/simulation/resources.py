"""A test case on disk: an FMU, alone or in a Resources folder with further files.

Only the FMU is needed. ``testcase.toml`` is optional; every key has a default, and the names of files are those of
AlphaDataCenterCooling::

    name = "AlphaDataCenterCooling_Gym"   # default: the name of the FMU's file
    step = 300                # control step at the start [s]; default: see below
    end_time = 30099300       # latest end of a simulation [s]; default: none
    epoch = 2020-04-01T00:00:00-05:00   # the date of time 0, for calendars of charts and sheets; default: none
    time_zone = "America/New_York"      # in which dates are shown; default: the offset of epoch, else UTC

    [files]                   # "" where a file shall not be used although it is there
    fmu = "AlphaDataCenterCooling_FMU.fmu"                  # or the only FMU of the folder
    disturbances = "Disturbance.csv"
    initialization_actions = "Initialization_actions.npz"   # or .csv; the first that exists
    initialization_observation = "Initialization_observation0.csv"
    signals = "Signals.csv"                                 # prices and emissions, see `trivium.evaluation.scenario`
    version = "version.txt"
                              # and those that plants read: `trivium.simulation.plant.Plant.files`

    [boundary]
    file = "inputs.csv"       # another name for files.disturbances
    interpolation = "hold"    # hold or linear
    period = 31536000         # after so long [s] forecasts begin the data anew; default: they end with it

    [results]
    interval = 30             # between rows inside control steps [s]; inf for none; default: see below

    [fmu]
    tolerance = 1e-4          # relative tolerance; default: what the FMU recommends
    absolute_tolerance = 1e-6 # of Model Exchange, times the nominal values; default: as the engine chooses
    engine = "auto"           # auto, fmpy, pyfmi, assimulo or one that another package brings
    interface = "cs"          # cs (co-simulation) or me (Model Exchange); default: cs where the FMU offers it
    solver = "Radau5ODE"      # of Model Exchange with assimulo: Radau5ODE, CVode or LSODAR
    restart = false           # Model Exchange with pyfmi: a new simulation every step, as the reference does
    state = "auto"            # auto, restore or replay: how the model is brought back to a moment
    isolate = false           # a process of its own for each initialization; default: where the FMU needs one
    [fmu.structural]          # structural parameters of FMI 3.0 that give sizes of arrays
    n = 5

    [start_values]            # parameters and start values that every simulation has unless it is asked for others
    tau = 4.0

    [measurements]
    variables = "pump[.].*"   # measured beside the outputs: a regular expression over whole names

    [results]
    variables = ".*"          # recorded beside the measurements; default: see `trivium.model.fmu.recording`

    [kpi]                     # see `trivium.evaluation.kpi`
    [alarms.name]             # see `trivium.evaluation.alarm_limits`
    [scenario]                # see `trivium.evaluation.scenario`

An FMU that holds a test case of BOPTEST (`trivium.simulation.embedded`) needs none of it: name, step, start, indicators
and scenarios are those of the FMU where ``testcase.toml`` has none.

A plant may recognize its test cases by some of their files (`trivium.simulation.plant.Folder`): such a folder needs all
files that the plant lists, and its name and latest end default to the plant's. The step defaults to the grid of the
initialization, else to what the FMU proposes, else to the interval of the boundary data, else to 1 s. The interval of
the results defaults to 30 s for a test case of BOPTEST, else to the step; a control step that would then have more than
a hundred parts has longer ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from trivium import __version__
from trivium.entry_points import Registry
from trivium.errors import InvalidValueError, ResourcesError
from trivium.model.fmu.fmu_model import SOLVERS
from trivium.simulation.calendar import Calendar, read_calendar
from trivium.simulation.declared import (
    check_names,
    end_time,
    interval,
    one_of,
    pattern,
    positive,
    read_toml,
    structural,
    table_of,
)
from trivium.simulation.embedded import EmbeddedCase, read_embedded_case
from trivium.simulation.plant import plants
from trivium.simulation.times import check_step

#: Version of a test case that has none; one inside an FMU has that of the program, as in BOPTEST.
_UNKNOWN = "unknown"

_FILES: Mapping[str, tuple[str, ...]] = {
    "fmu": ("AlphaDataCenterCooling_FMU.fmu",),
    "disturbances": ("Disturbance.csv",),
    "initialization_actions": ("Initialization_actions.npz", "Initialization_actions.csv"),
    "initialization_observation": ("Initialization_observation0.csv",),
    "signals": ("Signals.csv",),
    "version": ("version.txt",),
}
#: What runs FMUs; besides these names a test case may have ``auto``.
ENGINES: Registry[object] = Registry("trivium.engines")
INTERFACES = ("cs", "me")
_TABLES = frozenset(
    {"files", "boundary", "fmu", "measurements", "results", "kpi", "scenario", "alarms", "start_values"}
)
_RUN = frozenset({"tolerance", "absolute_tolerance", "engine", "interface", "restart", "solver", "structural"})
#: How a model is brought back to a moment: as its FMU can, by restoring its state, by simulating its steps again.
STATES = ("auto", "restore", "replay")


@dataclass(frozen=True)
class Resources:
    """The files of a test case.

    Attributes
    ----------
    name, version : str
        What ``/name`` and ``/version`` answer.
    step : float or None
        Control step at the start [s]; None for what the FMU or the boundary data proposes.
    end_time : float or None
        Latest end of a simulation [s]; None for none.
    fmu : Path
    disturbances : Path or None
        Boundary data; None where all inputs are given by clients.
    initialization_actions, initialization_observation : Path or None
        See `trivium.simulation.start`.
    plant_files : Mapping[str, Path]
        Files that only a plant reads, by their keys; see `trivium.simulation.plant.Plant`.
    tolerance : float or None
        Relative tolerance of the FMU; None for what the FMU recommends.
    absolute_tolerance : float or None
        Absolute tolerance of the solver of Model Exchange, as a share of the states' nominal values [1]; None for what
        the engine chooses.
    engine : str
        What runs the FMU; see `trivium.model.fmu.registry`.
    interface : str or None
        ``cs`` or ``me``; None for co-simulation where the FMU offers it.
    restart : bool
        Whether Model Exchange is simulated anew at every step.
    state : str
        One of `STATES`.
    isolate : bool or None
        Whether each initialization gets a process of its own; None for what the FMU needs.
    solver : str or None
        Solver of Model Exchange with the engine ``assimulo``; None for its default.
    linear : bool
        Whether boundary data is interpolated; otherwise values hold.
    results_interval : float or None
        Between rows inside control steps [s], besides those of the boundary data; infinite for none, None for `step`.
    period : float or None
        After which forecasts begin the data anew [s]; None where they end with it.
    signals : Path or None
        Prices and emissions; None where the test case has none.
    kpi, scenario, alarms : Mapping
        The tables of that name, checked by whom they are for.
    case : EmbeddedCase or None
        What the FMU holds of a test case.
    measured, recorded : str or None
        Regular expressions over names of variables that are measured, or recorded, beside the outputs; None for what
        `trivium.model.fmu.recording` chooses.
    structural : tuple of (str, int)
        Structural parameters of the FMU that give sizes of arrays.
    start_values : tuple of (str, float or str)
        Parameters and start values of the model, besides those that an initialization is asked for.
    alone : bool
        Whether this is an FMU that is no test case.
    calendar : Calendar or None
        Dates of its times; None where it declares none. No result depends on it.
    """

    name: str
    version: str
    step: float | None
    end_time: float | None
    fmu: Path
    disturbances: Path | None = None
    initialization_actions: Path | None = None
    initialization_observation: Path | None = None
    tolerance: float | None = None
    engine: str = "auto"
    interface: str | None = None
    restart: bool = False
    state: str = "auto"
    isolate: bool | None = None
    solver: str | None = None
    linear: bool = False
    results_interval: float | None = None
    period: float | None = None
    absolute_tolerance: float | None = None
    signals: Path | None = None
    plant_files: Mapping[str, Path] = field(default_factory=dict, hash=False)
    kpi: Mapping[str, Any] = field(default_factory=dict, hash=False)
    scenario: Mapping[str, Any] = field(default_factory=dict, hash=False)
    alarms: Mapping[str, Any] = field(default_factory=dict, hash=False)
    case: EmbeddedCase | None = None
    measured: str | None = None
    recorded: str | None = None
    structural: tuple[tuple[str, int], ...] = ()
    start_values: tuple[tuple[str, float | str], ...] = ()
    alone: bool = False
    calendar: Calendar | None = None

    @property
    def start_time(self) -> float | None:
        """Where a new session stands [s]; None for the beginning of the boundary data."""
        return None if self.case is None else self.case.start_time

    @property
    def warmup_period(self) -> float:
        """How long before that its simulation begins [s]."""
        return 0.0 if self.case is None else self.case.warmup_period

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that results depend on: the content of the files and how the FMU is run; read once.

        How the model is brought back to a moment is no part of it, so that a session goes on when that is changed.
        """
        digest = hashlib.sha256()
        for name in (*sorted(_RUN), "linear", "results_interval", "start_values"):
            digest.update(f"{name}={getattr(self, name)!r}\n".encode())
        for name, path in self.paths.items():
            digest.update(f"{name}=".encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()

    @property
    def begins_on_grid(self) -> bool:
        """Whether simulations begin with an observation or after actions, at intervals of the boundary data."""
        return self.initialization_actions is not None or self.initialization_observation is not None

    @property
    def paths(self) -> dict[str, Path]:
        """All files by key."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**{name: value for name, value in values.items() if isinstance(value, Path)}, **self.plant_files}

    @classmethod
    def load(cls, path: Path) -> Resources:
        """Find the files of a test case.

        Parameters
        ----------
        path : Path
            A Resources folder, or an FMU alone.

        Raises
        ------
        ResourcesError
            Naming the file that is missing or the key that is wrong.
        """
        path = path.absolute()
        if path.is_file():
            case = read_embedded_case(path)
            return cls(
                name=path.stem if case is None else case.name or path.stem,
                version=_UNKNOWN if case is None else __version__,
                step=None if case is None else case.step,
                end_time=None,
                fmu=path,
                tolerance=None if case is None else case.tolerance,
                kpi={} if case is None else _kpi(case),
                scenario={} if case is None else _scenario(case),
                case=case,
                alone=case is None,
            )
        if not path.is_dir():
            raise ResourcesError(f"the Resources folder {path} does not exist")
        toml = read_toml(path / "testcase.toml")
        named, boundary, fmu = dict(table_of(toml, "files")), table_of(toml, "boundary"), table_of(toml, "fmu")
        results = table_of(toml, "results")
        check_names(toml, _TABLES | {"name", "step", "end_time", "epoch", "time_zone"}, "")
        keys = {key: names for plant in plants() for key, names in plant.files.items()}
        check_names(named, {*_FILES, *keys}, "files.")
        check_names(boundary, {"file", "interpolation", "period"}, "boundary.")
        check_names(results, {"interval", "variables"}, "results.")
        check_names(table_of(toml, "measurements"), {"variables"}, "measurements.")
        check_names(fmu, _RUN | {"state", "isolate"}, "fmu.")
        if "file" in boundary:
            if "disturbances" in named:
                raise ResourcesError("testcase.toml: boundary.file and files.disturbances are two names of one thing")
            named["disturbances"] = boundary["file"]
        files = {key: _find(path, key, names, named) for key, names in {**_FILES, **keys}.items()}
        folders = [plant.folder for plant in plants() if plant.folder is not None]
        folder = next((each for each in folders if any(files[key] for key in each.marks)), None)
        for key in folder.needs if folder is not None else ():
            _require(path, key, files[key], {**_FILES, **keys}[key][0], named)
        model = files["fmu"] or _only_fmu(path)
        case = read_embedded_case(model)
        default = model.stem if case is None else case.name or model.stem
        step, unknown = (None, _UNKNOWN) if case is None else (case.step, __version__)
        try:
            return cls(
                name=str(toml.get("name", folder.name if folder is not None else default)),
                version=unknown if files["version"] is None else files["version"].read_text(encoding="utf-8").strip(),
                step=check_step(toml["step"]) if "step" in toml else step,
                end_time=end_time(toml, folder.end_time if folder is not None else None),
                fmu=model,
                disturbances=files["disturbances"],
                initialization_actions=files["initialization_actions"],
                initialization_observation=files["initialization_observation"],
                tolerance=positive(fmu, "fmu.tolerance") or (None if case is None else case.tolerance),
                absolute_tolerance=positive(fmu, "fmu.absolute_tolerance"),
                engine=one_of(fmu, "fmu.engine", ("auto", *ENGINES.names())) or "auto",
                interface=one_of(fmu, "fmu.interface", INTERFACES),
                restart=one_of(fmu, "fmu.restart", (False, True)) or False,
                state=one_of(fmu, "fmu.state", STATES) or "auto",
                isolate=one_of(fmu, "fmu.isolate", (False, True)),
                solver=one_of(fmu, "fmu.solver", SOLVERS),
                linear=one_of(boundary, "boundary.interpolation", ("hold", "linear")) == "linear",
                results_interval=interval(results),
                period=positive(boundary, "boundary.period"),
                signals=files["signals"],
                plant_files={key: file for key in keys if (file := files[key]) is not None},
                kpi=table_of(toml, "kpi") if case is None or "kpi" in toml else _kpi(case),
                scenario=table_of(toml, "scenario") if case is None or "scenario" in toml else _scenario(case),
                alarms=table_of(toml, "alarms"),
                case=case,
                measured=pattern(toml, "measurements"),
                recorded=pattern(toml, "results"),
                structural=structural(fmu),
                start_values=tuple(sorted(table_of(toml, "start_values").items())),
                calendar=read_calendar(toml),
            )
        except InvalidValueError as error:
            raise ResourcesError(f"testcase.toml: {error}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise ResourcesError(f"version file: {error}") from error


def _kpi(case: EmbeddedCase) -> dict[str, Any]:
    """Return the table ``kpi`` that stands for what an FMU holds."""
    area = {} if case.area is None else {"area": case.area}
    return {"building": {**area, "points": case.points}}


def _scenario(case: EmbeddedCase) -> dict[str, Any]:
    """Return the table ``scenario`` that stands for what an FMU holds: two weeks, after one to warm up."""
    return {"periods": case.periods, "days": 14, "warmup_days": 7} if case.periods else {}


def _find(directory: Path, key: str, names: Sequence[str], named: Mapping[str, Any]) -> Path | None:
    """Return the file that stands for a key, None where there is none; a file that testcase.toml names must exist."""
    if key in named and not isinstance(named[key], str):
        raise ResourcesError(f"testcase.toml: files.{key} must be the name of a file, not {named[key]}")
    if named.get(key) == "":
        return None
    for name in (named[key],) if key in named else names:
        if (directory / name).is_file():
            return directory / name
    if key in named:
        raise ResourcesError(f"{directory} has no {named[key]}")
    return None


def _only_fmu(directory: Path) -> Path:
    """Return the FMU of a folder where none has the name of the reference's."""
    fmus = sorted(directory.glob("*.fmu"))
    if len(fmus) != 1:
        several = f"several FMUs ({', '.join(path.name for path in fmus)}), of which testcase.toml must name one"
        none = f"no {_FILES['fmu'][0]} nor any other FMU"
        raise ResourcesError(f"{directory} has {several if fmus else none}")
    return fmus[0]


def _require(directory: Path, key: str, file: Path | None, name: str, named: Mapping[str, Any]) -> None:
    """Refuse a test case of a plant that lacks a file."""
    if file is None and named.get(key) != "":
        raise ResourcesError(
            f'{directory} has no {name}, which a test case of this kind needs (testcase.toml may say {key} = "")'
        )
