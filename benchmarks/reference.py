"""``python -m benchmarks.reference``: our server against AlphaDataCenterCooling's own, on its FMU, on this machine.

Both are started as servers, one after the other, and get the same requests over one kept connection: the control inputs
of the start, under the boundary data, with the tolerance that the reference sets. Ours runs the FMU's own co-simulation
first, then its equations by Model Exchange as the reference does. The reference wants a checkout of its repository that
is complete (two large tables are attachments there) and a Python that can run it: PyFMI, Assimulo, flask-restful,
flask-cors, pandas, torch.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.__main__ import keep_alive, memory, timed
from tests.server import Server

#: Its start script binds to all addresses and to one port; this is the same app under the same server. Its surrogate
#: model can only be loaded where the main module has the class.
_REFERENCE = (
    "from utils import MLP; import os, restapi; restapi.app.run(host='127.0.0.1', port=int(os.environ['PORT']))"
)
#: Its relative tolerance.
_TOLERANCE = 1e-3
#: What is compared at the end: a power that follows the hydraulics, and the temperature that is controlled.
COMPARED = ("P_CDWPs_sum", "P_CHWPs_sum", "Tchw_supply")


class Run(NamedTuple):
    """What a server did.

    Attributes
    ----------
    seconds : list of float
        Of each step.
    growth : float
        Memory that the process of the model took meanwhile [MB].
    reply : Mapping
        The last one.
    """

    seconds: list[float]
    growth: float
    reply: Mapping[str, Any]


def run(server: Server, process: int | None, start: float, steps: int, settle: int) -> Run:
    """Step a server; the first steps are not counted.

    Parameters
    ----------
    server : Server
    process : int or None
        Whose memory is watched; None for the host of the only session.
    start : float
        [s]
    steps, settle : int
        Steps that are counted, and those before.
    """
    inputs = server.request("GET", "/inputs")[1]["payload"]
    state = server.request("PUT", "/initialize", {"start_time": start}, timeout=120)[1]["payload"]
    action = {name: state[name] for name in inputs if name in state}
    step = keep_alive(server.connect(timeout=120))
    timed(step, [action] * settle)
    pid = process or server.hosts()[0]
    before = memory(pid)
    seconds = timed(step, [action] * (steps - 1))
    growth = memory(pid) - before
    return Run(seconds, growth, server.request("POST", "/advance", action, timeout=120)[1]["payload"])


def linked(resources: Path, folder: Path, interface: str) -> Path:
    """Return a folder of the same files, with a choice of interface and the reference's tolerance."""
    folder.mkdir(parents=True)
    for file in resources.iterdir():
        (folder / file.name).symlink_to(file)
    (folder / "testcase.toml").write_text(f'[fmu]\ninterface = "{interface}"\ntolerance = {_TOLERANCE}\n')
    return folder


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reference", description=__doc__)
    parser.add_argument("checkout", type=Path, help="the reference's repository")
    parser.add_argument("--python", default=sys.executable, help="what runs it (default: the Python of this command)")
    parser.add_argument("--start", type=float, default=300000.0, help="start time [s] (default 300000)")
    parser.add_argument("--steps", type=int, default=300, help="steps that are counted (default 300)")
    parser.add_argument("--settle", type=int, default=20, help="steps before (default 20)")
    options = parser.parse_args()
    rest = (options.start, options.steps, options.settle)
    resources = (options.checkout / "Resources").absolute()
    with tempfile.TemporaryDirectory(prefix="trivium-bench-") as folder:
        state = Path(folder)
        command = (options.python, "-c", _REFERENCE)
        with Server(resources, state / "theirs", command, cwd=options.checkout) as server:
            theirs = run(server, server.process.pid, *rest)
        runs = {"reference": theirs}
        for interface in ("cs", "me"):
            mine = linked(resources, state / f"resources-{interface}", interface)
            with Server(mine, state / interface) as server:
                runs[f"ours, {interface}"] = run(server, None, *rest)
    print(f"{options.steps} steps of 300 s from {options.start:.0f} s, the reference's FMU, constant control inputs\n")
    print("| server | median [ms] | p95 [ms] | steps/s | over the reference | memory per 1000 steps [MB] |")
    print("|---|--:|--:|--:|--:|--:|")
    for name, of in runs.items():
        ms, count, total = 1e3 * np.array(of.seconds), len(of.seconds), sum(of.seconds)
        print(
            f"| {name} | {np.median(ms):.1f} | {np.percentile(ms, 95):.1f} | {count / total:.1f} | "
            f"{sum(theirs.seconds) / total:.1f} | {1e3 * of.growth / count:+.1f} |"
        )
    print()
    for name in COMPARED:
        print(f"{name} at the end: " + ", ".join(f"{of} {found.reply[name]:.7g}" for of, found in runs.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
