"""The example of model predictive control: what it plans is as good on the plant as what a search on it finds."""

from __future__ import annotations

import importlib.util

import pytest

import trivium
from trivium.environment import ROOT

pytest.importorskip("casadi", reason="CasADi plans")


@pytest.fixture(scope="module")
def mpc():
    spec = importlib.util.spec_from_file_location("mpc", ROOT / "examples" / "mpc" / "mpc.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def simulation():
    with trivium.open("data_center") as simulation:
        simulation.initialize(86400.0 * 150)
        yield simulation


def warmed(simulation, mpc):
    """Simulate an hour; return the commands in use."""
    begun = simulation.advance(steps=mpc.HORIZON)
    return {name: float(begun[name]) for name in simulation.inputs}


@pytest.mark.slow
def test_no_neighbour_of_a_plan_is_much_better_on_the_plant(mpc, simulation):
    command = warmed(simulation, mpc)
    before = simulation.state()
    planned = mpc.PLANNERS["mpc"]()(simulation, command)
    best = mpc.planned_cost(simulation, planned)
    assert best < 0.5 * mpc.planned_cost(simulation, command)
    for group in mpc.DECISIONS:
        for value in simulation.inputs[group[0]].around(planned[group[0]], 0.03):
            assert best <= 1.03 * mpc.planned_cost(simulation, {**planned, **dict.fromkeys(group, value)}), group
    ahead = simulation.look_ahead_many(mpc.HORIZON, action=planned, point_names=["TInlMax"]).columns
    assert ahead["TInlMax"].max() <= mpc.LIMIT + 0.1  # a soft limit
    assert simulation.state() == before


@pytest.mark.slow
def test_a_plan_is_within_three_percent_of_a_search_on_the_plant(mpc, simulation):
    command = warmed(simulation, mpc)
    planned, searched = (mpc.PLANNERS[name]()(simulation, command) for name in ("mpc", "oracle"))
    assert mpc.planned_cost(simulation, planned) <= 1.03 * mpc.planned_cost(simulation, searched)


def test_a_run_reports_what_came_of_it(mpc, capsys):
    mpc.main(["hold", "--hours", "0.5", "--day", "10"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("| hold |")
    assert len(lines) == 3
