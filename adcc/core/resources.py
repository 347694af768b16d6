"""A test case on disk: the files of a Resources folder and what ``testcase.toml`` says about them.

``testcase.toml`` is optional; every key has a default, and the defaults are the file names of AlphaDataCenterCooling::

    name = "AlphaDataCenterCooling_Gym"
    step = 300                # control step at the start [s]
    end_time = 30099300       # latest end of a simulation [s]

    [files]
    fmu = "AlphaDataCenterCooling_FMU.fmu"
    disturbances = "Disturbance.csv"
    initialization_actions = "Initialization_actions.npz"   # or .csv; the first that exists
    initialization_observation = "Initialization_observation0.csv"
    head = "mlp.pth"
    chiller_power = "chiller_power.pth"                     # optional
    version = "version.txt"

    [fmu]
    tolerance = 1e-4          # relative tolerance; default: what the FMU recommends
    absolute_tolerance = 1e-6 # of Model Exchange, times the nominal values; default: as the engine chooses
    engine = "auto"           # auto, fmpy or pyfmi
    interface = "cs"          # cs (co-simulation) or me (Model Exchange); default: cs where the FMU offers it
    restart = false           # Model Exchange with pyfmi: a new simulation every step, as the reference does
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from adcc.core.numbers import parse_number, parse_step, parse_time
from adcc.errors import InvalidValueError, ResourcesError

_T = TypeVar("_T", str, bool)

_FILES: Mapping[str, tuple[str, ...]] = {
    "fmu": ("AlphaDataCenterCooling_FMU.fmu",),
    "disturbances": ("Disturbance.csv",),
    "initialization_actions": ("Initialization_actions.npz", "Initialization_actions.csv"),
    "initialization_observation": ("Initialization_observation0.csv",),
    "head": ("mlp.pth",),
    "chiller_power": ("chiller_power.pth",),
    "version": ("version.txt",),
}
ENGINES = ("auto", "fmpy", "pyfmi")
INTERFACES = ("cs", "me")
_RUN = frozenset({"tolerance", "absolute_tolerance", "engine", "interface", "restart"})
_OPTIONAL = frozenset({"initialization_actions", "chiller_power"})


@dataclass(frozen=True)
class Resources:
    """The files of a test case.

    Attributes
    ----------
    name, version : str
        What ``/name`` and ``/version`` answer.
    step : float
        Control step at the start [s].
    end_time : float
        Latest end of a simulation [s].
    fmu, disturbances, initialization_observation, head : Path
    initialization_actions : Path or None
        None where the folder has none: then a simulation starts at 0 only.
    chiller_power : Path or None
        None where the folder has none: then the measured power is used.
    tolerance : float or None
        Relative tolerance of the FMU; None for what the FMU recommends.
    absolute_tolerance : float or None
        Absolute tolerance of the solver of Model Exchange, as a share of the states' nominal values [1]; None for what
        the engine chooses.
    engine : str
        What runs the FMU; see `adcc.fmu.registry`.
    interface : str or None
        ``cs`` or ``me``; None for co-simulation where the FMU offers it.
    restart : bool
        Whether Model Exchange is simulated anew at every step.
    """

    name: str
    version: str
    step: float
    end_time: float
    fmu: Path
    disturbances: Path
    initialization_actions: Path | None
    initialization_observation: Path
    head: Path
    chiller_power: Path | None
    tolerance: float | None
    engine: str = "auto"
    interface: str | None = None
    restart: bool = False
    absolute_tolerance: float | None = None

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that results depend on: the content of the files and how the FMU is run; read once."""
        digest = hashlib.sha256()
        for field in fields(self):
            value = getattr(self, field.name)
            digest.update(f"{field.name}=".encode())
            if isinstance(value, Path):
                with value.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
            elif field.name in _RUN:
                digest.update(repr(value).encode())
        return digest.hexdigest()

    @classmethod
    def load(cls, directory: Path) -> Resources:
        """Find the files of a folder.

        Raises
        ------
        ResourcesError
            Naming the file that is missing or the key that is wrong.
        """
        if not directory.is_dir():
            raise ResourcesError(f"the Resources folder {directory} does not exist")
        toml = _read_toml(directory / "testcase.toml")
        named = _table(toml, "files")
        fmu = _table(toml, "fmu")
        _known(toml, {"name", "step", "end_time", "files", "fmu"}, "")
        _known(named, set(_FILES), "files.")
        _known(fmu, _RUN, "fmu.")
        paths = {key: _find(directory, key, named) for key in _FILES}
        try:
            return cls(
                name=str(toml.get("name", "AlphaDataCenterCooling_Gym")),
                version=_required(paths, "version").read_text(encoding="utf-8").strip(),
                step=parse_step(toml.get("step", 300)),
                end_time=parse_time(toml.get("end_time", 30099300), "end_time"),
                fmu=_required(paths, "fmu"),
                disturbances=_required(paths, "disturbances"),
                initialization_actions=paths["initialization_actions"],
                initialization_observation=_required(paths, "initialization_observation"),
                head=_required(paths, "head"),
                chiller_power=paths["chiller_power"],
                tolerance=_tolerance(fmu, "tolerance"),
                absolute_tolerance=_tolerance(fmu, "absolute_tolerance"),
                engine=_one_of(fmu, "engine", ENGINES) or "auto",
                interface=_one_of(fmu, "interface", INTERFACES),
                restart=_one_of(fmu, "restart", (False, True)) or False,
            )
        except InvalidValueError as error:
            raise ResourcesError(f"testcase.toml: {error}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise ResourcesError(f"version file: {error}") from error


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ResourcesError(f"{path.name} cannot be read: {error}") from error


def _table(toml: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = toml.get(key, {})
    if not isinstance(table, dict):
        raise ResourcesError(f"testcase.toml: {key} must be a table")
    return table


def _one_of(table: Mapping[str, Any], key: str, choices: Sequence[_T]) -> _T | None:
    """Return one of the values that a key may have; None where it is not set."""
    if key not in table:
        return None
    for choice in choices:
        if table[key] == choice and type(table[key]) is type(choice):
            return choice
    raise ResourcesError(f"testcase.toml: fmu.{key} must be one of {', '.join(map(str, choices))}, not {table[key]}")


def _tolerance(table: Mapping[str, Any], key: str) -> float | None:
    if key not in table:
        return None
    value = parse_number(table[key], f"fmu.{key}")
    if value <= 0.0:
        raise ResourcesError(f"testcase.toml: fmu.{key} must be positive, not {value:g}")
    return value


def _known(table: Mapping[str, Any], known: Set[str], prefix: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise ResourcesError(f"testcase.toml: unknown key {prefix}{unknown[0]}")


def _find(directory: Path, key: str, named: Mapping[str, Any]) -> Path | None:
    """Return the file that stands for a key; a file that testcase.toml names must exist."""
    candidates = (str(named[key]),) if key in named else _FILES[key]
    for name in candidates:
        if (directory / name).is_file():
            return directory / name
    if key in named or key not in _OPTIONAL:
        raise ResourcesError(f"{directory} has no {' or '.join(candidates)}")
    return None


def _required(paths: Mapping[str, Path | None], key: str) -> Path:
    path = paths[key]
    if path is None:
        raise ResourcesError(f"the test case has no file for {key}")
    return path
