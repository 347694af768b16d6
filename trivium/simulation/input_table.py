"""Tables of inputs over time: CSV files, as FMPy, fmusim and spreadsheets write them.

The first line has the names: ``time`` [s] and those of inputs, in any order, bare or in quotes. Columns are separated
by commas, or by semicolons; empty lines and lines that begin with ``#`` are left out::

    "time","valve","open"
    0,0.5,false
    10,0.5,false
    10,0.8,true

Times grow, at any distance; a time that appears twice is a step, at which the later row takes over. ``true`` and
``false`` are 1 and 0. A cell may hold all elements of an array, separated by spaces, as FMPy has it.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from trivium.errors import ResourcesError
from trivium.model.contract import FloatArray
from trivium.suggestions import did_you_mean, near_or_all

TIME = "time"
_COMMENT = "#"
_WORDS = {"true": 1.0, "false": 0.0}
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
#: Most names that a refusal lists.
_LISTED = 10


@dataclass(frozen=True, eq=False)
class InputTable:
    """Values of inputs over time.

    Attributes
    ----------
    source : str
        Name of the file.
    times : FloatArray, shape (rows,)
        Not falling [s].
    columns : Mapping[str, FloatArray]
        By name, shape (rows,), or (rows, n) where cells hold arrays [the unit of the input].
    """

    source: str
    times: FloatArray
    columns: Mapping[str, FloatArray]

    def matched(self, inputs: Collection[str], model: str) -> tuple[InputTable, str]:
        """Return what a model takes of the table.

        Parameters
        ----------
        inputs : collection of str
            Names of the inputs that there are; elements of arrays as ``x[1]``.
        model : str
            Whose they are, for messages.

        Returns
        -------
        table : InputTable
            The columns of inputs, each of shape (rows,).
        remark : str
            What the table has besides, which is ignored; empty for nothing.

        Raises
        ------
        ResourcesError
            When the table has no column of an input, or one with a wrong number of elements.
        """
        columns: dict[str, FloatArray] = {}
        extra: list[str] = []
        for name, values in self.columns.items():
            elements = [name] if name in inputs else [scalar for scalar in inputs if scalar.startswith(f"{name}[")]
            if not elements:
                extra.append(name)
                continue
            matrix = values.reshape(len(self.times), -1)
            if matrix.shape[1] != len(elements):
                raise ResourcesError(
                    f"{self.source}: {name} of {model} has {len(elements)} elements, and each cell holds "
                    f"{matrix.shape[1]}"
                )
            columns |= dict(zip(elements, matrix.T, strict=True))
        listed = ", ".join(extra[:_LISTED]) + (f" and {len(extra) - _LISTED} more" if len(extra) > _LISTED else "")
        if not columns:
            raise ResourcesError(
                f"{self.source} has no column of an input of {model}; it has: {listed or TIME}."
                f"{near_or_all(extra[0] if extra else '', inputs)}"
            )
        hint = next(filter(None, (did_you_mean(name, inputs) for name in extra)), "")
        remark = f"{self.source} has columns that are no inputs of {model} and are ignored: {listed}.{hint}"
        return InputTable(self.source, self.times, columns), remark if extra else ""


def read_input_table(path: Path) -> InputTable:
    """Read a table; once a process, as long as the file is the same.

    Raises
    ------
    ResourcesError
        Naming the file, and the line and column that are wrong.
    """
    try:
        status = path.stat()
        return _read_file(path, (status.st_ino, status.st_size, status.st_mtime_ns))
    except (OSError, UnicodeDecodeError) as error:
        raise ResourcesError(f"{path.name} cannot be read: {error}") from error
    except ValueError as error:
        raise ResourcesError(f"{path.name} {error}") from error


@lru_cache(maxsize=4)
def _read_file(path: Path, _version: tuple[int, ...]) -> InputTable:
    """Read a table once; the second argument distinguishes versions of the file."""
    return _read(path.name, path.read_text(encoding="utf-8-sig"))


def _read(source: str, text: str) -> InputTable:
    lines = text.splitlines()
    head = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith(_COMMENT)), len(lines))
    if head == len(lines):
        raise ValueError(f"is empty; the first line must name the columns, {TIME} among them")
    separator = ";" if ";" in re.sub(r'"[^"]*"', "", lines[head]) else ","
    names = [name.strip() for name in next(csv.reader([lines[head]], delimiter=separator))]
    at = _time_column(names)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"has two columns of one name: {repeated[0] or 'none'}")
    body = "\n".join(lines[head + 1 :])
    table = _numbers(body, separator, len(names))
    columns = dict(zip(names, table.T, strict=True)) if table is not None else None
    if columns is None:
        columns = _cells(lines, head, separator, names)
    times = np.ascontiguousarray(columns.pop(names[at]))
    if times.ndim > 1:
        raise ValueError(f"has several numbers in a cell of the column {names[at]}")
    _check(times, columns)
    return InputTable(source, times, columns)


def _time_column(names: Sequence[str]) -> int:
    """Return where the time stands."""
    for forms in (names, [name.casefold() for name in names]):  # in lower case, or else in any
        if forms.count(TIME) == 1:
            return forms.index(TIME)
    shown = ", ".join(names[:_LISTED])
    raise ValueError(f"has no column {TIME}; its columns are: {shown}")


def _numbers(body: str, separator: str, width: int) -> FloatArray | None:
    """Return a table of plain numbers, the common case; None where it is another one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about a table without rows
        try:
            table: FloatArray = np.loadtxt(
                io.StringIO(body), delimiter=separator, comments=_COMMENT, quotechar='"', ndmin=2
            )
        except ValueError:
            return None
    if not table.size:
        raise ValueError("has no rows")
    return table if table.shape[1] == width else None


