"""Some runs of a sweep: as tables, lazily, and written to files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trivium.extras import require
from trivium.model.contract import FloatArray
from trivium.study.export import write
from trivium.study.job import FAILED
from trivium.study.packing import column_name

if TYPE_CHECKING:
    import pandas as pd

    from trivium.study.read import SweepResults

#: Bytes that are read at a time.
_BLOCK = 16 * 2**20


class Selection:
    """Some runs of a sweep.

    Parameters
    ----------
    results : SweepResults
    runs : array of int
        Their numbers, growing.
    """

    def __init__(self, results: SweepResults, runs: NDArray[np.intp]) -> None:
        self.results, self.runs = results, runs

    def __len__(self) -> int:
        return int(self.runs.size)

    def __repr__(self) -> str:
        return f"Selection({len(self)} of {len(self.results)} runs)"

    def frame(self) -> pd.DataFrame:
        """Return parameters and metrics as a pandas.DataFrame, one row a run; with reasons where runs failed."""
        import pandas

        frame = pandas.DataFrame(self._columns(), index=pandas.Index(self.runs, name="run"))
        if self.results.status[self.runs].tolist().count(FAILED):
            frame["reason"] = frame.index.map(self.results.failures)
        return frame

    def dataset(self) -> Any:
        """Return all as an xarray.Dataset; trajectories [run, time] are read when they are computed."""
        xarray, delayed = require("xarray", "sweep"), require("dask.array", "sweep")
        coordinates: dict[str, Any] = {"run": self.runs, "time": self.results.time}
        # a parameter or metric of the name of a variable is called as in the files
        for name in self.results.parameters:
            key = column_name("parameters", name) if name in self.results.variables else name
            coordinates[key] = ("run", self.results.values(name, self.runs))
        columns: dict[str, Any] = {}
        for name in self.results.metrics:
            key = column_name("metrics", name) if name in self.results.variables else name
            columns[key] = ("run", self.results.column(name, self.runs))
        blocks = list(self._blocks())
        for variable in self.results.variables:
            lazy = [
                delayed.from_array(_Lazy(self.results, runs, variable), chunks=-1, name=False, asarray=False)
                for runs in blocks
            ]
            points = self.results.time.size
            columns[variable] = (("run", "time"), delayed.concatenate(lazy) if lazy else np.empty((0, points)))
        return xarray.Dataset(columns, coordinates)

    def trajectories(self, variable: str) -> FloatArray:
        """Return the trajectories of a variable [run, time]."""
        return self.results.trajectories(self.runs, variable)

    def export(
        self, path: str | os.PathLike[str], *, trajectories: bool = False, variables: Sequence[str] | None = None
    ) -> None:
        """Write a table; see `trivium.study.export.write`."""
        write(self, Path(path), trajectories=trajectories, variables=variables)

    def _columns(self) -> dict[str, NDArray[Any]]:
        names = [*self.results.parameters, *self.results.metrics]
        return {name: self.results.values(name, self.runs) for name in names}

    def _blocks(self) -> Iterator[NDArray[np.intp]]:
        """Yield the runs in blocks that fit in memory."""
        size = max(1, _BLOCK // (8 * self.results.time.size))
        for start in range(0, self.runs.size, size):
            yield self.runs[start : start + size]


class _Lazy:
    """Trajectories that Dask reads when it needs them."""

    def __init__(self, results: SweepResults, runs: NDArray[np.intp], variable: str) -> None:
        self._results, self._runs, self._variable = results, runs, variable
        self.shape = (runs.size, results.time.size)
        self.dtype, self.ndim = np.dtype(np.float64), 2

    def __getitem__(self, place: tuple[Any, Any]) -> FloatArray:
        runs = self._runs[place[0]]
        rows = self._results.trajectories(np.atleast_1d(runs), self._variable)[:, place[1]]
        return rows if runs.ndim else rows[0]
