"""Identify the static lift: ``python -m workshop.surrogates.lift TRAJECTORIES.csv.gz``.

Prints the median of recorded head less the loop's resistances at the flow of the reference's law, by mode, over settled
rows (from the fourth of a segment on) with a head above 5 m and a chiller power that is not negative.
"""

from __future__ import annotations

import sys

import pandas as pd

from workshop.surrogates.condenser_loop import STATIC_LIFT, required_head

CP_LAW = 4200.0  # J/(kg K), as in the reference's law


def main() -> None:
    """Print the lift by mode."""
    rows = pd.read_csv(sys.argv[1])
    rows = rows[(rows["step"] >= 3) & (rows["Head_required"] > 5.0) & (rows["P_Chillers_sum"] >= 0.0)]

    def total(pattern: str) -> pd.Series:
        return sum(rows[pattern.format(i)] for i in range(1, 7))

    flow = rows["Mchw"] + rows["P_Chillers_sum"] / (CP_LAW * (rows["Tchw_r"] - rows["Tchws_set_CHI"]))
    x = [column.to_numpy() for column in (total("CHI0{}"), total("CHI0{}_CW3"), 2.0 * total("U_CT{}"), flow / 1000.0)]
    drop = required_head(*x) - STATIC_LIFT
    found = pd.DataFrame({"mode": rows["mode"], "resistance": drop, "lift": rows["Head_required"] - drop})
    table = found.groupby("mode").median().assign(rows=found.groupby("mode").size())
    print(table.round(1).to_string())


if __name__ == "__main__":
    main()
