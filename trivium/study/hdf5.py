"""The only writer of HDF5: immutable parts, and ``results.h5``, a small file of virtual datasets over them.

A part holds, for its runs, ``status`` (1 done, 2 failed), ``parameters/<name>``, ``metrics/<name>`` and
``trajectories`` [run, time, variable]. Chunked by runs, compressed by HDF5's own gzip, which every
tool reads. Quantised trajectories are whole numbers, delta coded along time (`trivium.study.quanta`), with the
attribute ``quantum``. A parameter that is a text has the place of the run's text in the attribute ``texts``, JSON.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trivium.errors import StorageError
from trivium.extras import require
from trivium.model.contract import FloatArray
from trivium.storage import replace_durably
from trivium.study.job import Job, Results
from trivium.study.packing import column_name, columns_of
from trivium.study.store import Store
from trivium.study.whole import Listed, digest_of, part_name, raise_lost

#: Filters that every build of HDF5 has.
_PACKED: Mapping[str, Any] = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
#: Runs a chunk of trajectories, and the most bytes of one.
_CHUNK_RUNS, _CHUNK_BYTES = 16, 4 * 2**20


def write_part(store: Store, part: int, job: Job, rows: FloatArray, results: Results) -> None:
    """Write a part and list it.

    Parameters
    ----------
    store : Store
    part : int
    job : Job
    rows : FloatArray, shape (k, n_parameters)
    results : Results
        Of all its runs, in their order.
    """
    path = store.path_of(part)
    with written(path) as file:
        file.create_dataset("run", data=results.runs, **_PACKED)
        for name, values in columns_of(job, rows, results).items():
            file.create_dataset(name, data=np.ascontiguousarray(values), **_PACKED)
        if job.kept:
            shape = results.trajectories.shape
            file.create_dataset("trajectories", data=results.trajectories, chunks=_chunks(shape, job.dtype), **_PACKED)
    listed = Listed(part, results.runs.size, path.stat().st_size, digest_of(path))
    store.list_part(part, job, rows, results, listed)


def read_part(store: Store, part: int, job: Job, results: Results) -> None:
    """Fill results with those of a part.

    Raises
    ------
    StorageError
        When it is not what was written.
    """
    h5py = require("h5py", "sweep")
    lost = store.check(part)
    raise_lost(store.folder, [] if lost is None else [lost])
    with h5py.File(store.path_of(part), "r") as file:
        count = len(file["status"])  # a part that was the last one has fewer than those after it, in a grown study
        results.status[:count] = file["status"]
        for place, (name, _) in enumerate(job.metrics):
            results.metrics[:count, place] = file[column_name("metrics", name)]
        if job.kept:
            results.trajectories[:count] = file["trajectories"]


def link(store: Store, job: Job) -> None:
    """Write ``results.h5`` anew over the parts that are whole, for tools that read HDF5; other runs have the status 0.

    HDF5 gives runs of a part that cannot be opened the status 0 too, without a word: the attribute ``parts`` is the
    number of files that must be there. Of a study that has grown the order is that of the parts, with the dataset
    ``run``: the number of a run, -1 of one that the study no longer has.
    """
    h5py = require("h5py", "sweep")
    path = store.folder / "results.h5"
    parts, places = store.parts(), store.places()
    count = places.count
    points = job.times.size

    def join(file: Any, name: str, shape: tuple[int, ...], dtype: str, hole: float) -> Any:
        layout = h5py.VirtualLayout(shape, dtype)
        for part, runs in parts.items():
            first = part * places.size
            source = h5py.VirtualSource(part_name(part), name, (runs, *shape[1:]), dtype)
            layout[first : first + runs] = source
        return file.create_virtual_dataset(name, layout, fillvalue=hole)

    with written(path) as file:
        file.create_dataset("time", data=job.times)
        if places.grown:
            file.create_dataset("run", data=places.first_run(np.arange(count)), **_PACKED)
        join(file, "status", (count,), "i1", 0)
        for name in job.parameters:
            join(file, column_name("parameters", name), (count,), "f8", np.nan)
        for name, _ in job.metrics:
            join(file, column_name("metrics", name), (count,), "f8", np.nan)
        file.attrs["parts"] = len(parts)
        file.attrs["variables"] = list(job.kept)
        file.attrs["parameters"] = list(job.parameters)
        file.attrs["metrics"] = [name for name, _ in job.metrics]
        indicators = {name: metric.variable for name, metric in job.metrics if metric.method == "kpi"}
        file.attrs["indicators"] = json.dumps(indicators)
        file.attrs["texts"] = json.dumps(dict(job.texts))
        file.attrs["sampling"] = json.dumps(json.loads(store.about()["description"])["sampling"])
        if job.kept:
            hole = 0 if job.quantum else np.nan
            made = join(file, "trajectories", (count, points, len(job.kept)), job.dtype, hole)
            made.attrs["quantum"] = job.quantum
        failed = store.failures()
        file.create_dataset("failures/run", data=np.array(list(failed), dtype=np.int64))
        file.create_dataset("failures/reason", data=list(failed.values()), dtype=h5py.string_dtype())


def stored_bytes(path: Path) -> int:
    """Return how much of a part grows with the number of its runs [bytes]."""
    h5py = require("h5py", "sweep")
    total = 0
    with h5py.File(path) as file:
        names: list[str] = []
        file.visit(names.append)
        for name in names:
            if isinstance(file[name], h5py.Dataset):
                dataset = file[name]
                total += dataset.id.get_storage_size() if name == "trajectories" else dataset.nbytes
    return total


@contextlib.contextmanager
def written(path: Path) -> Iterator[Any]:
    """Yield a file that is made in memory and written as a whole: HDF5 crashes when the disk is full.

    Raises
    ------
    StorageError
        When it cannot be written; an earlier file of that name is kept.
    """
    h5py = require("h5py", "sweep")
    unfinished = path.with_name(f".{path.name}.unfinished")
    with h5py.File(path.name, "w", libver="latest", driver="core", backing_store=False) as file:
        yield file
        file.flush()
        image = file.id.get_file_image()
    try:
        unfinished.write_bytes(image)
        replace_durably(unfinished, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise StorageError(
            f"{path.parent} cannot take {path.name}: {error.strerror}; what is stored is kept, and the same command "
            "goes on from there"
        ) from error


def _chunks(shape: tuple[int, ...], dtype: str) -> tuple[int, ...]:
    runs, points, _ = shape
    per_run = points * np.dtype(dtype).itemsize
    return (max(1, min(runs, _CHUNK_RUNS, _CHUNK_BYTES // per_run)), min(points, _CHUNK_BYTES // 8), 1)
