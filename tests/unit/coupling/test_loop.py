"""Coupled runs: linear maps against the analytic fixed point, how they end, and what counts as converged."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.unit.coupling.cases import component, fixed_point, pair, run, settings_of
from tests.unit.coupling.linear import linear
from trivium.coupling.ending import Ending
from trivium.coupling.problem import prepare
from trivium.coupling.spec import Case

METHODS = ["constant", "aitken", "anderson", "iqn-ils"]
SCHEMES = ["gauss-seidel", "jacobi"]


def maps(eigenvalues, seed=3):
    """Return two maps whose composition has these eigenvalues: the first keeps them, the second turns."""
    a, b, _ = linear(eigenvalues, seed)
    turn, _ = np.linalg.qr(np.random.default_rng(seed + 1).standard_normal(a.shape))
    return turn.T @ a, turn.T @ b, turn, np.ones(len(b))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("eigenvalues", [[0.5], [-0.6, 0.3], [(0.3, 0.5), 0.2]])
def test_every_method_and_scheme_finds_the_analytic_fixed_point(tmp_path, eigenvalues, method, scheme):
    given = maps(eigenvalues)
    problem, result = run(tmp_path, pair(*given, method=method, scheme=scheme))
    assert result.ending is Ending.CONVERGED
    one, two = fixed_point(*given)
    np.testing.assert_allclose(result.evaluations["one"].outputs["y"], one, rtol=1e-8)
    np.testing.assert_allclose(result.evaluations["two"].outputs["y"], two, rtol=1e-8)
    assert len(problem.parts) == (2 if scheme == "jacobi" else 1)


@pytest.mark.parametrize(
    ("eigenvalues", "ending"), [([-1.0], Ending.OSCILLATING), ([-1.4, 0.2], Ending.DIVERGED), ([1.3], Ending.DIVERGED)]
)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_plain_iteration_ends_as_the_spectrum_says_and_anderson_converges(tmp_path, eigenvalues, ending, scheme):
    given = maps(eigenvalues)
    assert run(tmp_path / "a", pair(*given, method="constant", scheme=scheme))[1].ending is ending
    _, result = run(tmp_path / "b", pair(*given, scheme=scheme))
    assert result.ending is Ending.CONVERGED
    np.testing.assert_allclose(result.evaluations["one"].outputs["y"], fixed_point(*given)[0], rtol=1e-7)


def test_out_of_iterations_tells_how_many_more_it_takes(tmp_path):
    given = maps([0.5])
    case = pair(*given, method="constant", tolerance=1e-6)
    _, short = run(tmp_path, {**case, "max_iterations": 5})
    assert short.ending is Ending.OUT_OF_ITERATIONS
    _, whole = run(tmp_path, case)  # the same folder: it goes on
    assert whole.ending is Ending.CONVERGED
    assert [one.x.tolist() for one in whole.iterations[:5]] == [one.x.tolist() for one in short.iterations]
    assert abs(5 + short.iterations[-1].figures["remaining"] - len(whole.iterations)) <= 1
    assert short.iterations[-1].figures["rate"] == pytest.approx(0.5)


def test_damping_by_alpha_alone_is_the_formula(tmp_path):
    given = maps([0.5])
    problem, result = run(tmp_path, pair(*given, alpha=0.2, max_iterations=6, tolerance=1e-4))
    assert (problem.method.name, problem.method.alpha) == ("constant", 0.2)
    for before, after in zip(result.iterations, result.iterations[1:], strict=False):
        np.testing.assert_allclose(after.x, 0.2 * before.g + 0.8 * before.x, rtol=1e-14)
    assert run(tmp_path / "b", pair(*given))[0].method.name == "anderson"


def test_a_small_alpha_does_not_converge_sooner(tmp_path):
    """The damped step of alpha = 1e-6 is within any tolerance at once; the residual is not."""
    given = maps([0.5])
    _, result = run(tmp_path, pair(*given, alpha=1e-6, tolerance=1e-3, max_iterations=7))
    assert result.ending is Ending.OUT_OF_ITERATIONS


def test_tolerances_are_each_variables_own(tmp_path):
    case = pair(*maps([0.5]), method="constant", scheme="jacobi", tolerance=1e-3)
    case["components"]["one"]["inputs"]["x"] |= {"relative": 1e-9}
    _, strict = run(tmp_path / "a", case)
    case["components"]["one"]["inputs"]["x"] |= {"relative": 0.0, "absolute": 0.5}
    case["components"]["two"]["inputs"]["x"] |= {"relative": 0.5}
    _, loose = run(tmp_path / "b", case)
    assert strict.ending is loose.ending is Ending.CONVERGED
    assert len(loose.iterations) < 12 < 25 < len(strict.iterations)


def test_bounds_hold_the_iterates_and_a_fixed_point_beyond_them_is_none(tmp_path):
    case = pair([[0.5]], [1.0], [[1.0]], [0.0])  # x = 2 at the fixed point
    case["components"]["one"]["inputs"]["x"] |= {"upper": 1.5, "initial": 0.5}
    _, result = run(tmp_path, case)
    assert result.ending is Ending.STALLED
    assert all(one.x[0] <= 1.5 for one in result.iterations)


def test_without_a_cycle_one_pass_is_enough(tmp_path):
    case = pair([[0.5]], [1.0], [[1.0]], [0.0])
    case["connections"] = case["connections"][:1]
    _, result = run(tmp_path, case)
    assert result.ending is Ending.CONVERGED
    assert len(result.iterations) == 1
    assert result.evaluations["two"].outputs["y"][0] == 1.0


def test_a_component_may_feed_itself(tmp_path):
    case = {"components": {"one": component([[0.5]], [1.0])}, "connections": [{"from": "one.y", "to": "one.x"}]}
    _, result = run(tmp_path, case)
    assert result.ending is Ending.CONVERGED
    assert result.evaluations["one"].outputs["y"][0] == pytest.approx(2.0)


def dead_case(formula, **connection):
    """Two components: one is a formula of x, the other hands on."""
    case = pair([[1.0]], [0.0], [[1.0]], [0.0], tolerance=1e-6)
    case["components"]["one"] |= {"callable": f"own:{formula}", "options": {}}
    case["components"]["two"]["inputs"]["x"]["initial"] = case["components"]["one"]["inputs"]["x"]["initial"] = 3.0
    case["connections"][0] |= connection
    return case


OWN = """
import numpy as np
def stale(inputs, options):  # reads what nobody writes
    return {"y": np.array([5.0])}
