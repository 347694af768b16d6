"""Tables of OSeMOSYS results in one form, from any source, as files or frames.

Dimensions are named ``region``, ``technology``, ... here. Two styles are read: OSeMOSYS's own, with columns such as
``REGION,TECHNOLOGY,YEAR,VALUE``, and that of MUIO, with letters and the variable's name, such as
``r,t,y,CapitalInvestment``.
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
    "y": "year",
}
_NAMES = {**_SETS, "commodity": "fuel", "_region": "region_from", **{name: name for name in _SETS.values()}}
_WHOLE = ("year", "mode_of_operation")


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
    return normalise(frame, name)


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
    renamed = {name: _NAMES[str(name).strip().lower()] for name in frame.columns if str(name).strip().lower() in _NAMES}
    rest = [name for name in frame.columns if name not in renamed]
    if len(rest) != 1:
        names = ", ".join(map(str, rest)) or "none"
        raise InvalidValueError(f"{label}: one column of values is wanted besides the sets, found: {names}", label)
    if len(set(renamed.values())) < len(renamed):
        raise InvalidValueError(f"{label}: a set has two columns: {', '.join(map(str, renamed))}", label)
    table = frame.rename(columns={**renamed, rest[0]: "VALUE"})[[*renamed.values(), "VALUE"]]
    schema.check(table, label, integers=_WHOLE)
    return table.astype({"VALUE": float, **{name: int for name in _WHOLE if name in table.columns}})
