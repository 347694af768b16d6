"""Runs that were simulated before, in any study: a run known here is not simulated again.

The key is a hash of all that the results depend on: the FMU, the parameters to the last bit, the settings, the kind of
machine and the version of the loop. The least recently used runs go when the cache is full.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from trivium import storage
from trivium.model.contract import FloatArray
from trivium.study.job import DONE, Job, Results

#: Most bytes of the strategies that are stored.
_STRATEGIES = 10**6


class Cache:
    """The runs of all studies, and how instances of FMUs are reused.

    Parameters
    ----------
    path : Path
        An SQLite file.
    limit : int
        Most bytes of results that are stored; 0 stores none.

    Raises
    ------
    StorageError
        When it cannot be used; all methods raise it.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._runs = storage.Cache(path, limit)
        self._strategies = storage.Cache(path.with_name("strategies.sqlite"), _STRATEGIES)

    def close(self) -> None:
        """Close the files."""
        self._runs.close()
        self._strategies.close()

    def content(self) -> storage.Content:
        """Count the runs and their bytes."""
        return self._runs.content()

    def clear(self) -> None:
        """Remove all runs and strategies."""
        self._runs.clear()
        self._strategies.clear()

    def strategy(self, fmu: str) -> str | None:
        """Return how instances of an FMU are reused; None where no self-test has decided it."""
        data = self._strategies.get([fmu.encode()]).get(fmu.encode())
        return None if data is None else data.decode()

    def set_strategy(self, fmu: str, strategy: str) -> None:
        """Store how instances of an FMU are reused."""
        self._strategies.put({fmu.encode(): strategy.encode()})

    def find(self, job: Job, keys: Sequence[bytes], results: Results) -> None:
        """Fill results with the runs in the cache; their status is `DONE` then.

        Parameters
        ----------
        job : Job
        keys : sequence of bytes, length k
        results : Results
            Empty ones of the runs of these keys.
        """
        entries = self._runs.get(keys)
        for place, key in enumerate(keys):
            if key in entries:
                _unpack(entries[key], job, results, place)

    def add(self, job: Job, keys: Mapping[int, bytes], results: Results) -> None:
        """Store the runs that are done.

        Parameters
        ----------
        job : Job
        keys : Mapping[int, bytes]
            By number of the run.
        results : Results
        """
        runs = enumerate(results.runs.tolist())
        self._runs.put({keys[run]: _pack(job, results, i) for i, run in runs if results.status[i] == DONE})


def keys_of(job: Job, identity: str, rows: FloatArray) -> list[bytes]:
    """Return the keys of runs.

    Parameters
    ----------
    job : Job
    identity : str
        `Job.identity`, which is the same for all of them.
    rows : FloatArray, shape (k, n_parameters)
    """
    start = hashlib.sha256(identity.encode())
    texts = [(job.parameters.index(name), texts) for name, texts in job.texts]
    keys = []
    for row in rows + 0.0:  # -0.0 and 0.0 are one value
        key = start.copy()
        for place, each in texts:  # which text it is matters, not its place among those of the study
            key.update(hashlib.sha256(each[int(row[place])].encode()).digest())
            row[place] = 0.0
        key.update(row.astype("<f8").tobytes())
        keys.append(key.digest())
    return keys


def _pack(job: Job, results: Results, place: int) -> bytes:
    """Return a run as bytes; only differences of quanta are compressed, of floats it saves little and takes long."""
    raw = results.metrics[place].tobytes() + results.trajectories[place].tobytes()
    return zlib.compress(raw, 1) if job.quantum else raw


def _unpack(data: bytes, job: Job, results: Results, place: int) -> None:
    raw = zlib.decompress(data) if job.quantum else data
    split = results.metrics[place].nbytes
    results.metrics[place] = np.frombuffer(raw[:split], np.float64)
    results.trajectories[place] = np.frombuffer(raw[split:], job.dtype).reshape(results.trajectories[place].shape)
    results.status[place] = DONE
