"""From Submit to the first run of a sweep, stage by stage. ``python -m benchmarks.first_run``.

A server with its worker, at rest, gets the sweep of the plant's two set points that the page *New job* proposes. The
times are those at which the record of the job, asked every 20 ms, first had another message; a record is written at
most four times a second. In the first round the process is made from which those that check studies are forked; on the
page *New job* it is there by the time that one submits. The cache of runs would answer without a run, so each round
sweeps other values.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.server import ROOT, Server

START, DAY = 7_776_000, 86_400
#: Between two looks at the record [s].
LOOK = 0.02


def study(number: int) -> dict[str, Any]:
    """Return a sweep of one day with 25 runs that no other number has."""
    values = [round(285.15 + 0.5 * place + 0.01 * number, 2) for place in range(5)]
    return {
        "testcase": "cooling",
        "simulation": {"start_time": START, "stop_time": START + DAY, "step_size": 300, "controller": "rules"},
        "simulation_parameters": {"Tchws_set_CHI": values, "Tchws_set_HEX": values},
        "metrics": {"energy": {"variable": "ener_tot", "method": "kpi"}},
        "output": {"trajectories": False},
    }


def stages(server: Server, number: int) -> list[tuple[float, str]]:
    """Submit a sweep and return when [s] it was where, until it has ended."""
    began = time.monotonic()
    status, reply, _ = server.request("POST", "/api/run/sweep", study(number))
    if status != 202:
        raise SystemExit(f"POST /api/run/sweep: {reply}")
    seen = [(time.monotonic() - began, "accepted")]
    first = True
    while True:
        _, job, _ = server.request("GET", f"/api/run/status/{reply['task_id']}")
        moment, message = time.monotonic() - began, job["message"]
        done = job["counts"].get("done", 0)
        if first and done:
            first = False
            seen.append((moment, f"first count: {message}"))
        elif (first and message != seen[-1][1]) or job["status"] not in {"Pending", "Running"}:
            seen.append((moment, message))
        if job["status"] not in {"Pending", "Running"}:
            if job["status"] != "Success":
                raise SystemExit((server.state_dir / "jobs" / job["task_id"] / "log.txt").read_text())
            return seen
        time.sleep(LOOK)


def main() -> None:
    """Print the stages of some rounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ready", choices="01", default="1", help="TRIVIUM_WORKER_READY of the server")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(ROOT / "Resources", Path(folder), TRIVIUM_WORKER_JOBS="2", TRIVIUM_WORKER_READY=options.ready) as server,
    ):
        server.request("PUT", "/initialize", {"start_time": START})
        time.sleep(15)  # until a process waits for the first job
        for number in range(options.rounds):
            print(f"\nround {number + 1}\n\n| s | stage |\n|--:|---|")
            for moment, stage in stages(server, number):
                print(f"| {moment:.2f} | {stage} |", flush=True)
            time.sleep(10)


if __name__ == "__main__":
    main()
