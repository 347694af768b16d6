"""Chains as case files write them: units, composition, other tables, and errors that name the place in the chain."""

from __future__ import annotations

import numpy as np
import pytest

pd = pytest.importorskip("pandas", reason="tables are pandas frames (extra coupling)")
pint = pytest.importorskip("pint", reason="units are pint's (extra coupling)")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from pydantic import TypeAdapter, ValidationError  # noqa: E402

from trivium.coupling import units  # noqa: E402
from trivium.coupling.transform import Table, Transform, apply, references  # noqa: E402
from trivium.errors import ComponentError, InvalidValueError  # noqa: E402

CHAIN = TypeAdapter(list[Transform])
COST = Table(pd.DataFrame({"fuel": ["gas", "oil"], "year": [2020, 2020], "VALUE": [6.0, 9.0]}), "MUSD")
ENERGY = Table(pd.DataFrame({"fuel": ["oil", "gas"], "VALUE": [3.0, 2.0]}), "PJ")


def run(steps, table=COST, others=None, **more):
    return apply(CHAIN.validate_python(steps), table, others, **more)


def test_a_ratio_has_the_quotient_of_the_units_and_a_product_their_product():
    price = run([{"kind": "ratio", "by": "e.use"}], others={"e.use": ENERGY})
    assert price.frame["VALUE"].to_list() == [3.0, 3.0]
    assert units.convert(np.ones(1), price.unit, "USD/GJ") == pytest.approx([1.0])
    back = run([{"kind": "multiply", "by": "e.use"}, {"kind": "convert", "to": "USD"}], price, {"e.use": ENERGY})
    assert back.frame["VALUE"].to_list() == pytest.approx([6e6, 9e6])


def test_a_sum_is_in_the_unit_of_the_first():
    more = Table(COST.frame, "USD")
    found = run([{"kind": "add", "by": "e.more"}], others={"e.more": more})
    assert found.unit == "MUSD"
    assert found.frame["VALUE"].to_list() == pytest.approx([6.000006, 9.000009])


def test_an_elasticity_is_of_a_number_whatever_units_it_comes_in():
    ratio = Table(pd.DataFrame({"VALUE": [0.002]}), "GJ/MJ")  # twice
    found = run([{"kind": "elasticity", "of": 3.0}], ratio)
    assert (found.frame["VALUE"].to_list(), found.unit) == ([pytest.approx(8.0)], "1")
    with pytest.raises(InvalidValueError, match=r"transform 0 \(elasticity\): 'MUSD' cannot be converted to '1'"):
        run([{"kind": "elasticity", "of": 3.0}])


@given(
    st.floats(-1e6, 1e6),
    st.sampled_from([("PJ", "GWh"), ("USD/GJ", "MUSD/PJ"), ("degC", "K"), ("%", "1"), ("Mt", "kg")]),
)
def test_converting_there_and_back_changes_nothing(value, pair):
    one = units.convert(np.array([value]), *pair)
    assert units.convert(one, *reversed(pair)) == pytest.approx([value], abs=1e-6)


def test_conversions_are_those_of_the_books():
    assert units.convert(np.array([1.0]), "PJ", "GWh") == pytest.approx([1e6 / 3600])
    assert units.convert(np.array([25.0]), "degC", "K") == pytest.approx([298.15])
    assert units.convert(np.array([5.0]), "%", "-") == pytest.approx([0.05])
    with pytest.raises(InvalidValueError, match="'USD' cannot be converted to 'EUR'"):
        units.convert(np.ones(1), "USD", "EUR")
    for wrong in ("furlongs per fortnite", "2 +", "()"):
        with pytest.raises(InvalidValueError, match="is no unit"):
            units.check(wrong)


@given(st.floats(0.1, 10), st.floats(-5, 5), st.floats(0.1, 10))
def test_a_chain_is_its_parts_one_after_the_other(factor, offset, other):
    first, second = {"kind": "scale", "factor": factor, "offset": offset}, {"kind": "scale", "factor": other}
    one = run([first, second])
    two = run([second], run([first]))
    pd.testing.assert_frame_equal(one.frame, two.frame)
    assert one.frame["VALUE"].to_numpy() == pytest.approx((COST.frame["VALUE"].to_numpy() * factor + offset) * other)


