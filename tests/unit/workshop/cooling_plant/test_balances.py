"""Physics of the whole plant without any reference: conservation, second law, monotone responses."""

from __future__ import annotations

import casadi as ca
import numpy as np
import pytest

from tests.unit.workshop.cooling_plant.driver import CP, DEFAULTS, RHO, UNITS, SteadyState, action
from workshop.cooling_plant.flows import Flows, chilled_water_split
from workshop.cooling_plant.heat_exchanger import HeatExchanger
from workshop.cooling_plant.parameters import Parameters
from workshop.cooling_plant.variables import INPUTS, OUTPUTS, STATES, TOWER_CELLS
from workshop.fmi.spec import Model

MODES = ("chiller", "partial", "free")


@pytest.fixture(scope="module", params=MODES)
def steady(request: pytest.FixtureRequest, model: Model) -> tuple[dict[str, float], SteadyState]:
    """Inputs and steady state of each mode."""
    values = action(request.param)
    state = SteadyState(model, values)
    assert np.abs(state.residual).max() < 1e-9  # [K/s]: truly steady
    return values, state


def flows_of(state: SteadyState) -> Flows:
    return Flows.unpack(state.h)


def test_whole_loop_closes_its_energy_balance(steady: tuple[dict[str, float], SteadyState]) -> None:
    values, state = steady
    y = state.y
    rejected = y["VolumeFlowRate_cw"] * RHO * CP * (y["Tcw_returnPipe"] - y["Tcw_supply"])
    taken = values["Mchw"] * CP * (values["Tchw_r"] - y["Tchw_supply"])
    assert taken > 1e6
    assert rejected == pytest.approx(taken + y["P_Chillers_sum"], rel=1e-6)


def test_each_tower_cell_rejects_what_its_water_loses(steady: tuple[dict[str, float], SteadyState]) -> None:
    _, state = steady
    m = flows_of(state).m_cell.ravel()
    by_cell = sum(m[i - 1] * CP * (state.y["Tcw_returnPipe"] - state.y[f"Tlvg_CT{i}_0{j}"]) for i, j in TOWER_CELLS)
    loop = state.y["VolumeFlowRate_cw"] * RHO * CP * (state.y["Tcw_returnPipe"] - state.y["Tcw_supply"])
    assert 2.0 * m.sum() == pytest.approx(state.y["VolumeFlowRate_cw"] * RHO, rel=1e-12)
    assert by_cell == pytest.approx(loop, rel=1e-6)


def test_each_train_component_closes_its_energy_balance(steady: tuple[dict[str, float], SteadyState]) -> None:
    """Heat exchangers and chillers of all trains, running or leaking: what one water loses, the other gains."""
    values, state = steady
    flows, x, y = flows_of(state), state.x, state.y
    exchanger = HeatExchanger(Parameters(ca.DM(list(DEFAULTS.values()))))
    split = chilled_water_split(flows, [ca.DM(x[f"opening_hex{i}"]) for i in UNITS], exchanger)
    cold, hot = y["Tcw_supply"], values["Tchw_r"]
    moved = 0.0
    for i in UNITS:
        cw1, cw3, condenser = (float(f[i - 1]) for f in (flows.m_cw1, flows.m_cw3, flows.m_condenser))
        chw1, chw2, chw3, evaporator = (float(split[n][i - 1]) for n in ("chw1", "chw2", "chw3", "evaporator"))
        plates = chw3 * CP * (hot - x[f"T_hex{i}"])
        assert cw3 * CP * (y[f"Tcwr_HEX{i}"] - cold) == pytest.approx(plates, rel=1e-6, abs=1e-3)
        forward = max(chw3 - chw2, 0.0)
        entering = (forward * x[f"T_hex{i}"] + (evaporator - forward) * hot) / evaporator
        cooling = evaporator * CP * (entering - x[f"T_evaporator{i}"])
        condenser_in = (cw1 * cold + cw3 * y[f"Tcwr_HEX{i}"]) / (cw1 + cw3)
        warmed = condenser * CP * (x[f"T_condenser{i}"] - condenser_in)
        assert warmed == pytest.approx(cooling + y[f"Pchi{i}"], rel=1e-6, abs=1e-3)
        assert chw1 + chw3 == pytest.approx(chw2 + evaporator, rel=1e-12)
        moved += plates + cooling
    assert moved > 1e6


