"""The boundary data are what the scripts make, and physically sound."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("pvlib", reason="making boundary data needs the extra 'build'")

from workshop.boundary import weather
from workshop.boundary.__main__ import FIRST_DATE, RESOURCES, as_csv, disturbances, note, signal_table, signals_as_csv
from workshop.boundary.load import LoadModel


@pytest.fixture(scope="module")
def made() -> NDArray[np.float64]:
    return disturbances()


@pytest.fixture(scope="module")
def shipped() -> NDArray[np.float64]:
    return np.loadtxt(RESOURCES / "Disturbance.csv", delimiter=",", skiprows=1)


@pytest.mark.slow
def test_regenerating_gives_the_shipped_bytes(made: NDArray[np.float64]) -> None:
    content = as_csv(made)
    shipped = (RESOURCES / "Disturbance.csv").read_bytes()
    assert hashlib.sha256(content).hexdigest() == hashlib.sha256(shipped).hexdigest()
    assert json.loads((RESOURCES / "Disturbance.json").read_text()) == json.loads(note(content))


def test_another_seed_gives_other_data(made: NDArray[np.float64]) -> None:
    other = disturbances(seed=1)
    assert not np.array_equal(made[:, 2], other[:, 2])
    assert np.array_equal(made[:, 1], other[:, 1])  # the weather is on record


def test_times_and_ranges(shipped: NDArray[np.float64]) -> None:
    time, twb, flow, back = shipped.T
    assert np.array_equal(time, 300.0 * np.arange(100_331))
    assert time[-1] + 300.0 == 30_099_300.0
    assert 255.0 < twb.min() < twb.max() < 302.0
    # ranges on record for the reference plant
    assert 65.7 <= flow.min() < flow.max() <= 454.5
    assert 288.37 <= back.min() < back.max() <= 295.36
    # far from every supply set point of the baseline, at which the condenser water law divides by zero
    assert back.min() >= 289.5


def test_file_stays_small() -> None:
    assert (RESOURCES / "Disturbance.csv").stat().st_size < 4e6


def test_wet_bulb_passes_through_the_hours_on_record() -> None:
    """Stull's independent formula (J. Appl. Meteor. Climatol. 50, 2011) from the raw record, 1 K in its domain."""
    import pvlib

    path = Path(pvlib.__file__).parent / "data" / weather.STATION_FILE
    with path.open() as file:
        file.readline()
        rows = list(csv.DictReader(file))
    first = next(i for i, row in enumerate(rows) if row["Date (MM/DD/YYYY)"].startswith("04/01"))
    # TMY3 smooths temperatures, but not humidity, over six hours where months of different years meet
    hours = np.arange(6, 700)
    temperature = np.array([float(rows[first + i]["Dry-bulb (C)"]) for i in hours])
    humidity = np.array([float(rows[first + i]["RHum (%)"]) for i in hours])
    stull = (
        temperature * np.arctan(0.151977 * np.sqrt(humidity + 8.313659))
        + np.arctan(temperature + humidity)
        - np.arctan(humidity - 1.676331)
        + 0.00391838 * humidity**1.5 * np.arctan(0.023101 * humidity)
        - 4.686035
    )
    ours = weather.wet_bulb((hours + 1.0) * 3600.0) - 273.15  # the record's first hour of a day is 01:00
    domain = (temperature > 0.0) & (humidity > 20.0)
    assert domain.sum() > 600
    assert np.abs(ours - stull)[domain].max() < 1.2
    assert abs(np.mean((ours - stull)[domain])) < 0.5


def test_wet_bulb_is_smooth_and_monotone_between_hours() -> None:
    times = np.arange(0.0, 40 * 86_400.0, 300.0)
    fine = weather.wet_bulb(times).reshape(-1, 12)
    hourly = weather.wet_bulb(np.arange(0.0, 40 * 86_400.0 + 1, 3600.0))
    low, high = np.minimum(hourly[:-1], hourly[1:]), np.maximum(hourly[:-1], hourly[1:])
    assert np.all(fine >= low[:, None] - 1e-9)
    assert np.all(fine <= high[:, None] + 1e-9)


def test_year_closes() -> None:
    year = 365 * 86_400.0
    times = np.arange(0.0, 5 * 86_400.0, 300.0)
    assert weather.wet_bulb(times + year) == pytest.approx(weather.wet_bulb(times), abs=1e-9)


def test_load_has_the_rhythm_of_work() -> None:
    times = 300.0 * np.arange(100_331)
    heat = LoadModel().heat(times, np.random.default_rng(0))
    hour, day = times % 86_400.0 // 3600.0, np.floor(times / 86_400.0)
    relative = heat / np.convolve(np.pad(heat, 1008, mode="reflect"), np.ones(2017) / 2017, mode="valid")
    by_hour = [relative[hour == h].mean() for h in range(24)]
    assert 13 <= int(np.argmax(by_hour)) <= 17
    assert 0.04 < max(by_hour) - min(by_hour) < 0.08
    weekend = (day + 2) % 7 >= 5
    assert 0.02 < relative[~weekend].mean() - relative[weekend].mean() < 0.05
    assert heat[-8640:].mean() > 1.4 * heat[:8640].mean()


def test_flow_carries_the_heat_also_in_tests() -> None:
    """Flow times temperature difference is the heat, whatever return temperature the coolers reach."""
    times = 300.0 * np.arange(20_000)
    model = LoadModel()
    heat = model.heat(times, np.random.default_rng(3))
    flow, back = model.chilled_water(times, np.random.default_rng(3))
    assert flow * model.cp * (back - model.supply) == pytest.approx(heat, rel=1e-12)
    assert flow.max() <= model.highest_flow * (1 + 1e-12)


def test_regenerating_gives_the_shipped_prices() -> None:
    assert (RESOURCES / "Signals.csv").read_bytes() == signals_as_csv(signal_table())


def test_prices_have_the_published_means_and_the_tariff_its_hours() -> None:
    time, constant, dynamic, market, emissions = np.loadtxt(RESOURCES / "Signals.csv", delimiter=",", skiprows=1).T
    assert [column.mean() for column in (constant, dynamic, market)] == pytest.approx([0.0804] * 3, rel=1e-4)
    assert emissions.mean() == pytest.approx(0.39, rel=1e-4)
    assert market.min() > 0
    assert market.std() > dynamic.std() > 0
    dates = FIRST_DATE + (time // 86400).astype("timedelta64[D]")
    saturdays = dates.astype("datetime64[D]").astype(int) % 7 == 2  # day 0 of NumPy, 1 January 1970, was a Thursday
    assert np.ptp(dynamic[saturdays]) == 0
    afternoon = (dates == np.datetime64("2020-07-01")) & (time % 86400 == 15 * 3600)
    assert dynamic[afternoon] == dynamic.max()