def test_an_empty_chain_changes_nothing():
    assert run([]) is COST


@given(st.floats(-10, 10), st.floats(-10, 10))
def test_clipped_values_are_within_their_bounds(one, two):
    low, high = sorted((one, two))
    found = run([{"kind": "clip", "lower": low, "upper": high}])
    assert found.frame["VALUE"].between(low, high).all()


def test_values_come_from_files_in_either_style(tmp_path):
    (tmp_path / "own.csv").write_text("FUEL,VALUE\ngas,2\noil,3\n")
    (tmp_path / "muio.csv").write_text("f,Use\ngas,2\noil,3\n")
    for name in ("own.csv", "muio.csv"):
        found = run([{"kind": "ratio", "by": {"file": name, "unit": "PJ"}}], folder=tmp_path)
        assert found.frame["VALUE"].to_list() == [3.0, 3.0]


def test_files_are_those_of_the_case(tmp_path):
    (tmp_path / "case").mkdir()
    (tmp_path / "secret.csv").write_text("FUEL,VALUE\ngas,2\noil,3\n")
    for name in ("../secret.csv", str(tmp_path / "secret.csv")):
        with pytest.raises(ComponentError, match="leads out of the working directory"):
            run([{"kind": "ratio", "by": {"file": name, "unit": "PJ"}}], folder=tmp_path / "case")


def test_a_chain_tells_what_else_it_needs():
    chain = CHAIN.validate_python(
        [{"kind": "ratio", "by": "a.x"}, {"kind": "add", "by": "b.y"}, {"kind": "ratio", "by": "a.x"}]
    )
    assert references(chain) == ("a.x", "b.y")
    with pytest.raises(InvalidValueError, match=r"transform 0 \(ratio\): there is no output a.x"):
        apply(chain, COST, {})


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (
            {"year": [2020, "soon"], "VALUE": [1.0, 2.0]},
            r"transform 0 \(index\), what comes in: column year, row 1: .*'soon'",
        ),
        ({"year": [2020, 2021], "VALUE": [1.0, float("nan")]}, r"column VALUE, row 1: .*finite.*nan"),
        ({"year": [2020, 2021], "VALUE": ["1", "x"]}, "column VALUE, row 1"),
        ({"year": [2020, 2020], "VALUE": [1.0, 2.0]}, "column year, row 1: 2020 is there twice"),
        ({"year": [2020, 2021]}, "column VALUE: Field required"),
    ],
)
def test_tables_are_checked_before_a_transform(frame, said):
    with pytest.raises(InvalidValueError, match=said):
        run([{"kind": "index", "base": 2020}], Table(pd.DataFrame(frame), "1"))


def test_tables_are_checked_after_a_transform():
    with pytest.raises(
        InvalidValueError, match=r"transform 0 \(scale\), what comes out: column VALUE, row 0: .*finite.*inf.* row 1"
    ):
        run([{"kind": "scale", "factor": 1e308}], Table(COST.frame * [1, 1, 100], "1"))


def test_a_table_without_dimensions_has_one_row():
    with pytest.raises(InvalidValueError, match="has one row, not 2"):
        run([{"kind": "scale"}], Table(pd.DataFrame({"VALUE": [1.0, 2.0]}), "1"))


@pytest.mark.parametrize(
    "step",
    [
        {"kind": "magic"},
        {"kind": "ratio"},
        {"kind": "ratio", "by": "a.x", "to": "b.y"},
        {"kind": "elasticity", "of": {"gas": 1.0}},
        {"kind": "elasticity", "of": 1.0, "dim": "fuel"},
        {"kind": "scale", "factor": float("nan")},
        {"kind": "interpolate", "at": []},
        {"kind": "annualise", "rate": -0.1, "life": 3},
        {"kind": "annualise", "rate": 0.1, "life": 0.5},
    ],
)
def test_steps_that_make_no_sense_are_refused_when_they_are_read(step):
    with pytest.raises(ValidationError):
        CHAIN.validate_python([step])
