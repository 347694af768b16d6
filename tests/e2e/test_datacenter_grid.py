"""The example of data centres and a power system, over a single day: the real plant, the real linear program."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.server import ROOT

pytest.importorskip("matplotlib")
pytest.importorskip("plotly")
EXAMPLE = ROOT / "examples" / "datacenter_grid"


def module(name):
    spec = importlib.util.spec_from_file_location(f"datacenter_grid_{name}", EXAMPLE / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.mark.slow
def test_a_day_of_the_example_converges_to_a_price_that_follows_its_demand(tmp_path):
    folder = tmp_path / "day"
    shutil.copytree(EXAMPLE, folder)
    case = module("make_case").case({"typical": (18, 1.0)}, 1)
    (folder / "case.json").write_text(json.dumps(case))
    environment = {**os.environ, "TRIVIUM_STATE_DIR": str(tmp_path / "state")}
    command = [sys.executable, "-m", "trivium.cli", "converge", str(folder), "--json", "--out", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
    found = json.loads(done.stdout)["components"]
    values = {f"{c}.{n}": np.array(v["value"]) for c, one in found.items() for s in one for n, v in one[s].items()}
    set_points, prices = values["plant_typical.set_point"], values["grid.price_typical"]
    np.testing.assert_allclose(values["operator.set_point_typical"], set_points, atol=0.01)
    np.testing.assert_allclose(values["grid.cooling_typical"], values["plant_typical.power"] / 1e6, rtol=1e-12)
    dear = prices > prices.mean()
    assert set_points[dear].min() > 287.14
    assert set_points[~dear].max() < 287.16
    assert values["plant_typical.heat"] > 24e3 * 0.5
    assert 10 < prices.min() < prices.max() < 200


def test_the_linear_program_is_the_merit_order_where_capacity_is_given():
    """Without new capacity, the dispatch of an hour is the cheapest blocks that are enough."""
    grid = module("grid")
    grid.THERMAL = {n: (*given[:4], np.inf, given[5]) for n, given in grid.THERMAL.items()}
    grid.WEATHER = {n: (there, np.inf) for n, (there, _) in grid.WEATHER.items()}
    demand = np.array([600.0, 1500.0, 2222.0, 3100.0])
    calm = {"wind": np.zeros(4), "solar": np.zeros(4)}
    capacities, generation = grid.solve(demand, calm, np.ones(4))
    assert capacities["gas"] == grid.THERMAL["gas"][0]
    blocks = sorted((cost, name) for name in grid.THERMAL for cost in grid.offers(name))
    for hour, wanted in enumerate(demand):
        left, burnt = wanted, dict.fromkeys(grid.THERMAL, 0.0)
        for _, name in blocks:
            used = min(left, capacities[name] / grid.THERMAL[name][3])
            burnt[name] += used
            left -= used
        for name, expected in burnt.items():
            assert generation[name][:, hour].sum() == pytest.approx(expected, abs=1e-6)


def test_the_price_is_continuous_and_rises_with_demand():
    grid = module("grid")
    capacities = {name: grid._there(name) for name in (*grid.THERMAL, *grid.WEATHER)}
    total = np.linspace(1.0, 3300.0, 5000)
    generation = {name: np.zeros((1, 5000)) for name in grid.THERMAL} | {"gas": total[None, :]}
    price = grid.prices(capacities, generation)
    assert (np.diff(price) >= 0).all()
    assert price[-1] > 160
    assert np.diff(price).max() < 40  # between technologies it is steep, and does not jump
