"""Tables: sums that must be kept, algebra that must hold, and what is refused, by column and row."""

from __future__ import annotations

import numpy as np
import pytest

pd = pytest.importorskip("pandas", reason="tables are pandas frames (extra coupling)")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from trivium.coupling import frames  # noqa: E402
from trivium.errors import InvalidValueError  # noqa: E402

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
POSITIVE = st.floats(1e-3, 1e3)


@st.composite
def tables(draw, values=NUMBERS, sparse=True):
    """Draw a table by technology, fuel and year, with some coordinates left out."""
    places = [(t, f, y) for t in "AB" for f in ("gas", "oil") for y in (2020, 2025, 2030)]
    if sparse:
        places = draw(st.lists(st.sampled_from(places), min_size=1, unique=True))
    numbers = draw(st.lists(values, min_size=len(places), max_size=len(places)))
    frame = pd.DataFrame(places, columns=["technology", "fuel", "year"]).assign(VALUE=numbers)
    return draw(st.permutations(range(len(frame))).map(lambda order: frame.iloc[list(order)].reset_index(drop=True)))


def whole(frame):
    return frame["VALUE"].sum()


def as_dict(frame):
    return {tuple(row[:-1]): row[-1] for row in frame[[*sorted(frames.dims(frame)), "VALUE"]].itertuples(index=False)}


@given(tables(), st.sets(st.sampled_from(["technology", "fuel", "year"]), min_size=1))
def test_aggregating_keeps_the_sum_whatever_goes(frame, over):
    before = frame.copy()
    found = frames.aggregate(frame, sorted(over))
    assert whole(found) == pytest.approx(whole(frame), rel=1e-12, abs=1e-6)
    assert set(frames.dims(found)) == {"technology", "fuel", "year"} - over
    pd.testing.assert_frame_equal(frame, before)  # arguments are left alone


@given(tables())
def test_aggregating_one_after_the_other_is_aggregating_both(frame):
    both = as_dict(frames.aggregate(frame, ["technology", "fuel"]))
    one = as_dict(frames.aggregate(frames.aggregate(frame, ["fuel"]), ["technology"]))
    assert one.keys() == both.keys()
    assert list(one.values()) == pytest.approx([both[key] for key in one], rel=1e-12, abs=1e-6)


@given(tables())
def test_grouping_keeps_the_sum_and_spreading_undoes_groups_of_one(frame):
    kept = frames.group(frame, "fuel", "sector", {"fossil": ["gas", "oil"]})
    assert whole(kept) == pytest.approx(whole(frame), rel=1e-12, abs=1e-6)
    names = {"G": ["gas"], "O": ["oil"]}
    back = frames.spread(frames.group(frame, "fuel", "sector", names), "sector", "fuel", names)
    assert as_dict(back) == as_dict(frame)


@given(tables(POSITIVE, sparse=False), tables(POSITIVE, sparse=False))
def test_dividing_undoes_multiplying(frame, other):
    back = frames.combine(frames.combine(frame, other, "multiply"), other, "divide")
    assert as_dict(back).keys() == as_dict(frame).keys()
    assert list(as_dict(back).values()) == pytest.approx(list(as_dict(frame).values()), rel=1e-12)


@given(tables(POSITIVE, sparse=False))
def test_a_table_is_divided_by_one_of_fewer_dimensions_along_the_rest(frame):
    total = frames.aggregate(frame, ["technology"])
    share = frames.combine(frame, total, "divide")
    assert frames.aggregate(share, ["technology"])["VALUE"].to_numpy() == pytest.approx(np.ones(6))


@given(tables(), tables())
def test_sums_add_up_whatever_is_missing_in_either(frame, other):
    found = frames.add(frame, other)
    assert whole(found) == pytest.approx(whole(frame) + whole(other), rel=1e-12, abs=1e-6)
    assert set(as_dict(found)) == set(as_dict(frame)) | set(as_dict(other))
    assert as_dict(found) == pytest.approx(as_dict(frames.add(other, frame)))


@given(tables(POSITIVE, sparse=False))
def test_an_index_is_one_at_its_base_and_keeps_ratios(frame):
    found = frames.index(frame, 2025)
    assert found[found["year"] == 2025]["VALUE"].to_numpy() == pytest.approx(np.ones(4))
    given_, indexed = as_dict(frame), as_dict(found)
    for fuel, technology in {key[:2] for key in given_}:
        ratio = given_[fuel, technology, 2030] / given_[fuel, technology, 2020]
        assert indexed[fuel, technology, 2030] / indexed[fuel, technology, 2020] == pytest.approx(ratio)


@given(tables(POSITIVE), st.floats(-2, 2), st.floats(-2, 2))
def test_elasticities_of_a_chain_multiply(frame, first, second):
    twice = frames.elasticity(frames.elasticity(frame, first), second)
    assert twice["VALUE"].to_numpy() == pytest.approx(frames.elasticity(frame, first * second)["VALUE"].to_numpy())


def test_each_sector_has_its_own_elasticity():
    ratio = pd.DataFrame({"sector": ["homes", "industry"], "VALUE": [1.21, 1.21]})
    found = frames.elasticity(ratio, {"homes": 0.5, "industry": 0.0}, "sector")
    assert found["VALUE"].to_list() == pytest.approx([1.1, 1.0])