def test_energy_is_conserved_in_any_state(model: Model) -> None:
    """Stored energy changes by what enters and leaves, in states far from rest, to rounding."""
    rng = np.random.default_rng(7)
    p = np.array(list(DEFAULTS.values()))
    names = [s.name for s in STATES]
    mass = {
        "T_CT": "tower.m",
        "T_CDWP": "CDWP.m",
        "T_CHWP": "CHWP.m",
        "T_condenser": "chiller.m",
        "T_evaporator": "chiller.m",
        "T_hex": "hex.m",
    }
    for case in range(30):
        values = action(MODES[case % 3])
        u = np.array([values[v.name] for v in INPUTS])
        v = rng.uniform(0.0, 1.0, model.n_filters) if case % 2 else u[list(model.filter_input)]
        x = np.array(
            [rng.uniform(278.0, 310.0) if n.startswith(("T_", "sensor_")) else rng.uniform(0.0, 1.0) for n in names]
        )
        h = np.array(model.aux(v, u, p)).ravel()
        rate = dict(zip(names, np.array(model.ode(x, v, h, u, p)).ravel(), strict=True))
        state = dict(zip(names, x, strict=True))
        y = dict(zip([o.name for o in OUTPUTS], np.array(model.out(x, v, h, u, p)).ravel(), strict=True))
        flows = Flows.unpack(h)
        stored = sum(
            CP * DEFAULTS[key] * r for n, r in rate.items() for prefix, key in mass.items() if n.startswith(prefix)
        )

        def water_at(sensor: str, m: float) -> float:
            """Temperature that a main pipe's sensor sees, from its lag of 50 kg s over the flow."""
            return state[sensor] + rate[sensor] * 50.0 / m  # noqa: B023

        m_cw, m_chw = float(flows.m_cw[0]), float(flows.m_chw[0])
        returning = water_at("sensor_Tcw_return", m_cw)
        rejected = sum(
            CP * (float(flows.m_cell[i - 1]) * (returning - state[f"T_CT{i}_0{j}"]) - 93.0 * rate[f"T_CT{i}_0{j}"])
            for i, j in TOWER_CELLS
        )
        entering = m_chw * CP * (values["Tchw_r"] - water_at("sensor_Tchw_supply", m_chw))
        scale = abs(entering) + abs(rejected) + y["P_Chillers_sum"] + 1e6
        assert abs(entering + y["P_Chillers_sum"] - rejected - stored) / scale < 1e-9


def test_steady_state_obeys_the_second_law(steady: tuple[dict[str, float], SteadyState]) -> None:
    values, state = steady
    y = state.y
    for i, j in TOWER_CELLS:
        assert values["Twb_outside"] - 1e-9 <= y[f"Tlvg_CT{i}_0{j}"] <= y["Tcw_returnPipe"] + 1e-9
    for i in UNITS:
        if values[f"CHI0{i}_CHW3"] and y["Tcw_supply"] < values["Tchw_r"]:
            assert y["Tcw_supply"] - 1e-9 <= state.x[f"T_hex{i}"] <= values["Tchw_r"] + 1e-9
            assert y[f"Tcwr_HEX{i}"] <= values["Tchw_r"] + 1e-9
        if values[f"CHI0{i}"]:
            lift = y[f"Tcwr_CHI{i}"] / y[f"Tchws_CHI{i}"] - 1.0
            heat = values["Mchw"] / 2.0 * CP * (values["Tchw_r"] - y[f"Tchws_CHI{i}"])
            assert y[f"Pchi{i}"] >= heat * lift * (0.0 if values[f"CHI0{i}_CHW3"] else 1.0)


@pytest.mark.parametrize(
    ("mode", "changes", "output"),
    [
        ("chiller", [{"Twb_outside": t} for t in (283.15, 288.15, 293.15, 298.15)], "Tcw_supply"),
        ("chiller", [{"Mchw": m} for m in (80.0, 120.0, 160.0, 240.0)], "P_Chillers_sum"),
        ("chiller", [{"Tchws_set_CHI": t} for t in (286.15, 288.15, 290.15)], "Tchw_supply"),
        (
            "chiller",
            [{f"Ffan_CT{i}_0{j}": f for i in (1, 4, 5) for j in (1, 2)} for f in (1.0, 0.9, 0.8, 0.7, 0.0)],
            "Tcw_supply",
        ),
        ("chiller", [{f"CHWP0{i}_rpm": r for i in (1, 2)} for r in (900.0, 1000.0, 1100.0)], "P_CHWPs_sum"),
        ("chiller", [{f"CHWP0{i}_rpm": r for i in (1, 2)} for r in (900.0, 1000.0, 1100.0)], "H_CHWP1"),
        ("chiller", [{"Head_required": h} for h in (22.0, 18.0, 12.0)], "VolumeFlowRate_cw"),
        ("free", [{"Twb_outside": t} for t in (276.15, 280.15, 284.15, 288.15)], "Tchw_supply"),
        ("free", [{"Tchws_set_HEX": t} for t in (286.15, 287.15, 288.15)], "Tchw_supply"),
        ("partial", [{"Twb_outside": t} for t in (285.15, 288.15, 290.15)], "P_Chillers_sum"),
    ],
)
def test_responses_are_monotone(model: Model, mode: str, changes: list[dict[str, float]], output: str) -> None:
    answers = [SteadyState(model, action(mode, **change)).y[output] for change in changes]
    assert all(later > earlier for earlier, later in zip(answers, answers[1:], strict=False)), answers


def test_free_cooling_needs_no_compressor_and_partial_needs_less(model: Model) -> None:
    power = {mode: SteadyState(model, action(mode, Twb_outside=280.15)).y["P_Chillers_sum"] for mode in MODES}
    assert power["free"] == 0.0
    assert power["partial"] < 0.7 * power["chiller"]
