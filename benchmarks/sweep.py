"""``python -m benchmarks.sweep``: what a sweep costs beside the FMU alone; memory, writing, size, cache, resume.

The FMU is the fuel cycle of examples/fuel_cycle. Runs are spread over the whole plan of its study.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil

from trivium.engine import cores
from trivium.environment import ROOT
from trivium.model.fmu.description import read_fmu
from trivium.model.fmu.native import NativeLoop, in_order
from trivium.study.cache import Cache
from trivium.study.drive import State
from trivium.study.hdf5 import stored_bytes
from trivium.study.job import DONE, Job, Results
from trivium.study.opening import open_store
from trivium.study.parts import Parts
from trivium.study.plan import Plan
from trivium.study.prepare import prepare
from trivium.study.spec import load_study
from trivium.study.study import run_study
from trivium.study.where import Where

STUDY = ROOT / "examples" / "fuel_cycle" / "study.json"


class Bench:
    """A folder for everything, and what is measured in it.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.where = Where(folder / "fmus")
        self.cache = Cache(folder / "runs.sqlite", 10**10)

    def study(self, name: str, **changes: Any) -> Path:
        """Write the study with changes of whole sections."""
        content = {**json.loads(STUDY.read_text()), **changes}
        content["paths"] = {"package_path": str(STUDY.parent / "FuelCycle.fmu")}
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(content))
        return path

    def spread(self, name: str, count: int, **changes: Any) -> Path:
        """Write the study with some runs, spread over its plan."""
        plan, _ = self.prepared(self.study("whole"))
        runs = np.linspace(0, plan.count - 1, count).astype(int)
        rows = np.concatenate([plan.rows(run, run + 1) for run in runs.tolist()])
        values = dict(zip(plan.names, rows.T.tolist(), strict=True))
        return self.study(name, simulation_parameters=values, sampling={"method": "zip"}, **changes)

    def prepared(self, path: Path) -> tuple[Plan, Job]:
        """Check a study."""
        return prepare(load_study(path), path.parent, self.where.unpacked)

    def run(self, path: Path, out: str, cache: Cache | None, heard: Callable[[State], None] = lambda _: None) -> float:
        """Run a study; return the seconds."""
        started = time.perf_counter()
        run_study(path, self.folder / out, self.where, cache, heard, lambda _: None)
        return time.perf_counter() - started

    def speed(self, count: int) -> None:
        """Print the rate of the bare loop and of the sweep, and of the study from the cache."""
        path = self.spread("speed", count)
        plan, job = self.prepared(path)
        bare = _bare(plan, job, count, self.where.unpacked)
        with ProcessPoolExecutor(cores(), multiprocessing.get_context("spawn")) as pool:
            asked = [pool.submit(_bare, plan, job, count // 2, self.where.unpacked) for _ in range(cores())]
            crowded = Cost(*np.mean([one.result() for one in asked], axis=0))
        moments: list[tuple[float, float, int]] = []
        whole = self.run(path, "speed", self.cache, lambda s: moments.append((time.perf_counter(), _cpu(), s.done)))
        (first, busy, before), (last, busier, after) = moments[min(len(moments) - 2, 2 * cores())], moments[-1]
        steady = (after - before) / (last - first)
        cpu = (busier - busy) / (after - before)
        print(f"bare loop, one process          {1 / bare.seconds:8.2f} runs/s, {bare.cpu:.4f} s of CPU a run")
        rate = cores() / crowded.seconds
        print(f"the same, {cores()} processes at once    {rate:8.2f} runs/s, {crowded.cpu:.4f} s of CPU a run")
        print(f"sweep under way, {cores()} workers      {steady:8.2f} runs/s, {cpu:.4f} s of CPU a run")
        share = f"{steady / rate:8.2f} of the rate, {crowded.cpu / cpu:.2f} for equal CPU time"
        print(f"of the bare loops at once       {share}")
        print(f"sweep, start and end included   {count / whole:8.2f} runs/s")
        known = self.run(path, "known", self.cache)
        faster = whole / known
        print(f"the same from the cache         {known:8.2f} s instead of {whole:.1f} s: {faster:.0f} times faster")
        print(f"the same command again          {self.run(path, 'known', self.cache):8.2f} s")
        print(f"all 1,814,400 runs              {1_814_400 / steady / 3600:8.1f} h at this rate")

    def size(self, count: int) -> None:
        """Print the size of a run on disk, as it is and quantised, and how fast runs are written."""
        path = self.spread("size", count)
        plan, job = self.prepared(path)
        values = _simulated(plan, job)
        for name, chosen in (("float32", job), ("within 0.5 g", replace(job, dtype="int32", quantum=1.0))):
            study = load_study(path)
            study = study.model_copy(update={"output": study.output.model_copy(update={"runs_per_part": count})})
            store = open_store(self.folder / f"size-{chosen.dtype}", plan, chosen, study)
            parts = Parts(store, plan, chosen)
            results = _packed(chosen, values)
            started = time.perf_counter()
            parts.add(results)
            seconds = time.perf_counter() - started
            each = stored_bytes(store.path_of(0)) / count
            print(f"a run on disk, {name:16} {each / 1e3:8.2f} kB, {1814400 * each / 1e9:.1f} GB for 1,814,400")
            print(f"written                         {count / seconds:8.0f} runs/s")
            store.close()

    def memory(self, counts: list[int]) -> None:
        """Print the greatest memory of all processes for runs of one step, metrics only."""
        for count in counts:
            side = round(count**0.5)
            path = self.study(
                f"memory-{count}",
                simulation={"stop_time": 1, "step_size": 1},
                simulation_parameters={
                    "bz.TBR": f"linspace:1.05:1.2:{side}",
                    "plasma.Burn_Fraction": f"linspace:0.02:0.1:{count // side}",
                },
                metrics={"last": {"variable": "sds.inventory", "method": "final"}},
                output={"trajectories": False},
            )
            with _watched() as most:
                seconds = self.run(path, f"memory-{count}", None)
            driver, whole = most()
            planned = side * (count // side)
            print(
                f"{planned:9} runs of one step        {planned / seconds:8.0f} runs/s; memory of the driver with the "
                f"scheduler {driver / 1e6:.0f} MB, of all processes {whole / 1e6:.0f} MB"
            )


class Cost(NamedTuple):
    """Of a run [s]."""

    seconds: float
    cpu: float


def _bare(plan: Plan, job: Job, count: int, unpacked: Path) -> Cost:
    """Return what a run of the loop alone costs: no metrics, nothing kept."""
    loop, out, table = _loop(job, unpacked)
    rows = plan.rows(0, plan.count)[np.linspace(0, plan.count - 1, count).astype(int)]
    horizon = job.recipe.horizon
    recorded = np.ones(horizon.count + 1, np.bool_)
    fixed = horizon.times, np.full(horizon.count, horizon.step), recorded, horizon.tolerance, table, out
    loop.run(dict(zip(job.parameters, rows[0].tolist(), strict=True)), *fixed)
    started, busy = time.perf_counter(), time.process_time()
    for row in rows:
        loop.run(dict(zip(job.parameters, row.tolist(), strict=True)), *fixed)
    return Cost((time.perf_counter() - started) / count, (time.process_time() - busy) / count)


def _cpu() -> float:
    """Return the CPU time of this process and of those that it started [s]."""
    me = psutil.Process()
    times = [process.cpu_times() for process in (me, *me.children(recursive=True))]
    return sum(one.user + one.system for one in times)


def _loop(job: Job, unpacked: Path) -> tuple[NativeLoop, Any, Any]:
    description, count = read_fmu(Path(job.recipe.model), unpacked), job.recipe.horizon.count
    recorded = in_order(v for v in description.numbers if v.variable.name in job.recipe.variables)
    loop = NativeLoop(description, recorded, [], "reset")
    return loop, np.empty((count + 1, len(recorded))), np.empty((count, 0))


def _simulated(plan: Plan, job: Job) -> Any:
    from trivium.study.chunk import run_chunk

    runs = np.arange(plan.count)
    return run_chunk(replace(job, dtype="float64").with_strategy("reset"), runs, plan.rows(0, plan.count)).trajectories


def _packed(job: Job, values: Any) -> Results:
    from trivium.study.quanta import encode

    results = Results.empty(job, np.arange(len(values)))
    results.status[:] = DONE
    for place, run in enumerate(values):
        results.trajectories[place] = encode(run, job.quantum) if job.quantum else run
    return results


@contextlib.contextmanager
def _watched() -> Iterator[Callable[[], tuple[int, int]]]:
    """Watch the memory of this process and of all that it starts [bytes]."""
    me, most, over = psutil.Process(os.getpid()), [0, 0], threading.Event()

    def look() -> None:
        while not over.wait(0.2):
            own, rest = me.memory_info().rss, 0
            for child in me.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    rest += child.memory_info().rss
            most[:] = max(most[0], own), max(most[1], own + rest)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield lambda: (most[0], most[1])
    finally:
        over.set()
        thread.join()


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="runs of the fuel cycle that are simulated")
    parser.add_argument("--planned", type=int, nargs="*", default=[10_000, 100_000], help="runs of one step")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        if options.planned:
            bench.memory(options.planned)
        if options.runs:
            bench.size(min(options.runs, 64))
            bench.speed(options.runs)


if __name__ == "__main__":
    main()
