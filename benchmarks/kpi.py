"""``python -m benchmarks.kpi``: what indicators, forecasts and alarms cost a step, beside the step itself."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.__main__ import baseline, recorded_actions
from trivium.session.local import open_testcase
from trivium.settings import Settings

START = 300000.0


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kpi", description=__doc__)
    parser.add_argument("--steps", type=int, default=2000, help="steps of each row (default 2000)")
    count = parser.parse_args().steps
    settings = Settings()
    with tempfile.TemporaryDirectory(prefix="trivium-bench-") as folder:
        case = open_testcase(settings.resources, Path(folder))
        actions = baseline(recorded_actions(settings), case.inputs, START, count)
        points = list(case.forecast_points)

        def cost(what: Callable[[], object]) -> tuple[float, float]:
            """Return the median of a step and of what is done after each [us]."""
            case.initialize(START)
            steps, extra = [], []
            for action in actions:
                began = time.perf_counter()
                case.advance(action)
                between = time.perf_counter()
                what()
                steps.append(between - began)
                extra.append(time.perf_counter() - between)
            return 1e6 * statistics.median(steps), 1e6 * statistics.median(extra)

        rows = {
            "all indicators": case.kpis,
            "two indicators (ener_tot, tdis_tot)": lambda: case.kpis(["ener_tot", "tdis_tot"]),
            "forecast of all points, 24 h hourly": lambda: case.forecast(points, 86400, 3600),
            "forecast of one point, 24 h in steps of 300 s": lambda: case.forecast(["Twb_outside"], 86400, 300),
            "alarms": case.alarms,
        }
        print(f"median of {count} steps [us]\n\n| after each step | the step | that | share |\n|---|--:|--:|--:|")
        for name, what in rows.items():
            step, extra = cost(what)
            print(f"| {name} | {step:.0f} | {extra:.0f} | {100 * extra / step:.0f} % |")
        case.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
