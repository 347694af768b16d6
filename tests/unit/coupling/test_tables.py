"""Tables of OSeMOSYS in its own columns and in MUIO's, as files and as frames."""

from __future__ import annotations

import pytest

pd = pytest.importorskip("pandas", reason="tables are pandas frames (extra coupling)")

from trivium.coupling.schema import Columns  # noqa: E402
from trivium.coupling.tables import normalise, read  # noqa: E402
from trivium.errors import InvalidValueError  # noqa: E402

OWN = "REGION,TECHNOLOGY,EMISSION,YEAR,VALUE\nR,gas,CO2,2020,1.5\nR,coal,CO2,2021,-2\n"
MUIO = "r,t,e,y,AnnualTechnologyEmission\nR,gas,CO2,2020,1.5\nR,coal,CO2,2021,-2\n"


def test_both_styles_are_the_same_table(tmp_path):
    found = []
    for name, text in (("own.csv", OWN), ("muio.csv", MUIO)):
        (tmp_path / name).write_text(text)
        found.append(read(tmp_path / name))
    pd.testing.assert_frame_equal(*found)
    assert list(found[0].columns) == ["region", "technology", "emission", "year", "VALUE"]
    assert found[0]["VALUE"].to_list() == [1.5, -2.0]


def test_both_regions_of_a_trade_are_kept():
    muio = normalise(
        pd.DataFrame([["A", "B", "S", "gas", 2020, 3]], columns=["r", "rr", "l", "f", "y", "Trade"]), "Trade"
    )
    columns = ["REGION", "_REGION", "TIMESLICE", "FUEL", "YEAR", "VALUE"]
    own = normalise(pd.DataFrame([["A", "B", "S", "gas", 2020, 3]], columns=columns), "Trade")
    pd.testing.assert_frame_equal(muio, own)


def test_columns_of_muio_that_say_nothing_new_are_left_out():
    """Two tables put together have the region three times; shadow prices have the discount rate beside them."""
    columns = ["r_x", "f", "t", "y", "m", "r_y", "l", "r", "UseByTechnologyByMode"]
    use = normalise(pd.DataFrame([["R", "ELC", "A", 2020, 1, "R", "S", "R", 0.5]], columns=columns), "Use")
    assert list(use.columns) == ["fuel", "technology", "year", "mode_of_operation", "timeslice", "region", "VALUE"]
    columns = ["r", "cn", "y", "UDC1", "DiscountRate"]
    dual = normalise(pd.DataFrame([["R", "LIMIT", 2020, 7.0, 0.05]], columns=columns), "dual")
    assert dual.to_dict("records") == [{"region": "R", "constraint": "LIMIT", "year": 2020, "VALUE": 7.0}]
    rate = normalise(pd.DataFrame([["R", 0.05]], columns=["r", "DiscountRate"]), "DiscountRate")
    assert rate["VALUE"].to_list() == [0.05]


def test_years_are_numbers_however_they_are_written():
    found = normalise(pd.DataFrame({"y": ["2020", "2021"], "Cost": [1, 2]}), "Cost")
    assert found["year"].to_list() == [2020, 2021]
    assert found["VALUE"].to_list() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("r,t,y,Cost\nR,gas,2020,1\nR,gas,2020,2\n", "table.csv: column year, row 1: 2020 is there twice"),
        ("r,t,y,Cost\nR,gas,2020,1\nR,gas,soon,2\n", "table.csv: column year, row 1: .*soon"),
        ("r,t,y,Cost\nR,gas,2020,1\nR,gas,2021,\n", "table.csv: column VALUE, row 1"),
        ("r,t,y,Cost\nR,gas,2020,1\nR,gas,2021,much\n", "table.csv: column VALUE, row 1: .*much"),
        ("r,t,y\nR,gas,2020\n", "one column of values is wanted besides the sets, found: none"),
        ("r,t,y,Cost,Remark\nR,gas,2020,1,x\n", "found: Cost, Remark"),
        ("r,REGION,y,Cost\nR,R,2020,1\n", "a set has two columns: r, REGION, y"),
        ("", "table.csv cannot be read"),
        ("r,t,y,Cost\n", "table.csv has a header and no rows"),
    ],
)
def test_what_is_wrong_is_told_by_file_column_and_row(tmp_path, text, said):
    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(InvalidValueError, match=said):
        read(tmp_path / "table.csv")


class Prices(Columns):
    year: list[int]
    price: list[float]


def test_a_schema_names_columns_and_rows_and_counts_the_rest():
    frame = pd.DataFrame({"year": [2020.5] * 5, "price": [1.0, 2.0, float("inf"), 4.0, 5.0]})
    with pytest.raises(InvalidValueError) as refused:
        Prices.from_frame(frame, "prices")
    assert str(refused.value).startswith("prices: column year, row 0: ")
    assert "(is 2020.5)" in str(refused.value)
    assert str(refused.value).endswith("; and 3 more")
    with pytest.raises(InvalidValueError, match="column tax: Extra inputs are not permitted"):
        Prices.from_frame(pd.DataFrame({"year": [2020], "price": [1.0], "tax": [1.0]}), "prices")
    with pytest.raises(ValueError, match="columns differ in length: year 2, price 1"):
        Prices(year=[1, 2], price=[1.0])