def _cells(lines: Sequence[str], head: int, separator: str, names: Sequence[str]) -> dict[str, FloatArray]:
    """Return a table cell by cell, which takes words and arrays and finds the cell that is wrong."""
    columns: list[list[list[float]]] = [[] for _ in names]
    for number, cells in _rows(lines, head, separator):
        if len(cells) != len(names):
            raise ValueError(f"has {len(cells)} cells for {len(names)} columns in line {number}")
        for name, column, cell in zip(names, columns, cells, strict=True):
            column.append([_value(word, name, number) for word in cell.split() or [""]])
            if len(column[-1]) != len(column[0]):
                raise ValueError(f"has {len(column[-1])} elements of {name} in line {number}, {len(column[0])} before")
    if not columns[0]:
        raise ValueError("has no rows")
    arrays = (np.array(column) for column in columns)
    return {name: array[:, 0] if array.shape[1] == 1 else array for name, array in zip(names, arrays, strict=True)}


def _rows(lines: Sequence[str], head: int, separator: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines[head + 1 :], start=head + 2):
        if line.strip() and not line.startswith(_COMMENT):
            yield number, next(csv.reader([line], delimiter=separator))


def _value(word: str, name: str, line: int) -> float:
    text = word.strip()
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return float(text)
    except ValueError:
        hint = "; write decimals with a point" if _DECIMAL_COMMA.fullmatch(text) else ""
        label = repr(text) if text else "an empty cell"
        raise ValueError(f"has {label} in line {line}, column {name}, which is no number{hint}") from None


def _check(times: FloatArray, columns: Mapping[str, FloatArray]) -> None:
    for name, values in ((TIME, times), *columns.items()):
        if not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values.reshape(len(times), -1)).all(axis=1)))
            raise ValueError(f"has something in row {row + 1} of {name} that is no finite number")
    back = np.flatnonzero(np.diff(times) < 0)
    if back.size:
        row = int(back[0])
        raise ValueError(
            f"has times that do not grow: {times[row + 1]:g} s follows {times[row]:g} s; sort the rows by time"
        )
