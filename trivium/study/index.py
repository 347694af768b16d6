"""What a study has on disk, for readers: complete at any time, while the study runs and after it was killed.

Each question is answered from one state of ``study.sqlite``, which the writer may change meanwhile; files of parts are
opened as they are needed, a few at a time, and their content is compared with its hash when they are opened first.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trivium.errors import ResourcesError, StorageError
from trivium.extras import require
from trivium.study.packing import Head, column_type, unpack_column, unpack_head, unpack_trajectories
from trivium.study.places import Places, unpacked
from trivium.study.whole import Listed, Lost, check, part_name, raise_lost

#: Files of parts that are open at a time.
_HANDLES = 8


class Index:
    """The index of a study's results, read only; several threads may use it.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    about : Mapping[str, Any]
        What the study is, as `trivium.study.opening.open_store` describes it.
    count : int
        Runs of the plan.

    Raises
    ------
    ResourcesError
        When there are no results of a sweep, or the index is damaged.
    StorageError
        When it cannot be read now.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._file = folder, folder / "study.sqlite"
        self._lock = threading.RLock()
        self._heads: dict[int, Head] = {}
        self._open: OrderedDict[int, Any] = OrderedDict()
        self._whole: dict[int, Listed] = {}
        try:
            self._file.stat()
        except FileNotFoundError:
            raise ResourcesError(f"there are no results of a sweep in {folder} (no study.sqlite)") from None
        except OSError as error:
            raise StorageError(f"{self._file} cannot be read: {error.strerror}") from error
        self._base = self._connect()
        with self._reading():
            values = dict(self._base.execute("SELECT key, value FROM about"))
            row = self._base.execute("SELECT data FROM places").fetchone() if "places" in values else None
        if "description" not in values:
            self.close()
            raise ResourcesError(f"{self._file} holds no results of a sweep that this version reads")
        self.about: dict[str, Any] = json.loads(values["description"])
        self.count, size = int(values["runs"]), int(values["runs_per_part"])
        self._places = Places(size, self.count) if row is None else unpacked(size, int(values["places"]), row[0])

    def close(self) -> None:
        """Close all files."""
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()
            self._base.close()

    def parts(self) -> list[Listed]:
        """Return the parts that are whole."""
        with self._reading():
            return [Listed(*row) for row in self._base.execute("SELECT part, runs, size, digest FROM parts")]

    def lost(self, parts: Iterable[int] | None = None, *, deep: bool = False) -> list[Lost]:
        """Return the listed parts that cannot be read.

        Parameters
        ----------
        parts : iterable of int, optional
            Default: all.
        deep : bool
            Whether contents are compared with their hashes, once for each part, rather than sizes only.
        """
        chosen = None if parts is None else set(parts)
        listed = [each for each in self.parts() if chosen is None or each.part in chosen]
        found = (self._check(each, deep=deep) for each in listed)
        return [each for each in found if each is not None]

    def parts_of(self, runs: NDArray[np.intp]) -> NDArray[np.int64]:
        """Return the part of each of some runs."""
        return self._places.of(runs) // self._places.size

    def column(self, name: str, hole: float) -> NDArray[Any]:
        """Return a column of all runs.

        Parameters
        ----------
        name : str
            As `trivium.study.packing.columns_of`.
        hole : float
            What runs have that did not run.
        """
        size, count = self._places.size, self._places.count
        column = np.full(count, hole, column_type(name))
        with self._reading():
            for part, data in self._base.execute("SELECT part, data FROM columns WHERE name = ?", (name,)):
                values = unpack_column(name, data)[: max(0, count - part * size)]
                column[part * size :][: values.size] = values
            for head in self._all_heads():
                inside = head.runs < count
                column[head.runs[inside]] = head.columns[name][inside]
        return self._places.column(column)

    def failures(self) -> Iterator[tuple[int, str]]:
        """Yield the runs that failed, and why, growing."""
        if self._places.grown:
            reasons = dict(self._failures())
            runs = self._places.runs(np.array(list(reasons), dtype=np.int64))
            yield from ((run, reasons[place]) for run, place in zip(runs, self._places.of(runs), strict=True))
        else:
            yield from self._failures()

    def _failures(self) -> Iterator[tuple[int, str]]:
        last = -1
        while True:
            with self._reading():
                query = "SELECT run, reason FROM failures WHERE run > ? ORDER BY run LIMIT 10000"
                rows: list[tuple[int, str]] = self._base.execute(query, (last,)).fetchall()
            if not rows:
                return
            yield from rows
            last = rows[-1][0]

    def trajectories(self, runs: NDArray[np.intp], variable: int, raw: NDArray[Any]) -> None:
        """Read trajectories as they are stored.

        Parameters
        ----------
        runs : array of int, shape (k,)
            Growing; all must have run.
        variable : int
            Its place among those with trajectories.
        raw : array, shape (k, n_times)
            Is filled.

        Raises
        ------
        StorageError
            Naming all parts that cannot be read, and their runs; or when runs have no results.
        """
        if not self._places.grown:
            self._read_places(runs, variable, raw)
            return
        places, back = np.unique(self._places.of(runs), return_inverse=True)
        rows = np.empty((places.size, *raw.shape[1:]), raw.dtype)
        self._read_places(places, variable, rows)
        raw[:] = rows[back]

    def _read_places(self, places: NDArray[np.intp], variable: int, raw: NDArray[Any]) -> None:
        size = self._places.size
        parts, starts = np.unique(places // size, return_index=True)
        raise_lost(self.folder, self.lost(parts.tolist(), deep=True))
        with self._lock:
            for part, (start, end) in zip(parts.tolist(), itertools.pairwise([*starts, len(places)]), strict=True):
                self._read(part, places[start:end] - part * size, variable, raw[start:end])

    def _read(self, part: int, places: NDArray[np.intp], variable: int, raw: NDArray[Any]) -> None:
        with self._reading():
            query = "SELECT part, runs, size, digest FROM parts WHERE part = ?"
            row = self._base.execute(query, (part,)).fetchone()
            if row is None:
                self._read_loose(part, places, variable, raw)
                return
        data = self._handle(Listed(*row))["trajectories"]
        # HDF5 reads stretches much faster than single rows
        edges = np.flatnonzero(np.diff(places) > 1) + 1
        try:
            for start, end in itertools.pairwise([0, *edges.tolist(), len(places)]):
                raw[start:end] = data[int(places[start]) : int(places[end - 1]) + 1, :, variable]
        except (OSError, ValueError) as error:
            raise StorageError(f"{self.folder / part_name(part)} cannot be read: {error}") from error

    def _read_loose(self, part: int, places: NDArray[np.intp], variable: int, raw: NDArray[Any]) -> None:
        left = np.ones(len(places), dtype=bool)
        query = "SELECT head, trajectories FROM loose WHERE part = ? ORDER BY id"
        for head, data in self._base.execute(query, (part,)):
            runs = unpack_head(head).runs - part * self._places.size
            _, ours, theirs = np.intersect1d(places, runs, return_indices=True)
            if ours.size:
                raw[ours] = unpack_trajectories(data)[theirs, :, variable]
                left[ours] = False
        if left.any():
            run = int(self._places.first_run(places[left][:1] + part * self._places.size)[0])
            raise StorageError(f"run {run} has no results in {self.folder}: it did not run, or runs again")

    def _handle(self, listed: Listed) -> Any:
        """Return the open file of a part; the one that was used least recently is closed for it."""
        if listed.part in self._open and self._whole.get(listed.part) == listed:
            self._open.move_to_end(listed.part)
            return self._open[listed.part]
        lost = self._check(listed, deep=True)
        raise_lost(self.folder, [] if lost is None else [lost])
        if listed.part in self._open:
            self._open.pop(listed.part).close()
        while len(self._open) >= _HANDLES:
            self._open.popitem(last=False)[1].close()
        h5py = require("h5py", "sweep")
        path = self.folder / part_name(listed.part)
        try:
            self._open[listed.part] = h5py.File(path, "r")
        except OSError as error:
            raise StorageError(f"{path} cannot be opened: {error}") from error
        return self._open[listed.part]

    def _check(self, listed: Listed, *, deep: bool) -> Lost | None:
        deep = deep and self._whole.get(listed.part) != listed
        lost = check(self.folder, listed, self._places, deep=deep)
        if deep and lost is None:
            self._whole[listed.part] = listed
        return lost

    def _all_heads(self) -> list[Head]:
        """Return what the loose results are, the earlier ones first."""
        ids = [row[0] for row in self._base.execute("SELECT id FROM loose ORDER BY id")]
        self._heads = {key: head for key, head in self._heads.items() if key in set(ids)}
        for key in ids:
            if key not in self._heads:
                (data,) = self._base.execute("SELECT head FROM loose WHERE id = ?", (key,)).fetchone()
                self._heads[key] = unpack_head(data)
        return [self._heads[key] for key in ids]

    def _connect(self) -> sqlite3.Connection:
        base = self._opened("mode=ro")
        try:
            base.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:  # where nothing may be written, SQLite reads a file that nobody writes only
            base.close()
            if self._file.with_name("study.sqlite-wal").exists():
                raise StorageError(f"{self._file} cannot be read: its folder must be writable") from None
            base = self._opened("mode=ro&immutable=1")
        except sqlite3.Error as error:
            base.close()
            raise ResourcesError(f"{self._file} holds no results of a sweep, or is damaged: {error}") from error
        return base

    def _opened(self, options: str) -> sqlite3.Connection:
        try:
            return sqlite3.connect(
                f"{self._file.absolute().as_uri()}?{options}", uri=True, isolation_level=None, timeout=60.0,
                check_same_thread=False,
            )  # fmt: skip
        except sqlite3.Error as error:
            raise StorageError(f"{self._file} cannot be read: {error}") from error

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """See one state of the index throughout; within another one, see its state."""
        with self._lock:
            outer = self._base.in_transaction
            try:
                if not outer:
                    self._base.execute("BEGIN")
                yield
            except sqlite3.OperationalError as error:
                raise StorageError(f"{self._file} cannot be read: {error}") from error
            except sqlite3.DatabaseError as error:
                raise ResourcesError(f"{self._file} holds no results of a sweep, or is damaged: {error}") from error
            finally:
                if not outer and self._base.in_transaction:
                    self._base.execute("ROLLBACK")
