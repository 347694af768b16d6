"""Files of measurements that forms of calibrations name: CSV files in the folders of studies."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from trivium.dashboard.context import Context
from trivium.errors import InvalidValueError

#: Most files that are listed, and the largest that is read for its times [bytes].
_MOST, _LARGEST = 200, 50_000_000


@dataclass(frozen=True)
class Measurements:
    """What a file of measurements has.

    Attributes
    ----------
    folder, name : str
    columns : tuple of str
        Besides the time.
    start, stop, step : float
        First and last time, least time between two rows [s].
    """

    folder: str
    name: str
    columns: tuple[str, ...]
    start: float
    stop: float
    step: float


def files(context: Context, model: str) -> list[str]:
    """Return the files that may belong to a model: of a model of a folder those beside it, else all."""
    kind, _, name = model.partition(":")
    folder = name.partition("/")[0] if kind == "file" else "*"
    paths = sorted(context.settings.studies.glob(f"{folder}/*.csv"))[:_MOST]
    return [f"{file.parent.name}/{file.name}" for file in paths]


def read(context: Context, model: str, file: str | None) -> Measurements:
    """Return what a file of measurements has.

    Raises
    ------
    InvalidValueError
        When it is none.
    """
    if file not in files(context, model):
        raise InvalidValueError("There is no file of measurements (CSV) in the folder of the model.", "data")
    path = context.settings.studies / file
    try:
        if path.stat().st_size > _LARGEST:
            raise InvalidValueError(f"{file} is too large for the form.", "data")
        with path.open(newline="", encoding="utf-8-sig") as text:
            heading, *rows = [[cell.strip() for cell in row] for row in csv.reader(text) if any(row)] or [[]]
        times = sorted({float(row[heading.index("time")]) for row in rows})
    except (OSError, UnicodeDecodeError, csv.Error, ValueError, IndexError) as error:
        raise InvalidValueError(f"{file} has no column time of numbers: {error}.", "data") from error
    if len(times) < 2:
        raise InvalidValueError(f"{file} has fewer than two times.", "data")
    step = min(after - before for before, after in pairwise(times))
    columns = tuple(name for name in heading if name != "time")
    return Measurements(path.parent.name, path.name, columns, times[0], times[-1], step)


def proposed(columns: Sequence[str], variables: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return variables that are named as columns are, or whose last part is, and the column of each."""
    names = [each["name"] for each in variables]
    columns_by_variable = {}
    for column in columns:
        same = [name for name in names if name == column] or [name for name in names if name.endswith(f".{column}")]
        if same:
            columns_by_variable[same[0]] = column
    return columns_by_variable
