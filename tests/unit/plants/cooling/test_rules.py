"""The rule-based controller against the rules it claims to follow."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from trivium.plants.cooling.pumps import chilled_pump_speed, condenser_pump_speed
from trivium.plants.cooling.rules import INPUTS, Mode, RuleBasedController, Rules

PATTERNS = {  # facts of the plant: open valves of a train in service
    Mode.FREE: {"CW2", "CW3", "CHW2", "CHW3"},
    Mode.PARTIAL: {"CW3", "CW4", "CHW3", "CHW4"},
    Mode.CHILLER: {"CW1", "CW4", "CHW1", "CHW4"},
}


def observation(**changes: float) -> dict[str, float]:
    values = {"Tchw_supply": 287.15, "Tcw_supply": 290.0, "P_Chillers_sum": 0.0}
    values |= {f"H_CDWP{i}": 0.0 for i in range(1, 7)}
    values |= {f"Tlvg_CT{i}_0{cell}": 290.0 for i in range(1, 7) for cell in (1, 2)}
    return values | changes


def boundary(twb: float = 280.0, flow: float = 160.0, back: float = 292.5) -> dict[str, float]:
    return {"Twb_outside": twb, "Mchw": flow, "Tchw_r": back}


def run(rows: list[dict[str, float]], **seen: float) -> Iterator[tuple[RuleBasedController, dict[str, float]]]:
    controller = RuleBasedController()
    controller.reset(observation(**seen), rows[0])
    for row in rows:
        yield controller, controller.action(observation(**seen), row)


def trains(action: dict[str, float]) -> dict[int, set[str]]:
    """Open valves of each train that has any."""
    found = {}
    for i in range(1, 7):
        valves = {f"{side}{k}" for side in ("CW", "CHW") for k in range(1, 5) if action[f"CHI0{i}_{side}{k}"] == 1.0}
        if valves:
            found[i] = valves
    return found


def test_names_are_those_of_the_plant() -> None:
    assert len(set(INPUTS)) == 100
    assert {"U_CT6", "Ffan_CT6_02", "CDWP01_ONOFF", "CHWP06_rpm", "CHI04_CHW2", "CHI01", "Tchws_set_HEX"} <= set(INPUTS)


@pytest.mark.parametrize(("twb", "mode"), [(270.0, Mode.FREE), (286.0, Mode.PARTIAL), (295.0, Mode.CHILLER)])
def test_valves_and_chillers_follow_the_mode(twb: float, mode: Mode) -> None:
    for controller, action in run([boundary(twb)] * 5):
        assert controller.mode is mode
        in_service = trains(action)
        assert in_service
        assert all(valves == PATTERNS[mode] for valves in in_service.values())
        running = {i for i in range(1, 7) if action[f"CHI0{i}"] == 1.0}
        assert running == (set() if mode is Mode.FREE else set(in_service))


@pytest.mark.parametrize("twb", [256.0, 270.0, 284.4, 287.4, 300.0])
@pytest.mark.parametrize("flow", [65.0, 160.0, 240.0, 450.0])
@pytest.mark.parametrize("back", [288.4, 292.5, 295.4])
def test_every_action_is_complete_and_sensible(twb: float, flow: float, back: float) -> None:
    for _, action in run([boundary(twb, flow, back)] * 40, Tcw_supply=281.0, P_Chillers_sum=4e5):
        assert set(action) == set(INPUTS)
        assert all(np.isfinite(list(action.values())))
        for pump, top in (("CDWP", 1485.0), ("CHWP", 1480.0)):
            for i in range(1, 7):
                speed, on = action[f"{pump}0{i}_rpm"], action[f"{pump}0{i}_ONOFF"]
                assert (speed == 0.0) == (on == 0.0)
                assert speed == 0.0 or 600.0 <= speed <= top + 5.0
        running = [i for i in range(1, 7) if action[f"CDWP0{i}_ONOFF"]]
        assert len(running) == action["CWP_activatedNumber"] >= 1
        assert {action[f"CDWP0{i}_rpm"] for i in running} == {action["CWP_speedInput"]}
        for i in range(1, 7):
            for cell in (1, 2):
                fan = action[f"Ffan_CT{i}_0{cell}"]
                assert fan == 0.0 or 0.6 <= fan <= 1.0
                assert fan == 0.0 or action[f"U_CT{i}"] == 1.0


def test_noise_at_a_threshold_does_not_change_the_mode_often() -> None:
    rng = np.random.default_rng(11)
    rows = [boundary(Rules().free_below + noise) for noise in rng.normal(0.0, 0.5, 2000)]
    modes = [controller.mode for controller, _ in run(rows)]
    assert sum(a is not b for a, b in pairwise(modes)) <= 1


def test_mode_stays_an_hour_at_least() -> None:
    rows = [boundary(284.4 + 8.0 * np.sin(k / 12.0)) for k in range(2000)]
    modes = [controller.mode for controller, _ in run(rows)]
    changes = [k for k, (a, b) in enumerate(pairwise(modes)) if a is not b]
    assert len(changes) > 10
    assert min(np.diff(changes)) >= Rules().mode_stay


def test_free_cooling_that_fails_gives_way_and_remembers() -> None:
    modes = [c.mode for c, _ in run([boundary(283.0)] * 60, Tchw_supply=289.5, Tcw_supply=288.0)]
    assert modes[0] is Mode.FREE
    assert modes[-1] is Mode.PARTIAL
    assert sum(a is not b for a, b in pairwise(modes)) == 1


def test_a_train_is_replaced_without_a_gap() -> None:
    controller = RuleBasedController(Rules(rotate_every=20))
    controller.reset(observation(), boundary(295.0))
    in_service = [set(trains(controller.action(observation(), boundary(295.0)))) for _ in range(45)]
    first = in_service[0]
    assert all(units == first for units in in_service[:20])
    assert in_service[20] == first | {max(first) + 1}
    assert in_service[21] == in_service[20] - {min(first)}
    assert in_service[41] not in (first, in_service[21])


def test_no_chiller_stops_within_an_hour_of_its_start() -> None:
    """The load jumps up and down while the wet bulb swings through all modes."""
    rng = np.random.default_rng(8)
    rows = [boundary(286.0 + 5.0 * np.sin(k / 9.0), float(rng.choice((70.0, 160.0, 400.0)))) for k in range(1500)]
    on = np.array([[action[f"CHI0{i}"] for i in range(1, 7)] for _, action in run(rows)]) == 1.0
    lengths = []
    for unit in on.T:
        edges = np.flatnonzero(np.diff(unit.astype(int)))
        starts = [edge for edge in edges if not unit[edge]]
        lengths += [min(edges[edges > start]) - start for start in starts if (edges > start).any()]
    assert len(lengths) > 20
    assert min(lengths) >= Rules().mode_stay


def test_fans_speed_up_while_the_water_is_too_warm_and_slow_down_after() -> None:
    def fans(action: dict[str, float]) -> float:
        return sum(value for name, value in action.items() if name.startswith("Ffan"))

    warm = [fans(action) for _, action in run([boundary(295.0)] * 30, Tcw_supply=303.0)]
    assert all(b >= a for a, b in pairwise(warm))
    assert warm[-1] == pytest.approx(4.0)  # two towers of two cells at full speed
    cold = [fans(action) for _, action in run([boundary(295.0)] * 30, Tcw_supply=290.0)]
    assert all(b <= a for a, b in pairwise(cold[1:]))
    assert cold[-1] == 0.0


def test_fans_do_not_go_back_and_forth() -> None:
    """Water that is too warm with a fan less and too cold with it, as in mild weather."""
    controller = RuleBasedController()
    controller.reset(observation(), boundary(288.5))
    action = controller.action(observation(), boundary(288.5))
    levels = []
    for _ in range(60):
        on = sum(action[name] > 0.0 for name in INPUTS if name.startswith("Ffan"))
        levels.append(on)
        action = controller.action(observation(Tcw_supply=298.3 - 4.0 * on), boundary(288.5))
    turns = [k for k, (a, b) in enumerate(pairwise(levels)) if a != b]
    assert len(turns) > 3
    assert min(np.diff(turns[2:])) >= Rules().fan_stay


def test_frost_stops_the_fans() -> None:
    seen = {f"Tlvg_CT{i}_0{cell}": 275.0 for i in range(1, 7) for cell in (1, 2)}
    last = [action for _, action in run([boundary(262.0)] * 10, Tchw_supply=289.0, **seen)][-1]
    assert all(last[name] == 0.0 for name in INPUTS if name.startswith("Ffan"))


def test_a_tower_that_starts_gets_water_before_air() -> None:
    rows = [boundary(295.0, 100.0)] * 15 + [boundary(295.0, 400.0)] * 3
    actions = [action for _, action in run(rows, Tcw_supply=303.0)]
    started = [i for i in range(1, 7) if actions[15][f"U_CT{i}"] > actions[14][f"U_CT{i}"]]
    assert started
    assert all(actions[15][f"Ffan_CT{i}_0{cell}"] == 0.0 for i in started for cell in (1, 2))
    assert all(actions[16][f"Ffan_CT{i}_0{cell}"] > 0.0 for i in started for cell in (1, 2))


def test_pump_speeds_meet_the_curves() -> None:
    """Put the speed back into the published curves."""
    for head, flow in ((12.0, 0.15), (18.0, 0.2), (28.0, 0.24)):
        w = condenser_pump_speed(head, flow) / 1500.0
        assert 51.9655 * w**2 - 6.4336 * w * flow - 137.7364 * flow**2 == pytest.approx(head, rel=1e-9)
    for total in (120.0, 160.0):
        w, q = chilled_pump_speed(total, total / 1000.0) / 1480.0, total / 1000.0
        dp = 543128.0 * w**2 + 296644.0 * w * q - 3567116.0 * q**2
        assert dp == pytest.approx(1.2e5 + 2.2 * total**2, rel=1e-9)


def test_pumps_get_more_speed_when_the_flow_rises() -> None:
    rows = [boundary(295.0, 160.0)] * 6 + [boundary(295.0, 200.0)]
    heads = {"H_CDWP1": 14.0}
    actions = [action for _, action in run(rows, **heads)]
    assert actions[-1]["CWP_speedInput"] > 1.05 * actions[-2]["CWP_speedInput"]
