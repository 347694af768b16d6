"""Results as bytes of an SQLite file; all bytes carry a checksum, so that none that changed are read as numbers."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivium.errors import ResourcesError
from trivium.model.contract import FloatArray
from trivium.study.job import Job, Results

#: Where columns that are no double precision numbers have their types.
_TYPES: Mapping[str, str] = {"status": "i1"}


@dataclass
class Head:
    """All of some runs but their trajectories.

    Attributes
    ----------
    runs : array of int64, shape (k,)
    columns : Mapping[str, array]
        By name, as `columns_of`; each of shape (k,).
    reasons : Mapping[int, str]
    seconds : float
    """

    runs: NDArray[np.int64]
    columns: dict[str, NDArray[Any]]
    reasons: dict[int, str]
    seconds: float

    def results(self, job: Job, trajectories: NDArray[np.generic]) -> Results:
        """Return the results with these trajectories."""
        metrics = np.full((self.runs.size, len(job.metrics)), np.nan)
        for place, (name, _) in enumerate(job.metrics):
            metrics[:, place] = self.columns[column_name("metrics", name)]
        return Results(self.runs, self.columns["status"], metrics, trajectories, self.reasons, self.seconds)


def columns_of(job: Job, rows: FloatArray, results: Results) -> dict[str, NDArray[Any]]:
    """Return what there is of each run besides trajectories: status, parameters, metrics.

    Parameters
    ----------
    job : Job
    rows : FloatArray, shape (k, n_parameters)
    results : Results
        Of the k runs of these rows.
    """
    columns: dict[str, NDArray[Any]] = {"status": results.status}
    columns |= {column_name("parameters", name): rows[:, place] for place, name in enumerate(job.parameters)}
    columns |= {column_name("metrics", name): results.metrics[:, place] for place, (name, _) in enumerate(job.metrics)}
    return columns


def column_name(group: str, name: str) -> str:
    """Return the name of a column in a group; a slash in a variable's name would make groups of its own."""
    plain = name.replace("/", "\u2215")
    return f"{group}/{plain}"


def pack_column(values: NDArray[Any]) -> bytes:
    """Return a column as bytes; zlib adds the checksum."""
    return zlib.compress(np.ascontiguousarray(values).tobytes(), 1)


def unpack_column(name: str, data: bytes) -> NDArray[Any]:
    """Return a column.

    Raises
    ------
    ResourcesError
        When it is damaged.
    """
    try:
        return np.frombuffer(zlib.decompress(data), column_type(name))
    except (zlib.error, ValueError) as error:
        raise ResourcesError(f"study.sqlite is damaged: {name} cannot be read: {error}") from error


def column_type(name: str) -> str:
    """Return the NumPy type of a column."""
    return _TYPES.get(name, "f8")


def pack_head(job: Job, rows: FloatArray, results: Results) -> bytes:
    """Return all of some runs but their trajectories as bytes."""
    columns = columns_of(job, rows, results)
    reasons = {str(run): text for run, text in results.reasons.items()}
    about = json.dumps({"columns": list(columns), "reasons": reasons, "seconds": results.seconds})
    numbered = {str(place): column for place, column in enumerate(columns.values())}
    return _saved(runs=results.runs, about=np.frombuffer(about.encode(), np.uint8), **numbered)


def unpack_head(data: bytes) -> Head:
    """Return all of some runs but their trajectories.

    Raises
    ------
    ResourcesError
        When it is damaged.
    """
    arrays = _loaded(data)
    about = json.loads(arrays["about"].tobytes())
    columns = {name: arrays[str(place)] for place, name in enumerate(about["columns"])}
    reasons = {int(run): text for run, text in about["reasons"].items()}
    return Head(arrays["runs"], columns, reasons, about["seconds"])


def pack_trajectories(trajectories: NDArray[np.generic]) -> bytes:
    """Return trajectories as bytes."""
    return _saved(trajectories=trajectories)


def unpack_trajectories(data: bytes) -> NDArray[np.generic]:
    """Return trajectories, shape (k, n_times, n_kept).

    Raises
    ------
    ResourcesError
        When they are damaged.
    """
    return _loaded(data)["trajectories"]


def _saved(**arrays: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]  # NumPy takes names of arrays for its own options
    return file.getvalue()


def _loaded(data: bytes) -> dict[str, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return dict(archive)
    except (zipfile.BadZipFile, zlib.error, ValueError, KeyError, OSError, EOFError) as error:
        raise ResourcesError(f"study.sqlite is damaged: results cannot be read: {error}") from error
