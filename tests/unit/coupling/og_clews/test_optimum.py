"""Small programs with known solutions, by each solver: integers, names with signs, no solution."""

from __future__ import annotations

import shutil
import subprocess

import pytest

pytest.importorskip("pandas", reason="tables are pandas frames (extra coupling)")
pytestmark = pytest.mark.skipif(shutil.which("glpsol") is None, reason="GLPK's glpsol is not installed (glpk-utils)")

from trivium.coupling.og_clews import optimum  # noqa: E402
from trivium.errors import ComponentError  # noqa: E402

MODEL = """
set T; set YEAR;
var NewCapacity{t in T, y in YEAR} >= 0 KIND;
minimize cost: sum{t in T, y in YEAR} (if t = 'OLD-1' then 3 else 2) * NewCapacity[t,y];
s.t. need{y in YEAR}: sum{t in T} NewCapacity[t,y] >= y - 2018.5;
s.t. room{y in YEAR}: NewCapacity['NEW',y] <= ROOM;
s.t. some: NewCapacity['OLD-1',2020] <= 1;
data; set T := 'OLD-1' NEW; set YEAR := 2020 2021; end;
"""


@pytest.fixture(params=["glpsol", "cbc", "highs"])
def solver(request):
    if request.param == "highs":
        pytest.importorskip("highspy", reason="HiGHS is not installed (extra ogclews)")
    elif shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return request.param


def solve(folder, solver, kind="", room="1"):
    (folder / "model.mod").write_text(MODEL.replace("KIND", kind).replace("ROOM", room))
    subprocess.run(
        ["glpsol", "-m", "model.mod", "--wfreemps", "model.mps", "--check"], cwd=folder, check=True, capture_output=True
    )
    return optimum.solve(folder / "model.mps", solver, 60.0)


def test_the_cheaper_one_is_used_up_first(tmp_path, solver):
    found = solve(tmp_path, solver)
    assert found.objective == pytest.approx(2 + 0.5 * 3 + 2 + 1.5 * 3)
    table = found.table("NewCapacity", ("technology", "year"))
    built = {(row.technology, row.year): row.VALUE for row in table.itertuples()}
    assert built == pytest.approx({("NEW", 2020): 1.0, ("OLD-1", 2020): 0.5, ("NEW", 2021): 1.0, ("OLD-1", 2021): 1.5})


def test_whole_numbers_are_kept_whole(tmp_path, solver):
    found = solve(tmp_path, solver, ", integer")
    assert found.objective == pytest.approx(2 + 3 + 2 + 2 * 3)
    assert sorted(found.table("NewCapacity", ("technology", "year"))["VALUE"]) == pytest.approx([1.0, 1.0, 1.0, 2.0])


def test_a_program_without_solution_is_told(tmp_path, solver):
    with pytest.raises(ComponentError, match="found no optimal solution"):
        solve(tmp_path, solver, room="0")


def test_a_variable_of_other_subscripts_is_told(tmp_path):
    with pytest.raises(ComponentError, match="has 2 subscripts, where region, technology, year are meant"):
        solve(tmp_path, "glpsol").table("NewCapacity", ("region", "technology", "year"))
