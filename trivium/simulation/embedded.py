"""A test case inside an FMU, as BOPTEST packs it: what is judged, the scenarios and the data lie in its resources.

::

    resources/kpis.json     which signals feed the indicators: {"ElectricPower": ["reaP_y"], ...}
    resources/config.json   name, area [m2], start_time, warmup_period, step [s]; optional
    resources/days.json     periods of the year by name, each the day in its middle; optional
    resources/*.csv         a column ``time`` [s] of one year, and columns with weather, prices, emissions, set points

An FMU is such a test case when its ``kpis.json`` is an object of lists of signals. Tables without a column ``time``,
and those that ``resource_file_exclusion`` of ``config.json`` names, belong to the FMU and are left alone.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from trivium.errors import InvalidValueError, ResourcesError
from trivium.model.contract import FloatArray
from trivium.numbers import finite

#: Between rows of the results, as in BOPTEST [s].
RESULTS_INTERVAL = 30.0
_FOLDER = "resources/"
_KPIS, _CONFIG, _DAYS = (f"{_FOLDER}{name}.json" for name in ("kpis", "config", "days"))
#: Units that comments before a header may give: ``# TOutside: temperature of the air [K]``.
_COMMENT = re.compile(r"#\s*(?P<name>[^:,]+):\s*(?P<description>.*?)\s*(?:\[(?P<unit>[^\]]*)\])?[\s,]*")
#: How much of a table is read for its header [bytes].
_HEAD = 65536


class Column(NamedTuple):
    """A column of a table, as the comments before its header describe it.

    Attributes
    ----------
    unit : str or None
    description : str
    """

    unit: str | None
    description: str


@dataclass(frozen=True)
class Table:
    """A table in an FMU.

    Attributes
    ----------
    member : str
        Name in the archive.
    columns : Mapping[str, Column]
        All but the time.
    """

    member: str
    columns: Mapping[str, Column] = field(hash=False)


@dataclass(frozen=True)
class EmbeddedCase:
    """What an FMU holds of its test case; None is what it leaves open.

    Attributes
    ----------
    fmu : Path
    points : Mapping[str, tuple of str]
        Signals by the source that they stand for, as in BOPTEST.
    periods : Mapping[str, float]
        Day of the year in the middle of each period, by name [d].
    tables : tuple of Table
    name : str or None
    area : float or None
        Floor area [m2].
    step : float or None
        Control step [s].
    start_time, warmup_period : float
        Where a new session stands, and how long before the simulation begins [s].
    """

    fmu: Path
    points: Mapping[str, tuple[str, ...]] = field(hash=False)
    periods: Mapping[str, float] = field(default_factory=dict, hash=False)
    tables: tuple[Table, ...] = ()
    name: str | None = None
    area: float | None = None
    step: float | None = None
    start_time: float = 0.0
    warmup_period: float = 0.0

    @property
    def tolerance(self) -> float:
        """Relative tolerance, whatever the FMU recommends [1]: the one that BOPTEST's parser compiles with."""
        return 1e-6

    @property
    def columns(self) -> dict[str, Column]:
        """All columns of all tables, by name."""
        return {name: column for table in self.tables for name, column in table.columns.items()}


def is_testcase(path: Path) -> bool:
    """Return whether a path is a test case: a folder, or an FMU that holds one; otherwise it is an FMU alone.

    Raises
    ------
    ResourcesError
        When it cannot be read.
    """
    return path.is_dir() or read_embedded_case(path) is not None


def read_embedded_case(fmu: Path) -> EmbeddedCase | None:
    """Return the test case inside an FMU; None where it has none.

    Raises
    ------
    ResourcesError
        Naming the file inside the FMU and what is wrong with it.
    """
    try:
        status = fmu.stat()
    except FileNotFoundError:
        return None  # unpacking it reports that, with a file of a similar name
    except OSError as error:
        raise ResourcesError(f"{fmu.name} cannot be read: {error.strerror or error}") from error
    return _read(fmu, (status.st_ino, status.st_size, status.st_mtime_ns))


