"""The course of an iteration on maps of which the end is known; the truth is how each map was made."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize

from benchmarks.fixed_points import TOLERANCE, blocks, distance, of_scipy, trivium
from benchmarks.landscapes import noisy, solvable, unsolvable
from tests.unit.coupling.linear import drive
from trivium.coupling.acceleration import Method
from trivium.coupling.course import Role
from trivium.coupling.ending import Ending

#: How a map without a fixed point may end: a receding one is named, others do not come closer.
_RECEDING = ("shift", "root", "softplus", "hyperbola", "wave")


def ending(g, start, **settings):
    points, stop = drive(g, start, **{"relative": 1e-4, **settings})
    return str(stop.ending), len(points), points[-1]


@pytest.mark.parametrize("name", ["anderson", "iqn-ils", "aitken"])
@pytest.mark.parametrize("g", [lambda x: np.sqrt(x * x + 1.0), lambda x: x + 1.0])
def test_a_fixed_point_that_recedes_is_none(name, g):
    assert ending(g, [3.0], method=Method(name))[0] == "drifting"


@pytest.mark.parametrize("name", ["anderson", "iqn-ils", "newton-krylov"])
def test_a_small_residual_far_from_the_fixed_point_is_not_enough(name):
    """The residual of 0.9999 x + 1 at 5000 is within the tolerance; the fixed point is 10000."""
    outcome, _, last = ending(lambda x: 0.9999 * x + 1.0, [5000.0], method=Method(name))
    assert outcome == "converged"
    assert last.x[0] == pytest.approx(10000.0, rel=1e-4)


def test_what_damping_hardly_moves_is_not_converged():
    assert ending(lambda x: 0.9999 * x + 1.0, [5000.0], method=Method("constant"))[0] == "stalled"


def test_a_large_element_does_not_hide_a_small_one():
    outcome, _, last = ending(lambda x: np.array([0.5 * x[0] + 5e8, 0.1 * x[1] + 1e-6]), [1e9, 1e-5])
    assert outcome == "converged"
    np.testing.assert_allclose(last.x, [1e9, 1e-6 / 0.9], rtol=1e-4)


@pytest.mark.parametrize(("relative", "most"), [(1e-4, 52), (1e-8, 58)])
def test_fifty_unknowns_with_eigenvalues_from_minus_30_to_almost_1(relative, most):
    rng = np.random.default_rng(1)
    basis = np.linalg.qr(rng.standard_normal((50, 50)))[0]
    a, b = basis @ np.diag(np.linspace(-30.0, 0.99, 50)) @ basis.T, rng.uniform(1.0, 2.0, 50)
    outcome, count, last = ending(lambda x: a @ x + b, np.ones(50), relative=relative)
    assert outcome == "converged"
    assert count <= most
    np.testing.assert_allclose(last.x, np.linalg.solve(np.eye(50) - a, b), rtol=relative)


def test_steps_are_shortened_where_the_map_fails():
    points, stop = drive(lambda x: np.log(x) + 2.0 if x[0] < 3.2 else np.full(1, np.nan), [1.0], relative=1e-6)
    assert stop.ending is Ending.CONVERGED
    assert points[-1].x[0] == pytest.approx(3.146193, rel=1e-6)
    points, stop = drive(lambda x: np.exp(x) if x[0] == 0.0 else np.full(1, np.nan), [0.0])
    assert stop.ending is Ending.FAILED
    assert [point.role for point in points[-5:]] == [Role.SHORTER] * 5


def test_a_start_at_the_fixed_point_is_one_evaluation():
    assert ending(lambda x: 0.5 * x + 1.0, [2.0])[:2] == ("converged", 1)


def test_newton_krylov_follows_a_method_that_gets_nowhere():
    """A jump of the map: no method can do anything, and all were tried."""
    points, stop = drive(lambda x: np.where(x > 0.5, 0.0, 1.0), [0.3], relative=1e-4)
    assert stop.ending is Ending.STALLED
    assert {Role.RESTART, Role.KRYLOV} <= {point.role for point in points}


def test_noise_is_no_drift_and_no_oscillation():
    rng = np.random.default_rng(5)
    _, stop = drive(
        lambda x: np.cos(x) * (1.0 + 1e-6 * rng.standard_normal(1)), [1.0], Method("constant"), relative=1e-9
    )
    assert stop.ending is Ending.STALLED


def test_a_residual_that_noise_makes_small_is_not_converged():
    """Of two unknowns at most: in more of them chance makes no residual small. One in a hundred is within a tolerance."""
    small = [landscape for landscape in solvable(90) if len(landscape.start) < 3]
    outcomes = [trivium(noisy(landscape, 100 * TOLERANCE, seed)) for seed, landscape in enumerate(small)]
    assert len(small) > 30
    assert [outcome.ending for outcome in outcomes].count("converged") == 0


def test_some_maps_end_as_they_must():
    for landscape in [*solvable(12), *unsolvable(4)]:
        outcome = trivium(landscape)
        assert (outcome.ending == "converged") == (landscape.fixed is not None), landscape.name
        if landscape.fixed is not None:
            assert distance(landscape, outcome.x) <= 1e-6, landscape.name


@pytest.mark.slow
def test_250_maps_end_as_they_must_and_sooner_than_elsewhere():
    pytest.importorskip("openmdao")
    solvers = {
        "Trivium": trivium,
        "anderson": of_scipy(scipy.optimize.anderson),
        "newton_krylov": of_scipy(scipy.optimize.newton_krylov),
        "OpenMDAO": blocks,
    }
    evaluations, solved, right = dict.fromkeys(solvers, 0), 0, 0
    for landscape in solvable():
        for name, solver in solvers.items():
            outcome = solver(landscape)
            evaluations[name] += outcome.evaluations
            if name == "Trivium" and outcome.ending == "converged":
                solved += 1
                assert distance(landscape, outcome.x) <= 1e-6, f"false: {landscape.name}"
    for landscape in unsolvable():
        outcome = trivium(landscape)
        assert outcome.ending != "converged", f"false: {landscape.name}"
        receding = any(word in landscape.name for word in _RECEDING)
        right += outcome.ending == "drifting" if receding else outcome.ending != "out of iterations"
    assert solved + right >= 0.95 * 250
    assert min(evaluations, key=evaluations.__getitem__) == "Trivium", evaluations