def noise(inputs, options):  # dead, but for rounding
    return {"y": 5.0 + 1e-15 * inputs["x"]}
def clipped(inputs, options):  # moves at first, then lies at its lower end
    return {"y": np.maximum(0.5 * inputs["x"] - 2.0, 1.0)}
def plateau(inputs, options):  # a merit order: steps of 0.02 around 1
    return {"y": 1.0 + 0.02 * np.round(5.0 * (inputs["x"] - 1.0))}
def alive(inputs, options):
    return {"y": 0.5 * inputs["x"] + 1.0}
def exact(inputs, options):  # 3 is the fixed point and the start
    return {"y": 0.5 * inputs["x"] + 1.5}
def picky(inputs, options):  # flat, and fails beside its fixed point
    if abs(inputs["x"][0] - 3.0) > 0.01:
        raise ValueError("infeasible")
    return {"y": np.array([3.0])}
"""


@pytest.mark.parametrize(
    ("formula", "ending"),
    [
        ("stale", Ending.STALLED),
        ("noise", Ending.STALLED),
        ("clipped", Ending.STALLED),
        ("picky", Ending.STALLED),
        ("plateau", Ending.CONVERGED),
        ("alive", Ending.CONVERGED),
        ("exact", Ending.CONVERGED),
    ],
)
def test_a_dead_connection_never_counts_as_converged_and_a_plateau_is_not_dead(tmp_path, formula, ending):
    tmp_path.joinpath("own.py").write_text(OWN)
    case = dead_case(formula)
    case["components"]["one"]["process"] = True
    problem, result = run(tmp_path, case)
    assert (
        max(abs(one.g - one.x).max() for one in result.iterations[-1:]) < 1e-5
    )  # the residual is small in all of them
    assert result.ending is ending
    assert ("one.y -> two.x" in result.reason) == (ending is Ending.STALLED)
    longer, damped = (
        prepare(Case.model_validate(case | change), tmp_path, settings_of(tmp_path / "state")).fingerprint
        for change in ({"max_iterations": 501}, {"alpha": 0.3})
    )
    assert longer == problem.fingerprint != damped, "of all that determines iterates, and not of when they end"


def test_a_connection_that_need_not_respond_may_be_dead(tmp_path):
    tmp_path.joinpath("own.py").write_text(OWN)
    case = dead_case("stale", alive=False)
    case["components"]["one"]["process"] = True
    assert run(tmp_path, case)[1].ending is Ending.CONVERGED


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("raise", "ValueError: the model has no answer"),
        ("exit", "(?s)exit code 9.*on my way out"),
        ("crash", "SIGSEGV"),
        ("hang", "took longer than 2 s"),
        ("nan", r"output y\[i=0\] is nan"),
        ("shape", r"shape \[3\]"),
        ("bound", "below its lower bound"),
        ("text", "output y is no array of numbers: it is text"),
        ("complex", "output y is no array of numbers: it is complex"),
        ("ragged", "output y is no array of numbers: its rows differ in length"),
        ("object", "no arrays of numbers|Object arrays"),
        ("nothing", "no arrays of numbers|Object arrays"),
        ("missing", "did not answer its output y"),
        ("extra", "answered z"),
    ],
)
def test_a_component_that_fails_ends_the_run_and_says_why(tmp_path, how, said):
    case = pair([[0.5]], [1.0], [[1.0]], [0.0])
    case["components"]["two"] |= {
        "callable": "coupled:wrong",
        "process": True,
        "options": {"how": how},
        "timeout": 2 if how == "hang" else 60,
    }
    case["components"]["two"]["outputs"]["y"]["lower"] = 0
    _, result = run(tmp_path, case)
    assert result.ending is Ending.FAILED
    assert result.iterations == ()
    assert re.search(said, result.reason)
    assert result.reason.startswith("two")


@pytest.mark.parametrize("how", ["raise", "nan", "extra", "complex", "ragged", "digits"])
def test_a_component_in_this_process_fails_alike(tmp_path, how):
    case = pair([[0.5]], [1.0], [[1.0]], [0.0])
    case["components"]["two"] |= {"callable": "coupled:wrong", "options": {"how": how}}
    assert run(tmp_path, case)[1].ending is Ending.FAILED
