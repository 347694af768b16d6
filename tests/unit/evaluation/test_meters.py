"""Energy by meters instead of by samples, and several temperatures with set points, of rows of known content."""

import numpy as np
import pytest

from trivium.errors import ResourcesError
from trivium.evaluation.kpi import Data, Declaration, Kpis
from trivium.evaluation.window import cut

COLUMNS = ("time", "P", "E", "work", "refused", "air", "liquid")
COMFORT = [
    {"temperature": "air", "set_point": 300.0, "cold_band": 9.0},
    {"temperature": "liquid", "set_point": 318.0},
]
KPI = {
    "power": {"all": ["P"]},
    "meter": {"plus": ["E"], "minus": ["work"]},
    "heat": {"plus": ["work"], "minus": ["refused"], "demand": {"plus": ["work"]}},
    "comfort": COMFORT,
    "service": {"unserved": 0.01, "violation": 0.1},
}
KWH = 3.6e6


def rows(grid: list[float], work: list[float], refused: list[float], **temperatures: float) -> np.ndarray:
    """Half hours with meters [kWh] and a power that is zero whenever it is looked at."""
    n = len(grid)
    time, power = 1800.0 * np.arange(n), np.zeros(n)
    counts = [KWH * np.array(meter) for meter in (grid, work, refused)]
    held = [np.full(n, temperatures.get(name, 295.0)) for name in ("air", "liquid")]
    return np.column_stack((time, power, *counts, *held))


def kpis(table: np.ndarray, declaration: dict = KPI) -> dict[str, float | None]:
    data = Data(price=lambda times: np.vstack((1.0 + times / 1800.0, np.full(times.size, 0.5))))
    result = Kpis(Declaration(COLUMNS, declaration), data)
    return dict(result.values(lambda first: table[first:], result.wanted(None)))


def test_what_a_sample_misses_a_meter_counts() -> None:
    table = rows([7.0, 70.0, 120.0], [5.0, 55.0, 95.0], [0.0, 0.0, 10.0])
    values = kpis(table)
    assert values["ener_all"] == 0.0
    assert values["ener_tot"] == pytest.approx(13.0 + 10.0)
    assert values["cost_tot"] == pytest.approx(13.0 * 1.0 + 10.0 * 2.0)
    assert values["emis_tot"] == pytest.approx(0.5 * 23.0)
    assert values["pele_tot"] == pytest.approx(26.0)
    assert values["demand_tot"] == pytest.approx(90.0)
    assert values["unserved_tot"] == pytest.approx(10.0)
    assert values["pue"] == pytest.approx(1.0 + 23.0 / 80.0)
    assert values["serves"] == 0.0


def test_a_window_takes_the_share_of_a_row_that_it_cuts() -> None:
    table = rows([7.0, 70.0, 120.0], [5.0, 55.0, 95.0], [0.0, 0.0, 10.0])
    metered = Declaration(COLUMNS, KPI).metered
    halves = [kpis(cut(table, begin, end, metered)) for begin, end in ((0.0, 2400.0), (2400.0, 3600.0))]
    assert halves[0]["ener_tot"] == pytest.approx(13.0 + 10.0 / 3.0)
    assert halves[1]["ener_tot"] == pytest.approx(10.0 * 2.0 / 3.0)
    assert sum(half["unserved_tot"] or 0.0 for half in halves) == pytest.approx(10.0)
    inside = kpis(cut(table, 600.0, 900.0, metered))
    assert inside["ener_tot"] == pytest.approx(13.0 / 6.0)
    assert inside["heat_tot"] == pytest.approx(50.0 / 6.0)


def test_each_temperature_counts_by_itself() -> None:
    served = [0.0, 1.0, 2.0], [0.0, 1.0, 2.0], [0.0, 0.0, 0.0]
    assert kpis(rows(*served))["tdis_tot"] == 0.0
    assert kpis(rows(*served, air=302.0, liquid=319.0))["tdis_tot"] == pytest.approx(2.0 + 1.0)
    assert kpis(rows(*served, air=290.0))["tdis_tot"] == pytest.approx(1.0)
    assert kpis(rows(*served, liquid=280.0))["tdis_tot"] == 0.0
    values = kpis(rows(*served, liquid=323.0))
    assert (values["unserved_tot"], values["serves"]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"meter": {"plus": ["none"]}}, "kpi.meter.plus: there is no signal none"),
        ({"meter": {"plus": "E"}}, "kpi.meter.plus must be a list of signals"),
        ({"meter": {"add": ["E"]}}, "unknown key kpi.meter.add"),
        ({"heat": {"plus": ["work"], "warm": "air"}}, "plus takes the place of mass_flow, warm and cold"),
        ({"heat": {"plus": ["work"], "power": "P"}}, "power takes the place"),
        ({"comfort": [COMFORT[0], {"temperature": "none"}]}, r"kpi.comfort\[1\].temperature: there is no signal none"),
        ({"comfort": ["air"]}, r"kpi.comfort\[0\] must be a table"),
    ],
)
def test_a_wrong_table_is_refused_by_name(changes: dict, message: str) -> None:
    with pytest.raises(ResourcesError, match=message):
        Declaration(COLUMNS, {**KPI, **changes})
