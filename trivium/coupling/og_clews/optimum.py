"""A linear program in free MPS solved by GLPK, CBC or HiGHS."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from trivium.errors import ComponentError
from trivium.experiment.runner import result, run
from trivium.extras import require
from trivium.model.contract import FloatArray

Solver = Literal["cbc", "glpsol", "highs"]
_ANSWER = "optimum.txt"
_NAME = re.compile(r"(\w+)\[(.*)\]$")


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
    """

    objective: float
    names: Sequence[str]
    values: FloatArray

    def table(self, variable: str, dims: Sequence[str]) -> pd.DataFrame:
        """Return a variable as a table, without zeros.

        Raises
        ------
        ComponentError
            When it has another number of subscripts.
        """
        rows = []
        for name, value in zip(self.names, self.values, strict=True):
            if value and name.startswith(f"{variable}["):
                match = _NAME.match(name)
                places = match[2].replace("'", "").split(",") if match else []
                if len(places) != len(dims):
                    raise ComponentError(f"{name} has {len(places)} subscripts, where {', '.join(dims)} are meant")
                rows.append((*places, value))
        table = pd.DataFrame(rows, columns=[*dims, "VALUE"]).astype({"VALUE": float})
        return table.astype({name: int for name in ("year", "mode_of_operation") if name in dims})


def solve(path: Path, solver: Solver, timeout: float) -> Optimum:
    """Solve a program in the folder where it lies.

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
        run(["cbc", path.name, "-threads", "0", "solve", "solution", _ANSWER], path.parent, timeout)
        return _cbc(result(path.parent, _ANSWER))
    run(["glpsol", "--freemps", path.name, "-w", _ANSWER], path.parent, timeout)
    return _glpsol(result(path.parent, _ANSWER), columns(path))


def columns(path: Path) -> list[str]:
    """Return the names of the columns of a program in free MPS, in their order."""
    names: dict[str, None] = {}
    within = False
    with path.open() as lines:
        for line in lines:
            if not line.startswith(" "):
                if within:
                    break
                within = line.startswith("COLUMNS")
            elif within and "'MARKER'" not in line:
                names[line.split(maxsplit=1)[0]] = None
    return list(names)


def _glpsol(path: Path, names: Sequence[str]) -> Optimum:
    values = np.zeros(len(names))
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
            elif cells[0] == "j":
                values[int(cells[1]) - 1] = float(cells[2] if integer else cells[3])
    return Optimum(objective, names, values)


def _cbc(path: Path) -> Optimum:
    with path.open() as lines:
        head = next(lines, "")
        if not head.startswith("Optimal"):
            raise ComponentError(f"CBC found no optimal solution: {head.strip()}")
        rows = [line.replace("**", " ").split() for line in lines]
    return Optimum(float(head.split()[-1]), [row[1] for row in rows], np.array([float(row[2]) for row in rows]))


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
    values = np.array(solver.getSolution().col_value)
    return Optimum(solver.getInfo().objective_function_value, solver.getLp().col_names_, values)
