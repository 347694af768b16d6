"""Linear models of the plant against differences of what `advance` returns, and the same wherever the plant runs."""

from __future__ import annotations

import numpy as np
import pytest

import trivium

INPUTS = ["Tchws_set_CHI", "Ffan_CT1_01", "CHWP01_rpm", "CWP_speedInput"]
OUTPUTS = ["Tchw_supply", "P_Chillers_sum", "P_CTfans_sum", "P_CHWPs_sum", "Tcw_supply"]
#: Where no law of the plant has a kink.
SMOOTH = {"Tchws_set_CHI": 286.4, "Ffan_CT1_01": 0.83, "Ffan_CT2_01": 0.7, "CDWP01_rpm": 1300.0, "CHWP01_rpm": 1300.0}


@pytest.fixture
def plant(resources, tmp_path):
    """The plant with an integrator that is exact beside what is compared."""
    for path in resources.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "testcase.toml").unlink()
    (tmp_path / "testcase.toml").write_text((resources / "testcase.toml").read_text() + "\n[fmu]\ntolerance = 1e-9\n")
    with trivium.open(tmp_path) as plant:
        plant.initialize(300_000)
        plant.advance(SMOOTH)
        yield plant


def differences(plant, share):
    """Return the change of outputs over the coming step by each input, from steps about what the inputs are."""
    matrix = np.empty((len(OUTPUTS), len(INPUTS)))
    for j, name in enumerate(INPUTS):
        low, high = plant.inputs[name].around(plant.results([name])[name][-1], share)
        ends = [plant.look_ahead({name: value}) for value in (low, high)]
        matrix[:, j] = [(ends[1][output] - ends[0][output]) / (high - low) for output in OUTPUTS]
    return matrix


def test_simulated_steps(plant):
    linear = plant.linearize("discrete", input_names=INPUTS, point_names=OUTPUTS, steps=3, perturbation=0.004)
    np.testing.assert_allclose(linear.D, differences(plant, 0.004), rtol=1e-12)


def test_the_derivatives_of_its_equations(plant):
    """Over a step that is short beside what bends, both say the same."""
    plant.step = 0.2
    linear = plant.linearize(input_names=INPUTS, point_names=OUTPUTS)
    assert (linear.method, len(linear.states)) == ("directional", 219)
    expected, short = differences(plant, 0.001), linear.discrete(0.2).D
    largest = np.abs(expected).max(axis=1)
    np.testing.assert_array_less(np.abs(short - expected).max(axis=1), 2e-2 * largest)


def test_every_input_of_a_step(plant):
    linear = plant.linearize()
    assert [len(group) for group in linear.groups.values()] == [219, 100, 4, 86]
    assert list(linear.disturbances) == ["Twb_outside", "Mchw", "Tchw_r", "Head_required"]  # the last by a law
    assert all(np.isfinite(array).all() for array in linear.arrays.values())
