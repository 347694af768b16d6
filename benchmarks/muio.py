"""What an evaluation of a case of MUIO costs, beside MUIO's own two commands on the same data.

``python -m benchmarks.muio CASE [--run RUN]``, with CASE a folder of MUIO's ``DataStorage``. MUIO generates the linear
program by ``glpsol`` and solves it by ``cbc``, which prints all rows; an evaluation reads the case, writes its data,
generates, solves, and returns all outputs. Processor time counts, of all processes that are started.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from trivium.coupling.muio import component, datafile
from trivium.coupling.muio.case import MuioCase
from trivium.coupling.og_clews.mathdata import Declarations, without_comments
from trivium.coupling.og_clews.mathprog import Case


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Return processor time, with all children, and time [s]."""
    began, used = time.perf_counter(), _used()
    work()
    return _used() - used, time.perf_counter() - began


def _used() -> float:
    parts = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in parts)


def main() -> None:
    """Print both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", type=Path)
    parser.add_argument("--run")
    parser.add_argument("--electricity", help="fuel whose cost is an output; by default the first with a demand")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    case = MuioCase.read(arguments.case.absolute())
    run = arguments.run or next(iter(case.runs), None)
    model = case.model(None).absolute()
    program = without_comments(str(model))
    declared = Declarations.read(program)
    text = datafile.write(case, run, program, declared)
    final = Case.read(program, text, case.name).sets.fuels
    options = {"case": str(case.folder), "run": run, "sinks": True, "electricity": arguments.electricity or final[0]}
    options["technologies"] = ["PWR*"] if any(t.startswith("PWR") for t in case.codes("TechId").values()) else ["*"]
    found: dict[str, object] = {}

    def theirs() -> None:
        generate = ["glpsol", "--check", "-m", str(model), "-d", "data.txt", "--wlp", "lp.lp"]
        for argv in (generate, ["cbc", "lp.lp", "solve", "-printing", "all", "-solu", "results.txt"]):
            subprocess.run(argv, check=True, capture_output=True)
        found["theirs"] = float(Path("results.txt").read_text().split("\n", 1)[0].split()[-1])

    def ours() -> None:
        found["ours"] = float(component.solve({}, options)["objective"])

    rows: dict[str, list[tuple[float, float]]] = {"MUIO's two commands": [], "an evaluation here": []}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("data.txt").write_text(text)
        for _ in range(arguments.repeat):
            for name, work in zip(rows, (theirs, ours), strict=True):
                rows[name].append(measured(work))
        os.chdir("/")
    print(f"{case.name}, run {run}, {model.name}; medians of {arguments.repeat}")
    medians = {}
    for name, times in rows.items():
        medians[name], wall = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{name:20} {medians[name]:7.2f} s of processor time, {wall:7.2f} s")
    first, second = medians.values()
    print(f"ratio {second / first:.2f} (wanted: at most 1.2)")
    print(f"objective without the constant {found['theirs']:.6f}, with it {found['ours']:.6f}")


if __name__ == "__main__":
    main()
