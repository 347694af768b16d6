"""What is missing in stores at the end of a test, and the make-up water of towers, of rows of known content."""

import numpy as np
import pytest

from trivium.errors import ResourcesError
from trivium.evaluation.kpi import Data, Declaration, Kpis

COLUMNS = ("time", "P", "battery", "warmth", "water")
STORES = {"battery": {"signal": "battery"}, "cold": {"signal": "warmth", "worth": -0.25}}
KPI = {"power": {"all": ["P"]}, "stores": STORES, "water": {"make_up": "water"}}
KWH = 3.6e6


def kpis(battery: list[float], warmth: list[float], declaration: dict = KPI) -> dict[str, float | None]:
    """Indicators of hours of 100 kW and 0.5 kg/s at rising prices, with contents of the stores [kWh] hour by hour."""
    hours = np.arange(len(battery))
    table = np.column_stack((3600.0 * hours, np.full(hours.size, 1e5), KWH * np.array(battery), KWH * np.array(warmth)))
    table = np.column_stack((table, 1800.0 * hours))
    data = Data(price=lambda times: np.vstack((1.0 + times / 3600.0, np.full(times.size, 0.4))))
    result = Kpis(Declaration(COLUMNS, declaration), data)
    return dict(result.values(lambda first: table[first:], result.wanted(None)))


def test_a_store_that_ends_emptier_is_paid_for_at_the_mean_price() -> None:
    values = kpis([50.0, 40.0, 20.0], [0.0, 0.0, 0.0])
    assert values["ener_missing"] == pytest.approx(30.0)
    assert values["ener_tot"] == pytest.approx(230.0)
    assert values["cost_tot"] == pytest.approx(100.0 * 1.0 + 100.0 * 2.0 + 30.0 * 1.5)
    assert values["emis_tot"] == pytest.approx(0.4 * 230.0)


def test_a_debt_that_grows_is_missing_and_no_surplus_is_credited() -> None:
    assert kpis([50.0, 60.0], [10.0, 90.0])["ener_missing"] == pytest.approx(20.0)
    assert kpis([50.0, 90.0], [90.0, 10.0])["ener_missing"] == 0.0
    assert kpis([50.0, 90.0], [10.0, 90.0])["ener_missing"] == pytest.approx(20.0)  # each store by itself


def test_what_was_missing_on_the_way_is_not() -> None:
    assert kpis([50.0, 0.0, 50.0], [0.0, 80.0, 0.0])["ener_missing"] == 0.0


def test_without_the_table_nothing_is_missing() -> None:
    values = kpis([50.0, 0.0], [0.0, 80.0], {"power": {"all": ["P"]}})
    assert values["ener_tot"] == pytest.approx(100.0)
    assert "ener_missing" not in values


def test_make_up_water_is_a_volume() -> None:
    assert kpis([0.0] * 3, [0.0] * 3)["water_tot"] == pytest.approx(0.5 * 7200.0 / 997.0 * 1e3)


@pytest.mark.parametrize(
    ("stores", "message"),
    [
        ({"battery": {"signal": "none"}}, "kpi.stores.battery.signal: there is no signal none"),
        ({"battery": {"signal": "battery", "worth": "x"}}, "kpi.stores.battery.worth must be a number"),
        ({"battery": {"signal": "battery", "price": 1}}, "unknown key kpi.stores.battery.price"),
        ({"battery": "battery"}, "kpi.stores.battery must be a table"),
    ],
)
def test_a_wrong_table_is_refused_by_name(stores: dict, message: str) -> None:
    with pytest.raises(ResourcesError, match=message):
        Declaration(COLUMNS, {**KPI, "stores": stores})
