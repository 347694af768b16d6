"""Data of MathProg in all its forms, against what GLPK reads from the same file."""

from __future__ import annotations

import csv
import shutil
import subprocess

import pytest

pytest.importorskip("pandas", reason="tables are pandas frames (extra coupling)")

from trivium.coupling.og_clews.mathdata import Data, Declarations, without_comments  # noqa: E402
from trivium.errors import InvalidValueError  # noqa: E402

MODEL = """
set REGION; set TECHNOLOGY; set MODE_OF_OPERATION; set YEAR;
param DiscountRate{r in REGION}, default 0.07;
param OperationalLife{REGION, TECHNOLOGY}, default 3;  # by names of sets alone
param CapitalCost{r in REGION, t in TECHNOLOGY, y in YEAR}, default 0.5;
param FixedCost{r in REGION, t in TECHNOLOGY, y in YEAR};
param VariableCost{r in REGION, t in TECHNOLOGY, m in MODE_OF_OPERATION, y in YEAR};
param YearSplit{r in REGION, y in YEAR};
"""
DATA = """
set REGION := 'Two Parts' B; /* a; remark */ set TECHNOLOGY := A-1 "C,D"; # and one; more
set MODE_OF_OPERATION := 1, 2; set YEAR := 2020 2021;
param DiscountRate := B 0.04;
param : OperationalLife := B A-1 12, B "C,D" 7;
param CapitalCost := [*,A-1,*]: 2020 2021 := B 1 . [B,"C,D",*] 2021 9 ['Two Parts',A-1,2020] 1e3;
param default -2 : FixedCost := B A-1 2020 4 B A-1 2021 6;
param VariableCost default 0.5 :=
    [B,A-1,*,*] (tr): 1 2 := 2020 .1 .2 2021 .3 .4
    [B,'C,D',*,*]: 2020 2021 := 1 7 8
    ;
param YearSplit : 2020 2021 := 'Two Parts' 0.25 0.75 B 1 0;
end;
"""


@pytest.fixture
def data(tmp_path):
    (tmp_path / "model.mod").write_text(MODEL)
    (tmp_path / "data.dat").write_text(DATA)
    model, text = (without_comments(str(tmp_path / name)) for name in ("model.mod", "data.dat"))
    return Data(text, "data.dat", Declarations.read(model))


@pytest.mark.skipif(shutil.which("glpsol") is None, reason="GLPK's glpsol is not installed (glpk-utils)")
@pytest.mark.parametrize("replaced", [False, True])
def test_values_are_those_that_glpk_reads(tmp_path, data, replaced):
    if replaced:
        for name in ("CapitalCost", "DiscountRate", "FixedCost"):
            parameter = data.parameter(name)
            data = data.replaced(name, parameter.table, parameter.default)
        (tmp_path / "data.dat").write_text(data.text)
    names = {
        "DiscountRate": "r",
        "OperationalLife": "rt",
        "CapitalCost": "rty",
        "FixedCost": "rty",
        "VariableCost": "rtmy",
    }
    names["YearSplit"] = "ry"
    sets = {"r": "REGION", "t": "TECHNOLOGY", "m": "MODE_OF_OPERATION", "y": "YEAR"}
    tables = ""
    for name, letters in names.items():
        place = f"{name}[{','.join(letters)}]"
        domain = ", ".join(f"{letter} in {sets[letter]}" for letter in letters)
        tables += f'table x{name} {{{domain}}} OUT "CSV" "{name}.csv": {", ".join(letters)}, {place};\n'
    (tmp_path / "model.mod").write_text(f"{MODEL}\nsolve;\n{tables}end;\n")
    subprocess.run(["glpsol", "-m", "model.mod", "-d", "data.dat"], cwd=tmp_path, check=True, capture_output=True)
    for name in names:
        parameter = data.parameter(name)
        dims = [dim for dim in parameter.table.columns if dim != "VALUE"]
        here = parameter.everywhere({dim: data.coordinates(dim) for dim in dims})
        own = {tuple(map(str, row[:-1])): row[-1] for row in here.itertuples(index=False)}
        with (tmp_path / f"{name}.csv").open() as lines:
            read = {tuple(row[:-1]): float(row[-1]) for row in list(csv.reader(lines))[1:]}
        assert {place: own.get(place, 0.0) for place in read} == pytest.approx(read), name


def test_what_cannot_be_read_is_named(data):
    broken = Data(data.text.replace("1 7 8", "1 7"), "data.dat", data._declared)
    with pytest.raises(
        InvalidValueError, match=r"data.dat: the data of VariableCost cannot be read: it ends within a row"
    ):
        broken.parameter("VariableCost")
    with pytest.raises(InvalidValueError, match=r"data.dat has no set FUEL|data.dat has no set fuel"):
        data.coordinates("fuel")
