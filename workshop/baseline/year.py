"""Run the baseline controller over the boundary data, through the server's own test case."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trivium.plants.cooling.rules import INPUTS, Mode, RuleBasedController
from trivium.session.local import open_testcase
from trivium.simulation.boundary import Disturbances

FloatArray = NDArray[np.float64]

INTERVAL = 300.0
OBSERVATION = "Initialization_observation0.csv"
#: Steps of the first row's weather and load after which the plant counts as in operation at time 0.
RUN_IN = 12


@dataclass(frozen=True)
class Row:
    """What holds at a time, and what is done from then on.

    Attributes
    ----------
    time : float
        [s]
    action : mapping
        Control inputs in force from `time` to 300 s later, by name.
    before : mapping
        Measurements at `time`, before the action.
    after : mapping
        Measurements 300 s later.
    mode : Mode
        Of the controller.
    """

    time: float
    action: Mapping[str, float]
    before: Mapping[str, float]
    after: Mapping[str, float]
    mode: Mode


def drive(resources: Path, boundary: Disturbances, rows: int) -> Iterator[Row]:
    """Step the plant from time 0.

    Parameters
    ----------
    resources : Path
        Folder of the test case.
    boundary : Disturbances
        What the controller is told; that of the folder.
    rows : int
        Number of steps.

    Yields
    ------
    Row
    """
    controller = RuleBasedController()
    with tempfile.TemporaryDirectory() as state:
        case = open_testcase(resources, Path(state))
        try:
            outputs = list(case.measurements)
            seen = case.initialize(0)
            for k in range(rows):
                now = dict(zip(boundary.names, boundary.values[k].tolist(), strict=True))
                if k == 0:
                    controller.reset(seen, now)
                action = controller.action(seen, now)
                reply = case.advance(action)
                time = boundary.time0 + k * boundary.interval
                yield Row(time, action, {n: seen[n] for n in outputs}, {n: reply[n] for n in outputs}, controller.mode)
                seen = reply
        finally:
            case.close()


def first_observation(resources: Path) -> dict[str, float]:
    """Measurements and action of a plant that has run for an hour in the weather and under the load of time 0.

    The test case wants a first observation before it opens, and this is where it comes from; so a folder beside it
    stands in, with neutral values, constant boundary data and otherwise the same files.
    """
    boundary = Disturbances.read(resources / "Disturbance.csv")
    steady = Disturbances(boundary.names, 0.0, INTERVAL, np.repeat(boundary.values[:1], RUN_IN + 1, axis=0))
    with tempfile.TemporaryDirectory() as folder:
        stand_in = Path(folder)
        for path in resources.iterdir():
            if path.name not in (OBSERVATION, "Disturbance.csv"):
                (stand_in / path.name).symlink_to(path.resolve())
        lines = [",".join(f"{value:.17g}" for value in (k * INTERVAL, *row)) for k, row in enumerate(steady.values)]
        (stand_in / "Disturbance.csv").write_text("\n".join([",".join(("time", *steady.names)), *lines]) + "\n")
        from workshop.cooling_plant.variables import OUTPUTS

        neutral = {v.name: 285.0 if v.unit == "K" else 0.0 for v in OUTPUTS}
        write_observation(stand_in / OBSERVATION, dict.fromkeys(INPUTS, 0.0) | neutral)
        *_, last = drive(stand_in, steady, RUN_IN)
    return {**last.action, **last.after}


def write_observation(path: Path, values: Mapping[str, float]) -> None:
    """Write a first observation: ``time`` and then the points in alphabetical order, as the reference does."""
    names = sorted(values)
    path.write_text(",".join(["time", *names]) + "\n" + ",".join(["0", *(f"{values[n]:.10g}" for n in names)]) + "\n")


def write_actions(path: Path, actions: FloatArray) -> int:
    """Write initialization actions in the compact form; return how many are distinct.

    Parameters
    ----------
    path : Path
        The ``.npz`` file; its bytes depend on the actions alone.
    actions : ndarray, shape (rows, 100)
        In the order of `INPUTS`.
    """
    unique, index = np.unique(actions, axis=0, return_inverse=True)
    np.savez_compressed(
        path,
        names=np.array(INPUTS),
        time0=np.float64(0.0),
        interval=np.float64(INTERVAL),
        unique=unique,
        index=index.reshape(-1).astype(np.int32),
    )
    return len(unique)
