"""Columns over time as files that people open: CSV and Parquet, with the numbers that JSON has."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping

import numpy as np
from flask import Response
from numpy.typing import NDArray

from trivium.extras import require
from trivium.server.selection import PARQUET

CSV = "text/csv"
#: Rows that are written at once.
_ROWS = 2000


def file(columns: Mapping[str, NDArray[np.float64]], form: str) -> Response:
    """Return columns as a file that browsers save.

    Parameters
    ----------
    columns : Mapping[str, array of shape (k,)]
        With ``time`` [s] among them, which comes first.
    form : {"csv", "parquet"}

    Raises
    ------
    MissingExtraError
        When what writes Parquet is not installed.
    """
    ordered = {"time": columns["time"], **columns}
    made = _parquet(ordered) if form == "parquet" else Response(_csv(ordered), content_type=f"{CSV}; charset=utf-8")
    made.headers["Content-Disposition"] = f'attachment; filename="results.{form}"'
    return made


def _csv(columns: Mapping[str, NDArray[np.float64]]) -> Iterator[bytes]:
    yield ",".join(map(_quoted, columns)).encode() + b"\n"
    count = len(columns["time"])
    for start in range(0, count, _ROWS):
        texts = [[_number(value) for value in column[start : start + _ROWS].tolist()] for column in columns.values()]
        yield "".join(",".join(row) + "\n" for row in zip(*texts, strict=True)).encode()


def _number(value: float) -> str:
    """Return the shortest text that is read as the same number; nothing for what is none."""
    return repr(value) if math.isfinite(value) else ""


def _quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"' if any(mark in name for mark in ',"\n') else name


def _parquet(columns: Mapping[str, NDArray[np.float64]]) -> Response:
    require("pyarrow", "results")
    import pyarrow
    from pyarrow import parquet

    # made of buffers, which pyarrow takes without importing pandas: while a thread imports it, Dash fails in others
    arrays = [
        pyarrow.Array.from_buffers(pyarrow.float64(), column.size, [None, pyarrow.py_buffer(column)])
        for column in (np.ascontiguousarray(each, dtype=np.float64) for each in columns.values())
    ]
    body = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_arrays(arrays, names=list(columns)), body)
    return Response(body.getvalue(), content_type=PARQUET)
