"""Linear models of non-linear FMUs against their analytic Jacobians."""

import casadi as ca
import numpy as np
import pytest

import trivium
from tests.unit.workshop.fmi import plants


def test_van_der_pol(fmus):
    with trivium.open(fmus("van_der_pol").path, step=0.1) as simulation:
        simulation.initialize(start_values={"eps": 0.5})
        for _ in range(3):
            simulation.advance()
            linear = simulation.linearize()
            y1, y2 = linear.x
            np.testing.assert_allclose(linear.A, [[0, 1], [(-2 * y1 * y2 - 1) / 0.5, (1 - y1**2) / 0.5]], rtol=1e-12)
            np.testing.assert_allclose(linear.dx, [y2, ((1 - y1**2) * y2 - y1) / 0.5], rtol=1e-12)
            assert (linear.C.tolist(), linear.y.tolist()) == ([[1.0, 0.0]], [y1])


def jacobians(model, linear):
    """Return A, B, C, D of a model of the workshop at the states and inputs of a linear one, its filters included."""
    nf, nx = model.n_filters, len(model.states)
    s1, s2, x = ca.SX.sym("s1", nf), ca.SX.sym("s2", nf), ca.SX.sym("x", nx)
    u, p = ca.SX.sym("u", len(model.inputs)), ca.DM([parameter.start for parameter in model.parameters])
    h, tau = model.aux(s2, u, p), model.filter_tau(p)
    followed = ca.vertcat(*(u[i] for i in model.filter_input))
    states = ca.vertcat(s1, s2, x)
    rates = ca.vertcat((followed - s1) / tau, (s1 - s2) / tau, model.ode(x, s2, h, u, p))
    outputs = model.out(x, s2, h, u, p)
    pairs = [(rates, states), (rates, u), (outputs, states), (outputs, u)]
    function = ca.Function("jacobians", [states, u], [ca.densify(ca.jacobian(*pair)) for pair in pairs])
    return [np.array(matrix) for matrix in function(linear.x, linear.u)]


@pytest.mark.parametrize("interface", ["cs", "me"])
def test_tanks(fmus, tmp_path, interface):
    (tmp_path / "tanks.fmu").write_bytes(fmus("tanks").path.read_bytes())
    (tmp_path / "testcase.toml").write_text(
        f'step = 60\n[files]\nfmu = "tanks.fmu"\n[fmu]\ninterface = "{interface}"\n'
    )
    with trivium.open(tmp_path) as simulation:
        simulation.advance({"valve": 0.3, "heat": 3e5, "T_in": 335.0}, steps=4)
        linear = simulation.linearize()
        assert linear.method == "directional"
        for name, matrix in zip("ABCD", jacobians(plants.tanks(), linear), strict=True):
            np.testing.assert_allclose(getattr(linear, name), matrix, rtol=1e-9, atol=1e-12, err_msg=name)
