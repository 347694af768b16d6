"""Linear models of simulations: known matrices, whatever gives the derivatives, and nothing changed by them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

import trivium
from tests.optional import needs_engine
from trivium.errors import InvalidValueError, ModelError

A = np.array([[-0.5, 0.2], [0.1, -0.8]])
B = np.array([[1.0, 0.0], [0.0, 2.0]])
E = np.array([[0.3], [-0.4]])
C = np.array([[3.0, -1.0], [0.0, 1.0]])
D = np.array([[0.5, 0.0], [0.0, 0.0]])
F = np.array([[0.0], [0.7]])
KNOWN = {"A": A, "B": B, "C": C, "D": D, "E": E, "F": F}
STEP = 0.5


def held(step=STEP):
    """Return the map over a step, by the exponential of the matrix: states, and outputs at its end."""
    block = np.zeros((5, 5))
    block[:2] = np.hstack((A, B, E))
    moved = expm(block * step)[:2]
    a, b, e = moved[:, :2], moved[:, 2:4], moved[:, 4:]
    return {"A": a, "B": b, "C": C @ a, "D": C @ b + D, "E": e, "F": C @ e + F}


@pytest.fixture
def opened(own_fmu, tmp_path):
    """Open an own FMU whose input w follows a table: opened("coupled", "2.0", interface="me")."""
    simulations = []

    def make(name, version, linear=False, table="time,w\n0,0\n1,1\n3.2,4\n100,4\n", **options):
        folder = tmp_path / f"{name}-{version}-{len(simulations)}"
        folder.mkdir()
        (folder / "model.fmu").write_bytes(own_fmu(name, version).read_bytes())
        if table:
            (folder / "w.csv").write_text(table)
        fmu = "".join(f'{key} = "{value}"\n' for key, value in options.items())
        boundary = 'disturbances = "w.csv"\n[boundary]\ninterpolation = ' + ('"linear"' if linear else '"hold"')
        (folder / "testcase.toml").write_text(
            f'step = {STEP}\nend_time = 50\n[files]\nfmu = "model.fmu"\n{boundary if table else ""}\n[fmu]\n{fmu}'
        )
        simulations.append(trivium.open(folder))
        return simulations[-1]

    yield make
    for simulation in simulations:
        simulation.close()


def responses(linear, count=10):
    """Return outputs after pulses of inputs and disturbances, shape (count, p, m + q)."""
    b, d = np.hstack((linear.B, linear.E)), np.hstack((linear.D, linear.F))
    return np.array([d, *(linear.C @ np.linalg.matrix_power(linear.A, k) @ b for k in range(count - 1))])


def check_known(linear, *, rtol=1e-9):
    assert [list(group) for group in linear.groups.values()] == [["x1", "x2"], ["u", "v"], ["w"], ["y", "z"]]
    units = [[variable.unit for variable in group.values()] for group in linear.groups.values()]
    assert units == [["K", "1"], ["W", "kg"], ["K"], ["K", "1"]]
    for name, matrix in KNOWN.items():
        np.testing.assert_allclose(getattr(linear, name), matrix, rtol=rtol, atol=rtol, err_msg=name)
    np.testing.assert_allclose(linear.dx, A @ linear.x + B @ linear.u + E @ linear.d, rtol=1e-12)
    np.testing.assert_allclose(linear.y, C @ linear.x + D @ linear.u + F @ linear.d, rtol=1e-12)


@pytest.mark.parametrize(("version", "engine"), [("2.0", "fmpy"), ("3.0", "fmpy"), ("2.0", "pyfmi")])
@pytest.mark.parametrize("interface", ["cs", "me"])
def test_directional_derivatives_give_the_known_matrices(opened, version, engine, interface):
    needs_engine(engine)
    simulation = opened("coupled", version, interface=interface, engine=engine)
    fresh = simulation.linearize()
    assert (fresh.kind, fresh.method, fresh.time, fresh.step) == ("continuous", "directional", 0.0, None)
    check_known(fresh)
    simulation.advance({"u": 2.0, "v": -1.0}, steps=3)
    after = simulation.linearize()
    check_known(after)
    assert (after.time, after.u.tolist(), after.d.tolist()) == (1.5, [2.0, -1.0], [1.0])
    assert after.x == pytest.approx(simulation.linearize("continuous").x)


@pytest.mark.parametrize("engine", ["fmpy", "pyfmi", "assimulo"])
def test_equations_of_model_exchange_are_differentiated_where_the_fmu_gives_no_derivatives(opened, engine):
    needs_engine(engine)
    simulation = opened("linear", "2.0", table="", interface="me", engine=engine)
    simulation.advance({"u": 3.0})
    linear = simulation.linearize()
    assert (linear.kind, linear.method) == ("continuous", "differences")
    assert [list(group) for group in linear.groups.values()] == [["x"], ["u"], [], ["x", "y"]]
    np.testing.assert_allclose(linear.A, [[-0.1]], rtol=1e-8)
    np.testing.assert_allclose(linear.B, [[0.1]], rtol=1e-8)
    np.testing.assert_allclose(linear.C, [[1.0], [2.0]], rtol=1e-8)
    assert linear.D.tolist() == [[0.0], [0.0]]
    assert (linear.E.shape, linear.F.shape) == ((1, 0), (2, 0))


@pytest.mark.parametrize("version", ["2.0", "3.0"])
@pytest.mark.parametrize("lines", [False, True])
def test_simulated_steps_respond_as_the_known_system_does(opened, version, lines):
    simulation = opened("coupled", version, linear=lines)
    simulation.advance({"u": 2.0}, steps=5)  # to 2.5 s: the table has a row within the coming steps
    linear = simulation.linearize("discrete")
    assert (linear.kind, linear.method, linear.step, linear.time) == ("discrete", "steps", STEP, 2.5)
    assert list(linear.states) == ["x1", "x2"]  # as few as the system has
    known = held()
    expected = [np.hstack((known["D"], known["F"]))]
    for k in range(9):
        reached = np.linalg.matrix_power(known["A"], k)
        expected.append(known["C"] @ reached @ np.hstack((known["B"], known["E"])))
    if not (lines and version == "3.0"):  # where inputs cannot change within a step they hold what they begin with
        np.testing.assert_allclose(responses(linear), expected, rtol=1e-7, atol=1e-8)
    assert linear.misfit < 1e-6
    assert linear.x.tolist() == linear.dx.tolist() == [0.0, 0.0]
    coming = simulation.advance_many(12, point_names=["y", "z"]).columns
    np.testing.assert_array_equal(linear.free, np.stack([coming["y"], coming["z"]], axis=1))


def test_the_discrete_kind_of_a_continuous_one_predicts_steps(opened):
    simulation = opened("coupled", "2.0")
    simulation.advance()
    linear = simulation.linearize().discrete(STEP)
    for name, matrix in held().items():
        np.testing.assert_allclose(getattr(linear, name), matrix, rtol=1e-9, atol=1e-12, err_msg=name)
    x = linear.x
    for u in ([3.0, 0.5], [-2.0, 1.0]):
        change = np.array(u) - linear.u
        predicted = linear.y + linear.C @ (x - linear.x) + linear.D @ change
        x = linear.x + linear.dx + linear.A @ (x - linear.x) + linear.B @ change
        observed = simulation.advance({"u": u[0], "v": u[1]})
        drift = simulation.results(["w"])["w"][-1] - linear.d[0]
        predicted = predicted + linear.F[:, 0] * drift
        x = x + linear.E[:, 0] * drift
        np.testing.assert_allclose([observed["y"], observed["z"]], predicted, rtol=1e-9)
    with pytest.raises(InvalidValueError, match="discrete already"):
        linear.discrete(1.0)


@pytest.mark.parametrize("kind", ["continuous", "discrete"])
@pytest.mark.parametrize("begun", [False, True])
def test_nothing_changes(opened, kind, begun):
    simulation, other = opened("coupled", "2.0"), opened("coupled", "2.0")
    if begun:
        for each in (simulation, other):
            each.advance({"u": 2.0})
    before = simulation.state()
    simulation.linearize(kind, action={"u": 5.0, "label": "loud"})
    assert simulation.state() == before
    assert simulation.advance({"v": 1.0}) == other.advance({"v": 1.0})
    np.testing.assert_array_equal(simulation.history_rows(), other.history_rows())


def test_the_action_is_what_it_is_linearized_about(opened):
    simulation = opened("coupled", "2.0")
    for kind in ("continuous", "discrete"):
        linear = simulation.linearize(kind, action={"u": -4.0})
        assert linear.u.tolist() == [-4.0, 0.5]
    after = simulation.advance({"u": -4.0})
    assert linear.y.tolist() == [after["y"], after["z"]]


def test_some_inputs_and_outputs(opened):
    simulation = opened("coupled", "2.0")
    for kind in ("continuous", "discrete"):
        linear = simulation.linearize(kind, input_names=["w", "v"], point_names=["z"])
        assert [list(group) for group in linear.groups.values()][1:] == [["v"], ["w"], ["z"]]
        assert linear.D.shape == linear.F.shape == (1, 1)
    assert linear.F[0, 0] == pytest.approx(held()["F"][1, 0], rel=1e-7)


def test_an_fmu_that_refuses_its_derivatives_is_simulated(opened):
    simulation = opened("lying", "2.0")
    simulation.advance()
    linear = simulation.linearize()
    assert (linear.kind, linear.method) == ("discrete", "steps")
    with pytest.raises(ModelError, match="no such directional derivative"):
        simulation.linearize("continuous")
    assert simulation.time == STEP
    simulation.advance()


def test_arrays(own_fmu):
    with trivium.open(own_fmu("every", "3.0")) as simulation:
        linear = simulation.linearize(input_names=["v[2]", "in_Float32"], point_names=["z[2]", "w[1]", "w[2]"])
        assert list(linear.states) == ["z[1]", "z[2]", "z[3]"]
        np.testing.assert_allclose(linear.A, -np.eye(3))
        np.testing.assert_allclose(linear.B, [[0, 0], [1, 0], [0, 0]])
        np.testing.assert_allclose(linear.C, [[0, 1, 0], [0, 0, 0], [0, 0, 0]])
        np.testing.assert_allclose(linear.D, [[0, 0], [0, 0], [1, 0]])


def test_pulses_stay_within_the_bounds(opened):
    simulation = opened("coupled", "2.0")
    simulation.advance({"u": 10.0})
    linear = simulation.linearize("discrete", perturbation=0.5)
    np.testing.assert_allclose(linear.D, held()["D"], rtol=1e-7, atol=1e-9)


def test_steps_up_to_the_end(opened):
    simulation = opened("coupled", "2.0")
    simulation.initialize(0, 2.5)
    assert simulation.linearize("discrete").free.shape == (5, 2)
    simulation.advance(steps=3)
    with pytest.raises(InvalidValueError, match="the simulation ends at"):
        simulation.linearize("discrete")


@pytest.mark.parametrize(
    ("options", "field", "sentence"),
    [
        ({"input_names": ["n"]}, "input_names", "n in parameter input_names. It is a count, and has no derivative"),
        ({"input_names": ["label"]}, "input_names", "It is text, and has no derivative"),
        ({"point_names": ["counted"]}, "point_names", "It is a count"),
        ({"input_names": ["uu"]}, "input_names", r"has no input uu\. Did you mean u\?"),
        ({"point_names": ["u"]}, "point_names", "has no output u"),
        ({"input_names": "u"}, "input_names", "must be a list"),
        ({"kind": "both"}, "kind", "must be continuous or discrete"),
        ({"kind": "discrete", "steps": 2}, "steps", "at least 3"),
        ({"kind": "discrete", "steps": 1000}, "step", "the simulation ends at"),
        ({"kind": "discrete", "perturbation": 0}, "perturbation", "greater than 0 and at most 1"),
        ({"action": {"u": 11}}, "u", "above the maximum"),
        ({"action": {"w": 1}}, "w", "The test case itself gives this input its values"),
    ],
)
def test_what_cannot_be_is_refused_by_name(opened, options, field, sentence):
    simulation = opened("coupled", "2.0")
    with pytest.raises(InvalidValueError, match=sentence) as refusal:
        simulation.linearize(**options)
    assert refusal.value.field == field
    assert simulation.time == 0.0


def test_a_co_simulation_without_derivatives_is_not_continuous(own_fmu):
    with trivium.open(own_fmu("linear", "2.0")) as simulation:
        with pytest.raises(InvalidValueError, match="gives neither directional derivatives nor equations"):
            simulation.linearize("continuous")
        assert simulation.linearize().method == "steps"


def test_as_a_frame(opened):
    frame = opened("coupled", "2.0").linearize().frame("E")
    assert (list(frame.index), list(frame.columns)) == (["x1", "x2"], ["w"])
    assert frame.loc["x2", "w"] == pytest.approx(-0.4)
