"""What was measured, as a calibration takes it: a CSV file, perhaps of several segments that each are a run."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trivium.errors import InvalidValueError
from trivium.model.contract import FloatArray
from trivium.study.search.goals import Calibrate
from trivium.study.spec import Study
from trivium.suggestions import near_or_all


@dataclass(frozen=True)
class Segment:
    """A stretch of what was measured, which a run begins with.

    Attributes
    ----------
    name : str
    begin : float
        When its run begins: the time of its first row.
    times : FloatArray, shape (n,)
        When its outputs were measured.
    values : FloatArray, shape (n, n_measured)
        nan where nothing was measured.
    held_out : array of bool, shape (n,)
        Which times the fit does not see.
    rows : list of list of str
        The rows of the file, for inputs that follow them.
    """

    name: str
    begin: float
    times: FloatArray
    values: FloatArray
    held_out: NDArray[np.bool_]
    rows: list[list[str]]


@dataclass(frozen=True)
class Data:
    """All that was measured.

    Attributes
    ----------
    heading : list of str
    segments : list of Segment
    deviations : FloatArray, shape (n_measured,)
        By which each output is weighted.
    """

    heading: list[str]
    segments: list[Segment]
    deviations: FloatArray


def read_data(calibrate: Calibrate) -> Data:
    """Read what was measured.

    Raises
    ------
    InvalidValueError
        Naming the field or column that is wrong.
    """
    try:
        with calibrate.data.open(newline="", encoding="utf-8-sig") as file:
            heading, *rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _refused("data", f"{calibrate.data.name} cannot be read: {error}") from error
    heading = [cell.strip() for cell in heading]
    columns = {name: each.column or name for name, each in calibrate.measured.items()}
    for field, column in [("data", "time"), *((f"measured.{name}.column", column) for name, column in columns.items())]:
        if column not in heading:
            raise _refused(field, f"{calibrate.data.name} has no column {column}.{near_or_all(column, heading)}")
    if calibrate.by is not None and calibrate.by not in heading:
        raise _refused("by", f"{calibrate.data.name} has no column {calibrate.by}.{near_or_all(calibrate.by, heading)}")
    if any(len(row) != len(heading) for row in rows):
        raise _refused("data", f"{calibrate.data.name} has rows with more or fewer cells than its heading")
    groups: dict[str, list[list[str]]] = {}
    for row in rows:
        groups.setdefault("all" if calibrate.by is None else row[heading.index(calibrate.by)].strip(), []).append(row)
    segments = list(_segments(calibrate, heading, groups, list(columns.values())))
    values = np.concatenate([segment.values[~segment.held_out] for segment in segments])
    if not np.isfinite(values).any(axis=0).all():
        raise _refused("measured", "an output has no values outside what is held out")
    deviations = np.array([
        each.deviation or float(np.nanstd(values[:, place])) or 1.0
        for place, each in enumerate(calibrate.measured.values())
    ])  # fmt: skip
    return Data(heading, segments, deviations)


def _segments(
    calibrate: Calibrate, heading: list[str], groups: dict[str, list[list[str]]], columns: list[str]
) -> Iterator[Segment]:
    first_held_out = len(groups) - int(np.ceil(calibrate.held_out * len(groups)))
    for number, (name, rows) in enumerate(groups.items()):
        if not name or not all(letter.isalnum() or letter in "._-" for letter in name):
            raise _refused("by", f"the name {name!r} of a segment must be of letters, digits, points and dashes")
        times = _column(calibrate, heading, rows, "time")
        if times.size < 2 or not (np.diff(times) > 0).all():
            raise _refused("data", f"the times of segment {name} must grow, and be two or more")
        values = np.stack([_column(calibrate, heading, rows, column) for column in columns], axis=1)
        if calibrate.by is None:
            held_out = np.arange(times.size) >= round(times.size * (1.0 - calibrate.held_out))
        else:
            held_out = np.full(times.size, number >= first_held_out)
        yield Segment(name, float(times[0]), times + calibrate.offset, values, held_out, rows)


def _column(calibrate: Calibrate, heading: list[str], rows: list[list[str]], name: str) -> FloatArray:
    place = heading.index(name)
    try:
        return np.array([float(row[place]) if row[place].strip() else np.nan for row in rows])
    except ValueError as error:
        raise _refused("data", f"column {name} of {calibrate.data.name} has what is no number: {error}") from None


def study_of(study: Study, data: Data, segment: Segment, folder: Path) -> Study:
    """Return the study whose runs are those of a segment; its inputs are written into a folder.

    Raises
    ------
    InvalidValueError
        When the times of a segment do not fit the steps of the study.
    """
    assert study.simulation is not None  # noqa: S101 - the validator's
    assert study.calibrate is not None  # noqa: S101
    simulation, calibrate = study.simulation, study.calibrate
    changes: dict[str, object] = {"variable_filter": "|".join(calibrate.measured)}
    if calibrate.by is not None:
        steps = int(np.floor((segment.times[-1] - segment.begin) / simulation.step_size + 1e-6))
        if steps < 1:
            raise _refused("by", f"segment {segment.name} is shorter than a step")
        changes |= {"start_time": segment.begin, "stop_time": segment.begin + steps * simulation.step_size}
    elif segment.times[0] < simulation.start_time or segment.times[-1] > simulation.stop_time * (1 + 1e-9):
        span = f"the run goes from {simulation.start_time:g} to {simulation.stop_time:g}"
        raise _refused("data", f"the times go from {segment.times[0]:g} to {segment.times[-1]:g}, and {span}")
    if calibrate.inputs:
        folder.mkdir(parents=True, exist_ok=True)
        changes["inputs"] = folder / "inputs.csv"
        with (folder / "inputs.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(_numeric([data.heading, *segment.rows], calibrate.by))
    output = study.output.model_copy(update={"trajectories": True, "dtype": "float64", "absolute_error": None})
    return study.model_copy(
        update={"simulation": simulation.model_copy(update=changes), "output": output, "metrics": {}}
    )


def _numeric(rows: list[list[str]], by: str | None) -> Iterator[list[str]]:
    """Yield the columns of rows whose cells are numbers, below their heading."""
    columns = [column for column in zip(*rows, strict=True) if column[0] != by and all(map(_is_number, column[1:]))]
    return map(list, zip(*columns, strict=True))


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _refused(field: str, why: str) -> InvalidValueError:
    return InvalidValueError(f"calibrate.{field}: {why}", f"calibrate.{field}")
