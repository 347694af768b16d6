"""What a worker is told of a study, the same for all its runs; and what comes back."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trivium.model.contract import FloatArray
from trivium.study.slave import Experiment, Strategy
from trivium.study.spec import Metric

#: States of a run.
PENDING, DONE, FAILED = 0, 1, 2


@dataclass(frozen=True)
class Job:
    """A study, for its workers.

    Attributes
    ----------
    fmu, cache : str
        The file; where it is unpacked.
    fmu_hash, inputs_hash : str
        SHA-256 of the FMU and of the table of inputs; empty for none.
    parameters : tuple of str
        What the columns of a row of the plan are.
    start_values : tuple of (str, float)
        What is set in all runs.
    variables : tuple of str
        What is recorded, in the order of `trivium.study.fmu.in_order`.
    kept : tuple of str
        Those of them whose trajectories are kept, in the same order.
    experiment : Experiment
    inputs : str
        CSV file of inputs; empty for none.
    interpolate : bool
    metrics : tuple of (str, Metric)
    dtype : str
        Of trajectories: float32, float64, or int32 for quanta, delta coded.
    quantum : float
        Twice the absolute error that trajectories may have; 0 where they are not quantised.
    time_limit : float
        Longest time of one run [s].
    strategy : Strategy
    controller : str
        Of a test case, which `fmu` names the folder of; empty where an FMU is run alone.
    """

    fmu: str
    cache: str
    fmu_hash: str
    inputs_hash: str
    parameters: tuple[str, ...]
    start_values: tuple[tuple[str, float], ...]
    variables: tuple[str, ...]
    kept: tuple[str, ...]
    experiment: Experiment
    inputs: str
    interpolate: bool
    metrics: tuple[tuple[str, Metric], ...]
    dtype: str
    quantum: float
    time_limit: float
    strategy: Strategy = "fresh"
    controller: str = ""

    def named(self, row: FloatArray) -> dict[str, float]:
        """Return a row of the plan by name."""
        return dict(zip(self.parameters, row.tolist(), strict=True))

    @property
    def times(self) -> FloatArray:
        """Return the times of the output points."""
        return self.experiment.start + self.experiment.step * np.arange(self.experiment.count + 1, dtype=np.float64)

    @property
    def bytes_of_run(self) -> int:
        """Return the size of one run's trajectories [bytes]."""
        return (self.experiment.count + 1) * len(self.kept) * np.dtype(self.dtype).itemsize

    def shortened(self, steps: int) -> Job:
        """Return the same with fewer steps."""
        return replace(self, experiment=replace(self.experiment, count=min(steps, self.experiment.count)))

    def identity(self) -> str:
        """Return a hash of all that the results of a run depend on besides its parameters."""
        from trivium.study.loop import VERSION

        content = {
            **{key: value for key, value in asdict(self).items() if key not in _ELSEWHERE},
            "metrics": [(name, metric.model_dump()) for name, metric in self.metrics],
            "machine": (sys.platform, platform.machine()),
            "version": VERSION,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


#: What does not change the numbers: where files are, how long a run may take, how an instance becomes fresh.
_ELSEWHERE = ("fmu", "cache", "inputs", "time_limit", "strategy")


@dataclass
class Results:
    """What came of some runs.

    Attributes
    ----------
    runs : array of int64, shape (k,)
        Their numbers.
    status : array of int8, shape (k,)
        `DONE` or `FAILED`.
    metrics : FloatArray, shape (k, n_metrics)
        NaN where a run failed.
    trajectories : array, shape (k, n_times, n_kept)
        In the job's dtype; NaN, or 0 for quanta, where a run failed.
    reasons : Mapping[int, str]
        Why runs failed.
    seconds : float
        Time that the runs took [s].
    """

    runs: NDArray[np.int64]
    status: NDArray[np.int8]
    metrics: FloatArray
    trajectories: NDArray[np.generic]
    reasons: Mapping[int, str] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def empty(cls, job: Job, runs: NDArray[np.int64]) -> Results:
        """Return room for the results of some runs, all failed so far."""
        shape = (runs.size, job.experiment.count + 1 if job.kept else 0, len(job.kept))
        hole = 0 if job.quantum else np.nan
        return cls(
            runs,
            np.full(runs.size, FAILED, np.int8),
            np.full((runs.size, len(job.metrics)), np.nan),
            np.full(shape, hole, np.dtype(job.dtype)),
            {},
        )

    @classmethod
    def failed(cls, job: Job, runs: NDArray[np.int64], reason: str) -> Results:
        """Return the results of runs that failed for one reason."""
        results = cls.empty(job, runs)
        results.reasons = {int(run): reason for run in runs}
        return results


def hash_file(path: Path | None) -> str:
    """Return the SHA-256 of a file; empty for none."""
    if path is None:
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
