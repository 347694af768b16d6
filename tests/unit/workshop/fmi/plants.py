"""Small models with a known solution, as material for the tests of the FMU generator."""

import dataclasses
from types import SimpleNamespace

import casadi as ca

from workshop.fmi.spec import Model, Variable

RATES = (1000.0, 1.0, 0.02)
"""Rates of the linear model's states [1/s]."""

N_TANKS = 12


def model(name, states, ode, inputs=(), outputs=(), parameters=(), filters=(), tau=None, aux=None, out=None, start=None,
          step_size=1.0):  # fmt: skip
    """Make a model from functions of one namespace with the columns x, v, h, u, p; what is left out does nothing."""
    q = SimpleNamespace(
        x=ca.SX.sym("x", len(states)), v=ca.SX.sym("v", len(filters)), u=ca.SX.sym("u", len(inputs)),
        p=ca.SX.sym("p", len(parameters)),
    )  # fmt: skip

    def column(function):
        return ca.SX(0, 1) if function is None else ca.vertcat(*function(q))

    aux_value = column(aux)
    q.h = ca.SX.sym("h", aux_value.numel())
    every = [q.x, q.v, q.h, q.u, q.p]
    return Model(
        name=name,
        description=f"Test model {name}",
        version="1",
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        parameters=tuple(parameters),
        states=tuple(states),
        n_filters=len(filters),
        filter_input=tuple(filters),
        filter_tau=ca.Function("tau", [q.p], [column(tau)]),
        start=ca.Function("start", [q.u, q.p], [column(start or (lambda _: [s.start for s in states]))]),
        aux=ca.Function("aux", [q.v, q.u, q.p], [aux_value]),
        ode=ca.Function("ode", every, [column(ode)]),
        out=ca.Function("out", every, [column(out)]),
        step_size=step_size,
    )


def linear():
    """Make three decoupled linear states of very different speed that follow one filtered input: analytic solution."""
    return model(
        "linear",
        states=[Variable(f"x{i}", f"State {i}", "1", 0.0) for i in range(3)],
        ode=lambda q: [-rate * (q.x[i] - q.h[0]) for i, rate in enumerate(RATES)],
        inputs=[Variable("position", "Commanded position", "1", 0.25, 0.0, 1.0)],
        outputs=[Variable("y", "Sum of the states", "1", 0.0)],
        filters=[0],
        tau=lambda _: [20.0],
        aux=lambda q: [q.v[0]],
        out=lambda q: [q.x[0] + q.x[1] + q.x[2]],
        start=lambda q: [q.u[0]] * 3,
        step_size=10.0,
    )


def van_der_pol():
    """Make Van der Pol's oscillator as in Hairer and Wanner, IV.10; its stiffness is a parameter."""
    return model(
        "van_der_pol",
        states=[Variable("y1", "Position", "1", 2.0), Variable("y2", "Velocity", "1", 0.0)],
        ode=lambda q: [q.x[1], ((1.0 - q.x[0] ** 2) * q.x[1] - q.x[0]) / q.p[0]],
        outputs=[Variable("position", "Position", "1", 2.0)],
        parameters=[Variable("eps", "Smallness", "1", 1e-3, 1e-6, 1.0)],
        out=lambda q: [q.x[0]],
    )


def robertson():
    """Make Robertson's chemical kinetics: rates over nine orders of magnitude."""
    return model(
        "robertson",
        states=[
            Variable("a", "Species A", "1", 1.0),
            Variable("b", "Species B", "1", 0.0, nominal=1e-5),
            Variable("c", "Species C", "1", 0.0),
        ],
        ode=lambda q: [
            -0.04 * q.x[0] + 1e4 * q.x[1] * q.x[2],
            0.04 * q.x[0] - 1e4 * q.x[1] * q.x[2] - 3e7 * q.x[1] ** 2,
            3e7 * q.x[1] ** 2,
        ],
        step_size=40.0,
    )


