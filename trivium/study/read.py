"""Results of a sweep, read lazily: whatever is chosen is read when it is asked for, a block at a time.

::

    import trivium.study

    with trivium.study.open("results") as results:
        chosen = results.select(**{"bz.TBR": 1.1, "plasma.Burn_Fraction": (0.03, 0.05)})
        chosen.frame()                      # parameters, metrics and status as a pandas.DataFrame
        chosen.dataset()["sds.inventory"]   # trajectories [run, time] as an xarray.Dataset backed by Dask
        chosen.export("chosen.parquet")
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trivium.errors import InvalidValueError
from trivium.model.contract import FloatArray
from trivium.study.choose import Wanted
from trivium.study.index import Index
from trivium.study.job import DONE, FAILED, PENDING
from trivium.study.metrics import WITHOUT_VALUE
from trivium.study.packing import column_name
from trivium.study.quanta import decode
from trivium.study.search.goals import Optimize
from trivium.study.search.optimum import best_of
from trivium.study.selection import Selection
from trivium.study.spec import Sampling
from trivium.study.whole import Lost, raise_lost
from trivium.suggestions import near_or_all

if TYPE_CHECKING:
    import pandas as pd

#: How far a value may be from the one that is asked for, relative to it.
_SAME = 1e-9


def open_results(path: str | os.PathLike[str]) -> SweepResults:
    """Open the results of a sweep, also of one that is not at its end.

    Parameters
    ----------
    path : path
        The folder, or a file in it.

    Raises
    ------
    ResourcesError
        When there are none.
    MissingExtraError
        When the extra ``sweep`` is not installed.
    """
    return SweepResults(Path(path))


class SweepResults:
    """The results of a sweep.

    Attributes
    ----------
    folder : Path
        Where they are.
    parameters, metrics, variables : tuple of str
        What there is of each run; variables are those with trajectories.
    indicators : Mapping[str, str]
        Of the metrics that are indicators of a test case: which one each is.
    time : FloatArray
        Times of the output points.
    texts : Mapping[str, tuple of str]
        Of the parameters that are texts: their column has places in it.
    units : Mapping[str, str]
        Of parameters, metrics and variables, where they have one.
    sampling : str
        How the values of parameters made runs, as in the study.
    groups : tuple of str
        The group of each parameter in the design of the sample; its own name where it is in none.
    goal : Optimize or None
        What a study that optimizes makes least or greatest.
    """

    def __init__(self, path: Path) -> None:
        self.folder = (path.parent if path.is_file() else path).absolute()
        self._index = Index(self.folder)
        about = self._index.about
        self.parameters: tuple[str, ...] = tuple(about["parameters"])
        self.metrics: tuple[str, ...] = tuple(about["metrics"])
        self.indicators: dict[str, str] = about["indicators"]
        self.variables: tuple[str, ...] = tuple(about["variables"])
        self.time: FloatArray = np.array(about["time"], dtype=np.float64)
        self.texts: dict[str, tuple[str, ...]] = {name: tuple(each) for name, each in about["texts"].items()}
        self.units: dict[str, str] = about.get("units", {})
        self.sampling = str(about["sampling"]["method"])
        self.groups = Sampling.model_validate(about["sampling"]).labels(self.parameters)
        self._warn: dict[str, float] = about.get("warn", {})
        self._methods: dict[str, str] = about["methods"]
        self.goal = None if about.get("optimize") is None else Optimize(**about["optimize"])
        self._dtype, self._quantum = about["dtype"], about["quantum"]

    def __len__(self) -> int:
        return self._index.count

    def __enter__(self) -> SweepResults:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; what is lazy cannot be read any more."""
        self._index.close()

    def __repr__(self) -> str:
        done, failed = int((self.status == DONE).sum()), int((self.status == FAILED).sum())
        counts = f"{len(self)} runs, {done} done"
        counts += f", {failed} failed" if failed else ""
        lost = self.lost
        counts += f", {len(lost)} parts that cannot be read" if lost else ""
        return f"SweepResults({counts}; {', '.join(self.parameters)} -> {_few(self.metrics)})"

    def frame(self) -> pd.DataFrame:
        """Return parameters and metrics of the runs that are done as a pandas.DataFrame, one row a run."""
        return self.select().frame()

    @property
    def best(self) -> pd.DataFrame:
        """Return the best runs of a study that optimizes, as `frame`: of several objectives those that make the front.

        Raises
        ------
        InvalidValueError
            When the study has no objectives.
        """
        return Selection(self, self.best_runs).frame()

    @property
    def best_runs(self) -> NDArray[np.intp]:
        """Return the numbers of the best runs; errors as `best`."""
        if self.goal is None:
            raise InvalidValueError("the study has no objectives: it does not optimize.", "optimize")
        return best_of(self.goal, {name: self.column(name) for name in self.metrics})

    def dataset(self) -> Any:
        """Return all runs that are done as an xarray.Dataset; see `Selection.dataset`."""
        return self.select().dataset()

    @property
    def failures(self) -> dict[int, str]:
        """Return why runs failed."""
        return dict(self.each_failure())

    def each_failure(self) -> Iterator[tuple[int, str]]:
        """Yield the runs that failed, and why, without reading all at once."""
        return self._index.failures()

    @property
    def lost(self) -> list[Lost]:
        """Return the parts whose file is absent, unreadable or damaged, with their runs.

        Parameters and metrics of these runs are in the index and remain; their trajectories cannot be read, and
        ``trivium sweep repair`` runs them again. Of files only the size is compared here; see `verify`.
        """
        return self._index.lost()

    def verify(self) -> list[Lost]:
        """Return the same after the content of all parts was read and compared with its hash."""
        return self._index.lost(deep=True)

    def readable(self, runs: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return those of some runs whose trajectories can be read; the content of their parts is compared."""
        parts = self._index.parts_of(runs)
        lost = self._index.lost(np.unique(parts).tolist(), deep=True)
        readable: NDArray[np.intp] = runs[~np.isin(parts, [each.part for each in lost])]
        return readable

    def check_trajectories(self, runs: NDArray[np.intp]) -> None:
        """Refuse runs whose trajectories cannot be read.

        Raises
        ------
        StorageError
            Naming all parts that are absent, unreadable or damaged, with their runs.
        """
        parts = np.unique(self._index.parts_of(runs)).tolist()
        raise_lost(self.folder, self._index.lost(parts, deep=True))

    @cached_property
    def status(self) -> NDArray[np.int8]:
        """The state of every run, when it was read first: 0 not run, 1 done, 2 failed."""
        return self._index.column("status", PENDING)

    def without_value(self, name: str, runs: NDArray[np.intp] | None = None) -> tuple[int, str]:
        """Count the runs that are done and have no value of a metric, which means and indices leave out.

        Parameters
        ----------
        name : str
            Of the metric.
        runs : array of int, optional
            Growing; default: all that are done.

        Returns
        -------
        tuple of int and str
            How many, and why such a metric may have none: censored by the end of the run, mostly.
        """
        chosen = np.flatnonzero(self.status == DONE) if runs is None else runs
        count = int(np.isnan(self.column(name, chosen)).sum())
        return count, WITHOUT_VALUE.get(self._methods[name], "the value is not a number") if count else ""

    def warnings(self) -> list[str]:
        """Return a sentence for each metric that is beyond its limit ``warn`` in runs that are done."""
        sentences = []
        for name, limit in self._warn.items():
            beyond = np.flatnonzero((self.status == DONE) & (np.abs(self.column(name)) > limit))
            if beyond.size:
                worst = beyond[np.argmax(np.abs(self.column(name, beyond)))]
                value = self.column(name)[worst]
                sentences.append(
                    f"{name} is beyond {limit:g} in {beyond.size} runs, at most in run {worst}, where it is {value:.6g}"
                )
        return sentences

    def column(self, name: str, runs: NDArray[np.intp] | None = None) -> FloatArray:
        """Return a parameter or a metric.

        Parameters
        ----------
        name : str
        runs : array of int, optional
            Growing; default: all runs.

        Raises
        ------
        InvalidValueError
            When there is none of this name.
        """
        for group, names in (("parameters", self.parameters), ("metrics", self.metrics)):
            if name in names:
                column = self._index.column(column_name(group, name), np.nan)
                return column if runs is None else column[runs]
        hint = near_or_all(name, [*self.parameters, *self.metrics])
        raise InvalidValueError(f"there is no parameter or metric {name}.{hint}", name)

    def values(self, name: str, runs: NDArray[np.intp] | None = None) -> NDArray[Any]:
        """Return a column with the texts themselves, where the parameter is one; parameters and errors as `column`."""
        column = self.column(name, runs)
        if name not in self.texts:
            return column
        texts = np.array([*self.texts[name], ""], dtype=object)  # the last of runs that did not run
        return texts[np.nan_to_num(column, nan=-1.0).astype(np.intp)]

    def select(self, /, **wanted: Wanted) -> Selection:
        """Choose runs that are done by their parameters or metrics.

        Parameters
        ----------
        wanted : by name
            A value; a list of values; or a pair of ends, both included. Of a text: the text or a list of texts.

        Raises
        ------
        InvalidValueError
            When there is no such parameter or metric, or it is a number and the value a text.
        """
        return self._chosen(DONE, wanted)

    def _chosen(self, status: int, wanted: Mapping[str, Wanted]) -> Selection:
        mask = self.status == status
        for name, value in wanted.items():
            column = self.column(name)
            if name in self.texts:
                value = self._places(name, value)  # noqa: PLW2901
            elif isinstance(value, str):
                raise InvalidValueError(f"{name} is a number, not {value!r}.", name)
            if isinstance(value, tuple):
                mask &= (column >= value[0]) & (column <= value[1])
            else:
                close = np.zeros_like(mask)
                for candidate in np.atleast_1d(np.asarray(value, dtype=np.float64)):
                    close |= np.isclose(column, candidate, rtol=_SAME, atol=0.0)
                mask &= close
        return Selection(self, np.flatnonzero(mask))

    def failed(self, /, **wanted: Wanted) -> Selection:
        """Choose runs that failed by their parameters; their trajectories are NaN from where they failed on.

        A run whose process died, or that took too long, has none. Parameters and errors as `select`.
        """
        return self._chosen(FAILED, wanted)

    def _places(self, name: str, value: Wanted) -> list[float]:
        """Return the places of texts; none of what is no text of the parameter."""
        wanted = value if isinstance(value, list) else [value]
        return [float(self.texts[name].index(each)) for each in wanted if each in self.texts[name]]

    def trajectories(self, runs: NDArray[np.intp], variable: str) -> FloatArray:
        """Read trajectories.

        Parameters
        ----------
        runs : array of int, shape (k,)
            Growing.
        variable : str

        Returns
        -------
        FloatArray, shape (k, n_times)

        Raises
        ------
        InvalidValueError
            When the variable has no trajectories.
        StorageError
            When parts are absent, unreadable or damaged, naming all of them.
        """
        if variable not in self.variables:
            raise InvalidValueError(
                f"there are no trajectories of {variable}.{near_or_all(variable, self.variables)}", variable
            )
        raw = np.empty((len(runs), self.time.size), self._dtype)
        self._index.trajectories(runs, self.variables.index(variable), raw)
        return decode(raw, self._quantum, axis=1) if self._quantum else raw.astype(np.float64)


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3]) or "no metrics"
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
