"""Write ``case.json`` (representative weeks) and ``case-year.json`` (the whole boundary year) of this example."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DAY = 86400
#: First day of each of the default test case's time periods, and the share of a year that its week stands for: the
#: periods are the coldest, that at a third, the middle and the hottest in the order of mean wet bulb temperatures, and
#: the shares are those of the trapezoidal rule between these places (0, 1/3, 1/2, 1).
WEEKS = {"winter": (277, 1 / 6), "mild": (334, 1 / 4), "typical": (18, 1 / 3), "peak_heat": (97, 1 / 4)}
SET_POINT = 287.15


def case(weeks: dict[str, tuple[int, float]], days: int, sites: int = 100) -> dict[str, Any]:
    """Return a case over representative weeks: first day, share of a year."""
    hours = 24 * days
    about = {name: {"day": day, "hours": hours, "share": round(share, 6)} for name, (day, share) in weeks.items()}
    series = {"dims": {"hour": hours}}
    power = ["P_Chillers_sum", "P_CDWPs_sum", "P_CHWPs_sum", "P_CTfans_sum"]
    components: dict[str, Any] = {
        "grid": {
            "kind": "python",
            "callable": "grid:dispatch",
            "options": {"sites": sites, "weeks": about},
            "inputs": {
                **{f"cooling_{name}": {"unit": "MW", "lower": 0, **series} for name in weeks},
                **{f"heat_{name}": {"unit": "MWh", "lower": 0} for name in weeks},
            },
            "outputs": {
                **{f"price_{name}": {"unit": "EUR/MWh", "lower": 0, **series} for name in weeks},
                "cooling": {"unit": "MWh/year"},
                "mean_price": {"unit": "EUR/MWh"},
                "emissions": {"unit": "t/year"},
                "new_capacity": {"unit": "MW"},
            },
            "timeout": 600,
        },
        "operator": {
            "kind": "python",
            "callable": "grid:operate",
            "options": {"set_point": SET_POINT, "swing": 1.0, "at": 0.5, "weeks": list(weeks)},
            "inputs": {f"price_{name}": {"unit": "EUR/MWh", **series} for name in weeks},
            "outputs": {f"set_point_{name}": {"unit": "K", **series} for name in weeks},
            "timeout": 60,
        },
    }
    connections = []
    for name, (day, _) in weeks.items():
        components[f"plant_{name}"] = {
            "kind": "testcase",
            "testcase": "cooling",
            "start_time": day * DAY,
            "end_time": (day + days) * DAY,
            "controller": "rules",
            "inputs": {
                "set_point": {
                    "sets": "rules.supply",
                    "unit": "K",
                    "lower": 283.15,
                    "upper": 291.15,
                    "initial": SET_POINT,
                    "absolute": 0.01,
                    "relative": 0,
                    "scale": 1,
                    **series,
                }
            },
            "outputs": {
                "power": {"unit": "W", "of": power, "method": "series", **series},
                "heat": {"unit": "kWh", "of": ["heat_tot"], "method": "kpi"},
                "violation": {"unit": "K*hour", "of": ["tdis_tot"], "method": "kpi"},
            },
            "timeout": 3600,
        }
        connections += [
            {"from": f"grid.price_{name}", "to": f"operator.price_{name}"},
            {"from": f"operator.set_point_{name}", "to": f"plant_{name}.set_point"},
            {"from": f"plant_{name}.power", "to": f"grid.cooling_{name}"},
            {"from": f"plant_{name}.heat", "to": f"grid.heat_{name}"},
        ]
    return {
        "description": "Data centres whose cooling follows the price of electricity, which follows their demand",
        "components": components,
        "connections": connections,
        "tolerance": 1e-3,
        "max_iterations": 20,
    }


if __name__ == "__main__":
    here = Path(__file__).parent
    for path, content in (
        (here / "case.json", case(WEEKS, 7)),
        (here / "case-year.json", case({"year": (0, 1.0)}, 348)),
    ):
        path.write_text(json.dumps(content, indent=4) + "\n", encoding="utf-8")
