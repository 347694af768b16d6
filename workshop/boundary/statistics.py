"""Print what boundary data are like: ``python -m workshop.boundary.statistics FILE...`` (plain or gzipped CSV).

The table of docs/boundary-data.md compares our data with the file that the reference project publishes.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

COLUMNS = ("Twb_outside", "Mchw", "Tchw_r")
LAGS = {"5 min": 1, "1 h": 12, "1 day": 288, "30 days": 8640}
WATER = 4186.0
SUPPLY = 287.15


def describe(data: pd.DataFrame) -> pd.DataFrame:
    """Tabulate range, spread, persistence and change from row to row of each column, and of the heat [MW]."""
    data = data[list(COLUMNS)].assign(heat=data["Mchw"] * WATER * (data["Tchw_r"] - SUPPLY) / 1e6)
    table = {}
    for name, series in data.items():
        change = series.diff().dropna()
        row = {"min": series.min(), "5 %": series.quantile(0.05), "median": series.median()}
        row |= {"95 %": series.quantile(0.95), "max": series.max(), "mean": series.mean(), "std": series.std()}
        row |= {"change, 90 % within": float(np.quantile(change.abs(), 0.9))}
        row |= {f"autocorrelation {label}": series.autocorr(lag) for label, lag in LAGS.items()}
        row |= {f"correlation with {other}": series.corr(data[other]) for other in COLUMNS if other != name}
        table[name] = row
    return pd.DataFrame(table)


def main() -> None:
    """Describe each file."""
    for path in sys.argv[1:]:
        print(f"{path}\n{describe(pd.read_csv(path)).round(3).to_string(na_rep='')}\n")


if __name__ == "__main__":
    main()
