from pathlib import Path

import numpy as np
import pytest

from trivium.errors import InvalidValueError
from trivium.study.values import elements, parse, table


def listed(given, folder=Path(), seed=0):
    return parse(given, "p", folder, seed).listed.tolist()


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ([1, 2.5, "3"], [1.0, 2.5, 3.0]),
        (7, [7.0]),
        ("0:1:0.25", [0.0, 0.25, 0.5, 0.75, 1.0]),
        ("0:0.3:0.1", [0.0, 0.1, 0.2, 0.3]),  # 0.3 / 0.1 is just below 3
        ("0:1:0.4", [0.0, 0.4, 0.8]),
        ("3:1:-1", [3.0, 2.0, 1.0]),
        ("linspace:-1:1:3", [-1.0, 0.0, 1.0]),
        ("log:1:100:3", [1.0, 10.0, 100.0]),
        ([True, False], [1.0, 0.0]),
    ],
)
def test_forms(given, values):
    assert listed(given) == pytest.approx(values, rel=1e-12)


def test_random_values_depend_on_seed_and_name_alone():
    first = listed("rand:2:3:500", seed=1)
    assert first == listed("rand:2:3:500", seed=1)
    assert first != listed("rand:2:3:500", seed=2)
    assert first != parse("rand:2:3:500", "q", Path(), 1).listed.tolist()
    assert 2.0 <= min(first) < 2.05 < 2.95 < max(first) <= 3.0


def test_files(tmp_path):
    (tmp_path / "plain.csv").write_text("1\n2\n\n3\n")
    (tmp_path / "headed.csv").write_text("p\n1\n2\n")
    (tmp_path / "wide.csv").write_text("a,b\n1,10\n2,20\n")
    assert listed("file:plain.csv", tmp_path) == [1, 2, 3]
    assert listed("file:headed.csv", tmp_path) == [1, 2]
    assert listed("file:wide.csv:b", tmp_path) == [10, 20]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("1:2", "needs 3 numbers"),
        ("1:2:0", "no progression"),
        ("2:1:1", "no progression"),
        ("linspace:1:2:0", "count"),
        ("linspace:1:2:1.5", "count"),
        ("linspace:1:2", "needs 3 numbers"),
        ("log:0:1:3", "positive"),
        ("range:2:1", "no range"),
        ("logrange:-1:1", "no range"),
        ("many", "no number"),
        ([], "no values"),
        ([1, None], "no number"),
        ([float("nan")], "not finite"),
        ("file:absent.csv", "cannot be read"),
        ("file:wide.csv", "choose one"),
        ("file:wide.csv:c", "no column 'c'"),
        ("file:ragged.csv", "no number"),
    ],
)
def test_what_is_refused_is_named(given, said, tmp_path):
    (tmp_path / "wide.csv").write_text("a,b\n1,10\n")
    (tmp_path / "ragged.csv").write_text("1\nx\n")
    with pytest.raises(InvalidValueError, match=said) as caught:
        parse(given, "p", tmp_path, 0)
    assert caught.value.field == "simulation_parameters.p"


def test_shares_of_a_range_and_of_a_list():
    shares = np.array([0.0, 0.25, 0.5, 0.999])
    assert parse("range:2:4", "p", Path(), 0).at(shares).tolist() == pytest.approx([2, 2.5, 3, 3.998])
    assert parse("logrange:1:16", "p", Path(), 0).at(shares).tolist()[:3] == pytest.approx([1, 2, 4])
    assert parse([7, 8], "p", Path(), 0).at(shares).tolist() == [7, 7, 8, 8]


def test_arrays_in_braces_are_their_elements():
    assert elements({"x": "{1, [2, 3], '1:2:1'}", "y": "1:2:1"}) == {
        "x[1]": 1, "x[2]": [2, 3], "x[3]": "1:2:1", "y": "1:2:1",
    }  # fmt: skip
    assert elements({"title": "{no, list}", "empty": "{}"}) == {"title": "{no, list}", "empty": "{}"}
    for parameters in ({"x": "{1}", "x[1]": 2}, {"x[1]": 2, "x": "{1}"}):
        with pytest.raises(ValueError, match=r"x\[1\] has values of its own, and is an element of x"):
            elements(parameters)


def test_a_table_of_runs(tmp_path):
    (tmp_path / "runs.csv").write_text("a, b\n1,10\n\n2,20\n")
    assert table("runs.csv", tmp_path) == table("file:runs.csv", tmp_path) == {"a": ["1", "2"], "b": ["10", "20"]}
    for content in ("", "a,b\n", "a,a\n1,2\n", "a,\n1,2\n", "a,b\n1\n"):
        (tmp_path / "runs.csv").write_text(content)
        with pytest.raises(InvalidValueError, match="simulation_parameters.file: runs.csv") as refusal:
            table("runs.csv", tmp_path)
        assert refusal.value.field == "simulation_parameters.file"
    with pytest.raises(InvalidValueError, match="simulation_parameters.file: none.csv cannot be read"):
        table("none.csv", tmp_path)


@pytest.mark.parametrize(
    ("source", "quantiles"),
    [
        ("triang:0:4:0.5", [1.0, 2.0, 3.0]),  # at shares 1/8, 1/2, 7/8
        ("norm:10:2", [10 - 2 * 1.150349380376008, 10.0, 10 + 2 * 1.150349380376008]),
        ("lognorm:0:1", [np.exp(-1.150349380376008), 1.0, np.exp(1.150349380376008)]),
        ("truncnorm:-100:100:10:2", [10 - 2 * 1.150349380376008, 10.0, 10 + 2 * 1.150349380376008]),
    ],
)
def test_distributions(source, quantiles):
    values = parse(source, "p", Path(), 0)
    assert values.at(np.array([1 / 8, 1 / 2, 7 / 8])).tolist() == pytest.approx(quantiles)
    assert np.isfinite(values.at(np.array([0.0, 1.0]))).all()
    assert values.low < quantiles[0] < quantiles[-1] < values.high


@pytest.mark.parametrize(
    "source",
    ["norm:1:0", "lognorm:1:-1", "triang:2:1:0.5", "triang:1:2:1.5", "truncnorm:1:0:1:1", "norm:1", "norm:a:b"],
)
def test_distributions_that_are_none(source):
    with pytest.raises(InvalidValueError, match=r"simulation_parameters\.p: "):
        parse(source, "p", Path(), 0)
