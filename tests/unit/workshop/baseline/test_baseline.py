"""The files that come from the baseline year, and the year itself."""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("casadi", reason="models/ needs the extra 'build'")

from trivium.plants.cooling.rules import INPUTS, Rules
from trivium.session.local import open_testcase
from trivium.simulation.boundary import Disturbances
from trivium.simulation.initialization import CompactActions, read_initialization_actions, read_observation
from workshop.baseline.__main__ import RECORDED, ROOT, shortest_run
from workshop.baseline.year import drive, first_observation, write_actions, write_observation
from workshop.cooling_plant.variables import INPUTS as PLANT_INPUTS
from workshop.cooling_plant.variables import OUTPUTS as PLANT_OUTPUTS

RUN = ROOT / "testing" / "RealWorld_Actions_Observations.csv"


@pytest.fixture(scope="module")
def actions(resources: Path) -> CompactActions:
    read = read_initialization_actions(resources / "Initialization_actions.npz")
    assert isinstance(read, CompactActions)
    return read


def test_there_is_an_action_for_every_row_of_the_boundary_data(actions: CompactActions, resources: Path) -> None:
    boundary = Disturbances.read(resources / "Disturbance.csv")
    assert len(actions.index) == len(boundary.values)
    assert (actions.time0, actions.interval) == (boundary.time0, boundary.interval)
    assert set(actions.names) == set(INPUTS) == {v.name for v in PLANT_INPUTS} - {*boundary.names, "Head_required"}
    assert (resources / "Initialization_actions.npz").stat().st_size < 1e6


def test_actions_are_within_the_bounds_of_the_plant(actions: CompactActions) -> None:
    bounds = {v.name: (v.min, v.max) for v in PLANT_INPUTS}
    for k, name in enumerate(actions.names):
        low, high = bounds[name]
        assert low <= actions.unique[:, k].min()
        assert actions.unique[:, k].max() <= high


def test_chillers_do_not_cycle(actions: CompactActions) -> None:
    columns = [actions.names.index(f"CHI0{i}") for i in range(1, 7)]
    on: NDArray[np.bool_] = actions.unique[actions.index][:, columns] == 1.0
    assert shortest_run(on) >= Rules().mode_stay
    starts = np.sum(~on[:-1] & on[1:])
    assert starts / (len(on) / 288) < 1.0  # a day


def test_the_first_day_of_the_year_runs_as_shipped(actions: CompactActions, resources: Path) -> None:
    boundary = Disturbances.read(resources / "Disturbance.csv")
    with RUN.open(newline="") as file:
        recorded = list(islice(csv.DictReader(file), 288))
    other = 0
    for row, record in zip(drive(resources, boundary, 288), recorded, strict=True):
        assert float(record["time"]) == row.time
        assert float(record["Tchw_supply"]) == pytest.approx(row.before["Tchw_supply"], abs=0.05)
        other += dict(row.action) != actions.at(row.time)
        other += float(record["P_CDWPs_sum"]) != pytest.approx(row.before["P_CDWPs_sum"], rel=1e-3)
    assert other <= 10  # another platform's last digits may tip a threshold now and then


def test_recorded_run_has_actions_boundary_data_and_observations(actions: CompactActions, resources: Path) -> None:
    boundary = Disturbances.read(resources / "Disturbance.csv")
    with RUN.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == RECORDED
    assert set(rows[0]) == {"time", *INPUTS, *boundary.names, *(v.name for v in PLANT_OUTPUTS)}
    assert RUN.stat().st_size < 4e6
    for k in (0, 1500, RECORDED - 1):
        at = actions.at(300.0 * k)
        assert {name: float(rows[k][name]) for name in INPUTS} == pytest.approx(at, abs=1e-6)
        assert float(rows[k]["Mchw"]) == boundary.values[k][1]


def test_first_observation_is_a_plant_in_operation(resources: Path) -> None:
    shipped = read_observation(resources / "Initialization_observation0.csv")
    assert set(shipped) == {*INPUTS, *(v.name for v in PLANT_OUTPUTS)}
    assert shipped == pytest.approx(first_observation(resources), rel=1e-4, abs=1e-3)
    assert abs(shipped["Tchw_supply"] - Rules().supply) < 0.5
    assert shipped["VolumeFlowRate_cw"] > 0.05


@pytest.mark.parametrize("row", [1, 40_000, 75_000, 100_330])
def test_the_plant_starts_anywhere_with_its_action(row: int, resources: Path, state_dir: Path) -> None:
    case = open_testcase(resources, state_dir)
    try:
        seen = case.initialize(300.0 * row)
    finally:
        case.close()
    boundary = Disturbances.read(resources / "Disturbance.csv")
    assert 280.0 < seen["Tchw_supply"] <= boundary.values[row - 1][2] + 0.5
    assert seen["VolumeFlowRate_cw"] * 1000.0 > 0.8 * boundary.values[row - 1][1]


def test_actions_survive_the_compact_form(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    table = rng.integers(0, 2, (500, len(INPUTS))) * np.round(rng.uniform(0, 9, len(INPUTS)), 2)
    table[100:200] = table[5]
    write_actions(tmp_path / "a.npz", table)
    write_actions(tmp_path / "b.npz", table)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    read = read_initialization_actions(tmp_path / "a.npz")
    for k in (0, 5, 150, 499):
        assert [read.at(300.0 * k)[name] for name in INPUTS] == table[k].tolist()


def test_observation_has_the_form_of_the_reference(tmp_path: Path) -> None:
    write_observation(tmp_path / "o.csv", {"b": 1.0, "a": 287.123456})
    assert (tmp_path / "o.csv").read_text() == "time,a,b\n0,287.123456,1\n"


def test_shortest_run() -> None:
    on = np.array([[0, 1, 1, 0, 0, 1, 1, 1, 0, 0], [1, 1, 1, 0, 0, 0, 0, 1, 1, 1]], dtype=bool).T
    assert shortest_run(on) == 2