@given(tables(sparse=False), st.lists(st.integers(2020, 2030), min_size=1, unique=True))
def test_interpolation_is_numpys_for_each_row(frame, years):
    found = as_dict(frames.interpolate(frame, years))
    for (technology, fuel), part in frame.groupby(["technology", "fuel"]):
        series = part.sort_values("year")
        wanted = np.interp(years, series["year"], series["VALUE"])
        assert [found[fuel, technology, year] for year in years] == pytest.approx(list(wanted), abs=1e-6)


def test_interpolation_holds_beyond_the_ends_only_where_it_is_told_to():
    frame = pd.DataFrame({"year": [2030, 2020], "VALUE": [3.0, 1.0]})
    held = frames.interpolate(frame, [2010, 2025, 2050], hold=True)
    assert held["VALUE"].to_list() == [1.0, 2.0, 3.0]
    with pytest.raises(InvalidValueError, match="column year covers 2020 to 2030, not 2031"):
        frames.interpolate(frame, [2025, 2031])
    one = pd.DataFrame({"year": [2020], "VALUE": [7.0]})
    assert frames.interpolate(one, [2020, 2040], hold=True)["VALUE"].to_list() == [7.0, 7.0]


def test_a_gap_is_not_interpolated_over():
    frame = pd.DataFrame({"fuel": ["gas", "gas", "oil"], "year": [2020, 2030, 2020], "VALUE": [1.0, 2.0, 3.0]})
    with pytest.raises(InvalidValueError, match="column year misses 2030"):
        frames.interpolate(frame, [2025])


@given(st.floats(0.001, 0.3), st.integers(1, 30), POSITIVE)
def test_payments_are_worth_the_investment(rate, life, invested):
    years = list(range(2020, 2061))
    frame = pd.DataFrame({"technology": "A", "year": years, "VALUE": [invested] + [0.0] * 40})
    paid = frames.annualise(frame, rate, {"A": life})
    assert np.ptp(paid["VALUE"][paid["VALUE"] > 0]) == pytest.approx(0.0, abs=1e-9 * invested)
    assert (paid["VALUE"] > 0).sum() == life
    # discounted to the beginning of 2020, which is the end of 2019
    assert whole(frames.discount(paid, rate, 2019)) == pytest.approx(invested, rel=1e-9)


def test_payments_without_interest_are_equal_parts_and_end_with_the_horizon():
    frame = pd.DataFrame(
        {"technology": ["A", "A", "B", "B"], "year": [2020, 2021, 2020, 2021], "VALUE": [10.0, 4.0, 6.0, 0.0]}
    )
    found = as_dict(frames.annualise(frame, 0.0, {"A": 2, "B": 3}))
    assert found == pytest.approx({("A", 2020): 5.0, ("A", 2021): 7.0, ("B", 2020): 2.0, ("B", 2021): 2.0})


TABLE = pd.DataFrame({"fuel": ["gas", "oil"], "year": [2020, 2021], "VALUE": [1.0, 0.0]})


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: frames.aggregate(TABLE, ["region"]), "no dimension region; there is: fuel, year"),
        (lambda: frames.aggregate(TABLE, ["VALUE"]), "no dimension VALUE"),
        (lambda: frames.select(TABLE, {"fuel": ["coal"]}), "column fuel has no coal"),
        (lambda: frames.group(TABLE, "fuel", "sector", {"x": ["gas"]}), r"column fuel, row 1: oil belongs to no group"),
        (
            lambda: frames.group(TABLE, "fuel", "s", {"x": ["gas"], "y": ["gas", "oil"]}),
            "gas belongs to two groups, x and y",
        ),
        (lambda: frames.spread(TABLE, "fuel", "plant", {"gas": ["A"]}), "column fuel, row 1: oil has no members"),
        (lambda: frames.expand(TABLE, "year", [1]), "there is a dimension year already"),
        (lambda: frames.combine(TABLE, TABLE, "divide"), "column VALUE, row 1: 0.0 cannot be divided by"),
        (lambda: frames.combine(TABLE, TABLE[:1], "multiply"), "column year, row 1: 2021 has no partner"),
        (
            lambda: frames.combine(TABLE, pd.DataFrame({"fuel": ["gas"], "mode": [1], "VALUE": [1.0]}), "multiply"),
            "dimensions do not fit: fuel, year and fuel, mode",
        ),
        (lambda: frames.add(TABLE, TABLE.drop(columns="year")), "only equal dimensions add up: fuel, year and fuel"),
        (lambda: frames.index(TABLE, 1999), "column year has no 1999"),
        (lambda: frames.elasticity(TABLE, 0.5), "column VALUE, row 1: 0.0 must be positive"),
        (lambda: frames.elasticity(TABLE[:1], {"oil": 1.0}, "fuel"), "column fuel, row 0: gas has no elasticity"),
        (lambda: frames.annualise(TABLE, 0.1, {"gas": 2}, "fuel"), "column fuel, row 1: oil has no life"),
    ],
)
def test_what_is_wrong_is_told_by_column_and_row(call, said):
    with pytest.raises(InvalidValueError, match=said):
        call()
