"""Tables of OSeMOSYS results in one form, from any source, as files or frames.

Dimensions are named ``region``, ``technology``, ... here. Two styles are read: OSeMOSYS's own, with columns such as
``REGION,TECHNOLOGY,YEAR,VALUE``, and that of MUIO, with letters and the variable's name, such as
``r,t,y,CapitalInvestment``. Some of MUIO's tables have further columns that say nothing new: those made of two tables
have the region three times (``r_x``, ``r_y``, ``r``), shadow prices have the discount rate beside them.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from trivium.coupling import schema
from trivium.errors import InvalidValueError

#: Sets of OSeMOSYS: MUIO's letter and our name.
_SETS = {
    "r": "region",
    "rr": "region_from",
    "t": "technology",
    "f": "fuel",
    "e": "emission",
    "m": "mode_of_operation",
    "l": "timeslice",
    "s": "storage",
    "cn": "constraint",
    "ls": "season",
    "ld": "daytype",
    "lh": "dailytimebracket",
    "y": "year",
}
#: Our names of dimensions, by those that models and tables use, in lower case.
NAMES = {
    **_SETS,
    "commodity": "fuel",
    "udc": "constraint",
    "_region": "region_from",
    **{name: name for name in _SETS.values()},
}
#: Dimensions whose coordinates are whole numbers.
WHOLE = ("year", "mode_of_operation")
#: Columns of MUIO's tables that repeat the region, and one that repeats a parameter.
_REPEATED, _BESIDE = ("r_x", "r_y"), "DiscountRate"


def read(path: Path | str) -> pd.DataFrame:
    """Read a table from a CSV file.

    Raises
    ------
    InvalidValueError
        When it cannot be read, or is no such table; naming file, column and row.
    """
    name = Path(path).name
    try:
        frame = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InvalidValueError(f"{name} cannot be read: {error}", name) from error
    if frame.empty:
        raise InvalidValueError(f"{name} has a header and no rows: it does not say that its values are 0", name)
    return normalise(frame, name)


def read_folder(folder: Path | str) -> dict[str, pd.DataFrame]:
    """Read all tables of a folder of CSV files, such as MUIO's ``res/<run>/csv``, by name.

    Files without rows are left out, so that what needs one of them names it.

    Raises
    ------
    InvalidValueError
        When there is no table, or one cannot be read.
    """
    paths = sorted(Path(folder).glob("*.csv"))
    if not paths:
        raise InvalidValueError(f"{folder} has no CSV files", "folder")
    return {path.stem: read(path) for path in paths if _has_rows(path)}


def _has_rows(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as lines:
        next(lines, "")
        return any(line.strip() for line in lines)


def normalise(frame: pd.DataFrame, label: str) -> pd.DataFrame:
    """Return a table in the one form: dimensions by our names, then VALUE.

    Parameters
    ----------
    frame : DataFrame
    label : str
        What it is, for errors.

    Raises
    ------
    InvalidValueError
        When columns are unknown or missing, a value is no finite number, or a coordinate is there twice.
    """
    if "r" in frame.columns:
        frame = frame.drop(columns=[name for name in _REPEATED if name in frame.columns])
    renamed = {name: NAMES[str(name).strip().lower()] for name in frame.columns if str(name).strip().lower() in NAMES}
    rest = [name for name in frame.columns if name not in renamed]
    if len(rest) == 2:
        rest = [name for name in rest if name != _BESIDE]
    if len(rest) != 1:
        names = ", ".join(map(str, rest)) or "none"
        raise InvalidValueError(f"{label}: one column of values is wanted besides the sets, found: {names}", label)
    if len(set(renamed.values())) < len(renamed):
        raise InvalidValueError(f"{label}: a set has two columns: {', '.join(map(str, renamed))}", label)
    table = frame.rename(columns={**renamed, rest[0]: "VALUE"})[[*renamed.values(), "VALUE"]]
    schema.check(table, label, integers=WHOLE)
    return table.astype({"VALUE": float, **{name: int for name in WHOLE if name in table.columns}})