@lru_cache(maxsize=8)
def _read(fmu: Path, _version: tuple[int, ...]) -> EmbeddedCase | None:
    """Read a case; the second argument distinguishes versions of the file."""
    if not zipfile.is_zipfile(fmu):
        return None  # whoever unpacks it says what is wrong
    try:
        with zipfile.ZipFile(fmu) as archive:
            members = {info.filename for info in archive.infolist()}
            points = _points(_document(archive, _KPIS)) if _KPIS in members else None
            if points is None:
                return None
            config = _object(archive, _CONFIG) if _CONFIG in members else {}
            days = _object(archive, _DAYS) if _DAYS in members else {}
            excluded = config.get("resource_file_exclusion") or ()
            tables = [
                table
                for member in sorted(members)
                if member.startswith(_FOLDER) and member.endswith(".csv") and Path(member).name not in excluded
                if (table := _header(archive, member)) is not None
            ]
    except (OSError, zipfile.BadZipFile) as error:
        raise ResourcesError(f"{fmu.name} cannot be read: {error}") from error
    seen: dict[str, str] = {}
    for table in tables:
        for name in table.columns:
            if name in seen:
                raise ResourcesError(f"{fmu.name}: {table.member} and {seen[name]} both have a column {name}")
            seen[name] = table.member
    numbers = {
        key: _number(config, key)
        for key in ("area", "step", "start_time", "warmup_period")
        if config.get(key) is not None
    }
    for key in ("area", "step"):
        if numbers.get(key, 1.0) <= 0:
            raise ResourcesError(f"{fmu.name}: {_CONFIG}: {key} must be greater than 0")
    title = config.get("name")
    if title is not None and not isinstance(title, str):
        raise ResourcesError(f"{fmu.name}: {_CONFIG}: name must be a string")
    periods = {key: _number(days, key, _DAYS) for key in days}
    return EmbeddedCase(fmu, points, periods, tuple(tables), title, **numbers)


def _document(archive: zipfile.ZipFile, member: str) -> Any:
    try:
        return json.loads(archive.read(member))
    except ValueError as error:
        raise ResourcesError(f"{member} of {archive.filename} is not valid JSON: {error}") from error


def _object(archive: zipfile.ZipFile, member: str) -> dict[str, Any]:
    document = _document(archive, member)
    if not isinstance(document, dict):
        raise ResourcesError(f"{member} of {archive.filename} must be an object")
    return document


def _points(document: Any) -> dict[str, tuple[str, ...]] | None:
    """Return signals by source; None where the file is for something else."""
    if not isinstance(document, dict):
        return None
    for names in document.values():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return None
    return {source: tuple(names) for source, names in document.items()}


def _number(table: Mapping[str, Any], key: str, member: str = _CONFIG) -> float:
    try:
        value = finite(table[key], f"{key} of {member}")
    except InvalidValueError as error:
        raise ResourcesError(str(error)) from error
    if value < 0:
        raise ResourcesError(f"{member}: {key} must not be negative")
    return value


def _header(archive: zipfile.ZipFile, member: str) -> Table | None:
    """Return a table with its columns; None where it has no column of the time."""
    with archive.open(member) as file:
        lines = io.StringIO(file.read(_HEAD).decode("utf-8-sig", "replace"))
    described: dict[str, Column] = {}
    for line in lines:
        if line.startswith("#"):
            if match := _COMMENT.fullmatch(line.strip()):
                described[match["name"].strip()] = Column(match["unit"], match["description"])
        elif line.strip():
            names = _names(line)
            if names[0] != "time":
                return None
            return Table(member, {name: _described(name, described) for name in names[1:]})
    return None


def _names(line: str) -> list[str]:
    return [name.strip().strip('"') for name in line.split(",")]


def _described(name: str, described: Mapping[str, Column]) -> Column:
    """Return what comments say of a column, or of its kind: ``LowerSetp`` for ``LowerSetp[1]``."""
    return described.get(name) or described.get(name.partition("[")[0]) or Column(None, "")


def read_table(fmu: Path, member: str) -> tuple[tuple[str, ...], FloatArray]:
    """Return the names of a table's columns and its numbers, shape (rows, columns), the time [s] first.

    Raises
    ------
    ResourcesError
        When it holds something that is no finite number, or its times do not grow.
    """
    try:
        with zipfile.ZipFile(fmu) as archive, archive.open(member) as file:
            text = io.TextIOWrapper(file, encoding="utf-8-sig")
            header = next(line for line in text if line.strip() and not line.startswith("#"))
            numbers = np.loadtxt(text, delimiter=",", ndmin=2, comments="#")
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ResourcesError(f"{member} of {fmu.name} cannot be read: {error}") from error
    names = tuple(_names(header))
    if numbers.shape[1] != len(names) or not len(numbers):
        raise ResourcesError(f"{member} of {fmu.name} must have a number for each of its {len(names)} columns")
    if not np.isfinite(numbers).all():
        raise ResourcesError(f"{member} of {fmu.name} holds values that are not finite numbers")
    if (np.diff(numbers[:, 0]) <= 0).any():
        raise ResourcesError(f"the times of {member} of {fmu.name} do not grow")
    return names, numbers
