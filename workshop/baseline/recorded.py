"""Print how a recorded plant was run: ``python -m workshop.baseline.recorded TRAJECTORIES.csv.gz``.

Median and 5 to 95 % of the actions by mode, for the table of docs/baseline.md.
"""

from __future__ import annotations

import sys

import pandas as pd

UNITS = {
    "chillers": "CHI0{}",
    "trains with heat exchanger": "CHI0{}_CW3",
    "condenser pumps": "CDWP0{}_ONOFF",
    "chilled pumps": "CHWP0{}_ONOFF",
    "towers": "U_CT{}",
}
SPEEDS = {"condenser pump speed [rpm]": "CDWP0{}_rpm", "chilled pump speed [rpm]": "CHWP0{}_rpm"}
POINTS = ("Tchws_set_CHI", "Tchws_set_HEX", "Mchw", "Twb_outside")


def main() -> None:
    """Print the table."""
    rows = pd.read_csv(sys.argv[1])
    six = range(1, 7)
    table = {name: sum(rows[pattern.format(i)] for i in six) for name, pattern in UNITS.items()}
    table |= {name: rows[[pattern.format(i) for i in six]].max(axis=1) for name, pattern in SPEEDS.items()}
    cooling = rows["Mchw"] * 4186.0 * (rows["Tchw_r"] - rows["Tchw_supply"]) / 1e6
    frame = pd.DataFrame(table).assign(**{name: rows[name] for name in POINTS}, **{"cooling [MW]": cooling})
    for mode, group in frame.groupby(rows["mode"]):
        print(f"{mode}, {len(group)} rows\n{group.quantile([0.05, 0.5, 0.95]).T.round(2).to_string()}\n")


if __name__ == "__main__":
    main()
