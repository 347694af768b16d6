"""The shipped surrogates against what they stand for, on points that were not trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("casadi", reason="the plant's resistances need the extra 'build'")
pytest.importorskip("torch", reason="the nets are trained with PyTorch")

from trivium.plants.cooling.surrogate import load_chiller_power, load_head
from workshop.surrogates.__main__ import POWER_RANGE, USUAL_HEAD, head_samples, pure
from workshop.surrogates.condenser_loop import HIGHEST, STATIC_LIFT, coefficients, required_head
from workshop.surrogates.fit import fit
from workshop.surrogates.operating_points import record


def test_coefficients_are_those_of_the_branches() -> None:
    """Pressure drops of the valves and apparatus of a branch, added by hand at 100 kg/s."""
    k = coefficients()

    def drop(*branch: tuple[float, float]) -> float:
        return sum(dp * (100.0 / m_flow) ** 2 for m_flow, dp in branch)

    plates, condenser = (55.0, 6e4), (209.0, 6e3)
    assert (100.0 / k.free) ** 2 == pytest.approx(drop((55.0, 6e3), plates, (55.0, 6e3)))
    assert (100.0 / k.partial) ** 2 == pytest.approx(drop((55.0, 6e3), plates, condenser, (264.0, 6e3)))
    assert (100.0 / k.chiller) ** 2 == pytest.approx(drop((209.0, 6e3), condenser, (264.0, 6e3)))
    half = 0.25  # two cells share the flow, so a cell's drop is a quarter
    tower = drop((209.0, 6e3)) + half * drop((209.0, 6e3), (93.0, 3e4))
    assert (100.0 / k.tower) ** 2 == pytest.approx(tower)


def test_required_head_of_simple_loops() -> None:
    k = coefficients()
    free = STATIC_LIFT + ((150.0 / (2 * k.free)) ** 2 + (150.0 / (3 * k.tower)) ** 2) / 1e4
    both = STATIC_LIFT + ((150.0 / (2 * k.partial + k.chiller)) ** 2 + (150.0 / k.tower) ** 2) / 1e4
    chillers, exchangers = np.array([0.0, 3.0, 0.0, 2.0]), np.array([2.0, 2.0, 0.0, 2.0])
    head = required_head(chillers, exchangers, np.array([6.0, 2.0, 6.0, 0.0]), np.full(4, 0.15))
    assert head == pytest.approx([free, both, HIGHEST, HIGHEST])


def test_head_rises_with_flow_and_falls_with_open_branches(resources: Path) -> None:
    model = load_head(resources / "mlp.pth")
    for chillers, exchangers in ((0, 2), (2, 2), (2, 0)):
        heads = [model.predict(chillers, exchangers, 4, flow) for flow in (0.08, 0.14, 0.2)]
        assert heads[0] < heads[1] + 0.3
        assert heads[1] < heads[2] + 0.3
    assert model.predict(0, 3, 4, 0.2) < model.predict(0, 2, 4, 0.2) - 3.0
    assert model.predict(0, 2, 6, 0.2) < model.predict(0, 2, 2, 0.2) - 1.0


def test_shipped_head_agrees_with_the_loop(resources: Path) -> None:
    model = load_head(resources / "mlp.pth")
    x = head_samples(1500, seed=77)
    y = required_head(*x.T)
    error = np.array([model.predict(*row) for row in x]) - y
    usual = y < USUAL_HEAD
    assert np.sqrt(np.mean(error[usual & pure(x)] ** 2)) < 0.15
    assert np.sqrt(np.mean(error[usual] ** 2)) < 0.5


def test_shipped_power_agrees_with_the_plant(resources: Path, state_dir: Path) -> None:
    model = load_chiller_power(resources / "chiller_power.pth")
    unit, measured, power = record(resources, state_dir / "fmu", 200, seed=77)
    inside = np.all((measured > POWER_RANGE[0]) & (measured < POWER_RANGE[1]), axis=1) & (power > 0.0)
    assert inside.sum() > 200
    assert set(unit) == {1, 2, 3, 4, 5, 6}
    error = model.predict(unit, *measured.T)[inside] - power[inside]
    assert np.sqrt(np.mean(error**2)) < 0.15 * power[inside].mean()
    assert np.median(np.abs(error) / power[inside]) < 0.08


def test_units_differ(resources: Path) -> None:
    model = load_chiller_power(resources / "chiller_power.pth")
    power = model.predict(np.arange(1, 7), np.full(6, 2e6), np.full(6, 287.15), np.full(6, 291.0))
    assert power.std() > 0.05 * power.mean()


@pytest.mark.slow
def test_fit_finds_a_smooth_function_the_same_way_twice() -> None:
    rng = np.random.default_rng(4)
    x = rng.uniform(-1.0, 1.0, (400, 2))
    y = np.sin(2.0 * x[:, 0]) + x[:, 0] * x[:, 1]
    nets = [fit(x, y, bounds=(-np.ones(2), np.ones(2)), hidden=(12,), iterations=400) for _ in range(2)]
    assert all(np.array_equal(a, b) for a, b in zip(nets[0].weights, nets[1].weights, strict=True))
    fresh = rng.uniform(-1.0, 1.0, (200, 2))
    found = nets[0](fresh)[:, 0]
    assert np.abs(found - np.sin(2.0 * fresh[:, 0]) - fresh[:, 0] * fresh[:, 1]).max() < 0.05
