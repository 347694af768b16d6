"""Chillers at work: the plant's FMU driven through random operating points.

At each point the inputs are held until the plant has settled. What is recorded is what the server will know when it
asks the surrogate: the loads and temperatures that `trivium.plants.cooling.head.chiller_load` infers from the inputs of
a sub-step and the measurements before it, and the power at the end of that sub-step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trivium.errors import ModelError
from trivium.model.contract import FloatArray
from trivium.model.fmu.description import read_fmu
from trivium.model.fmu.fmpy_ import FmpyModel
from trivium.plants.cooling.head import ChillerLoad, chiller_load
from trivium.plants.cooling.pumps import chilled_pump_speed, condenser_pump_speed
from trivium.plants.cooling.rules import INPUTS, Mode
from workshop.surrogates.condenser_loop import required_head

STEP = 300.0
SETTLE = 4  # steps until the slowest valve and the water have settled
CAPACITY = 4.03e6  # W, of a chiller at reference conditions
WATER = 4186.0


def random_point(rng: np.random.Generator) -> dict[str, float]:
    """Draw all inputs of the plant for a wide range of chiller operation."""
    mode = Mode.CHILLER if rng.random() < 0.65 else Mode.PARTIAL
    number = int(rng.choice(6, p=(0.35, 0.35, 0.17, 0.07, 0.04, 0.02))) + 1
    back = rng.uniform(289.0, 295.4)
    set_point = min(rng.uniform(284.5, 289.2), back - 1.0)
    most = number * 1.08 * CAPACITY / (WATER * (back - set_point))
    # heat exchangers resist more, so trains that use them carry less
    per_train = rng.triangular(45.0, 110.0, 220.0) if mode is Mode.CHILLER else rng.triangular(40.0, 75.0, 100.0)
    flow = float(min(number * per_train, most, 455.0))
    condenser_flow = flow * rng.uniform(1.0, 1.3)
    towers = int(np.clip(np.ceil(condenser_flow / rng.uniform(80.0, 260.0)), 1, 6))
    units = rng.permutation(6)[:number] + 1
    inputs = dict.fromkeys(INPUTS, 0.0)
    for i in units:
        inputs[f"CHI0{i}"] = 1.0
        for valve in mode.valves:
            inputs[f"CHI0{i}_CW{valve}"] = inputs[f"CHI0{i}_CHW{valve}"] = 1.0
    fans = [f"Ffan_CT{i}_0{cell}" for i in range(1, towers + 1) for cell in (1, 2)]
    speed = rng.uniform(0.6, 1.0)
    for fan in fans[: rng.integers(0, len(fans) + 1)]:
        inputs[fan] = speed
    for i in range(1, towers + 1):
        inputs[f"U_CT{i}"] = 1.0
    hex_on = number if mode is Mode.PARTIAL else 0
    law = np.array(1.15e-3 * flow)
    head = float(required_head(np.array(number), np.array(hex_on), np.array(2.0 * towers), law))
    pumps = int(np.clip(np.ceil(condenser_flow / 220.0), 1, 6))
    condenser_speed = condenser_pump_speed(head, condenser_flow / 1000.0 / pumps)
    chilled_pumps = int(np.clip(np.ceil(flow / 170.0), 1, 6))
    for i in range(1, 7):
        if i <= pumps:
            inputs[f"CDWP0{i}_ONOFF"], inputs[f"CDWP0{i}_rpm"] = 1.0, condenser_speed
        if i <= chilled_pumps:
            inputs[f"CHWP0{i}_ONOFF"] = 1.0
            inputs[f"CHWP0{i}_rpm"] = chilled_pump_speed(flow, flow / 1000.0 / chilled_pumps)
    return inputs | {
        "CWP_activatedNumber": float(pumps),
        "CWP_speedInput": condenser_speed,
        "Tchws_set_CHI": set_point,
        "Tchws_set_HEX": set_point + rng.uniform(-0.5, 0.5),
        "Twb_outside": rng.uniform(276.0, 302.0) if mode is Mode.CHILLER else rng.uniform(270.0, 291.0),
        "Mchw": flow,
        "Tchw_r": back,
        "Head_required": head,
    }


def record(resources: Path, cache: Path, count: int, seed: int) -> tuple[NDArray[np.int64], FloatArray, FloatArray]:
    """Drive the plant through random points.

    Parameters
    ----------
    resources, cache : Path
        The FMU's folder, and one to unpack it in.
    count : int
        Number of points.
    seed : int

    Returns
    -------
    unit : ndarray of int, shape (n,)
        Number of the chiller; a point gives one row for each that runs.
    measured : ndarray, shape (n, 3)
        Load [W], leaving chilled water and entering condenser water temperature [K].
    power : ndarray, shape (n,)
        [W]
    """
    model = FmpyModel(read_fmu(resources / "AlphaDataCenterCooling_FMU.fmu", cache))
    names = [variable.name for variable in model.inputs]
    rng = np.random.default_rng(seed)
    rows = [row for _ in range(count) for row in _settle(model, names, random_point(rng))]
    model.close()
    table = np.array(rows)
    return table[:, 0].astype(np.int64), table[:, 1:4], table[:, 4]


def chillers_load(inputs: Mapping[str, float], seen: Mapping[str, float]) -> ChillerLoad:
    """Tell the chillers' loads from named inputs of a sub-step and named measurements before it, as the server does."""

    def six(values: Mapping[str, float], pattern: str) -> FloatArray:
        return np.array([values[pattern.format(i)] for i in range(1, 7)])

    return chiller_load(
        on=six(inputs, "CHI0{}"),
        chw3=six(inputs, "CHI0{}_CHW3"),
        cw3=six(inputs, "CHI0{}_CW3"),
        mchw=inputs["Mchw"],
        tchw_r=inputs["Tchw_r"],
        tchws_chi=six(seen, "Tchws_CHI{}"),
        tchws_hex=six(seen, "Tchws_HEX{}"),
        tcw_supply=seen["Tcw_supply"],
        tcwr_hex=six(seen, "Tcwr_HEX{}"),
    )


def _settle(model: FmpyModel, names: list[str], point: Mapping[str, float]) -> Iterator[tuple[float, ...]]:
    inputs = np.array([point[name] for name in names])
    try:
        model.initialize(0.0, inputs)
        for _ in range(SETTLE):
            before = model.step(STEP, inputs)
        after = model.step(STEP, inputs)
    except ModelError:
        return  # a point that the plant cannot be in
    seen = dict(zip((v.name for v in model.outputs), before, strict=True))
    power = dict(zip((v.name for v in model.outputs), after, strict=True))
    load = chillers_load(point, seen)
    for unit, heat, leaving, entering in zip(*load, strict=True):
        yield float(unit), float(heat), float(leaving), float(entering), power[f"Pchi{unit}"]
