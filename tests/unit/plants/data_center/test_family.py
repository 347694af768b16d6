"""The family of data centres: its weather against the design temperatures, its load and grids against what is known."""

from __future__ import annotations

import numpy as np
import psychrolib
import pytest

from tests.server import ROOT
from trivium.errors import InvalidValueError, ResourcesError
from trivium.plants.data_center.family import grid, load, member, weather
from trivium.plants.data_center.family.climates import CLIMATES
from trivium.plants.data_center.family.epw import read_epw

TIMES = 300.0 * np.arange(365 * 288 + 1)
DAYS = slice(365 * 288)


@pytest.mark.parametrize("zone", CLIMATES)
def test_a_drawn_year_has_the_design_temperatures_of_its_climate(zone):
    climate = CLIMATES[zone]
    dry, wet = (column - 273.15 for column in weather.draw(climate, 0))
    assert np.quantile(wet, 0.996) == pytest.approx(climate.evaporation, abs=2.5)
    assert np.quantile(dry, 0.996) == pytest.approx(climate.cooling, abs=4.0)
    assert np.quantile(dry, 0.004) == pytest.approx(climate.heating, abs=7.0)
    assert dry.mean() == pytest.approx(np.mean(climate.dry_bulb), abs=1.5)
    assert (wet <= dry + 0.01).all()


@pytest.mark.slow
def test_the_wet_bulb_is_that_of_psychrolib():
    dry = np.resize(np.linspace(-30.0, 47.0, 60), weather.HOURS)
    dew = dry - np.resize(np.linspace(0.0, 35.0, 7), weather.HOURS)
    psychrolib.SetUnitSystem(psychrolib.SI)
    pressure = psychrolib.GetStandardAtmPressure(1726)
    wet = weather.from_dew_point(dry, dew, 1726).wet_bulb[:420] - 273.15
    pairs = zip(dry[:420].tolist(), dew[:420].tolist(), strict=True)
    assert wet == pytest.approx([psychrolib.GetTWetBulbFromTDewPoint(*pair, pressure) for pair in pairs], abs=0.01)


def test_weather_goes_round_the_year_without_overshooting():
    year = weather.draw(CLIMATES["5A"], 1)
    dry, wet = year.at(TIMES)
    assert dry[::12][:8760] == pytest.approx(year.dry_bulb)
    assert dry.max() <= year.dry_bulb.max()
    assert wet.min() >= year.wet_bulb.min()
    assert (dry[0], wet[0]) == (dry[-1], wet[-1])


@pytest.mark.parametrize("name", load.PROFILES)
def test_a_load_stays_within_what_the_halls_can_have(name):
    shares = load.draw(load.PROFILES[name], TIMES, 0)
    assert shares.shape == (TIMES.size, 2)
    assert shares.min() >= load.LEAST
    assert shares.max() <= load.MOST


def test_loads_differ_as_their_names_promise():
    def year(name, seed=0):
        return load.draw(load.PROFILES[name], TIMES, seed).mean(axis=1)

    def swing(values):
        return np.ptp(values[DAYS].reshape(365, 288), axis=1).mean()

    assert swing(year("cloud")) > 2.5 * swing(year("steady"))
    assert np.abs(np.diff(year("training"))).max() > 3 * np.abs(np.diff(year("steady"))).max()
    growth = year("growth")
    assert growth[DAYS][-28 * 288 :].mean() > 2 * growth[: 28 * 288].mean()
    mixed = year("mixed")
    # a chiller cools 0.36 of the nominal load: one, two and three of them are needed at times
    assert mixed.min() < 0.36 < np.median(mixed) < 0.72 + 0.1
    assert mixed.max() > 0.8


def test_load_and_season_are_independent():
    wet = weather.draw(CLIMATES["5A"], 0).at(TIMES)[1]
    correlations = [
        np.corrcoef(wet, load.draw(load.PROFILES["cloud"], TIMES, seed).sum(axis=1))[0, 1] for seed in (0, 1)
    ]
    assert np.abs(correlations).max() < 0.2


@pytest.mark.parametrize("name", grid.GRIDS)
def test_a_grid_keeps_its_means_and_swings(name):
    kind, wet = grid.GRIDS[name], weather.draw(CLIMATES["4A"], 0).wet_bulb
    signals = grid.draw(kind, wet, 0)
    assert signals[:, :3].mean(axis=0) == pytest.approx(grid.PRICE)
    assert signals[:, 3].mean() == pytest.approx(kind.emissions)
    assert signals.min() > 0
    market = signals[:, 2]
    assert np.quantile(market, 0.95) > 1.5 * grid.PRICE > 3 * np.quantile(market, 0.05)


