import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivium.errors import InvalidValueError, ResourcesError
from trivium.evaluation.kpi import Data, Declaration, Kpis

COLUMNS = ("time", "m", "warm", "set", "on1", "on2", "P1", "P2", "cold", "V", "tr", "ts")
GIVEN = {
    "power": {"chillers": ["P1"], "pumps": ["P2"]},
    "heat": {"mass_flow": "m", "warm": "warm", "cold": "cold"},
    "water": {"volume_flow": "V", "warm": "tr", "cold": "ts", "cycles": 5, "drift": 2e-4},
    "comfort": {"temperature": "cold", "set_point": "set", "band": 0.5},
    "switches": {"units": ["on1", "on2"]},
}


def table(n: int, seed: int = 0, interval: float = 300.0) -> np.ndarray:
    random = np.random.default_rng(seed)
    rows = random.uniform(280, 300, (n, len(COLUMNS)))
    rows[:, 0] = 7200 + interval * np.arange(n)
    rows[:, [4, 5]] = random.integers(0, 2, (n, 2))
    rows[:, [6, 7]] = random.uniform(0, 1e6, (n, 2))
    rows[:, 9] = random.uniform(0, 1, n)
    return rows


def price(times: np.ndarray) -> np.ndarray:
    return np.array([0.1 + (times % 7200 >= 3600) * 0.2, 0.5 + 0 * times])


def computed(rows: np.ndarray, **changes: object) -> dict[str, float | None]:
    kpis = Kpis(Declaration(COLUMNS, {**GIVEN, **changes}), Data(price))
    return kpis.values(lambda first: rows[first:], kpis.wanted(None))


def test_agree_with_pandas() -> None:
    rows = table(60)
    got = computed(rows)
    frame = pd.DataFrame(rows, columns=COLUMNS).set_index("time")
    hours = frame.index.to_series().diff().dropna() / 3600
    of = frame.iloc[1:]
    energy = (of.P1 + of.P2) / 1000 * hours
    heat = of.m * 4.186 * (of.warm - of.cold) * hours
    assert got["ener_tot"] == pytest.approx(energy.sum())
    assert got["ener_chillers"] == pytest.approx((of.P1 / 1000 * hours).sum())
    assert got["heat_tot"] == pytest.approx(heat.sum())
    assert got["pue"] == pytest.approx(1 + energy.sum() / heat.sum())
    assert got["cer"] == pytest.approx(heat.sum() / energy.sum())
    begins = of.index - 300
    tariff = np.where((begins // 3600) % 2 == 0, 0.1, 0.3)
    assert got["cost_tot"] == pytest.approx((energy.to_numpy() * tariff).sum())
    assert got["emis_tot"] == pytest.approx(0.5 * energy.sum())
    over = (of.cold - of.set - 0.5).clip(lower=0)
    assert got["tdis_tot"] == pytest.approx((over * hours).sum())
    starts = frame[["on1", "on2"]].diff().eq(1).to_numpy().sum()
    assert (got["starts_units"], got["stops_units"]) == (starts, frame[["on1", "on2"]].diff().eq(-1).to_numpy().sum())
    quarters = (of.P1 + of.P2).groupby(np.arange(len(of)) // 3)
    whole = quarters.size() == 3
    assert got["pele_tot"] == pytest.approx(quarters.mean()[whole].max() / 1000)


def test_water_of_a_tower_in_steady_state() -> None:
    """1 m3/s cooled by 5 K for an hour: 20.8 MW of heat; at 2441.7 kJ/kg that is 8.53 kg/s of vapour."""
    rows = table(13)
    rows[:, 9], rows[:, 10], rows[:, 11] = 1.0, 300.0, 295.0
    evaporated = 997 * 4.180 * 5 / 2441.7 * 3600 / 0.997  # litres
    assert computed(rows)["water_tot"] == pytest.approx(evaporated * 1.25 + 2e-4 * 3.6e6)


@settings(deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.sampled_from([60.0, 300.0, 420.0, 900.0, 3600.0]))
def test_as_steps_are_made_or_all_at_once(parts: list[int], interval: float) -> None:
    rows = table(1 + sum(parts), interval=interval)
    kpis = Kpis(Declaration(COLUMNS, GIVEN), Data(price))
    names = kpis.wanted(None)
    seen = 1
    for count in parts:
        seen += count
        got = kpis.values(lambda first, end=seen: rows[first:end], names)
    assert got == pytest.approx(computed(rows), nan_ok=False)


def test_a_peak_over_intervals_longer_than_a_quarter_of_an_hour() -> None:
    rows = table(5, interval=3600.0)
    assert computed(rows)["pele_tot"] == pytest.approx((rows[1:, 6] + rows[1:, 7]).max() / 1e3)


def test_a_plant_that_draws_nothing_has_no_peak() -> None:
    rows = table(30)
    rows[:, [6, 7]] = 0.0
    assert computed(rows)["pele_tot"] == 0.0


@pytest.mark.parametrize("set_point", ["set", 290.0, 0.5, 0])
def test_comfort_without_a_band_begins_at_the_set_point(set_point: str | float) -> None:
    rows = table(30)
    above = rows[1:, 8] - (rows[1:, 3] if set_point == "set" else set_point)
    comfort = {"temperature": "cold", "set_point": set_point}
    assert computed(rows, comfort=comfort)["tdis_tot"] == pytest.approx(above.clip(min=0).sum() * 300 / 3600)


def test_a_number_may_be_the_least_that_it_can_be() -> None:
    rows = table(30)
    water = {key: value for key, value in GIVEN["water"].items() if key != "drift"}
    drift = computed(rows)["water_tot"] - computed(rows, water={**water, "drift": 0})["water_tot"]
    assert drift == pytest.approx(2e-4 * 1e3 * rows[1:, 9].sum() * 300)


def test_nothing_simulated_yet() -> None:
    got = computed(table(1))
    assert got["ener_tot"] == 0
    assert got["pele_tot"] is None
    assert got["pue"] is None
    assert got["idis_tot"] is None


def test_only_what_is_asked_for_is_read() -> None:
    rows = table(30)
    kpis = Kpis(Declaration(COLUMNS, GIVEN))
    read: list[int] = []

    def from_row(first: int) -> np.ndarray:
        read.append(first)
        return rows[first:]

    assert set(kpis.values(from_row, ["starts_units"])) == {"starts_units"}
    assert read == [0]
    kpis.values(from_row, ["starts_units", "tdis_tot"])
    assert read == [0, 0, 29] or read == [0, 29, 0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"powr": {}}, "unknown key kpi.powr"),
        ({"power": []}, "kpi.power must be a table"),
        ({"power": {"pumps": "P1"}}, "kpi.power.pumps must be a list"),
        ({"power": {"pumps": ["P9"]}}, "there is no signal P9"),
        ({"heat": {"mass_flow": "m", "warm": "warm"}}, "kpi.heat.cold"),
        ({"comfort": {"temperature": "cold"}}, "kpi.comfort.set_point must be a number"),
        ({"comfort": {"temperature": "cold", "set_point": 290, "width": 1}}, "unknown key kpi.comfort.width"),
        ({"water": {"volume_flow": "V", "warm": "tr", "cold": "ts", "cycles": 1}}, "kpi.water.cycles"),
    ],
)
def test_a_wrong_declaration_is_refused(given: dict, said: str) -> None:
    with pytest.raises(ResourcesError, match=said):
        Declaration(COLUMNS, given)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="has no key performance indicator nonsense") as error:
        Kpis(Declaration(COLUMNS, GIVEN)).wanted(["pue", "nonsense"])
    assert error.value.field == "names"