def pulsed():
    """Make a tank that a pump fills in pulses and that runs out through a hole, and a count: analytic solution."""
    q = SimpleNamespace(p=ca.SX.sym("p", 5))
    plain = model(
        "pulsed",
        states=[Variable("level", "Level", "m", 1.0), Variable("pumped", "Pumped so far", "m", 0.0)],
        ode=lambda q: [q.h[0] - q.x[0] / q.p[4], q.h[0]],
        outputs=[Variable("y", "Level", "m", 1.0), Variable("pumping", "Pumped at present", "m/h", 0.0)],
        parameters=[
            Variable("period", "Period of the pulses", "h", 2.0, 0.0, 100.0),
            Variable("width", "Part of the period that the pump runs", "1", 0.25, 0.0, 2.0),
            Variable("step", "Longest step", "h", 0.1, 0.0, 100.0),
            Variable("flow", "Pumped while the pump runs", "m/h", 3.0),
            Variable("tau", "Time constant of the hole", "h", 4.0),
        ],
        aux=lambda q: [q.p[3]],
        out=lambda q: [q.x[0], q.h[0]],
    )
    pulses = ca.Function("pulses", [q.p], [ca.vertcat(q.p[0], q.p[0] * q.p[1], q.p[2])])
    return dataclasses.replace(plain, pulses=pulses, time_unit="h")


def _tank_rates(q):
    mass, tau_sensor = q.p[0], q.p[1]
    upstream = [q.u[1], *(q.x[i] for i in range(N_TANKS - 1))]
    loss = [1e-3 * ca.fmax(0.0, q.x[i] - 320.0) for i in range(N_TANKS)]
    rates = [q.h[0] / mass * (upstream[i] - q.x[i]) - loss[i] for i in range(N_TANKS)]
    rates[0] += q.u[2] / (4186.0 * mass)
    return [*rates, (q.x[N_TANKS - 1] - q.x[N_TANKS]) / tau_sensor]


def tanks():
    """Make a chain of heated tanks: a filtered valve, a quasi-static flow, kinks (losses above 320 K) and a sensor."""
    return model(
        "tanks",
        states=[
            *(Variable(f"tank[{i + 1}].T", f"Temperature of tank {i + 1}", "K", 300.0) for i in range(N_TANKS)),
            Variable("sensor.T", "Temperature of the sensor", "K", 300.0),
        ],
        ode=_tank_rates,
        inputs=[
            Variable("valve", "Valve position", "1", 0.5, 0.0, 1.0),
            Variable("T_in", "Inlet temperature", "K", 290.0, 250.0, 370.0),
            Variable("heat", "Heat to the first tank", "W", 1e5, 0.0, 1e7, 1e5),
        ],
        outputs=[
            Variable("T_out", "Measured outlet temperature", "K", 300.0),
            Variable("flow", "Mass flow", "kg/s", 0.0),
        ],
        parameters=[
            Variable("mass", "Water in a tank", "kg", 200.0, 1.0, 1e5),
            Variable("tau_sensor", "Time constant of the sensor", "s", 1.0, 1e-3, 100.0),
            Variable("tau_valve", "Time constant of the valve", "s", 15.0, 0.1, 1e3),
        ],
        filters=[0, 0],
        tau=lambda q: [q.p[2], 2.0 * q.p[2]],
        aux=lambda q: [10.0 * 50.0 ** (q.v[0] - 1.0) + 0.1 * q.v[1]],
        out=lambda q: [q.x[N_TANKS], q.h[0]],
        start=lambda q: [q.u[1]] * (N_TANKS + 1),
        step_size=300.0,
    )


def kinked():
    """Make a state under a steep, saturating controller and one that blows up when switched on."""
    return model(
        "kinked",
        states=[
            Variable("level", "Level", "m", 1.0),
            Variable("growth", "Grows with its square when switched on", "1", 1.0),
        ],
        ode=lambda q: [ca.fmin(2.0, ca.fmax(-1.0, 1e4 * (q.u[0] - q.x[0]))), q.u[1] * q.x[1] ** 2],
        inputs=[
            Variable("target", "Target level", "m", 0.5, -10.0, 10.0),
            Variable("on", "Switch of the growth", "1", 0.0, 0.0, 1.0),
        ],
        outputs=[Variable("root", "Root of the target, not a number when negative", "1", 0.0)],
        out=lambda q: [ca.sqrt(q.u[0])],
    )


def sliding():
    """Make a state whose rate jumps at zero, where it would have to slide: no solution in the classical sense."""
    return model(
        "sliding",
        states=[Variable("calm", "Decays", "1", 1.0), Variable("torn", "Is drawn to zero from both sides", "1", 0.5)],
        ode=lambda q: [-q.x[0], ca.if_else(q.x[1] > 0.0, -1.0, 2.0)],
    )
