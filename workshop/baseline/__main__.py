"""Run the baseline year: ``python -m workshop.baseline``.

Writes Initialization_observation0.csv and Initialization_actions.npz into Resources/, and
testing/RealWorld_Actions_Observations.csv; then says how the controller did.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from trivium.plants.cooling.rules import INPUTS, Mode, Rules
from trivium.plants.cooling.surrogate import load_chiller_power
from trivium.simulation.boundary import Disturbances
from workshop.baseline.year import OBSERVATION, Row, drive, first_observation, write_actions, write_observation
from workshop.surrogates.operating_points import chillers_load

FloatArray = NDArray[np.float64]

ROOT = Path(__file__).resolve().parents[2]
#: Rows of the recorded run: 2000 steps of validation from any of the first 1000 rows on, and the row after them.
RECORDED = 3001
SUPPLY = "Tchw_supply"
POWERS = ("P_Chillers_sum", "P_CDWPs_sum", "P_CHWPs_sum", "P_CTfans_sum")
UNITS = {
    "chillers": [f"CHI0{i}" for i in range(1, 7)],
    "condenser water pumps": [f"CDWP0{i}_ONOFF" for i in range(1, 7)],
    "chilled water pumps": [f"CHWP0{i}_ONOFF" for i in range(1, 7)],
    "towers": [f"U_CT{i}" for i in range(1, 7)],
}


def record(path: Path, rows: list[Row], boundary: Disturbances) -> None:
    """Write a run: the actions from each time on, boundary data and measurements at that time."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        outputs = sorted(rows[0].before)
        writer.writerow(["time", *INPUTS, *boundary.names, *outputs])
        for row, disturbed in zip(rows, boundary.values, strict=False):
            values = [*(row.action[n] for n in INPUTS), *disturbed, *(row.before[n] for n in outputs)]
            writer.writerow([f"{row.time:.0f}", *(f"{value:.8g}" for value in values)])


def report(actions: FloatArray, modes: list[Mode], supply: FloatArray, powers: FloatArray) -> None:
    """Say how well and how calmly the plant was run."""
    error = supply - Rules().supply
    days = len(actions) / 288.0
    print("supply temperature over set point [K]:", end=" ")
    print(", ".join(f"{q:g} %: {np.percentile(error, q):+.2f}" for q in (0, 1, 50, 99, 100)))
    warm = ", ".join(f"by more than {limit:g} K {np.sum(error > limit)}" for limit in (0.5, 1.0, 2.0))
    print(f"steps above set point: {warm}, of {error.size}")
    for mode in Mode:
        chosen = np.array([m is mode for m in modes])
        mean = powers[chosen].mean(axis=0) / 1e3 if chosen.any() else np.zeros(len(POWERS))
        listed = ", ".join(f"{n} {p:.1f}" for n, p in zip(POWERS, mean, strict=True))
        print(f"mode {mode.name.lower()}: {chosen.mean():.1%} of the time; mean power [kW] {listed}")
    changes = sum(a is not b for a, b in zip(modes, modes[1:], strict=False))
    print(f"changes of mode: {changes}, {changes / days:.2f} a day")
    for what, names in UNITS.items():
        columns = actions[:, [INPUTS.index(n) for n in names]] > 0.5
        starts = int(np.sum(~columns[:-1] & columns[1:]))
        print(f"starts of {what}: {starts}, {starts / days:.2f} a day; shortest run {shortest_run(columns)} steps")
    fans = actions[:, [k for k, name in enumerate(INPUTS) if name.startswith("Ffan")]] > 0.0
    starts = int(np.sum(~fans[:-1] & fans[1:]))
    print(f"starts of fans: {starts}, {starts / days:.2f} a day for all twelve")
    print(f"electricity: {powers.sum() * 300.0 / 3.6e12:.2f} GWh")


def shortest_run(on: NDArray[np.bool_]) -> int:
    """Shortest time that a unit ran, in steps; runs at the ends of the data do not count."""
    lengths = []
    for column in on.T:
        edges = np.flatnonzero(np.diff(column.astype(np.int8)))
        starts = [e for e in edges if not column[e]]
        lengths += [int(edges[edges > s][0] - s) for s in starts if (edges > s).any()]
    return min(lengths, default=0)


def main() -> None:
    """Run the year and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, help="stop after that many rows; writes nothing")
    rows = parser.parse_args().rows
    resources = ROOT / "Resources"
    boundary = Disturbances.read(resources / "Disturbance.csv")
    if rows is None:
        write_observation(resources / OBSERVATION, first_observation(resources))
    count = rows or len(boundary.values)
    actions, recorded, modes = np.empty((count, len(INPUTS))), [], []
    supply, powers, told = np.empty(count), np.empty((count, len(POWERS))), np.zeros(count)
    surrogate = load_chiller_power(resources / "chiller_power.pth")
    for k, row in enumerate(tqdm(drive(resources, boundary, count), total=count, unit="step", mininterval=1.0)):
        actions[k] = [row.action[n] for n in INPUTS]
        supply[k], powers[k] = row.after[SUPPLY], [row.after[n] for n in POWERS]
        inputs = {**row.action, **dict(zip(boundary.names, boundary.values[k], strict=True))}
        told[k] = surrogate.predict(*chillers_load(inputs, row.before)).sum()
        modes.append(row.mode)
        if k < RECORDED:
            recorded.append(row)
    if rows is None:
        distinct = write_actions(resources / "Initialization_actions.npz", actions)
        print(f"{count} actions, {distinct} distinct")
        record(ROOT / "testing" / "RealWorld_Actions_Observations.csv", recorded, boundary)
    report(actions, modes, supply, powers)
    measured = powers[:, 0]
    error, on = told - measured, measured > 1e3
    print(
        f"surrogate of the chillers' power, while they run: RMSE {np.sqrt(np.mean(error[on] ** 2)) / 1e3:.1f} kW of "
        f"{measured[on].mean() / 1e3:.1f} kW, median {np.median(np.abs(error[on]) / measured[on]):.1%}"
    )


if __name__ == "__main__":
    main()
