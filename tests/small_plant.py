"""A test case with a small plant of known solution, whose FMU fails when it is told to.

The plant has the variables of the cooling plant, so that the whole server runs on it, but only two states::

    dT/dt = (Tchws_set_HEX - T) / 600 s      T(0) = 290 K      -> Tchw_supply
    dg/dt = 0.02 CHI06_CW1 g^2 / s           g(0) = 1          -> infinite after 50 s once CHI06_CW1 is 1

and outputs that tell what the inputs were: ``Pchi_i = 100 kW CHI0i``, their sum, ``P_CDWPs_sum = 1000 Head_required``,
``VolumeFlowRate_cw = Mchw``, ``Tcw_supply = Twb_outside``; every other output is its start value.
"""

from __future__ import annotations

import math
from pathlib import Path

import casadi as ca
import numpy as np

from trivium.plants.cooling.surrogate import Network
from workshop.cooling_plant.variables import INPUTS, OUTPUTS
from workshop.fmi.build import build
from workshop.fmi.spec import Model, Variable
from workshop.surrogates.write import save

TAU = 600.0
START = 290.0
SET_POINT = 286.0
#: Rows of the disturbances, so the data ends at 300 times this.
ROWS = 400
#: The input that makes the plant fail.
FAILING = "CHI06_CW1"
INPUT_NAMES = [v.name for v in INPUTS]
OUTPUT_NAMES = [v.name for v in OUTPUTS]
CONTROL_NAMES = [n for n in INPUT_NAMES if n not in {"Twb_outside", "Mchw", "Tchw_r", "Head_required"}]


def temperature(time: float, set_point: float = SET_POINT, start: float = START) -> float:
    """Supply temperature after a time under a constant set point [K]: the analytic solution."""
    return set_point + (start - set_point) * math.exp(-time / TAU)


def disturbance(row: int) -> dict[str, float]:
    """Disturbances of a row: all different in every row."""
    return {"Twb_outside": 280.0 + 0.01 * row, "Mchw": 100.0 + 0.1 * row, "Tchw_r": 292.0 + 0.005 * row}


def head(chillers_on: float, hex_on: float, tower_cells: float, mcw: float) -> float:
    """What the test case's head model computes: a linear law [m]."""
    return 1.0 + 2.0 * chillers_on + 0.5 * hex_on + 0.25 * tower_cells + 10.0 * mcw


def small_plant() -> Model:
    """The plant, for the FMU generator."""
    u, p = ca.SX.sym("u", len(INPUTS)), ca.SX.sym("p", 0)
    x, v, h = ca.SX.sym("x", 2), ca.SX.sym("v", 0), ca.SX.sym("h", 0)
    at = {name: u[i] for i, name in enumerate(INPUT_NAMES)}
    ode = ca.vertcat((at["Tchws_set_HEX"] - x[0]) / TAU, 0.02 * at[FAILING] * x[1] ** 2)
    chillers = {f"Pchi{i}": 1e5 * at[f"CHI0{i}"] for i in range(1, 7)}
    values = {
        **chillers,
        "P_Chillers_sum": sum(chillers.values()),
        "P_CDWPs_sum": 1000.0 * at["Head_required"],
        "VolumeFlowRate_cw": at["Mchw"],
        "Tcw_supply": at["Twb_outside"],
        "Tchw_supply": x[0],
    }
    out = ca.vertcat(*(values.get(v.name, v.start) for v in OUTPUTS))
    none = ca.SX(0, 1)
    return Model(
        "small_plant", "A plant of known solution", "1", INPUTS, OUTPUTS, (),
        (Variable("T", "Supply temperature", "K", START), Variable("g", "Grows until it bursts", "1", 1.0)), 0, (),
        ca.Function("tau", [p], [none]),
        ca.Function("start", [u, p], [ca.vertcat(START, 1.0)]),
        ca.Function("aux", [v, u, p], [none]),
        ca.Function("ode", [x, v, h, u, p], [ode]),
        ca.Function("out", [x, v, h, u, p], [out]),
        tolerance=1e-8,
    )  # fmt: skip


def linear_network(weights: list[float], bias: float, inputs: int) -> Network:
    """A net without hidden layer: bias + weights . x, for inputs from 0 to 1 onwards."""
    return Network(
        weights=[np.array([weights], dtype=np.float64)],
        biases=[np.array([bias], dtype=np.float64)],
        activation="relu",
        input_minimum=np.zeros(inputs),
        input_maximum=np.ones(inputs),
        output_minimum=np.zeros(1),
        output_maximum=np.ones(1),
        clamp=False,
    )


def write_resources(folder: Path) -> Path:
    """Write the test case: FMU, disturbances, actions, first observation, head model; all under the default names."""
    folder.mkdir(parents=True, exist_ok=True)
    build(small_plant(), folder / "AlphaDataCenterCooling_FMU.fmu", ["linux64"])
    (folder / "version.txt").write_text("0.1.0-test\n")
    rows = [{"time": 300 * i, **disturbance(i)} for i in range(ROWS)]
    lines = [",".join(rows[0]), *(",".join(f"{value:.17g}" for value in row.values()) for row in rows)]
    (folder / "Disturbance.csv").write_text("\n".join(lines) + "\n")
    first = {v.name: v.start for v in (*OUTPUTS, *INPUTS) if v.name in OUTPUT_NAMES or v.name in CONTROL_NAMES}
    first |= {"Tchw_supply": START, "Tchws_set_HEX": SET_POINT, "CWP_activatedNumber": 1.0, "CHI01": 1.0}
    (folder / "Initialization_observation0.csv").write_text(
        "time," + ",".join(first) + "\n0," + ",".join(f"{value:.17g}" for value in first.values()) + "\n"
    )
    write_actions_csv(folder / "Initialization_actions.csv")
    save(folder / "mlp.pth", "head", linear_network([2.0, 0.5, 0.25, 10.0], 1.0, 4))
    return folder


def action(row: int) -> dict[str, float]:
    """The initialization action of a row."""
    return {name: 0.0 for name in CONTROL_NAMES} | {
        "Tchws_set_HEX": SET_POINT,
        "Tchws_set_CHI": 287.0,
        "CWP_activatedNumber": 1.0,
        "CHI02": float(row % 2),
    }


def write_actions_csv(path: Path) -> None:
    """Write the actions as a table with a column time."""
    lines = ["time," + ",".join(CONTROL_NAMES)]
    lines += [f"{300 * i}," + ",".join(repr(v) for v in action(i).values()) for i in range(ROWS)]
    path.write_text("\n".join(lines) + "\n")


def write_actions_npz(path: Path) -> None:
    """Write the same actions in the compact form."""
    unique = np.array([list(action(i).values()) for i in (0, 1)])
    index = np.arange(ROWS, dtype=np.int32) % 2
    np.savez_compressed(path, names=np.array(CONTROL_NAMES), time0=0.0, interval=300.0, unique=unique, index=index)
