"""Model predictive control of the data centre with CasADi and IPOPT, beside a search on the plant itself.

Every half hour six commands are planned for the coming hour: the ones that use least energy while the inlets stay at
27 degC or below. ``mpc`` plans with the plant's equations and their exact derivatives. ``oracle`` plans with the FMU
itself, which it simulates ahead thousands of times (differential evolution). ``rule-book`` decides at every step, on
how many units run too. ``hold`` leaves the commands alone::

    python examples/mpc/mpc.py --hours 3 --day 150 hold rule-book mpc oracle

Both planners know the states and the boundary data of the coming hour, and both start from the commands in use.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import casadi as ca
import numpy as np
from scipy.optimize import differential_evolution

import trivium
from trivium.control.drive import controller
from trivium.evaluation.testcase import TestCase
from trivium.model.variable import Variable
from trivium.plants import data_center

#: What is planned: commands that have one value.
DECISIONS = (
    ("TChiWatSupSet",),
    ("yPumChiWat",),
    ("yPumConWat",),
    ("yFanTow",),
    ("yFanCra1", "yFanCra2"),
    ("TSupAirSet1", "TSupAirSet2"),
)
#: Least speed of pumps in a plan [1]: with less water, flow switches stop chillers, of which no gradient knows.
SLOWEST = {"yPumChiWat": 0.5, "yPumConWat": 0.5}
#: Control step [s], steps of the plan, steps until the next plan.
STEP, HORIZON, EVERY = 300.0, 12, 6
#: Warmest inlet air [K], and what a kelvin above it costs, squared, in a step [kWh].
LIMIT, WEIGHT = 300.15, 100.0
#: What costs: cooling power [W], refused work [W]; inlet air [K].
POWERS, INLETS = {"PCoo": 1.0, "PItUns": 10.0}, ("TInl1", "TInl2")
Command = dict[str, float]
#: Takes the simulation and the commands in use; returns those of the coming hour, but for what stays.
Planner = Callable[[TestCase, Command], Command]


class Mpc:
    """Plans with the plant's equations: single shooting, gradients in reverse mode, quasi-Newton steps of IPOPT.

    Parameters
    ----------
    parameters : Mapping[str, float]
        Of the plant.
    """

    def __init__(self, parameters: Mapping[str, float]) -> None:
        self.plant = plant = data_center.casadi(parameters)
        # commands jump in the first step only
        steps = [plant.step(STEP, parts=24), *[plant.step(STEP, parts=5)] * (HORIZON - 1)]
        x, u = ca.MX.sym("x", len(plant.states)), ca.MX.sym("u", len(plant.inputs))
        d, z = ca.MX.sym("d", len(plant.disturbances), HORIZON), ca.MX.sym("z", len(DECISIONS))
        names, outputs = list(plant.inputs), list(plant.outputs)
        planned = {name: self._value(i, z[i]) for i, group in enumerate(DECISIONS) for name in group}
        commands = ca.vertcat(*(planned.get(name, u[i]) for i, name in enumerate(names)))
        state, costs = x, []
        for k, step in enumerate(steps):
            state, y = step(state, commands, d[:, k])
            costs.append(cost({name: y[outputs.index(name)] for name in (*POWERS, *INLETS)}, ca.fmax))
        problem = {"x": z, "p": ca.vertcat(x, u, ca.vec(d)), "f": sum(costs)}
        # kinks of the plant keep IPOPT from its own criteria; what is left after these steps is not worth them
        options = {
            "print_time": False,
            "ipopt": {
                "hessian_approximation": "limited-memory", "limited_memory_max_history": 12, "mu_init": 1e-3,
                "max_iter": 25, "print_level": 0, "sb": "yes",
            },
        }  # fmt: skip
        self._solver = ca.nlpsol("plan", "ipopt", problem, options)

    def __call__(self, simulation: TestCase, command: Command) -> Command:
        """Return the commands of the coming hour."""
        plant = self.plant
        now = simulation.linearize(input_names=[], point_names=[])
        ahead = simulation.forecast(list(plant.disturbances), STEP * (HORIZON - 1), STEP)
        data = np.stack([ahead[name] for name in plant.disturbances])
        given = np.concatenate((now.x, [command[name] for name in plant.inputs], data.ravel(order="F")))
        begin = [self._share(i, command[group[0]]) for i, group in enumerate(DECISIONS)]
        # IPOPT relaxes bounds by a trifle, which the plant does not
        lowest = [self._share(i, least(plant.inputs[group[0]])) for i, group in enumerate(DECISIONS)]
        best = np.clip(np.array(self._solver(x0=begin, p=given, lbx=lowest, ubx=1.0)["x"]).ravel(), lowest, 1.0)
        return {name: float(self._value(i, best[i])) for i, group in enumerate(DECISIONS) for name in group}

    def _value(self, place: int, share: ca.MX | float) -> ca.MX | float:
        variable = self.plant.inputs[DECISIONS[place][0]]
        return variable.lower + (variable.upper - variable.lower) * share

    def _share(self, place: int, value: float) -> float:
        variable = self.plant.inputs[DECISIONS[place][0]]
        return (value - variable.lower) / (variable.upper - variable.lower)


class Oracle:
    """Plans with the plant itself: a search without derivatives over simulations that are taken back."""

    def __init__(self) -> None:
        self._seed = 0

    def __call__(self, simulation: TestCase, command: Command) -> Command:
        """Return the commands of the coming hour."""
        variables = [simulation.inputs[group[0]] for group in DECISIONS]

        def commands(values: Sequence[float]) -> Command:
            pairs = zip(DECISIONS, values, strict=True)
            return {name: float(value) for group, value in pairs for name in group}

        self._seed += 1
        found = differential_evolution(
            lambda values: planned_cost(simulation, commands(values)),
            [(least(variable), variable.upper) for variable in variables],
            x0=[command[group[0]] for group in DECISIONS],
            maxiter=40, popsize=8, tol=1e-4, seed=self._seed,
        )  # fmt: skip
        return commands(found.x)


class Controller:
    """A controller that comes with the package; it decides at every step, on how many units run too.

    Parameters
    ----------
    name : str
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._controller: Any = None

    def __call__(self, simulation: TestCase, _command: Command) -> Command:
        """Return the commands of the coming step, as it decides by itself, whatever is in use."""
        observed = simulation.observation(), simulation.boundary()
        if self._controller is None:
            self._controller = controller(self._name, simulation)
            self._controller.reset(*observed)
        return dict(self._controller.action(*observed))


