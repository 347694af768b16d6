"""Scores, results and the leaderboard, by numbers that are known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from trivium.benchmark import page, report, result, score
from trivium.errors import InvalidValueError
from trivium.plants.data_center.constraints import Costs

NONE = Costs(*[0.0] * 6)._asdict()


@pytest.mark.parametrize(
    ("value", "violation", "expected"),
    [
        (100.0, 0.0, 0.0),  # as the rule book
        (80.0, 0.0, 1.0),  # as the oracle
        (70.0, 0.0, 1.5),  # an oracle is no bound
        (90.0, 0.0, 0.5),
        (110.0, 0.0, -0.5),
        (500.0, 0.0, -1.0),
        (10.0, 0.2, -0.2),  # saves much and violates more: no credit
        (110.0, 0.2, -0.7),
        (10.0, 7.0, -1.0),
    ],
)
def test_the_score_of_an_episode(value, violation, expected):
    assert score.share(value, 100.0, 80.0, violation) == pytest.approx(expected)


def test_a_day_on_which_nothing_can_be_gained_decides_nothing():
    assert abs(score.share(100.0001, 100.0, 100.0, 0.0)) < 0.01


def test_what_is_violated_more_than_by_the_rule_book_counts():
    reference = {**NONE, "hall": 1.0}
    assert score.excess({**NONE, "hall": 1.0}, reference, 5e6) == 0.0
    assert score.excess({**NONE, "hall": 0.2}, reference, 5e6) == 0.0
    assert score.excess({**NONE, "hall": 3.5, "lock": 5.0}, reference, 5e6) == pytest.approx(0.5 + 0.5)
    assert score.excess({**NONE, "work": 25.0}, NONE, 5e6) == pytest.approx(0.5)  # 10 kWh for each of 5 MW
    assert score.excess({**NONE, "hall": 1.0, "work": 25.0}, reference, 5e6) == pytest.approx(0.5)


def test_an_interval_is_the_same_every_time_and_holds_the_mean():
    values = np.random.default_rng(1).standard_normal(10).tolist()
    interval = score.with_interval(values)
    assert interval == score.with_interval(values)
    assert interval.low < interval.mean < interval.high


def test_the_ranking_of_days():
    assert score.rank_correlation([[1, 2, 3], [10, 20, 30]]) == 1.0
    assert score.rank_correlation([[1, 2, 3], [3, 2, 1]]) == -1.0


def test_the_ranking_of_results_is_steadier_than_that_of_days():
    random = np.random.default_rng(3)
    days = np.array([0.0, 0.3, 0.6, 0.9]) + 0.4 * random.standard_normal((40, 4))
    assert score.rank_correlation(days.tolist()) < 0.7
    assert score.rank_stability(days.tolist()) > 0.95
    assert score.rank_stability(days.tolist()) == score.rank_stability(days.tolist())


def test_numbers_in_a_file_have_six_digits_and_no_sign_of_zero():
    content = result.as_bytes({"b": [1 / 3, -0.0, 1e-12, 123456789.0], "a": {"n": 2, "ok": True}})
    assert json.loads(content) == {"a": {"n": 2, "ok": True}, "b": [0.333333, 0.0, 0.0, 123457000.0]}
    assert content.index(b'"a"') < content.index(b'"b"')
    assert b"-0.0" not in content


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "other"}'])
def test_a_file_that_is_no_result(tmp_path, text):
    file = tmp_path / "result.json"
    file.write_text(text)
    with pytest.raises(InvalidValueError, match=r"result\.json is no result"):
        result.read(file)


def _result(name, scores, *, serves=True):
    return {
        "schema": result.SCHEMA, "task": "DC-Full-5A-5MW-v1", "level": "perfect", "objective": "cost_tot",
        "policy": {"name": name, "sha256": "ab" * 32}, "score": float(np.mean(scores)), "interval": [0.0, 1.0],
        "seeds": list(range(len(scores))), "serves": serves,
        "episodes": [
            {
                "score": each, "reward": each, "serves": serves, "oracle": {"reward": 1.0},
                "kpi": {"cost_tot": 100 - each, "ener_tot": 1.0}, "cost": {"hall": 0.0},
            }
            for each in scores
        ],
    }  # fmt: skip


def test_the_leaderboard_has_the_best_first_and_those_that_do_not_serve_last(tmp_path):
    for each in (_result("off", [2.0, 2.0], serves=False), _result("good", [0.7, 0.9]), _result("<fair>", [0.1, 0.3])):
        (tmp_path / f"{len(each['policy']['name'])}.json").write_bytes(result.as_bytes(each))
    text = page.write(tmp_path)
    assert text.index("good") < text.index("&lt;fair&gt;") < text.index(">off<")
    assert "does not serve" in text
    assert text == page.write(tmp_path)


def test_an_empty_folder_has_no_leaderboard(tmp_path):
    with pytest.raises(InvalidValueError, match="holds no result"):
        page.write(tmp_path)


def test_the_table_of_baselines():
    text = report.markdown([_result("one", [0.1, 0.3]), _result("two", [0.7, 0.9])])
    assert "| one | 0.200 | 0.000 to 1.000 | 100 |" in text
    assert "of two results of 2 days: 1.00; of two days: 1.00" in text
    assert text.endswith("earns more than the oracle: 0 of 2")
    text = report.markdown(
        [_result("one", [0.1, 0.3]), _result("two", [1.1, 0.9]), _result("three", [2, 2], serves=False)]
    )
    assert text.endswith("earns more than the oracle: 1 of 2")