@pytest.mark.parametrize(("name", "zone", "least", "most"), [("thermal", "4A", 2.5, 4.0), ("hydro", "4C", 2.5, 5.0)])
def test_the_market_swings_within_a_day(name, zone, least, most):
    prices = grid.draw(grid.GRIDS[name], weather.draw(CLIMATES[zone], 0).wet_bulb, 0)[:8760, 2].reshape(365, 24)
    assert least < np.median(prices.max(axis=1) / prices.min(axis=1)) < most


def test_noon_is_clean_where_there_is_sun():
    hours = (
        grid.draw(grid.GRIDS["solar"], weather.draw(CLIMATES["2B"], 0).wet_bulb, 0)[:, 3].reshape(365, 24).mean(axis=0)
    )
    assert hours[12] < 0.5 * hours[19]


@pytest.mark.parametrize("name", ["5A-5MW-mixed", "2B-20MW-training+storage#3", "7-2MW-steady@hydro"])
def test_a_name_is_read_and_written(name):
    assert member.parse(name).name == name


@pytest.mark.parametrize(
    ("name", "field"),
    [("5A", "member"), ("9Z-5MW-mixed", "climate"), ("5A-6MW-mixed", "size"), ("5A-5MW-none", "load"),
     ("5A-5MW-mixed@none", "grid"), ("5A-5MW-mixed+tank", "member")],
)  # fmt: skip
def test_names_that_are_none(name, field):
    with pytest.raises(InvalidValueError) as refused:
        member.parse(name)
    assert refused.value.field == field


def test_boundary_data_is_the_same_every_time_and_another_for_another_seed():
    first, signals = member.parse("3C-2MW-cloud").boundary()
    assert (first, signals) == member.parse("3C-2MW-cloud").boundary()
    assert first != member.parse("3C-2MW-cloud#1").boundary()[0]
    lines = first.decode().splitlines()
    assert lines[0].split(",") == ["time", *member.DISTURBANCES, *member.CONDITIONS]
    assert len(lines) == 1 + 365 * 288 + 1
    assert lines[-1].startswith("31536000,")
    assert lines[1].endswith(",1" * len(member.CONDITIONS))
    assert len(signals.decode().splitlines()) == 1 + 8761


def test_a_weather_file_of_ones_own(tmp_path):
    file = tmp_path / "own.epw"
    file.write_text(_epw(hours=8760))
    year, elevation, offset = read_epw(file)
    assert (elevation, offset) == (0.0, 1.0)
    assert year.dry_bulb[:3] - 273.15 == pytest.approx([10.0, 11.0, 12.0])
    # psychrometric chart at 10 degC and 50 % (dew point 0.07 degC), sea level: wet bulb 5.5 degC
    assert year.wet_bulb[0] - 273.15 == pytest.approx(5.5, abs=0.1)


def test_a_place_has_its_air_pressure(tmp_path):
    # ICAO standard atmosphere: 823 hPa at 1726 m, 989 hPa at 201 m
    assert member.parse("5B-5MW-mixed").start_values["pAtm"] == pytest.approx(82_300, abs=100)
    assert member.parse("5A-5MW-mixed").start_values["pAtm"] == pytest.approx(98_930, abs=100)
    file = tmp_path / "own.epw"
    file.write_text(_epw(hours=8760))
    assert member.Member("5B", "2MW", epw=file).start_values["pAtm"] == 101_325.0


@pytest.mark.parametrize("text", ["", "LOCATION\n", None])
def test_a_file_that_holds_no_year_is_refused(tmp_path, text):
    file = tmp_path / "own.epw"
    file.write_text(_epw(hours=24) if text is None else text)
    with pytest.raises(ResourcesError, match=r"own\.epw"):
        read_epw(file)


def _epw(hours):
    """Return a weather file: 10, 11 and 12 degC in turns, with a dew point of 0.07 degC."""
    months = np.repeat(np.arange(1, 13), np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) * 24)
    lines = ["LOCATION,Own,-,-,-,999999,50.0,8.0,1.0,0.0", *["-"] * 6, "DATA PERIODS,1,1,Data,Sunday,1/1,12/31"]
    for hour in range(hours):
        day = hour // 24
        first = int(np.searchsorted(months, months[hour])) // 24
        lines.append(
            f"2001,{months[hour]},{day - first + 1},{hour % 24 + 1},60,?,{10 + hour % 3},0.07,50,101325" + ",0" * 25
        )
    return "\n".join(lines) + "\n"


def test_the_page_has_every_climate_load_grid_and_size():
    page = (ROOT / "docs" / "family.md").read_text(encoding="utf-8")
    for name in (*CLIMATES, *load.PROFILES, *grid.GRIDS, "2MW", "5MW", "20MW"):
        assert f"`{name}`" in page, name
