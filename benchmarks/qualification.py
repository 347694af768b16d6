"""What the qualification of an FMU costs: ``python -m benchmarks.qualification [FMU...]``.

Each FMU is qualified some rounds, with each interface that it has, with nothing stored before. The least and the median
wall-clock time and the time on the processors, of all processes, are printed, and the verdict.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from pathlib import Path

from trivium.environment import ROOT
from trivium.errors import TriviumError
from trivium.model.fmu.description import INTERFACES, read_fmu
from trivium.model.fmu.fmu_model import Setup
from trivium.model.fmu.trying import LIMIT, First, Trying

SHIPPED = [ROOT / "Resources" / "AlphaDataCenterCooling_FMU.fmu", *sorted(ROOT.glob("examples/*/*.fmu"))]


def processor() -> float:
    """Return the time that this process and those that ended were on the processors [s]."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What the qualification of an FMU costs.")
    parser.add_argument("fmus", nargs="*", type=Path, metavar="FMU", help="default: those that are shipped")
    parser.add_argument("--engine", default="fmpy")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print("| FMU | interface | least [s] | median [s] | on the processors [s] | verdict |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as cache:
        for fmu in options.fmus or SHIPPED:
            for interface in INTERFACES:
                try:
                    description = read_fmu(fmu, Path(cache), interface)
                except TriviumError:
                    continue  # it does not offer it, or cannot be run
                seconds, busy = [], []
                for _ in range(options.rounds):
                    started, used = time.perf_counter(), processor()
                    outcome = Trying(description, Setup(fmu, options.engine, interface), First(), LIMIT).outcome()
                    seconds.append(time.perf_counter() - started)
                    busy.append(processor() - used)
                figures = f"{min(seconds):.2f} | {statistics.median(seconds):.2f} | {statistics.median(busy):.2f}"
                print(f"| {fmu.name} | {interface} | {figures} | {outcome.error or outcome} |", flush=True)


if __name__ == "__main__":
    main()