def least(variable: Variable) -> float:
    """Return the least value of a command in a plan, in its unit."""
    return SLOWEST.get(variable.name, variable.lower)


def cost(outputs: Mapping[str, ca.MX | float], larger: Callable[..., ca.MX | float]) -> ca.MX | float:
    """Return what a step costs that ends with these outputs [kWh]."""
    energy = sum(weight * outputs[name] for name, weight in POWERS.items()) * STEP / 3.6e6
    return energy + sum(WEIGHT * larger(outputs[name] - LIMIT, 0.0) ** 2 for name in INLETS)


def planned_cost(simulation: TestCase, command: Command) -> float:
    """Return what the coming hour costs under some commands, as the plant itself has it [kWh]."""
    ahead = simulation.look_ahead_many(HORIZON, action=command, point_names=[*POWERS, *INLETS]).columns
    return float(sum(cost({name: ahead[name][k] for name in ahead}, max) for k in range(HORIZON)))


def run(planner: Planner, start: float, hours: float) -> dict[str, float]:
    """Control the data centre with a planner from a start on [s]; return what came of it.

    Returns
    -------
    dict
        Energy of cooling [kWh], warmest inlet [degC], inlets above the limit [K h], refused work [kWh], and how long
        planning took [s].
    """
    seconds = 0.0
    with trivium.open("data_center") as simulation:
        simulation.initialize(start)
        begun = simulation.advance(steps=HORIZON)
        first = simulation.time
        command = {name: float(begun[name]) for name in simulation.inputs}
        while simulation.time < first + 3600.0 * hours - 1.0:
            before = time.process_time()
            command |= planner(simulation, command)
            seconds += time.process_time() - before
            simulation.advance(command, steps=1 if isinstance(planner, Controller) else EVERY)
        rows = simulation.results([*POWERS, *INLETS], first + 1.0)
    warmest = np.maximum(*(rows[name] for name in INLETS))
    hour = STEP / 3600.0
    return {
        "energy": float(rows["PCoo"].sum()) * hour / 1000.0,
        "warmest": float(warmest.max()) - 273.15,
        "above": float(np.maximum(warmest - LIMIT, 0.0).sum()) * hour,
        "refused": float(rows["PItUns"].sum()) * hour / 1000.0,
        "planning": seconds,
    }


PLANNERS: dict[str, Callable[[], Planner]] = {
    "hold": lambda: Controller("hold"),
    "rule-book": lambda: Controller("rule-book"),
    "mpc": lambda: Mpc({"PItNom": 5e6, "pAtm": 98934.0}),  # as testcase.toml of the test case data_center has it
    "oracle": Oracle,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table of planners."""
    parser = argparse.ArgumentParser(description="Model predictive control of the data centre.")
    parser.add_argument("planners", nargs="+", choices=PLANNERS)
    parser.add_argument("--day", type=float, default=150.0, help="day of the boundary data that it begins on")
    parser.add_argument("--hours", type=float, default=24.0)
    options = parser.parse_args(arguments)
    print("| planner | energy [kWh] | warmest inlet [degC] | above 27 degC [K h] | refused work [kWh] | planning [s] |")
    print("|---|--:|--:|--:|--:|--:|")
    for name in options.planners:
        row = run(PLANNERS[name](), 86400.0 * options.day, options.hours)
        print(
            f"| {name} | {row['energy']:.0f} | {row['warmest']:.2f} | {row['above']:.3f} | {row['refused']:.1f} "
            f"| {row['planning']:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
