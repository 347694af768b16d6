"""Studies that pages look at: their columns in memory, read again when the study has gone on."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trivium.errors import TriviumError
from trivium.extras import missing
from trivium.jobs.store import Store
from trivium.model.contract import FloatArray

if TYPE_CHECKING:
    from trivium.study.read import SweepResults

#: Studies whose columns are kept.
_KEPT = 4


@dataclass(frozen=True)
class Study:
    """The runs of a study that are done, as columns.

    Attributes
    ----------
    folder : Path
        Of the results.
    mark : str
        Changes when the study has gone on.
    parameters, metrics, variables : tuple of str
        Variables are those with trajectories.
    runs : array of int, shape (n,)
        Numbers of the runs that are done.
    columns : Mapping[str, FloatArray], each of shape (n,)
        Parameters and metrics; of a parameter that is a text, the place in ``texts``.
    texts : Mapping[str, tuple of str]
    total, failed : int
        Runs of the study; runs that failed.
    units : Mapping[str, str]
        Of columns and variables, where they have one.
    """

    folder: Path
    mark: str
    parameters: tuple[str, ...]
    metrics: tuple[str, ...]
    variables: tuple[str, ...]
    runs: NDArray[np.intp]
    columns: Mapping[str, FloatArray] = field(repr=False)
    texts: Mapping[str, tuple[str, ...]]
    total: int
    failed: int
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns."""
        return (*self.parameters, *self.metrics)

    def title(self, name: str) -> str:
        """Return a column or variable with its unit."""
        return titled(name, self.units)

    def ends(self, name: str) -> tuple[float, float]:
        """Return the least and the greatest finite value of a column, nan where there is none."""
        values = self.columns[name]
        finite = values[np.isfinite(values)]
        return (float(finite.min()), float(finite.max())) if finite.size else (np.nan, np.nan)

    def without_value(self, name: str) -> int:
        """Return how many of the runs have no value of a metric."""
        return int(np.isnan(self.columns[name]).sum())

    def select(self, filters: Mapping[str, Sequence[Any] | None]) -> NDArray[np.intp]:
        """Return the places of the runs that pass all filters.

        Parameters
        ----------
        filters : Mapping[str, sequence, optional]
            Of a number the two ends, None for an open one; of a text those that may be. A run without a value passes
            only where both ends are open. Columns that the study has not are passed over.
        """
        passes = np.ones(self.runs.size, dtype=bool)
        for name, wanted in filters.items():
            if wanted is None or name not in self.columns:
                continue
            values = self.columns[name]
            if name in self.texts:
                passes &= np.isin(values, [self.texts[name].index(text) for text in wanted if text in self.texts[name]])
                continue
            low, high = wanted
            if low is not None:
                passes &= values >= low
            if high is not None:
                passes &= values <= high
        return np.flatnonzero(passes)

    def value(self, name: str, place: int) -> float | str:
        """Return a value of a run, given its place; a text as itself."""
        number = float(self.columns[name][place])
        return self.texts[name][int(number)] if name in self.texts else number

    def trajectories(self, runs: Sequence[int], variable: str) -> tuple[FloatArray, FloatArray]:
        """Read trajectories.

        Returns
        -------
        FloatArray, shape (n_times,)
            Times [s].
        FloatArray, shape (k, n_times)
            Of the runs, growing.

        Raises
        ------
        TriviumError
            Naming what cannot be read.
        """
        with _opened(self.folder) as results:
            return results.time, results.trajectories(np.array(sorted(runs), dtype=np.intp), variable)


class Studies:
    """The studies of jobs.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._kept: OrderedDict[Path, Study] = OrderedDict()

    def open(self, task_id: str) -> Study:
        """Return the study of a job as it stands now.

        Raises
        ------
        NotFoundError, ResourcesError, StorageError, MissingExtraError
            When there is no such job; when it has no results, or none yet; when they cannot be read.
        """
        folder = self._store.folder_of(self._store.get(task_id).task_id) / "results"
        mark = _mark(folder)
        with self._lock:
            kept = self._kept.get(folder)
            if kept is not None and kept.mark == mark:
                self._kept.move_to_end(folder)
                return kept
        study = _read(folder, mark)
        with self._lock:
            self._kept[folder] = study
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return study


def titled(name: str, units: Mapping[str, str]) -> str:
    """Return a name with its unit, where it has one."""
    return f"{name} [{units[name]}]" if name in units else name


def _read(folder: Path, mark: str) -> Study:
    from trivium.study.job import DONE, FAILED

    with _opened(folder) as results:
        status = results.status
        runs = np.flatnonzero(status == DONE)
        return Study(
            folder=folder,
            mark=mark,
            parameters=results.parameters,
            metrics=results.metrics,
            variables=results.variables,
            runs=runs,
            columns={name: results.column(name, runs) for name in (*results.parameters, *results.metrics)},
            texts=results.texts,
            total=len(results),
            failed=int((status == FAILED).sum()),
            units=results.units,
        )


def _opened(folder: Path) -> SweepResults:
    try:
        from trivium.study.read import open_results
    except ModuleNotFoundError as error:  # a sweep of another machine, of the same store of jobs
        raise missing("What reads the results of sweeps", "sweep") from error
    return open_results(folder)


def _mark(folder: Path) -> str:
    """Return what changes whenever the index of a study does."""
    stamps = []
    for name in ("study.sqlite", "study.sqlite-wal"):
        try:
            status = (folder / name).stat()
        except OSError:
            continue
        stamps.append(f"{status.st_mtime_ns}-{status.st_size}")
    return "/".join(stamps)


def has_results(store: Store, task_id: str) -> bool:
    """Return whether a job has an index of runs on this machine."""
    try:
        return (store.folder_of(task_id) / "results" / "study.sqlite").exists()
    except TriviumError:
        return False
