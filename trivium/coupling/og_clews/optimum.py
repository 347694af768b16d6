"""A linear program in free MPS solved by GLPK, CBC or HiGHS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from trivium.coupling.tables import WHOLE
from trivium.errors import ComponentError
from trivium.experiment.runner import result, run
from trivium.extras import require
from trivium.model.contract import FloatArray

Solver = Literal["cbc", "glpsol", "highs"]
_ANSWER = "optimum.txt"


@dataclass(frozen=True)
class Optimum:
    """An optimal solution.

    Attributes
    ----------
    objective : float
        Without the constant, which free MPS by GLPK does not have.
    names : list of str
        Of variables, ``name[subscript,subscript]``.
    values : FloatArray, shape (n,)
    rows : list of str
        Names of constraints, where duals were wanted.
    duals : FloatArray, shape (m,)
    """

    objective: float
    names: Sequence[str]
    values: FloatArray
    rows: Sequence[str] = ()
    duals: FloatArray = field(default_factory=lambda: np.zeros(0))

    def table(self, variable: str, dims: Sequence[str], *, zeros: bool = False) -> pd.DataFrame:
        """Return a variable as a table, without zeros by default.

        Raises
        ------
        ComponentError
            When it has another number of subscripts.
        """
        return _table(self.names, self.values, variable, dims, zeros=zeros)

    def dual(self, constraint: str, dims: Sequence[str]) -> pd.DataFrame:
        """Return the duals of a constraint as a table, with zeros; see `table`."""
        return _table(self.rows, self.duals, constraint, dims, zeros=True)

    def kinds(self) -> tuple[list[str], list[str]]:
        """Return the names, without subscripts, of all variables and of all constraints with duals."""
        variables, constraints = (
            list(dict.fromkeys(name.partition("[")[0] for name in names)) for names in (self.names, self.rows)
        )
        return variables, constraints


def _table(names: Sequence[str], values: FloatArray, kind: str, dims: Sequence[str], *, zeros: bool) -> pd.DataFrame:
    start, rows = f"{kind}[", []
    for name, value in zip(names, values, strict=True):
        if (value or zeros) and name.startswith(start):
            places = name[len(start) : -1].replace("'", "").split(",")
            if len(places) != len(dims):
                raise ComponentError(f"{name} has {len(places)} subscripts, where {', '.join(dims)} are meant")
            rows.append((*places, value))
    table = pd.DataFrame(rows, columns=[*dims, "VALUE"]).astype({"VALUE": float})
    return table.astype({name: int for name in WHOLE if name in dims})


def solve(path: Path, solver: Solver, timeout: float, *, duals: bool = False) -> Optimum:
    """Solve a program in the folder where it lies.

    Parameters
    ----------
    path : Path
    solver : {"cbc", "glpsol", "highs"}
    timeout : float
        [s]
    duals : bool
        Whether the duals of constraints are wanted; a program with whole numbers has none.

    Raises
    ------
    ComponentError
        When the solver is not there, fails, takes too long, or finds no optimal solution.
    """
    answer = path.with_name(_ANSWER)
    answer.unlink(missing_ok=True)
    if solver == "highs":
        return _highs(path)
    if solver == "cbc":
        printed = ["-printingOptions", "all"] if duals else []
        run(["cbc", path.name, "-threads", "0", "solve", *printed, "solution", _ANSWER], path.parent, timeout)
        return _cbc(result(path.parent, _ANSWER), duals=duals)
    run(["glpsol", "--freemps", path.name, "-w", _ANSWER], path.parent, timeout)
    return _glpsol(result(path.parent, _ANSWER), *names(path))


def names(path: Path) -> tuple[list[str], list[str]]:
    """Return the names of the rows and of the columns of a program in free MPS, in their order."""
    rows: list[str] = []
    columns: dict[str, None] = {}
    section = ""
    with path.open() as lines:
        for line in lines:
            if not line.startswith(" "):
                section = line.split(maxsplit=1)[0] if line.strip() else section
            elif section == "ROWS":
                kind, name = line.split()
                rows += [name] if kind != "N" else []  # the objective, which GLPK does not count
            elif section == "COLUMNS" and "'MARKER'" not in line:
                columns[line.split(maxsplit=1)[0]] = None
            elif section == "RHS":
                break
    return rows, list(columns)


def _glpsol(path: Path, rows: Sequence[str], columns: Sequence[str]) -> Optimum:
    values, duals = np.zeros(len(columns)), np.zeros(len(rows))
    objective = np.nan
    with path.open() as lines:
        for line in lines:
            cells = line.split()
            if cells[0] == "s":
                good = cells[-2] == "o" if cells[1] == "mip" else cells[-3:-1] == ["f", "f"]
                if not good:
                    raise ComponentError("GLPK found no optimal solution")
                objective = float(cells[-1])
                integer = cells[1] == "mip"
            elif cells[0] == "i" and not integer:
                duals[int(cells[1]) - 1] = float(cells[4])
            elif cells[0] == "j":
                values[int(cells[1]) - 1] = float(cells[2] if integer else cells[3])
    return Optimum(objective, columns, values, [] if integer else rows, duals[:0] if integer else duals)


def _cbc(path: Path, *, duals: bool) -> Optimum:
    with path.open() as lines:
        head = next(lines, "")
        if not head.startswith("Optimal"):
            raise ComponentError(f"CBC found no optimal solution: {head.strip()}")
        cells = [line.replace("**", " ").split() for line in lines]
    # with duals come all rows first, then all columns, both counted from 0
    first = next((i for i in range(1, len(cells)) if int(cells[i][0]) <= int(cells[i - 1][0])), 0) if duals else 0
    rows, columns = cells[:first], cells[first:]
    return Optimum(
        float(head.split()[-1]),
        [cell[1] for cell in columns],
        np.array([float(cell[2]) for cell in columns]),
        [cell[1] for cell in rows],
        np.array([float(cell[3]) for cell in rows]),
    )


def _highs(path: Path) -> Optimum:
    highspy = require("highspy", "ogclews")
    solver = highspy.Highs()
    for option, value in (("threads", 1), ("log_to_console", False), ("log_file", str(path.with_name("highs.log")))):
        solver.setOptionValue(option, value)
    if solver.readModel(str(path)) == highspy.HighsStatus.kError:
        raise ComponentError(f"HiGHS cannot read {path.name}")
    solver.run()
    status = solver.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        raise ComponentError(f"HiGHS found no optimal solution: {solver.modelStatusToString(status)}")
    solution, program = solver.getSolution(), solver.getLp()
    values, duals = np.array(solution.col_value), np.array(solution.row_dual)
    rows = program.row_names_ if solution.dual_valid else []
    return Optimum(solver.getInfo().objective_function_value, program.col_names_, values, rows, duals[: len(rows)])
