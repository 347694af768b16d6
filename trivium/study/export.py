"""A selection as a file that other tools read; memory stays bounded.

=============================  ========================================================================================
ending                         content
=============================  ========================================================================================
``.parquet``, ``.h5``, ``.csv``  a row a run: run, parameters, metrics; with trajectories a row an output point: run,
                               parameters, time, variables
``.mat``                       MATLAB 5: ``run``, ``time``, a matrix [run, time] a variable, a column a parameter and a
                               metric; made in memory, and therefore refused above 1 GiB of numbers
=============================  ========================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trivium.errors import SettingsError, StorageError
from trivium.extras import require
from trivium.model.contract import FloatArray
from trivium.simulation.export import ENDINGS, check_path, write_table

#: Rows of a table that are written at a time.
_ROWS = 200_000
#: Most numbers of a MATLAB file [bytes]; SciPy makes it in memory, and its format ends at 2 GiB a variable.
_MOST_MAT = 2**30


class Results(Protocol):
    """What is exported of a sweep; see `trivium.study.read.SweepResults`."""

    parameters: tuple[str, ...]
    metrics: tuple[str, ...]
    variables: tuple[str, ...]
    time: FloatArray
    texts: dict[str, tuple[str, ...]]

    def column(self, name: str, runs: NDArray[np.intp] | None = None) -> FloatArray:
        """Return a parameter or a metric."""

    def values(self, name: str, runs: NDArray[np.intp] | None = None) -> NDArray[Any]:
        """Return the same with the texts themselves, where it is one."""

    def trajectories(self, runs: NDArray[np.intp], variable: str) -> FloatArray:
        """Read trajectories."""

    def check_trajectories(self, runs: NDArray[np.intp]) -> None:
        """Refuse runs whose trajectories cannot be read."""


class Selection(Protocol):
    """Some runs of a sweep; see `trivium.study.selection.Selection`."""

    runs: NDArray[np.intp]

    @property
    def results(self) -> Results:
        """The sweep."""

    def __len__(self) -> int: ...

    def trajectories(self, variable: str) -> FloatArray:
        """Return the trajectories of a variable [run, time]."""


def write(selection: Selection, path: Path, *, trajectories: bool, variables: Sequence[str] | None = None) -> None:
    """Write a selection.

    Parameters
    ----------
    selection : Selection
    path : Path
        Its ending chooses the format.
    trajectories : bool
        Whether a table has trajectories rather than metrics; a ``.mat`` has both.
    variables : sequence of str, optional
        Whose trajectories; default: all that were kept.

    Raises
    ------
    SettingsError
        When the ending is not known, or the selection is too large for a ``.mat``.
    MissingExtraError, StorageError
    """
    results = selection.results
    variables = results.variables if variables is None else variables
    if variables and (trajectories or path.suffix.lower() == ".mat"):
        results.check_trajectories(selection.runs)  # all that is lost is named at once
    if path.suffix.lower() == ".mat":
        _write_mat(selection, path, variables)
        return
    if path.suffix.lower() not in ENDINGS:
        raise SettingsError(f"{path.name} must end in {', '.join((*ENDINGS, '.mat'))}")
    check_path(path)
    if trajectories:
        # a parameter of the name of a variable is called as in the files
        names = {name: f"parameters/{name}" if name in variables else name for name in results.parameters}
        texts = {names[name]: each for name, each in results.texts.items()}
        columns, blocks = ["run", *names.values(), "time", *variables], _points(selection, variables)
        write_table(path, columns, blocks, texts)
        return
    columns, blocks = ["run", *results.parameters, *results.metrics], _runs(selection)
    write_table(path, columns, blocks, results.texts)


def _runs(selection: Selection) -> Iterator[FloatArray]:
    results = selection.results
    columns = [selection.runs, *(results.column(name, selection.runs) for name in _names(selection))]
    for start in range(0, len(selection), _ROWS):
        yield np.stack([column[start : start + _ROWS] for column in columns], axis=1).astype(np.float64)


def _points(selection: Selection, variables: Sequence[str]) -> Iterator[FloatArray]:
    results = selection.results
    parameters = [results.column(name, selection.runs) for name in results.parameters]
    size = max(1, _ROWS // results.time.size)
    for start in range(0, len(selection), size):
        runs = selection.runs[start : start + size]
        block = [np.repeat(runs, results.time.size).astype(np.float64)]
        block += [np.repeat(column[start : start + size], results.time.size) for column in parameters]
        block.append(np.tile(results.time, runs.size))
        block += [results.trajectories(runs, variable).ravel() for variable in variables]
        yield np.stack(block, axis=1)


def _names(selection: Selection) -> list[str]:
    return [*selection.results.parameters, *selection.results.metrics]


def _write_mat(selection: Selection, path: Path, variables: Sequence[str]) -> None:
    matlab = require("scipy.io", "sweep")
    results = selection.results
    numbers = len(selection) * (len(_names(selection)) + len(variables) * results.time.size)
    if 8 * numbers > _MOST_MAT:
        raise SettingsError(
            f"{path.name} would hold {8e-9 * numbers:.1f} GB, and a MATLAB file is made in memory, of at most "
            f"{1e-9 * _MOST_MAT:.1f} GB; choose fewer of the {len(selection)} runs, or .parquet or .h5, which are "
            "written in blocks"
        )
    names = [*_names(selection), *variables]
    made = names_of(["run", "time", *names])[2:]
    content = {"run": selection.runs, "time": results.time, "names": np.array([*zip(made, names, strict=True)], object)}
    for name, key in zip(names, made, strict=True):
        trajectory = name in variables and name not in _names(selection)
        content[key] = selection.trajectories(name) if trajectory else results.values(name, selection.runs)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            matlab.savemat(file, content, do_compression=True, oned_as="column")
        unfinished.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def names_of(variables: Sequence[str]) -> list[str]:
    """Return names as MATLAB takes them: letters, digits and underscores, beginning with a letter, none twice."""
    names: list[str] = []
    for name in variables:
        base = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)
        base = base if base[:1].isalpha() else f"v_{base}"
        made, number = base[:60], 1
        while made in names:
            number += 1
            made = f"{base[:56]}_{number}"
        names.append(made)
    return names
