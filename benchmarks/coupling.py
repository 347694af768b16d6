"""``python -m benchmarks.coupling``: what coupled iterations cost: evaluations by method, the loop, a status, a log.

``--pair CASE`` measures a real pair: each method from scratch, nothing taken from the cache, which takes a while.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from trivium.coupling.acceleration import Method, following
from trivium.coupling.evaluation import Evaluator
from trivium.coupling.loop import converge
from trivium.coupling.problem import prepare
from trivium.coupling.record import Record
from trivium.coupling.residual import Part, excesses, weights
from trivium.coupling.spec import Case, load_case
from trivium.experiment.runner import run
from trivium.model.contract import FloatArray
from trivium.settings import Settings

METHODS = {
    "alpha 0.2": Method("constant", 0.2),
    "undamped": Method("constant", 1.0),
    "Aitken": Method("aitken"),
    "Anderson": Method("anderson"),
    "IQN-ILS, alpha 0.1": Method("iqn-ils", 0.1),
}
Map = Callable[[FloatArray], FloatArray]
MOST = 1000


def maps() -> dict[str, tuple[Map, FloatArray]]:
    """Return maps by name, each with a start."""
    rng = np.random.default_rng(7)

    def linear(*eigenvalues: float) -> tuple[Map, FloatArray]:
        n = len(eigenvalues)
        basis = np.linalg.qr(rng.standard_normal((n, n)))[0]
        a, b = basis @ np.diag(eigenvalues) @ basis.T, rng.uniform(1.0, 2.0, n)
        return (lambda x: a @ x + b), np.ones(n)

    def market(slope: float) -> tuple[Map, FloatArray]:
        """Return a price that is a power of demand, which is a power of the price, year by year."""
        trend = np.linspace(1.0, 1.6, 20)
        return (lambda p: (trend * p**-0.8) ** slope), np.full(20, 1.3)

    return {
        "linear, n = 1, radius 0.5": linear(0.5),
        "linear, n = 20, radius 0.2": linear(*rng.uniform(-0.2, 0.2, 20)),
        "linear, n = 20, radius 0.9": linear(*rng.uniform(-0.9, 0.9, 20)),
        "linear, n = 5, radius 0.99": linear(0.99, 0.9, 0.5, -0.3, 0.1),
        "linear, n = 5, radius 1.5, repelling": linear(-1.5, 1.2, 0.5, -0.3, 0.1),
        "market, n = 20, radius 0.4": market(0.5),
        "market, n = 20, radius 1.2, repelling": market(1.5),
    }


def evaluations(g: Map, x: FloatArray, method: Method, relative: float) -> int | None:
    """Return how often a map is evaluated until the residual is within a tolerance; None where it never is."""
    parts = [Part("x", len(x), relative=relative)]
    xs, gs, weighted = [], [], np.ones(len(x))
    with np.errstate(all="ignore"):
        while len(xs) < MOST:
            xs.append(x)
            gs.append(g(x))
            if not np.isfinite(gs[-1]).all():
                return None
            weighted = weights(parts, xs[0], gs[0])
            if excesses(parts, xs[-1], gs[-1])["x"] <= 1.0:
                return len(xs)
            x, _ = following(method, xs, gs, weighted)
    return None


def by_method(relative: float) -> None:
    """Print evaluations to tolerance by method."""
    print(f"## Evaluations to a relative residual of {relative:g} (- none within {MOST})\n")
    print(f"| map | {' | '.join(METHODS)} |\n|---|{'--:|' * len(METHODS)}")
    for name, (g, x) in maps().items():
        counts = [evaluations(g, x.copy(), method, relative) for method in METHODS.values()]
        print(f"| {name} | {' | '.join('-' if count is None else str(count) for count in counts)} |")


def of_pair(path: Path, most: int) -> None:
    """Print evaluations of a real case by method."""
    print(f"\n## Iterations of {path.parent.name} to its tolerance\n")
    print("| method | outcome | iterations | delta | time [s] |\n|---|---|--:|--:|--:|")
    case = load_case(path)
    for name, method in METHODS.items():
        chosen = case.with_settings(method=method.name, alpha=method.alpha, max_iterations=most)
        with workplace(chosen, path.parent) as (problem, record, evaluator):
            began = time.perf_counter()
            result = converge(problem, record, evaluator)
            took = time.perf_counter() - began
            delta = result.iterations[-1].figures["delta"] if result.iterations else None
            print(
                f"| {name} | {result.ending} | {len(result.iterations)} | {delta or 0.0:.1e} | {took:.0f} |", flush=True
            )


@contextlib.contextmanager
def workplace(case: Case, folder: Path):
    """Make a case ready in a folder of its own, without a cache."""
    with tempfile.TemporaryDirectory(prefix="trivium-bench-") as place:
        problem = prepare(case, folder, Settings())
        with contextlib.closing(Record(Path(place), problem.identity)) as record:
            yield problem, record, Evaluator(problem, record, None, Path(place) / "work")


def overhead(count: int) -> None:
    """Print what an iteration costs without its models."""
    print(f"\n## An iteration without its models, median of {count} [ms]\n")
    print("| components | n = 1 | n = 1000 |\n|---|--:|--:|")
    for name, apart in (("two in this process", False), ("two in processes of their own", True)):
        cells = []
        for n in (1, 1000):
            with tempfile.TemporaryDirectory(prefix="trivium-bench-") as place:
                (Path(place) / "bare.py").write_text(
                    "def same(inputs, options):\n    return {'y': inputs['x'] * -0.999 + 1}\n"
                )
                variable = {"dims": {"i": n}}
                one = {
                    "kind": "python",
                    "callable": "bare:same",
                    "process": apart,
                    "inputs": {"x": {**variable, "initial": 0}},
                    "outputs": {"y": variable},
                }
                links = [{"from": "a.y", "to": "b.x"}, {"from": "b.y", "to": "a.x"}]
                most = max(3, count // 10) if apart else count
                chosen = {"components": {"a": one, "b": one}, "connections": links, "alpha": 0.5, "tolerance": 1e-300}
                case = Case.model_validate({**chosen, "max_iterations": most, "patience": 10**6})
                with workplace(case, Path(place)) as (problem, record, evaluator):
                    times = [time.perf_counter()]
                    converge(problem, record, evaluator, lambda _, times=times: times.append(time.perf_counter()))
            cells.append(1e3 * statistics.median(np.diff(times)))
        print(f"| {name} | {' | '.join(f'{cell:.1f}' for cell in cells)} |")


def log_memory(megabytes: int) -> None:
    """Print how much memory a run of a talkative program needs."""
    with tempfile.TemporaryDirectory(prefix="trivium-bench-") as place:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        code = f"import sys\nfor _ in range({megabytes}): sys.stdout.write('x' * 1048575 + chr(10))"
        done = run([sys.executable, "-c", code], Path(place), 600)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"\na log of {megabytes / 1024:.2f} GiB in {done.seconds:.1f} s: memory grew by {grown / 1024:.1f} MiB")


def status_latency(seconds: float) -> None:
    """Print how long a status takes while jobs converge and other clients ask too."""
    from tests.server import Server

    with tempfile.TemporaryDirectory(prefix="trivium-bench-") as place:
        folder = Path(place) / "studies" / "busy"
        folder.mkdir(parents=True)
        (folder / "busy.py").write_text(
            "import time\ndef same(inputs, options):\n    end = time.time() + 0.2\n    while time.time() < end: pass\n"
            "    return {'y': inputs['x'] * -0.999 + 1}\n"
        )
        one = {"kind": "python", "callable": "busy:same", "inputs": {"x": {"initial": 0}}, "outputs": {"y": {}}}
        links = [{"from": "a.y", "to": "a.x"}]
        case = {"components": {"a": one}, "connections": links, "alpha": 0.1, "max_iterations": 10**5}
        (folder / "case.json").write_text(json.dumps(case))
        variables = {"TRIVIUM_STUDIES": str(folder.parent), "TRIVIUM_WORKER_JOBS": "2"}
        with Server(Settings().resources, Path(place) / "state", **variables) as server:
            tasks = [server.request("POST", "/api/run/converge", {"case_name": "busy"})[1]["task_id"] for _ in range(2)]
            while any(
                (server.request("GET", f"/api/run/status/{task}")[1]["iterations_run"] or 0) < 2 for task in tasks
            ):
                time.sleep(0.2)
            times: list[float] = []

            def ask(task: str) -> None:
                connection, end = server.connect(), time.monotonic() + seconds
                while time.monotonic() < end:
                    began = time.perf_counter()
                    connection.request("GET", f"/api/run/status/{task}")
                    connection.getresponse().read()
                    times.append(time.perf_counter() - began)
                    time.sleep(0.05)

            threads = [threading.Thread(target=ask, args=(tasks[i % 2],)) for i in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for task in tasks:
                server.request("POST", f"/api/run/cancel/{task}")
    found = ", ".join(f"{at} % {1e3 * np.percentile(times, at):.1f}" for at in (50, 95, 99))
    print(f"\nstatus while two jobs converge and 8 clients ask every 50 ms, {len(times)} replies [ms]: {found}")


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coupling", description=__doc__)
    parser.add_argument("--pair", type=Path, metavar="CASE", help="measure the methods on a real case instead")
    parser.add_argument("--most", type=int, default=60, help="most iterations of the pair (default 60)")
    parser.add_argument("--count", type=int, default=200, help="iterations for the overhead (default 200)")
    parser.add_argument("--log", type=int, default=1024, help="size of the log [MiB] (default 1024)")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long statuses are asked for (default 10)")
    options = parser.parse_args()
    if options.pair is not None:
        of_pair(options.pair, options.most)
        return 0
    by_method(1e-4)
    overhead(options.count)
    log_memory(options.log)
    status_latency(options.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
