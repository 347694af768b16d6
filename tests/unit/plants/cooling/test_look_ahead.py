from dataclasses import replace

from trivium.plants.cooling.look_ahead import LookAheadController, Search
from trivium.plants.cooling.rules import RuleBasedController, Rules

OBSERVATION = {
    "P_Chillers_sum": 0.0,
    "Tchw_supply": 287.15,
    "Tcw_supply": 285.0,
    **{f"H_CDWP{i}": 0.0 for i in range(1, 7)},
    **{f"Tlvg_CT{i}_0{cell}": 285.0 for i in range(1, 7) for cell in (1, 2)},
}
BOUNDARY = {"Twb_outside": 281.0, "Mchw": 300.0, "Tchw_r": 290.0}
SEARCH = Search(every=3, horizon=5, options={"tower_approach": (4.0, 2.0, 6.0), "head_margin": (1.02, 1.0, 1.1)})


def distance(controller: RuleBasedController, steps: int, weights: object) -> float:
    """A landscape whose bottom is at an approach of 6 K and a margin of 1.1, a step from the rule book's figures."""
    assert steps == 5
    return 1 + abs(controller.rules.tower_approach - 6) + abs(controller.rules.head_margin - 1.1)


def test_takes_what_rehearses_best() -> None:
    controller = LookAheadController(distance, SEARCH)
    controller.reset(OBSERVATION, BOUNDARY)
    assert controller.rules == Rules()
    action = controller.action(OBSERVATION, BOUNDARY)
    assert controller.rules == replace(Rules(), tower_approach=6.0, head_margin=1.1)
    expected = RuleBasedController(controller.rules)
    expected.reset(OBSERVATION, BOUNDARY)
    assert action == expected.action(OBSERVATION, BOUNDARY)


def test_looks_again_after_some_steps_only() -> None:
    controller = LookAheadController(distance, SEARCH)
    controller.reset(OBSERVATION, BOUNDARY)
    counts = []
    for _ in range(7):
        controller.action(OBSERVATION, BOUNDARY)
        counts.append(controller.rehearsals)
    assert counts[0] == counts[2] == 5  # the rule book and two options of each figure
    assert counts[3] == counts[5] > counts[2]
    assert counts[6] > counts[5]


def test_goes_back_to_the_rule_book_where_that_is_better() -> None:
    good = {"now": 6.0}

    def cost(controller: RuleBasedController, steps: int, weights: object) -> float:
        return 1 + abs(controller.rules.tower_approach - good["now"])

    options = {"tower_approach": (6.0,)}  # once taken, no option leads back
    controller = LookAheadController(cost, Search(every=1, options=options))
    controller.reset(OBSERVATION, BOUNDARY)
    controller.action(OBSERVATION, BOUNDARY)
    assert controller.rules.tower_approach == 6.0
    good["now"] = Rules().tower_approach
    controller.action(OBSERVATION, BOUNDARY)
    assert controller.rules == Rules()


def test_small_gains_are_not_taken() -> None:
    controller = LookAheadController(
        lambda tried, steps, weights: 1000 - tried.rules.tower_approach / 10, replace(SEARCH, gain=0.01)
    )
    controller.reset(OBSERVATION, BOUNDARY)
    controller.action(OBSERVATION, BOUNDARY)
    assert controller.rules == Rules()


def test_a_revised_controller_keeps_its_past_and_leaves_the_first_alone() -> None:
    first = RuleBasedController()
    first.reset(OBSERVATION, BOUNDARY)
    first.action(OBSERVATION, BOUNDARY)
    warm = {**BOUNDARY, "Twb_outside": 300.0}
    revised = first.revised(replace(Rules(), tower_flow=(60.0, 50.0)))
    for _ in range(30):
        more = revised.action(OBSERVATION, warm)
    assert revised.mode is not first.mode
    towers = [sum(action[f"U_CT{i}"] for i in range(1, 7)) for action in (more, first.action(OBSERVATION, BOUNDARY))]
    assert towers[0] > towers[1]
    assert first.revised(first.rules).action(OBSERVATION, BOUNDARY) == first.action(OBSERVATION, BOUNDARY)


def test_a_supply_that_is_too_warm_brings_the_rule_book_back() -> None:
    controller = LookAheadController(distance, SEARCH)
    controller.reset(OBSERVATION, BOUNDARY)
    controller.action(OBSERVATION, BOUNDARY)
    assert controller.rules != Rules()
    controller.action({**OBSERVATION, "Tchw_supply": 287.55}, BOUNDARY)
    assert controller.rules != Rules()  # within the guard
    controller.action({**OBSERVATION, "Tchw_supply": 287.65}, BOUNDARY)
    assert controller.rules == Rules()
    controller.action(OBSERVATION, BOUNDARY)  # the next search
    assert controller.rules != Rules()
