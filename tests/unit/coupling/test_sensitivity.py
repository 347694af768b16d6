"""The sensitivity of a fixed point, and warm starts, against a linear pair whose solution is known."""

import json

import numpy as np
import pytest

pytest.importorskip("pint", reason="the extra coupling is not installed")

from tests.unit.coupling.cases import MODULE
from trivium.coupling import coupled
from trivium.coupling.coupled import make_coupled
from trivium.errors import InvalidValueError
from trivium.experiment.spec import Coupled
from trivium.settings import Settings

#: y1 = A x1 + k u + b, y2 = C x2 + d, x1 = y2, x2 = y1; the scalar u is the input of the case.
A, C = np.array([[0.2, -0.3], [0.1, 0.4]]), np.array([[-0.5, 0.2], [0.3, 0.1]])
K, B, D = np.array([2.0, -1.0]), np.array([1.0, 0.5]), np.array([-2.0, 3.0])
DRIVEN = (
    MODULE
    + """
def driven(inputs, options):
    y = np.array(options["a"]) @ inputs["x"] + np.array(options["k"]) * inputs["u"] + np.array(options["b"])
    return {"y": y}
"""
)


def solution(u):
    """Return y1 and y2 at the fixed point."""
    y1 = np.linalg.solve(np.eye(2) - A @ C, A @ D + K * u + B)
    return y1, C @ y1 + D


@pytest.fixture
def made(tmp_path):
    def make(**options):
        one = {
            "kind": "python", "callable": "driven_pair:driven", "process": False,
            "options": {"a": A.tolist(), "k": K.tolist(), "b": B.tolist()},
            "inputs": {"x": {"dims": {"i": 2}, "initial": 0}, "u": {"initial": 1.0}},
            "outputs": {"y": {"dims": {"i": 2}}},
        }  # fmt: skip
        two = {
            "kind": "python", "callable": "driven_pair:linear", "process": False,
            "options": {"a": C.tolist(), "b": D.tolist()},
            "inputs": {"x": {"dims": {"i": 2}, "initial": 0}}, "outputs": {"y": {"dims": {"i": 2}}},
        }  # fmt: skip
        case = {
            "components": {"one": one, "two": two},
            "connections": [{"from": "one.y", "to": "two.x"}, {"from": "two.y", "to": "one.x"}],
            "tolerance": 1e-10,
            "max_iterations": 500,
            "method": "constant",
            "alpha": 0.9,
        }
        (tmp_path / "driven_pair.py").write_text(DRIVEN)
        (tmp_path / "case.json").write_text(json.dumps(case))
        description = Coupled(kind="coupled", path="case.json", **options)
        settings = Settings(environ={"TRIVIUM_STATE_DIR": str(tmp_path / "state")})
        return make_coupled(description, tmp_path, settings, "pair", "experiment")

    return make


def rows(experiment, values, folder):
    return list(experiment.evaluate_many([{"one.u": np.array(value)} for value in values], folder))


def test_derivatives_are_those_of_the_closed_form(made, tmp_path):
    experiment = made(sensitivity_to=["one.u"])
    assert "d(one.y)/d(one.u)[i=1]" in experiment.elements()
    for u, outputs in zip((0.0, 3.0), rows(experiment, (0.0, 3.0), tmp_path), strict=True):
        y1, y2 = solution(u)
        assert outputs["one.y"] == pytest.approx(y1, rel=1e-7)
        assert outputs["two.y"] == pytest.approx(y2, rel=1e-7)
        slope = np.linalg.solve(np.eye(2) - A @ C, K)
        assert outputs["d(one.y)/d(one.u)"] == pytest.approx(slope, rel=1e-6)
        assert outputs["d(two.y)/d(one.u)"] == pytest.approx(C @ slope, rel=1e-6)


def test_a_warm_start_takes_fewer_iterations_to_the_same_point(made, tmp_path, monkeypatch):
    counts = []
    converge = coupled.converge

    def counted(*arguments):
        result = converge(*arguments)
        counts.append(len(result.iterations))
        return result

    monkeypatch.setattr(coupled, "converge", counted)
    values = (1.0, 1.0 + 1e-6, 1.0 + 2e-6)
    cold = rows(made(), values, tmp_path)
    cold_counts, counts = counts, []
    warm_experiment = made(warm=True)
    warm = rows(warm_experiment, values, tmp_path)
    assert not warm_experiment.deterministic
    assert sum(counts) < sum(cold_counts)
    for one, other in zip(cold, warm, strict=True):
        assert one["one.y"] == pytest.approx(other["one.y"], rel=1e-8)


def test_what_is_no_scalar_input_is_refused(made):
    with pytest.raises(InvalidValueError, match=r"experiment\.sensitivity_to: there is no scalar input one\.v"):
        made(sensitivity_to=["one.v"])
    with pytest.raises(InvalidValueError, match=r"there is no scalar input one\.x"):
        made(sensitivity_to=["one.x"])
