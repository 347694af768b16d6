"""Write Resources/Disturbance.csv, Signals.csv and the note beside it: ``python -m workshop.boundary [DIRECTORY]``."""

from __future__ import annotations

import argparse
import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workshop.boundary import signals
from workshop.boundary.load import LoadModel
from workshop.boundary.weather import FIRST_DAY, STATION, wet_bulb

ROWS = 100_331
INTERVAL = 300.0
SEED = 20_250_405
#: Date of time 0 for tariffs that know weekdays: a first of April that is a Wednesday, as in the load model.
FIRST_DATE = np.datetime64("2020-04-01")
RESOURCES = Path(__file__).resolve().parents[2] / "Resources"


def disturbances(seed: int = SEED) -> NDArray[np.float64]:
    """Make the data.

    Returns
    -------
    ndarray, shape (100331, 4)
        Time [s], wet bulb temperature [K], chilled water flow [kg/s] and return temperature [K], rounded to 0.01.
    """
    times = INTERVAL * np.arange(ROWS)
    flow, back = LoadModel().chilled_water(times, np.random.default_rng(seed))
    return np.column_stack((times, np.round(np.column_stack((wet_bulb(times), flow, back)), 2)))


def as_csv(data: NDArray[np.float64]) -> bytes:
    """Write the data as the server reads it."""
    lines = ["time,Twb_outside,Mchw,Tchw_r"]
    lines += [f"{time:.0f},{twb:.2f},{flow:.2f},{back:.2f}" for time, twb, flow, back in data]
    return ("\n".join(lines) + "\n").encode()


def signal_table(seed: int = SEED) -> NDArray[np.float64]:
    """Make prices and emissions.

    Returns
    -------
    ndarray, shape (8362, 5)
        Time [s], an hour a row, and `signals.NAMES`, rounded to 0.00001.
    """
    times = signals.HOUR * np.arange(np.ceil(ROWS * INTERVAL / signals.HOUR) + 1)
    made = signals.signals(times, FIRST_DATE, wet_bulb(times), np.random.default_rng(seed))
    return np.column_stack((times, np.round(made, 5)))


def signals_as_csv(table: NDArray[np.float64]) -> bytes:
    """Write the signals as the server reads them."""
    lines = [",".join(("time", *signals.NAMES))]
    lines += [f"{row[0]:.0f}," + ",".join(f"{value:.5f}" for value in row[1:]) for row in table]
    return ("\n".join(lines) + "\n").encode()


def note(content: bytes) -> str:
    """Say where the data come from."""
    return (
        json.dumps(
            {
                "file": "Disturbance.csv",
                "sha256": hashlib.sha256(content).hexdigest(),
                "made_by": "python -m workshop.boundary",
                "seed": SEED,
                "rows": ROWS,
                "interval_s": INTERVAL,
                "Twb_outside": f"{STATION}, from {FIRST_DAY} on, as shipped by pvlib {version('pvlib')}; wet bulb by "
                f"psychrolib {version('psychrolib')}",
                "Mchw, Tchw_r": "the load model of workshop/boundary/load.py",
                "documentation": "docs/boundary-data.md",
            },
            indent=2,
        )
        + "\n"
    )


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, nargs="?", default=RESOURCES)
    directory = parser.parse_args().directory
    content = as_csv(disturbances())
    (directory / "Disturbance.csv").write_bytes(content)
    (directory / "Disturbance.json").write_text(note(content))
    (directory / "Signals.csv").write_bytes(signals_as_csv(signal_table()))
    print(f"{directory / 'Disturbance.csv'}: {ROWS} rows, {len(content) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
